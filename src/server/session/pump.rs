//! Drives a session over its socket: it reads and writes at the same time, so that a peer that does not
//! read can still be heard, and stops reading from a peer that has too much under way.

use super::{Arrival, End, Session, outbox::FRAMES_AT_ONCE};
use crate::{
    domain::limits,
    protocol::close,
    server::{
        frames::{self, Decoder, Incoming, Violation},
        hub::Closing,
        mailbox::Outlet,
    },
};
use bytes::{Buf, Bytes};
use futures_util::future::BoxFuture;
use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    task::{Context, Poll, ready},
};
use tokio::{
    pin,
    time::{Instant, sleep_until, timeout},
};

/// Bytes read from the kernel at a time.
pub const READ_AT_ONCE: usize = 16 * 1024;
/// What a ping behind a part of a replay carries, and its answer.
const ARRIVED: &[u8] = b"replayed";

thread_local! {
    /// What was just read: an idle connection has no buffer of its own.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_AT_ONCE].into());
}

/// What the peer says, taken apart.
#[derive(Debug)]
pub struct Ear {
    decoder: Decoder,
    /// Read, and not taken apart yet.
    ahead: Bytes,
}

/// Why there is no more to hear.
#[derive(Debug)]
pub enum Deaf {
    /// The line is gone.
    Lost,
    /// The peer is not understood.
    Confused(Violation),
}

impl From<io::Error> for Deaf {
    fn from(_: io::Error) -> Self {
        Self::Lost
    }
}

impl Ear {
    /// For messages of at most `most` bytes; `ahead` was read before.
    #[must_use]
    pub fn new(most: usize, ahead: Bytes) -> Self {
        Self { decoder: Decoder::new(most), ahead }
    }

    /// Waits for the next message. Nothing is lost when the wait is given up.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn hear(&mut self, outlet: &Outlet) -> Result<Incoming, Deaf> {
        poll_fn(|context| self.poll(context, outlet)).await
    }

    fn poll(&mut self, context: &mut Context<'_>, outlet: &Outlet) -> Poll<Result<Incoming, Deaf>> {
        if !self.ahead.is_empty() {
            let mut rest = &self.ahead[..];
            let incoming = self.decoder.take(&mut rest).map_err(Deaf::Confused)?;
            let taken = self.ahead.len() - rest.len();
            self.ahead.advance(taken);
            if let Some(incoming) = incoming {
                return Poll::Ready(Ok(incoming));
            }
        }
        self.ahead = Bytes::new();
        BUFFER.with_borrow_mut(|buffer| {
            loop {
                let count = ready!(outlet.poll_read(context, buffer))?;
                if count == 0 {
                    return Poll::Ready(Err(Deaf::Lost));
                }
                let mut rest = &buffer[..count];
                if let Some(incoming) = self.decoder.take(&mut rest).map_err(Deaf::Confused)? {
                    self.ahead = Bytes::copy_from_slice(rest);
                    return Poll::Ready(Ok(incoming));
                }
            }
        })
    }
}

/// When something last went well, and what is due.
struct Pulse {
    ping_at: Instant,
    /// When the peer was last heard.
    heard: Instant,
    /// When the peer last took something, or there was nothing to take.
    progress: Instant,
}

impl Pulse {
    fn start() -> Self {
        let now = Instant::now();
        Self { ping_at: now, heard: now, progress: now }
    }

    /// When to look again. Until then a life sign moves no timer.
    fn look_at(&self) -> Instant {
        self.ping_at.min(self.heard + limits::DEAD_AFTER).min(self.progress + limits::STALLED_AFTER)
    }
}

impl Session {
    /// Runs it until it ends; the socket is left to be closed by the caller.
    pub async fn run(mut self: Box<Self>) -> (End, Outlet) {
        let end = pump(&mut self).await;
        self.depart(&end);
        (end, self.mailbox.outlet)
    }
}

