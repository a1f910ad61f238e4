//! A bad network: a TCP proxy that cuts, resets, stalls, delays and loses what passes.

use super::sieve::{Rule, Sieve};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{ReadHalf, WriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::sleep,
};

/// Bytes read at a time. What cannot be passed on stays in the kernel, so that the sender feels it.
const CHUNK: usize = 16 * 1024;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// What the client says.
    ToServer,
    /// What the server says.
    ToClient,
}

/// A proxy between clients and one server. Its faults can be switched while connections run.
/// When it is dropped, it stops listening and all its connections break.
pub struct Proxy {
    address: SocketAddr,
    wire: Arc<Wire>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port, and passes everything on to `target`.
    pub async fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("its address");
        let wire = Arc::new(Wire::new(target));
        Self { address, accepting: tokio::spawn(accept(listener, wire.clone())), wire }
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends new connections there; those that run stay where they are. While nothing listens
    /// there, a new connection is reset.
    pub fn retarget(&self, target: SocketAddr) {
        self.wire.target.send_replace(target);
    }

    /// Passes so many further bytes on, then closes that connection at both ends, in order. Bytes of
    /// all connections count, handshakes too; the one that carries the last byte is cut, once.
    /// 0 cuts whichever has something to carry next.
    pub fn cut_after(&self, direction: Direction, bytes: usize) {
        self.wire.lane(direction).send_modify(|lane| lane.cut_after = Some(bytes));
    }

    /// RST to both ends of all connections, now. What is under way is lost.
    pub fn reset(&self) {
        self.wire.end.send_replace(End::Reset);
    }

    /// FIN to both ends of all connections, now. What has not left the proxy is lost.
    pub fn close(&self) {
        self.wire.end.send_replace(End::Close);
    }

    /// Passes nothing more on in this direction, not even the end of a connection. What the proxy is
    /// already writing, at most one chunk, may still arrive.
    pub fn stall(&self, direction: Direction) {
        self.wire.lane(direction).send_modify(|lane| lane.stalled = true);
    }

    /// Passes on what a stall held back, and everything after it.
    pub fn resume(&self, direction: Direction) {
        self.wire.lane(direction).send_modify(|lane| lane.stalled = false);
    }

    /// Waits so long before each chunk of at most 16 KiB. As the next is read only afterwards, this
    /// also limits the rate. Zero ends it.
    pub fn delay(&self, direction: Direction, delay: Duration) {
        self.wire.lane(direction).send_modify(|lane| lane.delay = delay);
    }

    /// Loses the server's texts for which `which` holds, each with this probability, whole frames at
    /// a time. Seed, connection and the count of such texts on it decide, so that chance repeats itself.
    pub fn drop_texts(&self, probability: f64, seed: u64, which: impl Fn(&str) -> bool + Send + Sync + 'static) {
        assert!((0.0..=1.0).contains(&probability), "not a probability: {probability}");
        let dropped = self.wire.dropped.clone();
        let rule = Rule { probability, seed, which: Box::new(which), dropped };
        self.wire.to_client.send_modify(|lane| lane.rule = Some(Arc::new(rule)));
    }

    /// Loses no further text.
    pub fn keep_texts(&self) {
        self.wire.to_client.send_modify(|lane| lane.rule = None);
    }

    /// How many texts were lost so far.
    pub fn dropped(&self) -> u64 {
        *self.wire.dropped.borrow()
    }

    /// Waits until so many texts were lost in all: a client waits in vain for their like.
    pub async fn until_dropped(&self, count: u64) {
        let mut dropped = self.wire.dropped.subscribe();
        dropped.wait_for(|dropped| *dropped >= count).await.expect("the proxy counts while it lives");
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // The connections belong to this task, and end with it.
        self.accepting.abort();
    }
}

/// How a connection ends.
#[derive(Clone, Copy)]
enum End {
    Reset,
    Close,
}

/// What the test has ordered, as all connections see it.
struct Wire {
    target: watch::Sender<SocketAddr>,
    /// The last order to end all connections. Each hears only of those given after its own beginning.
    end: watch::Sender<End>,
    to_server: watch::Sender<Lane>,
    to_client: watch::Sender<Lane>,
    dropped: watch::Sender<u64>,
}

/// What is ordered for one direction.
#[derive(Default)]
struct Lane {
    stalled: bool,
    delay: Duration,
    /// Bytes to pass on before the cut.
    cut_after: Option<usize>,
    rule: Option<Arc<Rule>>,
}

