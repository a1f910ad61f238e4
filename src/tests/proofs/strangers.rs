//! Whatever may come in from strangers.

use super::{Proof, acknowledged::UNLIMITED, is_thorough, trials};
use crate::harness::{Process, within};
use madang::server::{
    frames::{self, Incoming, Violation},
    mailbox,
    session::{Deaf, Ear},
};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};
use tokio_tungstenite::accept_async;

/// A request that is never finished: its header comes byte by byte, or nothing comes at all.
async fn drip(server: std::net::SocketAddr, talks: bool) -> Duration {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(server).await.expect("a connection");
    let header = b"GET /chat HTTP/1.1\r\nHost: madang\r\nX-Drip: ".iter().copied().chain(std::iter::repeat(b'x'));
    let mut answer = [0; 1_024];
    for byte in header {
        let pause = tokio::time::timeout(Duration::from_millis(500), stream.read(&mut answer)).await;
        if matches!(pause, Ok(Ok(0) | Err(_))) || (talks && stream.write_all(&[byte]).await.is_err()) {
            break;
        }
        if begun.elapsed() > Duration::from_secs(40) {
            break;
        }
    }
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_drips_or_says_nothing_is_cut_off_and_others_are_served() {
    let mut proof = Proof::of(14, "dripping and silent connections are cut within 15 s");
    let directory = tempfile::tempdir().expect("a directory");
    let server = Process::start(directory.path(), UNLIMITED).await;
    let count = trials(40, 500);
    let drips: Vec<_> = (0..count).map(|n| tokio::spawn(drip(server.address, n % 2 == 0))).collect();
    let mut slowest = Duration::ZERO;
    while !drips.iter().all(tokio::task::JoinHandle::is_finished) {
        let asked = Instant::now();
        let answer = within("an ordinary answer", server.get("/chat")).await;
        slowest = slowest.max(asked.elapsed());
        proof.must(answer.status == 200, || format!("an ordinary client got {}", answer.status));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut longest = Duration::ZERO;
    for drip in drips {
        let took = drip.await.expect("a drip");
        longest = longest.max(took);
        proof.must(took <= Duration::from_secs(15), || format!("one was cut after {took:?}"));
        proof.tried(1);
    }
    let late: Vec<_> = (0..20).map(|n| tokio::spawn(drip(server.address, n % 2 == 0))).collect();
    server.get("/health").await;
    let begun = Instant::now();
    let status = server.terminate().await;
    proof.must(status.code() == Some(0) && begun.elapsed() < Duration::from_secs(10), || {
        format!("{status} after {:?}", begun.elapsed())
    });
    late.into_iter().for_each(|drip| drip.abort());
    proof.remark = format!("the last after {:.1} s; others waited {slowest:.0?} at most", longest.as_secs_f64());
    proof.done();
}

/// Says back whatever comes, as Madang reads and writes, but for the size of a message: some cases send megabytes.
async fn echo(stream: TcpStream) {
    // It holds nothing back: no client speaks before it has the answer to its handshake.
    let Ok(socket) = accept_async(stream).await else { return };
    let (_, outlet) = mailbox::queue(Some(socket.into_inner()));
    let mut ear = Ear::new(usize::MAX, Default::default());
    loop {
        let (answer, is_last) = match ear.hear(&outlet).await {
            Ok(Incoming::Text(text)) => (frames::text(text.as_bytes()), false),
            Ok(Incoming::Binary(bytes)) => (frames::binary(&bytes), false),
            Ok(Incoming::Ping(payload)) => (frames::pong(&payload), false),
            Ok(Incoming::Pong(_)) => continue,
            Ok(Incoming::Close(code)) => (frames::close(code.map(|code| (code, ""))), true),
            Err(Deaf::Confused(Violation::NotUtf8)) => (frames::close(Some((1007, ""))), true),
            Err(Deaf::Confused(_)) => (frames::close(Some((1002, ""))), true),
            Err(Deaf::Lost) => return,
        };
        outlet.write(&answer);
        if outlet.flush().await.is_err() || is_last {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn autobahns_cases_find_nothing() {
    if !is_thorough() {
        return;
    }
    let mut proof = Proof::of(14, "no input crashes or stalls: Autobahn's cases without compression");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("ws://{}", listener.local_addr().expect("its address"));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(echo(stream));
        }
    });
    let script = ".ci/autobahn";
    let output = Command::new(script).arg(&address).output().await.expect("the script");
    let said = String::from_utf8_lossy(&output.stdout);
    let Some(line) = said.lines().find_map(|line| line.strip_prefix("Autobahn: ")) else {
        return proof.skipped(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("kosoku did not run"));
    };
    proof.must(output.status.success(), || format!("{line}: {}", String::from_utf8_lossy(&output.stderr)));
    proof.trials = line.split(' ').next().and_then(|count| count.parse().ok()).unwrap_or_default();
    proof.remark = line.to_owned();
    proof.done();
}
