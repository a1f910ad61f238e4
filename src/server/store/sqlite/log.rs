//! The log: each change takes its room's next number in the transaction that stores it.

use super::rows::{bytes, one_message};
use crate::{
    domain::{AuthorKind, Body, Emoji, Error, Message, MessageId, PersonId, RoomId, Seq, Timestamp, limits},
    server::store::{Applied, Change, NewMessage},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sqlx::{Row, SqliteConnection};
use std::collections::{HashMap, hash_map::Entry};

/// Why a change was not stored.
pub(super) enum Failed {
    /// It may not be; the others of its batch may.
    Refused(Error),
    /// The database did not take it.
    Broken(sqlx::Error),
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error)
    }
}

type Tried<T> = Result<T, Failed>;

/// The rooms that a transaction has changed so far: nobody else moves their numbers meanwhile.
pub(super) type Heads = HashMap<RoomId, Head>;

/// A room's short key and the number of its last change.
#[derive(Clone, Copy)]
pub(super) struct Head {
    room: i64,
    number: i64,
}

/// One room's log, inside a transaction.
struct Log<'a> {
    tx: &'a mut SqliteConnection,
    id: RoomId,
    room: i64,
    /// The number of its last change.
    head: &'a mut i64,
}

/// A message as far as a change must know it.
struct Known {
    seq: i64,
    rev: i64,
    person: Option<Vec<u8>>,
    deleted: bool,
    body: String,
}

/// Stores one change. `key` keys the digests that tell a repeat from another message under its id.
pub(super) async fn apply(tx: &mut SqliteConnection, heads: &mut Heads, change: &Change, key: &[u8]) -> Tried<Applied> {
    let id = change.room();
    let head = match heads.entry(id) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(head(tx, id).await?),
    };
    let mut log = Log { tx, id, room: head.room, head: &mut head.number };
    match change {
        Change::New(message) => log.say(message, &digest(key, message)).await,
        Change::Edit { id, person, body, if_rev, at, .. } => log.edit(*id, *person, body, *if_rev, *at).await,
        Change::Delete { id, person, .. } => log.delete(*id, *person).await,
        Change::React { id, person, emoji, on, .. } => log.react(*id, *person, emoji, *on).await,
    }
}

async fn head(tx: &mut SqliteConnection, id: RoomId) -> Tried<Head> {
    let found = sqlx::query("SELECT number, head FROM rooms WHERE id = ?")
        .bind(bytes(id.as_bytes()))
        .fetch_optional(tx)
        .await?
        .ok_or(Failed::Refused(Error::RoomNotFound))?;
    Ok(Head { room: found.try_get("number")?, number: found.try_get("head")? })
}

