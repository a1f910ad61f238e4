//! What was acknowledged is on disk: kill -9 and SIGTERM under load, and a restart on the same data.

use super::harness::{Process, Socket, id, number, open, text, v1, v1_as};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{sync::Notify, task::JoinHandle};
use tokio_tungstenite::tungstenite::Message;

const WRITERS: usize = 8;
/// Messages of one writer that may be under way without an answer.
const UNDER_WAY: usize = 16;
const UNLIMITED: &[&str] = &["--messages-per-second", "0", "--sign-ins-per-minute", "0"];

/// Counts what was acknowledged, and tells who waits for a number of them.
#[derive(Default)]
struct Progress {
    acknowledged: AtomicUsize,
    grew: Notify,
}

impl Progress {
    async fn reaches(&self, count: usize) {
        while self.acknowledged.load(Ordering::SeqCst) < count {
            super::harness::within("more acknowledgements", self.grew.notified()).await;
        }
    }
}

/// What became of one writer's messages.
struct Written {
    /// Ids that were acknowledged, with their numbers.
    acknowledged: HashMap<String, u64>,
    /// The types of all frames that came, and the close code, if one came.
    end: (Vec<String>, Option<u16>),
}

/// Writes until the line breaks.
async fn write(socket: Socket, room: String, name: String, progress: Arc<Progress>) -> Written {
    let (mut mouth, mut ears) = socket.halves();
    let mut acknowledged = HashMap::new();
    let mut sent: HashMap<String, String> = HashMap::new();
    let mut last = Vec::new();
    let mut n = 0;
    let end = loop {
        while sent.len() - acknowledged.len() < UNDER_WAY {
            n += 1;
            let (id, message) = (id(), format!("{name} says {n}"));
            let talk = json!({"type": "TALK", "roomId": room, "id": id, "message": message});
            sent.insert(id, message);
            if mouth.try_send(Message::text(talk.to_string())).await.is_err() {
                break;
            }
        }
        match ears.hear().await {
            Ok(frame) => {
                let frame: Value = serde_json::from_str(&frame).expect("JSON");
                last.push(text(&frame["type"]).to_owned());
                let own = frame["id"].as_str().filter(|id| frame["type"] == "TALK" && sent.contains_key(*id));
                if let Some(id) = own {
                    assert_eq!(frame["message"], sent[id].as_str());
                    acknowledged.insert(id.to_owned(), number(&frame["seq"]));
                    progress.acknowledged.fetch_add(1, Ordering::SeqCst);
                    progress.grew.notify_one();
                }
            }
            Err(code) => break code,
        }
    };
    Written { acknowledged, end: (last, end) }
}

async fn start_writers(server: &Process, room: &str, trial: usize) -> (Arc<Progress>, Vec<JoinHandle<Written>>) {
    let progress = Arc::new(Progress::default());
    let mut writers = Vec::new();
    for n in 0..WRITERS {
        let mut socket = v1(server).await;
        let name = format!("writer {trial}.{n}");
        socket.enter(room, &name).await;
        writers.push(tokio::spawn(write(socket, room.to_owned(), name, progress.clone())));
    }
    (progress, writers)
}

async fn finish(writers: Vec<JoinHandle<Written>>) -> Vec<Written> {
    let mut all = Vec::new();
    for writer in writers {
        all.push(writer.await.expect("a writer"));
    }
    all
}

