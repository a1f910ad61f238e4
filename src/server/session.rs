//! One WebSocket connection: who it is, which rooms it is in, and what each of its frames does.
//!
//! The session itself knows no socket. [`run`] drives it over any Sink and Stream of messages: it
//! reads and writes at the same time, so that a peer that does not read can still be heard, and
//! stops reading from a peer that has too much under way.

use super::{
    chat::{Chat, Draft, GUEST_PREFIX, Resume, Speaker},
    hub::{Closing, Delivery, Mailbox},
    presence::{self, Departure},
    store::{Appended, Person},
    wire,
    writer::Receipt,
};
use crate::{
    domain::{Author, AuthorKind, DisplayName, Error, MessageId, RoomId, Seq, limits},
    protocol::{ClientFrame, Refusal, RoomState, ServerFrame, Sync, close},
};
use futures_util::{
    FutureExt, Sink, SinkExt, Stream, StreamExt,
    future::{BoxFuture, poll_fn},
    stream::FuturesUnordered,
};
use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
};
use tokio::time::{Instant, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

/// Frames taken from the queue, or put to the socket, in one go.
const FRAMES_AT_ONCE: usize = 64;

/// Who opened the connection.
#[derive(Debug)]
pub struct Opened {
    /// Whether it speaks v1; else the open dialect.
    pub v1: bool,
    /// The person whose session it came with; else it is a guest.
    pub person: Option<Person>,
    /// From where.
    pub address: IpAddr,
}

/// How a connection ended.
#[derive(Debug)]
pub enum End {
    /// The peer closed, with this code if it said one.
    Peer(Option<u16>),
    /// We close, and say why.
    Ours(Closing),
    /// The line is gone.
    Lost,
}

/// A room that the connection is in.
struct Here {
    author: Author,
    /// Numbers up to this one are not passed on: they were replayed, or came before the entry.
    synced: Seq,
    /// Set during a replay: the number from which its next part is read.
    replaying_from: Option<Seq>,
}

/// What became of one post of this connection.
struct Outcome {
    room: RoomId,
    id: Option<MessageId>,
    result: Result<Appended, Error>,
}

struct Session {
    chat: Chat,
    opened: Opened,
    mailbox: Mailbox,
    /// Four characters that tell this guest from others of the same name.
    tag: String,
    rooms: HashMap<RoomId, Here>,
    /// Whether this connection of the open dialect may still speak plain text.
    plain: bool,
    /// Posts whose outcome is not known yet.
    posts: FuturesUnordered<BoxFuture<'static, Outcome>>,
    /// What is to be written next.
    outbox: VecDeque<Utf8Bytes>,
    last_typing: Option<Instant>,
    /// Frames refused for their rate, each within a second of the one before.
    refusals: u32,
    last_refusal: Option<Instant>,
}

/// Runs a connection until it ends; `socket` is left to be closed by the caller.
pub async fn run<S>(chat: Chat, opened: Opened, mailbox: Mailbox, socket: &mut S) -> End
where
    S: Stream<Item = Result<Message, tungstenite::Error>> + Sink<Message, Error = tungstenite::Error> + Unpin,
{
    let mut session = Session::new(chat, opened, mailbox);
    let end = session.run(socket).await;
    session.depart(&end);
    end
}

impl Session {
    fn new(chat: Chat, opened: Opened, mailbox: Mailbox) -> Self {
        Self {
            plain: !opened.v1,
            chat,
            opened,
            tag: guest_tag(),
            mailbox,
            rooms: HashMap::new(),
            posts: FuturesUnordered::new(),
            outbox: VecDeque::new(),
            last_typing: None,
            refusals: 0,
            last_refusal: None,
        }
    }

    async fn run<S>(&mut self, socket: &mut S) -> End
    where
        S: Stream<Item = Result<Message, tungstenite::Error>> + Sink<Message, Error = tungstenite::Error> + Unpin,
    {
        let (mut sink, mut stream) = socket.split();
        let mut ping = interval(limits::PING_EVERY);
        let mut ping_due = false;
        let mut unflushed = false;
        let mut heard = Instant::now();
        let mut progress = Instant::now();
        let mut batch = Vec::with_capacity(FRAMES_AT_ONCE);
        loop {
            let writing = !self.outbox.is_empty() || ping_due;
            if !writing && !unflushed {
                progress = Instant::now();
                if self.replay().await {
                    continue;
                }
            }
            // A peer with too much under way is not read; that it is silent then says nothing.
            let reading = self.posts.len() < limits::POSTS_IN_FLIGHT && self.outbox.len() < FRAMES_AT_ONCE;
            if !reading {
                heard = Instant::now();
            }
            tokio::select! {
                _ = self.mailbox.closing.changed() => {
                    let why = *self.mailbox.closing.borrow();
                    if why.is_some_and(|why| why.code == close::RESTART) {
                        // What was said before, RESTART among it, still goes out if the peer takes it.
                        let _ = timeout(limits::LINGER, self.empty_into(&mut sink)).await;
                    }
                    return why.map_or(End::Lost, End::Ours);
                }
                written = poll_fn(|context| if writing { sink.poll_ready_unpin(context) } else { sink.poll_flush_unpin(context) }), if writing || unflushed => {
                    if written.is_err() {
                        return End::Lost;
                    }
                    progress = Instant::now();
                    unflushed = writing;
                    if writing {
                        let message = match self.outbox.pop_front() {
                            Some(text) => Message::Text(text),
                            None => { ping_due = false; Message::Ping(Default::default()) }
                        };
                        if sink.start_send_unpin(message).is_err() {
                            return End::Lost;
                        }
                    }
                }
                Some(outcome) = self.posts.next(), if !self.posts.is_empty() => self.learn(outcome),
                _ = self.mailbox.deliveries.recv_many(&mut batch, FRAMES_AT_ONCE), if self.outbox.len() < FRAMES_AT_ONCE => {
                    batch.drain(..).for_each(|delivery| self.hear(delivery));
                }
                incoming = stream.next(), if reading => {
                    heard = Instant::now();
                    match incoming {
                        None => return End::Lost,
                        Some(Err(error)) => return end_of(&error),
                        Some(Ok(Message::Text(text))) => self.receive(&text).await,
                        Some(Ok(Message::Binary(_))) => return End::Ours(Closing { code: close::BINARY, reason: "text frames only" }),
                        Some(Ok(Message::Close(frame))) => return End::Peer(frame.map(|frame| frame.code.into())),
                        Some(Ok(_)) => {}
                    }
                    if self.refusals >= limits::REFUSALS_BEFORE_CLOSE {
                        return End::Ours(Closing { code: close::FLOODING, reason: "kept flooding" });
                    }
                }
                _ = ping.tick() => ping_due = true,
                () = sleep_until(heard + limits::DEAD_AFTER) => return End::Lost,
                () = sleep_until(progress + limits::STALLED_AFTER) => {
                    return End::Ours(Closing { code: close::TOO_SLOW, reason: "no progress in reading" });
                }
            }
        }
    }

    /// Writes everything that waits.
    async fn empty_into(
        &mut self,
        sink: &mut (impl Sink<Message, Error = tungstenite::Error> + Unpin),
    ) -> Result<(), tungstenite::Error> {
        while let Ok(delivery) = self.mailbox.deliveries.try_recv() {
            self.hear(delivery);
        }
        for text in self.outbox.drain(..) {
            sink.feed(Message::Text(text)).await?;
        }
        // A split sink holds its last frame back until it is flushed.
        sink.flush().await
    }

    fn depart(&self, end: &End) {
        let how = match end {
            End::Peer(Some(1000)) => Departure::Meant,
            End::Ours(closing) if closing.code == close::SESSION_CHANGED => Departure::Meant,
            _ => Departure::Abrupt,
        };
        for room in self.rooms.keys() {
            self.chat.hub().leave(self.mailbox.id, *room, how);
        }
        self.chat.hub().disconnect(self.mailbox.id);
    }

    // What the peer says

    async fn receive(&mut self, text: &str) {
        if self.plain && !text.trim_start().starts_with('{') {
            return self.talk_plainly(text).await;
        }
        match ClientFrame::parse(text, self.opened.v1) {
            Ok(frame) => self.act(frame).await,
            Err(refusal) => self.send(&refusal.into()),
        }
    }

    async fn act(&mut self, frame: ClientFrame) {
        let is_open = !self.opened.v1;
        match frame {
            ClientFrame::Enter { room_id, sender, since, epoch } => {
                let resume = since.filter(|_| self.opened.v1).map(|since| Resume { since, epoch });
                if let Err(error) = self.enter(room_id, sender, resume).await {
                    self.refuse(error, Some(room_id), None);
                }
            }
            ClientFrame::Talk { room_id, id, sender, message, reply_to } => {
                let id = id.filter(|_| self.opened.v1);
                let draft = Draft { room: room_id, id, text: message, reply_to: reply_to.filter(|_| self.opened.v1) };
                if self.opened.v1 && id.is_none() {
                    return self.refuse(Error::bad_frame("id: missing"), Some(room_id), None);
                }
                if let Err(error) = self.talk(draft, sender.as_deref()).await {
                    self.refuse(error, Some(room_id), id);
                }
            }
            ClientFrame::Leave { room_id } => match self.rooms.remove(&room_id) {
                Some(_) => self.chat.hub().leave(self.mailbox.id, room_id, Departure::Meant),
                None => self.refuse(Error::NotEntered, Some(room_id), None),
            },
            _ if is_open => {
                self.refuse(Error::bad_frame("type: the open dialect has ENTER, TALK and LEAVE"), None, None)
            }
            ClientFrame::Typing { room_id } => self.typing(room_id),
            ClientFrame::Watch { on } => {
                self.chat.hub().watch(self.mailbox.id, on);
                if on {
                    self.list_rooms().await;
                }
            }
            ClientFrame::Ping => self.send(&ServerFrame::Pong),
        }
    }

    async fn enter(&mut self, room_id: RoomId, sender: Option<String>, resume: Option<Resume>) -> Result<(), Error> {
        let author = self.author(sender)?;
        if let Some(here) = self.rooms.get(&room_id) {
            if here.author.name != author.name {
                return Err(Error::SenderMismatch);
            }
        } else if self.rooms.len() >= limits::ROOMS_PER_CONNECTION {
            return Err(Error::TooManyRooms);
        }
        let member = wire::member(&author.name, &author.kind);
        self.plain = false;
        let entered = match self.chat.enter(self.mailbox.id, room_id, &member, resume).await {
            Ok(entered) => entered,
            Err(error) => {
                // The chat has taken the connection out of the room, if it was in.
                self.rooms.remove(&room_id);
                return Err(error);
            }
        };
        let replaying_from = resume.filter(|_| !entered.reset).map(|resume| resume.since);
        let earlier = self.rooms.get(&room_id).map(|here| here.synced);
        // Without a replay the present frontier stays: frames between it and now are still on their way here.
        let synced = if self.opened.v1 { earlier.unwrap_or(entered.room.head) } else { 0 };
        let again = self.rooms.insert(room_id, Here { author, synced, replaying_from }).is_some();
        if self.opened.v1 {
            let room = entered.room;
            self.send(&ServerFrame::Room(RoomState {
                room_id,
                name: room.name,
                topic: room.topic,
                lobby: room.lobby,
                epoch: self.chat.epoch(),
                head: room.head,
                you: member,
                members: entered.present.members,
                member_count: entered.present.count,
                reset: entered.reset,
            }));
        } else if again {
            self.send(&presence::came(room_id, &member, entered.present.count));
        }
        Ok(())
    }

    /// As whom this connection enters a room: its session's person, or the guest that it names.
    fn author(&self, sender: Option<String>) -> Result<Author, Error> {
        if let Some(person) = &self.opened.person {
            return Ok(Author { name: person.name.clone(), kind: AuthorKind::Person(person.id) });
        }
        let sender = sender.ok_or_else(|| Error::bad_frame("sender: missing"))?;
        Ok(Author { name: self.chat.guest_name(&sender)?, kind: AuthorKind::Guest(self.tag.clone()) })
    }

    async fn talk(&mut self, draft: Draft, sender: Option<&str>) -> Result<(), Error> {
        let here = self.rooms.get(&draft.room).ok_or(Error::NotEntered)?;
        if sender.is_some_and(|sender| DisplayName::parse(sender).as_ref() != Ok(&here.author.name)) {
            return Err(Error::SenderMismatch);
        }
        let author = here.author.clone();
        self.post(author, draft).await
    }

    /// The tutorial's first exercise: plain text from somebody who entered nowhere goes to the lobby.
    async fn talk_plainly(&mut self, text: &str) {
        let lobby = self.chat.lobby();
        let posted = match self.chat.guest_name(&format!("{GUEST_PREFIX}{}", self.tag)) {
            Ok(name) => {
                let author = Author { name, kind: AuthorKind::Guest(self.tag.clone()) };
                self.post(author, Draft { room: lobby, id: None, text: text.to_owned(), reply_to: None }).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = posted {
            self.refuse(error, None, None);
        }
    }

    async fn post(&mut self, author: Author, draft: Draft) -> Result<(), Error> {
        let (room, id) = (draft.room, draft.id);
        let speaker = Speaker { author, connection: self.mailbox.id, address: self.opened.address };
        let receipt = self.chat.post(&speaker, draft).await?;
        // What is written after a message is news at once.
        self.last_typing = None;
        self.posts.push(outcome(receipt, room, id).boxed());
        Ok(())
    }

    fn typing(&mut self, room_id: RoomId) {
        let now = Instant::now();
        if !self.rooms.contains_key(&room_id) {
            return self.refuse(Error::NotEntered, Some(room_id), None);
        }
        if self.last_typing.is_none_or(|last| now - last >= limits::TYPING_EVERY) {
            self.last_typing = Some(now);
            self.chat.hub().typing(self.mailbox.id, room_id);
        }
    }

    async fn list_rooms(&mut self) {
        match self.chat.rooms().await {
            Ok(rooms) => rooms.into_iter().for_each(|room| self.send(&ServerFrame::List(room))),
            Err(error) => self.refuse(error, None, None),
        }
    }

    // What the peer hears

    /// A post of our own was stored, repeated or refused. What is new comes by the room.
    fn learn(&mut self, outcome: Outcome) {
        match outcome.result {
            Ok(Appended::New(message)) if !self.rooms.contains_key(&outcome.room) && !self.plain => {
                self.send(&ServerFrame::Talk(wire::talk(&message)))
            }
            Ok(Appended::New(_)) => {}
            Ok(Appended::Repeat(message)) => self.send(&ServerFrame::Talk(wire::talk(&message))),
            Err(error) => self.refuse(error, Some(outcome.room), outcome.id),
        }
    }

    /// Others said something. What the replay covers, or will, is not said twice.
    fn hear(&mut self, delivery: Delivery) {
        if let Some((room, number)) = delivery.number {
            match self.rooms.get(&room) {
                Some(here) if here.replaying_from.is_none() && number > here.synced => {}
                _ => return,
            }
        }
        self.outbox.push_back(delivery.text);
    }

    /// Reads the next part of a replay, if one is under way, and says whether it did. Live changes of
    /// that room are dropped meanwhile: they were stored before this reads, so it finds them.
    async fn replay(&mut self) -> bool {
        let next = self.rooms.iter().find_map(|(room, here)| here.replaying_from.map(|since| (*room, since)));
        let Some((room_id, since)) = next else { return false };
        let slice = match self.chat.missed(room_id, since).await {
            Ok(slice) => slice,
            Err(error) => {
                self.rooms.remove(&room_id);
                self.chat.hub().leave(self.mailbox.id, room_id, Departure::Abrupt);
                self.refuse(error, Some(room_id), None);
                return true;
            }
        };
        for message in &slice.messages {
            self.send(&ServerFrame::Talk(wire::talk(message)));
        }
        let complete = slice.messages.len() < limits::REPLAY_CHANGES as usize;
        if let Some(here) = self.rooms.get_mut(&room_id) {
            here.replaying_from = (!complete).then(|| slice.messages.last().map_or(since, |message| message.rev));
            here.synced = slice.room.head;
        }
        if complete {
            self.send(&ServerFrame::Sync(Sync { room_id, head: slice.room.head }));
        }
        true
    }

    fn refuse(&mut self, error: Error, room_id: Option<RoomId>, id: Option<MessageId>) {
        if matches!(error, Error::RateLimited { .. }) {
            let now = Instant::now();
            let goes_on = self.last_refusal.replace(now).is_some_and(|last| now - last < limits::FLOODING_WITHIN);
            self.refusals = if goes_on { self.refusals + 1 } else { 1 };
        }
        self.send(
            &Refusal { error, room_id: room_id.map(|id| id.to_string()), id: id.map(|id| id.to_string()) }.into(),
        );
    }

    fn send(&mut self, frame: &ServerFrame) {
        self.outbox.push_back(frame.to_json().into());
    }
}

async fn outcome(receipt: Receipt, room: RoomId, id: Option<MessageId>) -> Outcome {
    let result = receipt.await.unwrap_or(Err(Error::StorageUnavailable));
    Outcome { room, id, result }
}

fn end_of(error: &tungstenite::Error) -> End {
    let (code, reason) = match error {
        tungstenite::Error::Capacity(_) => (close::TOO_BIG, "message over 64 KiB"),
        tungstenite::Error::Utf8(_) => (close::NOT_UTF8, "text must be UTF-8"),
        tungstenite::Error::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            return End::Lost;
        }
        tungstenite::Error::Protocol(_) => (close::PROTOCOL, "not as RFC 6455 has it"),
        _ => return End::Lost,
    };
    End::Ours(Closing { code, reason })
}

/// Four characters without look-alikes.
fn guest_tag() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    rand::random::<[u8; 4]>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