/// Stores a message that is new, and nothing for a known id. One string, because each that is run is handed to
/// SQLite's thread and back, which costs more than what it does there.
const SAY: &str = "
    INSERT INTO messages (room, seq, rev, id, digest, person, guest, sender, body, reply_seq, at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (room, id) DO NOTHING;
    INSERT INTO changes (room, number, seq, kind) SELECT ?, ?, ?, 'new' WHERE changes() = 1;
    UPDATE rooms SET head = ? WHERE number = ? AND changes() = 1";

impl Log<'_> {
    async fn say(&mut self, message: &NewMessage, digest: &[u8]) -> Tried<Applied> {
        let reply_seq = match message.reply_to {
            // A repeat is known even if what it answers is gone by now.
            Some(_) if self.said(message.id).await?.is_some() => None,
            Some(target) => Some(self.standing(target).await?.seq),
            None => None,
        };
        let seq = *self.head + 1;
        let (person, guest) = match &message.author.kind {
            AuthorKind::Person(person) => (Some(bytes(person.as_bytes())), None),
            AuthorKind::Guest(tag) => (None, Some(tag.as_str())),
        };
        let stored = sqlx::query(SAY)
            .bind(self.room)
            .bind(seq)
            .bind(seq)
            .bind(bytes(message.id.as_bytes()))
            .bind(digest)
            .bind(person)
            .bind(guest)
            .bind(message.author.name.as_str())
            .bind(message.body.as_str())
            .bind(reply_seq)
            .bind(message.at)
            .bind(self.room)
            .bind(seq)
            .bind(seq)
            .bind(seq)
            .bind(self.room)
            .execute(&mut *self.tx)
            .await?;
        if stored.rows_affected() == 0 {
            return self.repeat(message.id, digest).await;
        }
        *self.head = seq;
        if reply_seq.is_some() {
            return self.changed(seq).await;
        }
        // What was written need not be read again.
        Ok(Applied::Changed(Message {
            room: self.id,
            id: message.id,
            seq: seq as Seq,
            rev: seq as Seq,
            author: message.author.clone(),
            body: message.body.as_str().to_owned(),
            at: message.at,
            edited_at: None,
            deleted: false,
            reply_to: None,
            reactions: Vec::new(),
        }))
    }

    /// A message under an id that is known.
    async fn repeat(&mut self, id: MessageId, digest: &[u8]) -> Tried<Applied> {
        match self.said(id).await? {
            Some((seq, stored)) if stored == digest => self.unchanged(seq).await,
            _ => Err(Failed::Refused(Error::IdConflict)),
        }
    }

    async fn edit(
        &mut self,
        id: MessageId,
        person: PersonId,
        body: &Body,
        if_rev: Option<Seq>,
        at: Timestamp,
    ) -> Tried<Applied> {
        let known = self.standing(id).await?;
        self.must_be_by(person, &known)?;
        // First, so that a repeat whose acknowledgement was lost is one.
        if known.body == body.as_str() {
            return self.unchanged(known.seq).await;
        }
        if if_rev.is_some_and(|rev| rev != known.rev as Seq) {
            return Err(Failed::Refused(Error::IdConflict));
        }
        let rev = self.next_number(known.seq, "edit").await?;
        sqlx::query("UPDATE messages SET rev = ?, body = ?, edited_at = ? WHERE room = ? AND seq = ?")
            .bind(rev)
            .bind(body.as_str())
            .bind(at)
            .bind(self.room)
            .bind(known.seq)
            .execute(&mut *self.tx)
            .await?;
        self.changed(known.seq).await
    }

    async fn delete(&mut self, id: MessageId, person: PersonId) -> Tried<Applied> {
        let known = self.known(id).await?;
        self.must_be_by(person, &known)?;
        if known.deleted {
            return self.unchanged(known.seq).await;
        }
        let rev = self.next_number(known.seq, "delete").await?;
        sqlx::query("UPDATE messages SET rev = ?, body = '', edited_at = NULL, deleted = 1 WHERE room = ? AND seq = ?")
            .bind(rev)
            .bind(self.room)
            .bind(known.seq)
            .execute(&mut *self.tx)
            .await?;
        sqlx::query("DELETE FROM reactions WHERE room = ? AND seq = ?")
            .bind(self.room)
            .bind(known.seq)
            .execute(&mut *self.tx)
            .await?;
        self.changed(known.seq).await
    }

    async fn react(&mut self, id: MessageId, person: PersonId, emoji: &Emoji, on: bool) -> Tried<Applied> {
        let known = self.standing(id).await?;
        let person = bytes(person.as_bytes());
        let (all, others, own): (u32, u32, u32) = sqlx::query_as(
            "SELECT count(*), count(DISTINCT emoji) FILTER (WHERE emoji <> ?3), \
             count(*) FILTER (WHERE emoji = ?3 AND person = ?4) FROM reactions WHERE room = ?1 AND seq = ?2",
        )
        .bind(self.room)
        .bind(known.seq)
        .bind(emoji.as_str())
        .bind(person)
        .fetch_one(&mut *self.tx)
        .await?;
        if (own > 0) == on {
            return self.unchanged(known.seq).await;
        }
        if on && (others >= limits::EMOJI_PER_MESSAGE || all >= limits::REACTIONS_PER_MESSAGE) {
            return Err(Failed::Refused(Error::bad_frame("emoji: this message has enough reactions")));
        }
        let statement = if on {
            "INSERT INTO reactions (room, seq, emoji, person) VALUES (?, ?, ?, ?)"
        } else {
            "DELETE FROM reactions WHERE room = ? AND seq = ? AND emoji = ? AND person = ?"
        };
        sqlx::query(statement)
            .bind(self.room)
            .bind(known.seq)
            .bind(emoji.as_str())
            .bind(person)
            .execute(&mut *self.tx)
            .await?;
        let rev = self.next_number(known.seq, "react").await?;
        sqlx::query("UPDATE messages SET rev = ? WHERE room = ? AND seq = ?")
            .bind(rev)
            .bind(self.room)
            .bind(known.seq)
            .execute(&mut *self.tx)
            .await?;
        self.changed(known.seq).await
    }

    /// Takes the room's next number for a change of the message at `seq`.
    async fn next_number(&mut self, seq: i64, kind: &'static str) -> Tried<i64> {
        *self.head += 1;
        sqlx::query("UPDATE rooms SET head = ? WHERE number = ?; INSERT INTO changes (room, number, seq, kind) VALUES (?, ?, ?, ?)")
            .bind(*self.head)
            .bind(self.room)
            .bind(self.room)
            .bind(*self.head)
            .bind(seq)
            .bind(kind)
            .execute(&mut *self.tx)
            .await?;
        Ok(*self.head)
    }

    async fn said(&mut self, id: MessageId) -> Tried<Option<(i64, Vec<u8>)>> {
        Ok(sqlx::query_as("SELECT seq, digest FROM messages WHERE room = ? AND id = ?")
            .bind(self.room)
            .bind(bytes(id.as_bytes()))
            .fetch_optional(&mut *self.tx)
            .await?)
    }

    /// A message that is there, perhaps as a tombstone.
    async fn known(&mut self, id: MessageId) -> Tried<Known> {
        let row = sqlx::query("SELECT seq, rev, person, deleted, body FROM messages WHERE room = ? AND id = ?")
            .bind(self.room)
            .bind(bytes(id.as_bytes()))
            .fetch_optional(&mut *self.tx)
            .await?
            .ok_or(Failed::Refused(Error::MessageNotFound))?;
        Ok(Known {
            seq: row.try_get("seq")?,
            rev: row.try_get("rev")?,
            person: row.try_get("person")?,
            deleted: row.try_get("deleted")?,
            body: row.try_get("body")?,
        })
    }

    /// A message that has not been taken back.
    async fn standing(&mut self, id: MessageId) -> Tried<Known> {
        let known = self.known(id).await?;
        if known.deleted { Err(Failed::Refused(Error::MessageNotFound)) } else { Ok(known) }
    }

    fn must_be_by(&self, person: PersonId, known: &Known) -> Tried<()> {
        let is_author = known.person.as_deref() == Some(bytes(person.as_bytes()));
        if is_author { Ok(()) } else { Err(Failed::Refused(Error::Forbidden)) }
    }

    async fn changed(&mut self, seq: i64) -> Tried<Applied> {
        Ok(Applied::Changed(one_message(self.tx, self.id, self.room, seq).await?))
    }

    async fn unchanged(&mut self, seq: i64) -> Tried<Applied> {
        Ok(Applied::Unchanged(one_message(self.tx, self.id, self.room, seq).await?))
    }
}

/// The keyed hash of who first said what, in answer to what. A guest is their normalised name.
fn digest(key: &[u8], message: &NewMessage) -> Vec<u8> {
    // A key of any length will do for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    match &message.author.kind {
        AuthorKind::Person(id) => mac.update(&[b"p", id.as_bytes().as_slice()].concat()),
        AuthorKind::Guest(_) => mac.update(&[b"g", message.author.name.as_str().as_bytes(), b"\0"].concat()),
    }
    match &message.reply_to {
        Some(id) => mac.update(&[b"r", id.as_bytes().as_slice()].concat()),
        None => mac.update(b"n"),
    }
    mac.update(message.body.as_str().as_bytes());
    mac.finalize().into_bytes().to_vec()
}
