//! The tables beside the one of fan-out: what grows, who lags, who idles, pages, the start, and half an hour of all.

use crate::{
    Chosen, idle,
    load::{self, Outcome, Pace, Work},
    pages,
    report::Ratios,
    server::{Peer, Server},
    soak,
};
use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// The last is near the descriptor limit of most machines.
pub(crate) const IDLE: &[usize] = &[1_000, 10_000, 19_000];

/// Work that grows with its rooms, or with its connections, while what is said stays the same.
pub(crate) type Growth = (&'static str, fn(usize) -> Work);

pub(crate) const GROWTH: &[Growth] = &[
    ("rooms", |rooms| Work { rooms, members: 1, talkers: 1, pace: Pace::PerSecond(4_000), laggards: false }),
    ("connections", |all| Work {
        rooms: all / 10,
        members: 10,
        talkers: 10,
        pace: Pace::PerSecond(2_000),
        laggards: false,
    }),
];

/// Rooms and messages of a database that has been in use for long.
const OLD: [usize; 2] = [100_000, 1_000_000];

/// What a delivery costs among 10, 100, 1,000 and 10,000: its cost among ten is 1.
pub(crate) fn growth(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    let growth: Vec<_> = GROWTH.iter().filter(|(name, _)| chosen.wants(&format!("growth-{name}"))).collect();
    if growth.is_empty() {
        return Ok(());
    }
    println!("\n| growth | server | 10 | 100 | 1,000 | 10,000 |\n|---|---|---|---|---|---|");
    for (name, work) in growth {
        for peer in [Peer::Memory, Peer::Madang, Peer::Bun].into_iter().filter(|peer| chosen.peers.contains(peer)) {
            let mut costs: [Vec<f64>; 4] = Default::default();
            for _ in 0..chosen.repeats {
                for (count, costs) in [10, 100, 1_000, 10_000].into_iter().zip(&mut costs) {
                    let server = Server::start(peer, scratch)?;
                    let outcome = load::run(&server, work(count), chosen.length)?;
                    eprintln!("{name} {count} {}: {:.2} µs", peer.name(), outcome.cpu_us);
                    costs.push(outcome.cpu_us);
                }
            }
            let of_ten =
                |all: &Vec<f64>| Ratios::new(all.iter().zip(&costs[0]).map(|(cost, ten)| cost / ten).collect());
            let cells: Vec<String> = costs.iter().map(|all| of_ten(all).text()).collect();
            println!("| {name} | {} | {} |", peer.name(), cells.join(" | "));
        }
    }
    Ok(())
}

/// The ratios of pairs of runs.
fn ratio(with: &[Outcome], without: &[Outcome], number: fn(&Outcome) -> f64) -> String {
    Ratios::new(with.iter().zip(without).map(|(with, without)| number(with) / number(without)).collect()).text()
}

/// What two members who do not keep up cost the others: CPU per delivery and p99 with them to without, in pairs.
pub(crate) fn laggards(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    println!("\n| one never reads, one reads 1 Mbit/s | CPU per delivery | deliveries/s | p99 |\n|---|---|---|---|");
    for peer in [Peer::Memory, Peer::Madang] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..chosen.repeats {
            for (laggards, outcomes) in [(false, &mut without), (true, &mut with)] {
                let work = Work { rooms: 1, members: 200, talkers: 200, pace: Pace::UnderWay(200), laggards };
                outcomes.push(load::run(&Server::start(peer, scratch)?, work, chosen.length)?);
            }
        }
        println!(
            "| {} | {} | {} | {} |",
            peer.name(),
            ratio(&with, &without, |o| o.cpu_us),
            ratio(&with, &without, |o| o.per_second),
            ratio(&with, &without, |o| o.p99_ms)
        );
    }
    Ok(())
}

