//! What was acknowledged is on disk: kill -9 and SIGTERM under load, and a restart on the same data.

use super::{Proof, client::Client, trials};
use crate::harness::{Process, number, open, text, v1_as};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet},
    path::Path,
    sync::Arc,
    time::Instant,
};
use tokio::{sync::watch, task::JoinHandle};

const WRITERS: usize = 8;
pub(super) const UNLIMITED: &[&str] = &[
    "--messages-per-second",
    "0",
    "--sign-ins-per-minute",
    "0",
    "--rooms-per-minute",
    "0",
    "--connections-per-address",
    "0",
];

/// Writers that talk until the line breaks.
struct Load {
    writers: Vec<JoinHandle<Client>>,
    /// How many of them have come in, and how many acknowledgements they have had.
    progress: Arc<watch::Sender<(usize, usize)>>,
}

impl Load {
    fn start(server: &Arc<Process>, clients: Vec<Client>) -> Self {
        let progress = Arc::new(watch::Sender::new((0, 0)));
        let writers = clients.into_iter().map(|mut client| {
            let (server, progress) = (server.clone(), progress.clone());
            client.will_say(2_000);
            tokio::spawn(async move {
                let (mut counted, mut is_in) = (client.acknowledged.len(), false);
                client
                    .visit(&server, |client| {
                        let grown = client.acknowledged.len() - counted;
                        counted += grown;
                        let comes_in = usize::from(!std::mem::replace(&mut is_in, true));
                        progress.send_modify(|(inside, all)| (*inside, *all) = (*inside + comes_in, *all + grown));
                        false
                    })
                    .await;
                client
            })
        });
        Self { writers: writers.collect(), progress }
    }

    /// Waits until all of them are in and have had so many acknowledgements: who is still on the way to a server that stops
    /// finds nobody there.
    async fn reaches(&self, count: usize) {
        let mut progress = self.progress.subscribe();
        let reached = progress.wait_for(|(inside, all)| *inside == self.writers.len() && *all >= count);
        crate::harness::within("enough acknowledgements", reached).await.expect("a counter");
    }

    async fn end(self) -> Vec<Client> {
        let mut clients = Vec::new();
        for writer in self.writers {
            clients.push(writer.await.expect("a writer"));
        }
        clients
    }
}

fn writers(room: &str, trial: usize, count: usize) -> Vec<Client> {
    (0..count).map(|n| Client::new(format!("writer {trial}.{n}"), room)).collect()
}

/// Numbers are dense from 1, and each acknowledged id is there once, under the number it was told.
async fn check_all_is_there(proof: &mut Proof, server: &Process, room: &str, acknowledged: &HashMap<String, u64>) {
    let stored = server.history(room).await;
    let dense = stored.iter().map(|talk| number(&talk["seq"])).eq(1..=stored.len() as u64);
    proof.must(dense, || format!("room {room}: numbers have a hole or a repeat"));
    let head = number(&server.get(&format!("/chat/{room}")).await.json()["head"]);
    proof.must(head == stored.len() as u64, || format!("head {head} of {}", stored.len()));
    let by_id: HashMap<&str, u64> = stored.iter().map(|talk| (text(&talk["id"]), number(&talk["seq"]))).collect();
    proof.must(by_id.len() == stored.len(), || "an id is stored twice".into());
    for (id, seq) in acknowledged {
        let found = by_id.get(id.as_str());
        proof.must(found == Some(seq), || format!("{id} was acknowledged as {seq} and is at {found:?}"));
    }
}

async fn check_the_file(proof: &mut Proof, directory: &Path) {
    let verified = Process::run(directory, &["verify"]).await;
    proof.must(verified.status.success(), || String::from_utf8_lossy(&verified.stderr).into_owned());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_kill_9_under_load_every_acknowledged_message_is_there_once_and_numbers_are_dense() {
    let mut proof = Proof::of(1, "acknowledged is on disk: kill -9 under 8 writers");
    let directory = tempfile::tempdir().expect("a directory");
    let mut all = 0;
    for trial in 0..trials(3, 300) {
        let server = Arc::new(Process::start(directory.path(), UNLIMITED).await);
        let room = server.new_room(&format!("trial {trial}")).await;
        let load = Load::start(&server, writers(&room, trial, WRITERS));
        load.reaches(rand::random_range(50..600)).await;
        server.kill().await;
        let mut acknowledged = HashMap::new();
        for client in load.end().await {
            proof.must(client.violations.is_empty(), || format!("{:?}", client.violations));
            acknowledged.extend(client.acknowledged);
        }
        all += acknowledged.len();
        check_the_file(&mut proof, directory.path()).await;
        let server = Process::start(directory.path(), UNLIMITED).await;
        check_all_is_there(&mut proof, &server, &room, &acknowledged).await;
        server.kill().await;
        proof.tried(1);
    }
    proof.remark = format!("{all} acknowledged");
    proof.done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sigterm_under_load_tells_everyone_to_come_back_and_loses_nothing() {
    let mut proof = Proof::of(11, "SIGTERM loses nothing: sent = stored = received");
    for trial in 0..trials(2, 50) {
        let directory = tempfile::tempdir().expect("a directory");
        let server = Arc::new(Process::start(directory.path(), UNLIMITED).await);
        let room = server.new_room("restarts").await;
        let mut plain = open(&server).await;
        let plain_ends = tokio::spawn(async move { plain.expect_close().await });
        let load = Load::start(&server, writers(&room, trial, 4));
        load.reaches(rand::random_range(20..300)).await;

        let begun = Instant::now();
        let status = server.terminate().await;
        let took = begun.elapsed();
        proof.must(status.code() == Some(0), || format!("it ended with {status}"));
        proof.must(took.as_secs() < 10, || format!("it took {took:?} to end"));
        let code = plain_ends.await.expect("a listener");
        proof.must(code == 1012, || format!("a listener was closed with {code}"));

        let server = Arc::new(Process::start(directory.path(), UNLIMITED).await);
        let mut clients = load.end().await;
        for client in &mut clients {
            proof.must(client.told_to_come_back && client.close_code == Some(1012), || {
                format!("RESTART {}, close {:?}", client.told_to_come_back, client.close_code)
            });
            client.say_no_more();
            client.visit(&server, Client::has_said_all).await;
        }
        let sent: HashSet<String> = clients.iter().flat_map(|client| client.acknowledged.keys().cloned()).collect();
        let stored: HashSet<String> =
            server.history(&room).await.iter().map(|talk| text(&talk["id"]).to_owned()).collect();
        proof.must(sent == stored, || format!("{} sent, {} stored", sent.len(), stored.len()));
        for mut client in clients {
            client.visit(&server, |client| client.head >= stored.len() as u64).await;
            let received: HashSet<String> = client.states.keys().cloned().collect();
            proof.must(received == stored, || format!("{} received of {}", received.len(), stored.len()));
            proof.must(client.violations.is_empty(), || format!("{:?}", client.violations));
        }
        server.kill().await;
        check_the_file(&mut proof, directory.path()).await;
        proof.tried(1);
    }
    proof.done();
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
