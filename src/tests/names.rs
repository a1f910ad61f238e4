//! A name that a person holds, and those that look like it.

use super::harness::{Madang, id, open, text, v1, v1_as};
use serde_json::json;

/// The held name, its twin, and what the twin is refused with.
const TWINS: &[(&str, &str, &str)] = &[
    ("mina", "mina", "name_taken"),
    ("mina", "MINA", "name_taken"),
    ("mina", " Mina ", "name_taken"),
    ("mina", "ｍｉｎａ", "name_taken"),
    ("mina", "min\u{430}", "name_taken"),
    ("mina", "m\u{456}na", "name_taken"),
    ("mina", "\u{1d426}\u{1d422}\u{1d427}\u{1d41a}", "name_taken"),
    ("mina", "mi\u{200b}na", "name_invalid"),
    ("mina", "mi\u{200d}na", "name_invalid"),
    ("mina", "mina\u{2060}", "name_invalid"),
    ("mina", "mina\u{3164}", "name_invalid"),
    ("mina", "\u{202e}anim", "name_invalid"),
    ("mina", "mina\u{200e}", "name_invalid"),
    ("mina", "mina\u{ad}", "name_invalid"),
    ("김민수", "\u{1100}\u{1175}\u{11b7}\u{1106}\u{1175}\u{11ab}\u{1109}\u{116e}", "name_taken"),
    ("김민수", "김민수\u{115f}", "name_invalid"),
    ("김민수", "김\u{feff}민수", "name_invalid"),
    ("Zoë", "Zoe\u{308}", "name_taken"),
    ("Bill", "BiIl", "name_taken"),
    ("민수😀", "민수😀\u{fe0f}", "name_taken"),
];

#[tokio::test]
async fn no_other_browser_and_no_socket_gets_a_held_name_or_its_twin() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("names").await;
    let mut held: Vec<&str> = TWINS.iter().map(|(name, ..)| *name).collect();
    held.dedup();
    for name in held {
        madang.sign_in(name).await;
    }
    let (mut guest, mut newer) = (open(&madang).await, v1(&madang).await);
    for (name, twin, code) in TWINS {
        let refused = madang.call("sign_in", &[("name", twin)], None).await;
        let status = if *code == "name_taken" { 409 } else { 400 };
        assert_eq!(
            (refused.status, text(&refused.json()["code"])),
            (status, *code),
            "{twin:?} beside {name:?}: {}",
            refused.body
        );
        assert_eq!(refused.header("set-cookie"), "", "{twin:?}");
        for socket in [&mut guest, &mut newer] {
            socket.send(json!({"type": "ENTER", "roomId": room, "sender": twin})).await;
            let error = socket.expect("ERROR").await;
            assert_eq!(error["code"], *code, "{twin:?} beside {name:?}: {error}");
        }
    }
    guest.enter(&room, "somebody else").await;
}

#[tokio::test]
async fn honest_names_are_accepted_everywhere() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("names").await;
    for name in ["김민수", "さくら", "ليلى", "O'Brien", "민수😀", "Дмитрий", "Nguyễn Văn A", "👩‍💻", "ㅋㅋ", "x_1-2.3"]
    {
        let mut guest = open(&madang).await;
        guest.enter(&room, name).await;
        guest.close().await;
        let cookie = madang.sign_in(name).await;
        let mut person = v1_as(&madang, &cookie).await;
        assert_eq!(person.enter(&room, "").await["you"]["sender"], name);
        person.close().await;
    }
}

#[tokio::test]
async fn a_name_has_1_to_40_characters_and_is_shown_normalised() {
    let madang = Madang::start().await;
    let room = madang.new_room("names").await;
    let mut guest = open(&madang).await;
    for bad in [String::new(), "  ".into(), "가".repeat(41), "a\nb\u{0}".into()] {
        guest.send(json!({"type": "ENTER", "roomId": room, "sender": bad})).await;
        guest.expect_error("name_invalid").await;
        let refused = madang.call("sign_in", &[("name", &bad)], None).await;
        assert_eq!((refused.status, text(&refused.json()["code"])), (400, "name_invalid"), "{bad:?}");
    }
    guest.send(json!({"type": "ENTER", "roomId": room, "sender": "  ｍｉｎａ   kim "})).await;
    let entered = guest.expect("ENTER").await;
    assert_eq!((&entered["sender"], &entered["message"]), (&json!("mina kim"), &json!("mina kim님이 입장했습니다.")));
    let longest = madang.sign_in(&"가".repeat(40)).await;
    v1_as(&madang, &longest).await.enter(&room, "").await;
}

#[tokio::test]
async fn signing_in_gives_a_browser_session_in_a_guarded_cookie() {
    let madang = Madang::start().await;
    let signed_in = madang.call("sign_in", &[("name", "mina")], None).await;
    assert_eq!(signed_in.json()["sender"], "mina");
    assert!(signed_in.json()["person"].is_string(), "{}", signed_in.body);
    let cookie = signed_in.header("set-cookie");
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    let (name, token) = pair.split_once('=').expect("a value");
    assert_eq!(name, "madang_session");
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "256 bits: {token}");
    let attributes: Vec<&str> = attributes.split("; ").collect();
    for wanted in ["Path=/", "HttpOnly", "SameSite=Lax"] {
        assert!(attributes.contains(&wanted), "{cookie}");
    }
    assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain") || *attribute == "Secure"), "{cookie}");
    assert!(!signed_in.body.contains(token));
}

