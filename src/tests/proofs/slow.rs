//! Readers that do not read: they delay nobody, and cost no more than what is stated.

use super::{Proof, acknowledged::UNLIMITED, client::Client, is_thorough, trials};
use crate::harness::{Direction, Ears, Mouth, Place, Process, Proxy, Socket, connect_over, number, v1};
use serde_json::json;
use std::{
    cell::Cell,
    time::{Duration, Instant},
};
use tokio::{net::TcpSocket, sync::watch};

/// What one connection may cost at most, in bytes, whatever its peer does: its part of the queue, what waits
/// for the socket, and the socket's own buffers. Texts are shared by all who get them and count once.
const CONNECTION_BOUND: usize = 256 * 1024;
/// How often the others are measured with and without a reader that is a long way behind.
const PAIRS: usize = 15;
/// What a room may cost beside its connections: its latest changes, and texts in queues.
const ROOM_BOUND: usize = 4 * 1024 * 1024;

/// Somebody whose kernel takes next to nothing, so that it is the server that must keep it.
async fn never_reads(server: &Process, room: &str, name: &str, since: Option<u64>) -> Socket {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let stream = socket.connect(server.address).await.expect("a connection");
    let (mut reader, _) = connect_over(stream, server, &[("sec-websocket-protocol", "madang.v1")]).await;
    reader.send(json!({"type": "ENTER", "roomId": room, "sender": name, "since": since})).await;
    reader
}

async fn member(server: &Process, room: &str, name: &str) -> (Mouth, Ears) {
    let mut member = v1(server).await;
    member.send(json!({"type": "ENTER", "roomId": room, "sender": name})).await;
    member.halves()
}

