//! The way to one connection. While it is quiet, what others say is written straight to its socket: no task
//! wakes, and a frame costs little more than the system call. Otherwise it waits in a queue that never makes
//! anybody wait: whoever is too far behind loses its place in it and is fed from the log.

use super::recent::News;
use crate::{
    domain::{RoomId, Seq, limits},
    protocol::ServerFrame,
};
use rustix::net::Shutdown;
use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};
use tokio::{net::tcp::OwnedWriteHalf, sync::Notify};
use tokio_tungstenite::tungstenite::{Bytes, Utf8Bytes};

/// What one frame costs beside its text.
const FRAME_OVERHEAD: usize = 64;

/// A frame on its way to one connection. Clones share the bytes.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The text.
    pub text: Utf8Bytes,
    /// The same as the WebSocket frame that carries it; a server's frames are the same for everyone.
    pub frame: Bytes,
    /// What it is a change of, so that a replay and the live stream meet without repeat.
    pub number: Option<(RoomId, Seq)>,
    /// Whether it is bare text, for those who have entered no room.
    pub bare: bool,
}

impl Delivery {
    /// A frame without a number: of presence, of the list. Best effort.
    #[must_use]
    pub fn unnumbered(frame: &ServerFrame) -> Self {
        Self::new(&frame.to_json().into(), None, false)
    }

    /// A change, as members get it.
    #[must_use]
    pub fn of(news: &News) -> Self {
        Self::new(&news.text, Some((news.room, news.rev)), false)
    }

    /// The same as bare text; `None` unless it is a new message of the lobby.
    #[must_use]
    pub fn bare(news: &News) -> Option<Self> {
        let text = news.plain.as_ref().filter(|_| news.is_new())?;
        Some(Self::new(text, Some((news.room, news.rev)), true))
    }

    fn new(text: &Utf8Bytes, number: Option<(RoomId, Seq)>, bare: bool) -> Self {
        Self { text: text.clone(), frame: frame(text), number, bare }
    }

    fn bytes(&self) -> usize {
        self.text.len() + FRAME_OVERHEAD
    }
}

fn frame(text: &str) -> Bytes {
    let mut bytes = Vec::with_capacity(text.len() + 10);
    add_frame(text, &mut bytes);
    bytes.into()
}

/// Adds a text frame as RFC 6455, section 5.2, has it from a server: whole and unmasked.
pub fn add_frame(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(0x81);
    match (u8::try_from(text.len()), u16::try_from(text.len())) {
        (Ok(length @ ..=125), _) => bytes.push(length),
        (_, Ok(length)) => {
            bytes.push(126);
            bytes.extend(length.to_be_bytes());
        }
        _ => {
            bytes.push(127);
            bytes.extend((text.len() as u64).to_be_bytes());
        }
    }
    bytes.extend(text.as_bytes());
}

/// Changes of one room that were stored together, to be written together.
#[derive(Debug)]
pub struct Batch {
    deliveries: Vec<Delivery>,
    /// Their frames, one behind the other.
    joined: Bytes,
    room: RoomId,
    first: Seq,
    last: Seq,
}

impl Batch {
    /// Of deliveries that carry the numbers of one room, ascending; `None` of none.
    #[must_use]
    pub fn new(deliveries: Vec<Delivery>) -> Option<Self> {
        let ((room, first), (_, last)) = deliveries.first()?.number.zip(deliveries.last()?.number)?;
        let joined = match deliveries.as_slice() {
            [only] => only.frame.clone(),
            all => all.iter().map(|delivery| delivery.frame.as_ref()).collect::<Vec<_>>().concat().into(),
        };
        Some(Self { deliveries, joined, room, first, last })
    }
}

/// The number up to which a connection has followed a room.
pub type Passed = Arc<AtomicU64>;

/// What those need to know who write straight to a connection's socket.
#[derive(Debug)]
pub struct Straight {
    /// The rooms that it follows. Their numbers are moved on by what is written.
    pub lines: Vec<(RoomId, Passed)>,
    /// Whether it takes bare text.
    pub bare: bool,
}

impl Straight {
    fn line(&self, room: RoomId) -> Option<&AtomicU64> {
        self.lines.iter().find(|(id, _)| *id == room).map(|(_, passed)| passed.as_ref())
    }

