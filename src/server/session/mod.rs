//! One WebSocket connection: who it is, which rooms it is in, and what each of its frames does.
//!
//! The session itself does not wait for the socket: [`pump`] drives it.

mod line;
mod outbox;
mod pump;
mod replay;

use super::{
    chat::{Chat, Draft, GUEST_PREFIX, Resume, Speaker, Wish},
    frames,
    hub::{Closing, Mailbox},
    presence::{self, Departure},
    store::{Applied, Person},
    wire,
    writer::{Asker, Outcome},
};
use crate::{
    domain::{Author, AuthorKind, DisplayName, Error, MessageId, RoomId, Seq, limits},
    protocol::{ClientFrame, Refusal, RoomState, RoomSummary, ServerFrame},
};
use futures_util::future::BoxFuture;
use line::Line;
use outbox::Outbox;
use smallvec::SmallVec;
use std::net::IpAddr;
use tokio::time::Instant;

pub use pump::{Deaf, Ear, READ_AT_ONCE};

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
    room: RoomId,
    author: Author,
    line: Line,
}

/// One connection.
pub struct Session {
    chat: Chat,
    opened: Opened,
    mailbox: Mailbox,
    ear: Ear,
    /// Four characters that tell this guest from others of the same name.
    tag: String,
    rooms: SmallVec<[Here; 1]>,
    /// The lobby, for a connection of the open dialect that has entered no room and speaks plain text.
    plain: Option<Line>,
    /// Whether it follows the list of rooms.
    watching: bool,
    outbox: Outbox,
    /// A replay does not go on before this, nor before its last part has arrived.
    rest_until: Instant,
    arrival: Arrival,
    last_typing: Option<Instant>,
    /// Frames refused for their rate, each within a second of the one before.
    refusals: u32,
    last_refusal: Option<Instant>,
}

/// Whether the peer has the last part of a replay. The kernel would take megabytes for somebody on a slow
/// line: a ping behind them would be answered too late, and the line be taken for dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrival {
    /// It has, or there was none.
    Known,
    /// It is to be asked, behind that part.
    ToAsk,
    /// It was asked.
    Asked,
}

impl Session {
    /// Of a connection that has just opened.
    #[must_use]
    pub fn new(chat: Chat, opened: Opened, mailbox: Mailbox, ear: Ear) -> Self {
        Self {
            plain: (!opened.v1).then(Line::default),
            chat,
            opened,
            tag: guest_tag(),
            mailbox,
            ear,
            rooms: SmallVec::new(),
            watching: false,
            outbox: Outbox::default(),
            rest_until: Instant::now(),
            arrival: Arrival::Known,
            last_typing: None,
            refusals: 0,
            last_refusal: None,
        }
    }

    fn depart(&self, end: &End) {
        let how = match end {
            End::Peer(Some(1000)) => Departure::Meant,
            End::Ours(closing) if closing.code == crate::protocol::close::SESSION_CHANGED => Departure::Meant,
            _ => Departure::Abrupt,
        };
        for here in &self.rooms {
            self.chat.hub().leave(self.mailbox.id, here.room, how);
        }
        self.chat.hub().disconnect(self.mailbox.id);
    }

    // What the peer says

