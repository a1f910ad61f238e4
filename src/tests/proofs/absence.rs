//! Everybody comes back after a restart, without a storm; and a dead line is noticed.

use super::{Proof, acknowledged::UNLIMITED, client::Client, is_thorough, trials};
use crate::harness::{Direction, Place, Process, Proxy, v1};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// As the page does: from half a second on, doubled up to half a minute, and of that a random part.
async fn come_back(client: &mut Client, place: &Place, done: impl Fn(&Client) -> bool) -> u32 {
    let mut tries = 0;
    loop {
        let longest = Duration::from_millis(500) * 2u32.pow(tries.min(6));
        tokio::time::sleep(longest.mul_f64(rand::random())).await;
        tries += 1;
        if client.visit(place, &done).await {
            return tries;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_restart_everybody_comes_back_and_has_everything() {
    let mut proof = Proof::of(12, "after a restart everyone returns");
    let limit = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let count = trials(60, 2_000);
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let listen = server.address.to_string();
    let room = server.new_room("everybody").await;
    let mut speaker = Client::new("speaker", &room);
    speaker.will_say(50);
    speaker.visit(&server, Client::has_said_all).await;
    let place = Arc::new(Place::at(server.address));
    let head = Arc::new(tokio::sync::watch::Sender::new(50));
    let mut everybody = Vec::new();
    let (here, mut arrived) = tokio::sync::mpsc::channel(count);
    for n in 0..count {
        let (place, head, here) = (place.clone(), head.clone(), here.clone());
        let mut client = Client::new(format!("member {n}"), &room);
        everybody.push(tokio::spawn(async move {
            client.visit(&place, |client| client.head >= 50).await;
            here.send(()).await.expect("somebody who counts");
            // In the room until the line breaks.
            client.visit(&place, |_| false).await;
            let mut goal = head.subscribe();
            goal.wait_for(|head| *head > 50).await.expect("a goal");
            let begun = Instant::now();
            let tries = come_back(&mut client, &place, |client| client.head >= 60).await;
            (client, tries, begun.elapsed())
        }));
    }
    for _ in 0..count {
        arrived.recv().await.expect("everybody");
    }
    server.terminate().await;
    let server = Process::start(directory.path(), &[UNLIMITED, &["--listen", &listen]].concat()).await;
    speaker.will_say(10);
    speaker.visit(&server, Client::has_said_all).await;
    head.send_replace(60);
    let (mut most, mut longest) = (0, Duration::ZERO);
    let fresh = server.history(&room).await.len();
    for member in everybody {
        let (client, tries, took) = member.await.expect("a member");
        (most, longest) = (most.max(tries), longest.max(took));
        proof.must(client.violations.is_empty() && client.states.len() == fresh, || {
            format!("{} of {fresh}, {:?}", client.states.len(), client.violations)
        });
        proof.tried(1);
    }
    proof.remark = format!("all back within {:.1} s, at most {most} tries", longest.as_secs_f64());
    proof.done();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_line_is_noticed_within_30_seconds() {
    if !is_thorough() {
        return;
    }
    let mut proof = Proof::of(13, "a dead connection is noticed by the server within 30 s");
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let room = server.new_room("quiet").await;
    let proxy = Proxy::start(server.address).await;
    let mut mina = v1(&server).await;
    mina.enter(&room, "mina").await;
    let mut lines = Vec::new();
    for n in 0..10 {
        let mut line = v1(&Place::at(proxy.address())).await;
        line.enter(&room, &format!("cut off {n}")).await;
        mina.expect("ENTER").await;
        lines.push(line);
    }
    proxy.stall(Direction::ToServer);
    proxy.stall(Direction::ToClient);
    let begun = Instant::now();
    for _ in &lines {
        let mut kind = String::new();
        while kind != "LEAVE" {
            let next = tokio::time::timeout(Duration::from_secs(40), mina.await_message()).await;
            let frame = next.expect("a frame in time").and_then(|frame| frame.into_text().ok());
            kind = frame
                .and_then(|frame| serde_json::from_str::<serde_json::Value>(&frame).ok())
                .map_or(kind, |frame| frame["type"].as_str().unwrap_or_default().to_owned());
        }
        let took = begun.elapsed();
        proof.must(took <= Duration::from_secs(30), || format!("noticed after {took:?}"));
        proof.tried(1);
    }
    proof.remark = format!("the last after {:.1} s", begun.elapsed().as_secs_f64());
    proof.done();
}
