//! `madang verify` and `madang backup`, and what clients make of a restored copy.

use super::harness::{Process, number, text, v1};
use serde_json::json;
use std::{path::Path, process::Output};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

async fn run(directory: &Path, args: &[&str]) -> Output {
    Process::run(directory, args).await
}

#[tokio::test]
async fn a_backup_of_a_running_server_is_whole_and_a_restored_one_is_noticed() {
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), &["--messages-per-second", "0"]).await;
    let room = server.new_room("kept").await;
    let mut mina = v1(&server).await;
    let state = mina.enter(&room, "mina").await;
    for n in 0..5 {
        mina.talk(&room, &format!("before {n}")).await;
        mina.expect("TALK").await;
    }
    let copied = run(directory.path(), &["backup", "copy.db"]).await;
    assert!(copied.status.success(), "{}", said(&copied));
    assert!(said(&copied).contains("copy.db is whole: 2 rooms, 5 messages, 5 changes"), "{}", said(&copied));
    let again = run(directory.path(), &["backup", "copy.db"]).await;
    assert!(!again.status.success() && said(&again).contains("is there already"), "{}", said(&again));
    mina.talk(&room, "after").await;
    mina.expect("TALK").await;
    let verified = run(directory.path(), &["verify"]).await;
    assert!(verified.status.success() && said(&verified).contains("6 messages"), "{}", said(&verified));
    server.kill().await;

    // What the server left behind, its write-ahead log included, is whole too; then the copy takes its place.
    let left = run(directory.path(), &["verify", "data/madang.db"]).await;
    assert!(left.status.success(), "{}", said(&left));
    for file in ["madang.db-wal", "madang.db-shm"] {
        let _ = std::fs::remove_file(directory.path().join("data").join(file));
    }
    std::fs::copy(directory.path().join("copy.db"), directory.path().join("data/madang.db")).expect("restored");
    let server = Process::start(directory.path(), &[]).await;
    let mut mina = v1(&server).await;
    let enter = json!({"type": "ENTER", "roomId": room, "sender": "mina", "since": 5, "epoch": state["epoch"]});
    mina.send(enter).await;
    let restored = mina.expect("ROOM").await;
    assert_eq!((&restored["reset"], number(&restored["head"])), (&json!(true), 5));
    assert_ne!(text(&restored["epoch"]), text(&state["epoch"]));
}

#[tokio::test]
async fn what_cannot_be_verified_or_copied_is_said_in_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("poems"), "no database, ".repeat(400)).expect("a file");
    for (args, word) in [
        (&["verify"][..], "there is no database"),
        (&["verify", "poems"], "cannot read poems"),
        (&["backup", "copy.db"], "there is no database"),
        (&["backup", "copy.db", "--database-url", "sqlite:poems"], "cannot write copy.db"),
        (&["backup"], "required"),
    ] {
        let output = run(directory.path(), args).await;
        assert!(!output.status.success() && said(&output).contains(word), "{args:?}: {}", said(&output));
    }
    assert!(!directory.path().join("copy.db.part").exists());
}
