//! The use cases of Madang: everything that REST, the server functions and the sockets can do, each
//! once. Those three are thin; this is where rules are kept.

use super::{
    clock::Clock,
    config::Limits,
    hub::{ConnectionId, Hub, Mailbox},
    makers::Makers,
    names::Names,
    presence::{Departure, Present},
    rate::{self, Rate},
    recent::News,
    store::{Applied, Change, NewMessage, Person, Slice, Store, TokenHash},
    wire,
    writer::{self, Asker, Queue},
};
use crate::{
    domain::{
        Author, AuthorKind, Body, DisplayName, Emoji, Epoch, Error, MessageId, PersonId, RoomId, RoomName, Seq, Topic,
        Window, limits,
    },
    protocol::{Member, MessagesPage, ReadMark, RoomSummary, ServerFrame, Talk},
};
use futures_util::future::OptionFuture;
use sha2::{Digest, Sha256};
use std::{net::IpAddr, sync::Arc};
use tokio::{
    sync::{Mutex, oneshot},
    task::JoinHandle,
};

/// Names that guests of the plain dialect are given begin with this; nobody can hold such a name.
pub const GUEST_PREFIX: &str = "손님-";

/// A handle to the chat; clones share everything.
#[derive(Clone)]
pub struct Chat(Arc<Shared>);

struct Shared {
    store: Arc<dyn Store>,
    hub: Hub,
    queue: Queue,
    writer: Mutex<Option<JoinHandle<()>>>,
    names: Names,
    makers: Makers,
    clock: Clock,
    senders: Rate<Sender>,
    entries: Rate<ConnectionId>,
    addresses: Rate<IpAddr>,
    new_rooms: Rate<IpAddr>,
    sign_ins: Rate<IpAddr>,
}

/// Whose allowance a message is counted against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Sender {
    Person(PersonId),
    Guest(ConnectionId),
}

/// Who speaks, and from where.
#[derive(Clone, Debug)]
pub struct Speaker {
    /// As whom.
    pub author: Author,
    /// On which connection, for guests; a person's allowance is their own everywhere.
    pub connection: ConnectionId,
    /// From which address.
    pub address: IpAddr,
}

/// What somebody wants to say.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where.
    pub room: RoomId,
    /// Its identity over all retries; one is made for those who bring none.
    pub id: Option<MessageId>,
    /// The text, unchecked.
    pub text: String,
    /// The message that it answers.
    pub reply_to: Option<MessageId>,
}

/// What somebody wants of a message that is there.
#[derive(Clone, Debug)]
pub enum Wish {
    /// Another text, unchecked; only while its last change is `if_rev`, where that is given.
    Edit {
        /// The text.
        text: String,
        /// The number.
        if_rev: Option<Seq>,
    },
    /// That it is taken back.
    Delete,
    /// An emoji put to it, or taken away.
    React {
        /// The emoji, unchecked.
        emoji: String,
        /// Put, or taken away.
        on: bool,
    },
}

/// Some of what came after a number.
#[derive(Debug)]
pub struct ReplayPart {
    /// The present state of each message, by ascending number.
    pub news: Vec<News>,
    /// The room's number at that moment.
    pub head: Seq,
    /// The number after which the next part begins; `None` if that was all.
    pub next: Option<Seq>,
}

impl ReplayPart {
    /// Of what the store gave when asked for `most` messages, as much as one connection may hold.
    fn of(slice: &Slice, most: u32, lobby: RoomId, number: impl Fn(&News) -> Seq) -> Self {
        let (mut news, mut bytes) = (Vec::new(), 0);
        for message in &slice.messages {
            if bytes >= limits::REPLAY_BYTES {
                break;
            }
            let one = News::of(message, lobby);
            bytes += one.frame.len();
            news.push(one);
        }
        let is_all = news.len() == slice.messages.len() && news.len() < most as usize;
        let next = news.last().filter(|_| !is_all).map(number);
        Self { news, head: slice.room.head, next }
    }
}

/// What somebody who enters already has.
#[derive(Clone, Copy, Debug)]
pub struct Resume {
    /// The last number seen.
    pub since: Seq,
    /// The history that it belongs to, where the client said so.
    pub epoch: Option<Epoch>,
}

/// What somebody who enters finds.
#[derive(Clone, Debug)]
pub struct Entered {
    /// The room, as of a moment after its changes began to be queued.
    pub room: RoomSummary,
    /// Who is there.
    pub present: Present,
    /// What the client has does not belong to this history.
    pub reset: bool,
}

/// A person who has just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// Who.
    pub person: Person,
    /// The session token, in hexadecimal, for the cookie alone.
    pub token: String,
}

