//! The load generator: one thread, one epoll loop. It looks at raw bytes, so that it costs less than what it
//! measures, and checks that every delivery arrived, and in order.

use crate::{
    frame,
    server::{Dialect, Server},
};
use memchr::memmem::Finder;
use mio::{Events, Interest, Poll, Token, net::TcpStream};
use std::{
    collections::VecDeque,
    io::{ErrorKind, Read, Write},
    time::{Duration, Instant},
};

/// Everything must have arrived this long after the last message was sent.
const DRAIN_WITHIN: Duration = Duration::from_secs(20);
/// How long a run goes on before it is measured.
const WARM_UP: Duration = Duration::from_millis(700);
const READ_BUFFER: usize = 256 * 1024;

/// Who talks where, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    /// Rooms.
    pub rooms: usize,
    /// Connections in each.
    pub members: usize,
    /// How many of them talk, in turns.
    pub talkers: usize,
    /// How much.
    pub pace: Pace,
    /// Two members more in the first room, who do not keep up: one never reads, the other 1 Mbit/s.
    pub laggards: bool,
}

/// What a reader at 1 Mbit/s takes in [`LAGGARD_EVERY`].
const LAGGARD_BYTES: usize = 12_500;
const LAGGARD_EVERY: Duration = Duration::from_millis(100);

/// How much is said.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// So many messages per second in all, evenly spread over the rooms.
    PerSecond(u32),
    /// As many as possible, with so many under way in each room.
    UnderWay(usize),
}

/// What a run gave.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// The server's CPU time per delivered message, in microseconds.
    pub cpu_us: f64,
    /// Messages delivered per second.
    pub per_second: f64,
    /// From sending to hearing, the median, in milliseconds.
    pub median_ms: f64,
    /// The same, 99th percentile.
    pub p99_ms: f64,
}

struct Member {
    stream: TcpStream,
    room: usize,
    unread: Vec<u8>,
    heard: u64,
    last: u64,
}

struct Room {
    id: String,
    first: usize,
    sent: u64,
    turn: usize,
    /// When what is under way was sent.
    under_way: VecDeque<Instant>,
}

/// Opens the connections, runs the work for about `length`, waits for the rest and closes.
///
/// # Errors
/// What did not arrive, or not in order.
pub fn run(server: &Server, work: Work, length: Duration) -> Result<Outcome, String> {
    let mut load = Load::open(server, work)?;
    let begun = Instant::now();
    load.talk_until(begun, begun + WARM_UP)?;
    load.forget_latencies();
    let (cpu, delivered, from) = (server.cpu()?, load.delivered, Instant::now());
    load.talk_until(begun, from + length)?;
    let (cpu, delivered, took) = (server.cpu()? - cpu, load.delivered - delivered, from.elapsed());
    load.drain()?;
    load.latencies.sort();
    let latency = |share: usize| {
        let at = load.latencies.len().saturating_sub(1) * share / 100;
        load.latencies.get(at).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1_000.0)
    };
    #[allow(clippy::cast_precision_loss)]
    let outcome = Outcome {
        cpu_us: cpu.as_secs_f64() * 1e6 / delivered as f64,
        per_second: delivered as f64 / took.as_secs_f64(),
        median_ms: latency(50),
        p99_ms: latency(99),
    };
    Ok(outcome)
}

/// Connections in their rooms, and what is said on them.
pub(crate) struct Load {
    dialect: Dialect,
    work: Work,
    poll: Poll,
    members: Vec<Member>,
    /// The one who never reads, and the one who reads slowly.
    laggards: Option<[std::net::TcpStream; 2]>,
    laggard_read: Instant,
    rooms: Vec<Room>,
    sent: u64,
    delivered: u64,
    latencies: Vec<Duration>,
    buffer: Vec<u8>,
    seq: Finder<'static>,
}

impl Load {
    pub(crate) fn open(server: &Server, work: Work) -> Result<Self, String> {
        let mut load = Self::new(server, work)?;
        load.fill(server, work.rooms, true)?;
        if work.laggards {
            let laggard = |name: &str| -> Result<std::net::TcpStream, String> {
                let stream = server.enter(&load.rooms[0].id, name)?;
                stream.set_nonblocking(true).map_err(|error| error.to_string())?;
                Ok(stream)
            };
            load.laggards = Some([laggard("never")?, laggard("slow")?]);
        }
        Ok(load)
    }