#[tokio::test]
async fn behind_https_the_cookie_is_secure_and_bound_to_the_host() {
    let madang =
        Madang::start_with(|config| config.trusted_proxy = vec!["127.0.0.1".parse().expect("an address")]).await;
    let request = madang
        .request(reqwest::Method::POST, "/api/sign_in")
        .header("x-forwarded-proto", "https")
        .header("accept", "application/json");
    let origin = format!("https://{}", madang.address);
    let signed_in = super::harness::answer(request.header("origin", origin).form(&[("name", "mina")])).await;
    let cookie = signed_in.header("set-cookie");
    assert!(
        cookie.starts_with("__Host-madang_session=") && cookie.contains("; Secure") && cookie.contains("; Path=/;"),
        "{signed_in:?}"
    );
}

#[tokio::test]
async fn signing_out_frees_the_name_and_closes_the_sockets_of_that_session() {
    let madang = Madang::start().await;
    let room = madang.new_room("out").await;
    let (mina, jun) = (madang.sign_in("mina").await, madang.sign_in("jun").await);
    let (mut hers, mut also_hers, mut his) =
        (v1_as(&madang, &mina).await, v1_as(&madang, &mina).await, v1_as(&madang, &jun).await);
    his.enter(&room, "").await;
    hers.enter(&room, "").await;
    his.expect("ENTER").await;

    let out = madang.call("sign_out", &[], Some(&mina)).await;
    assert_eq!(out.status, 200, "{}", out.body);
    assert!(
        out.header("set-cookie").starts_with("madang_session=;") && out.header("set-cookie").contains("Max-Age=0"),
        "{out:?}"
    );
    assert_eq!(hers.expect_close().await, 4001);
    assert_eq!(also_hers.expect_close().await, 4001);
    assert_eq!(his.expect("LEAVE").await["sender"], "mina", "at once, not after the grace");

    let mut guest = open(&madang).await;
    guest.enter(&room, "mina").await;
    his.expect("ENTER").await;
    let mut stale = v1_as(&madang, &mina).await;
    stale.send(json!({"type": "ENTER", "roomId": room})).await;
    stale.expect_error("bad_frame").await;
    let again = madang.sign_in("mina").await;
    assert_ne!(again, mina, "a new session has a new token");
    his.talk(&room, "his session goes on").await;
    his.expect_talk("his session goes on").await;
}

#[tokio::test]
async fn signing_in_again_gives_a_new_token_and_ends_the_old_one() {
    let madang = Madang::start().await;
    let room = madang.new_room("again").await;
    let first = madang.sign_in("mina").await;
    let mut socket = v1_as(&madang, &first).await;
    let before = socket.enter(&room, "").await["you"].clone();
    let rotated = madang.call("sign_in", &[("name", "mina")], Some(&first)).await;
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert_ne!(rotated.cookie(), first);
    assert_eq!(socket.expect_close().await, 4001);
    let mut socket = v1_as(&madang, &rotated.cookie()).await;
    assert_eq!(socket.enter(&room, "").await["you"], before, "the same person");

    let renamed = madang.call("sign_in", &[("name", "minho")], Some(&rotated.cookie())).await;
    assert_eq!(renamed.status, 200, "{}", renamed.body);
    assert_eq!(socket.expect_close().await, 4001);
    open(&madang).await.enter(&room, "mina").await;
}

#[tokio::test]
async fn a_guest_whose_name_becomes_held_is_refused_from_the_next_talk_on() {
    let madang = Madang::start().await;
    let room = madang.new_room("held").await;
    let (mut guest, mut newer) = (open(&madang).await, v1(&madang).await);
    guest.enter(&room, "mina").await;
    newer.enter(&room, "ｍｉｎａ").await;
    guest.expect("ENTER").await;
    guest.talk(&room, "still free").await;
    guest.expect_talk("still free").await;
    newer.expect_talk("still free").await;

    let cookie = madang.sign_in("mina").await;
    guest.talk(&room, "not any more").await;
    guest.expect_error("name_taken").await;
    let sent = id();
    newer.send(json!({"type": "TALK", "roomId": room, "id": sent, "message": "nor here"})).await;
    assert_eq!(newer.expect_error("name_taken").await["id"], sent);

    let mut person = v1_as(&madang, &cookie).await;
    person.enter(&room, "").await;
    assert!(guest.expect("ENTER").await["person"].is_string());
    person.talk(&room, "I am mina").await;
    assert!(guest.expect_talk("I am mina").await["guest"].is_null());
    assert_eq!(madang.history(&room).await.len(), 2);
}

#[tokio::test]
async fn nobody_takes_a_name_of_the_plain_guests() {
    let madang = Madang::start().await;
    let refused = madang.call("sign_in", &[("name", "손님-ab12")], None).await;
    assert_eq!((refused.status, text(&refused.json()["code"])), (400, "name_invalid"));
}

#[tokio::test]
async fn words_stay_their_authors_after_the_name_is_free() {
    let madang = Madang::start().await;
    let room = madang.new_room("authors").await;
    let cookie = madang.sign_in("mina").await;
    let mut mina = v1_as(&madang, &cookie).await;
    let person = mina.enter(&room, "").await["you"]["person"].clone();
    mina.talk(&room, "mine").await;
    mina.expect("TALK").await;
    madang.call("sign_out", &[], Some(&cookie)).await;
    let other = madang.sign_in("mina").await;
    let mut other = v1_as(&madang, &other).await;
    assert_ne!(other.enter(&room, "").await["you"]["person"], person);
    let stored = &madang.history(&room).await[0];
    assert_eq!((&stored["sender"], &stored["person"]), (&json!("mina"), &person));
}
