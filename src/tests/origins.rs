//! Foreign pages: they may use what is open to all, never our cookie.

use super::harness::{Answer, Madang, Place, answer, connect, text};
use reqwest::Method;
use serde_json::json;

/// Every origin here is not `http://127.0.0.1:port`.
fn foreign_origins(port: u16) -> Vec<String> {
    let other_port = if port == u16::MAX { port - 1 } else { port + 1 };
    vec![
        "https://evil.example".into(),
        "http://evil.example".into(),
        "null".into(),
        String::new(),
        format!("http://127.0.0.1:{port}.evil.example"),
        format!("http://evil127.0.0.1:{port}"),
        format!("http://evil.example:{port}"),
        format!("http://127.0.0.1:{other_port}"),
        "http://127.0.0.1".into(),
        format!("https://127.0.0.1:{port}"),
        format!("http://localhost:{port}"),
        format!("http://[::1]:{port}"),
        format!("http://127.0.0.1:{port}@evil.example"),
        format!("http://evil.example/http://127.0.0.1:{port}"),
        format!("http://127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}0"),
        format!("ws://127.0.0.1:{port}"),
        "chrome-extension://abcdefghijklmnop".into(),
        "file://".into(),
        format!("http://127.0.0.1:{port} https://evil.example"),
    ]
}

async fn create_room(place: &Place, headers: &[(&str, &str)]) -> Answer {
    let request = place
        .request(Method::POST, "/api/create_room")
        .header("accept", "application/json")
        .form(&[("name", "by form")]);
    answer(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
}

async fn rooms(place: &Place) -> usize {
    place.get("/chat").await.json().as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn a_foreign_page_cannot_post_to_a_server_function() {
    let madang = Madang::start().await;
    for origin in foreign_origins(madang.address.port()) {
        create_room(&madang, &[("origin", &origin)]).await.assert_problem(403, "cross_site");
        create_room(&madang, &[("origin", &origin), ("sec-fetch-site", "same-origin")])
            .await
            .assert_problem(403, "cross_site");
    }
    create_room(&madang, &[("origin", &madang.origin()), ("origin", "https://evil.example")])
        .await
        .assert_problem(403, "cross_site");
    for site in ["cross-site", "same-site", "whatever"] {
        create_room(&madang, &[("sec-fetch-site", site)]).await.assert_problem(403, "cross_site");
    }
    for function in ["sign_in", "sign_out", "post_message", "list_rooms", "set_theme", "nowhere"] {
        let request =
            madang.request(Method::POST, &format!("/api/{function}")).header("origin", "https://evil.example");
        answer(request.form(&[("name", "mina")])).await.assert_problem(403, "cross_site");
    }
    assert_eq!(rooms(&madang).await, 1, "nothing was made");
}

#[tokio::test]
async fn our_own_page_and_clients_without_an_origin_may_post() {
    let madang = Madang::start().await;
    for headers in [
        &[("origin", madang.origin().as_str())][..],
        &[("origin", madang.origin().as_str()), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "none")],
        &[],
    ] {
        let made = create_room(&madang, headers).await;
        assert_eq!((made.status, &made.json()["name"]), (200, &json!("by form")), "{headers:?} {}", made.body);
    }
    assert_eq!(rooms(&madang).await, 6);
}

#[tokio::test]
async fn a_plain_form_is_sent_on_to_its_room() {
    let madang = Madang::start().await;
    let request = madang
        .request(Method::POST, "/api/create_room")
        .header("accept", "text/html,*/*;q=0.8")
        .header("origin", madang.origin());
    let made = answer(request.form(&[("name", "without script")])).await;
    assert_eq!(made.status, 302, "{made:?}");
    let room = text(&madang.get("/chat").await.json()[1]["roomId"]).to_owned();
    assert_eq!(made.header("location"), format!("/rooms/{room}"));
}

#[tokio::test]
async fn a_socket_from_a_foreign_page_is_a_guest_whatever_cookie_it_brings() {
    let madang = Madang::start().await;
    let room = madang.new_room("origins").await;
    let cookie = madang.sign_in("mina").await;
    let v1 = ("sec-websocket-protocol", "madang.v1");
    let mut origins: Vec<Option<String>> = foreign_origins(madang.address.port()).into_iter().map(Some).collect();
    origins.push(None);
    for origin in origins {
        let mut headers = vec![v1, ("cookie", cookie.as_str())];
        headers.extend(origin.as_deref().map(|origin| ("origin", origin)));
        let (mut socket, _) = connect(&madang, &headers).await;
        socket.send(json!({"type": "ENTER", "roomId": room})).await;
        socket.expect_error("bad_frame").await;
        socket.send(json!({"type": "ENTER", "roomId": room, "sender": "mina"})).await;
        socket.expect_error("name_taken").await;
        let you = socket.enter(&room, "guest").await["you"].clone();
        assert!(you["person"].is_null() && you["sender"] == "guest" && you["guest"].is_string(), "{origin:?}: {you}");
    }
    let (mut own, _) = connect(&madang, &[v1, ("cookie", &cookie), ("origin", &madang.origin())]).await;
    own.send(json!({"type": "ENTER", "roomId": room})).await;
    let you = own.expect("ROOM").await["you"].clone();
    assert!(you["person"].is_string() && you["sender"] == "mina", "{you}");
}

#[tokio::test]
async fn the_open_dialect_has_no_persons_even_from_our_own_page() {
    let madang = Madang::start().await;
    let room = madang.new_room("open").await;
    let cookie = madang.sign_in("mina").await;
    let (mut socket, _) = connect(&madang, &[("cookie", &cookie), ("origin", &madang.origin())]).await;
    socket.send(json!({"type": "ENTER", "roomId": room, "sender": "mina"})).await;
    socket.expect_error("name_taken").await;
    assert!(socket.enter(&room, "guest").await["person"].is_null());
}

#[tokio::test]
async fn a_forged_or_broken_cookie_is_nobody() {
    let madang = Madang::start().await;
    let room = madang.new_room("cookies").await;
    let cookie = madang.sign_in("mina").await;
    let token = cookie.split_once('=').expect("a value").1;
    let zeros = format!("madang_session={}", "0".repeat(64));
    let under_another_name = format!("__Host-madang_session={token}");
    for broken in [
        zeros.as_str(),
        "madang_session=",
        "madang_session=가",
        &cookie[..cookie.len() - 1],
        &format!("{cookie}0"),
        &under_another_name,
    ] {
        let headers = [("sec-websocket-protocol", "madang.v1"), ("origin", &*madang.origin()), ("cookie", broken)];
        if broken.is_ascii() {
            let (mut socket, _) = connect(&madang, &headers).await;
            assert!(socket.enter(&room, "guest").await["you"]["person"].is_null(), "{broken}");
        }
    }
}

#[tokio::test]
async fn with_an_origin_set_only_that_one_is_ours() {
    let madang = Madang::start_with(|config| config.origin = vec!["https://chat.example.org".into()]).await;
    create_room(&madang, &[("origin", "https://chat.example.org")]).await.json();
    for origin in [
        madang.origin(),
        "http://chat.example.org".into(),
        "https://chat.example.org:8443".into(),
        "https://chat.example.org.evil.example".into(),
    ] {
        create_room(&madang, &[("origin", &origin)]).await.assert_problem(403, "cross_site");
    }
    assert_eq!(rooms(&madang).await, 2);
}
