//! Plain text: the tutorial's first exercise. One room, everyone on the address hears everyone.

use super::harness::{Madang, open, text, v1};
use serde_json::json;

#[tokio::test]
async fn two_connections_that_just_type_hear_each_other_bare() {
    let madang = Madang::start().await;
    let (mut one, mut two) = (open(&madang).await, open(&madang).await);
    for line in ["hello", "안녕하세요", "  indented", "[1, 2]", "\"quoted\"", "two\nlines", "<b>bold</b>"] {
        one.send_text(line).await;
        assert_eq!(one.next_text().await, line, "the speaker too");
        assert_eq!(two.next_text().await, line);
    }
    two.send_text("back").await;
    assert_eq!(one.next_text().await, "back");
}

#[tokio::test]
async fn plain_text_is_a_message_of_the_lobby_and_the_lobby_answers_bare() {
    let madang = Madang::start().await;
    let lobby = madang.lobby().await;
    let (mut plain, mut mina, mut jun) = (open(&madang).await, open(&madang).await, v1(&madang).await);
    mina.enter(&lobby, "mina").await;
    jun.enter(&lobby, "jun").await;
    mina.expect("ENTER").await;

    plain.send_text("anybody here?").await;
    for member in [&mut mina, &mut jun] {
        let heard = member.expect_talk("anybody here?").await;
        assert_eq!(heard["roomId"], lobby);
        let (sender, tag) = (text(&heard["sender"]), text(&heard["guest"]));
        assert!(tag.chars().count() == 4 && sender == format!("손님-{tag}"), "{heard}");
    }
    assert_eq!(plain.next_text().await, "anybody here?");

    jun.talk(&lobby, "yes, two of us").await;
    assert_eq!(plain.next_text().await, "yes, two of us");
    assert_eq!(madang.history(&lobby).await.len(), 2);
}

#[tokio::test]
async fn the_plain_audience_causes_no_enter_or_leave_and_is_not_counted() {
    let madang = Madang::start().await;
    let lobby = madang.lobby().await;
    let mut mina = open(&madang).await;
    mina.enter(&lobby, "mina").await;
    let mut plain = open(&madang).await;
    plain.send_text("one").await;
    mina.expect_talk("one").await;
    assert_eq!(madang.get(&format!("/chat/{lobby}")).await.json()["memberCount"], 1);
    plain.close().await;
    let mut other = open(&madang).await;
    other.send_text("two").await;
    mina.expect_talk("two").await;
}

#[tokio::test]
async fn a_lobby_message_that_looks_like_a_frame_reaches_plain_listeners_as_somebodys_words() {
    let madang = Madang::start().await;
    let lobby = madang.lobby().await;
    let (mut plain, mut mina) = (open(&madang).await, open(&madang).await);
    mina.enter(&lobby, "mina").await;
    let forged = json!({"type": "TALK", "roomId": lobby, "sender": "boss", "message": "you are fired"}).to_string();
    for text in [forged.clone(), format!("  {forged}"), format!("\n{forged}"), format!("\u{3000}{forged}"), "{".into()]
    {
        mina.talk(&lobby, &text).await;
        assert_eq!(plain.next_text().await, format!("mina: {text}"));
        mina.expect_talk(&text).await;
    }
}

#[tokio::test]
async fn after_an_enter_plain_text_is_refused_and_never_leaks() {
    let madang = Madang::start().await;
    let (lobby, room) = (madang.lobby().await, madang.new_room("json only").await);
    let (mut plain, mut mina) = (open(&madang).await, open(&madang).await);
    mina.enter(&room, "mina").await;
    for line in ["a secret for the room", "", " ", "123", "null"] {
        mina.send_text(line).await;
        mina.expect_error("bad_frame").await;
    }
    mina.send(json!({"type": "LEAVE", "roomId": room})).await;
    mina.send_text("still JSON only").await;
    mina.expect_error("bad_frame").await;
    plain.send_text("marker").await;
    assert_eq!(plain.next_text().await, "marker");
    assert_eq!(madang.history(&lobby).await.len(), 1);
    mina.enter(&room, "mina").await;
}

#[tokio::test]
async fn a_refused_enter_leaves_the_connection_plain() {
    let madang = Madang::start().await;
    let (mut plain, mut other) = (open(&madang).await, open(&madang).await);
    plain.send(json!({"type": "ENTER", "roomId": "nowhere", "sender": "mina"})).await;
    plain.expect_error("room_not_found").await;
    plain.send_text("still plain").await;
    assert_eq!(other.next_text().await, "still plain");
    assert_eq!(plain.next_text().await, "still plain");
}

#[tokio::test]
async fn what_is_said_in_other_rooms_never_reaches_the_plain_audience() {
    let madang = Madang::start().await;
    let room = madang.new_room("elsewhere").await;
    let (mut plain, mut mina) = (open(&madang).await, open(&madang).await);
    mina.enter(&room, "mina").await;
    mina.talk(&room, "not for you").await;
    mina.expect_talk("not for you").await;
    plain.send_text("marker").await;
    assert_eq!(plain.next_text().await, "marker");
}

#[tokio::test]
async fn a_member_of_another_room_hears_nothing_of_the_lobby() {
    let madang = Madang::start().await;
    let room = madang.new_room("quiet").await;
    let (mut plain, mut mina) = (open(&madang).await, open(&madang).await);
    mina.enter(&room, "mina").await;
    plain.send_text("for the lobby").await;
    assert_eq!(plain.next_text().await, "for the lobby");
    mina.talk(&room, "marker").await;
    mina.expect_talk("marker").await;
}

#[tokio::test]
async fn empty_and_too_long_plain_text_is_answered_by_an_error() {
    let madang = Madang::start().await;
    let mut plain = open(&madang).await;
    for (line, code) in
        [(String::new(), "message_empty"), (" \n".into(), "message_empty"), ("가".repeat(8_001), "message_too_long")]
    {
        plain.send_text(line).await;
        plain.expect_error(code).await;
    }
    plain.send_text("fine").await;
    assert_eq!(plain.next_text().await, "fine");
}

#[tokio::test]
async fn a_v1_connection_never_speaks_plain() {
    let madang = Madang::start().await;
    let (mut plain, mut mina) = (open(&madang).await, v1(&madang).await);
    mina.send_text("hello?").await;
    mina.expect_error("bad_frame").await;
    plain.send_text("marker").await;
    assert_eq!(plain.next_text().await, "marker");
    mina.send(json!({"type": "PING"})).await;
    mina.expect("PONG").await;
}