async fn hear_until(ears: &mut Ears, message: &str) {
    while ears.next_json().await["message"] != message {}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_that_never_read_cost_no_more_than_is_stated() {
    let mut proof = Proof::of(10, "memory is bounded, whatever clients do");
    let (count, messages) = (trials(40, 1_000), 1_500);
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let room = server.new_room("heavy").await;
    let (mut mouth, mut ears) = member(&server, &room, "speaker").await;
    let long = "가".repeat(2_500);
    // More than one connection may hold of a replay.
    for n in 0..100 {
        mouth.talk(&room, &format!("before {n} {long}")).await;
        ears.expect_kind("TALK").await;
    }
    let before = server.resident().await;
    let mut readers = Vec::new();
    for n in 0..count {
        // Half of them have everything to read, half only what comes.
        readers.push(never_reads(&server, &room, &format!("stuck {n}"), (n % 2 == 0).then_some(0)).await);
    }
    let mut sizes = Vec::new();
    for round in 0..2 {
        for n in 0..messages {
            mouth.talk(&room, &format!("{round} {n} {long}")).await;
            ears.expect_kind("TALK").await;
        }
        sizes.push(server.resident().await);
    }
    let bound = before + count * CONNECTION_BOUND + ROOM_BOUND;
    proof.must(sizes[1] <= bound, || format!("{sizes:?} bytes and not {bound}"));
    let each = sizes[1].saturating_sub(before) / count;
    // The second round brings as much again: a queue without bound would grow by it.
    let growth = sizes[1].saturating_sub(sizes[0]);
    proof.must(growth < messages * long.len() / 2 + ROOM_BOUND, || format!("{growth} bytes more in the second round"));
    proof.trials = count;
    proof.faults = count;
    proof.remark =
        format!("{} KiB per reader that does not read, of {} KiB stated", each / 1024, CONNECTION_BOUND / 1024);
    drop(readers);
    proof.done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_a_long_way_behind_gets_everything_in_order_while_memory_stays_flat() {
    let mut proof = Proof::of(6, "a reader far behind gets everything, memory stays flat");
    let count = trials(3_000, 100_000);
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let room = server.new_room("long").await;
    let (mut mouth, mut ears) = member(&server, &room, "speaker").await;
    let speaking = async {
        for n in 0..count {
            mouth.talk(&room, &n.to_string()).await;
        }
    };
    let hearing = async {
        for _ in 0..count {
            ears.expect_kind("TALK").await;
        }
    };
    tokio::join!(speaking, hearing);
    let before = server.resident().await;
    let mut reader = v1(&server).await;
    reader.send(json!({"type": "ENTER", "roomId": room, "sender": "reader", "since": 0})).await;
    // What the reader does not take is not sent, so the same members are measured with and without it, in turns.
    let (turn, mut may_read) = watch::channel(true);
    let is_reading = Cell::new(true);
    let reading = async {
        let (mut last, mut sizes) = (0, Vec::new());
        loop {
            may_read.wait_for(|may| *may).await.expect("somebody who gives turns");
            let frame = reader.next_json().await;
            match frame["type"].as_str() {
                Some("SYNC") => {
                    is_reading.set(false);
                    return (last, sizes);
                }
                Some("TALK") => {
                    let rev = number(&frame["rev"]);
                    assert_eq!(rev, last + 1, "in order, without hole or repeat");
                    last = rev;
                    if rev.is_multiple_of(5_000) {
                        sizes.push(server.resident().await);
                    }
                }
                _ => {}
            }
        }
    };
    let measuring = async {
        let mut ratios = Vec::new();
        for _ in 0..PAIRS {
            let busy = latencies(&mut mouth, &mut ears, &room, 50).await;
            turn.send_replace(false);
            let quiet = latencies(&mut mouth, &mut ears, &room, 50).await;
            turn.send_replace(true);
            ratios.push(busy.as_secs_f64() / quiet.as_secs_f64());
        }
        (ratios, is_reading.get())
    };
    let ((last, sizes), (mut ratios, was_reading_throughout)) = tokio::join!(reading, measuring);
    proof.must(last >= count as u64, || format!("it got {last} of {count}"));
    let grown = sizes.iter().max().map_or(0, |most| most.saturating_sub(before));
    // A page of the replay, and SQLite's caches of the readers.
    proof.must(grown < 24 * 1024 * 1024, || format!("the server grew by {grown} bytes"));
    ratios.sort_by(f64::total_cmp);
    let ratio = ratios[ratios.len() / 2];
    // A few milliseconds of a few thousand messages say nothing.
    proof.must(was_reading_throughout || !is_thorough(), || "the reader was done before the measuring".into());
    proof.must(ratio <= 1.2 || !is_thorough(), || format!("the others waited {ratio:.2} times as long: {ratios:.2?}"));
    proof.remark = format!(
        "server grew by {} KiB; others waited {ratio:.2} times as long as without ({:.2} … {:.2} over {PAIRS} pairs)",
        grown / 1024,
        ratios[0],
        ratios[ratios.len() - 1]
    );
    proof.trials = count;
    proof.done();
}

/// The median time from saying something to hearing it.
async fn latencies(mouth: &mut Mouth, ears: &mut Ears, room: &str, count: usize) -> Duration {
    let mut took = Vec::new();
    for n in 0..count {
        let begun = Instant::now();
        let message = format!("ping {n} {}", rand::random::<u32>());
        mouth.talk(room, &message).await;
        hear_until(ears, &message).await;
        took.push(begun.elapsed());
    }
    took.sort();
    took[took.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_never_reads_and_one_that_reads_slowly_delay_nobody() {
    if !is_thorough() {
        return;
    }
    let mut proof = Proof::of(9, "a reader that stops reading delays nobody: one stuck, one at 1 Mbit/s among 100");
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let (mut ratios, mut stuck) = (Vec::new(), Vec::new());
    for pair in 0..7 {
        let mut medians = Vec::new();
        for with_slow_ones in [false, true] {
            let room = server.new_room(&format!("pair {pair} {with_slow_ones}")).await;
            let mut audience = Vec::new();
            for n in 0..98 {
                audience.push(member(&server, &room, &format!("member {n}")).await);
            }
            let listening: Vec<_> = audience
                .drain(..)
                .map(|(mouth, mut ears)| {
                    tokio::spawn(async move {
                        hear_until(&mut ears, "the end").await;
                        drop(mouth);
                    })
                })
                .collect();
            let proxy = Proxy::start(server.address).await;
            // 16 KiB every 131 ms are 1 Mbit/s.
            proxy.delay(Direction::ToClient, Duration::from_millis(131));
            let throttled = if with_slow_ones {
                stuck.push(never_reads(&server, &room, "stuck", Some(0)).await);
                Some(v1(&Place::at(proxy.address())).await)
            } else {
                None
            };
            let throttled = throttled.map(|mut slow| {
                let room = room.clone();
                tokio::spawn(async move {
                    slow.send(json!({"type": "ENTER", "roomId": room, "sender": "slow", "since": 0})).await;
                    hear_until(&mut slow, "the end").await;
                })
            });
            let (mut mouth, mut ears) = member(&server, &room, "speaker").await;
            let padding = "x".repeat(2_000);
            let mut took = Vec::new();
            for n in 0..300 {
                let begun = Instant::now();
                let message = format!("{n} {padding}");
                mouth.talk(&room, &message).await;
                hear_until(&mut ears, &message).await;
                took.push(begun.elapsed());
            }
            took.sort();
            medians.push(took[took.len() * 99 / 100].as_secs_f64());
            mouth.talk(&room, "the end").await;
            for listener in listening {
                listener.await.expect("a listener");
            }
            if let Some(throttled) = throttled {
                throttled.await.expect("the slow one, with everything");
            }
            proof.tried(if with_slow_ones { 2 } else { 0 });
        }
        ratios.push(medians[1] / medians[0]);
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios[ratios.len() / 2];
    proof.must(median <= 1.2, || format!("p99 of the others {median:.2} times as long: {ratios:.2?}"));
    proof.remark = format!("p99 of the others: {median:.2} times the paired run ({ratios:.2?})");
    proof.done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_nothing_for_a_minute_is_closed_and_resumes_whole() {
    if !is_thorough() {
        return;
    }
    let mut proof = Proof::of(9, "a reader that takes nothing for a minute is closed, and resumes whole");
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let room = server.new_room("stuck").await;
    let (mut mouth, mut ears) = member(&server, &room, "speaker").await;
    ears.expect_kind("ROOM").await;
    let stuck = never_reads(&server, &room, "stuck", None).await;
    ears.expect_kind("ENTER").await;
    let padding = "x".repeat(4_000);
    for n in 0..3_000 {
        mouth.talk(&room, &format!("{n} {padding}")).await;
        ears.expect_kind("TALK").await;
    }
    let begun = Instant::now();
    let left = tokio::time::timeout(Duration::from_secs(90), async {
        // The speaker's own line is kept alive by its answers to pings, which come no oftener than a wait would last.
        while !matches!(ears.await_message().await, Some(frame) if frame.to_text().is_ok_and(|text| text.contains("\"LEAVE\"")))
        {
        }
    });
    proof.must(left.await.is_ok(), || "still there after 90 s".into());
    let took = begun.elapsed();
    proof.must((50..75).contains(&took.as_secs()), || format!("closed after {took:?}"));
    drop(stuck);
    let mut again = Client::new("stuck", &room);
    again.visit(&server, |client| client.head >= 3_000).await;
    let differs = again.differs_from_fresh_load(&server).await;
    proof.must(differs.is_none() && again.violations.is_empty(), || format!("{differs:?} {:?}", again.violations));
    proof.tried(1);
    proof.remark = format!("closed after {:.0} s", took.as_secs_f64());
    proof.done();
}
