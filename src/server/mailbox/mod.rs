//! The way to one connection. While it is quiet, what others say is written straight to its socket: no task
//! wakes, and a frame costs little more than the system call. Otherwise it waits in a queue that never makes
//! anybody wait: whoever is too far behind loses its place in it and is fed from the log.
//!
//! Fan-out visits one mailbox after the other, and most of what it costs beside the kernel is waiting for
//! memory: what it looks at stands together, and the rest in a box that a quiet connection does not have.

mod delivery;

use super::{hub::Closing, writer::Outcome};
use crate::domain::{RoomId, Seq, limits};
use bytes::Bytes;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use smallvec::SmallVec;
use std::{
    collections::{HashMap, VecDeque},
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};
use tokio::{io::Interest, net::TcpStream, sync::Notify};

pub use delivery::{Batch, Delivery};

/// The rooms in which changes were not kept for a connection, with the lowest number of each.
pub type Missed = HashMap<RoomId, Seq>;

/// What waited for a connection.
#[derive(Debug, Default)]
pub struct Taken {
    /// What others said, in order.
    pub deliveries: VecDeque<Delivery>,
    /// Set where that was too much: all of it is gone.
    pub missed: Option<Missed>,
    /// What became of the connection's own changes, each behind what was stored before it; before the replay of what
    /// was missed.
    pub outcomes: Vec<Outcome>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Set while nothing waits and the connection itself has nothing to write: frames go to the socket.
    straight: bool,
    /// Whether it takes bare text instead of frames.
    bare: bool,
    /// The connection's own changes whose outcome it does not know.
    under_way: u32,
    /// The rooms that it follows, and the number up to which everything was passed on.
    lines: SmallVec<[(RoomId, Seq); 1]>,
    /// What the socket has not taken of a write: goes before anything else.
    rest: Bytes,
    later: Option<Box<Taken>>,
    closing: Option<Closing>,
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    socket: Option<TcpStream>,
    /// Rung when the connection has to look: something waits, the socket is full, or it is to close.
    rung: Notify,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Each change below leaves it whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn socket(&self) -> io::Result<&TcpStream> {
        self.socket.as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// Writes as much as the socket takes at once, without asking tokio whether it would.
    fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::net::send(self.socket()?, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL)?)
    }

    /// Writes without waiting. What the socket does not take is the connection's to write, and from then on
    /// everything waits in the queue.
    fn write_straight(&self, waiting: &mut Waiting, bytes: &Bytes) {
        // What is wrong with a socket shows when it is read.
        let written = self.send(bytes).unwrap_or(0);
        if written < bytes.len() {
            waiting.rest = bytes.slice(written..);
            waiting.straight = false;
            self.rung.notify_one();
        }
    }

    fn put(&self, waiting: &mut Waiting, delivery: &Delivery) {
        if !waiting.straight {
            waiting.keep(delivery);
            self.rung.notify_one();
        } else if waiting.passes(delivery) {
            self.write_straight(waiting, &delivery.frame);
        }
    }

    fn write_rest(&self, waiting: &mut Waiting) -> io::Result<()> {
        while !waiting.rest.is_empty() {
            let written = self.send(&waiting.rest)?;
            // What is empty holds no memory.
            waiting.rest = waiting.rest.slice(written..);
        }
        Ok(())
    }
}

impl Waiting {
    fn line(&mut self, room: RoomId) -> Option<&mut Seq> {
        self.lines.iter_mut().find(|(id, _)| *id == room).map(|(_, passed)| passed)
    }

    /// Whether a delivery is this connection's concern and was not passed on yet; from now on it was.
    fn passes(&mut self, delivery: &Delivery) -> bool {
        let Some((room, number)) = delivery.number else { return true };
        let is_its_kind = delivery.bare == self.bare;
        let line = self.line(room).filter(|passed| is_its_kind && **passed < number);
        line.map(|passed| *passed = number).is_some()
    }

    /// Keeps a frame for later, or notes that it was missed.
    fn keep(&mut self, delivery: &Delivery) {
        let later = self.later.get_or_insert_default();
        let is_full = later.deliveries.len() >= limits::FRAMES_QUEUED
            || later.bytes + delivery.bytes() > limits::FRAMES_QUEUED_BYTES;
        if later.missed.is_none() && !is_full {
            later.bytes += delivery.bytes();
            later.deliveries.push_back(delivery.clone());
        } else {
            // All of it goes: the log has it, and memory is bounded.
            let dropped = std::mem::take(&mut later.deliveries);
            later.bytes = 0;
            let missed = later.missed.get_or_insert_default();
            for (room, number) in dropped.iter().chain([delivery]).filter_map(|delivery| delivery.number) {
                missed.entry(room).and_modify(|lowest| *lowest = number.min(*lowest)).or_insert(number);
            }
        }
    }
}

