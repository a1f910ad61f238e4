//! Drives a session over a socket: it reads and writes at the same time, so that a peer that does not
//! read can still be heard, and stops reading from a peer that has too much under way.

use super::{Arrival, End, Opened, Session};
use crate::{
    domain::limits,
    protocol::close,
    server::{
        chat::Chat,
        hub::{Closing, Mailbox},
        mailbox::{Delivery, Missed},
    },
};
use futures_util::{Sink, SinkExt, Stream, StreamExt, future::poll_fn};
use tokio::time::{Instant, Interval, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Bytes, Message};

/// Frames taken from the queue, or waiting for the socket, in one go.
pub(super) const FRAMES_AT_ONCE: usize = 64;

/// What a ping behind a part of a replay carries, and its answer.
const ARRIVED: &[u8] = b"replayed";

/// When something last went well, and what is due.
struct Pulse {
    ping: Interval,
    ping_due: bool,
    /// Something is in the socket's buffer.
    unflushed: bool,
    /// When the peer was last heard.
    heard: Instant,
    /// When the peer last took something, or there was nothing to take.
    progress: Instant,
}

impl Pulse {
    fn start() -> Self {
        let now = Instant::now();
        Self { ping: interval(limits::PING_EVERY), ping_due: false, unflushed: false, heard: now, progress: now }
    }
}

/// Runs a connection until it ends; `socket` is left to be closed by the caller. It carries what the peer says and
/// the control frames; text goes out by the mailbox, which may write to the same socket.
pub async fn run<S>(chat: Chat, opened: Opened, mailbox: Mailbox, socket: &mut S) -> End
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Sink<Message, Error = tungstenite::Error> + Unpin,
{
    let mut session = Session::new(chat, opened, mailbox);
    let end = pump(&mut session, socket).await;
    session.depart(&end);
    end
}

async fn pump<S>(session: &mut Session, socket: &mut S) -> End
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Sink<Message, Error = tungstenite::Error> + Unpin,
{
    let (mut sink, mut stream) = socket.split();
    let mut pulse = Pulse::start();
    let mut batch = Vec::new();
    loop {
        let writing = !session.outbox.texts.is_empty() || pulse.ping_due || session.arrival == Arrival::ToAsk;
        pulse.unflushed |= session.mailbox.deliveries.has_rest();
        let idle = !writing && !pulse.unflushed;
        if idle {
            pulse.progress = Instant::now();
            if !session.is_replaying() {
                session.go_straight();
            }
        }
        let may_replay = idle && session.arrival == Arrival::Known;
        if may_replay && session.rest_until <= pulse.progress && Box::pin(session.replay()).await {
            continue;
        }
        // A peer with too much under way is not read; that it is silent then says nothing.
        let reading = session.changes.len() < limits::CHANGES_IN_FLIGHT && !session.outbox.is_full();
        if !reading {
            pulse.heard = Instant::now();
        }
        tokio::select! {
            _ = session.mailbox.closing.changed() => return Box::pin(close_as_told(session, &mut sink)).await,
            written = poll_fn(|context| sink.poll_flush_unpin(context)), if writing || pulse.unflushed => {
                pulse.progress = Instant::now();
                pulse.unflushed = writing;
                if written.is_err() || (writing && write_next(session, &mut pulse, &mut sink).is_err()) {
                    return End::Lost;
                }
            }
            Some(outcome) = session.changes.next(), if !session.changes.is_empty() => {
                // Everything that was stored before is in the queue already, and is said first.
                let missed = session.mailbox.deliveries.try_take(usize::MAX, &mut batch);
                take_from_queue(session, &mut batch, missed).await;
                session.learn(outcome);
            }
            missed = session.mailbox.deliveries.take(FRAMES_AT_ONCE, &mut batch), if !session.outbox.is_full() => {
                take_from_queue(session, &mut batch, missed).await;
            }
            incoming = stream.next(), if reading => {
                pulse.heard = Instant::now();
                // tungstenite answers by itself, and may not be done with it.
                pulse.unflushed |= matches!(incoming, Some(Ok(Message::Ping(_))));
                if let Some(end) = take_in(session, incoming).await {
                    return end;
                }
            }
            _ = pulse.ping.tick() => pulse.ping_due = true,
            () = sleep_until(session.rest_until), if may_replay && session.is_replaying() => {}
            () = sleep_until(pulse.heard + limits::DEAD_AFTER) => return End::Lost,
            () = sleep_until(pulse.progress + limits::STALLED_AFTER) => {
                return End::Ours(Closing { code: close::TOO_SLOW, reason: "no progress in reading" });
            }
        }
    }
}

