//! Editing, deleting, reacting and read marks: each change takes the room's next number, once.

use super::harness::{Madang, Socket, id, number, open, text, v1, v1_as};
use serde_json::{Value, json};

/// Two persons in one room, mina's first message in it.
struct Yard {
    madang: Madang,
    room: String,
    mina: Socket,
    jun: Socket,
    first: Value,
}

impl Yard {
    async fn open(message: &str) -> Self {
        let madang = Madang::start_unlimited().await;
        let room = madang.new_room("changing").await;
        let (as_mina, as_jun) = (madang.sign_in("mina").await, madang.sign_in("jun").await);
        let (mut mina, mut jun) = (v1_as(&madang, &as_mina).await, v1_as(&madang, &as_jun).await);
        mina.enter(&room, "").await;
        jun.enter(&room, "").await;
        mina.expect("ENTER").await;
        mina.talk(&room, message).await;
        let first = mina.expect_talk(message).await;
        jun.expect_talk(message).await;
        Self { madang, room, mina, jun, first }
    }

    /// A frame about mina's first message.
    fn about(&self, kind: &str, fields: Value) -> Value {
        let mut frame = json!({"type": kind, "roomId": self.room, "id": self.first["id"]});
        frame.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        frame
    }

    /// The same TALK, heard by both.
    async fn heard(&mut self) -> Value {
        let talk = self.mina.expect("TALK").await;
        assert_eq!(self.jun.expect("TALK").await, talk);
        talk
    }
}

#[tokio::test]
async fn an_edit_is_the_same_message_with_the_next_number() {
    let mut yard = Yard::open("frist").await;
    yard.mina.send(yard.about("EDIT", json!({"message": "first", "ifRev": 1}))).await;
    let edited = yard.heard().await;
    assert_eq!((number(&edited["seq"]), number(&edited["rev"])), (1, 2));
    for same in ["id", "sender", "person", "at", "roomId"] {
        assert_eq!(edited[same], yard.first[same], "{same}");
    }
    assert_eq!(edited["message"], "first");
    assert!(text(&edited["editedAt"]) >= text(&edited["at"]), "{edited}");

    // What changes nothing takes no number and is answered to the one who asked alone.
    yard.mina.send(yard.about("EDIT", json!({"message": "first"}))).await;
    assert_eq!(yard.mina.expect("TALK").await, edited);
    yard.mina.send(yard.about("EDIT", json!({"message": "late", "ifRev": 1}))).await;
    assert_eq!(yard.mina.expect_error("id_conflict").await["id"], yard.first["id"]);
    yard.mina.send(yard.about("EDIT", json!({"message": " "}))).await;
    yard.mina.expect_error("message_empty").await;
    yard.mina.talk(&yard.room, "next").await;
    assert_eq!(number(&yard.heard().await["seq"]), 3);
}

#[tokio::test]
async fn a_deleted_message_is_a_tombstone_at_its_place() {
    let mut yard = Yard::open("unsaid").await;
    yard.mina.send(yard.about("DELETE", json!({}))).await;
    let gone = yard.heard().await;
    assert_eq!((&gone["deleted"], &gone["message"], &gone["rev"]), (&json!(true), &json!(""), &json!(2)));
    for _ in 0..2 {
        yard.mina.send(yard.about("DELETE", json!({}))).await;
        assert_eq!(yard.mina.expect("TALK").await, gone, "twice is once");
    }
    yard.mina.send(yard.about("EDIT", json!({"message": "back"}))).await;
    yard.mina.expect_error("message_not_found").await;
    // A late retry of the first sending brings nothing back.
    let room = yard.room.clone();
    yard.mina.send(json!({"type": "TALK", "roomId": room, "id": yard.first["id"], "message": "unsaid"})).await;
    assert_eq!(yard.mina.expect("TALK").await, gone);
    assert_eq!(yard.madang.history(&room).await[0]["deleted"], true);
}

