//! The servers that are compared: each a process of its own, pinned to one core.

use crate::frame;
use serde_json::json;
use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The core of the server; the load generator has the others.
pub const SERVER_CORE: usize = 0;
/// No answer within this is an error.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Who is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// Madang on a store that keeps nothing.
    Memory,
    /// Madang as shipped, on SQLite.
    Madang,
    /// A bare loop, a write per member and message.
    Floor1,
    /// A bare loop, a write per member and round.
    FloorN,
    /// Bun's native publish.
    Bun,
    /// The same with one SQLite transaction per message.
    BunSqlite,
    /// axum's chat pattern.
    Axum,
    /// ws on Node.
    Ws,
    /// Socket.IO on Node.
    SocketIo,
}

impl Peer {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Memory,
        Self::Madang,
        Self::Floor1,
        Self::FloorN,
        Self::Bun,
        Self::BunSqlite,
        Self::Axum,
        Self::Ws,
        Self::SocketIo,
    ];

    /// As the table calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Memory => "madang-memory",
            Self::Madang => "madang",
            Self::Floor1 => "floor1",
            Self::FloorN => "floorN",
            Self::Bun => "bun",
            Self::BunSqlite => "bun+sqlite",
            Self::Axum => "axum",
            Self::Ws => "ws",
            Self::SocketIo => "socket.io",
        }
    }

    /// Whether it is Madang, on whatever store.
    #[must_use]
    pub fn is_madang(self) -> bool {
        matches!(self, Self::Memory | Self::Madang)
    }

    fn command(self, directory: &Path) -> Command {
        let program = |program: &Path, arguments: &[&str]| {
            let mut command = Command::new("taskset");
            command.arg("-c").arg(SERVER_CORE.to_string()).arg(program).args(arguments);
            command
        };
        let own = |name: &str| std::env::current_exe().expect("our own name").with_file_name(name);
        // Absolute, since it is also where they run.
        let peers = Path::new("benches/peers").canonicalize().expect("the repository's root as working directory");
        match self {
            Self::Memory | Self::Madang => {
                let unlimited = [
                    "--listen=127.0.0.1:0",
                    "--log=warn",
                    "--messages-per-second=0",
                    "--rooms-per-minute=0",
                    "--connections-per-address=0",
                ];
                let mut command = program(Path::new(&std::env::var("MADANG_BIN").expect("MADANG_BIN")), &unlimited);
                let file = if self == Self::Memory { ":memory:" } else { "madang.db" };
                command.arg(format!("--database-url=sqlite:{}", directory.join(file).display()));
                command
            }
            Self::Floor1 => program(&own("floor"), &["1"]),
            Self::FloorN => program(&own("floor"), &["n"]),
            Self::Axum => program(&own("axum_chat"), &[]),
            Self::Bun | Self::BunSqlite => {
                let mut command = program(&peers.join("node_modules/.bin/bun"), &["bun.js"]);
                command.current_dir(&peers);
                if self == Self::BunSqlite {
                    command.env("KEEP", directory.join("bun.db"));
                }
                command
            }
            Self::Ws | Self::SocketIo => {
                let mut command = program(Path::new("node"), &[if self == Self::Ws { "ws.js" } else { "socketio.js" }]);
                command.current_dir(&peers).env("NODE_ENV", "production");
                command
            }
        }
    }
}

/// How a server's frames look.
#[derive(Clone, Copy, Debug)]
pub struct Dialect(Peer);

impl Dialect {
    /// A message, as its sender writes it.
    #[must_use]
    pub fn talk(self, room: &str, number: u64) -> Vec<u8> {
        let id = format!("0190b6a5-0000-7000-8000-{number:012x}");
        self.frame("TALK", &json!({"roomId": room, "id": id, "message": format!("message {number}")}))
    }