impl Wire {
    fn new(target: SocketAddr) -> Self {
        Self {
            target: watch::Sender::new(target),
            end: watch::Sender::new(End::Close),
            to_server: watch::Sender::default(),
            to_client: watch::Sender::default(),
            dropped: watch::Sender::default(),
        }
    }

    fn lane(&self, direction: Direction) -> &watch::Sender<Lane> {
        match direction {
            Direction::ToServer => &self.to_server,
            Direction::ToClient => &self.to_client,
        }
    }
}

async fn accept(listener: TcpListener, wire: Arc<Wire>) {
    let mut connections = JoinSet::new();
    for number in 0.. {
        let (client, _) = listener.accept().await.expect("a connection");
        while connections.try_join_next().is_some() {}
        connections.spawn(connect(wire.clone(), wire.end.subscribe(), client, number));
    }
}

async fn connect(wire: Arc<Wire>, mut ordered: watch::Receiver<End>, mut client: TcpStream, number: u64) {
    let target = *wire.target.borrow();
    let Ok(mut server) = TcpStream::connect(target).await else {
        return reset([client]);
    };
    for stream in [&client, &server] {
        stream.set_nodelay(true).expect("nodelay");
    }
    let end = tokio::select! {
        end = carry(&wire, number, &mut client, &mut server) => end,
        Ok(()) = ordered.changed() => *ordered.borrow(),
    };
    match end {
        End::Reset => reset([client, server]),
        End::Close => close(client, server).await,
    }
}

/// Without lingering, a socket that is dropped sends RST.
fn reset<const N: usize>(streams: [TcpStream; N]) {
    for stream in streams {
        // It fails on a connection that the other side has already reset.
        let _ = stream.set_zero_linger();
    }
}

/// FIN to both, then reads on to the end: the kernel answers unread input with RST, which can
/// overtake what was passed on last.
async fn close(mut client: TcpStream, mut server: TcpStream) {
    let _ = (client.shutdown().await, server.shutdown().await);
    let (mut one, mut other) = (io::sink(), io::sink());
    let _ = tokio::join!(io::copy(&mut client, &mut one), io::copy(&mut server, &mut other));
}

/// Both directions, until both have ended or something ends the connection as a whole.
async fn carry(wire: &Wire, number: u64, client: &mut TcpStream, server: &mut TcpStream) -> End {
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    let up = pump(&wire.to_server, from_client, to_server, Sieve::open());
    let down = pump(&wire.to_client, from_server, to_client, Sieve::new(number));
    tokio::try_join!(up, down).err().unwrap_or(End::Close)
}

/// One direction, until its source ends.
async fn pump(
    lane: &watch::Sender<Lane>,
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mut sieve: Sieve,
) -> Result<(), End> {
    let mut buffer = vec![0; CHUNK];
    loop {
        let Ok(read) = from.read(&mut buffer).await else {
            pass_gate(lane).await;
            return Err(End::Reset);
        };
        let rule = lane.borrow().rule.clone();
        let chunk = sieve.sift(&buffer[..read], rule.as_deref());
        pass_gate(lane).await;
        let (allowed, cut) = allow(lane, chunk.len());
        if to.write_all(&chunk[..allowed]).await.is_err() {
            // The other direction reads that this end is gone, and what it said before.
            let _ = io::copy(&mut from, &mut io::sink()).await;
            return Ok(());
        }
        if cut {
            return Err(End::Close);
        }
        if read == 0 {
            let _ = to.shutdown().await;
            return Ok(());
        }
    }
}

/// Waits as long as the lane's delay and stall demand.
async fn pass_gate(lane: &watch::Sender<Lane>) {
    let delay = lane.borrow().delay;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    lane.subscribe().wait_for(|lane| !lane.stalled).await.expect("the lane outlives its connections");
}

/// How many of so many bytes may pass, and whether the cut comes after them.
fn allow(lane: &watch::Sender<Lane>, wanted: usize) -> (usize, bool) {
    let mut allowed = (wanted, false);
    lane.send_if_modified(|lane| {
        if let Some(left) = lane.cut_after {
            allowed = (wanted.min(left), wanted >= left);
            lane.cut_after = (wanted < left).then(|| left - wanted);
        }
        // Nobody waits for the count.
        false
    });
    allowed
}
