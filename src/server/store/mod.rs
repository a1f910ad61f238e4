//! The contract of a store: what Madang keeps, and what every backend promises.
//!
//! Each call is one transaction or one snapshot. A call that returned has reached the disk; one
//! that failed has changed nothing, unless it says otherwise.

#[cfg(test)]
mod contract;
#[cfg(any(test, feature = "memory"))]
mod memory;
mod sqlite;

use crate::domain::{
    Author, Body, DisplayName, Emoji, Epoch, Error, Message, MessageId, NameKey, PersonId, Room, RoomId, RoomName, Seq,
    Timestamp, Topic, Window, limits,
};
use async_trait::async_trait;
use std::{path::Path, sync::Arc};

pub use sqlite::{Sqlite, Whole, copy, verify};

/// The lobby's first name.
const LOBBY_NAME: &str = "마당";

/// Opens the store in a file, making it as needed. In a build with the feature `memory`, a file of the name
/// `:memory:` is none.
///
/// # Errors
/// One line for the person who starts the server.
pub async fn open(file: &Path, now: Timestamp) -> Result<Arc<dyn Store>, String> {
    #[cfg(feature = "memory")]
    if file.ends_with(":memory:") {
        return Ok(Arc::new(memory::Memory::new(now)));
    }
    let store = Sqlite::open(file, now).await;
    store.map(|store| Arc::new(store) as _).map_err(|error| format!("cannot open {}: {error}", file.display()))
}

/// The beginning of a text, as replies and the list of rooms show it.
fn excerpt(body: String) -> String {
    match body.char_indices().nth(limits::EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &body[..end]),
        None => body,
    }
}

/// A message that is to be stored.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The room.
    pub room: RoomId,
    /// Its identity, unique in the room for ever.
    pub id: MessageId,
    /// Who says it.
    pub author: Author,
    /// What.
    pub body: Body,
    /// The message of the same room that it answers.
    pub reply_to: Option<MessageId>,
    /// When.
    pub at: Timestamp,
}

/// A change to a room that is to be stored.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new message.
    New(NewMessage),
    /// Another text for a message, by its author.
    Edit {
        /// The room.
        room: RoomId,
        /// The message.
        id: MessageId,
        /// Who wants it.
        person: PersonId,
        /// The new text.
        body: Body,
        /// Only while the message's last change is this one.
        if_rev: Option<Seq>,
        /// When.
        at: Timestamp,
    },
    /// A message is taken back by its author.
    Delete {
        /// The room.
        room: RoomId,
        /// The message.
        id: MessageId,
        /// Who wants it.
        person: PersonId,
    },
    /// An emoji is put to a message, or taken away.
    React {
        /// The room.
        room: RoomId,
        /// The message.
        id: MessageId,
        /// Whose.
        person: PersonId,
        /// Which.
        emoji: Emoji,
        /// Put, or taken away.
        on: bool,
    },
}

impl From<NewMessage> for Change {
    fn from(message: NewMessage) -> Self {
        Self::New(message)
    }
}

impl Change {
    /// The room.
    #[must_use]
    pub fn room(&self) -> RoomId {
        match self {
            Self::New(message) => message.room,
            Self::Edit { room, .. } | Self::Delete { room, .. } | Self::React { room, .. } => *room,
        }
    }

    /// Whether it takes text away that must not stay on the disk.
    #[must_use]
    pub fn erases(&self) -> bool {
        matches!(self, Self::Edit { .. } | Self::Delete { .. })
    }
}

/// What became of a [`Change`]: the message's present state.
#[derive(Clone, Debug, PartialEq)]
pub enum Applied {
    /// It took the room's next number.
    Changed(Message),
    /// It had been done already, and took none.
    Unchanged(Message),
}

/// A person, as a session knows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// The name shown.
    pub name: DisplayName,
}

/// How far a person has read in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub person: PersonId,
    /// The room.
    pub room: RoomId,
    /// The place of the last message that they read; 0 for none.
    pub seq: Seq,
    /// How many messages of others came after it that are not taken back, at most [`limits::UNREAD_COUNTED`].
    pub unread: u32,
    /// How many had ever been said in the room when these were counted.
    pub messages: u64,
}

/// Some of a room's messages and the room as it was at that moment.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The room.
    pub room: Room,
    /// The messages asked for.
    pub messages: Vec<Message>,
    /// The place of the room's last message; 0 if there is none.
    pub last: Seq,
}

/// The hash of a session token; the token is nowhere but in the browser.
pub type TokenHash = [u8; 32];

