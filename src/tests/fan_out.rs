//! A busy room: everything reaches everyone, in one order, and who does not read hinders nobody.

use super::harness::{Ears, Madang, Mouth, connect_over, number, open, text};
use serde_json::Value;
use std::collections::HashSet;
use tokio::net::TcpSocket;

/// `talkers` members of a room, all of whom have seen everybody enter.
async fn room_full_of(madang: &Madang, talkers: usize) -> (String, Vec<(Mouth, Ears)>) {
    let room = madang.new_room("busy").await;
    let mut members = Vec::new();
    for n in 0..talkers {
        let mut member = open(madang).await;
        member.enter(&room, &format!("talker {n}")).await;
        members.push(member);
    }
    for (n, member) in members.iter_mut().enumerate() {
        for _ in n + 1..talkers {
            member.expect("ENTER").await;
        }
    }
    (room, members.into_iter().map(|member| member.halves()).collect())
}

/// Everybody says `each` things at once and hears all of it. Gives what each one heard.
async fn all_talk(room: &str, members: Vec<(Mouth, Ears)>, each: usize) -> Vec<Vec<String>> {
    let all = members.len() * each;
    let mut tasks = Vec::new();
    for (n, (mut mouth, mut ears)) in members.into_iter().enumerate() {
        let room = room.to_owned();
        let talking = tokio::spawn(async move {
            for i in 0..each {
                mouth.talk(&room, &format!("{n}:{i}")).await;
            }
            mouth
        });
        tasks.push(tokio::spawn(async move {
            let mut heard = Vec::with_capacity(all);
            for seq in 1..=all {
                let talk: Value = ears.expect("TALK").await;
                assert_eq!(number(&talk["seq"]), seq as u64, "numbers are dense and in order");
                heard.push(text(&talk["message"]).to_owned());
            }
            // The line stays open until all have heard everything.
            (heard, talking.await.expect("talking"), ears)
        }));
    }
    let mut heard = Vec::new();
    let mut lines = Vec::new();
    for task in tasks {
        let (list, mouth, ears) = task.await.expect("a reader");
        heard.push(list);
        lines.push((mouth, ears));
    }
    heard
}

async fn assert_everything_reached_everyone(madang: &Madang, talkers: usize, each: usize) {
    let (room, members) = room_full_of(madang, talkers).await;
    let heard = all_talk(&room, members, each).await;
    assert_eq!(heard.iter().map(Vec::len).sum::<usize>(), talkers * talkers * each);
    assert!(heard.iter().all(|list| *list == heard[0]), "one order for all");
    let different: HashSet<&String> = heard[0].iter().collect();
    assert_eq!(different.len(), talkers * each, "everything once");
    for n in 0..talkers {
        let own = heard[0]
            .iter()
            .filter_map(|line| line.strip_prefix(&format!("{n}:")))
            .map(|i| i.parse::<usize>().expect("a number"));
        assert!(own.eq(0..each), "the order of each speaker is kept");
    }
    let stored: Vec<String> =
        madang.history(&room).await.iter().map(|talk| text(&talk["message"]).to_owned()).collect();
    assert_eq!(stored, heard[0], "the order of the log");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_20_talkers_with_100_messages_each_at_full_speed_all_40_000_arrive_in_one_order() {
    let madang = Madang::start_unlimited().await;
    assert_everything_reached_everyone(&madang, 20, 100).await;
}

#[tokio::test]
async fn within_the_rate_everything_reaches_everyone() {
    let madang = Madang::start().await;
    assert_everything_reached_everyone(&madang, 4, 20).await;
}

/// More than any queue and buffer on the way of a reader who does not read can hold.
const ROUNDS: usize = 60;
const ROUND: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_who_never_reads_is_closed_and_everyone_else_gets_everything() {
    let madang = Madang::start_unlimited().await;
    let (room, mut members) = room_full_of(&madang, 10).await;
    // Small kernel buffers, so that it is the server's queue that fills.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let stream = socket.connect(madang.address).await.expect("a connection");
    let (mut stuck, _) = connect_over(stream, &madang, &[]).await;
    stuck.enter(&room, "stuck").await;
    for (_, ears) in &mut members {
        ears.expect("ENTER").await;
    }

    let line = "x".repeat(2_000);
    let (mut seq, mut gone) = (0, 0);
    for _ in 0..ROUNDS {
        for _ in 0..ROUND {
            members[0].0.talk(&room, &line).await;
        }
        for (_, ears) in &mut members {
            gone += hear_round(ears, seq).await;
        }
        seq += ROUND as u64;
        if gone > 0 {
            break;
        }
    }
    assert!(gone > 0, "a reader who took nothing of {seq} messages was never closed");
    let heard = hear_out(&mut stuck).await;
    assert!(heard < seq, "the one who did not read was closed, not waited for");
    // The room is as good as ever.
    members[1].0.talk(&room, "after all that").await;
    for (_, ears) in &mut members {
        while ears.next_json().await["message"] != "after all that" {}
    }
}

/// Hears one round, which goes on from number `seq`, and counts those who left meanwhile.
async fn hear_round(ears: &mut Ears, seq: u64) -> usize {
    let (mut heard, mut gone) = (seq, 0);
    while heard < seq + ROUND as u64 {
        let frame = ears.next_json().await;
        if frame["type"] == "LEAVE" {
            assert_eq!(frame["sender"], "stuck");
            gone += 1;
        } else {
            heard += 1;
            assert_eq!(number(&frame["seq"]), heard, "{frame:.100}");
        }
    }
    gone
}

/// What is left in the buffers of a closed connection, counted.
async fn hear_out(ears: &mut Ears) -> u64 {
    let mut heard = 0;
    while ears.hear().await.is_ok() {
        heard += 1;
    }
    heard
}
