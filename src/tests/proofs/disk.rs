//! What reaches the disk, and when; and a disk that fails, is full, or may not be written.

use super::{Proof, acknowledged::UNLIMITED, trials};
use crate::harness::{Process, Socket, id, text, v1};
use serde_json::{Value, json};
use std::{collections::HashMap, path::Path, process::Command};

fn has_strace() -> bool {
    Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success())
}

/// Says something under an id and gives the answer: its TALK, or the refusal.
async fn ask(socket: &mut Socket, room: &str, id: &str, message: &str) -> Value {
    socket.send(json!({"type": "TALK", "roomId": room, "id": id, "message": message})).await;
    loop {
        let answer = socket.next_json().await;
        if answer["id"] == id {
            return answer;
        }
    }
}

fn is_stored(answer: &Value) -> bool {
    answer["type"] == "TALK"
}

/// What has happened since the last message came in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    received: bool,
    /// Its row was written into the log.
    written: bool,
    /// A sync begun after that.
    syncing: bool,
    /// … and completed.
    synced: bool,
}

/// Reads a trace of a server that answers one message at a time; gives how many acknowledgements there
/// were, and which of them came before the disk had the message.
fn read_trace(trace: &str) -> (usize, Vec<String>) {
    let (mut seen, mut acknowledged, mut early) = (Seen::default(), 0, Vec::new());
    // A call that others come in between is in two lines, the second without its arguments.
    let mut unfinished: HashMap<&str, &str> = HashMap::new();
    for line in trace.lines() {
        let (thread, rest) = line.split_once(' ').expect("a thread and a call");
        let (begins, ends) = (!rest.contains(" resumed>"), !rest.contains("<unfinished ...>"));
        if begins && !ends {
            unfinished.insert(thread, rest);
        }
        let call = if begins { rest.trim_start() } else { unfinished.remove(thread).unwrap_or_default().trim_start() };
        let is =
            |names: &[&str]| names.iter().any(|name| call.strip_prefix(name).is_some_and(|rest| rest.starts_with('(')));
        let result = rest.rsplit("= ").next().filter(|_| ends).unwrap_or_default();
        let failed = result.starts_with('-');
        if is(&["recvfrom", "read", "readv"]) && call.contains("socket:") && ends && !failed && !result.starts_with('0')
        {
            seen = Seen { received: true, ..Seen::default() };
        } else if is(&["pwrite64"]) && ends {
            seen.written = seen.received;
        } else if is(&["fdatasync", "fsync"]) {
            seen.syncing |= begins && seen.written;
            seen.synced |= ends && seen.syncing && !failed;
        } else if begins && is(&["sendto", "write", "writev", "sendmsg"]) && call.contains(r#"\"type\":\"TALK\""#) {
            acknowledged += 1;
            if !seen.synced {
                early.push(format!("{seen:?} at {line:.160}"));
            }
            seen = Seen::default();
        }
    }
    (acknowledged, early)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sync_begun_after_the_row_was_written_ends_before_each_acknowledgement() {
    let mut proof = Proof::of(1, "acknowledged is on disk: the order of system calls");
    if !has_strace() {
        return proof.skipped("strace may not trace here");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let calls =
        ["-y", "-s", "160", "-e", "trace=recvfrom,read,readv,sendto,write,writev,sendmsg,pwrite64,fdatasync,fsync"];
    let server = Process::start_traced(directory.path(), &calls, UNLIMITED).await;
    let room = server.new_room("traced").await;
    let mut mina = v1(&server).await;
    mina.enter(&room, "mina").await;
    let sends = trials(100, 1_000);
    for n in 0..sends {
        let answer = ask(&mut mina, &room, &id(), &n.to_string()).await;
        proof.must(is_stored(&answer), || answer.to_string());
        proof.tried(0);
    }
    server.terminate().await;
    let trace = std::fs::read_to_string(directory.path().join("trace")).expect("a trace");
    let (acknowledged, early) = read_trace(&trace);
    proof.must(acknowledged == sends, || format!("{acknowledged} acknowledgements of {sends} in the trace"));
    proof.must(early.is_empty(), || {
        format!("{} acknowledgements came too early: {:?}", early.len(), &early[..early.len().min(3)])
    });
    proof.done();
}

/// Sends one after the other; gives what was acknowledged, and how many were refused.
async fn send_through_trouble(socket: &mut Socket, room: &str, count: usize) -> (HashMap<String, String>, Vec<String>) {
    let (mut stored, mut refused) = (HashMap::new(), Vec::new());
    for n in 0..count {
        let (id, message) = (id(), format!("message {n}"));
        let mut answer = ask(socket, room, &id, &message).await;
        while !is_stored(&answer) && refused.len() < 20 {
            refused.push(text(&answer["code"]).to_owned());
            // The outcome may be unknown: the same id settles it.
            answer = ask(socket, room, &id, &message).await;
        }
        if is_stored(&answer) {
            stored.insert(id, message);
        }
    }
    (stored, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_while_a_sync_fails() {
    let mut proof = Proof::of(2, "no acknowledgement when the disk fails: EIO on a sync");
    if !has_strace() {
        return proof.skipped("strace may not trace here");
    }
    for trial in 0..trials(2, 30) {
        let directory = tempfile::tempdir().expect("a directory");
        // The first two dozen syncs make the database and the room.
        let inject = format!("inject=fdatasync,fsync:error=EIO:when={}", 30 + trial);
        let server =
            Process::start_traced(directory.path(), &["-e", "trace=fdatasync,fsync", "-e", &inject], UNLIMITED).await;
        let room = server.new_room("failing").await;
        let mut mina = v1(&server).await;
        mina.enter(&room, "mina").await;
        let (stored, refused) = send_through_trouble(&mut mina, &room, 60).await;
        let injected =
            std::fs::read_to_string(directory.path().join("trace")).expect("a trace").matches("(INJECTED)").count();
        proof.must(injected > 0 && !refused.is_empty(), || format!("{injected} faults, {} refusals", refused.len()));
        proof.must(refused.iter().all(|code| code == "storage_unavailable"), || format!("{refused:?}"));
        proof.must(stored.len() == 60, || format!("{} of 60 stored after the fault was over", stored.len()));
        server.kill().await;
        check_what_is_there(&mut proof, directory.path(), &room, &stored).await;
        proof.tried(injected);
    }
    proof.done();
}

async fn check_what_is_there(proof: &mut Proof, directory: &Path, room: &str, stored: &HashMap<String, String>) {
    let verified = Process::run(directory, &["verify"]).await;
    proof.must(verified.status.success(), || String::from_utf8_lossy(&verified.stderr).into_owned());
    let server = Process::start(directory, UNLIMITED).await;
    let there: HashMap<String, String> = server
        .history(room)
        .await
        .iter()
        .map(|talk| (text(&talk["id"]).to_owned(), text(&talk["message"]).to_owned()))
        .collect();
    let lost = stored.iter().filter(|(id, message)| there.get(*id) != Some(message)).count();
    proof.must(lost == 0, || format!("{lost} of {} acknowledged are lost", stored.len()));
}

/// A file system of a few megabytes in memory, gone when dropped.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a Path) -> Option<Self> {
        std::fs::create_dir_all(path).expect("a directory");
        let mounted = run("mount", &["-t", "tmpfs", "-o", "size=8m", "madang-test", &path.to_string_lossy()]);
        mounted.then_some(Self(path))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        run("umount", &["-l", &self.0.to_string_lossy()]);
    }
}

fn run(program: &str, args: &[&str]) -> bool {
    Command::new(program).args(args).output().is_ok_and(|output| output.status.success())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_to_senders_readers_go_on_and_it_ends_with_its_cause() {
    let mut proof = Proof::of(2, "no acknowledgement when the disk fails: ENOSPC");
    let directory = tempfile::tempdir().expect("a directory");
    let data = directory.path().join("data");
    let Some(_disk) = SmallDisk::mount(&data) else {
        return proof.skipped("this machine lets us mount no tmpfs");
    };
    let server = Process::start(directory.path(), UNLIMITED).await;
    let room = server.new_room("filling").await;
    let mut mina = v1(&server).await;
    mina.enter(&room, "mina").await;
    let long = "x".repeat(7_000);
    let mut stored = HashMap::new();
    for trial in 0..trials(2, 20) {
        let ballast = data.join("ballast");
        // Whatever there is left.
        let full = std::fs::write(&ballast, vec![0; 8 * 1024 * 1024]);
        proof.must(full.is_err(), || "the disk is not full".into());
        let (refused, unsure) = loop {
            let id = id();
            let answer = ask(&mut mina, &room, &id, &long).await;
            if !is_stored(&answer) {
                break (answer, id);
            }
            stored.insert(id, long.clone());
        };
        proof.must(refused["code"] == "storage_unavailable", || refused.to_string());
        let page = server.get(&format!("/chat/{room}/messages")).await;
        proof.must(page.status == 200, || format!("{trial}: readers get {}", page.status));
        let health = server.get("/health").await;
        proof.must(health.status == 503, || format!("{trial}: /health says {}", health.body));

        std::fs::remove_file(&ballast).expect("room again");
        let health = server.get("/health").await;
        proof.must(health.status == 200, || format!("{trial}, afterwards: /health says {}", health.body));
        let again = ask(&mut mina, &room, &unsure, &long).await;
        proof.must(is_stored(&again), || format!("{trial}, afterwards: {again}"));
        stored.insert(unsure, long.clone());
        proof.tried(1);
    }
    server.kill().await;
    check_what_is_there(&mut proof, directory.path(), &room, &stored).await;
    proof.done();
}