    /// What there is to do about a text: in a box, so that an idle connection has no room for it.
    fn receive(&mut self, text: String) -> Option<BoxFuture<'_, ()>> {
        if self.plain.is_some() && !text.trim_start().starts_with('{') {
            return Some(Box::pin(self.talk_plainly(text)));
        }
        match ClientFrame::parse(&text, self.opened.v1) {
            Ok(frame) => Some(Box::pin(self.act(frame))),
            Err(refusal) => {
                self.send(&refusal.into());
                None
            }
        }
    }

    async fn act(&mut self, frame: ClientFrame) {
        if !matches!(frame, ClientFrame::Talk { .. }) {
            // It may change what this connection is to hear.
            self.mailbox.outlet.hold();
        }
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
            ClientFrame::Leave { room_id } => {
                if !self.leave(room_id, Departure::Meant) {
                    self.refuse(Error::NotEntered, Some(room_id), None);
                }
            }
            ClientFrame::Edit { room_id, id, message, if_rev } => {
                self.change(room_id, id, Wish::Edit { text: message, if_rev }).await;
            }
            ClientFrame::Delete { room_id, id } => self.change(room_id, id, Wish::Delete).await,
            ClientFrame::React { room_id, id, emoji, on } => {
                self.change(room_id, id, Wish::React { emoji, on }).await;
            }
            ClientFrame::Read { room_id, seq, unread, count } => self.read(room_id, seq, unread, count).await,
            ClientFrame::Typing { room_id } => self.typing(room_id),
            ClientFrame::Watch { on } => {
                self.chat.hub().watch(self.mailbox.id, on);
                self.watching = on;
                match self.chat.may_list(self.mailbox.id) {
                    Ok(()) if on => self.list_rooms().await,
                    Ok(()) => {}
                    Err(error) => self.refuse(error, None, None),
                }
            }
            ClientFrame::Ping => self.send(&ServerFrame::Pong),
        }
    }

    async fn enter(&mut self, room_id: RoomId, sender: Option<String>, resume: Option<Resume>) -> Result<(), Error> {
        let author = self.author(sender)?;
        if let Some(here) = self.here(room_id) {
            if here.author.name != author.name {
                return Err(Error::SenderMismatch);
            }
        } else if self.rooms.len() >= limits::ROOMS_PER_CONNECTION {
            return Err(Error::TooManyRooms);
        }
        let member = wire::member(&author.name, &author.kind);
        let entered = match self.chat.enter(&self.mailbox, self.opened.v1, room_id, &member, resume).await {
            Ok(entered) => entered,
            // Whoever is in stays in.
            Err(error @ Error::RateLimited { .. }) => return Err(error),
            Err(error) => {
                self.leave(room_id, Departure::Meant);
                if room_id == self.chat.lobby() {
                    self.listen_on();
                }
                return Err(error);
            }
        };
        if self.plain.take().is_some() {
            self.chat.hub().end_bare(&self.mailbox);
        }
        let again = self.here(room_id).is_some();
        if !again {
            // In v1 what came before is in the history that the client loads.
            self.mailbox.outlet.follow(room_id, if self.opened.v1 { entered.room.head } else { 0 });
            self.rooms.push(Here { room: room_id, author, line: Line::default() });
        }
        if self.opened.v1 {
            if let (Some(resume), Some(line)) = (resume.filter(|_| !entered.reset), self.line(room_id)) {
                line.replay_after(resume.since);
            }
            self.send_room(entered.room, entered.reset);
        } else if again {
            self.send(&presence::came(room_id, &member, entered.present.count));
        }
        Ok(())
    }

    /// Says whether the connection was in the room.
    fn leave(&mut self, room_id: RoomId, how: Departure) -> bool {
        let Some(at) = self.rooms.iter().position(|here| here.room == room_id) else { return false };
        self.rooms.swap_remove(at);
        self.mailbox.outlet.unfollow(room_id);
        self.chat.hub().leave(self.mailbox.id, room_id, how);
        true
    }

    /// Somebody who could not enter the lobby goes on hearing it as before.
    fn listen_on(&mut self) {
        let passed = self.mailbox.outlet.passed(self.chat.lobby());
        if let Some(line) = &mut self.plain {
            self.chat.hub().listen(&self.mailbox);
            if passed > 0 {
                line.missed_after(passed);
            }
        }
    }

    fn here(&self, room_id: RoomId) -> Option<&Here> {
        self.rooms.iter().find(|here| here.room == room_id)
    }

    fn send_room(&mut self, room: RoomSummary, reset: bool) {
        let Some(here) = self.rooms.iter_mut().find(|here| here.room == room.room_id) else { return };
        here.line.tell(room.head);
        let you = wire::member(&here.author.name, &here.author.kind);
        let present = self.chat.hub().present(room.room_id);
        self.send(&ServerFrame::Room(RoomState {
            room_id: room.room_id,
            name: room.name,
            topic: room.topic,
            lobby: room.lobby,
            epoch: self.chat.epoch(),
            head: room.head,
            you,
            members: present.members,
            member_count: present.count,
            reset,
        }));
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
        let here = self.here(draft.room).ok_or(Error::NotEntered)?;
        let name = &here.author.name;
        if sender.is_some_and(|sender| sender != name.as_str() && DisplayName::parse(sender).as_ref() != Ok(name)) {
            return Err(Error::SenderMismatch);
        }
        let author = here.author.clone();
        self.post(author, draft).await
    }

    /// The tutorial's first exercise: plain text from somebody who entered nowhere goes to the lobby.
    async fn talk_plainly(&mut self, text: String) {
        let lobby = self.chat.lobby();
        let posted = match self.chat.guest_name(&format!("{GUEST_PREFIX}{}", self.tag)) {
            Ok(name) => {
                let author = Author { name, kind: AuthorKind::Guest(self.tag.clone()) };
                self.post(author, Draft { room: lobby, id: None, text, reply_to: None }).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = posted {
            self.refuse(error, None, None);
        }
    }

    async fn post(&mut self, author: Author, draft: Draft) -> Result<(), Error> {
        let speaker = Speaker { author, connection: self.mailbox.id, address: self.opened.address };
        self.mailbox.outlet.ask();
        let posted = self.chat.post(speaker, draft, self.asker()).await;
        match posted {
            // What is written after a message is news at once.
            Ok(()) => self.last_typing = None,
            Err(_) => self.mailbox.outlet.give_up_asking(),
        }
        posted
    }

    async fn change(&mut self, room: RoomId, id: MessageId, wish: Wish) {
        let Some(here) = self.here(room) else { return self.refuse(Error::NotEntered, Some(room), Some(id)) };
        let speaker =
            Speaker { author: here.author.clone(), connection: self.mailbox.id, address: self.opened.address };
        self.mailbox.outlet.ask();
        if let Err(error) = self.chat.change(&speaker, room, id, wish, self.asker()).await {
            self.mailbox.outlet.give_up_asking();
            self.refuse(error, Some(room), Some(id));
        }
    }

    fn asker(&self) -> Asker {
        Asker::Connection(self.mailbox.outlet.inlet())
    }

    /// A guest's mark is not kept: nobody would find it again.
    async fn read(&mut self, room: RoomId, seq: Seq, unread: bool, count: bool) {
        let Some(person) = self.opened.person.as_ref().map(|person| person.id) else { return };
        match self.chat.read(self.mailbox.id, person, room, seq, unread, count).await {
            Ok(mark) => mark.into_iter().for_each(|mark| self.send(&ServerFrame::Read(mark))),
            Err(error) => {
                self.send_refusal(Refusal { error, room_id: Some(room.to_string()), id: None, seq: Some(seq) })
            }
        }
    }

    fn typing(&mut self, room_id: RoomId) {
        let now = Instant::now();
        if self.here(room_id).is_none() {
            return self.refuse(Error::NotEntered, Some(room_id), None);
        }
        if self.last_typing.is_none_or(|last| now - last >= limits::TYPING_EVERY) {
            self.last_typing = Some(now);
            self.chat.hub().typing(self.mailbox.id, room_id);
        }
    }

    /// The list's first page, and how far this person has read in each room.
    async fn list_rooms(&mut self) {
        let listed = async {
            let rooms = self.chat.rooms(None, limits::ROOMS_LISTED).await?;
            let reads = match &self.opened.person {
                Some(person) => self.chat.reads(person.id).await?,
                None => Vec::new(),
            };
            Ok((rooms, reads))
        };
        match listed.await {
            Ok((rooms, reads)) => {
                rooms.into_iter().for_each(|room| self.send(&ServerFrame::List(room)));
                reads.into_iter().for_each(|mark| self.send(&ServerFrame::Read(mark)));
            }
            Err(error) => self.refuse(error, None, None),
        }
    }

    // What the peer hears

    /// A change of our own was stored, found done, or refused. What is new in a room that it is in, it hears there.
    fn learn(&mut self, outcome: Outcome) {
        match outcome.result {
            Ok(Applied::Changed(message) | Applied::Unchanged(message)) => {
                self.send(&ServerFrame::Talk(wire::talk(&message)));
            }
            Err(error) => self.refuse(error, Some(outcome.room), outcome.id),
        }
    }

    fn refuse(&mut self, error: Error, room_id: Option<RoomId>, id: Option<MessageId>) {
        let (room_id, id) = (room_id.map(|id| id.to_string()), id.map(|id| id.to_string()));
        self.send_refusal(Refusal { error, room_id, id, seq: None });
    }

    fn send_refusal(&mut self, refusal: Refusal) {
        if matches!(refusal.error, Error::RateLimited { .. }) {
            let now = Instant::now();
            let goes_on = self.last_refusal.replace(now).is_some_and(|last| now - last < limits::FLOODING_WITHIN);
            self.refusals = if goes_on { self.refusals + 1 } else { 1 };
        }
        self.send(&refusal.into());
    }

    fn send(&mut self, frame: &ServerFrame) {
        self.mailbox.outlet.hold();
        self.outbox.push(frames::text(frame.to_json().as_bytes()));
    }
}

/// Four characters without look-alikes.
fn guest_tag() -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    rand::random::<[u8; 4]>().iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect()
}