/// What connections cost that do nothing. Numbers of memory do not depend on the machine's mood: once is enough.
pub(crate) fn idle(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    let counts: Vec<_> = IDLE.iter().filter(|count| chosen.wants(&format!("idle-{count}"))).collect();
    if counts.is_empty() {
        return Ok(());
    }
    println!("\n| idle connections | server | bytes each, in a room | bytes each, nowhere | CPU each, µs/s |");
    println!("|---|---|---|---|---|");
    for count in counts {
        for peer in &chosen.peers {
            if matches!(peer, Peer::Memory | Peer::Floor1 | Peer::BunSqlite) {
                continue;
            }
            let entered = idle::run(&Server::start(*peer, scratch)?, *count, true)?;
            let nowhere = idle::run(&Server::start(*peer, scratch)?, *count, false)?;
            println!(
                "| {count} | {} | {:.0} | {:.0} | {:.1} |",
                peer.name(),
                entered.bytes,
                nowhere.bytes,
                entered.cpu_us
            );
        }
    }
    Ok(())
}

/// What pages cost, and whether sockets wait for them: what is said is paced, and 50 pages a second are loaded beside.
pub(crate) fn pages(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    println!("\n| page | encoding | pages/s on one core | CPU each, ms | KB |\n|---|---|---|---|---|");
    let server = Server::start(Peer::Madang, scratch)?;
    let room = format!("/rooms/{}", pages::room(&server)?);
    for (name, path) in [("the list of rooms", "/"), ("a room with 50 messages", room.as_str())] {
        for encoding in ["identity", "gzip", "br"] {
            let pages::Outcome { per_second, cpu_us, bytes } = pages::run(&server, path, encoding, chosen.length)?;
            println!("| {name} | {encoding} | {per_second:.0} | {:.2} | {:.1} |", cpu_us / 1e3, bytes as f64 / 1e3);
        }
    }
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..chosen.repeats {
        for (per_second, outcomes) in [(0, &mut without), (50, &mut with)] {
            outcomes.push(pages::beside(&Server::start(Peer::Madang, scratch)?, per_second, chosen.length)?);
        }
    }
    println!("\n| 50 pages a second beside a room of 200 | p99 | median |\n|---|---|---|");
    println!("| madang | {} | {} |", ratio(&with, &without, |o| o.p99_ms), ratio(&with, &without, |o| o.median_ms));
    Ok(())
}

/// How soon a server answers that has been in use for long, and the memory that it has then.
pub(crate) fn start(scratch: &Path) -> Result<(), String> {
    let [rooms, messages] = OLD;
    let mut begun = Instant::now();
    let server = Server::start(Peer::Madang, scratch)?.restart(|directory| {
        let file = directory.join("madang.db");
        let counts = [rooms.to_string(), messages.to_string()];
        let filled = Command::new("python3").arg("benches/peers/fill.py").arg(file).args(counts).status();
        if !filled.map_err(|error| format!("python3: {error}"))?.success() {
            return Err("the database could not be filled".into());
        }
        begun = Instant::now();
        Ok(())
    })?;
    server.get("/health", "br")?;
    let healthy = begun.elapsed();
    server.get("/", "br")?;
    let shown = begun.elapsed();
    println!("\n| {rooms} rooms, {messages} messages | answers after, ms | first page after, ms | own memory, MB |");
    println!("|---|---|---|---|");
    let megabytes = server.memory()? as f64 / 1e6;
    println!("| madang | {} | {} | {megabytes:.1} |", healthy.as_millis(), shown.as_millis());
    Ok(())
}

/// Everything at once, at half of what the server can.
pub(crate) fn soak(minutes: u64, scratch: &Path) -> Result<(), String> {
    println!("\n| mixed load, minutes | own memory, MB | descriptors | CPU, % of a core | messages | resumed |");
    println!("|---|---|---|---|---|---|");
    let start = || Server::start(Peer::Madang, scratch);
    soak::run(start, Duration::from_secs(minutes * 60), |look| {
        println!(
            "| {:.1} | {:.1} | {} | {:.0} | {} | {} |",
            look.after.as_secs_f64() / 60.0,
            look.memory as f64 / 1e6,
            look.descriptors,
            look.cpu * 100.0,
            look.said,
            look.resumed
        );
    })?;
    println!("everything arrived, once and in order");
    Ok(())
}
