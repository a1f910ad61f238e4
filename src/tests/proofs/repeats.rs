//! What is sent again, because its acknowledgement was lost, is stored once.

use super::{Proof, acknowledged::UNLIMITED, client::Client, trials};
use crate::harness::{Place, Process, Proxy, text};
use std::{collections::HashSet, sync::Arc};

/// Messages sent between two kills.
const BETWEEN_KILLS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_again_is_stored_once() {
    let mut proof = Proof::of(5, "a repeat is stored once: 30 % of acknowledgements lost, kills in between");
    let directory = tempfile::tempdir().expect("a directory");
    let mut server = Arc::new(Process::start(directory.path(), UNLIMITED).await);
    let room = server.new_room("lossy").await;
    let proxy = Proxy::start(server.address).await;
    proxy.drop_texts(0.3, 7, |text| text.contains("\"type\":\"TALK\""));
    let place = Place::at(proxy.address());
    let mut clients: Vec<Client> = (0..4).map(|n| Client::new(format!("sender {n}"), &room)).collect();
    let sends = trials(400, 10_000);
    for round in 0..sends / BETWEEN_KILLS {
        let killed = server.clone();
        let talking = clients.into_iter().map(|mut client| {
            client.forgives_holes = true;
            client.will_say(BETWEEN_KILLS / 4);
            let place = Place::at(place.address);
            // On every other round the server dies in the middle of it.
            let until = if round % 2 == 0 { BETWEEN_KILLS / 8 } else { usize::MAX };
            let (from, killed) = (client.acknowledged.len(), killed.clone());
            async move {
                client.visit(&place, |client| client.has_said_all() || client.acknowledged.len() - from >= until).await;
                if until < usize::MAX {
                    killed.kill().await;
                }
                client
            }
        });
        clients = futures_util::future::join_all(talking).await;
        if round % 2 == 0 {
            server = Arc::new(Process::start(directory.path(), UNLIMITED).await);
            proxy.retarget(server.address);
            proof.faults += 1;
        }
        proof.trials += BETWEEN_KILLS / 4 * 4;
    }
    for client in &mut clients {
        while !client.visit(&place, Client::has_said_all).await {}
        proof.must(client.violations.is_empty(), || format!("{:?}", client.violations));
    }
    let stored = server.history(&room).await;
    let ids: HashSet<String> = stored.iter().map(|talk| text(&talk["id"]).to_owned()).collect();
    let sent: HashSet<String> = clients.iter().flat_map(|client| client.acknowledged.keys().cloned()).collect();
    proof.must(stored.len() == ids.len() && ids == sent, || {
        format!("{} sent, {} stored, {} distinct", sent.len(), stored.len(), ids.len())
    });
    proof.faults += proxy.dropped() as usize;
    proof.done();
}