async fn pump(session: &mut Session) -> End {
    let mut pulse = Pulse::start();
    let timer = sleep_until(pulse.look_at());
    pin!(timer);
    let mut was_idle = true;
    loop {
        if session.mailbox.outlet.closing().is_some() {
            return Box::pin(close_as_told(session)).await;
        }
        if !session.outbox.is_full()
            && let Some(taken) = session.mailbox.outlet.take(FRAMES_AT_ONCE)
        {
            session.take_in(*taken).await;
            continue;
        }
        let has_rest = session.mailbox.outlet.has_rest();
        if !has_rest && write_next(session) {
            pulse.progress = Instant::now();
            continue;
        }
        let is_idle = !has_rest && session.outbox.is_empty();
        let may_replay = is_idle && session.arrival == Arrival::Known && session.is_replaying();
        if may_replay && session.rest_until <= Instant::now() {
            Box::pin(session.replay()).await;
            continue;
        }
        if is_idle && !session.is_replaying() {
            session.mailbox.outlet.go_straight();
        }
        if was_idle && !is_idle {
            pulse.progress = Instant::now();
        }
        was_idle = is_idle;
        // A peer with too much under way is not read; that it is silent then says nothing.
        let reading = session.mailbox.outlet.may_ask() && !session.outbox.is_full();
        if !reading {
            pulse.heard = Instant::now();
        }
        tokio::select! {
            () = session.mailbox.outlet.rung() => {}
            flushed = session.mailbox.outlet.flush(), if has_rest => {
                pulse.progress = Instant::now();
                if flushed.is_err() {
                    return End::Lost;
                }
            }
            heard = session.ear.hear(&session.mailbox.outlet), if reading => {
                pulse.heard = Instant::now();
                match understand(session, heard) {
                    Ok(Some(work)) => work.await,
                    Ok(None) => {}
                    Err(end) => return end,
                }
                if session.refusals >= limits::REFUSALS_BEFORE_CLOSE {
                    return End::Ours(Closing { code: close::FLOODING, reason: "kept flooding" });
                }
            }
            () = rest_until(session.rest_until), if may_replay => {}
            () = timer.as_mut() => {
                let now = Instant::now();
                if now >= pulse.heard + limits::DEAD_AFTER {
                    return End::Lost;
                }
                if was_idle {
                    pulse.progress = now;
                }
                if now >= pulse.progress + limits::STALLED_AFTER {
                    return End::Ours(Closing { code: close::TOO_SLOW, reason: "no progress in reading" });
                }
                if now >= pulse.ping_at {
                    pulse.ping_at = now + limits::PING_EVERY;
                    session.outbox.push_first(frames::ping(b""));
                }
                timer.as_mut().reset(pulse.look_at());
            }
        }
    }
}

/// Boxed, since it is rare.
async fn rest_until(end: Instant) {
    Box::pin(sleep_until(end)).await;
}

/// Writes what is next, if anything is, after everything before it was taken.
fn write_next(session: &mut Session) -> bool {
    let next = session.outbox.take().or_else(|| {
        let asks = session.arrival == Arrival::ToAsk;
        asks.then(|| {
            session.arrival = Arrival::Asked;
            frames::ping(ARRIVED)
        })
    });
    next.map(|frames| session.mailbox.outlet.write(&frames)).is_some()
}

/// What there is to do about what was heard; or the end.
fn understand(session: &mut Session, heard: Result<Incoming, Deaf>) -> Result<Option<BoxFuture<'_, ()>>, End> {
    match heard {
        Ok(Incoming::Text(text)) => return Ok(session.receive(text)),
        Ok(Incoming::Binary(_)) => {
            return Err(End::Ours(Closing { code: close::BINARY, reason: "text frames only" }));
        }
        Ok(Incoming::Ping(payload)) => session.outbox.push_first(frames::pong(&payload)),
        Ok(Incoming::Pong(payload)) => {
            if payload == ARRIVED {
                session.arrival = Arrival::Known;
            }
        }
        Ok(Incoming::Close(code)) => return Err(End::Peer(code)),
        Err(Deaf::Lost) => return Err(End::Lost),
        Err(Deaf::Confused(violation)) => return Err(End::Ours(why(violation))),
    }
    Ok(None)
}

fn why(violation: Violation) -> Closing {
    let (code, reason) = match violation {
        Violation::TooBig => (close::TOO_BIG, "message over 64 KiB"),
        Violation::NotUtf8 => (close::NOT_UTF8, "text must be UTF-8"),
        Violation::Protocol => (close::PROTOCOL, "not as RFC 6455 has it"),
    };
    Closing { code, reason }
}

async fn close_as_told(session: &mut Session) -> End {
    let Some(why) = session.mailbox.outlet.closing() else { return End::Lost };
    if why.code == close::RESTART {
        // What was said before, RESTART among it, still goes out if the peer takes it.
        let _ = timeout(limits::LINGER, write_all(session)).await;
    }
    End::Ours(why)
}

/// Writes everything that waits.
async fn write_all(session: &mut Session) -> io::Result<()> {
    if let Some(mut taken) = session.mailbox.outlet.take(usize::MAX) {
        // What was missed is for whoever comes back.
        taken.missed = None;
        session.take_in(*taken).await;
    }
    loop {
        session.mailbox.outlet.flush().await?;
        let Some(frames) = session.outbox.take() else { return Ok(()) };
        session.mailbox.outlet.write(&frames);
    }
}
