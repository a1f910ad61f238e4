//! What a page does with a room beside talking there: reading its history in windows, giving it a name, inviting.

use super::harness::{Madang, id, number, open, text, v1};
use serde_json::{Value, json};

fn places(page: &Value) -> Vec<u64> {
    page["messages"].as_array().expect("messages").iter().map(|talk| number(&talk["seq"])).collect()
}

#[tokio::test]
async fn a_page_of_a_room_is_its_end_or_what_is_before_after_or_around_a_place() {
    let madang = Madang::start_with(|config| config.limits.messages_per_second = 0).await;
    let room = madang.new_room("long").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    for n in 1..=120 {
        mina.talk(&room, &n.to_string()).await;
        mina.expect_talk(&n.to_string()).await;
    }
    for (word, place, from, to, newest) in [
        ("", "", 71, 120, true),
        ("before", "71", 21, 70, false),
        ("after", "20", 21, 70, false),
        ("after", "100", 101, 120, true),
        ("at", "60", 35, 84, false),
        ("at", "1", 1, 50, false),
        ("at", "118", 93, 120, true),
    ] {
        let query: &[_] =
            if word.is_empty() { &[("room_id", room.as_str())] } else { &[("room_id", &room), (word, place)] };
        let page = madang.read("room_page", query, None).await.json();
        assert_eq!(places(&page), (from..=to).collect::<Vec<_>>(), "{word} {place}");
        assert_eq!(page["newest"] == true, newest, "{word} {place}");
    }
    let wrong = madang.read("room_page", &[("room_id", &room), ("at", "x")], None).await;
    assert_eq!((wrong.status, wrong.json()["code"].as_str()), (400, Some("bad_frame")), "{}", wrong.body);
    let page = madang.get(&format!("/rooms/{room}?at=60")).await.body;
    assert!(page.contains("id=\"m-35\"") && page.contains("id=\"m-84\"") && !page.contains("id=\"m-85\""));
}

#[tokio::test]
async fn whoever_made_a_room_names_it_anew_and_those_who_watch_hear_of_it() {
    let madang = Madang::start().await;
    let (mina, jun) = (madang.sign_in("mina").await, madang.sign_in("jun").await);
    let made = madang.call("create_room", &[("name", "old")], Some(&mina)).await.json();
    let room = text(&made["roomId"]).to_owned();
    assert!(made["createdBy"].is_string(), "{made}");
    let mut watcher = v1(&madang).await;
    watcher.send(json!({"type": "WATCH", "on": true})).await;
    while watcher.expect("LIST").await["roomId"] != room.as_str() {}

    let change = async |id: &str, name: &str, topic: &str, cookie: Option<&str>| {
        madang.call("change_room", &[("room_id", id), ("name", name), ("topic", topic)], cookie).await
    };
    let changed = change(&room, " new  name ", "about\nspring", Some(&mina)).await;
    assert_eq!(
        (changed.status, &changed.json()["name"], &changed.json()["topic"]),
        (200, &json!("new name"), &json!("about spring"))
    );
    let listed = watcher.expect("LIST").await;
    assert_eq!((&listed["name"], &listed["topic"]), (&json!("new name"), &json!("about spring")));

    change(&room, "x", "", Some(&jun)).await.assert_refused(403, "forbidden");
    change(&room, "x", "", None).await.assert_refused(409, "not_entered");
    change(&room, " ", "", Some(&mina)).await.assert_refused(400, "room_name_invalid");
    change(&room, "x", &"t".repeat(201), Some(&mina)).await.assert_refused(400, "bad_frame");
    change(&madang.lobby().await, "x", "", Some(&mina)).await.assert_refused(403, "forbidden");
    change(&id(), "x", "", Some(&mina)).await.assert_refused(404, "room_not_found");
    assert_eq!(madang.get(&format!("/chat/{room}")).await.json()["name"], "new name", "nothing of that was done");
    assert!(change(&room, "new name", "", Some(&mina)).await.json()["topic"].is_null());
}

#[tokio::test]
async fn an_invitation_is_a_qr_code_of_the_address_that_was_asked() {
    let madang = Madang::start().await;
    let room = madang.new_room("invites").await;
    let code = madang.get(&format!("/rooms/{room}/qr.svg")).await;
    assert_eq!((code.status, code.header("content-type")), (200, "image/svg+xml"));
    assert!(code.body.contains("<svg") && !code.body.contains("<script"));
    for nowhere in [id(), "x".into()] {
        madang.get(&format!("/rooms/{nowhere}/qr.svg")).await.assert_problem(404, "room_not_found");
    }
}

#[tokio::test]
async fn marks_are_rendered_for_pages_and_kept_for_clients_that_read_text() {
    let madang = Madang::start().await;
    let room = madang.new_room("marks").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    mina.talk(&room, "**bold** <b>").await;
    let heard = mina.expect("TALK").await;
    assert_eq!(
        (&heard["message"], &heard["html"]),
        (&json!("**bold** <b>"), &json!("<p><strong>bold</strong> &lt;b&gt;</p>"))
    );
    mina.talk(&room, "plain <b>").await;
    assert!(mina.expect("TALK").await["html"].is_null());
    assert_eq!(madang.get(&format!("/chat/{room}")).await.json()["last"]["message"], "plain <b>");
    mina.talk(&room, "*last*").await;
    mina.expect("TALK").await;
    assert_eq!(madang.get(&format!("/chat/{room}")).await.json()["last"]["message"], "last");
}
