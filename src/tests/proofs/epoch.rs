//! A restored database is noticed, never silently mixed with what clients know.

use super::{Proof, acknowledged::UNLIMITED, client::Client, trials};
use crate::harness::Process;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restore_every_client_loads_anew() {
    let mut proof = Proof::of(7, "a restored database is noticed");
    for _ in 0..trials(1, 20) {
        let directory = tempfile::tempdir().expect("a directory");
        let data = directory.path().join("data");
        let server = Process::start(directory.path(), UNLIMITED).await;
        let room = server.new_room("restored").await;
        let mut clients: Vec<Client> = (0..3).map(|n| Client::new(format!("member {n}"), &room)).collect();
        let said = rand::random_range(1..30);
        for client in &mut clients {
            client.will_say(said);
            client.visit(&server, Client::has_said_all).await;
        }
        let copied = Process::run(directory.path(), &["backup", "copy.db"]).await;
        proof.must(copied.status.success(), || String::from_utf8_lossy(&copied.stderr).into_owned());
        // The numbers of the copy are used again, for other words.
        for client in &mut clients {
            client.will_say(said);
            client.visit(&server, Client::has_said_all).await;
        }
        server.terminate().await;
        for left in ["madang.db", "madang.db-wal", "madang.db-shm"] {
            let _ = std::fs::remove_file(data.join(left));
        }
        std::fs::copy(directory.path().join("copy.db"), data.join("madang.db")).expect("restored");

        let server = Process::start(directory.path(), UNLIMITED).await;
        let mut stranger = Client::new("stranger", &room);
        stranger.will_say(said * 4);
        stranger.visit(&server, Client::has_said_all).await;
        let head = stranger.head;
        for client in &mut clients {
            client.visit(&server, |client| client.head >= head).await;
            proof.must(client.resets == 1, || format!("told {} times that the history is another", client.resets));
            let differs = client.differs_from_fresh_load(&server).await;
            proof.must(differs.is_none() && client.violations.is_empty(), || {
                format!("{differs:?} {:?}", client.violations)
            });
        }
        proof.tried(1);
    }
    proof.done();
}
