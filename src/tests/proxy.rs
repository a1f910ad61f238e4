//! The proxy of the harness does what the tests that use it rely on.

use super::harness::{Direction, PATIENCE, Proxy, within};
use std::{
    io::ErrorKind,
    net::SocketAddr,
    pin::pin,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const HANDSHAKE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n";

/// A proxy, and both ends of one connection through it.
async fn line() -> (Proxy, TcpStream, TcpStream) {
    let listener = listen().await;
    let proxy = Proxy::start(address(&listener)).await;
    let (client, server) = connect(&proxy, &listener).await;
    (proxy, client, server)
}

async fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.expect("a free port")
}

fn address(listener: &TcpListener) -> SocketAddr {
    listener.local_addr().expect("its address")
}

async fn connect(proxy: &Proxy, listener: &TcpListener) -> (TcpStream, TcpStream) {
    let client = TcpStream::connect(proxy.address()).await.expect("a connection");
    let (server, _) = within("the proxy to connect", listener.accept()).await.expect("a connection");
    client.set_nodelay(true).expect("nodelay");
    server.set_nodelay(true).expect("nodelay");
    (client, server)
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) {
    within("the line to take it", stream.write_all(bytes)).await.expect("sent");
}

async fn receive(stream: &mut (impl AsyncRead + Unpin), count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    within("what was sent", stream.read_exact(&mut bytes)).await.expect("received");
    bytes
}

/// All that is still to come before the FIN.
async fn receive_rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    within("the end of the stream", stream.read_to_end(&mut bytes)).await.expect("an orderly end");
    bytes
}

/// One byte all the way. Both directions of a connection are one task of the proxy, so it has then
/// also looked at what came before from the other side.
async fn marker(from: &mut (impl AsyncWrite + Unpin), to: &mut (impl AsyncRead + Unpin)) {
    send(from, b"!").await;
    assert_eq!(receive(to, 1).await, b"!");
}

/// Bytes of which no two stretches are alike.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// An unmasked text, as servers send it.
fn frame(text: &str) -> Vec<u8> {
    let length = text.len();
    let mut frame = vec![0x81];
    match length {
        0..=125 => frame.push(length as u8),
        126..=65_535 => frame.extend([&[126], &(length as u16).to_be_bytes()[..]].concat()),
        _ => frame.extend([&[127], &(length as u64).to_be_bytes()[..]].concat()),
    }
    frame.extend_from_slice(text.as_bytes());
    frame
}

#[tokio::test]
async fn everything_passes_unchanged_both_ways_until_each_side_has_ended() {
    let (_proxy, mut client, mut server) = line().await;
    let much = bytes(3_000_000);
    let echo = tokio::spawn(async move {
        let heard = receive_rest(&mut server).await;
        send(&mut server, &heard).await;
    });
    send(&mut client, &much).await;
    client.shutdown().await.expect("an end of one direction");
    assert!(receive_rest(&mut client).await == much);
    echo.await.expect("the other side");
}

#[tokio::test]
async fn a_cut_comes_after_exactly_that_byte_in_either_direction_and_once() {
    let listener = listen().await;
    let proxy = Proxy::start(address(&listener)).await;
    let sent = bytes(50_000);
    for count in [1, 9, 16_384, 16_385, 50_000] {
        for direction in [Direction::ToClient, Direction::ToServer] {
            let (client, server) = connect(&proxy, &listener).await;
            let (mut from, mut to) = match direction {
                Direction::ToClient => (server, client),
                Direction::ToServer => (client, server),
            };
            proxy.cut_after(direction, count);
            marker(&mut to, &mut from).await;
            send(&mut from, &sent).await;
            assert!(receive_rest(&mut to).await == sent[..count], "{direction:?} {count}");
            assert_eq!(receive_rest(&mut from).await, b"", "{direction:?} {count}");
        }
    }
    let (mut client, mut server) = connect(&proxy, &listener).await;
    marker(&mut client, &mut server).await;
    marker(&mut server, &mut client).await;
}

