//! How much one sender may say: ten messages a second, thirty at once.

use super::harness::{Madang, number, open, text, v1};
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
