//! What a page costs: those of the list of rooms, and of a room with a page of messages, rendered on the server.

use crate::{
    load::{self, Pace, Work},
    server::Server,
};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// Who load pages at the same time.
const VISITORS: usize = 2;
/// As many as a page of history has.
const MESSAGES: u64 = 50;

/// What a run gave.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Pages per second.
    pub per_second: f64,
    /// The server's CPU time per page, in microseconds.
    pub cpu_us: f64,
    /// Bytes of a page, headers included.
    pub bytes: usize,
}

/// A room with a page of messages.
///
/// # Errors
/// What went wrong.
pub fn room(server: &Server) -> Result<String, String> {
    let room = server.new_room("room 0")?;
    let mut member = server.enter(&room, "mina")?;
    for number in 1..=MESSAGES {
        server.talk(&mut member, &room, number)?;
    }
    Ok(room)
}

/// Loads the page at `path`, in an encoding, for about `length`, again and again.
///
/// # Errors
/// What went wrong, an answer other than 200 among it.
pub fn run(server: &Server, path: &str, encoding: &str, length: Duration) -> Result<Outcome, String> {
    let bytes = server.get(path, encoding)?.len();
    let (cpu, begun) = (server.cpu()?, Instant::now());
    let end = begun + length;
    let loaded = thread::scope(|scope| {
        let visitor = || -> Result<u64, String> {
            let mut loaded = 0;
            while Instant::now() < end {
                server.get(path, encoding)?;
                loaded += 1;
            }
            Ok(loaded)
        };
        let visitors: Vec<_> = (0..VISITORS).map(|_| scope.spawn(visitor)).collect();
        visitors.into_iter().map(|visitor| visitor.join().expect("no panic")).sum::<Result<u64, String>>()
    })?;
    let (cpu, took) = (server.cpu()? - cpu, begun.elapsed());
    #[allow(clippy::cast_precision_loss)]
    let outcome = Outcome {
        per_second: loaded as f64 / took.as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6 / loaded as f64,
        bytes,
    };
    Ok(outcome)
}

/// A paced room, while pages are loaded at `per_second` beside it; without any where that is 0.
///
/// # Errors
/// What went wrong.
pub fn beside(server: &Server, per_second: u32, length: Duration) -> Result<load::Outcome, String> {
    let path = format!("/rooms/{}", room(server)?);
    let (over, loaded) = (AtomicBool::new(false), AtomicU64::new(0));
    let work = Work { rooms: 1, members: 200, talkers: 1, pace: Pace::PerSecond(50), laggards: false };
    thread::scope(|scope| {
        let visitor = scope.spawn(|| -> Result<(), String> {
            let begun = Instant::now();
            while !over.load(Ordering::Relaxed) {
                let due = begun.elapsed().as_secs_f64() * f64::from(per_second);
                #[allow(clippy::cast_precision_loss)]
                if due > loaded.load(Ordering::Relaxed) as f64 {
                    server.get(&path, "br")?;
                    loaded.fetch_add(1, Ordering::Relaxed);
                } else {
                    thread::sleep(Duration::from_millis(1));
                }
            }
            Ok(())
        });
        let outcome = load::run(server, work, length);
        over.store(true, Ordering::Relaxed);
        visitor.join().expect("no panic")?;
        outcome
    })
}