/// Numbers are dense from 1, and each acknowledged id is there once, under the number it was told.
async fn assert_all_is_there(server: &Process, room: &str, acknowledged: &HashMap<String, u64>) {
    let stored = server.history(room).await;
    let seqs: Vec<u64> = stored.iter().map(|talk| number(&talk["seq"])).collect();
    assert!(seqs.iter().copied().eq(1..=seqs.len() as u64), "numbers have a hole or a repeat: {seqs:?}");
    assert_eq!(number(&server.get(&format!("/chat/{room}")).await.json()["head"]), seqs.len() as u64);
    let by_id: HashMap<&str, u64> = stored.iter().map(|talk| (text(&talk["id"]), number(&talk["seq"]))).collect();
    assert_eq!(by_id.len(), stored.len(), "an id is stored twice");
    for (id, seq) in acknowledged {
        assert_eq!(by_id.get(id.as_str()), Some(seq), "an acknowledged message is lost or has another number");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_under_load_every_acknowledged_message_is_there_once_and_numbers_are_dense() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut server = Process::start(directory.path(), UNLIMITED).await;
    let room = server.new_room("survives").await;
    let mut acknowledged = HashMap::new();
    for trial in 0..3 {
        let (progress, writers) = start_writers(&server, &room, trial).await;
        progress.reaches(rand::random_range(50..800)).await;
        server.kill().await;
        for written in finish(writers).await {
            acknowledged.extend(written.acknowledged);
        }
        server = Process::start(directory.path(), UNLIMITED).await;
        assert_all_is_there(&server, &room, &acknowledged).await;
    }
    assert!(acknowledged.len() >= 150, "{}", acknowledged.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_tells_everyone_to_come_back_and_loses_nothing() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let room = server.new_room("restarts").await;
    let (mut plain, mut idle) = (open(&server).await, v1(&server).await);
    let plain_ends = tokio::spawn(async move { plain.expect_close().await });
    let idle_ends = tokio::spawn(async move { (idle.expect("RESTART").await, idle.expect_close().await) });
    let (progress, writers) = start_writers(&server, &room, 0).await;
    progress.reaches(300).await;

    let status = server.terminate().await;
    assert_eq!(status.code(), Some(0), "{status}");
    assert_eq!(plain_ends.await.expect("a listener"), 1012);
    let (restart, code) = idle_ends.await.expect("a listener");
    assert!(number(&restart["afterMs"]) > 0 && code == 1012, "{restart} {code}");

    let mut acknowledged = HashMap::new();
    for written in finish(writers).await {
        let (frames, code) = written.end;
        let restart = frames.iter().position(|kind| kind == "RESTART").expect("RESTART before the close");
        assert!(!frames[restart..].iter().any(|kind| kind == "TALK"), "nothing is stored after RESTART");
        assert_eq!(code, Some(1012));
        acknowledged.extend(written.acknowledged);
    }
    let server = Process::start(directory.path(), UNLIMITED).await;
    assert_all_is_there(&server, &room, &acknowledged).await;
}

#[tokio::test]
async fn a_restart_keeps_rooms_history_names_and_sessions() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), &[]).await;
    let room = server.new_room("책 모임").await;
    let cookie = server.sign_in("mina").await;
    let mut mina = v1_as(&server, &cookie).await;
    let epoch = mina.enter(&room, "").await["epoch"].clone();
    let sent = mina.talk(&room, "before").await;
    let told = mina.expect_talk("before").await;
    let rooms = server.get("/chat").await.json();
    server.terminate().await;

    let server = Process::start(directory.path(), &[]).await;
    let mut kept = server.get("/chat").await.json();
    kept[1]["memberCount"] = rooms[1]["memberCount"].clone();
    assert_eq!(kept, rooms);
    let mut guest = open(&server).await;
    guest.send(json!({"type": "ENTER", "roomId": room, "sender": "mina"})).await;
    guest.expect_error("name_taken").await;
    let mut mina = v1_as(&server, &cookie).await;
    mina.send(json!({"type": "ENTER", "roomId": room, "since": 0, "epoch": epoch})).await;
    let state = mina.expect("ROOM").await;
    assert_eq!((&state["epoch"], &state["you"]["sender"], &state["reset"]), (&epoch, &json!("mina"), &Value::Null));
    assert_eq!(mina.expect("TALK").await, told);
    mina.expect("SYNC").await;
    mina.send(json!({"type": "TALK", "roomId": room, "id": sent, "message": "before"})).await;
    assert_eq!(mina.expect("TALK").await, told, "a retry over the restart is the same message");
}

#[tokio::test]
async fn sigterm_ends_an_idle_server_with_success() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), &[]).await;
    server.get("/health").await;
    assert_eq!(server.terminate().await.code(), Some(0));
}

#[tokio::test]
async fn a_client_that_never_finishes_its_request_does_not_hold_up_the_end() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), &[]).await;
    let stream = tokio::net::TcpStream::connect(server.address).await.expect("a connection");
    stream.writable().await.expect("writable");
    stream.try_write(b"GET /chat HTTP/1.1\r\nHost: a\r\nX-Half").expect("sent");
    server.get("/health").await;
    assert_eq!(server.terminate().await.code(), Some(0));
    drop(stream);
}
