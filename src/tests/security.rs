//! The headers that every response carries, and what no response shows.

use super::harness::{Answer, Madang, answer, id};
use madang::domain::limits;
use reqwest::Method;

const HEADERS: &[(&str, &str)] = &[
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

const POLICY: &[&str] = &[
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
];

/// The policy, with the nonce of a page taken out.
fn policy(answer: &Answer) -> (Vec<String>, Option<String>) {
    let mut nonce = None;
    let parts = answer.header("content-security-policy").split("; ").map(|part| {
        let words = part.split(' ').filter(|word| match word.strip_prefix("'nonce-") {
            Some(value) => {
                nonce = Some(value.trim_end_matches('\'').to_owned());
                false
            }
            None => true,
        });
        words.collect::<Vec<_>>().join(" ")
    });
    (parts.collect(), nonce)
}

fn assert_guarded(path: &str, answer: &Answer) {
    for (name, value) in HEADERS {
        assert_eq!(answer.header(name), *value, "{name} of {path}");
        assert_eq!(answer.headers.get_all(*name).iter().count(), 1, "{name} of {path}");
    }
    assert_eq!(policy(answer).0, POLICY, "{path}");
    assert!(answer.header("x-request-id").len() == 36, "{path} cannot be found in the log");
    assert_eq!(answer.headers.get_all("content-security-policy").iter().count(), 1, "{path}");
}

#[tokio::test]
async fn a_file_whose_address_changes_with_it_is_kept_for_ever_and_comes_packed() {
    let madang = Madang::start().await;
    for (name, content) in [("madang.css", "body {}"), ("madang.css.br", "brotli"), ("madang.css.gz", "gzip")] {
        std::fs::write(madang.site().join("pkg").join(name), content).expect("a file");
    }
    let page = madang.get("/").await.body;
    let style = page.split("href=\"").find(|rest| rest.starts_with("/pkg/")).expect("a style sheet");
    let style = style.split('"').next().expect("an address");
    let older = format!("/pkg/{}/madang.css", "0".repeat(16));
    for (path, accepts, encoding, body, keep) in [
        (style, "br, gzip", "br", "brotli", "public, max-age=31536000, immutable"),
        (style, "gzip", "gzip", "gzip", "public, max-age=31536000, immutable"),
        (style, "", "", "body {}", "public, max-age=31536000, immutable"),
        (&older, "", "", "body {}", "no-cache"),
        ("/pkg/madang.css", "br", "br", "brotli", "no-cache"),
    ] {
        let answer = answer(madang.request(Method::GET, path).header("accept-encoding", accepts)).await;
        assert_eq!(answer.status, 200, "{path}");
        let told = |name| answer.headers.get(name).map_or("", |value| value.to_str().expect("text"));
        assert_eq!((told("content-encoding"), told("content-type")), (encoding, "text/css"), "{path} {accepts}");
        assert_eq!((told("cache-control"), told("vary").to_lowercase().as_str()), (keep, "accept-encoding"), "{path}");
        assert_eq!(answer.body, body, "{path} {accepts}");
    }
}

#[tokio::test]
async fn what_is_made_for_one_request_comes_packed_too() {
    let madang = Madang::start().await;
    let room = madang.new_room("packed").await;
    for path in ["/".to_owned(), format!("/rooms/{room}"), format!("/rooms/{}", id()), "/chat".into()] {
        let plain = madang.get(&path).await;
        for (accepts, encoding) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("", ""), ("compress", "")] {
            let answer = answer(madang.request(Method::GET, &path).header("accept-encoding", accepts)).await;
            assert_eq!(answer.status, plain.status, "{path} {accepts}");
            let told = |name| answer.headers.get(name).map_or("", |value| value.to_str().expect("text"));
            assert_eq!(told("content-encoding"), encoding, "{path} {accepts}");
            let mut vary = answer.headers.get_all("vary").iter();
            assert!(vary.any(|vary| vary == "accept-encoding"), "{path} {accepts}: {:?}", answer.headers);
            assert_eq!(answer.body.starts_with(['<', '[']), encoding.is_empty(), "{path} {accepts}");
        }
    }
}