    /// Nobody yet.
    pub(crate) fn new(server: &Server, work: Work) -> Result<Self, String> {
        Ok(Self {
            laggards: None,
            laggard_read: Instant::now(),
            dialect: server.dialect(),
            work,
            poll: Poll::new().map_err(|error| error.to_string())?,
            members: Vec::new(),
            rooms: Vec::new(),
            sent: 0,
            delivered: 0,
            latencies: Vec::new(),
            buffer: vec![0; READ_BUFFER],
            seq: Finder::new(br#""seq":"#),
        })
    }

    /// So many rooms more, with their members in them, or only connected.
    pub(crate) fn fill(&mut self, server: &Server, rooms: usize, enter: bool) -> Result<(), String> {
        for n in self.rooms.len()..self.rooms.len() + rooms {
            let id = server.new_room(&format!("room {n}"))?;
            self.rooms.push(Room { id, first: self.members.len(), sent: 0, turn: 0, under_way: VecDeque::new() });
            for _ in 0..self.work.members {
                let name = format!("member {}", self.members.len());
                let stream = if enter { server.enter(&self.rooms[n].id, &name)? } else { server.open()? };
                self.add(stream, n).map_err(|error| error.to_string())?;
            }
            // All of them may take minutes: who is there already has pings to answer.
            self.listen_for(Duration::ZERO)?;
        }
        Ok(())
    }

    fn add(&mut self, stream: std::net::TcpStream, room: usize) -> std::io::Result<()> {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll.registry().register(&mut stream, Token(self.members.len()), Interest::READABLE)?;
        self.members.push(Member { stream, room, unread: Vec::new(), heard: 0, last: 0 });
        Ok(())
    }

    /// Hears what comes, and answers pings.
    pub(crate) fn listen_for(&mut self, length: Duration) -> Result<(), String> {
        let (mut events, end) = (Events::with_capacity(1_024), Instant::now() + length);
        loop {
            self.listen(&mut events, end.saturating_duration_since(Instant::now()))?;
            if Instant::now() >= end {
                return Ok(());
            }
        }
    }

    pub(crate) fn rooms(&self) -> impl Iterator<Item = &str> {
        self.rooms.iter().map(|room| room.id.as_str())
    }

    /// How many messages were sent.
    pub(crate) fn said(&self) -> u64 {
        self.sent
    }

    pub(crate) fn forget_latencies(&mut self) {
        self.latencies.clear();
    }

    pub(crate) fn talk_until(&mut self, begun: Instant, end: Instant) -> Result<(), String> {
        let mut events = Events::with_capacity(1_024);
        while Instant::now() < end {
            let wait = match self.work.pace {
                Pace::PerSecond(rate) => {
                    while begun.elapsed().as_secs_f64() * f64::from(rate) > self.sent as f64 {
                        self.talk(usize::try_from(self.sent).unwrap_or(0) % self.rooms.len())?;
                    }
                    Duration::from_millis(1)
                }
                Pace::UnderWay(most) => {
                    for room in 0..self.rooms.len() {
                        while self.rooms[room].under_way.len() < most {
                            self.talk(room)?;
                        }
                    }
                    Duration::from_millis(100)
                }
            };
            self.listen(&mut events, wait)?;
        }
        Ok(())
    }

    pub(crate) fn drain(&mut self) -> Result<(), String> {
        let mut events = Events::with_capacity(1_024);
        let end = Instant::now() + DRAIN_WITHIN;
        loop {
            let lacking = self.members.iter().filter(|member| member.heard < self.rooms[member.room].sent).count();
            if lacking == 0 {
                return Ok(());
            }
            if Instant::now() > end {
                return Err(format!("{lacking} of {} members did not get everything", self.members.len()));
            }
            self.listen(&mut events, Duration::from_millis(100))?;
        }
    }

    fn talk(&mut self, n: usize) -> Result<(), String> {
        let room = &mut self.rooms[n];
        self.sent += 1;
        room.sent += 1;
        room.turn = (room.turn + 1) % self.work.talkers;
        room.under_way.push_back(Instant::now());
        let frame = self.dialect.talk(&room.id, self.sent);
        // A message is far smaller than a socket's buffer.
        let written = self.members[room.first + room.turn].stream.write(&frame);
        match written {
            Ok(length) if length == frame.len() => Ok(()),
            other => Err(format!("a message was not taken whole: {other:?}")),
        }
    }

    fn listen(&mut self, events: &mut Events, wait: Duration) -> Result<(), String> {
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error.to_string()),
            _ => {}
        }
        for event in &*events {
            self.read(event.token().0)?;
        }
        if let Some([_, slow]) = &mut self.laggards
            && self.laggard_read.elapsed() >= LAGGARD_EVERY
        {
            self.laggard_read = Instant::now();
            // What it reads is not looked at; that it is closed in the end is the server's right.
            let _ = slow.read(&mut self.buffer[..LAGGARD_BYTES]);
        }
        Ok(())
    }

    fn read(&mut self, id: usize) -> Result<(), String> {
        loop {
            let member = &mut self.members[id];
            let kept = member.unread.len();
            self.buffer[..kept].copy_from_slice(&member.unread);
            let length = match member.stream.read(&mut self.buffer[kept..]) {
                Ok(0) => return Err(format!("the server closed connection {id}")),
                Ok(length) => kept + length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.to_string()),
            };
            let rest = self.take(id, length)?;
            let member = &mut self.members[id];
            member.unread.clear();
            member.unread.extend_from_slice(&self.buffer[rest..length]);
            if length < READ_BUFFER {
                return Ok(());
            }
        }
    }

    /// Counts the frames in the buffer and says where the rest begins.
    fn take(&mut self, id: usize, length: usize) -> Result<usize, String> {
        let mut at = 0;
        while let Some(found) = frame::first(&self.buffer[at..length]) {
            let payload = &self.buffer[at + found.begins..at + found.ends];
            let member = &mut self.members[id];
            if found.opcode == 9 {
                let pong = frame::from_client(10, payload);
                member.stream.write_all(&pong).map_err(|error| error.to_string())?;
            } else if self.dialect.is_ping(payload) {
                let pong = frame::from_client(1, self.dialect.pong());
                member.stream.write_all(&pong).map_err(|error| error.to_string())?;
            } else if payload.get(..self.dialect.talk_begins().len()) == Some(self.dialect.talk_begins()) {
                member.heard += 1;
                self.delivered += 1;
                if self.dialect.has_numbers() {
                    let number = self.seq.find(payload).map(|at| digits(&payload[at + 6..]));
                    if number != Some(member.last + 1) {
                        return Err(format!("connection {id} heard {number:?} after {}", member.last));
                    }
                    member.last += 1;
                }
                let room = &mut self.rooms[member.room];
                if room.first + self.work.members / 2 == id
                    && let Some(sent) = room.under_way.pop_front()
                {
                    self.latencies.push(sent.elapsed());
                }
            }
            at += found.ends;
        }
        Ok(at)
    }
}

fn digits(bytes: &[u8]) -> u64 {
    bytes.iter().take_while(|byte| byte.is_ascii_digit()).fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}