    fn passes(&self, delivery: &Delivery) -> bool {
        let Some((room, number)) = delivery.number else { return true };
        let line = self.line(room).filter(|_| delivery.bare == self.bare);
        // Only whoever holds the queue's lock moves it.
        line.is_some_and(|passed| passed.fetch_max(number, Ordering::Relaxed) < number)
    }
}

/// The rooms in which changes were not kept for a connection, with the lowest number of each.
pub type Missed = HashMap<RoomId, Seq>;

#[derive(Debug, Default)]
struct Waiting {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
    /// Set from the moment that it was too much until the connection asks.
    missed: Option<Missed>,
    /// Set while nothing waits and the connection itself has nothing to write.
    straight: Option<Straight>,
    /// What the socket has not taken of a write: goes before anything else.
    rest: Bytes,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    rung: Notify,
    socket: Option<OwnedWriteHalf>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change below leaves it whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?.try_write(bytes)
    }

    /// Writes without waiting. What the socket does not take is the connection's to write, and from then on
    /// everything waits in the queue.
    fn write_straight(&self, waiting: &mut Waiting, bytes: &Bytes) {
        // What is wrong with a socket shows when it is read.
        let written = self.try_write(bytes).unwrap_or(0);
        if written < bytes.len() {
            waiting.rest = bytes.slice(written..);
            waiting.straight = None;
            self.rung.notify_one();
        }
    }

    fn put(&self, waiting: &mut Waiting, delivery: &Delivery) {
        match &waiting.straight {
            Some(straight) if straight.passes(delivery) => self.write_straight(waiting, &delivery.frame),
            Some(_) => {}
            None => {
                waiting.keep(delivery);
                self.rung.notify_one();
            }
        }
    }

    fn write_rest(&self, waiting: &mut Waiting) -> io::Result<()> {
        while !waiting.rest.is_empty() {
            let written = self.try_write(&waiting.rest)?;
            waiting.rest = waiting.rest.slice(written..);
        }
        Ok(())
    }
}

impl Waiting {
    /// Keeps a frame for later, or notes that it was missed.
    fn keep(&mut self, delivery: &Delivery) {
        let is_full = self.deliveries.len() >= limits::FRAMES_QUEUED
            || self.bytes + delivery.bytes() > limits::FRAMES_QUEUED_BYTES;
        if self.missed.is_none() && !is_full {
            self.bytes += delivery.bytes();
            self.deliveries.push_back(delivery.clone());
        } else {
            // All of it goes: the log has it, and memory is bounded.
            let dropped = std::mem::take(&mut self.deliveries);
            self.bytes = 0;
            let missed = self.missed.get_or_insert_default();
            for (room, number) in dropped.iter().chain([delivery]).filter_map(|delivery| delivery.number) {
                missed.entry(room).and_modify(|lowest| *lowest = number.min(*lowest)).or_insert(number);
            }
        }
    }
}

/// The end where frames are put in.
#[derive(Clone, Debug)]
pub struct Inlet(Arc<Shared>);

/// The end where the connection takes them out.
#[derive(Debug)]
pub struct Outlet(Arc<Shared>);

/// The connection's own way to its socket. While it writes, nobody else does.
#[derive(Debug)]
pub struct Writer(Arc<Shared>);

/// An empty queue before a socket.
#[must_use]
pub fn queue(socket: Option<OwnedWriteHalf>) -> (Inlet, Outlet) {
    let shared = Arc::new(Shared { waiting: Mutex::default(), rung: Notify::new(), socket });
    (Inlet(shared.clone()), Outlet(shared))
}

impl Inlet {
    /// Writes a frame to the socket, puts it in the queue, or notes that it was missed.
    pub fn put(&self, delivery: &Delivery) {
        self.0.put(&mut self.0.waiting(), delivery);
    }

    /// The same with all of a batch, in one write where that may be.
    pub fn put_all(&self, batch: &Batch) {
        let mut waiting = self.0.waiting();
        let line = waiting.straight.as_ref().and_then(|straight| straight.line(batch.room));
        match line {
            Some(passed)
                if passed.load(Ordering::Relaxed) < batch.first && batch.joined.len() <= limits::OUTBOX_BYTES =>
            {
                passed.store(batch.last, Ordering::Relaxed);
                self.0.write_straight(&mut waiting, &batch.joined);
            }
            _ => batch.deliveries.iter().for_each(|delivery| self.0.put(&mut waiting, delivery)),
        }
    }
}

