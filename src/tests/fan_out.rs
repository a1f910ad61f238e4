//! A busy room: everything reaches everyone, in one order, and who does not read hinders nobody.

use super::harness::{Ears, Madang, Mouth, connect_over, number, open, text, v1_as};
use serde_json::{Value, json};
use std::collections::HashSet;
use tokio::net::{TcpSocket, TcpStream};

/// `talkers` members of a room, all of whom have seen everybody enter.
async fn room_full_of(madang: &Madang, talkers: usize) -> (String, Vec<(Mouth, Ears)>) {
    let room = madang.new_room("busy").await;
    let members = members_of(madang, &room, talkers).await;
    (room, members)
}

async fn members_of(madang: &Madang, room: &str, talkers: usize) -> Vec<(Mouth, Ears)> {
    let mut members = Vec::new();
    for n in 0..talkers {
        let mut member = open(madang).await;
        member.enter(room, &format!("talker {n}")).await;
        members.push(member);
    }
    for (n, member) in members.iter_mut().enumerate() {
        for _ in n + 1..talkers {
            member.expect("ENTER").await;
        }
    }
    members.into_iter().map(|member| member.halves()).collect()
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
const ROUNDS: usize = 20;
const ROUND: usize = 200;

/// A small kernel buffer, so that it is the server's queue that fills. Not smaller: on loopback, where a segment
/// may have 64 KiB, the kernel then sends a scrap of it every 200 ms.
async fn small_connection(madang: &Madang) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(256 * 1024).expect("a small buffer");
    socket.connect(madang.address).await.expect("a connection")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_who_stop_reading_delay_nobody_and_get_everything_once_they_read_again() {
    let madang = Madang::start_unlimited().await;
    let room = madang.lobby().await;
    let mut members = members_of(&madang, &room, 4).await;
    let (mut in_the_open, _) = connect_over(small_connection(&madang).await, &madang, &[]).await;
    in_the_open.enter(&room, "in the open").await;
    let v1 = [("sec-websocket-protocol", "madang.v1")];
    let (mut in_v1, _) = connect_over(small_connection(&madang).await, &madang, &v1).await;
    in_v1.enter(&room, "in v1").await;
    let (mut plain, _) = connect_over(small_connection(&madang).await, &madang, &[]).await;
    plain.send_text("I listen").await;
    assert_eq!(plain.next_text().await, "I listen");
    for (_, ears) in &mut members {
        while ears.next_json().await["message"] != "I listen" {}
    }

    let padding = "x".repeat(2_000);
    for round in 0..ROUNDS {
        for n in 0..ROUND {
            members[0].0.talk(&room, &format!("{} {padding}", round * ROUND + n)).await;
        }
        for (_, ears) in &mut members {
            for _ in 0..ROUND {
                ears.expect("TALK").await;
            }
        }
    }
    members[0].0.talk(&room, "the last").await;

    let all = (0..ROUNDS * ROUND).map(|n| n.to_string()).chain(["the".to_owned()]);
    let number_of = |line: &str| line.split(' ').next().expect("a number").to_owned();
    let (mut heard_open, mut heard_v1, mut heard_plain) = (Vec::new(), Vec::new(), Vec::new());
    let (mut kinds, mut head) = (HashSet::new(), 0);
    // All at once: whoever waited for the others' turn would be closed as one without any progress.
    tokio::join!(
        async {
            while heard_open.last().is_none_or(|line| line != "the") {
                let frame = in_the_open.next_json().await;
                heard_open.extend((frame["type"] == "TALK").then(|| number_of(text(&frame["message"]))));
            }
        },
        async {
            while heard_plain.last().is_none_or(|line| line != "the") {
                heard_plain.push(number_of(&plain.next_text().await));
            }
        },
        async {
            while heard_v1.last().is_none_or(|line| line != "the") || !kinds.contains("SYNC") {
                let frame = in_v1.next_json().await;
                kinds.insert(text(&frame["type"]).to_owned());
                if frame["type"] == "TALK" {
                    assert!(number(&frame["rev"]) > head, "no repeat: {frame:.100}");
                    head = number(&frame["rev"]);
                    heard_v1.push(number_of(text(&frame["message"])));
                }
            }
        },
    );
    let talk = |heard: Vec<String>| heard.into_iter().filter(|line| line != "I").collect::<Vec<_>>();
    assert!(all.clone().eq(talk(heard_open)), "the open dialect");
    assert!(all.clone().eq(talk(heard_plain)), "plain text");
    assert!(all.eq(talk(heard_v1)), "v1");
    assert!(kinds.contains("ROOM"), "it was fed from the log: {kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_open_reader_who_is_behind_gets_each_message_once_in_its_place_whatever_is_changed_meanwhile() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("edited").await;
    let cookie = madang.sign_in("mina").await;
    let mut mina = v1_as(&madang, &cookie).await;
    mina.enter(&room, "").await;
    let (mut behind, _) = connect_over(small_connection(&madang).await, &madang, &[]).await;
    behind.enter(&room, "behind").await;
    mina.expect("ENTER").await;
    let padding = "x".repeat(2_000);
    let mut ids = Vec::new();
    // Many at a time: a disk on which each took long would have the reader closed as one without any progress.
    for round in 0..ROUNDS {
        for n in 0..ROUND {
            ids.push(mina.talk(&room, &format!("{} {padding}", round * ROUND + n)).await);
        }
        for _ in 0..ROUND {
            mina.expect("TALK").await;
        }
    }
    for at in [10, 2_000, ids.len() - 2] {
        mina.send(json!({"type": "EDIT", "roomId": room, "id": ids[at], "message": format!("{at} edited")})).await;
        mina.expect("TALK").await;
    }
    let gone = [20, ids.len() - 3];
    for at in gone {
        mina.send(json!({"type": "DELETE", "roomId": room, "id": ids[at]})).await;
        mina.expect("TALK").await;
    }
    mina.talk(&room, "the last").await;

    let mut heard = Vec::new();
    loop {
        let frame = behind.expect("TALK").await;
        if frame["message"] == "the last" {
            break;
        }
        assert!(!text(&frame["message"]).is_empty(), "nothing of a deleted one: {frame}");
        heard.push(text(&frame["id"]).to_owned());
    }
    // What was deleted may have been heard before it was.
    let gone = gone.map(|at| ids[at].clone());
    let lasting = |ids: &[String]| ids.iter().filter(|id| !gone.contains(id)).cloned().collect::<Vec<_>>();
    assert!(lasting(&heard) == lasting(&ids), "each once, in its place");
}
