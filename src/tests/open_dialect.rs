//! The open dialect: what the tutorial's clients send, and what everyone then hears.

use super::harness::{Madang, id, open, text, v1};
use serde_json::json;
use uuid::Uuid;

fn assert_first_four_keys(frame: &str) {
    let place = |key: &str| frame.find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("{key} in {frame}"));
    let places = ["type", "roomId", "sender", "message"].map(place);
    assert!(places[0] == 1 && places.is_sorted(), "{frame}");
    let others = ["id", "seq", "rev", "at", "guest", "memberCount"]
        .into_iter()
        .filter_map(|key| frame.find(&format!("\"{key}\":")));
    others.for_each(|other| assert!(other > places[3], "{frame}"));
}

#[tokio::test]
async fn the_tutorials_enter_talk_and_leave_reach_everyone_in_the_tutorials_shape() {
    let madang = Madang::start().await;
    let room = madang.new_room("tutorial").await;
    let (mut mina, mut jun) = (open(&madang).await, open(&madang).await);

    mina.send_text(format!(r#"{{"type":"ENTER","roomId":"{room}","sender":"mina"}}"#)).await;
    let entered = mina.next_text().await;
    assert!(
        entered.starts_with(&format!(
            r#"{{"type":"ENTER","roomId":"{room}","sender":"mina","message":"mina님이 입장했습니다.""#
        )),
        "{entered}"
    );
    assert_first_four_keys(&entered);

    jun.enter(&room, "준").await;
    assert_eq!(mina.expect("ENTER").await["message"], "준님이 입장했습니다.");

    jun.send_text(format!(r#"{{"type":"TALK","roomId":"{room}","sender":"준","message":"안녕하세요"}}"#)).await;
    let heard = jun.next_text().await;
    assert!(
        heard.starts_with(&format!(r#"{{"type":"TALK","roomId":"{room}","sender":"준","message":"안녕하세요""#)),
        "{heard}"
    );
    assert_first_four_keys(&heard);
    assert_eq!(mina.next_text().await, heard, "one frame for all");

    jun.send(json!({"type": "LEAVE", "roomId": room})).await;
    let left = mina.next_text().await;
    assert!(
        left.starts_with(&format!(
            r#"{{"type":"LEAVE","roomId":"{room}","sender":"준","message":"준님이 퇴장했습니다.""#
        )),
        "{left}"
    );
    assert_first_four_keys(&left);

    mina.talk(&room, "still here").await;
    mina.expect_talk("still here").await;
    jun.send(json!({"type": "TALK", "roomId": room, "message": "after leaving"})).await;
    jun.expect_error("not_entered").await;
}

#[tokio::test]
async fn a_talk_reaches_everyone_in_the_room_and_nobody_else() {
    let madang = Madang::start().await;
    let (here, there) = (madang.new_room("here").await, madang.new_room("there").await);
    let (mut mina, mut jun, mut other) = (open(&madang).await, v1(&madang).await, open(&madang).await);
    mina.enter(&here, "mina").await;
    jun.enter(&here, "jun").await;
    other.enter(&there, "other").await;
    mina.expect("ENTER").await;

    mina.talk(&here, "for us").await;
    mina.expect_talk("for us").await;
    jun.expect_talk("for us").await;
    other.talk(&there, "marker").await;
    other.expect_talk("marker").await;
    mina.talk(&here, "marker").await;
    mina.expect_talk("marker").await;
}

#[tokio::test]
async fn one_connection_may_be_in_several_rooms() {
    let madang = Madang::start().await;
    let (one, two) = (madang.new_room("1").await, madang.new_room("2").await);
    let mut mina = open(&madang).await;
    mina.enter(&one, "mina").await;
    mina.enter(&two, "mina").await;
    for room in [&two, &one, &two] {
        mina.talk(room, room).await;
        assert_eq!(mina.expect_talk(room).await["roomId"], **room);
    }
}

#[tokio::test]
async fn entering_again_resynchronises_only_the_one_who_does() {
    let madang = Madang::start().await;
    let room = madang.new_room("again").await;
    let (mut mina, mut jun) = (open(&madang).await, open(&madang).await);
    jun.enter(&room, "jun").await;
    mina.enter(&room, "mina").await;
    jun.expect("ENTER").await;

    mina.enter(&room, "mina").await;
    mina.talk(&room, "marker").await;
    jun.expect_talk("marker").await;
    mina.expect_talk("marker").await;

    mina.send(json!({"type": "ENTER", "roomId": room, "sender": "minna"})).await;
    mina.expect_error("sender_mismatch").await;
    mina.talk(&room, "as before").await;
    assert_eq!(jun.expect_talk("as before").await["sender"], "mina");
    assert_eq!(madang.get(&format!("/chat/{room}")).await.json()["memberCount"], 2);
}

#[tokio::test]
async fn a_talk_needs_no_sender_but_never_another_one() {
    let madang = Madang::start().await;
    let room = madang.new_room("sender").await;
    let mut mina = open(&madang).await;
    mina.send(json!({"type": "TALK", "roomId": room, "sender": "mina", "message": "too early"})).await;
    assert_eq!(mina.expect_error("not_entered").await["roomId"], room);

    mina.enter(&room, "mina").await;
    mina.send(json!({"type": "TALK", "roomId": room, "message": "without"})).await;
    assert_eq!(mina.expect_talk("without").await["sender"], "mina");
    mina.send(json!({"type": "TALK", "roomId": room, "sender": "mina", "message": "with"})).await;
    mina.expect_talk("with").await;
    for other in ["jun", "", "Mina", "mi\u{200b}na"] {
        mina.send(json!({"type": "TALK", "roomId": room, "sender": other, "message": "forged"})).await;
        mina.expect_error("sender_mismatch").await;
    }
    assert_eq!(madang.history(&room).await.len(), 2);
}

#[tokio::test]
async fn a_message_has_an_id_a_number_a_time_and_the_guests_tag() {
    let madang = Madang::start().await;
    let room = madang.new_room("fields").await;
    let (mut mina, mut twin) = (open(&madang).await, open(&madang).await);
    mina.enter(&room, "mina").await;
    twin.enter(&room, "mina").await;
    mina.expect("ENTER").await;
    let chosen = mina.talk(&room, "one").await;
    let first = mina.expect_talk("one").await;
    let _: Uuid = text(&first["id"]).parse().expect("a UUID");
    assert_ne!(first["id"], chosen.as_str(), "the open dialect has no ids of its own");
    assert_eq!((&first["seq"], &first["rev"]), (&json!(1), &json!(1)));
    let at = text(&first["at"]);
    assert!(at.len() == 24 && at.ends_with('Z') && &at[19..20] == ".", "{at}");

    twin.expect_talk("one").await;
    twin.talk(&room, "two").await;
    let second = mina.expect_talk("two").await;
    assert_eq!((&second["seq"], &second["sender"]), (&json!(2), &json!("mina")), "two guests may share a name");
    assert!(text(&first["guest"]) != text(&second["guest"]) && first["person"].is_null(), "{first} {second}");
}

#[tokio::test]
async fn two_enters_back_to_back_leave_both_members_well() {
    let madang = Madang::start().await;
    let room = madang.new_room("both").await;
    let (mut mina, mut jun) = (open(&madang).await, open(&madang).await);
    let enter = |name| json!({"type": "ENTER", "roomId": room, "sender": name});
    tokio::join!(mina.send(enter("mina")), jun.send(enter("jun")));
    // Whoever came first hears both.
    let (a, b) = (mina.expect("ENTER").await, jun.expect("ENTER").await);
    if a["sender"] == "mina" && a["memberCount"] == 1 {
        assert_eq!(mina.expect("ENTER").await["sender"], "jun");
    } else {
        assert_eq!((&b["sender"], &jun.expect("ENTER").await["sender"]), (&json!("jun"), &json!("mina")));
    }
    mina.talk(&room, "hi").await;
    jun.expect_talk("hi").await;
    jun.talk(&room, "ho").await;
    mina.expect_talk("hi").await;
    mina.expect_talk("ho").await;
}

#[tokio::test]
async fn when_one_member_vanishes_the_others_hear_it_and_talk_on() {
    let madang = Madang::start().await;
    let room = madang.new_room("vanish").await;
    let (mut mina, mut jun, mut gone) = (open(&madang).await, open(&madang).await, open(&madang).await);
    mina.enter(&room, "mina").await;
    jun.enter(&room, "jun").await;
    gone.enter(&room, "gone").await;
    mina.expect("ENTER").await;
    mina.expect("ENTER").await;
    jun.expect("ENTER").await;

    drop(gone);
    for listener in [&mut mina, &mut jun] {
        let left = listener.expect("LEAVE").await;
        assert_eq!(
            (&left["sender"], &left["message"], &left["memberCount"]),
            (&json!("gone"), &json!("gone님이 퇴장했습니다."), &json!(2))
        );
    }
    for n in 0..3 {
        jun.talk(&room, &format!("{n}")).await;
        mina.expect_talk(&format!("{n}")).await;
        jun.expect_talk(&format!("{n}")).await;
    }
    let mut back = open(&madang).await;
    back.enter(&room, "gone").await;
    mina.expect("ENTER").await;
}

#[tokio::test]
async fn v1_frames_are_not_part_of_the_open_dialect() {
    let madang = Madang::start().await;
    let room = madang.new_room("open only").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    for frame in
        [json!({"type": "PING"}), json!({"type": "WATCH", "on": true}), json!({"type": "TYPING", "roomId": room})]
    {
        mina.send(frame).await;
        mina.expect_error("bad_frame").await;
    }
    mina.send(json!({"type": "ENTER", "roomId": room, "sender": "mina", "since": 0, "epoch": id()})).await;
    mina.expect("ENTER").await;
    mina.talk(&room, "marker").await;
    mina.expect_talk("marker").await;
}

#[tokio::test]
async fn the_101st_room_is_too_many_for_one_connection() {
    let madang = Madang::start_unlimited().await;
    let mut mina = open(&madang).await;
    for n in 1..=100 {
        let room = madang.new_room(&format!("{n}")).await;
        mina.enter(&room, "mina").await;
    }
    let one_more = madang.new_room("101").await;
    mina.send(json!({"type": "ENTER", "roomId": one_more, "sender": "mina"})).await;
    assert_eq!(mina.expect_error("too_many_rooms").await["roomId"], one_more);
    let lobby = madang.lobby().await;
    let first = text(&madang.get("/chat").await.json()[1]["roomId"]).to_owned();
    mina.send(json!({"type": "LEAVE", "roomId": first})).await;
    mina.enter(&lobby, "mina").await;
}
