//! What a connection costs that does nothing: the server's own memory, and its CPU time.

use crate::server::Server;
use std::{net::TcpStream, time::Duration};

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
    let mut open: Vec<TcpStream> = Vec::with_capacity(count + BEFORE);
    let mut room = String::new();
    let mut more = |open: &mut Vec<TcpStream>, count: usize| {
        for n in open.len()..open.len() + count {
            if n % IN_A_ROOM == 0 {
                room = server.new_room(&format!("room {n}"))?;
            }
            open.push(if entered { server.enter(&room, &format!("member {n}"))? } else { server.open()? });
        }
        Ok::<_, String>(())
    };
    more(&mut open, BEFORE)?;
    let before = server.memory()?;
    more(&mut open, count)?;
    let (after, cpu) = (server.memory()?, server.cpu()?);
    std::thread::sleep(WATCHED);
    // A thread that ended took its time along.
    let cpu = server.cpu()?.saturating_sub(cpu);
    #[allow(clippy::cast_precision_loss)]
    let outcome = Outcome {
        bytes: after.saturating_sub(before) as f64 / count as f64,
        cpu_us: cpu.as_secs_f64() * 1e6 / open.len() as f64 / WATCHED.as_secs_f64(),
    };
    Ok(outcome)
}
