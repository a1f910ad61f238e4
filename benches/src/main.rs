//! Runs every row on every server, interleaved, and prints one table. `fanout --help` says what can be chosen.

use madang_bench::{
    idle,
    load::{self, Outcome, Pace, Work},
    report::Ratios,
    server::{Peer, SERVER_CORE, Server},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

const USAGE: &str = "fanout [--rows A,B] [--peers A,B] [--repeats N] [--seconds N]
  rows:  1x200-paced 1x1000-paced 1x200-full 100x50-full 32-talkers growth-rooms growth-connections laggards
         idle-1000 idle-10000 idle-19000
  peers: floor1 floorN bun bun+sqlite axum ws socket.io (madang runs always, on both stores)
MADANG_BIN names the server.";
/// Beyond this spread of the floor's own cost, a row says nothing.
const NOISY: f64 = 1.3;

/// A row of the table.
struct Row {
    name: &'static str,
    work: Work,
    /// The CPU per delivery of Madang on the store that keeps nothing, as they do, is to be at most this much of each.
    targets: &'static [(Peer, f64)],
    /// The same of Madang as shipped to Madang on the store that keeps nothing.
    durable: Option<f64>,
}

impl Row {
    fn target(&self, own: Peer, other: Peer) -> Option<f64> {
        match (own, other) {
            (Peer::Memory, _) => self.targets.iter().find(|(of, _)| *of == other).map(|(_, most)| *most),
            (Peer::Madang, Peer::Memory) => self.durable,
            _ => None,
        }
    }
}

const ROWS: &[Row] = &[
    Row {
        name: "1x200-paced",
        work: Work { rooms: 1, members: 200, talkers: 1, pace: Pace::PerSecond(200), laggards: false },
        targets: &[(Peer::Floor1, 1.10), (Peer::Bun, 1.0), (Peer::Axum, 0.85)],
        durable: None,
    },
    Row {
        name: "1x1000-paced",
        work: Work { rooms: 1, members: 1_000, talkers: 1, pace: Pace::PerSecond(50), laggards: false },
        targets: &[(Peer::Floor1, 1.10), (Peer::Bun, 1.0), (Peer::Axum, 0.85)],
        durable: None,
    },
    Row {
        name: "1x200-full",
        work: Work { rooms: 1, members: 200, talkers: 200, pace: Pace::UnderWay(200), laggards: false },
        targets: &[(Peer::FloorN, 1.10), (Peer::Bun, 0.85)],
        durable: None,
    },
    Row {
        name: "100x50-full",
        work: Work { rooms: 100, members: 50, talkers: 50, pace: Pace::UnderWay(8), laggards: false },
        targets: &[(Peer::FloorN, 1.10), (Peer::Bun, 1.0)],
        durable: None,
    },
    Row {
        name: "32-talkers",
        work: Work { rooms: 1, members: 32, talkers: 32, pace: Pace::UnderWay(32), laggards: false },
        targets: &[(Peer::FloorN, 1.25), (Peer::Bun, 0.8)],
        durable: Some(1.5),
    },
];

/// The last is near the descriptor limit of most machines.
const IDLE: &[usize] = &[1_000, 10_000, 19_000];

/// Work that grows with its rooms, or with its connections, while what is said stays the same.
type Growth = (&'static str, fn(usize) -> Work);

const GROWTH: &[Growth] = &[
    ("rooms", |rooms| Work { rooms, members: 1, talkers: 1, pace: Pace::PerSecond(4_000), laggards: false }),
    ("connections", |all| Work {
        rooms: all / 10,
        members: 10,
        talkers: 10,
        pace: Pace::PerSecond(2_000),
        laggards: false,
    }),
];

struct Chosen {
    growth: Vec<Growth>,
    laggards: bool,
    rows: Vec<&'static Row>,
    /// How many connections that do nothing.
    idle: Vec<usize>,
    peers: Vec<Peer>,
    repeats: usize,
    length: Duration,
}

fn main() -> ExitCode {
    match chosen().and_then(|chosen| run(&chosen)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fanout: {error}");
            ExitCode::FAILURE
        }
    }
}

fn chosen() -> Result<Chosen, String> {
    let mut chosen = Chosen {
        rows: ROWS.iter().collect(),
        growth: GROWTH.to_vec(),
        laggards: true,
        idle: IDLE.to_vec(),
        peers: Peer::ALL.to_vec(),
        repeats: 3,
        length: Duration::from_secs(3),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or(USAGE)?;
        let number = || value.parse().map_err(|_| format!("{name} {value}: a number"));
        match name.as_str() {
            "--rows" => {
                let is_chosen = |row: &str| value.split(',').any(|name| name == row);
                chosen.rows.retain(|row| is_chosen(row.name));
                chosen.growth.retain(|(name, _)| is_chosen(&format!("growth-{name}")));
                chosen.laggards = is_chosen("laggards");
                chosen.idle.retain(|count| is_chosen(&format!("idle-{count}")));
            }
            "--peers" => {
                chosen.peers.retain(|peer| peer.is_madang() || value.split(',').any(|name| name == peer.name()));
            }
            "--repeats" => chosen.repeats = number()?,
            "--seconds" => chosen.length = Duration::from_secs(number()? as u64),
            _ => return Err(USAGE.into()),
        }
    }
    let is_nothing = chosen.rows.is_empty() && chosen.growth.is_empty() && !chosen.laggards && chosen.idle.is_empty();
    if is_nothing || chosen.repeats == 0 { Err(USAGE.into()) } else { Ok(chosen) }
}

fn run(chosen: &Chosen) -> Result<(), String> {
    stay_off_the_servers_core()?;
    let scratch = std::env::var_os("CARGO_TARGET_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    fan_out(chosen, &scratch)?;
    growth(chosen, &scratch)?;
    if chosen.laggards {
        laggards(chosen, &scratch)?;
    }
    if !chosen.idle.is_empty() {
        idle(chosen, &scratch)?;
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\n{} repeats of {:?}; load {}", chosen.repeats, chosen.length, load.trim());
    Ok(())
}

/// What a delivery costs among 10, 100, 1,000 and 10,000: its cost among ten is 1.
fn growth(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    if chosen.growth.is_empty() {
        return Ok(());
    }
    println!("\n| growth | server | 10 | 100 | 1,000 | 10,000 |\n|---|---|---|---|---|---|");
    for (name, work) in &chosen.growth {
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

/// What two members who do not keep up cost the others: CPU per delivery and p99 with them to without, in pairs.
fn laggards(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    println!("\n| one never reads, one reads 1 Mbit/s | CPU per delivery | deliveries/s | p99 |\n|---|---|---|---|");
    for peer in [Peer::Memory, Peer::Madang] {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        for _ in 0..chosen.repeats {
            for (laggards, outcomes) in [(false, &mut without), (true, &mut with)] {
                let work = Work { rooms: 1, members: 200, talkers: 200, pace: Pace::UnderWay(200), laggards };
                outcomes.push(load::run(&Server::start(peer, scratch)?, work, chosen.length)?);
            }
        }
        let ratio = |number: fn(&Outcome) -> f64| {
            Ratios::new(with.iter().zip(&without).map(|(with, without)| number(with) / number(without)).collect())
                .text()
        };
        println!(
            "| {} | {} | {} | {} |",
            peer.name(),
            ratio(|o| o.cpu_us),
            ratio(|o| o.per_second),
            ratio(|o| o.p99_ms)
        );
    }
    Ok(())
}

/// What connections cost that do nothing. Numbers of memory do not depend on the machine's mood: once is enough.
fn idle(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    println!("\n| idle connections | server | bytes each, in a room | bytes each, nowhere | CPU each, µs/s |");
    println!("|---|---|---|---|---|");
    for count in &chosen.idle {
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

fn fan_out(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    if chosen.rows.is_empty() {
        return Ok(());
    }
    println!("| row | server | against | CPU per delivery | target | deliveries/s | p99 | |");
    println!("|---|---|---|---|---|---|---|---|");
    for row in &chosen.rows {
        let mut outcomes: HashMap<Peer, Vec<Outcome>> = HashMap::new();
        for repeat in 0..chosen.repeats {
            // Another order each time: what comes first is not always the same.
            for n in 0..chosen.peers.len() {
                let peer = chosen.peers[(n + repeat) % chosen.peers.len()];
                let server = Server::start(peer, scratch)?;
                let outcome = load::run(&server, row.work, chosen.length)
                    .map_err(|error| format!("{} on {}: {error}", row.name, peer.name()))?;
                eprintln!(
                    "{} {repeat} {}: {:.2} µs, {:.0}/s, median {:.2} ms, p99 {:.2} ms",
                    row.name,
                    peer.name(),
                    outcome.cpu_us,
                    outcome.per_second,
                    outcome.median_ms,
                    outcome.p99_ms
                );
                outcomes.entry(peer).or_default().push(outcome);
            }
        }
        print_row(row, &chosen.peers, &outcomes);
    }
    Ok(())
}

fn print_row(row: &Row, peers: &[Peer], outcomes: &HashMap<Peer, Vec<Outcome>>) {
    let noise = [Peer::FloorN, Peer::Floor1]
        .iter()
        .find_map(|peer| outcomes.get(peer))
        .map(|floor| Ratios::new(floor.iter().map(|outcome| outcome.cpu_us).collect()).spread());
    for own in [Peer::Memory, Peer::Madang, Peer::BunSqlite].into_iter().filter(|own| peers.contains(own)) {
        // What keeping costs is all that is asked of Bun.
        let others = peers.iter().filter(|peer| match own {
            Peer::Memory => !peer.is_madang(),
            Peer::Madang => **peer != own,
            _ => **peer == Peer::Bun,
        });
        for other in others {
            let ratio = |number: fn(&Outcome) -> f64| {
                let pairs = outcomes[&own].iter().zip(&outcomes[other]);
                Ratios::new(pairs.map(|(own, other)| number(own) / number(other)).collect())
            };
            let cpu = ratio(|outcome| outcome.cpu_us);
            let target = row.target(own, *other);
            let verdict = match target {
                _ if noise.is_some_and(|noise| noise > NOISY) => "too noisy to say",
                Some(most) if cpu.median() <= most => "met",
                Some(_) => "**not met**",
                None => "",
            };
            println!(
                "| {} | {} | {} | {} | {} | {} | {} | {verdict} |",
                row.name,
                own.name(),
                other.name(),
                cpu.text(),
                target.map_or_else(String::new, |most| format!("≤ {most:.2}")),
                ratio(|outcome| outcome.per_second).text(),
                ratio(|outcome| outcome.p99_ms).text(),
            );
        }
    }
}

fn stay_off_the_servers_core() -> Result<(), String> {
    let mut cores = rustix::thread::sched_getaffinity(None).map_err(|error| error.to_string())?;
    cores.unset(SERVER_CORE);
    if cores.count() == 0 {
        return Err("the load generator needs a core beside the server's".into());
    }
    rustix::thread::sched_setaffinity(None, &cores).map_err(|error| error.to_string())
}