#[tokio::test]
async fn a_stalled_direction_delivers_nothing_while_the_other_goes_on() {
    let (proxy, mut client, mut server) = line().await;
    marker(&mut server, &mut client).await;
    proxy.stall(Direction::ToClient);
    send(&mut server, b"held back").await;
    marker(&mut client, &mut server).await;
    // In order, so that whatever had come would be read before the end.
    proxy.close();
    assert_eq!(receive_rest(&mut client).await, b"");
}

#[tokio::test]
async fn what_a_stall_held_back_arrives_whole_when_resumed_and_so_does_the_end() {
    let (proxy, mut client, mut server) = line().await;
    let much = bytes(100_000);
    proxy.stall(Direction::ToClient);
    send(&mut server, &much).await;
    server.shutdown().await.expect("an end of one direction");
    marker(&mut client, &mut server).await;
    proxy.resume(Direction::ToClient);
    assert!(receive_rest(&mut client).await == much);
    marker(&mut client, &mut server).await;
}

#[tokio::test]
async fn a_stalled_direction_pushes_back_on_its_sender() {
    /// More than the kernel keeps on the whole way, and as many chunks, with some to spare.
    const MUCH: usize = 64 << 20;
    const CHUNKS: usize = MUCH / 16_384 * 5 / 4;
    let (proxy, mut client, mut server) = line().await;
    let sent = bytes(MUCH);
    proxy.stall(Direction::ToServer);
    let (mut ears, mut mouth) = client.split();
    let mut sending = pin!(mouth.write_all(&sent));
    let markers = async {
        for _ in 0..CHUNKS {
            marker(&mut server, &mut ears).await;
        }
    };
    tokio::select! {
        _ = &mut sending => panic!("the proxy swallows without end"),
        () = markers => {}
    }
    proxy.resume(Direction::ToServer);
    let (taken, heard) = tokio::join!(within("all to be taken", sending), receive(&mut server, MUCH));
    taken.expect("sent");
    assert!(heard == sent);
}

