//! What Madang's fan-out costs, beside others doing the same work.

mod chart;
mod fan_out;
pub mod frame;
pub mod idle;
pub mod load;
pub mod pages;
pub mod report;
pub mod server;
pub mod soak;
mod tables;

use server::{Peer, SERVER_CORE};
use std::{path::PathBuf, time::Duration};

const USAGE: &str = "fanout [--rows A,B] [--peers A,B] [--repeats N] [--seconds N] [--chart FILE] [--minutes N]
  rows:  1x200-paced 1x1000-paced 1x200-full 100x50-full 32-talkers growth-rooms growth-connections laggards
         idle-1000 idle-10000 idle-19000 pages start
         soak (only where it is named; 30 minutes, or --minutes)
  peers: floor1 floorN bun bun+sqlite axum ws socket.io (madang runs always, on both stores)
MADANG_BIN names the server.";

/// What is to be run.
#[derive(Debug)]
pub struct Chosen {
    /// `None` is all but the half hour.
    rows: Option<Vec<String>>,
    peers: Vec<Peer>,
    repeats: usize,
    length: Duration,
    minutes: u64,
    /// Where a chart of the rows of fan-out goes.
    chart: Option<PathBuf>,
}

impl Chosen {
    /// From the command line.
    ///
    /// # Errors
    /// What can be chosen.
    pub fn from(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let length = Duration::from_secs(3);
        let mut chosen = Self { rows: None, peers: Peer::ALL.to_vec(), repeats: 3, length, minutes: 30, chart: None };
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(USAGE)?;
            let number = || value.parse::<u32>().map_err(|_| format!("{name} {value}: a number"));
            match name.as_str() {
                "--rows" => chosen.rows = Some(value.split(',').map(str::to_owned).collect()),
                "--peers" => {
                    let is_chosen = |peer: &Peer| value.split(',').any(|name| name == peer.name());
                    chosen.peers.retain(|peer| peer.is_madang() || is_chosen(peer));
                }
                "--repeats" => chosen.repeats = number()?.max(1) as usize,
                "--seconds" => chosen.length = Duration::from_secs(number()?.into()),
                "--minutes" => chosen.minutes = number()?.into(),
                "--chart" => chosen.chart = Some(value.into()),
                _ => return Err(USAGE.into()),
            }
        }
        let known = |row: &String| USAGE.split_whitespace().any(|word| word == row);
        if chosen.rows.as_ref().is_some_and(|rows| !rows.iter().all(known)) { Err(USAGE.into()) } else { Ok(chosen) }
    }

    fn wants(&self, row: &str) -> bool {
        self.rows.as_ref().map_or(row != "soak", |rows| rows.iter().any(|name| name == row))
    }
}

/// Runs what is chosen, and prints it.
///
/// # Errors
/// What went wrong, a delivery that did not arrive among it.
pub fn run(chosen: &Chosen) -> Result<(), String> {
    stay_off_the_servers_core()?;
    let scratch = std::env::var_os("CARGO_TARGET_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    fan_out::run(chosen, &scratch)?;
    tables::growth(chosen, &scratch)?;
    if chosen.wants("laggards") {
        tables::laggards(chosen, &scratch)?;
    }
    tables::idle(chosen, &scratch)?;
    if chosen.wants("pages") {
        tables::pages(chosen, &scratch)?;
    }
    if chosen.wants("start") {
        tables::start(&scratch)?;
    }
    if chosen.wants("soak") {
        tables::soak(chosen.minutes, &scratch)?;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\n{} repeats of {:?}; load {}", chosen.repeats, chosen.length, load.trim());
    Ok(())
}

fn stay_off_the_servers_core() -> Result<(), String> {
    let mut cores = rustix::thread::sched_getaffinity(None).map_err(|error| error.to_string())?;
    cores.unset(SERVER_CORE);
    if cores.count() == 0 {
        return Err("the load generator needs a core beside the server's".into());
    }
    rustix::thread::sched_setaffinity(None, &cores).map_err(|error| error.to_string())
}