async fn take_from_queue(session: &mut Session, batch: &mut Vec<Delivery>, missed: Option<Missed>) {
    batch.drain(..).for_each(|delivery| session.hear(delivery));
    if let Some(missed) = missed {
        Box::pin(session.catch_up(missed)).await;
    }
}

/// Writes what is next, after everything before it was flushed.
fn write_next(
    session: &mut Session,
    pulse: &mut Pulse,
    sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
) -> Result<(), tungstenite::Error> {
    // A ping goes first: behind everything that a slow reader has to take, its answer would come too late.
    if std::mem::take(&mut pulse.ping_due) {
        return sink.start_send_unpin(Message::Ping(Default::default()));
    }
    let frames = session.outbox.frames();
    if frames.is_empty() {
        session.arrival = Arrival::Asked;
        return sink.start_send_unpin(Message::Ping(Bytes::from_static(ARRIVED)));
    }
    session.mailbox.deliveries.write(frames);
    Ok(())
}

async fn take_in(session: &mut Session, incoming: Option<Result<Message, tungstenite::Error>>) -> Option<End> {
    match incoming {
        None => return Some(End::Lost),
        Some(Err(error)) => return Some(end_of(&error)),
        Some(Ok(Message::Text(text))) => session.receive(&text).await,
        Some(Ok(Message::Binary(_))) => {
            return Some(End::Ours(Closing { code: close::BINARY, reason: "text frames only" }));
        }
        Some(Ok(Message::Close(frame))) => return Some(End::Peer(frame.map(|frame| frame.code.into()))),
        Some(Ok(Message::Pong(answer))) if answer == ARRIVED => session.arrival = Arrival::Known,
        Some(Ok(_)) => {}
    }
    let is_flooding = session.refusals >= limits::REFUSALS_BEFORE_CLOSE;
    is_flooding.then_some(End::Ours(Closing { code: close::FLOODING, reason: "kept flooding" }))
}

async fn close_as_told(
    session: &mut Session,
    sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
) -> End {
    let why = *session.mailbox.closing.borrow();
    if why.is_some_and(|why| why.code == close::RESTART) {
        // What was said before, RESTART among it, still goes out if the peer takes it.
        let _ = timeout(limits::LINGER, write_all(session, sink)).await;
    }
    why.map_or(End::Lost, End::Ours)
}

/// Writes everything that waits.
async fn write_all(
    session: &mut Session,
    sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
) -> Result<(), tungstenite::Error> {
    let mut rest = Vec::new();
    let _ = session.mailbox.deliveries.try_take(usize::MAX, &mut rest);
    rest.into_iter().for_each(|delivery| session.hear(delivery));
    loop {
        sink.flush().await?;
        let frames = session.outbox.frames();
        if frames.is_empty() {
            return Ok(());
        }
        session.mailbox.deliveries.write(frames);
    }
}

fn end_of(error: &tungstenite::Error) -> End {
    let (code, reason) = match error {
        tungstenite::Error::Capacity(_) => (close::TOO_BIG, "message over 64 KiB"),
        tungstenite::Error::Utf8(_) => (close::NOT_UTF8, "text must be UTF-8"),
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            return End::Lost;
        }
        tungstenite::Error::Protocol(_) => (close::PROTOCOL, "not as RFC 6455 has it"),
        _ => return End::Lost,
    };
    End::Ours(Closing { code, reason })
}
