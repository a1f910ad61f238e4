//! Our own dialect: entering, acknowledgement, repeats, replies.

use super::harness::{Madang, connect, id, open, text, v1};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

#[tokio::test]
async fn the_subprotocol_is_echoed_to_v1_alone() {
    let madang = Madang::start().await;
    let (_, response) = connect(&madang, &[("sec-websocket-protocol", "madang.v1")]).await;
    assert_eq!(response.headers()["sec-websocket-protocol"], "madang.v1");
    let (_, response) = connect(&madang, &[]).await;
    assert!(response.headers().get("sec-websocket-protocol").is_none());

    for (offered, echoed) in [("chat", None), ("madang.v2, graphql-ws", None), ("chat, madang.v1", Some("madang.v1"))] {
        let upgrade = madang
            .request(reqwest::Method::GET, "/ws/chat")
            .header("connection", "Upgrade")
            .header("upgrade", "websocket");
        let upgrade =
            upgrade.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        let response = upgrade.header("sec-websocket-protocol", offered).send().await.expect("an answer");
        assert_eq!(response.status(), 101, "{offered}");
        let answer = response.headers().get("sec-websocket-protocol").map(|value| value.to_str().expect("readable"));
        assert_eq!(answer, echoed, "{offered}");
    }
    madang.get("/ws/chat").await.assert_problem(400, "bad_frame");
}

#[tokio::test]
async fn another_version_of_the_protocol_is_told_which_one_there_is() {
    let madang = Madang::start().await;
    let upgrade = madang.request(reqwest::Method::GET, "/ws/chat").header("connection", "Upgrade");
    let upgrade = upgrade.header("upgrade", "websocket").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
    let response = upgrade.header("sec-websocket-version", "8").send().await.expect("an answer");
    assert_eq!(
        (response.status().as_u16(), &response.headers()["sec-websocket-version"]),
        (426, &"13".parse().expect("a value"))
    );
}

#[tokio::test]
async fn enter_is_answered_by_the_state_of_the_room() {
    let madang = Madang::start().await;
    let room = madang.new_room("책 모임").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    mina.talk(&room, "first").await;
    mina.expect_talk("first").await;

    let mut jun = v1(&madang).await;
    let state = jun.enter(&room, "jun").await;
    assert_eq!(
        (&state["name"], &state["head"], &state["memberCount"]),
        (&json!("책 모임"), &json!(1), &json!(2)),
        "{state}"
    );
    assert_eq!(state["epoch"], madang.get(&format!("/chat/{room}/messages")).await.json()["epoch"]);
    let _: Uuid = text(&state["epoch"]).parse().expect("an epoch");
    assert_eq!(state["you"]["sender"], "jun");
    assert!(
        state["you"]["guest"].is_string()
            && state["you"]["person"].is_null()
            && state["reset"].is_null()
            && state["lobby"].is_null(),
        "{state}"
    );
    let names: Vec<&str> =
        state["members"].as_array().expect("members").iter().map(|member| text(&member["sender"])).collect();
    assert_eq!(names, ["jun", "mina"]);

    let mut in_lobby = v1(&madang).await;
    assert_eq!(in_lobby.enter(&madang.lobby().await, "jun").await["lobby"], true);
    // No ENTER of its own, and no SYNC without `since`.
    jun.send(json!({"type": "PING"})).await;
    jun.expect("PONG").await;
}

#[tokio::test]
async fn the_talk_with_its_own_id_is_the_acknowledgement() {
    let madang = Madang::start().await;
    let room = madang.new_room("ack").await;
    let (mut mina, mut jun) = (v1(&madang).await, v1(&madang).await);
    mina.enter(&room, "mina").await;
    jun.enter(&room, "jun").await;
    assert_eq!(mina.expect("ENTER").await["sender"], "jun");
    let sent = mina.talk(&room, "hello").await;
    let acknowledged = mina.expect_talk("hello").await;
    assert_eq!((&acknowledged["id"], &acknowledged["seq"], &acknowledged["rev"]), (&json!(sent), &json!(1), &json!(1)));
    assert_eq!(jun.expect_talk("hello").await, acknowledged);

    mina.send(json!({"type": "TALK", "roomId": room, "message": "no id"})).await;
    mina.expect_error("bad_frame").await;
    mina.send(json!({"type": "TALK", "roomId": room, "id": "7", "message": "no UUID"})).await;
    assert_eq!(mina.expect_error("bad_frame").await["id"], "7");
}

