//! How much one sender may say: ten messages a second, thirty at once. How many connections one address may have.

use super::harness::{Madang, connect, number, open, text, v1, within};
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

const BURST: usize = 30;

#[tokio::test]
async fn after_a_burst_of_30_a_message_is_refused_with_its_id_and_when_to_try_again() {
    let madang = Madang::start().await;
    let room = madang.new_room("quick").await;
    let mut mina = v1(&madang).await;
    mina.enter(&room, "mina").await;
    // Tokens come back while these are sent, so a few more than the burst are needed.
    let mut sent = Vec::new();
    for n in 0..BURST + 30 {
        sent.push(mina.talk(&room, &format!("{n}")).await);
    }
    let mut heard = 0;
    let mut refused = Vec::new();
    for _ in &sent {
        let frame = mina.next_json().await;
        if frame["type"] == "TALK" {
            heard += 1;
        } else {
            assert_eq!((&frame["code"], &frame["roomId"]), (&json!("rate_limited"), &json!(room)), "{frame}");
            assert!((1..=100).contains(&number(&frame["retryAfterMs"])), "{frame}");
            refused.push(text(&frame["id"]).to_owned());
        }
    }
    assert!(heard >= BURST && !refused.is_empty(), "{heard} heard, {} refused", refused.len());
    assert!(sent[..BURST].iter().all(|id| !refused.contains(id)), "the burst was allowed");
    assert!(refused.iter().all(|id| sent.contains(id)));
    assert_eq!(madang.history(&room).await.len(), heard, "what was refused is not stored");
}

#[tokio::test]
async fn one_senders_haste_does_not_slow_another_down() {
    let madang = Madang::start().await;
    let room = madang.new_room("two").await;
    let (mut hasty, mut mina) = (open(&madang).await, open(&madang).await);
    hasty.enter(&room, "hasty").await;
    for n in 0..BURST + 30 {
        hasty.talk(&room, &format!("{n}")).await;
    }
    while hasty.next_json().await["type"] != "ERROR" {}
    mina.enter(&room, "mina").await;
    mina.talk(&room, "unhurried").await;
    while mina.next_json().await["message"] != "unhurried" {}
}

#[tokio::test]
async fn whoever_keeps_flooding_is_closed_with_4029() {
    let madang = Madang::start().await;
    let room = madang.new_room("flood").await;
    let mut mina = v1(&madang).await;
    mina.enter(&room, "mina").await;
    let (mut mouth, mut ears) = mina.halves();
    let flood = tokio::spawn(async move {
        let mut n = 0_u32;
        loop {
            n += 1;
            let talk = json!({"type": "TALK", "roomId": room, "id": super::harness::id(), "message": format!("{n}")});
            if mouth.try_send(Message::text(talk.to_string())).await.is_err() {
                break;
            }
        }
    });
    assert_eq!(ears.expect_close().await, 4029);
    flood.abort();
}

#[tokio::test]
async fn making_rooms_is_limited_by_address() {
    let madang = Madang::start().await;
    let mut refused = None;
    for n in 0..40 {
        let made = madang.post(&format!("/chat?name={n}")).await;
        if made.status != 200 {
            refused = Some((n, made));
            break;
        }
    }
    let (made, refusal) = refused.expect("a refusal");
    assert!(made >= 30, "a burst of 30 is allowed, not only {made}");
    refusal.assert_problem(429, "rate_limited");
    assert!(
        number(&refusal.json()["retryAfterMs"]) > 0
            && refusal.header("retry-after").parse::<u64>().is_ok_and(|s| s > 0),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn zero_lifts_the_limits() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("free").await;
    for n in 0..40 {
        madang.new_room(&format!("{n}")).await;
    }
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    for n in 0..200 {
        mina.talk(&room, &format!("{n}")).await;
    }
    for n in 0..200 {
        mina.expect_talk(&format!("{n}")).await;
    }
}

#[tokio::test]
async fn connections_are_counted_for_each_address_that_a_proxy_tells() {
    let madang = Madang::start_with(|config| {
        config.trusted_proxy = vec!["127.0.0.1".parse().expect("an address")];
        config.limits.connections_per_address = 2;
    })
    .await;
    let from = |address: &'static str| [("x-forwarded-for", address)];
    let here = [connect(&madang, &from("192.0.2.1")).await.0, connect(&madang, &from("192.0.2.1")).await.0];
    let elsewhere = connect(&madang, &from("192.0.2.2")).await.0;
    let third = async || {
        let upgrade = madang.request(Method::GET, "/ws/chat").header("x-forwarded-for", "192.0.2.1");
        let upgrade = upgrade.header("connection", "Upgrade").header("upgrade", "websocket");
        let upgrade =
            upgrade.header("sec-websocket-version", "13").header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==");
        upgrade.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(third().await, 503);
    assert_eq!(madang.get("/health").await.status, 200, "the proxy itself has no limit");
    drop((here, elsewhere));
    within("a place to be free", async { while third().await != 101 {} }).await;
}

#[tokio::test]
async fn whoever_enters_too_often_stays_in_and_leaves_no_ghost() {
    let madang = Madang::start().await;
    let room = madang.new_room("in and out").await;
    let mut mina = v1(&madang).await;
    mina.enter(&room, "mina").await;
    let mut refused = json!(null);
    while refused["type"] != "ERROR" {
        mina.send(json!({"type": "ENTER", "roomId": room, "sender": "mina"})).await;
        refused = mina.next_json().await;
    }
    assert_eq!(refused["code"], "rate_limited");
    mina.talk(&room, "still here").await;
    mina.expect_talk("still here").await;
    mina.close().await;
    let empty = async { while madang.get(&format!("/chat/{room}")).await.json()["memberCount"] != 0 {} };
    within("the room to be empty", empty).await;
}