/// The end where frames are put in.
#[derive(Clone, Debug)]
pub struct Inlet(Arc<Shared>);

/// The connection's own end, and its socket.
#[derive(Debug)]
pub struct Outlet(Arc<Shared>);

/// An empty queue before a socket.
#[must_use]
pub fn queue(socket: Option<TcpStream>) -> (Inlet, Outlet) {
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
        let is_straight = waiting.straight && !waiting.bare;
        match waiting.line(batch.room).filter(|passed| is_straight && **passed < batch.first) {
            Some(passed) => {
                *passed = batch.last;
                self.0.write_straight(&mut waiting, &batch.joined);
            }
            None => batch.deliveries.iter().for_each(|delivery| self.0.put(&mut waiting, delivery)),
        }
    }

    /// Notes what became of one of the connection's own changes. What is new in a room that it follows, it
    /// hears there.
    pub fn settle(&self, outcome: Outcome) {
        let mut waiting = self.0.waiting();
        let was_at_limit = waiting.under_way >= limits::CHANGES_IN_FLIGHT;
        waiting.under_way = waiting.under_way.saturating_sub(1);
        let is_heard = outcome.is_change() && waiting.line(outcome.room).is_some();
        if !is_heard {
            waiting.later.get_or_insert_default().outcomes.push(outcome);
            waiting.straight = false;
        }
        if !is_heard || was_at_limit {
            self.0.rung.notify_one();
        }
    }

    /// Has the connection closed; the first reason counts.
    pub fn close(&self, why: Closing) {
        self.0.waiting().closing.get_or_insert(why);
        self.0.rung.notify_one();
    }
}

impl Outlet {
    /// The end where frames are put in.
    #[must_use]
    pub fn inlet(&self) -> Inlet {
        Inlet(self.0.clone())
    }

    /// Waits until there is something to look at. Nothing is lost when the wait is given up.
    pub async fn rung(&self) {
        self.0.rung.notified().await;
    }

    /// Why the connection is to be closed, if it is.
    #[must_use]
    pub fn closing(&self) -> Option<Closing> {
        self.0.waiting().closing
    }

    /// Takes what waits: with more than `most` deliveries those alone, and the rest stays.
    #[must_use]
    pub fn take(&self, most: usize) -> Option<Box<Taken>> {
        let mut waiting = self.0.waiting();
        let Some(later) = waiting.later.as_mut().filter(|later| later.deliveries.len() > most) else {
            return waiting.later.take();
        };
        let deliveries: VecDeque<_> = later.deliveries.drain(..most).collect();
        later.bytes -= deliveries.iter().map(Delivery::bytes).sum::<usize>();
        Some(Box::new(Taken { deliveries, ..Taken::default() }))
    }

    /// Whether the connection may ask for one more change; once it may not, it is rung when it may.
    #[must_use]
    pub fn may_ask(&self) -> bool {
        self.0.waiting().under_way < limits::CHANGES_IN_FLIGHT
    }

    /// The connection is about to ask for a change, whose outcome comes by [`Inlet::settle`].
    pub fn ask(&self) {
        self.0.waiting().under_way += 1;
    }

    /// The connection could not ask after all.
    pub fn give_up_asking(&self) {
        self.0.waiting().under_way -= 1;
    }

    /// Begins to follow a room, or notes that everything up to `number` was passed on or need not be.
    pub fn follow(&self, room: RoomId, number: Seq) {
        let mut waiting = self.0.waiting();
        match waiting.line(room) {
            Some(passed) => *passed = number,
            None => waiting.lines.push((room, number)),
        }
    }

    /// Follows a room no longer.
    pub fn unfollow(&self, room: RoomId) {
        self.0.waiting().lines.retain(|(id, _)| *id != room);
    }

    /// The number up to which everything of a room was passed on.
    #[must_use]
    pub fn passed(&self, room: RoomId) -> Seq {
        self.0.waiting().line(room).map_or(0, |passed| *passed)
    }

    /// Whether a delivery from the queue is to be passed on; from now on it was.
    #[must_use]
    pub fn passes(&self, delivery: &Delivery) -> bool {
        self.0.waiting().passes(delivery)
    }