#[tokio::test]
async fn nobody_changes_what_somebody_else_said() {
    let mut yard = Yard::open("mine").await;
    for (kind, fields) in [("EDIT", json!({"message": "yours"})), ("DELETE", json!({}))] {
        yard.jun.send(yard.about(kind, fields)).await;
        yard.jun.expect_error("forbidden").await;
    }
    let mut guest = v1(&yard.madang).await;
    guest.enter(&yard.room, "sora").await;
    let said = guest.talk(&yard.room, "a guest's").await;
    guest.expect_talk("a guest's").await;
    for id in [&said, text(&yard.first["id"])] {
        for frame in [
            json!({"type": "EDIT", "message": "x"}),
            json!({"type": "DELETE"}),
            json!({"type": "REACT", "emoji": "👍", "on": true}),
        ] {
            let mut frame = frame;
            (frame["roomId"], frame["id"]) = (json!(yard.room), json!(id));
            guest.send(frame).await;
            guest.expect_error("forbidden").await;
        }
    }
    yard.mina.send(json!({"type": "DELETE", "roomId": yard.room, "id": id()})).await;
    while yard.mina.next_json().await["code"] != "message_not_found" {}
    assert_eq!(number(&yard.madang.get(&format!("/chat/{}", yard.room)).await.json()["head"]), 2);
}

#[tokio::test]
async fn reactions_are_numbered_and_count_once() {
    let mut yard = Yard::open("봄이네요").await;
    yard.jun.send(yard.about("REACT", json!({"emoji": "🌸", "on": true}))).await;
    let liked = yard.heard().await;
    assert_eq!((&liked["rev"], &liked["reactions"]), (&json!(2), &json!([{"emoji": "🌸", "by": ["jun"]}])));
    yard.jun.send(yard.about("REACT", json!({"emoji": "🌸", "on": true}))).await;
    assert_eq!(yard.jun.expect("TALK").await, liked, "to the one who asked alone");
    yard.mina.send(yard.about("REACT", json!({"emoji": "🌸", "on": true}))).await;
    assert_eq!(yard.heard().await["reactions"], json!([{"emoji": "🌸", "by": ["jun", "mina"]}]));
    yard.jun.send(yard.about("REACT", json!({"emoji": "🌸", "on": false}))).await;
    assert_eq!(yard.heard().await["reactions"], json!([{"emoji": "🌸", "by": ["mina"]}]));
    yard.jun.send(yard.about("REACT", json!({"emoji": "nice", "on": true}))).await;
    yard.jun.expect_error("bad_frame").await;
}

#[tokio::test]
async fn a_replay_brings_each_changed_message_once_tombstones_included() {
    let mut yard = Yard::open("one").await;
    for n in ["two", "three"] {
        yard.mina.talk(&yard.room, n).await;
        yard.heard().await;
    }
    yard.mina.send(yard.about("EDIT", json!({"message": "ONE"}))).await;
    yard.heard().await;
    yard.mina.send(yard.about("DELETE", json!({}))).await;
    let gone = yard.heard().await;
    let mut reader = v1(&yard.madang).await;
    for (since, revs) in [(0, vec![2, 3, 5]), (3, vec![5]), (4, vec![5]), (5, vec![])] {
        reader.send(json!({"type": "ENTER", "roomId": yard.room, "sender": "reader", "since": since})).await;
        assert_eq!(reader.expect("ROOM").await["head"], 5);
        let mut heard = Vec::new();
        loop {
            let frame = reader.next_json().await;
            if frame["type"] == "SYNC" {
                assert_eq!(frame["head"], 5);
                break;
            }
            if frame["rev"] == 5 {
                assert_eq!(frame, gone);
            }
            heard.push(number(&frame["rev"]));
        }
        assert_eq!(heard, revs, "since {since}");
    }
}

