//! Half an hour of everything at once, at half of what the server can: people talk, others come, go, and come back
//! for what they missed, and pages are loaded. To the end, nothing may be missing, doubled or out of order.

use crate::{
    frame,
    load::{self, Load, Pace, Work},
    server::Server,
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

const ROOMS: usize = 20;
const MEMBERS: usize = 25;
/// How long it is looked for what the server can.
const SEARCH: Duration = Duration::from_secs(5);
/// Changes that somebody hears before they go again.
const STAYS_FOR: u64 = 20;
/// Pause between two visits.
const PAUSE: Duration = Duration::from_millis(100);
/// How often memory and descriptors are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What was seen on one look.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Since the beginning.
    pub after: Duration,
    /// The server's own memory, in bytes.
    pub memory: u64,
    /// Its open descriptors.
    pub descriptors: usize,
    /// Its share of a core since the look before.
    pub cpu: f64,
    /// Messages said so far.
    pub said: u64,
    /// Visits that came back for what they missed, so far.
    pub resumed: u64,
}

/// Runs for `length` and hands each look to `seen`.
///
/// # Errors
/// What was missing, doubled, out of order or refused.
pub fn run(
    start: impl Fn() -> Result<Server, String>,
    length: Duration,
    mut seen: impl FnMut(Look),
) -> Result<(), String> {
    let work = |pace| Work { rooms: ROOMS, members: MEMBERS, talkers: MEMBERS, pace, laggards: false };
    let most = load::run(&start()?, work(Pace::UnderWay(2)), SEARCH)?.per_second / MEMBERS as f64;
    let half = work(Pace::PerSecond((most / 2.0) as u32));
    let server = start()?;
    let mut load = Load::open(&server, half)?;
    let (over, resumed) = (AtomicBool::new(false), AtomicU64::new(0));
    let rooms: Vec<String> = load.rooms().map(str::to_owned).collect();
    thread::scope(|scope| {
        let visitor = scope.spawn(|| {
            let mut last = vec![None; rooms.len()];
            for n in 0.. {
                if over.load(Ordering::Relaxed) {
                    break;
                }
                let at = n % rooms.len();
                let visited =
                    visit(&server, &rooms[at], last[at].take(), n).map_err(|error| format!("visit {n}: {error}"));
                last[at] = Some(visited.inspect_err(|_| over.store(true, Ordering::Relaxed))?);
                resumed.fetch_add(u64::from(n >= rooms.len()), Ordering::Relaxed);
                server.get("/", "br")?;
                server.get(&format!("/rooms/{}", rooms[at]), "br")?;
                thread::sleep(PAUSE);
            }
            Ok::<_, String>(())
        });
        let begun = Instant::now();
        let talked = (|| {
            let mut cpu = server.cpu()?;
            for n in 1.. {
                let end = LOOK_EVERY * n;
                if end > length || over.load(Ordering::Relaxed) {
                    break;
                }
                load.talk_until(begun, begun + end)?;
                load.forget_latencies();
                let now = server.cpu()?;
                seen(Look {
                    after: begun.elapsed(),
                    memory: server.memory()?,
                    descriptors: server.descriptors()?,
                    cpu: (now - cpu).as_secs_f64() / LOOK_EVERY.as_secs_f64(),
                    said: load.said(),
                    resumed: resumed.load(Ordering::Relaxed),
                });
                cpu = now;
            }
            load.drain()
        })();
        over.store(true, Ordering::Relaxed);
        visitor.join().expect("no panic").and(talked)
    })
}

/// Comes, from where it was `last` if it was, hears some changes, each of them once and in order, and goes: by
/// LEAVE, by closing, or without a word. Says how far it came.
fn visit(server: &Server, room: &str, last: Option<(u64, String)>, n: usize) -> Result<(u64, String), String> {
    let mut stream = server.open()?;
    let (since, epoch) = last.clone().unzip();
    let enter =
        json!({"type": "ENTER", "roomId": room, "sender": format!("visitor {n}"), "since": since, "epoch": epoch});
    say(&mut stream, &enter)?;
    let mut unread = Vec::new();
    let state = loop {
        let frame = hear(&mut stream, &mut unread)?;
        if frame["type"] == "ROOM" {
            break frame;
        }
    };
    if state["reset"] == true {
        return Err("the server has another history".into());
    }
    let mut at = since.or(state["head"].as_u64()).ok_or("no head")?;
    let until = state["head"].as_u64().unwrap_or(0) + STAYS_FOR;
    while at < until {
        let frame = hear(&mut stream, &mut unread)?;
        match frame["type"].as_str() {
            Some("TALK") if frame["rev"].as_u64() == Some(at + 1) => at += 1,
            Some("TALK") => return Err(format!("heard {} after {at}", frame["rev"])),
            Some("ERROR") => return Err(frame.to_string()),
            _ => {}
        }
    }
    match n % 3 {
        0 => say(&mut stream, &json!({"type": "LEAVE", "roomId": room}))?,
        1 => stream.write_all(&frame::from_client(8, &1000_u16.to_be_bytes())).map_err(|error| error.to_string())?,
        _ => stream.shutdown(Shutdown::Both).map_err(|error| error.to_string())?,
    }
    Ok((at, state["epoch"].as_str().unwrap_or_default().to_owned()))
}

fn say(stream: &mut TcpStream, frame: &Value) -> Result<(), String> {
    stream.write_all(&frame::from_client(1, frame.to_string().as_bytes())).map_err(|error| error.to_string())
}

/// The next frame that is a text.
fn hear(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Result<Value, String> {
    loop {
        while let Some(found) = frame::first(unread) {
            let payload = unread[found.begins..found.ends].to_vec();
            unread.drain(..found.ends);
            if found.opcode == 9 {
                stream.write_all(&frame::from_client(10, &payload)).map_err(|error| error.to_string())?;
            }
            if found.opcode == 1 {
                return serde_json::from_slice(&payload).map_err(|error| error.to_string());
            }
        }
        let mut buffer = [0; 16 * 1024];
        match stream.read(&mut buffer) {
            Ok(0) => return Err("the server closed".into()),
            Ok(length) => unread.extend_from_slice(&buffer[..length]),
            Err(error) => return Err(error.to_string()),
        }
    }
}
