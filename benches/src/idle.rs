//! What a connection costs that does nothing: the server's own memory, and its CPU time.

use crate::{
    load::{Load, Pace, Work},
    server::Server,
};
use std::time::Duration;

/// How long the server is watched while nothing is said.
const WATCHED: Duration = Duration::from_secs(3);
/// What these leave behind is not counted: the first connections fill caches and pools.
const BEFORE: usize = 100;
/// Members of a room.
const IN_A_ROOM: usize = 50;

/// What a run gave.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// Bytes of the server's own memory per connection.
    pub bytes: f64,
    /// CPU time per connection and second, in microseconds.
    pub cpu_us: f64,
}

/// Opens `count` connections, each of which enters a room if `entered`, and looks what they cost.
///
/// # Errors
/// What went wrong.
pub fn run(server: &Server, count: usize, entered: bool) -> Result<Outcome, String> {
    let work = Work { rooms: 0, members: IN_A_ROOM, talkers: 1, pace: Pace::PerSecond(0), laggards: false };
    let mut load = Load::new(server, work)?;
    load.fill(server, BEFORE / IN_A_ROOM, entered)?;
    let before = server.memory()?;
    load.fill(server, count / IN_A_ROOM, entered)?;
    let (after, cpu) = (server.memory()?, server.cpu()?);
    load.listen_for(WATCHED)?;
    // A thread that ended took its time along.
    let cpu = server.cpu()?.saturating_sub(cpu);
    #[allow(clippy::cast_precision_loss)]
    let outcome = Outcome {
        bytes: after.saturating_sub(before) as f64 / count as f64,
        cpu_us: cpu.as_secs_f64() * 1e6 / (BEFORE + count) as f64 / WATCHED.as_secs_f64(),
    };
    Ok(outcome)
}