    /// Bare text instead of frames, or no longer.
    pub fn take_bare(&self, bare: bool) {
        self.0.waiting().bare = bare;
    }

    /// From here on frames are written straight to the socket, if nothing waits. The caller has nothing to
    /// write; when it has, [`Outlet::hold`] or [`Outlet::write`] ends it.
    pub fn go_straight(&self) {
        let mut waiting = self.0.waiting();
        waiting.straight = waiting.later.is_none() && waiting.rest.is_empty() && self.0.socket.is_some();
    }

    /// From here on frames wait in the queue.
    pub fn hold(&self) {
        self.0.waiting().straight = false;
    }

    /// Whether the socket has not taken all of what was written.
    #[must_use]
    pub fn has_rest(&self) -> bool {
        !self.0.waiting().rest.is_empty()
    }

    /// Writes frames of the connection itself, behind everything that was written before; from here on frames
    /// wait. What the socket does not take is the rest then.
    pub fn write(&self, frames: &Bytes) {
        let mut waiting = self.0.waiting();
        waiting.straight = false;
        if waiting.rest.is_empty() {
            self.0.write_straight(&mut waiting, frames);
        } else {
            waiting.rest = [&waiting.rest[..], frames].concat().into();
        }
    }

    /// Waits until the socket has everything that was written.
    ///
    /// # Errors
    /// Those of send(2).
    pub async fn flush(&self) -> io::Result<()> {
        std::future::poll_fn(|context| self.poll_flush(context)).await
    }