#[tokio::test]
async fn reset_is_seen_as_such_at_both_ends_of_all_connections() {
    let listener = listen().await;
    let proxy = Proxy::start(address(&listener)).await;
    let mut ends = Vec::new();
    for _ in 0..3 {
        ends.extend(<[TcpStream; 2]>::from(connect(&proxy, &listener).await));
    }
    proxy.stall(Direction::ToClient);
    proxy.reset();
    for mut end in ends {
        let error = within("a reset", end.read_u8()).await.expect_err("an end");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn close_is_an_orderly_end_even_for_who_is_still_talking() {
    let (proxy, mut client, mut server) = line().await;
    proxy.stall(Direction::ToServer);
    send(&mut client, &bytes(40_000)).await;
    marker(&mut server, &mut client).await;
    proxy.close();
    assert_eq!(receive_rest(&mut client).await, b"");
    assert_eq!(receive_rest(&mut server).await, b"");
    send(&mut client, b"too late").await;
}

#[tokio::test]
async fn a_delay_comes_before_each_chunk_and_can_be_ended() {
    const DELAY: Duration = Duration::from_millis(20);
    let (proxy, mut client, mut server) = line().await;
    proxy.delay(Direction::ToServer, DELAY);
    let start = Instant::now();
    for _ in 0..3 {
        marker(&mut client, &mut server).await;
        marker(&mut server, &mut client).await;
    }
    assert!(start.elapsed() >= 3 * DELAY, "{:?}", start.elapsed());
    proxy.delay(Direction::ToServer, 2 * PATIENCE);
    proxy.delay(Direction::ToServer, Duration::ZERO);
    marker(&mut client, &mut server).await;
}

#[tokio::test]
async fn new_connections_go_where_the_server_is_now_and_are_reset_while_it_is_nowhere() {
    let (proxy, mut client, mut server) = line().await;
    let mut refused = TcpStream::connect(proxy.address()).await.expect("a connection");
    let error = within("a reset", refused.read_u8()).await.expect_err("nobody there");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    let elsewhere = listen().await;
    proxy.retarget(address(&elsewhere));
    let (mut new_client, mut new_server) = connect(&proxy, &elsewhere).await;
    marker(&mut new_client, &mut new_server).await;
    marker(&mut client, &mut server).await;
}

#[tokio::test]
async fn a_dropped_frame_is_missing_and_the_next_is_whole_however_reads_split_them() {
    let (proxy, mut client, mut server) = line().await;
    proxy.drop_texts(1.0, 1, |text| text.starts_with("ack"));
    // Headers of two, four and ten bytes; and frames that are no texts, whatever they carry.
    let (mut sent, mut kept) = (HANDSHAKE.to_vec(), HANDSHAKE.to_vec());
    for length in [0, 122, 123, 400, 70_000] {
        let filler = "아".repeat(length / 3) + &"-".repeat(length % 3);
        sent.extend(frame(&format!("ack{filler}")));
        let stays = [frame(&format!("nak{filler}")), b"\x89\x03ack".to_vec(), b"\x82\x03ack".to_vec()].concat();
        sent.extend(&stays);
        kept.extend(&stays);
    }
    for piece in sent[..3_000].chunks(7) {
        send(&mut server, piece).await;
        marker(&mut client, &mut server).await;
    }
    send(&mut server, &sent[3_000..]).await;
    server.shutdown().await.expect("an end");
    let received = receive_rest(&mut client).await;
    assert_eq!(received.len(), kept.len());
    assert!(received == kept);
    assert_eq!(proxy.dropped(), 5);
}

#[tokio::test]
async fn a_rule_may_come_and_go_and_its_work_can_be_waited_for() {
    let (proxy, mut client, mut server) = line().await;
    send(&mut server, &[HANDSHAKE, &frame("one")].concat()).await;
    receive(&mut client, HANDSHAKE.len() + 5).await;
    proxy.drop_texts(1.0, 1, |_| true);
    send(&mut server, &frame("two")).await;
    within("the loss", proxy.until_dropped(1)).await;
    proxy.keep_texts();
    send(&mut server, &frame("three")).await;
    assert_eq!(receive(&mut client, 7).await, frame("three"));
    assert_eq!(proxy.dropped(), 1);
}

#[tokio::test]
async fn a_frame_that_the_server_never_finishes_is_passed_on_as_far_as_it_came() {
    let whole = frame(&"-".repeat(200));
    for so_much in [1, 3, 4, 100] {
        let (proxy, mut client, mut server) = line().await;
        proxy.drop_texts(1.0, 1, |_| true);
        let sent = [HANDSHAKE, &whole, &whole[..so_much]].concat();
        send(&mut server, &sent).await;
        drop(server);
        assert_eq!(receive_rest(&mut client).await, [HANDSHAKE, &whole[..so_much]].concat());
    }
}

#[tokio::test]
async fn what_is_no_websocket_is_left_alone() {
    let (proxy, mut client, mut server) = line().await;
    proxy.drop_texts(1.0, 1, |_| true);
    let answer = [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", &frame("abc")[..]].concat();
    send(&mut server, &answer).await;
    assert_eq!(receive(&mut client, answer.len()).await, answer);
    assert_eq!(proxy.dropped(), 0);
}

/// Which of 200 texts get through on a first connection.
async fn survivors(seed: u64) -> Vec<u8> {
    let (proxy, mut client, mut server) = line().await;
    proxy.drop_texts(0.3, seed, |text| text != "end");
    send(&mut server, HANDSHAKE).await;
    for n in 0..200 {
        send(&mut server, &frame(&format!("{n}"))).await;
    }
    send(&mut server, &frame("end")).await;
    drop(server);
    let received = receive_rest(&mut client).await;
    let lost = proxy.dropped();
    assert!((30..=90).contains(&lost), "{lost} of 200 with a probability of 0.3");
    assert!(received.ends_with(&frame("end")));
    received
}

#[tokio::test]
async fn the_same_seed_loses_the_same_texts() {
    let first = survivors(1).await;
    assert_eq!(first, survivors(1).await);
    assert_ne!(first, survivors(2).await);
}

#[tokio::test]
async fn a_proxy_that_is_dropped_takes_everything_with_it() {
    let (proxy, mut client, mut server) = line().await;
    let address = proxy.address();
    marker(&mut client, &mut server).await;
    proxy.stall(Direction::ToClient);
    drop(proxy);
    assert_eq!(receive_rest(&mut client).await, b"");
    assert_eq!(receive_rest(&mut server).await, b"");
    let error = TcpStream::connect(address).await.expect_err("nobody listens");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}