impl Outlet {
    /// Waits for frames and takes up to `most` of them; or says what was missed. Also returns, with nothing,
    /// when the socket did not take all of a frame. Nothing is lost when the wait is given up.
    pub async fn take(&self, most: usize, into: &mut Vec<Delivery>) -> Option<Missed> {
        let missed = self.try_take(most, into);
        if missed.is_some() || !into.is_empty() {
            return missed;
        }
        self.0.rung.notified().await;
        self.try_take(most, into)
    }

    /// The same without waiting.
    pub fn try_take(&self, most: usize, into: &mut Vec<Delivery>) -> Option<Missed> {
        let mut waiting = self.0.waiting();
        let count = most.min(waiting.deliveries.len());
        into.extend(waiting.deliveries.drain(..count));
        waiting.bytes -= into[into.len() - count..].iter().map(Delivery::bytes).sum::<usize>();
        waiting.missed.take()
    }

    /// From here on frames are written straight to the socket, if nothing waits. The caller has nothing to
    /// write, and has [`Outlet::hold`] called before it has.
    pub fn go_straight(&self, straight: impl FnOnce() -> Straight) {
        let mut waiting = self.0.waiting();
        let is_quiet = waiting.deliveries.is_empty() && waiting.missed.is_none() && waiting.rest.is_empty();
        if is_quiet && waiting.straight.is_none() && self.0.socket.is_some() {
            waiting.straight = Some(straight());
        }
    }

    /// From here on frames wait in the queue.
    pub fn hold(&self) {
        self.0.waiting().straight = None;
    }

    /// Whether the socket has not taken all of a frame that was written straight to it.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        !self.0.waiting().rest.is_empty()
    }

    /// Writes frames of the connection itself, which has flushed what came before. What the socket does not take
    /// is the rest then.
    pub fn write(&self, frames: Vec<u8>) {
        let mut waiting = self.0.waiting();
        waiting.straight = None;
        self.0.write_straight(&mut waiting, &frames.into());
    }

    /// The connection's own way to its socket.
    #[must_use]
    pub fn writer(&self) -> Writer {
        Writer(self.0.clone())
    }
}

impl Writer {
    /// Writes behind everything that was written straight to the socket; from here on frames wait.
    pub fn poll_write(&self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.poll(context, |waiting| {
            waiting.straight = None;
            self.0.write_rest(waiting)?;
            self.0.try_write(bytes)
        })
    }

