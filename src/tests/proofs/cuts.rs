//! Whatever becomes of the line, the state after coming back is that of a fresh load.

use super::{Proof, client::Client, trials};
use crate::harness::{Direction, Madang, Place, Proxy, Socket, id, number, text, v1_as};
use serde_json::json;
use std::sync::Arc;

/// Trials in one room: a fresh load of it stays short.
const TRIALS_IN_A_ROOM: usize = 20;

/// Changes that one trial makes, of every kind.
async fn change_things(mina: &mut Socket, room: &str, own: &mut Vec<String>) -> u64 {
    let mut head = 0;
    for n in 0..rand::random_range(5..25) {
        let target = (!own.is_empty()).then(|| own[rand::random_range(0..own.len())].clone());
        let frame = match (rand::random_range(0..6), target) {
            (3, Some(id)) => {
                json!({"type": "EDIT", "roomId": room, "id": id, "message": format!("edited {n} {}", rand::random::<u32>())})
            }
            (4, Some(id)) => {
                json!({"type": "REACT", "roomId": room, "id": id, "emoji": "👍", "on": rand::random::<bool>()})
            }
            (5, Some(id)) => json!({"type": "DELETE", "roomId": room, "id": id}),
            _ => {
                let id = id();
                own.push(id.clone());
                let message = format!("said {n} {}", "·".repeat(rand::random_range(0..300)));
                json!({"type": "TALK", "roomId": room, "id": id, "message": message})
            }
        };
        mina.send(frame).await;
        // Each is answered by its TALK, or by a refusal (a deleted message stays deleted).
        let mut answer = mina.next_json().await;
        while !["TALK", "ERROR"].contains(&text(&answer["type"])) {
            answer = mina.next_json().await;
        }
        if answer["type"] == "TALK" {
            head = head.max(number(&answer["rev"]));
        } else {
            assert_eq!(text(&answer["code"]), "message_not_found", "{answer}");
        }
    }
    head
}

fn break_the_line(proxy: &Proxy, kind: u32) {
    match kind {
        0 => proxy.cut_after(Direction::ToClient, rand::random_range(0..4_000)),
        1 => proxy.cut_after(Direction::ToServer, rand::random_range(0..900)),
        2 => proxy.reset(),
        _ => proxy.close(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_any_cut_the_state_is_that_of_a_fresh_load() {
    let mut proof = Proof::of(6, "after any cut the state equals a fresh load");
    let madang = Arc::new(Madang::start_unlimited().await);
    let cookie = madang.sign_in("mina").await;
    let (mut room, mut own, mut mina, mut reader) = (String::new(), Vec::new(), None, None);
    for trial in 0..trials(25, 1_000) {
        if trial % TRIALS_IN_A_ROOM == 0 {
            room = madang.new_room(&format!("cut {trial}")).await;
            own.clear();
            let mut socket = v1_as(&madang, &cookie).await;
            socket.enter(&room, "").await;
            mina = Some(socket);
            reader = Some(Client::new("reader", &room));
        }
        let (mina, reader) = (mina.as_mut().expect("a writer"), reader.as_mut().expect("a reader"));
        let proxy = Proxy::start(madang.address).await;
        let place = Place::at(proxy.address());
        let kind = trial as u32 % 4;
        if kind < 2 {
            break_the_line(&proxy, kind);
        }
        let (mut seen, until) = (0, rand::random_range(1..8));
        let reading = reader.visit(&place, |_| {
            seen += 1;
            if kind >= 2 && seen == until {
                break_the_line(&proxy, kind);
            }
            false
        });
        let changing = async {
            let head = change_things(mina, &room, &mut own).await;
            // A line that is still whole breaks now.
            proxy.reset();
            head
        };
        let (head, _) = tokio::join!(changing, reading);
        reader.visit(&madang, |client| client.head >= head).await;
        let differs = reader.differs_from_fresh_load(&madang).await;
        proof.must(differs.is_none(), || differs.unwrap_or_default());
        proof.tried(1);
    }
    let violations = reader.map(|reader| reader.violations).unwrap_or_default();
    proof.must(violations.is_empty(), || format!("{violations:?}"));
    proof.done();
}