impl Chat {
    /// Opens the chat on a store and starts its writer.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`] when the held names cannot be read.
    pub async fn open(store: Arc<dyn Store>, allowed: &Limits, clock: Clock) -> Result<Self, Error> {
        let hub = Hub::new(store.lobby());
        let names = Names::new(store.held_names().await?);
        let (queue, writer) = writer::start(store.clone(), hub.clone());
        let chat = Self(Arc::new(Shared {
            store,
            hub,
            queue,
            writer: Mutex::new(Some(writer)),
            names,
            makers: Makers::default(),
            clock,
            senders: rate::messages(allowed.messages_per_second, 1),
            entries: rate::entries(allowed.messages_per_second),
            addresses: rate::messages(allowed.messages_per_second, limits::SENDERS_PER_ADDRESS),
            new_rooms: rate::per_minute(allowed.rooms_per_minute),
            sign_ins: rate::per_minute(allowed.sign_ins_per_minute),
        }));
        tokio::spawn(chat.clone().send_lists());
        Ok(chat)
    }

    /// This node's connections.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Which history the numbers belong to.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.0.store.epoch()
    }

    /// The room that always exists.
    #[must_use]
    pub fn lobby(&self) -> RoomId {
        self.0.store.lobby()
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn check(&self) -> Result<(), Error> {
        self.0.store.check().await
    }

    // Rooms

    /// The first `limit` rooms that were made after the room `after`, in that order.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn rooms(&self, after: Option<RoomId>, limit: u32) -> Result<Vec<RoomSummary>, Error> {
        let rooms = self.0.store.rooms(after, limit).await?;
        Ok(rooms.iter().map(|room| wire::summary(room, self.0.hub.member_count(room.id))).collect())
    }

    /// One room.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn room(&self, id: RoomId) -> Result<RoomSummary, Error> {
        Ok(wire::summary(&self.0.store.room(id).await?, self.0.hub.member_count(id)))
    }

    /// Makes a room, and tells those who follow the list.
    ///
    /// # Errors
    /// [`Error::RoomNameInvalid`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn create_room(&self, name: &str, by: Option<PersonId>, address: IpAddr) -> Result<RoomSummary, Error> {
        let name = RoomName::parse(name)?;
        self.0.new_rooms.take(address)?;
        let room = self.0.store.create_room(RoomId::new(), &name, by, (self.0.clock)()).await?;
        self.0.hub.stir(room.id);
        Ok(wire::summary(&room, 0))
    }

    /// Gives a room another name and topic, and tells those who follow the list.
    ///
    /// # Errors
    /// [`Error::RoomNameInvalid`], [`Error::BadFrame`] for the topic, [`Error::RoomNotFound`], [`Error::Forbidden`],
    /// [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn change_room(&self, id: RoomId, by: PersonId, name: &str, topic: &str) -> Result<RoomSummary, Error> {
        let (name, topic) = (RoomName::parse(name)?, Topic::parse(topic)?);
        self.0.senders.take(Sender::Person(by))?;
        let room = self.0.store.change_room(id, by, &name, topic.as_ref()).await?;
        self.0.hub.stir(id);
        Ok(wire::summary(&room, self.0.hub.member_count(id)))
    }

    /// A page of a room's messages, and whether the newest are among them.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn history(
        &self,
        room: RoomId,
        window: Window,
        limit: u32,
    ) -> Result<(RoomSummary, MessagesPage, bool), Error> {
        let slice = self.0.store.page(room, window, limit.clamp(1, limits::PAGE_MESSAGES_MAX)).await?;
        let summary = wire::summary(&slice.room, self.0.hub.member_count(room));
        let page = MessagesPage {
            room_id: room,
            epoch: self.epoch(),
            head: slice.room.head,
            messages: slice.messages.iter().map(wire::talk).collect(),
        };
        let newest = page.messages.last().is_none_or(|talk| talk.seq >= slice.last);
        Ok((summary, page, newest))
    }

    /// What a browser without a name carries to show that it made this room; `shown` is what it carries already.
    #[must_use]
    pub fn made(&self, shown: &str, room: RoomId) -> String {
        self.0.makers.add(shown, room)
    }

    /// Gives the rooms that a browser shows to be its own to the person that it has become.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn adopt_rooms(&self, shown: &str, by: PersonId) -> Result<(), Error> {
        for room in self.0.makers.rooms(shown) {
            if self.0.store.adopt_room(room, by).await? {
                self.0.hub.stir(room);
            }
        }
        Ok(())
    }

    // Persons

    /// Makes a person who holds `name` from now on, with a session for this browser. Whoever comes with a
    /// session already gets a new token for it, or ends it by taking another name.
    ///
    /// # Errors
    /// [`Error::NameInvalid`], [`Error::NameTaken`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn sign_in(&self, name: &str, present: Option<&TokenHash>, address: IpAddr) -> Result<SignedIn, Error> {
        let name = DisplayName::parse(name)?;
        if name.as_str().starts_with(GUEST_PREFIX) {
            return Err(Error::name_invalid("that beginning is kept for guests"));
        }
        self.0.sign_ins.take(address)?;
        let token: [u8; 32] = rand::random();
        let hash = Sha256::digest(token).into();
        let now = (self.0.clock)();
        let key = name.key().clone();

        let person = match self.who(present).await? {
            Some(person) if person.name.key().is_like(&key) => {
                self.0.store.add_session(person.id, &hash, now).await?;
                person
            }
            _ => {
                let person = Person { id: PersonId::new(), name };
                let unused_since = now - i64::try_from(limits::NAME_UNUSED.as_millis()).unwrap_or(i64::MAX);
                self.0.store.sign_in(&person, &hash, now, unused_since).await?;
                self.0.names.hold(person.id, key);
                person
            }
        };
        if let Some(old) = present {
            self.sign_out(old).await?;
        }
        Ok(SignedIn { person, token: hex(&token) })
    }

    /// Ends a session and closes its sockets; the name is free unless another session has it.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn sign_out(&self, session: &TokenHash) -> Result<(), Error> {
        if let Some(person) = self.0.store.sign_out(session).await? {
            self.0.names.release(person);
        }
        self.0.hub.close_session(session);
        Ok(())
    }

    /// Whose session that is.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn who(&self, session: Option<&TokenHash>) -> Result<Option<Person>, Error> {
        match session {
            None => Ok(None),
            Some(session) => self.0.store.session(session, (self.0.clock)()).await,
        }
    }

    /// A name under which a guest may speak.
    ///
    /// # Errors
    /// [`Error::NameInvalid`], [`Error::NameTaken`].
    pub fn guest_name(&self, name: &str) -> Result<DisplayName, Error> {
        let name = DisplayName::parse(name)?;
        self.0.names.check_free(&name)?;
        Ok(name)
    }

    // Being in a room

    /// Puts a connection into a room. Its queue gets every change from then on, and the answer covers every
    /// change up to the number of the room in it: between the two there is no hole, and what is in
    /// both can be told by its number.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn enter(
        &self,
        mailbox: &Mailbox,
        v1: bool,
        room: RoomId,
        member: &Member,
        resume: Option<Resume>,
    ) -> Result<Entered, Error> {
        self.0.entries.take(mailbox.id)?;
        self.0.store.room(room).await?;
        let present = self.0.hub.enter(mailbox, v1, room, member);
        // Read after subscribing: what is committed in between is in both, never in neither.
        let room =
            self.0.store.room(room).await.inspect_err(|_| self.0.hub.leave(mailbox.id, room, Departure::Meant))?;
        let reset = resume
            .is_some_and(|resume| resume.epoch.is_some_and(|epoch| epoch != self.epoch()) || resume.since > room.head);
        Ok(Entered { room: wire::summary(&room, present.count), present, reset })
    }

    /// The next part of what changed after number `since`: from memory if that has all of it and reaches number
    /// `told` (what is stored is published a moment later), else at most
    /// `most` messages from the store.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn missed(&self, room: RoomId, since: Seq, told: Seq, most: u32) -> Result<ReplayPart, Error> {
        if let Some((news, head)) = self.0.hub.recent(room, since).filter(|(_, head)| *head >= told) {
            return Ok(ReplayPart { news, head, next: None });
        }
        let slice = self.0.store.changed_since(room, since, most).await?;
        Ok(ReplayPart::of(&slice, most, self.lobby(), |news| news.rev))
    }

    /// The next messages, at most `most`, after place `since`, as they are now and without those that were taken back: for
    /// listeners who know messages and not their changes.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::StorageUnavailable`].
    pub async fn missed_messages(&self, room: RoomId, since: Seq, most: u32) -> Result<ReplayPart, Error> {
        let slice = self.0.store.said_since(room, since, most).await?;
        Ok(ReplayPart::of(&slice, most, self.lobby(), |news| news.seq))
    }

    /// Hands a message to the writer. Everyone in the room, the speaker included, hears it once it is on
    /// disk; `asker` is told of a repeat or a refusal.
    ///
    /// # Errors
    /// What [`Body::parse`] says, [`Error::NameTaken`] for a guest whose name is held by now,
    /// [`Error::RateLimited`], [`Error::Busy`].
    pub async fn post(&self, speaker: Speaker, draft: Draft, asker: Asker) -> Result<(), Error> {
        let body = Body::parse(draft.text)?;
        if matches!(speaker.author.kind, AuthorKind::Guest(_)) {
            self.0.names.check_free(&speaker.author.name)?;
        }
        self.charge(&speaker)?;
        let message = NewMessage {
            room: draft.room,
            id: draft.id.unwrap_or_default(),
            author: speaker.author,
            body,
            reply_to: draft.reply_to,
            at: (self.0.clock)(),
        };
        self.0.queue.store(message.into(), draft.id, asker).await
    }

    /// Hands a change of a message to the writer; what becomes of it is as with [`Chat::post`].
    ///
    /// # Errors
    /// [`Error::Forbidden`] for guests, what [`Body::parse`] and [`Emoji::parse`] say,
    /// [`Error::RateLimited`], [`Error::Busy`].
    pub async fn change(
        &self,
        speaker: &Speaker,
        room: RoomId,
        id: MessageId,
        wish: Wish,
        asker: Asker,
    ) -> Result<(), Error> {
        let AuthorKind::Person(person) = speaker.author.kind else { return Err(Error::Forbidden) };
        let change = match wish {
            Wish::Edit { text, if_rev } => {
                Change::Edit { room, id, person, body: Body::parse(text)?, if_rev, at: (self.0.clock)() }
            }
            Wish::Delete => Change::Delete { room, id, person },
            Wish::React { emoji, on } => Change::React { room, id, person, emoji: Emoji::parse(&emoji)?, on },
        };
        self.charge(speaker)?;
        self.0.queue.store(change, Some(id), asker).await
    }

    /// Counts one change against what its author and their address may do.
    fn charge(&self, speaker: &Speaker) -> Result<(), Error> {
        self.0.senders.take(match speaker.author.kind {
            AuthorKind::Person(person) => Sender::Person(person),
            AuthorKind::Guest(_) => Sender::Guest(speaker.connection),
        })?;
        self.0.addresses.take(speaker.address)
    }

    /// Notes how far a person has read, and tells their other connections if that moved. Only `unread`
    /// moves it back.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`], [`Error::RateLimited`], [`Error::StorageUnavailable`].
    pub async fn read(
        &self,
        connection: ConnectionId,
        person: PersonId,
        room: RoomId,
        seq: Seq,
        unread: bool,
    ) -> Result<(), Error> {
        self.0.senders.take(Sender::Person(person))?;
        if let Some(mark) = self.0.store.read(person, room, seq, unread).await? {
            self.0.hub.tell_read(connection, person, wire::mark(mark));
        }
        Ok(())
    }

    /// Counts a request for the whole list against what a connection may ask for.
    ///
    /// # Errors
    /// [`Error::RateLimited`].
    pub fn may_list(&self, connection: ConnectionId) -> Result<(), Error> {
        self.0.entries.take(connection)
    }

    /// How far a person has read, in each room where they have.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`].
    pub async fn reads(&self, person: PersonId) -> Result<Vec<ReadMark>, Error> {
        let reads = self.0.store.reads(person).await?;
        Ok(reads.into_iter().map(wire::mark).collect())
    }

    /// Posts and waits until the message is on disk.
    ///
    /// # Errors
    /// Those of [`Chat::post`] and of the writer.
    pub async fn post_and_wait(&self, speaker: Speaker, draft: Draft) -> Result<Talk, Error> {
        let (asker, outcome) = oneshot::channel();
        self.post(speaker, draft, Asker::Caller(asker)).await?;
        match outcome.await.unwrap_or(Err(Error::StorageUnavailable))? {
            Applied::Changed(message) | Applied::Unchanged(message) => Ok(wire::talk(&message)),
        }
    }

    // The life of the chat

    /// Tells those who follow the list what changed, once in a while, for as long as the process lives.
    async fn send_lists(self) {
        loop {
            for room in self.0.hub.stirred().await {
                if let Ok(summary) = self.room(room).await {
                    self.0.hub.tell_watchers(&ServerFrame::List(summary));
                }
            }
            tokio::time::sleep(limits::LIST_EVERY).await;
        }
    }

    /// Waits until nothing can be stored any more, whatever the disk does.
    pub async fn failed(&self) {
        self.0.queue.closed().await;
    }

    /// Stores what is queued, then closes the store. Posts are refused from here on.
    pub async fn close(&self) {
        self.0.queue.close();
        let writer = self.0.writer.lock().await.take();
        if let Some(Err(error)) = OptionFuture::from(writer).await {
            tracing::error!(%error, "the writer failed");
        }
        self.0.store.close().await;
    }
}

/// Bytes as small hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hash under which a session token is stored; `None` for what cannot be one.
#[must_use]
pub fn token_hash(token: &str) -> Option<TokenHash> {
    let digit = |range| u8::from_str_radix(token.get(range)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..32).map(|i| digit(i * 2..i * 2 + 2)).collect();
    (token.len() == 64).then_some(Sha256::digest(bytes?).into())
}
