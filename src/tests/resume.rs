//! Coming back: ENTER with `since` brings every later change and then the live stream, with no hole
//! and no repeat between the two.

use super::harness::{Ears, Madang, Place, Socket, id, number, open, text, v1};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use tokio::task::JoinHandle;

fn enter(room: &str, since: u64, epoch: Option<&Value>) -> Value {
    let mut frame = json!({"type": "ENTER", "roomId": room, "sender": "reader", "since": since});
    if let Some(epoch) = epoch {
        frame["epoch"] = epoch.clone();
    }
    frame
}

async fn say(place: &Place, room: &str, count: usize) {
    let mut mina = open(place).await;
    mina.enter(room, "mina").await;
    for n in 0..count {
        mina.talk(room, &format!("{n}")).await;
        mina.expect("TALK").await;
    }
    mina.close().await;
}

#[tokio::test]
async fn resume_replays_what_was_missed_in_order_and_ends_with_sync() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("missed").await;
    say(&madang, &room, 7).await;
    let stored = madang.history(&room).await;
    for since in [0, 3, 7] {
        let mut reader = v1(&madang).await;
        reader.send(enter(&room, since, None)).await;
        let state = reader.expect("ROOM").await;
        assert_eq!((&state["head"], &state["reset"]), (&json!(7), &Value::Null));
        for missed in &stored[usize::try_from(since).expect("small")..] {
            let mut talk = reader.expect("TALK").await;
            talk.as_object_mut().expect("an object").remove("type");
            assert_eq!(talk, *missed, "a replay shows what the page shows");
        }
        assert_eq!(reader.expect("SYNC").await, json!({"type": "SYNC", "roomId": room, "head": 7}));
        reader.send(json!({"type": "LEAVE", "roomId": room})).await;
    }
}

#[tokio::test]
async fn a_long_absence_is_replayed_whole() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("long").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    for round in 0..12 {
        for n in 0..100 {
            mina.talk(&room, &format!("{}", round * 100 + n)).await;
        }
        for _ in 0..100 {
            mina.expect("TALK").await;
        }
    }
    for since in [0, 200, 699, 700, 701] {
        let mut reader = v1(&madang).await;
        reader.send(enter(&room, since, None)).await;
        reader.expect("ROOM").await;
        for expected in since + 1..=1_200 {
            assert_eq!(number(&reader.expect("TALK").await["rev"]), expected);
        }
        assert_eq!(number(&reader.expect("SYNC").await["head"]), 1_200);
    }
}

#[tokio::test]
async fn another_history_or_a_number_from_the_future_means_reset() {
    let madang = Madang::start().await;
    let room = madang.new_room("reset").await;
    say(&madang, &room, 3).await;
    let epoch = madang.get(&format!("/chat/{room}/messages")).await.json()["epoch"].clone();
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    let mut reader = v1(&madang).await;
    for (since, named, reset) in [
        (4, None, true),
        (1_000_000, Some(epoch.clone()), true),
        (2, Some(json!(id())), true),
        (0, Some(json!(id())), true),
        (2, Some(epoch.clone()), false),
        (3, Some(epoch.clone()), false),
    ] {
        reader.send(enter(&room, since, named.as_ref())).await;
        let state = reader.expect("ROOM").await;
        assert_eq!(state["reset"] == true, reset, "since {since}: {state}");
        assert_eq!((&state["head"], &state["epoch"]), (&json!(3), &epoch));
        if !reset {
            for _ in since..3 {
                reader.expect("TALK").await;
            }
            reader.expect("SYNC").await;
        }
    }
    mina.talk(&room, "live").await;
    assert_eq!(reader.expect_talk("live").await["rev"], 4);
}

/// So many changes are heard live after each replay.
const LIVE: u64 = 5;

/// Somebody who talks as fast as the server takes it.
struct Talker {
    enough: Arc<AtomicBool>,
    talking: JoinHandle<()>,
    hearing: JoinHandle<()>,
}

impl Talker {
    async fn start(madang: &Madang, room: &str) -> Self {
        let mut talker = open(madang).await;
        talker.enter(room, "talker").await;
        let (mut mouth, mut ears) = talker.halves();
        let enough = Arc::new(AtomicBool::new(false));
        let (room, is_enough) = (room.to_owned(), enough.clone());
        let talking = tokio::spawn(async move {
            while !is_enough.load(Ordering::Relaxed) {
                mouth.talk(&room, "and on").await;
            }
            mouth.talk(&room, "the end").await;
        });
        let hearing = tokio::spawn(async move { while next_talk(&mut ears).await["message"] != "the end" {} });
        Self { enough, talking, hearing }
    }

    async fn stop(self) {
        self.enough.store(true, Ordering::Relaxed);
        self.talking.await.expect("a talker");
        self.hearing.await.expect("everything was stored");
    }
}

/// Enters with `since` and checks each frame up to a few after the SYNC. Gives the last number.
async fn read_on(reader: &mut Socket, room: &str, since: u64, epoch: &Value) -> u64 {
    reader.send(enter(room, since, Some(epoch))).await;
    let state = loop {
        // On a connection that stays, live frames are still on their way.
        let frame = reader.next_json().await;
        if frame["type"] == "ROOM" {
            break frame;
        }
    };
    assert!(state["reset"].is_null(), "{state}");
    let mut last = since;
    loop {
        let frame = reader.next_json().await;
        match text(&frame["type"]) {
            "TALK" => {
                assert_eq!(number(&frame["rev"]), last + 1, "in the replay after {since}");
                last += 1;
            }
            "SYNC" => {
                assert_eq!(number(&frame["head"]), last, "SYNC says how far the replay came");
                break;
            }
            // The reader before this one is missed.
            "LEAVE" => {}
            _ => panic!("{frame}"),
        }
    }
    assert!(number(&state["head"]) <= last);
    for _ in 0..LIVE {
        let frame = next_talk(reader).await;
        assert_eq!(number(&frame["rev"]), last + 1, "live after the replay after {since}");
        last += 1;
    }
    last
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_full_load_replay_and_live_meet_without_hole_or_repeat() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("busy").await;
    let epoch = madang.get(&format!("/chat/{room}/messages")).await.json()["epoch"].clone();
    let talker = Talker::start(&madang, &room).await;
    let mut last: u64 = 0;
    for round in 0..12 {
        let mut reader = v1(&madang).await;
        // From where it was, from a while ago, and now and then from long ago.
        let since = last.saturating_sub([0, 30, 0, 500, 0, 2_000][round % 6]);
        last = read_on(&mut reader, &room, since, &epoch).await;
        if round % 2 == 0 {
            last = read_on(&mut reader, &room, last, &epoch).await;
        }
    }
    talker.stop().await;
}

async fn next_talk(ears: &mut Ears) -> Value {
    loop {
        let frame = ears.next_json().await;
        if frame["type"] == "TALK" {
            return frame;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_since_the_live_stream_begins_right_after_the_head_that_room_names() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("busy").await;
    let talker = Talker::start(&madang, &room).await;
    for _ in 0..15 {
        let mut reader = v1(&madang).await;
        let head = number(&reader.enter(&room, "reader").await["head"]);
        for expected in head + 1..=head + LIVE {
            assert_eq!(number(&next_talk(&mut reader).await["rev"]), expected);
        }
    }
    talker.stop().await;
}
