//! Who is there: guests are counted by connection, persons while any connection of theirs remains.

use super::harness::{Madang, Socket, id, number, open, v1, v1_as};
use serde_json::{Value, json};

#[tokio::test]
async fn typing_is_told_to_the_others_and_only_in_v1() {
    let madang = Madang::start().await;
    let room = madang.new_room("typing").await;
    let (mut mina, mut jun, mut plain) = (v1(&madang).await, v1(&madang).await, open(&madang).await);
    mina.enter(&room, "mina").await;
    jun.enter(&room, "jun").await;
    plain.enter(&room, "plain").await;
    mina.expect("ENTER").await;
    mina.expect("ENTER").await;
    jun.expect("ENTER").await;

    mina.send(json!({"type": "TYPING", "roomId": room})).await;
    let typing = jun.expect("TYPING").await;
    assert_eq!((&typing["roomId"], &typing["sender"]), (&json!(room), &json!("mina")));
    mina.send(json!({"type": "TYPING", "roomId": room})).await;
    mina.talk(&room, "marker").await;
    for socket in [&mut mina, &mut jun, &mut plain] {
        // At most one TYPING in two seconds, so jun hears no second one either.
        socket.expect_talk("marker").await;
    }
    mina.send(json!({"type": "TYPING", "roomId": id()})).await;
    mina.expect_error("not_entered").await;
}

#[tokio::test]
async fn leave_is_told_at_once_and_talking_then_needs_enter() {
    let madang = Madang::start().await;
    let room = madang.new_room("leave").await;
    let cookie = madang.sign_in("mina").await;
    let (mut mina, mut jun) = (v1_as(&madang, &cookie).await, v1(&madang).await);
    jun.enter(&room, "jun").await;
    let you = mina.enter(&room, "ignored").await["you"].clone();
    assert_eq!(you["sender"], "mina", "a person is who the session says");
    assert!(you["person"].is_string() && you["guest"].is_null(), "{you}");
    assert_eq!(jun.expect("ENTER").await["person"], you["person"]);

    mina.send(json!({"type": "LEAVE", "roomId": room})).await;
    let left = jun.expect("LEAVE").await;
    assert_eq!((&left["sender"], &left["memberCount"]), (&json!("mina"), &json!(1)));
    mina.talk(&room, "outside").await;
    mina.expect_error("not_entered").await;
    mina.send(json!({"type": "LEAVE", "roomId": room})).await;
    mina.expect_error("not_entered").await;
}

#[tokio::test]
async fn a_persons_second_connection_announces_nothing() {
    let madang = Madang::start().await;
    let room = madang.new_room("twice").await;
    let cookie = madang.sign_in("mina").await;
    let mut jun = v1(&madang).await;
    jun.enter(&room, "jun").await;
    let mut first = v1_as(&madang, &cookie).await;
    first.enter(&room, "").await;
    jun.expect("ENTER").await;

    let mut second = v1_as(&madang, &cookie).await;
    let state = second.enter(&room, "").await;
    assert_eq!((&state["memberCount"], state["members"].as_array().map(Vec::len)), (&json!(2), Some(2)), "{state}");
    second.send(json!({"type": "LEAVE", "roomId": room})).await;
    second.send(json!({"type": "PING"})).await;
    second.expect("PONG").await;
    first.talk(&room, "marker").await;
    jun.expect_talk("marker").await;
    first.close().await;
    assert_eq!(jun.expect("LEAVE").await["sender"], "mina", "told once the last is gone");
}

#[tokio::test]
async fn a_person_who_is_back_within_the_grace_was_never_missed() {
    let madang = Madang::start().await;
    let room = madang.new_room("grace").await;
    let cookie = madang.sign_in("mina").await;
    let mut jun = v1(&madang).await;
    jun.enter(&room, "jun").await;
    for round in 0..5 {
        let mut mina = v1_as(&madang, &cookie).await;
        let state = mina.enter(&room, "").await;
        assert_eq!(state["memberCount"], 2);
        if round == 0 {
            jun.expect("ENTER").await;
        }
        let marker = format!("round {round}");
        mina.talk(&room, &marker).await;
        jun.expect_talk(&marker).await;
        // The line breaks, without a close frame.
        drop(mina);
        pause_for_the_server(&mut jun).await;
    }
    assert_eq!(madang.get(&format!("/chat/{room}")).await.json()["memberCount"], 2, "still there for the others");
}

/// A few round trips, in which the server has every chance to say something that it should not.
async fn pause_for_the_server(socket: &mut Socket) {
    for _ in 0..20 {
        socket.send(json!({"type": "PING"})).await;
        socket.expect("PONG").await;
    }
}

#[tokio::test]
async fn two_guests_of_one_name_are_two_members() {
    let madang = Madang::start().await;
    let room = madang.new_room("guests").await;
    let (mut one, mut two) = (v1(&madang).await, v1(&madang).await);
    let first = one.enter(&room, "mina").await;
    let second = two.enter(&room, "mina").await;
    assert_eq!(number(&second["memberCount"]), 2);
    assert_ne!(first["you"]["guest"], second["you"]["guest"]);
    let tags: Vec<&Value> =
        second["members"].as_array().expect("members").iter().map(|member| &member["guest"]).collect();
    assert!(tags.contains(&&first["you"]["guest"]) && tags.contains(&&second["you"]["guest"]), "{second}");
    assert_eq!(one.expect("ENTER").await["guest"], second["you"]["guest"]);
    drop(one);
    assert_eq!(two.expect("LEAVE").await["guest"], first["you"]["guest"]);
}
