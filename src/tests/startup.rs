//! Starting: what the program says of itself, and in one line why it cannot.

use super::harness::Process;
use std::process::Output;

/// One line on the error output that begins with `madang: ` and names what is wrong; no success.
fn assert_refused(output: &Output, names: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.starts_with("madang: ") && said.trim_end().lines().count() == 1, "{said}");
    assert!(said.contains(names), "{names:?} in {said}");
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test]
async fn a_second_server_on_the_same_data_is_refused_and_the_first_goes_on() {
    let directory = tempfile::tempdir().expect("a directory");
    let first = Process::start(directory.path(), &[]).await;
    assert_refused(&Process::run(directory.path(), &[]).await, "in use");
    assert_eq!(first.get("/health").await.status, 200);
    first.kill().await;
    // The lock is gone with the process, however it ended.
    Process::start(directory.path(), &[]).await;
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_written_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::write(directory.path().join("file"), "").expect("a file");
    assert_refused(&Process::run(directory.path(), &["--data", "file/data"]).await, "file/data");
    assert_refused(&Process::run(directory.path(), &["--data", "file"]).await, "file");
    assert_refused(&Process::run(directory.path(), &["--data", "/proc/madang"]).await, "/proc/madang");
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join("data")).expect("a directory");
    let file = directory.path().join("data/madang.db");
    std::fs::write(&file, "my poems, ".repeat(500)).expect("a file");
    assert_refused(&Process::run(directory.path(), &[]).await, "madang.db");
    assert_eq!(std::fs::read_to_string(&file).expect("still there"), "my poems, ".repeat(500));
}

#[tokio::test]
async fn a_taken_port_is_refused() {
    let (first, second) = (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
    let server = Process::start(first.path(), &[]).await;
    let address = server.address.to_string();
    assert_refused(&Process::run(second.path(), &["--listen", &address]).await, &address);
}

#[tokio::test]
async fn a_bad_address_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    for address in ["nonsense", "127.0.0.1", "127.0.0.1:99999", "", "192.0.2.1:8080"] {
        assert_refused(&Process::run(directory.path(), &["--listen", address]).await, &format!("listen on {address}"));
    }
}

#[tokio::test]
async fn a_missing_site_is_said_in_one_line() {
    let directory = tempfile::tempdir().expect("a directory");
    assert_refused(&Process::run(directory.path(), &["--site", "nowhere"]).await, "nowhere");
}

#[tokio::test]
async fn settings_that_this_release_does_not_know_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    assert_refused(&Process::run(directory.path(), &["--database-url", "postgres://localhost/madang"]).await, "sqlite");
    assert_refused(&Process::run(directory.path(), &["--nats-url", "nats://localhost"]).await, "nats");
    assert_refused(&Process::run(directory.path(), &["--log", "=["]).await, "--log");
    for args in [
        ["--origin", "chat.example.org"],
        ["--trusted-proxy", "proxy"],
        ["--messages-per-second", "many"],
        ["--no-such-flag", ""],
    ] {
        let output = Process::run(directory.path(), &args).await;
        assert!(!output.status.success() && !output.stderr.is_empty(), "{args:?}");
    }
}

#[tokio::test]
async fn a_database_url_names_the_file() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("elsewhere/chat.db");
    let server = Process::start(directory.path(), &["--database-url", &format!("sqlite:{}", file.display())]).await;
    server.new_room("kept elsewhere").await;
    server.terminate().await;
    assert!(file.is_file() && !directory.path().join("data/madang.db").exists());
}

#[tokio::test]
async fn help_explains_every_flag_and_its_variable() {
    let directory = tempfile::tempdir().expect("a directory");
    let help = Process::run(directory.path(), &["--help"]).await;
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(help.status.success(), "{text}");
    for (flag, variable) in [
        ("--listen", "MADANG_LISTEN"),
        ("--data", "MADANG_DATA"),
        ("--database-url", "DATABASE_URL"),
        ("--nats-url", "NATS_URL"),
        ("--site", "LEPTOS_SITE_ROOT"),
        ("--origin", "MADANG_ORIGIN"),
        ("--trusted-proxy", "MADANG_TRUSTED_PROXY"),
        ("--messages-per-second", "MADANG_MESSAGES_PER_SECOND"),
        ("--rooms-per-minute", "MADANG_ROOMS_PER_MINUTE"),
        ("--sign-ins-per-minute", "MADANG_SIGN_INS_PER_MINUTE"),
        ("--connections-per-address", "MADANG_CONNECTIONS_PER_ADDRESS"),
        ("--log", "RUST_LOG"),
    ] {
        assert!(text.contains(flag) && text.contains(variable), "{flag} {variable} in {text}");
    }
    let version = Process::run(directory.path(), &["--version"]).await;
    assert_eq!(String::from_utf8_lossy(&version.stdout).trim(), format!("madang {}", env!("CARGO_PKG_VERSION")));
}
