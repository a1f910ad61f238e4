//! The floor: a bare epoll loop that copies prebuilt bytes to everyone in a room. No JSON, no numbers, no store:
//! no chat server on sockets can cost less. `floor 1` writes once per member and message; `floor n` joins all that
//! came in one round of polling, and writes once per member.

use madang_bench::frame;
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use std::{
    collections::{HashMap, VecDeque},
    io::{self, Read, Write},
};

const LISTENER: Token = Token(usize::MAX);
/// As long as what Madang sends for the load generator's messages.
const TALK: &str = concat!(
    r#"{"type":"TALK","roomId":"0190b6a5-0000-7000-8000-000000000000","sender":"member 0000","#,
    r#""message":"message 00000000","id":"0190b6a5-0000-7000-8000-000000000000","#,
    r#""seq":00000000,"rev":00000000,"at":"2026-01-01T00:00:00.000Z","guest":"abcd"}"#
);

struct Client {
    stream: TcpStream,
    room: Option<usize>,
    unread: Vec<u8>,
    unwritten: VecDeque<u8>,
}

fn main() -> io::Result<()> {
    let joins = std::env::args().nth(1).as_deref() == Some("n");
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("an address"))?;
    println!("listening on {}", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1_024);
    let (mut clients, mut rooms, mut names) = (Vec::new(), Vec::<Vec<usize>>::new(), HashMap::new());
    let talk = frame::from_server(TALK.as_bytes());
    let mut buffer = vec![0; 64 * 1024];
    let mut said = HashMap::new();
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(&mut stream, Token(clients.len()), interest)?;
                    clients.push(Client { stream, room: None, unread: Vec::new(), unwritten: VecDeque::new() });
                }
                continue;
            }
            let id = event.token().0;
            if event.is_writable() {
                drain(&mut clients[id]);
            }
            if event.is_readable() {
                let count = read(&mut clients[id], id, &mut buffer, &mut rooms, &mut names);
                let Some(room) = clients[id].room.filter(|_| count > 0) else { continue };
                if joins {
                    *said.entry(room).or_insert(0) += count;
                } else {
                    for _ in 0..count {
                        rooms[room].iter().for_each(|id| write(&mut clients[*id], &talk));
                    }
                }
            }
        }
        for (room, count) in said.drain() {
            let batch = talk.repeat(count);
            rooms[room].iter().for_each(|id| write(&mut clients[*id], &batch));
        }
    }
}

/// Reads what came and says how many messages that were, the first of a connection (ENTER) not counted.
fn read(
    client: &mut Client,
    id: usize,
    buffer: &mut [u8],
    rooms: &mut Vec<Vec<usize>>,
    names: &mut HashMap<String, usize>,
) -> usize {
    let mut count = 0;
    while let Ok(length @ 1..) = client.stream.read(buffer) {
        if client.unread.is_empty() && client.room.is_some() {
            let rest = frames(&buffer[..length], |_, _| count += 1);
            client.unread.extend(&buffer[rest..length]);
            continue;
        }
        client.unread.extend(&buffer[..length]);
        if client.unread.starts_with(b"GET ") {
            let Some(end) = memchr::memmem::find(&client.unread, b"\r\n\r\n") else { continue };
            client.unread.drain(..end + 4);
            write(client, b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
        }
        let unread = std::mem::take(&mut client.unread);
        let rest = frames(&unread, |frame, payload| {
            if client.room.is_some() {
                count += 1;
                return;
            }
            let text: Vec<u8> = frame::masked(payload, frame.mask.unwrap_or_default()).collect();
            let room = String::from_utf8_lossy(&text).split('"').nth(7).unwrap_or_default().to_owned();
            let next = names.len();
            let room = *names.entry(room).or_insert(next);
            rooms.resize_with(names.len(), Vec::new);
            rooms[room].push(id);
            client.room = Some(room);
        });
        client.unread = unread[rest..].to_vec();
        if rest > 0 && client.room.is_some() && count == 0 {
            write(client, &frame::from_server(br#"{"type":"ROOM"}"#));
        }
    }
    count
}

/// Hands on each whole frame and says where the rest begins.
fn frames(bytes: &[u8], mut each: impl FnMut(frame::Frame, &[u8])) -> usize {
    let mut at = 0;
    while let Some(frame) = frame::first(&bytes[at..]) {
        each(frame, &bytes[at + frame.begins..at + frame.ends]);
        at += frame.ends;
    }
    at
}

fn write(client: &mut Client, bytes: &[u8]) {
    let written = if client.unwritten.is_empty() { client.stream.write(bytes).unwrap_or(0) } else { 0 };
    client.unwritten.extend(&bytes[written..]);
}

fn drain(client: &mut Client) {
    while !client.unwritten.is_empty() {
        let (front, _) = client.unwritten.as_slices();
        let Ok(written) = client.stream.write(front) else { return };
        client.unwritten.drain(..written);
    }
}