    /// Ready when the socket has everything that was written straight to it.
    pub fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll(context, |waiting| self.0.write_rest(waiting))
    }

    /// Tells the peer that nothing follows.
    ///
    /// # Errors
    /// Those of shutdown(2).
    pub fn shutdown(&self) -> io::Result<()> {
        let socket = self.0.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        Ok(rustix::net::shutdown(socket.as_ref(), Shutdown::Write)?)
    }

    fn poll<T>(
        &self,
        context: &mut Context<'_>,
        attempt: impl Fn(&mut Waiting) -> io::Result<T>,
    ) -> Poll<io::Result<T>> {
        loop {
            match attempt(&mut self.0.waiting()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
            let socket = self.0.socket.as_ref().ok_or(io::ErrorKind::NotConnected)?;
            ready!(socket.as_ref().poll_write_ready(context))?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use tokio::{
        io::AsyncReadExt,
        net::{TcpListener, TcpStream},
    };

    fn change(room: RoomId, number: Seq, length: usize) -> Delivery {
        Delivery::new(&"x".repeat(length).into(), Some((room, number)), false)
    }

    fn numbers(batch: &[Delivery]) -> Vec<Seq> {
        batch.iter().filter_map(|delivery| delivery.number).map(|(_, number)| number).collect()
    }

    #[tokio::test]
    async fn frames_come_out_in_order_as_many_as_asked_for() {
        let (inlet, outlet) = queue(None);
        let room = RoomId::new();
        (1..=3).for_each(|n| inlet.put(&change(room, n, 1)));
        let mut batch = Vec::new();
        assert_eq!(outlet.take(2, &mut batch).await, None);
        assert_eq!(numbers(&batch), [1, 2]);
        assert_eq!(outlet.take(2, &mut batch).await, None);
        assert_eq!(numbers(&batch), [1, 2, 3]);
    }

    #[tokio::test]
    async fn whoever_is_too_far_behind_is_told_from_where_in_each_room() {
        for (count, length) in [(limits::FRAMES_QUEUED, 1), (2, limits::FRAMES_QUEUED_BYTES / 3)] {
            let (inlet, outlet) = queue(None);
            let (room, other) = (RoomId::new(), RoomId::new());
            inlet.put(&change(other, 70, length));
            (5..5 + count as Seq).for_each(|n| inlet.put(&change(room, n, length)));
            inlet.put(&change(room, 9_999, length));
            let mut batch = Vec::new();
            assert_eq!(outlet.take(9, &mut batch).await, Some(HashMap::from([(room, 5), (other, 70)])));
            assert!(batch.is_empty());
            inlet.put(&change(room, 10_000, 1));
            assert_eq!(outlet.take(9, &mut batch).await, None, "and then it goes on");
            assert_eq!(numbers(&batch), [10_000]);
        }
    }

    /// A quiet connection that has followed a room up to number 0, and its peer.
    async fn straight(room: RoomId) -> (Inlet, Outlet, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let peer = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (socket, _) = listener.accept().await.expect("a connection");
        socket.writable().await.expect("a new socket takes something");
        let (_, writes) = socket.into_split();
        let (inlet, outlet) = queue(Some(writes));
        outlet.go_straight(|| Straight { lines: vec![(room, Passed::default())], bare: false });
        (inlet, outlet, peer)
    }

    async fn read(peer: &mut TcpStream, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        peer.read_exact(&mut bytes).await.expect("bytes");
        bytes
    }

    #[tokio::test]
    async fn a_quiet_connection_gets_each_number_at_once_and_once() {
        let (room, other) = (RoomId::new(), RoomId::new());
        let (inlet, outlet, mut peer) = straight(room).await;
        let batch = Batch::new((2..=4).map(|n| change(room, n, 5)).collect()).expect("a batch");
        inlet.put(&change(room, 1, 1));
        inlet.put(&change(other, 1, 1));
        inlet.put_all(&batch);
        inlet.put_all(&batch);
        inlet.put(&change(room, 5, 2));
        outlet.hold();
        inlet.put(&change(room, 6, 1));
        assert_eq!(read(&mut peer, 3 + 3 * 7 + 4).await, b"\x81\x01x\x81\x05xxxxx\x81\x05xxxxx\x81\x05xxxxx\x81\x02xx");
        let mut kept = Vec::new();
        assert_eq!((outlet.take(9, &mut kept).await, numbers(&kept)), (None, vec![6]));
    }

    #[tokio::test]
    async fn what_a_socket_does_not_take_comes_first_and_then_what_waited() {
        let room = RoomId::new();
        let (inlet, outlet, mut peer) = straight(room).await;
        let mut sent = Vec::new();
        for n in 1.. {
            let delivery = change(room, n, 60_000 + usize::try_from(n).expect("a number"));
            inlet.put(&delivery);
            sent.extend_from_slice(&delivery.frame);
            if outlet.has_rest() {
                break;
            }
        }
        inlet.put(&change(room, 1_000, 3));
        let mut kept = Vec::new();
        assert_eq!((outlet.take(9, &mut kept).await, numbers(&kept)), (None, vec![1_000]));
        outlet.go_straight(|| unreachable!("while something is left"));
        let writer = outlet.writer();
        let writing = poll_fn(|context| writer.poll_write(context, &kept[0].frame));
        let (written, got) = tokio::join!(writing, read(&mut peer, sent.len() + 5));
        assert_eq!(written.expect("a socket"), 5);
        sent.extend_from_slice(&kept[0].frame);
        assert!(got == sent, "every byte in its place");
    }

    #[test]
    fn a_frame_says_its_length_as_the_standard_has_it() {
        for (length, header) in [
            (125, &[0x81, 125][..]),
            (126, &[0x81, 126, 0, 126]),
            (65_535, &[0x81, 126, 255, 255]),
            (65_536, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]),
        ] {
            let frame = frame(&"x".repeat(length));
            assert_eq!((&frame[..header.len()], frame.len()), (header, header.len() + length));
        }
    }
}
