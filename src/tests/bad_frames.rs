//! What a client may get wrong. Nothing in a text frame closes its socket.

use super::harness::{Madang, Socket, id, open, v1};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

const FRAME_LIMIT: usize = 64 * 1024;

/// A valid TALK for `room` of exactly `length` bytes.
fn talk_of(length: usize, room: &str) -> String {
    let frame = |message: &str| {
        format!(
            r#"{{"type":"TALK","roomId":"{room}","id":"{}","message":"{message}"}}"#,
            "0190a5e4-0000-7000-8000-00000000abcd"
        )
    };
    frame(&"x".repeat(length - frame("").len()))
}

/// That the socket still speaks and hears.
async fn assert_goes_on(socket: &mut Socket, room: &str) {
    socket.talk(room, "and on").await;
    socket.expect_talk("and on").await;
}

fn bad_frames(room: &str) -> Vec<(String, &'static str)> {
    let room = |rest: &str| format!(r#"{{"roomId":"{room}",{rest}}}"#);
    vec![
        ("{".into(), "bad_frame"),
        (r#"{"type":"TALK""#.into(), "bad_frame"),
        ("{not json}".into(), "bad_frame"),
        ("  {} trailing".into(), "bad_frame"),
        ("{}".into(), "bad_frame"),
        (r#"{"type":null}"#.into(), "bad_frame"),
        (r#"{"type":5}"#.into(), "bad_frame"),
        (room(r#""type":"SHOUT","message":"a""#), "bad_frame"),
        (room(r#""type":"talk","message":"a""#), "bad_frame"),
        (room(r#""message":"no type""#), "bad_frame"),
        (r#"{"type":"TALK","message":"no room"}"#.into(), "bad_frame"),
        (r#"{"type":"TALK","roomId":[],"message":"a"}"#.into(), "bad_frame"),
        (r#"{"type":"TALK","roomId":5,"message":"a"}"#.into(), "bad_frame"),
        (r#"{"type":"ENTER","roomId":{},"sender":"a"}"#.into(), "bad_frame"),
        (room(r#""type":"TALK""#), "bad_frame"),
        (room(r#""type":"TALK","message":5"#), "bad_frame"),
        (room(r#""type":"TALK","message":null"#), "bad_frame"),
        (room(r#""type":"TALK","message":["a"]"#), "bad_frame"),
        (room(r#""type":"TALK","message":"a","sender":5"#), "bad_frame"),
        (room(r#""type":"ENTER","sender":{}"#), "bad_frame"),
        (room(r#""type":"ENTER""#), "bad_frame"),
        (room(r#""type":"EDIT","id":"x","message":"a""#), "bad_frame"),
        (room(r#""type":"DELETE","id":"x""#), "bad_frame"),
        (room(r#""type":"REACT","id":"x","emoji":"😀","on":true"#), "bad_frame"),
        (room(r#""type":"READ","seq":"1""#), "bad_frame"),
        (r#"{"type":"ENTER","roomId":"nowhere","sender":"a"}"#.into(), "room_not_found"),
        (format!(r#"{{"type":"ENTER","roomId":"{}","sender":"a"}}"#, id()), "room_not_found"),
        (format!(r#"{{"type":"TALK","roomId":"{}","message":"a"}}"#, id()), "not_entered"),
        (format!(r#"{{"type":"LEAVE","roomId":"{}"}}"#, id()), "not_entered"),
        (room(r#""type":"TALK","message":"""#), "message_empty"),
        (room("\"type\":\"TALK\",\"message\":\" \\n\\t\u{3000}\""), "message_empty"),
        (room(&format!(r#""type":"TALK","message":"{}""#, "가".repeat(8_001))), "message_too_long"),
        ("[".repeat(10_000), "bad_frame"),
        (format!("{{\"a\":{}", "[".repeat(10_000)), "bad_frame"),
        ("\u{feff}{}".into(), "bad_frame"),
    ]
}

#[tokio::test]
async fn every_bad_frame_is_answered_by_its_error_and_the_socket_goes_on() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("bad").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    for (frame, code) in bad_frames(&room) {
        mina.send_text(frame.clone()).await;
        let error = mina.next_json().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("ERROR"), &json!(code)), "{frame:.200} {error}");
        assert_goes_on(&mut mina, &room).await;
    }
}

#[tokio::test]
async fn v1_answers_every_bad_frame_in_the_same_way() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("bad").await;
    let mut mina = v1(&madang).await;
    mina.enter(&room, "mina").await;
    for (frame, code) in bad_frames(&room) {
        // In v1 a TALK needs an id as well.
        let frame = frame.replace(r#""type":"TALK","#, &format!(r#""type":"TALK","id":"{}","#, id()));
        mina.send_text(frame.clone()).await;
        let error = mina.next_json().await;
        assert_eq!((&error["type"], &error["code"]), (&json!("ERROR"), &json!(code)), "{frame:.200} {error}");
        assert_goes_on(&mut mina, &room).await;
    }
}

#[tokio::test]
async fn an_error_names_the_room_and_the_id_of_the_frame_that_it_answers() {
    let madang = Madang::start().await;
    let room = madang.new_room("named").await;
    let mut mina = v1(&madang).await;
    let talk = id();
    mina.send(json!({"type": "TALK", "roomId": room, "id": talk, "message": "a"})).await;
    let error = mina.expect_error("not_entered").await;
    assert_eq!((&error["roomId"], &error["id"]), (&json!(room), &json!(talk)));
    mina.send(json!({"type": "EDIT", "roomId": room, "id": talk, "message": "a"})).await;
    assert_eq!(mina.expect_error("not_entered").await["id"], talk);
    mina.send(json!({"type": "REACT", "roomId": room, "id": talk, "emoji": "👍"})).await;
    let error = mina.expect_error("bad_frame").await;
    assert_eq!((&error["roomId"], &error["id"]), (&json!(room), &json!(talk)));
    mina.enter(&room, "mina").await;
    mina.send(json!({"type": "TALK", "roomId": room, "id": talk, "message": " "})).await;
    assert_eq!(mina.expect_error("message_empty").await["id"], talk);
}

#[tokio::test]
async fn a_message_of_8000_characters_is_heard_whole() {
    let madang = Madang::start().await;
    let room = madang.new_room("long").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    let long = "가".repeat(8_000);
    mina.talk(&room, &long).await;
    mina.expect_talk(&long).await;
}

#[tokio::test]
async fn exactly_64_kib_is_read_and_one_byte_more_closes_with_1009() {
    let madang = Madang::start().await;
    let room = madang.new_room("size").await;
    for dialect in ["open", "v1"] {
        let mut mina = if dialect == "open" { open(&madang).await } else { v1(&madang).await };
        mina.enter(&room, dialect).await;
        mina.send_text(talk_of(FRAME_LIMIT, &room)).await;
        mina.expect_error("message_too_long").await;
        assert_goes_on(&mut mina, &room).await;
        mina.send_text(talk_of(FRAME_LIMIT + 1, &room)).await;
        assert_eq!(mina.expect_close().await, 1009);
    }
}

#[tokio::test]
async fn a_message_in_fragments_counts_as_a_whole() {
    let madang = Madang::start().await;
    let room = madang.new_room("fragments").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    let fragment =
        |text: &str, code, last| Message::Frame(Frame::message(text.as_bytes().to_vec(), OpCode::Data(code), last));
    let frame = json!({"type": "TALK", "roomId": room, "message": "in two parts"}).to_string();
    let (head, tail) = frame.split_at(20);
    mina.mouth.try_send(fragment(head, Data::Text, false)).await.expect("sent");
    mina.mouth.try_send(fragment(tail, Data::Continue, true)).await.expect("sent");
    mina.expect_talk("in two parts").await;

    let half = "x".repeat(FRAME_LIMIT / 2 + 1);
    mina.mouth.try_send(fragment(&half, Data::Text, false)).await.expect("sent");
    mina.mouth.try_send(fragment(&half, Data::Continue, true)).await.expect("sent");
    assert_eq!(mina.expect_close().await, 1009);
}

#[tokio::test]
async fn a_binary_frame_closes_with_1003() {
    let madang = Madang::start().await;
    for mut socket in [open(&madang).await, v1(&madang).await] {
        socket.mouth.try_send(Message::binary(b"{}".to_vec())).await.expect("sent");
        assert_eq!(socket.expect_close().await, 1003);
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_with_1007() {
    let madang = Madang::start().await;
    for mut socket in [open(&madang).await, v1(&madang).await] {
        let broken = Frame::message(vec![b'{', 0xc3, 0x28, b'}'], OpCode::Data(Data::Text), true);
        socket.mouth.try_send(Message::Frame(broken)).await.expect("sent");
        assert_eq!(socket.expect_close().await, 1007);
    }
}

#[tokio::test]
async fn the_close_code_arrives_although_more_was_sent_meanwhile() {
    let madang = Madang::start().await;
    let room = madang.new_room("unread").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    mina.mouth.try_send(Message::binary(b"x".to_vec())).await.expect("sent");
    for _ in 0..50 {
        // Unread input on a socket that closes would make the kernel send a reset.
        if mina.mouth.try_send(Message::text("y".repeat(10_000))).await.is_err() {
            break;
        }
    }
    assert_eq!(mina.expect_close().await, 1003);
}

#[tokio::test]
async fn what_one_client_gets_wrong_the_others_do_not_notice() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("calm").await;
    let (mut mina, mut noisy) = (open(&madang).await, open(&madang).await);
    mina.enter(&room, "mina").await;
    noisy.enter(&room, "noisy").await;
    mina.expect("ENTER").await;
    let frames = bad_frames(&room);
    for (frame, _) in &frames {
        noisy.send_text(frame.clone()).await;
    }
    for (frame, code) in &frames {
        let answer: Value = noisy.next_json().await;
        assert_eq!(answer["code"], *code, "{frame:.200}: answered in order");
    }
    noisy.talk(&room, "marker").await;
    mina.expect_talk("marker").await;
}