#[tokio::test]
async fn every_route_carries_the_headers_and_the_policy() {
    let madang = Madang::start().await;
    std::fs::write(madang.site().join("pkg/madang.css"), "body {}").expect("a file");
    let room = madang.new_room("headers").await;
    for (path, status) in [
        ("/".to_owned(), 200),
        (format!("/rooms/{room}"), 200),
        (format!("/rooms/{}", id()), 404),
        ("/rooms/nowhere".into(), 404),
        ("/nowhere".into(), 404),
        ("/chat".into(), 200),
        (format!("/chat/{room}"), 200),
        (format!("/chat/{room}/messages"), 200),
        ("/chat/nowhere".into(), 404),
        ("/health".into(), 200),
        ("/pkg/madang.css".into(), 200),
        ("/pkg/x".into(), 404),
        ("/pkg/".into(), 404),
        ("/..%2f..%2fetc/passwd".into(), 404),
        ("/ws/chat".into(), 400),
    ] {
        let response = madang.get(&path).await;
        assert_eq!(response.status, status, "{path}");
        assert_guarded(&path, &response);
    }
    assert_guarded("405", &answer(madang.request(Method::DELETE, "/chat")).await);
    assert_guarded("405 of a page", &answer(madang.request(Method::DELETE, "/")).await);
    assert_guarded("403", &answer(madang.request(Method::POST, "/api/create_room").header("origin", "null")).await);
    assert_guarded(
        "413",
        &answer(madang.request(Method::POST, "/chat").body("x".repeat(limits::REQUEST_BYTES + 1))).await,
    );
    assert_guarded("an /api error", &madang.call("create_room", &[("name", "")], None).await);
    assert_guarded("an /api answer", &madang.read("list_rooms", &[], None).await);
    assert_guarded("no such function", &madang.call("nowhere", &[], None).await);
    assert_guarded(
        "preflight",
        &answer(
            madang
                .request(Method::OPTIONS, "/chat")
                .header("origin", "null")
                .header("access-control-request-method", "POST"),
        )
        .await,
    );
}

#[tokio::test]
async fn a_page_has_a_nonce_of_its_own_each_time_and_no_inline_style() {
    let madang = Madang::start().await;
    let (first, second) = (madang.get("/").await, madang.get("/").await);
    let (one, two) = (policy(&first).1.expect("a nonce"), policy(&second).1.expect("a nonce"));
    assert!(one != two && one.len() >= 16, "{one} {two}");
    for script in first.body.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        assert!(tag.contains(&one) || tag.contains("src="), "<script{tag}>");
    }
    assert!(
        !first.body.contains("<style") && !first.body.contains(" style=") && !first.body.contains(" onclick="),
        "{}",
        first.body
    );
    assert!(policy(&madang.get("/chat").await).1.is_none(), "only pages have one");
}

#[tokio::test]
async fn names_and_messages_are_text_on_the_page() {
    let madang = Madang::start().await;
    let attack = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
    let room = madang.new_room(attack).await;
    let mut mina = super::harness::open(&madang).await;
    mina.enter(&room, "<b>mina</b>").await;
    mina.talk(&room, attack).await;
    mina.expect("TALK").await;
    for path in ["/".to_owned(), format!("/rooms/{room}")] {
        let page = madang.get(&path).await.body;
        for raw in ["<script>alert", "<img src=x", "<b>mina"] {
            assert!(!page.contains(raw), "{raw} in {path}");
        }
        assert!(page.contains("&lt;img src=x"), "shown as text on {path}");
    }
}

#[tokio::test]
async fn the_session_token_is_in_no_response_body() {
    let madang = Madang::start().await;
    let cookie = madang.sign_in("mina").await;
    let token = cookie.split_once('=').expect("a value").1;
    let room = madang.new_room("secrets").await;
    let mut mina = super::harness::v1_as(&madang, &cookie).await;
    mina.enter(&room, "").await;
    let paths = [
        "/".to_owned(),
        format!("/rooms/{room}"),
        "/nowhere".into(),
        "/chat".into(),
        format!("/chat/{room}/messages"),
        "/health".into(),
    ];
    for path in paths {
        let page = answer(madang.request(Method::GET, &path).header("cookie", &cookie)).await;
        assert!(!page.body.contains(token), "{path}");
    }
    for (function, query) in [("list_rooms", &[][..]), ("room_page", &[("room_id", room.as_str())])] {
        let read = madang.read(function, query, Some(&cookie)).await;
        assert_eq!(read.status, 200, "{function}: {}", read.body);
        assert!(!read.body.contains(token), "{function}");
    }
    for (function, form) in [
        ("post_message", &[("room_id", room.as_str()), ("message", "hi")][..]),
        ("create_room", &[("name", "more")]),
        ("sign_in", &[("name", "mina")]),
    ] {
        let called = madang.call(function, form, Some(&cookie)).await;
        assert_eq!(called.status, 200, "{function}: {}", called.body);
        assert!(!called.body.contains(token), "{function}");
    }
}

#[tokio::test]
async fn a_page_without_script_posts_as_the_session_and_shows_what_was_said() {
    let madang = Madang::start().await;
    let room = madang.new_room("no script").await;
    let cookie = madang.sign_in("mina").await;
    let form = [("room_id", room.as_str()), ("message", "폼으로 보낸 말")];
    assert_eq!(madang.call("post_message", &form, None).await.json()["code"], "not_entered");
    let request = madang
        .request(Method::POST, "/api/post_message")
        .header("accept", "text/html")
        .header("origin", madang.origin());
    let posted = answer(
        request.header("cookie", &cookie).header("referer", format!("{}/rooms/{room}", madang.origin())).form(&form),
    )
    .await;
    assert_eq!(posted.status, 302, "{posted:?}");
    assert_eq!(posted.header("location").trim_end_matches('?'), format!("{}/rooms/{room}", madang.origin()));
    let page = madang.get(&format!("/rooms/{room}")).await;
    assert!(page.body.contains("폼으로 보낸 말") && page.body.contains("mina"));
}
