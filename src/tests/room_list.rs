//! The list of rooms: live (WATCH and LIST), and in pages.

use super::harness::{Answer, Madang, Socket, number, open, text, v1};
use serde_json::{Value, json};

async fn watch(watcher: &mut Socket, rooms: usize) -> Vec<Value> {
    watcher.send(json!({"type": "WATCH", "on": true})).await;
    let mut all = Vec::new();
    for _ in 0..rooms {
        all.push(watcher.expect("LIST").await);
    }
    all
}

/// Waits for the LIST of that room which `fits`; those in between are other moments of the same.
async fn list_of(watcher: &mut Socket, room: &str, fits: impl Fn(&Value) -> bool) -> Value {
    loop {
        let row = watcher.expect("LIST").await;
        if row["roomId"] == room && fits(&row) {
            return row;
        }
    }
}

#[tokio::test]
async fn whoever_watches_gets_every_room_in_creation_order() {
    let madang = Madang::start().await;
    let room = madang.new_room("one").await;
    madang.new_room("two").await;
    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    mina.talk(&room, "the last line").await;
    mina.expect("TALK").await;

    let rows = watch(&mut v1(&madang).await, 3).await;
    let listed = madang.get("/chat").await.json();
    for (row, room) in rows.iter().zip(listed.as_array().expect("an array")) {
        let mut row = row.clone();
        row.as_object_mut().expect("an object").remove("type");
        assert_eq!(row, *room, "the same as GET /chat shows");
    }
    assert_eq!(
        (&rows[1]["head"], &rows[1]["memberCount"], &rows[1]["last"]["message"]),
        (&json!(1), &json!(1), &json!("the last line"))
    );
}

#[tokio::test]
async fn a_new_room_appears_to_those_who_watch() {
    let madang = Madang::start().await;
    let mut watcher = v1(&madang).await;
    watch(&mut watcher, 1).await;
    let room = madang.new_room("새 방").await;
    let row = list_of(&mut watcher, &room, |_| true).await;
    assert_eq!((&row["name"], &row["head"], &row["memberCount"]), (&json!("새 방"), &json!(0), &json!(0)));
}

#[tokio::test]
async fn what_is_said_and_who_is_there_shows_in_the_list() {
    let madang = Madang::start().await;
    let room = madang.new_room("active").await;
    let mut watcher = v1(&madang).await;
    watch(&mut watcher, 2).await;

    let mut mina = open(&madang).await;
    mina.enter(&room, "mina").await;
    list_of(&mut watcher, &room, |row| row["memberCount"] == 1).await;
    for n in 1..=20 {
        mina.talk(&room, &format!("{n}")).await;
    }
    let row = list_of(&mut watcher, &room, |row| number(&row["head"]) == 20).await;
    assert_eq!(row["last"], json!({"sender": "mina", "message": "20"}));
    assert!(text(&row["at"]).ends_with('Z'), "{row}");
    drop(mina);
    list_of(&mut watcher, &room, |row| row["memberCount"] == 0).await;
}

#[tokio::test]
async fn a_busy_room_is_listed_at_most_once_a_second() {
    let madang = Madang::start_unlimited().await;
    let room = madang.new_room("busy").await;
    let mut watcher = v1(&madang).await;
    watch(&mut watcher, 2).await;
    let mut mina = open(&madang).await;
    let began = std::time::Instant::now();
    mina.enter(&room, "mina").await;
    for n in 0..500 {
        mina.talk(&room, &format!("{n}")).await;
        mina.expect("TALK").await;
    }
    let mut rows = 0;
    while list_of(&mut watcher, &room, |_| true).await["head"] != 500 {
        rows += 1;
    }
    let seconds = began.elapsed().as_secs();
    assert!(rows <= seconds + 1, "{rows} rows before the last in {seconds} s");
}

#[tokio::test]
async fn whoever_stops_watching_hears_no_more_of_it() {
    let madang = Madang::start().await;
    let (mut watcher, mut other) = (v1(&madang).await, v1(&madang).await);
    watch(&mut watcher, 1).await;
    watch(&mut other, 1).await;
    watcher.send(json!({"type": "WATCH", "on": false})).await;
    watcher.send(json!({"type": "PING"})).await;
    watcher.expect("PONG").await;
    let room = madang.new_room("unseen").await;
    list_of(&mut other, &room, |_| true).await;
    watcher.send(json!({"type": "PING"})).await;
    watcher.expect("PONG").await;
    watcher.send(json!({"type": "WATCH"})).await;
    watcher.expect_error("bad_frame").await;
}

#[tokio::test]
async fn many_rooms_come_in_pages() {
    let madang = Madang::start_unlimited().await;
    let mut made = vec![madang.lobby().await];
    for n in 0..202 {
        made.push(madang.new_room(&format!("room {n}")).await);
    }
    let ids = |answer: &Answer| -> Vec<String> {
        answer.json().as_array().expect("rooms").iter().map(|room| text(&room["roomId"]).to_owned()).collect()
    };
    let all = madang.get("/chat").await;
    assert_eq!((ids(&all), all.headers.get("link")), (made.clone(), None));

    let mut found = Vec::new();
    let mut next = Some("/chat?limit=150".to_owned());
    while let Some(path) = next {
        let page = madang.get(&path).await;
        found.extend(ids(&page));
        let link = page.headers.get("link").map(|link| link.to_str().expect("text").to_owned());
        next = link.map(|link| link.trim_start_matches('<').split('>').next().expect("an address").to_owned());
    }
    assert_eq!(found, made);
    for bad in ["/chat?limit=0", "/chat?limit=1001", "/chat?after=nowhere", "/chat?limit=-1"] {
        assert_eq!(madang.get(bad).await.status, 400, "{bad}");
    }

    let page = madang.get("/").await.body;
    assert!(page.contains(&made[199]) && !page.contains(&made[200]));
    let more = format!("/?after={}", made[199]);
    assert!(page.contains(&format!("href=\"{more}\"")), "a link to the next");
    let rest = madang.get(&more).await.body;
    assert!(made[200..].iter().all(|room| rest.contains(room)) && !rest.contains("/?after="));
    let listed: Vec<String> = serde_json::from_str::<Vec<Value>>(&madang.get("/api/list_rooms").await.body)
        .expect("rooms")
        .iter()
        .map(|room| text(&room["roomId"]).to_owned())
        .collect();
    assert_eq!(listed, made[..200]);
}