#[tokio::test]
async fn the_open_dialect_hears_new_messages_and_not_their_changes() {
    let mut yard = Yard::open("once").await;
    let mut sora = open(&yard.madang).await;
    sora.enter(&yard.room, "sora").await;
    for frame in [yard.about("EDIT", json!({"message": "twice"})), yard.about("DELETE", json!({}))] {
        yard.mina.send(frame).await;
    }
    yard.mina.talk(&yard.room, "and then").await;
    assert_eq!(sora.expect("TALK").await["message"], "and then");
    sora.send(yard.about("EDIT", json!({"message": "mine"}))).await;
    sora.expect_error("bad_frame").await;
}

#[tokio::test]
async fn a_read_mark_goes_to_the_same_persons_other_connections_and_only_forward() {
    let Yard { madang, room, mut mina, mut jun, .. } = Yard::open("1").await;
    for n in 2..=5 {
        mina.talk(&room, &n.to_string()).await;
        mina.expect("TALK").await;
        jun.expect("TALK").await;
    }
    let cookie = madang.call("sign_in", &[("name", "sora")], None).await.cookie();
    let (mut here, mut there) = (v1_as(&madang, &cookie).await, v1_as(&madang, &cookie).await);
    there.send(json!({"type": "PING"})).await;
    there.expect("PONG").await;
    for (seq, unread, moved) in [(4, false, Some(4)), (2, false, None), (99, false, Some(5)), (2, true, Some(2))] {
        here.send(json!({"type": "READ", "roomId": room, "seq": seq, "unread": unread})).await;
        if let Some(moved) = moved {
            let mark = json!({"type": "READ", "roomId": room, "seq": moved, "unread": 5 - moved, "messageCount": 5});
            assert_eq!(there.next_json().await, mark);
        }
    }
    here.send(json!({"type": "PING"})).await;
    here.expect("PONG").await;
    here.send(json!({"type": "READ", "roomId": id(), "seq": 1})).await;
    here.expect_error("room_not_found").await;

    let mut later = v1_as(&madang, &cookie).await;
    later.send(json!({"type": "WATCH", "on": true})).await;
    while later.next_json().await != json!({"type": "READ", "roomId": room, "seq": 2, "unread": 3, "messageCount": 5}) {
    }
    // A guest's is not kept, and mina hears nothing of any of this.
    let mut guest = v1(&madang).await;
    guest.send(json!({"type": "READ", "roomId": room, "seq": 1})).await;
    guest.send(json!({"type": "PING"})).await;
    guest.expect("PONG").await;
    mina.send(json!({"type": "PING"})).await;
    mina.expect("PONG").await;
}

#[tokio::test]
async fn whoever_has_not_seen_what_is_taken_back_hears_how_much_is_unread_now() {
    let mut yard = Yard::open("read").await;
    yard.mina.talk(&yard.room, "not read").await;
    let second = yard.mina.expect_talk("not read").await;
    let as_sora = yard.madang.sign_in("sora").await;
    let mut sora = v1_as(&yard.madang, &as_sora).await;
    let mut other = v1_as(&yard.madang, &as_sora).await;
    sora.send(json!({"type": "READ", "roomId": yard.room, "seq": 1})).await;
    other.expect("READ").await;
    sora.send(json!({"type": "WATCH", "on": true})).await;
    let mark = next_mark(&mut sora).await;
    assert_eq!((&mark["seq"], &mark["unread"], &mark["recounted"]), (&json!(1), &json!(1), &Value::Null));

    // What was read already is no news.
    yard.mina.send(yard.about("DELETE", json!({}))).await;
    yard.mina.expect("TALK").await;
    while sora.expect("LIST").await["head"] != 3 {}
    sora.send(json!({"type": "READ", "roomId": yard.room, "seq": 1, "count": true})).await;
    let mark = next_mark(&mut sora).await;
    assert_eq!((&mark["seq"], &mark["unread"], &mark["recounted"]), (&json!(1), &json!(1), &json!(true)), "asked for");

    yard.first = second;
    yard.mina.send(yard.about("DELETE", json!({}))).await;
    let mark = next_mark(&mut sora).await;
    assert_eq!(
        (&mark["seq"], &mark["unread"], &mark["messageCount"], &mark["recounted"]),
        (&json!(1), &json!(0), &json!(2), &json!(true))
    );
    // What is refused is named, as READ has no id.
    let nowhere = "00000000-0000-7000-8000-000000000000";
    other.send(json!({"type": "READ", "roomId": nowhere, "seq": 7})).await;
    let error = other.expect_error("room_not_found").await;
    assert_eq!((&error["roomId"], &error["seq"]), (&json!(nowhere), &json!(7)));
    // Without the list there is no number to mend.
    other.send(json!({"type": "PING"})).await;
    other.expect("PONG").await;
}