    fn frame(self, kind: &str, body: &serde_json::Value) -> Vec<u8> {
        let text = if self.0 == Peer::SocketIo {
            format!("42[\"{kind}\",{body}]")
        } else {
            // The fields in this order, the type first: the floor does not parse.
            let fields = body.to_string();
            format!("{{\"type\":\"{kind}\",{}", &fields[1..])
        };
        frame::from_client(1, text.as_bytes())
    }

    /// How a delivered message begins.
    #[must_use]
    pub fn talk_begins(self) -> &'static [u8] {
        if self.0 == Peer::SocketIo { br#"42["TALK","# } else { br#"{"type":"TALK","# }
    }

    /// Whether messages carry numbers: all but the floor's.
    #[must_use]
    pub fn has_numbers(self) -> bool {
        !matches!(self.0, Peer::Floor1 | Peer::FloorN)
    }

    /// Whether that is the peer's own kind of ping.
    #[must_use]
    pub fn is_ping(self, payload: &[u8]) -> bool {
        self.0 == Peer::SocketIo && payload == b"2"
    }

    /// The answer to that.
    #[must_use]
    pub fn pong(self) -> &'static [u8] {
        b"3"
    }
}

/// A running server; it ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    peer: Peer,
    process: Child,
    address: SocketAddr,
    /// Where it keeps what it keeps.
    directory: tempfile::TempDir,
}

impl Server {
    /// Starts one in `scratch` and waits until it listens.
    ///
    /// # Errors
    /// Why it did not.
    pub fn start(peer: Peer, scratch: &Path) -> Result<Self, String> {
        Self::start_in(peer, tempfile::tempdir_in(scratch).map_err(|error| error.to_string())?)
    }

    fn start_in(peer: Peer, directory: tempfile::TempDir) -> Result<Self, String> {
        let mut process = peer
            .command(directory.path())
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", peer.name()))?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        let line = lines.next().and_then(Result::ok).unwrap_or_default();
        let address = line.rsplit([' ', '/']).next().and_then(|address| address.parse().ok());
        let Some(address) = address else {
            let _ = process.kill();
            let _ = process.wait();
            return Err(format!("{} did not start: {line}", peer.name()));
        };
        Ok(Self { peer, process, address, directory })
    }

    /// Kills it, has `between` work on the directory where it keeps what it keeps, and starts it again there.
    ///
    /// # Errors
    /// Why it did not start again.
    pub fn restart(mut self, between: impl FnOnce(&Path) -> Result<(), String>) -> Result<Self, String> {
        self.end();
        let empty = tempfile::tempdir().map_err(|error| error.to_string())?;
        let directory = std::mem::replace(&mut self.directory, empty);
        between(directory.path())?;
        Self::start_in(self.peer, directory)
    }

    fn end(&mut self) {
        // Our own child, by its id: taskset has become the server.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// How its frames look.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        Dialect(self.peer)
    }

