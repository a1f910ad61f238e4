//! Coming back: ENTER with `since` brings every later change and then the live stream, with no hole
//! and no repeat between the two.

use super::harness::{Madang, Mouth, Place, Socket, id, number, open, text, v1};
use serde_json::{Value, json};

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
    for n in 0..1_200 {
        mina.talk(&room, &format!("{n}")).await;
        mina.expect("TALK").await;
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

/// So many that a reader can come and go while they are written …
const MESSAGES: u64 = 4_000;
/// … and hear a few live after each replay.
const LIVE: u64 = 5;

/// Talks as fast as it can, `count` times.
async fn write(mut mouth: Mouth, room: String, count: u64) -> Mouth {
    for n in 1..=count {
        mouth.talk(&room, &format!("{n}")).await;
    }
    mouth
}

/// Enters with `since` and checks each frame up to a few after the SYNC, if so many are still to
/// come. Gives the last number, and whether something came live.
async fn read_on(reader: &mut Socket, room: &str, since: u64, epoch: &Value) -> (u64, bool) {
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
    let synced = last;
    while last < MESSAGES && last < synced + LIVE {
        let frame = next_talk(reader).await;
        assert_eq!(number(&frame["rev"]), last + 1, "live after the replay after {since}");
        last += 1;
    }
    (last, last == synced + LIVE)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_full_load_replay_and_live_meet_without_hole_or_repeat() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("busy").await;
    let mut writer = open(&madang).await;
    writer.enter(&room, "writer").await;
    let epoch = madang.get(&format!("/chat/{room}/messages")).await.json()["epoch"].clone();
    let (mouth, mut ears) = writer.halves();
    let writing = tokio::spawn(write(mouth, room.clone(), MESSAGES));
    let hearing = tokio::spawn(async move { while number(&next_talk(&mut ears).await["seq"]) < MESSAGES {} });

    let (mut last, mut rounds, mut met_live) = (0, 0, 0);
    while last < MESSAGES {
        let mut reader = v1(&madang).await;
        // From where it was, from a while ago, and now and then from the very beginning.
        let since = [last, last.saturating_sub(30), last, last / 2, last, 0][rounds % 6];
        let mut live;
        (last, live) = read_on(&mut reader, &room, since, &epoch).await;
        met_live += usize::from(live);
        if rounds % 2 == 0 {
            (last, live) = read_on(&mut reader, &room, last, &epoch).await;
            met_live += usize::from(live);
        }
        rounds += 1;
    }
    writing.await.expect("the writer");
    hearing.await.expect("everything was stored");
    assert!(met_live >= 5, "a replay met the live stream only {met_live} times in {rounds} rounds");
}

async fn next_talk(ears: &mut super::harness::Ears) -> Value {
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
    let mut writer = open(&madang).await;
    writer.enter(&room, "writer").await;
    let (mouth, mut ears) = writer.halves();
    let writing = tokio::spawn(write(mouth, room.clone(), MESSAGES));
    let hearing = tokio::spawn(async move { while number(&next_talk(&mut ears).await["seq"]) < MESSAGES {} });
    loop {
        let mut reader = v1(&madang).await;
        let head = number(&reader.enter(&room, "reader").await["head"]);
        if head + LIVE >= MESSAGES {
            break;
        }
        for expected in head + 1..=head + LIVE {
            assert_eq!(number(&next_talk(&mut reader).await["rev"]), expected);
        }
    }
    writing.await.expect("the writer");
    hearing.await.expect("everything was stored");
}