#[tokio::test]
async fn ones_own_words_are_unread_on_no_connection_of_ones_own() {
    let mut yard = Yard::open("theirs").await;
    let as_sora = yard.madang.sign_in("sora").await;
    let mut sora = v1_as(&yard.madang, &as_sora).await;
    sora.enter(&yard.room, "").await;
    sora.send(json!({"type": "READ", "roomId": yard.room, "seq": 1})).await;
    let mut other = v1_as(&yard.madang, &as_sora).await;
    for socket in [&mut sora, &mut other] {
        socket.send(json!({"type": "WATCH", "on": true})).await;
        socket.send(json!({"type": "PING"})).await;
        while socket.next_json().await["type"] != "PONG" {}
    }
    sora.talk(&yard.room, "own").await;
    let mark = loop {
        let frame = other.next_json().await;
        // Who came, perhaps.
        if frame["messageCount"] != 1 {
            break frame;
        }
    };
    assert_eq!(
        (&mark["type"], &mark["seq"], &mark["unread"], &mark["messageCount"]),
        (&json!("READ"), &json!(1), &json!(0), &json!(2)),
        "before the list says that there is something new"
    );
    assert_eq!(other.expect("LIST").await["messageCount"], 2);
    yard.jun.talk(&yard.room, "another's").await;
    assert_eq!(other.expect("LIST").await["messageCount"], 3);
}

/// The next READ; there may be rows of the list before it.
async fn next_mark(watcher: &mut Socket) -> Value {
    loop {
        let frame = watcher.next_json().await;
        if frame["type"] != "LIST" {
            assert_eq!(frame["type"], "READ", "{frame}");
            return frame;
        }
    }
}

#[tokio::test]
async fn a_text_that_was_deleted_or_edited_away_is_off_the_disk() {
    let mut yard = Yard::open("SECRET-OF-THE-FIRST-TEXT").await;
    assert!(yard.madang.disk_holds("SECRET-OF-THE-FIRST-TEXT"));
    yard.mina.send(yard.about("EDIT", json!({"message": "SECRET-OF-THE-SECOND-TEXT"}))).await;
    yard.heard().await;
    assert!(yard.madang.disk_holds("SECRET-OF-THE-SECOND-TEXT"));
    yard.madang.disk_forgets("SECRET-OF-THE-FIRST-TEXT").await;
    yard.mina.send(yard.about("DELETE", json!({}))).await;
    yard.heard().await;
    yard.madang.disk_forgets("SECRET-OF-THE-SECOND-TEXT").await;
}

#[tokio::test]
async fn an_answer_to_one_alone_does_not_overtake_what_everybody_hears() {
    let mut yard = Yard::open("one").await;
    let edits = (0..20).map(|n| yard.about("EDIT", json!({"message": format!("edit {}", n / 2)}))).collect::<Vec<_>>();
    for edit in edits {
        yard.mina.send(edit).await;
    }
    let mut head = 1;
    for _ in 0..20 {
        let rev = number(&yard.mina.expect("TALK").await["rev"]);
        assert!(rev <= head + 1, "after {head} came {rev}");
        head = head.max(rev);
    }
    assert_eq!(head, 11, "every second one changed nothing");
}