/// Where rooms, messages, persons and sessions are kept.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Which history this is.
    fn epoch(&self) -> Epoch;

    /// The room that always exists.
    fn lobby(&self) -> RoomId;

    /// Whether the store answers.
    async fn check(&self) -> Result<(), Error>;

    /// The first `limit` rooms that were made after the room `after`, in that order; from the first one without
    /// `after`, and for a room that is not there.
    async fn rooms(&self, after: Option<RoomId>, limit: u32) -> Result<Vec<Room>, Error>;

    /// One room, or [`Error::RoomNotFound`].
    async fn room(&self, id: RoomId) -> Result<Room, Error>;

    /// Makes a room.
    async fn create_room(
        &self,
        id: RoomId,
        name: &RoomName,
        by: Option<PersonId>,
        at: Timestamp,
    ) -> Result<Room, Error>;

    /// Says who made a room of which that was not known. `false` where it was, for the lobby, and for a room that is
    /// not there.
    async fn adopt_room(&self, id: RoomId, by: PersonId) -> Result<bool, Error>;

    /// Gives a room another name and topic, for the person who made it.
    ///
    /// # Errors
    /// [`Error::RoomNotFound`]; [`Error::Forbidden`] for anybody else, and for the lobby.
    async fn change_room(
        &self,
        id: RoomId,
        by: PersonId,
        name: &RoomName,
        topic: Option<&Topic>,
    ) -> Result<Room, Error>;

    /// Stores changes in their order, in one transaction: each takes its room's next number, unless it
    /// changes nothing. One that is refused ([`Error::RoomNotFound`]; [`Error::IdConflict`] for another
    /// message under a known id, or a message that is no longer as `if_rev` says;
    /// [`Error::MessageNotFound`]; [`Error::Forbidden`]) does not hinder the others.
    ///
    /// # Errors
    /// [`Error::StorageUnavailable`]: none of them is known to be stored; the outcome may be unknown.
    async fn apply(&self, changes: &[Change]) -> Result<Vec<Result<Applied, Error>>, Error>;

    /// Removes what is left on the disk of texts that were edited away or deleted. `false` while a reader
    /// still needs them: try again later.
    async fn erase(&self) -> Result<bool, Error>;

    /// Notes how far a person has read, at most to the room's last message; back only where `back` says
    /// so. Gives the mark if that moved it.
    async fn read(&self, person: PersonId, room: RoomId, seq: Seq, back: bool) -> Result<Option<Mark>, Error>;

    /// How far a person has read, in each room where they have.
    async fn reads(&self, person: PersonId) -> Result<Vec<Mark>, Error>;

    /// How far those of `persons` have read in a room who have not read as far as the message at `seq`; of whom has
    /// never been there, nothing.
    async fn reads_before(&self, room: RoomId, seq: Seq, persons: &[PersonId]) -> Result<Vec<Mark>, Error>;

    /// At most `limit` messages of a window, by ascending `seq`.
    async fn page(&self, room: RoomId, window: Window, limit: u32) -> Result<Slice, Error>;

    /// The present state of the first `limit` messages that changed after number `since`, by ascending `rev`.
    async fn changed_since(&self, room: RoomId, since: Seq, limit: u32) -> Result<Slice, Error>;

    /// The present state of the first `limit` messages after place `since` that are not taken back, by
    /// ascending `seq`.
    async fn said_since(&self, room: RoomId, since: Seq, limit: u32) -> Result<Slice, Error>;

    /// Every held name: who holds it and the keys that no other name may share.
    async fn held_names(&self) -> Result<Vec<(PersonId, NameKey)>, Error>;

    /// Makes a person who holds `name`, with a first session. A name last used before
    /// `unused_since` is taken over.
    ///
    /// # Errors
    /// [`Error::NameTaken`] when somebody else holds it or a look-alike.
    async fn sign_in(
        &self,
        person: &Person,
        token: &TokenHash,
        at: Timestamp,
        unused_since: Timestamp,
    ) -> Result<(), Error>;

    /// Gives a person another session.
    async fn add_session(&self, person: PersonId, token: &TokenHash, at: Timestamp) -> Result<(), Error>;

    /// Whose session that is, noting that its name is in use.
    async fn session(&self, token: &TokenHash, at: Timestamp) -> Result<Option<Person>, Error>;

    /// Ends a session. When it was the person's last, the name is free; then that person is returned.
    async fn sign_out(&self, token: &TokenHash) -> Result<Option<PersonId>, Error>;

    /// Ends its connections and checks what was written into the main file.
    async fn close(&self);
}
