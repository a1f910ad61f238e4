//! What a Rust programmer would write first: axum's WebSocket, a tokio broadcast channel per room, a task per
//! direction and connection. It parses, numbers and stamps as Madang does, and keeps nothing.

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, Utf8Bytes, WebSocket},
    },
    routing::get,
};
use futures_util::{SinkExt, StreamExt};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::broadcast;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all_fields = "camelCase")]
enum Heard {
    #[serde(rename = "ENTER")]
    Enter { room_id: String, sender: String },
    #[serde(rename = "TALK")]
    Talk { id: String, message: String },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Said<'a> {
    r#type: &'static str,
    room_id: &'a str,
    sender: &'a str,
    message: &'a str,
    id: &'a str,
    seq: u64,
    rev: u64,
    at: String,
    guest: &'static str,
}

struct Room {
    id: String,
    last: Mutex<u64>,
    said: broadcast::Sender<Utf8Bytes>,
}

type Rooms = Arc<Mutex<HashMap<String, Arc<Room>>>>;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("listening on {}", listener.local_addr()?);
    let router = Router::new().route("/ws/chat", get(upgrade)).with_state(Rooms::default());
    axum::serve(
        axum::serve::ListenerExt::tap_io(listener, |stream| {
            let _ = stream.set_nodelay(true);
        }),
        router,
    )
    .await
}

async fn upgrade(upgrade: WebSocketUpgrade, State(rooms): State<Rooms>) -> axum::response::Response {
    upgrade.on_upgrade(|socket| chat(socket, rooms))
}

async fn chat(socket: WebSocket, rooms: Rooms) {
    let (mut sink, mut stream) = socket.split();
    let Some(Ok(Message::Text(first))) = stream.next().await else { return };
    let Ok(Heard::Enter { room_id, sender }) = serde_json::from_str(&first) else { return };
    let room = rooms
        .lock()
        .expect("no panic while it was held")
        .entry(room_id.clone())
        .or_insert_with(|| Arc::new(Room { id: room_id, last: Mutex::new(0), said: broadcast::channel(4_096).0 }))
        .clone();
    let mut hears = room.said.subscribe();
    if sink.send(Message::text(r#"{"type":"ROOM"}"#)).await.is_err() {
        return;
    }
    let writing = tokio::spawn(async move {
        while let Ok(text) = hears.recv().await {
            if sink.send(Message::Text(text)).await.is_err() {
                return;
            }
        }
    });
    while let Some(Ok(Message::Text(text))) = stream.next().await {
        let Ok(Heard::Talk { id, message }) = serde_json::from_str(&text) else { continue };
        // Numbered and sent under one lock, so that everyone sees one order.
        let mut last = room.last.lock().expect("no panic while it was held");
        *last += 1;
        let said = Said {
            r#type: "TALK",
            room_id: &room.id,
            sender: &sender,
            message: &message,
            id: &id,
            seq: *last,
            rev: *last,
            at: OffsetDateTime::now_utc().format(&Rfc3339).expect("a time"),
            guest: "abcd",
        };
        let _ = room.said.send(serde_json::to_string(&said).expect("JSON").into());
    }
    writing.abort();
}
