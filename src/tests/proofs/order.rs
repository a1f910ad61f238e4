//! Every member sees the order of the log, and history and live changes meet exactly once.

use super::{Proof, client::Client, trials};
use crate::harness::{Madang, number};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_member_sees_the_order_of_the_log() {
    let mut proof = Proof::of(4, "every member sees the order of the log");
    let (rooms, readers, writers, each) = if super::is_thorough() { (20, 50, 5, 40) } else { (3, 8, 3, 20) };
    let madang = Arc::new(Madang::start_unlimited().await);
    let mut members = Vec::new();
    for room_number in 0..rooms {
        let room = madang.new_room(&format!("room {room_number}")).await;
        for n in 0..readers + writers {
            let mut client = Client::new(format!("member {n}"), &room);
            client.will_say(if n < writers { each } else { 0 });
            let madang = madang.clone();
            members.push(tokio::spawn(async move {
                let all = (writers * each) as u64;
                client.visit(&madang, |client| client.has_said_all() && client.head >= all).await;
                (client.differs_from_fresh_load(&madang).await, client.violations)
            }));
        }
    }
    for member in members {
        let (differs, violations) = member.await.expect("a member");
        proof.must(differs.is_none() && violations.is_empty(), || format!("{differs:?} {violations:?}"));
        proof.tried(0);
    }
    proof.remark = format!("{rooms} rooms of {readers} readers and {writers} writers");
    proof.done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_and_live_meet_exactly_once_while_a_writer_runs_at_full_speed() {
    let mut proof = Proof::of(8, "history and live meet exactly once on entering");
    let madang = Arc::new(Madang::start_unlimited().await);
    let room = madang.new_room("busy").await;
    let enough = Arc::new(AtomicBool::new(false));
    let mut writer = Client::new("writer", &room);
    let writing = {
        let (madang, enough) = (madang.clone(), enough.clone());
        tokio::spawn(async move {
            while !enough.load(Ordering::Relaxed) {
                writer.will_say(100);
                writer.visit(&madang, Client::has_said_all).await;
            }
            writer
        })
    };
    let mut met = 0;
    for n in 0..trials(40, 1_000) {
        let page = madang.get(&format!("/chat/{room}/messages?limit=20")).await.json();
        let mut reader = Client::new(format!("reader {n}"), &room);
        reader.head = number(&page["head"]);
        reader.without_since = n % 2 == 1;
        let mut seen = (!reader.without_since).then_some(reader.head);
        // Not live alone: until something came in live.
        reader.visit(&madang, |client| client.head >= *seen.get_or_insert(client.head) + 5).await;
        let seen = seen.unwrap_or_default();
        let mut revs: Vec<u64> = reader.states.values().map(|talk| number(&talk["rev"])).collect();
        revs.sort_unstable();
        let dense = revs.iter().copied().eq(seen + 1..=seen + revs.len() as u64);
        proof.must(dense && reader.violations.is_empty(), || {
            format!("from {seen} on came {revs:?}; {:?}", reader.violations)
        });
        met += revs.len();
        proof.tried(0);
    }
    enough.store(true, Ordering::Relaxed);
    let writer = writing.await.expect("the writer");
    proof.must(writer.violations.is_empty(), || format!("{:?}", writer.violations));
    proof.remark = format!("{met} changes met");
    proof.done();
}