#[tokio::test]
async fn a_repeat_is_answered_to_its_sender_alone_and_another_content_is_a_conflict() {
    let madang = Madang::start().await;
    let room = madang.new_room("repeat").await;
    let (mut mina, mut jun) = (v1(&madang).await, v1(&madang).await);
    mina.enter(&room, "mina").await;
    jun.enter(&room, "jun").await;
    mina.expect("ENTER").await;
    let talk = |id: &str, message: &str| json!({"type": "TALK", "roomId": room, "id": id, "message": message});
    let sent = id();
    mina.send(talk(&sent, "once")).await;
    let first = mina.expect_talk("once").await;
    jun.expect_talk("once").await;

    mina.send(talk(&sent, "once")).await;
    assert_eq!(mina.expect_talk("once").await, first);
    mina.send(talk(&sent, "twice")).await;
    assert_eq!(mina.expect_error("id_conflict").await["id"], sent);
    mina.send(json!({"type": "TALK", "roomId": room, "id": sent, "message": "once", "replyTo": sent})).await;
    mina.expect_error("id_conflict").await;
    jun.send(talk(&sent, "once")).await;
    jun.expect_error("id_conflict").await;
    // The same guest on a new connection is known by the name.
    drop(mina);
    jun.expect("LEAVE").await;
    let mut again = v1(&madang).await;
    again.enter(&room, "mina").await;
    jun.expect("ENTER").await;
    again.send(talk(&sent, "once")).await;
    assert_eq!(again.expect_talk("once").await, first);

    let elsewhere = madang.new_room("other").await;
    again.enter(&elsewhere, "mina").await;
    again.send(json!({"type": "TALK", "roomId": elsewhere, "id": sent, "message": "unique in its room only"})).await;
    again.expect_talk("unique in its room only").await;

    again.talk(&room, "marker").await;
    assert_eq!(jun.expect_talk("marker").await["seq"], 2);
    assert_eq!(madang.history(&room).await.len(), 2);
}

#[tokio::test]
async fn a_repeat_sent_before_the_first_was_answered_is_stored_once() {
    let madang = Madang::start().await;
    let room = madang.new_room("impatient").await;
    let mut mina = v1(&madang).await;
    mina.enter(&room, "mina").await;
    let sent = id();
    for _ in 0..5 {
        mina.send(json!({"type": "TALK", "roomId": room, "id": sent, "message": "now!"})).await;
    }
    for _ in 0..5 {
        let answer = mina.expect_talk("now!").await;
        assert_eq!((&answer["id"], &answer["seq"]), (&json!(sent), &json!(1)));
    }
    assert_eq!(madang.history(&room).await.len(), 1);
}

#[tokio::test]
async fn a_reply_shows_what_it_answers() {
    let madang = Madang::start().await;
    let room = madang.new_room("reply").await;
    let mut mina = v1(&madang).await;
    mina.enter(&room, "mina").await;
    let question = mina.talk(&room, &"가".repeat(200)).await;
    mina.expect("TALK").await;
    let reply = |to: &str| json!({"type": "TALK", "roomId": room, "id": id(), "message": "yes", "replyTo": to});
    mina.send(reply(&question)).await;
    let answer = mina.expect_talk("yes").await;
    let quote = &answer["replyTo"];
    assert_eq!((&quote["id"], &quote["seq"], &quote["sender"]), (&json!(question), &json!(1), &json!("mina")));
    assert_eq!(text(&quote["excerpt"]), format!("{}…", "가".repeat(120)));
    assert_eq!(madang.history(&room).await[1]["replyTo"], *quote);

    mina.send(reply(&id())).await;
    mina.expect_error("message_not_found").await;
    mina.send(reply("no UUID")).await;
    mina.expect_error("bad_frame").await;
}

#[tokio::test]
async fn ping_is_answered_by_pong() {
    let madang = Madang::start().await;
    let mut mina = v1(&madang).await;
    mina.send(json!({"type": "PING", "more": {"ignored": true}})).await;
    assert_eq!(mina.next_json().await, json!({"type": "PONG"}));
}

#[tokio::test]
async fn a_websocket_ping_is_answered_and_a_meant_close_is_returned() {
    let madang = Madang::start().await;
    let mut mina = v1(&madang).await;
    // The server pings a new connection at once.
    assert!(matches!(mina.try_message().await, Some(Message::Ping(_))));
    mina.mouth.try_send(Message::Ping(vec![7].into())).await.expect("sent");
    assert_eq!(mina.try_message().await, Some(Message::Pong(vec![7].into())));
    mina.close().await;
}
