//! The HTTP companions of the socket: `/chat` and `/health`.

use super::harness::{Madang, answer, id, number, open, text};
use madang::domain::limits;
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use uuid::Uuid;

#[tokio::test]
async fn post_chat_without_a_body_makes_a_room_and_answers_room_id_and_name_first() {
    let madang = Madang::start().await;
    let made = answer(madang.request(Method::POST, "/chat").query(&[("name", "책 모임")])).await;
    assert_eq!((made.status, made.header("content-type")), (200, "application/json"));
    let room = made.json();
    assert_eq!(room["name"], "책 모임");
    let id: Uuid = text(&room["roomId"]).parse().expect("a UUID");
    assert!(made.body.starts_with(&format!(r#"{{"roomId":"{id}","name":"책 모임""#)), "{}", made.body);
}

#[tokio::test]
async fn the_name_may_come_in_a_form_or_in_json() {
    let madang = Madang::start().await;
    let form = answer(madang.request(Method::POST, "/chat").form(&[("name", "폼으로 + 만든 방")])).await;
    assert_eq!((form.status, &form.json()["name"]), (200, &"폼으로 + 만든 방".into()));
    let json = answer(madang.request(Method::POST, "/chat").json(&json!({"name": "by JSON", "more": 1}))).await;
    assert_eq!((json.status, &json.json()["name"]), (200, &"by JSON".into()));
    let typed = madang
        .request(Method::POST, "/chat")
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(r#"{"name":"charset"}"#);
    assert_eq!(answer(typed).await.json()["name"], "charset");
}

#[tokio::test]
async fn a_room_name_is_needed_and_has_1_to_80_characters() {
    let madang = Madang::start().await;
    madang.post("/chat").await.assert_problem(400, "bad_frame");
    for blank in ["", "%20", "%E3%80%80%09", "a%00b"] {
        madang.post(&format!("/chat?name={blank}")).await.assert_problem(400, "room_name_invalid");
    }
    let named = async |name: String| answer(madang.request(Method::POST, "/chat").query(&[("name", name)])).await;
    assert_eq!(named("가".repeat(80)).await.status, 200);
    named("가".repeat(81)).await.assert_problem(400, "room_name_invalid");
    answer(madang.request(Method::POST, "/chat").json(&json!({"name": 5}))).await.assert_problem(400, "bad_frame");
    answer(madang.request(Method::POST, "/chat").json(&json!({}))).await.assert_problem(400, "bad_frame");
    let broken = madang.request(Method::POST, "/chat").header(CONTENT_TYPE, "application/json").body("{");
    answer(broken).await.assert_problem(400, "bad_frame");
    assert_eq!(
        madang.get("/chat").await.json().as_array().map(Vec::len),
        Some(2),
        "only the lobby and the good one exist"
    );
}

#[tokio::test]
async fn the_list_is_in_creation_order_with_the_lobby_first() {
    let madang = Madang::start().await;
    for name in ["b", "a", "다", "a"] {
        madang.new_room(name).await;
    }
    let listed = madang.get("/chat").await;
    let rooms = listed.json();
    let names: Vec<&str> = rooms.as_array().expect("an array").iter().skip(1).map(|room| text(&room["name"])).collect();
    assert_eq!(names, ["b", "a", "다", "a"]);
    let lobbies: Vec<bool> = rooms.as_array().expect("an array").iter().map(|room| room["lobby"] == true).collect();
    assert_eq!(lobbies, [true, false, false, false, false]);
    assert!(listed.body.starts_with(r#"[{"roomId":""#), "{}", listed.body);
    for row in listed.body.split("},{") {
        let key = |name: &str| row.find(&format!("\"{name}\":")).expect(name);
        assert!(key("roomId") < key("name") && key("name") < key("head"), "{row}");
    }
}

#[tokio::test]
async fn with_people_in_a_room_the_list_still_answers_and_shows_nothing_of_their_connections() {
    let madang = Madang::start().await;
    let room = madang.new_room("사람들").await;
    let (mut mina, mut jun) = (open(&madang).await, open(&madang).await);
    mina.enter(&room, "canary-mina").await;
    jun.enter(&room, "canary-jun").await;

    let listed = madang.get("/chat").await;
    assert_eq!(listed.status, 200);
    let row = &listed.json()[1];
    let mut keys: Vec<&String> = row.as_object().expect("an object").keys().collect();
    keys.sort();
    assert_eq!(keys, ["createdAt", "head", "memberCount", "messageCount", "name", "roomId"], "{row}");
    assert_eq!(row["memberCount"], 2);
    for word in ["canary", "session", "127.0.0.1", "sec-websocket", "header"] {
        assert!(!listed.body.to_lowercase().contains(word), "{}", listed.body);
    }
}

#[tokio::test]
async fn one_room_is_found_by_its_id_and_any_other_is_404() {
    let madang = Madang::start().await;
    let room = madang.new_room("here").await;
    let found = madang.get(&format!("/chat/{room}")).await.json();
    assert_eq!(
        (&found["roomId"], &found["name"], &found["head"], &found["memberCount"]),
        (&json!(room), &json!("here"), &json!(0), &json!(0))
    );
    for nowhere in [id(), "not-a-uuid".into(), "%00".into(), "..%2Fhealth".into()] {
        madang.get(&format!("/chat/{nowhere}")).await.assert_problem(404, "room_not_found");
        madang.get(&format!("/chat/{nowhere}/messages")).await.assert_problem(404, "room_not_found");
    }
}

#[tokio::test]
async fn a_page_of_messages_ascends_and_goes_back_from_before() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("history").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    for n in 1..=60 {
        mina.talk(&room, &format!("line {n}")).await;
    }
    for n in 1..=60 {
        mina.expect_talk(&format!("line {n}")).await;
    }
    let page = async |query: &str| {
        let page = madang.get(&format!("/chat/{room}/messages{query}")).await.json();
        assert_eq!((&page["roomId"], &page["head"]), (&json!(room), &json!(60)), "{page}");
        let _: Uuid = text(&page["epoch"]).parse().expect("an epoch");
        let seqs: Vec<u64> = page["messages"].as_array().expect("messages").iter().map(|m| number(&m["seq"])).collect();
        seqs
    };
    assert_eq!(page("").await, (11..=60).collect::<Vec<_>>(), "50 of the newest by default");
    assert_eq!(page("?limit=200").await, (1..=60).collect::<Vec<_>>());
    assert_eq!(page("?limit=1").await, [60]);
    assert_eq!(page("?before=11").await, (1..=10).collect::<Vec<_>>());
    assert_eq!(page("?before=60&limit=2").await, [58, 59]);
    assert_eq!(page("?before=1").await, Vec::<u64>::new());
    assert_eq!(page("?before=0").await, Vec::<u64>::new());
    assert_eq!(page("?before=18446744073709551615&limit=1").await, [60]);
    for bad in ["limit=0", "limit=201", "limit=abc", "limit=-1", "before=abc", "before=-1", "before=1.5", "limit="] {
        madang.get(&format!("/chat/{room}/messages?{bad}")).await.assert_problem(400, "bad_frame");
    }
}

#[tokio::test]
async fn a_message_on_a_page_is_the_talk_that_was_heard() {
    let madang = Madang::start().await;
    let room = madang.new_room("same").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    mina.talk(&room, "안녕\n  two lines").await;
    let mut heard = mina.expect("TALK").await;
    heard.as_object_mut().expect("an object").remove("type");
    assert_eq!(madang.history(&room).await, [heard]);
    let listed = madang.get(&format!("/chat/{room}")).await.json();
    assert_eq!(
        (&listed["head"], &listed["last"]),
        (&json!(1), &json!({"sender": "mina", "message": "안녕\n  two lines"}))
    );
}

#[tokio::test]
async fn health_says_that_the_process_and_its_storage_answer() {
    let madang = Madang::start().await;
    let health = madang.get("/health").await;
    assert_eq!((health.status, &health.json()["status"], &health.json()["storage"]), (200, &json!("ok"), &json!("ok")));
}

#[tokio::test]
async fn any_origin_may_use_the_companions() {
    let madang = Madang::start().await;
    let room = madang.new_room("cors").await;
    for path in ["/chat", "/health", &format!("/chat/{room}"), &format!("/chat/{room}/messages"), "/chat/nowhere"] {
        let response = answer(madang.request(Method::GET, path).header("origin", "https://elsewhere.example")).await;
        assert_eq!(response.header("access-control-allow-origin"), "*", "{path}");
        assert_eq!(response.header("access-control-allow-credentials"), "", "{path}");
    }
    let preflight = madang
        .request(Method::OPTIONS, "/chat")
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type");
    let allowed = answer(preflight).await;
    assert_eq!((allowed.status, allowed.header("access-control-allow-origin")), (200, "*"));
    let allows =
        |name: &str, value: &str| allowed.header(name) == "*" || allowed.header(name).to_lowercase().contains(value);
    assert!(
        allows("access-control-allow-methods", "post") && allows("access-control-allow-headers", "content-type"),
        "{allowed:?}"
    );
}

#[tokio::test]
async fn a_method_that_an_address_does_not_take_is_405() {
    let madang = Madang::start().await;
    let room = madang.new_room("methods").await;
    for (method, path) in [
        (Method::DELETE, "/chat".to_owned()),
        (Method::PUT, format!("/chat/{room}")),
        (Method::POST, format!("/chat/{room}/messages")),
        (Method::POST, "/health".to_owned()),
    ] {
        answer(madang.request(method, &path)).await.assert_problem(405, "bad_frame");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_and_makes_nothing() {
    let madang = Madang::start().await;
    let big: Value = json!({"name": "big", "filler": "x".repeat(limits::REQUEST_BYTES)});
    let refused = answer(madang.request(Method::POST, "/chat").json(&big)).await;
    assert!([400, 413].contains(&refused.status), "{refused:?}");
    assert_eq!(madang.get("/chat").await.json().as_array().map(Vec::len), Some(1));
}