    fn poll_flush(&self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket = self.0.socket()?;
        while self.has_rest() {
            // tokio waits only for what it saw refused.
            let written = socket.try_io(Interest::WRITABLE, || self.0.write_rest(&mut self.0.waiting()));
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(socket.poll_write_ready(context))?,
                outcome => outcome?,
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what the peer said: how many bytes; 0 at the end.
    ///
    /// # Errors
    /// Those of recv(2).
    pub fn poll_read(&self, context: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let socket = self.0.socket()?;
        let mut read = None;
        while read.is_none() {
            ready!(socket.poll_read_ready(context))?;
            let outcome = socket.try_io(Interest::READABLE, || {
                let (count, _) = rustix::net::recv(socket, &mut *into, RecvFlags::DONTWAIT)?;
                read = Some(count);
                // It had less than it was asked for: there is no need to ask again before tokio hears of more.
                if (1..into.len()).contains(&count) { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(()) }
            });
            if let Err(error) =
                outcome.or_else(|error| if error.kind() == io::ErrorKind::WouldBlock { Ok(()) } else { Err(error) })
            {
                return Poll::Ready(Err(error));
            }
        }
        Poll::Ready(Ok(read.unwrap_or(0)))
    }

    /// Tells the peer that nothing follows.
    ///
    /// # Errors
    /// Those of shutdown(2).
    pub fn shutdown(&self) -> io::Result<()> {
        Ok(rustix::net::shutdown(self.0.socket()?, Shutdown::Write)?)
    }
}

#[cfg(test)]
mod tests {
    use super::{delivery::tests::change, *};
    use crate::{
        domain::Error,
        server::{frames, hub::Closing},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
    };

    fn batch(deliveries: impl Iterator<Item = Delivery>) -> Batch {
        let mut batches = Batch::of(deliveries);
        assert_eq!(batches.len(), 1);
        batches.remove(0)
    }

    /// The numbers of what waits, and what was missed.
    fn waiting(outlet: &Outlet) -> (Vec<Seq>, Option<Missed>) {
        let taken = outlet.take(usize::MAX).map(|taken| *taken).unwrap_or_default();
        let numbers = taken.deliveries.iter().filter_map(|delivery| delivery.number).map(|(_, number)| number);
        (numbers.collect(), taken.missed)
    }

    #[test]
    fn frames_come_out_in_order() {
        let (inlet, outlet) = queue(None);
        let room = RoomId::new();
        inlet.put(&change(room, 1, 1));
        inlet.put_all(&batch((2..=5).map(|n| change(room, n, 1))));
        assert_eq!(outlet.take(2).map(|taken| taken.deliveries.len()), Some(2));
        assert_eq!(waiting(&outlet), (vec![3, 4, 5], None));
        assert_eq!(waiting(&outlet), (vec![], None));
    }

    #[test]
    fn whoever_is_too_far_behind_is_told_from_where_in_each_room() {
        for (count, length) in [(limits::FRAMES_QUEUED, 1), (2, limits::FRAMES_QUEUED_BYTES / 3)] {
            let (inlet, outlet) = queue(None);
            let (room, other) = (RoomId::new(), RoomId::new());
            inlet.put(&change(other, 70, length));
            (5..5 + count as Seq).for_each(|n| inlet.put(&change(room, n, length)));
            inlet.put(&change(room, 9_999, length));
            assert_eq!(waiting(&outlet), (vec![], Some(HashMap::from([(room, 5), (other, 70)]))));
            inlet.put(&change(room, 10_000, 1));
            assert_eq!(waiting(&outlet), (vec![10_000], None), "and then it goes on");
        }
    }

    /// A quiet connection that has followed a room up to number 0, and its peer.
    async fn straight(room: RoomId) -> (Inlet, Outlet, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
        let peer = TcpStream::connect(listener.local_addr().expect("an address")).await.expect("a connection");
        let (socket, _) = listener.accept().await.expect("a connection");
        let (inlet, outlet) = queue(Some(socket));
        outlet.follow(room, 0);
        outlet.go_straight();
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
        let some = batch((2..=4).map(|n| change(room, n, 5)));
        inlet.put(&change(room, 1, 1));
        inlet.put(&change(other, 1, 1));
        inlet.put(&Delivery { bare: true, ..change(room, 2, 1) });
        inlet.put_all(&some);
        inlet.put_all(&some);
        inlet.put(&change(room, 5, 2));
        outlet.hold();
        inlet.put(&change(room, 6, 1));
        assert_eq!(read(&mut peer, 3 + 3 * 7 + 4).await, b"\x81\x01x\x81\x05xxxxx\x81\x05xxxxx\x81\x05xxxxx\x81\x02xx");
        assert_eq!(outlet.passed(room), 5);
        assert_eq!(waiting(&outlet), (vec![6], None));
        assert!(outlet.passes(&change(room, 6, 1)) && !outlet.passes(&change(room, 6, 1)));
        outlet.unfollow(room);
        assert!(!outlet.passes(&change(room, 7, 1)));
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
        outlet.go_straight();
        inlet.put(&change(room, 1_001, 3));
        assert_eq!(waiting(&outlet), (vec![1_000, 1_001], None), "nothing goes straight while something is left");
        let own = frames::text(b"own");
        outlet.write(&own);
        sent.extend_from_slice(&own);
        let (flushed, got) = tokio::join!(outlet.flush(), read(&mut peer, sent.len()));
        flushed.expect("a socket");
        assert!(got == sent, "every byte in its place");
    }

    #[tokio::test]
    async fn what_the_peer_says_is_read_to_its_end() {
        let (_, outlet, mut peer) = straight(RoomId::new()).await;
        let sent: Vec<u8> = (0..100_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let reading = async {
            let mut all = Vec::new();
            loop {
                let mut buffer = [0; 1_000];
                let count = std::future::poll_fn(|context| outlet.poll_read(context, &mut buffer)).await;
                match count.expect("a socket") {
                    0 => return all,
                    count => all.extend_from_slice(&buffer[..count]),
                }
            }
        };
        let writing = async {
            peer.write_all(&sent).await.expect("a socket");
            peer.shutdown().await.expect("a socket");
        };
        let (got, ()) = tokio::join!(reading, writing);
        assert!(got == sent);
    }

    #[tokio::test]
    async fn outcomes_come_behind_what_was_stored_before_and_open_the_way_again() {
        let room = RoomId::new();
        let (inlet, outlet, _peer) = straight(room).await;
        let refused = || Outcome { room, id: None, result: Err(Error::IdConflict) };
        (0..limits::CHANGES_IN_FLIGHT).for_each(|_| outlet.ask());
        assert!(!outlet.may_ask());
        inlet.settle(refused());
        outlet.rung().await;
        assert!(outlet.may_ask());
        inlet.put(&change(room, 1, 1));
        let taken = outlet.take(usize::MAX).expect("something");
        assert_eq!((taken.deliveries.len(), taken.outcomes.len()), (1, 1), "nothing overtakes a refusal");
    }

    #[tokio::test]
    async fn a_connection_is_closed_for_the_first_reason() {
        let (inlet, outlet) = queue(None);
        [4001, 1012].into_iter().for_each(|code| inlet.close(Closing { code, reason: "" }));
        outlet.rung().await;
        assert_eq!(outlet.closing().map(|why| why.code), Some(4001));
    }
}