    /// CPU time that all its threads have used.
    ///
    /// # Errors
    /// When it has ended.
    pub fn cpu(&self) -> Result<Duration, String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).map_err(|error| error.to_string())?;
        let mut nanoseconds = 0;
        for task in tasks.flatten() {
            let spent = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            nanoseconds += spent.split(' ').next().and_then(|spent| spent.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    /// Memory that is its own and not backed by a file, in bytes.
    ///
    /// # Errors
    /// When it has ended.
    pub fn memory(&self) -> Result<u64, String> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).map_err(|e| e.to_string())?;
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).ok_or("no RssAnon")?;
        let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().map_err(|_| "no number")?;
        Ok(kilobytes * 1_024)
    }

    /// How many descriptors it has open.
    ///
    /// # Errors
    /// When it has ended.
    pub fn descriptors(&self) -> Result<usize, String> {
        Ok(fs::read_dir(format!("/proc/{}/fd", self.process.id())).map_err(|error| error.to_string())?.count())
    }

    /// The page at `path`, headers and all, in an encoding (`br` is what a browser gets, `identity` is not packed).
    ///
    /// # Errors
    /// An answer other than 200.
    pub fn get(&self, path: &str, encoding: &str) -> Result<Vec<u8>, String> {
        let mut stream = self.connect()?;
        let head = format!("Host: {}\r\nAccept-Encoding: {encoding}\r\nConnection: close", self.address);
        write!(stream, "GET {path} HTTP/1.1\r\n{head}\r\n\r\n").map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).map_err(|error| error.to_string())?;
        let is_good = answer.starts_with(b"HTTP/1.1 200 ");
        if is_good { Ok(answer) } else { Err(format!("{path}: {}", String::from_utf8_lossy(&answer))) }
    }

    /// Says something as a member, and waits until it is heard.
    ///
    /// # Errors
    /// What went wrong.
    pub fn talk(&self, member: &mut TcpStream, room: &str, number: u64) -> Result<(), String> {
        member.write_all(&self.dialect().talk(room, number)).map_err(|error| error.to_string())?;
        hear(member, &format!("\"message {number}\""))
    }

    /// Makes a room, where rooms are made.
    ///
    /// # Errors
    /// What the server said.
    pub fn new_room(&self, name: &str) -> Result<String, String> {
        if !self.peer.is_madang() {
            return Ok(format!("0190b6a5-0000-7000-8000-{:012}", name.rsplit(' ').next().unwrap_or_default()));
        }
        let mut stream = self.connect()?;
        let body = json!({ "name": name }).to_string();
        let length = body.len();
        write!(
            stream,
            "POST /chat HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            self.address
        )
        .map_err(|error| error.to_string())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        let id = answer.split("\"roomId\":\"").nth(1).and_then(|rest| rest.split('"').next());
        id.map(str::to_owned).ok_or(answer)
    }

    fn connect(&self) -> Result<TcpStream, String> {
        let stream = TcpStream::connect(self.address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(ANSWER_WITHIN)).map_err(|error| error.to_string())?;
        stream.set_nodelay(true).map_err(|error| error.to_string())?;
        Ok(stream)
    }

    /// Opens a connection and enters a room; returns once the server said that it is in.
    ///
    /// # Errors
    /// What went wrong.
    pub fn enter(&self, room: &str, sender: &str) -> Result<TcpStream, String> {
        let mut stream = self.open()?;
        let enter = self.dialect().frame("ENTER", &json!({"roomId": room, "sender": sender}));
        stream.write_all(&enter).map_err(|error| error.to_string())?;
        hear(&mut stream, "\"ROOM\"")?;
        Ok(stream)
    }

    /// Opens a connection.
    ///
    /// # Errors
    /// What went wrong.
    pub fn open(&self) -> Result<TcpStream, String> {
        let mut stream = self.connect()?;
        let path = if self.peer == Peer::SocketIo { "/socket.io/?EIO=4&transport=websocket" } else { "/ws/chat" };
        let protocol = if self.peer.is_madang() { "Sec-WebSocket-Protocol: madang.v1\r\n" } else { "" };
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n",
            self.address
        )
        .map_err(|error| error.to_string())?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).map_err(|error| format!("no answer to the upgrade: {error}"))?;
            answer.push(byte[0]);
        }
        if !answer.starts_with(b"HTTP/1.1 101") {
            return Err(String::from_utf8_lossy(&answer).into_owned());
        }
        if self.peer == Peer::SocketIo {
            hear(&mut stream, "\"sid\"")?;
            stream.write_all(&frame::from_client(1, b"40")).map_err(|error| error.to_string())?;
            hear(&mut stream, "40{")?;
        }
        Ok(stream)
    }
}

/// Reads frames, no byte beyond, until one holds `what`.
fn hear(stream: &mut TcpStream, what: &str) -> Result<(), String> {
    let mut bytes = Vec::new();
    loop {
        while frame::first(&bytes).is_none() {
            let mut byte = [0];
            stream.read_exact(&mut byte).map_err(|error| format!("waiting for {what}: {error}"))?;
            bytes.push(byte[0]);
        }
        if memchr::memmem::find(&bytes, what.as_bytes()).is_some() {
            return Ok(());
        }
        bytes.clear();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
