//! What a message costs, delivery by delivery, on Madang and on the others in turns.

use crate::{
    Chosen,
    chart::{self, Group},
    load::{self, Outcome, Pace, Work},
    report::Ratios,
    server::{Peer, Server},
};
use std::{collections::HashMap, path::Path};

/// Beyond this spread of the floor's own cost, a row says nothing.
const NOISY: f64 = 1.3;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// As the chart calls it.
    title: &'static str,
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

pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "1x200-paced",
        title: "200 in a room, 200 messages/s",
        work: Work { rooms: 1, members: 200, talkers: 1, pace: Pace::PerSecond(200), laggards: false },
        targets: &[(Peer::Floor1, 1.10), (Peer::Bun, 1.0), (Peer::Axum, 0.85)],
        durable: None,
    },
    Row {
        name: "1x1000-paced",
        title: "1,000 in a room, 50 messages/s",
        work: Work { rooms: 1, members: 1_000, talkers: 1, pace: Pace::PerSecond(50), laggards: false },
        targets: &[(Peer::Floor1, 1.10), (Peer::Bun, 1.0), (Peer::Axum, 0.85)],
        durable: None,
    },
    Row {
        name: "1x200-full",
        title: "200 in a room, all talk at once",
        work: Work { rooms: 1, members: 200, talkers: 200, pace: Pace::UnderWay(200), laggards: false },
        targets: &[(Peer::FloorN, 1.10), (Peer::Bun, 0.85)],
        durable: None,
    },
    Row {
        name: "100x50-full",
        title: "100 rooms of 50, as fast as it goes",
        work: Work { rooms: 100, members: 50, talkers: 50, pace: Pace::UnderWay(8), laggards: false },
        targets: &[(Peer::FloorN, 1.10), (Peer::Bun, 1.0)],
        durable: None,
    },
    Row {
        name: "32-talkers",
        title: "32 in a room, all talk at once",
        work: Work { rooms: 1, members: 32, talkers: 32, pace: Pace::UnderWay(32), laggards: false },
        targets: &[(Peer::FloorN, 1.25), (Peer::Bun, 0.8)],
        durable: Some(1.5),
    },
];

/// Runs the rows that are chosen, prints their table, and draws the chart if that is asked for.
pub(crate) fn run(chosen: &Chosen, scratch: &Path) -> Result<(), String> {
    let rows: Vec<&Row> = ROWS.iter().filter(|row| chosen.wants(row.name)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    println!("| row | server | against | CPU per delivery | target | deliveries/s | p99 | |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut groups = Vec::new();
    for row in rows {
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
        groups.push(group(row, &chosen.peers, &outcomes));
    }
    chosen.chart.as_ref().map_or(Ok(()), |file| chart::draw(file, &groups))
}

/// What each server's delivery costs, with that of the floor as 1.
fn group(row: &Row, peers: &[Peer], outcomes: &HashMap<Peer, Vec<Outcome>>) -> Group {
    let floor = row.targets.first().map_or(Peer::FloorN, |(floor, _)| *floor);
    let shown = peers.iter().filter(|peer| !matches!(peer, Peer::Floor1 | Peer::FloorN));
    let bars = shown.filter_map(|peer| {
        let pairs = outcomes.get(peer)?.iter().zip(outcomes.get(&floor)?);
        Some((peer.name(), Ratios::new(pairs.map(|(own, floor)| own.cpu_us / floor.cpu_us).collect()).median()))
    });
    Group { title: row.title, bars: bars.collect() }
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
