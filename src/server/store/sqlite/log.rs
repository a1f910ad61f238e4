//! The log: each change takes its room's next number in the transaction that stores it.

use super::rows::{SqliteQuery, bytes, one_message, uuid};
use crate::{
    domain::{AuthorKind, Body, Emoji, Error, Message, MessageId, PersonId, RoomId, Seq, Timestamp, limits},
    server::store::{Applied, Change, NewMessage},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr, SqliteConnection};
use std::collections::{HashMap, HashSet};

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

/// Messages that one statement stores at most. As many statements are kept prepared.
pub(super) const AT_ONCE: usize = 64;

/// Where rooms are.
pub(super) type Heads = HashMap<RoomId, Head>;

/// A room's short key and the number of its last change; nobody moves it but whoever holds the writer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    room: i64,
    number: i64,
}

/// A new message with its place.
struct Placed<'a> {
    room: i64,
    seq: i64,
    message: &'a NewMessage,
    reply_seq: Option<i64>,
    digest: Vec<u8>,
}

/// One room's log, inside a transaction.
struct Log<'a> {
    tx: &'a mut SqliteConnection,
    id: RoomId,
    head: &'a mut Head,
}

/// A message as far as a change must know it.
struct Known {
    seq: i64,
    rev: i64,
    person: Option<Vec<u8>>,
    deleted: bool,
    body: String,
}

/// Whether changes are stored by one statement, which is a transaction of its own.
pub(super) fn is_one_statement(changes: &[Change]) -> bool {
    let is_plain = |change: &Change| matches!(change, Change::New(message) if message.reply_to.is_none());
    changes.len() <= AT_ONCE && changes.iter().all(is_plain)
}

/// Stores changes in their order. `key` keys the digests that tell a repeat from another message under its id;
/// `heads` may lack rooms, and is as it is afterwards.
///
/// Every statement is handed to SQLite's thread and back, which costs more than what it does there. Many messages
/// are therefore stored by one; but `one_by_one` where one of them may be a repeat, which breaks a rule then.
pub(super) async fn apply(
    tx: &mut SqliteConnection,
    changes: &[Change],
    key: &[u8],
    heads: &mut Heads,
    one_by_one: bool,
) -> Result<Vec<Result<Applied, Error>>, sqlx::Error> {
    look_up(tx, changes, heads).await?;
    let mut outcomes = Vec::with_capacity(changes.len());
    let mut placed = Vec::new();
    for change in changes {
        let id = change.room();
        let Some(head) = heads.get_mut(&id) else {
            outcomes.push(Err(Error::RoomNotFound));
            continue;
        };
        match change {
            Change::New(message) if !one_by_one && message.reply_to.is_none() => {
                let one = head.place(message, None, digest(key, message));
                outcomes.push(Ok(Applied::Changed(one.stored())));
                placed.push(one);
            }
            _ => {
                insert(tx, &placed).await?;
                placed.clear();
                outcomes.push(match (Log { tx: &mut *tx, id, head }).apply(change, key).await {
                    Ok(applied) => Ok(applied),
                    Err(Failed::Refused(error)) => Err(error),
                    Err(Failed::Broken(error)) => return Err(error),
                });
            }
        }
    }
    insert(tx, &placed).await?;
    Ok(outcomes)
}

/// Adds those rooms that `heads` lacks and that there are.
async fn look_up(tx: &mut SqliteConnection, changes: &[Change], heads: &mut Heads) -> Result<(), sqlx::Error> {
    let rooms: HashSet<RoomId> = changes.iter().map(Change::room).filter(|room| !heads.contains_key(room)).collect();
    for some in rooms.into_iter().collect::<Vec<_>>().chunks(AT_ONCE) {
        let sql = format!("SELECT id, number, head FROM rooms WHERE id IN ({})", repeated("?", some.len()));
        let query = sqlx::query_as(AssertSqlSafe(sql).into_sql_str());
        let found: Vec<(Vec<u8>, i64, i64)> =
            some.iter().fold(query, |query, id| query.bind(bytes(id.as_bytes()))).fetch_all(&mut *tx).await?;
        for (id, room, number) in found {
            heads.insert(uuid(&id)?.into(), Head { room, number });
        }
    }
    Ok(())
}

/// A trigger notes that each is a change, and moves its room's number.
async fn insert(tx: &mut SqliteConnection, placed: &[Placed<'_>]) -> Result<(), sqlx::Error> {
    for some in placed.chunks(AT_ONCE) {
        let sql = format!(
            "INSERT INTO messages (room, seq, rev, id, digest, person, guest, sender, body, reply_seq, at) VALUES {}",
            repeated("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", some.len()),
        );
        let query = sqlx::query(AssertSqlSafe(sql).into_sql_str());
        some.iter().fold(query, |query, one| one.bind(query)).execute(&mut *tx).await?;
    }
    Ok(())
}

/// "?, ?, ?"
fn repeated(one: &str, times: usize) -> String {
    vec![one; times].join(", ")
}

impl Head {
    /// Gives a message the room's next number.
    fn place<'a>(&mut self, message: &'a NewMessage, reply_seq: Option<i64>, digest: Vec<u8>) -> Placed<'a> {
        self.number += 1;
        Placed { room: self.room, seq: self.number, message, reply_seq, digest }
    }
}

impl<'a> Placed<'a> {
    fn bind(&'a self, query: SqliteQuery<'a>) -> SqliteQuery<'a> {
        let message = self.message;
        let (person, guest) = match &message.author.kind {
            AuthorKind::Person(person) => (Some(bytes(person.as_bytes())), None),
            AuthorKind::Guest(tag) => (None, Some(tag.as_str())),
        };
        query
            .bind(self.room)
            .bind(self.seq)
            .bind(self.seq)
            .bind(bytes(message.id.as_bytes()))
            .bind(self.digest.as_slice())
            .bind(person)
            .bind(guest)
            .bind(message.author.name.as_str())
            .bind(message.body.as_str())
            .bind(self.reply_seq)
            .bind(message.at)
    }

    /// As it is read, but for what it answers.
    fn stored(&self) -> Message {
        Message {
            room: self.message.room,
            id: self.message.id,
            seq: self.seq as Seq,
            rev: self.seq as Seq,
            author: self.message.author.clone(),
            body: self.message.body.as_str().to_owned(),
            at: self.message.at,
            edited_at: None,
            deleted: false,
            reply_to: None,
            reactions: Vec::new(),
        }
    }
}

impl Log<'_> {
    async fn apply(&mut self, change: &Change, key: &[u8]) -> Tried<Applied> {
        match change {
            Change::New(message) => self.say(message, digest(key, message)).await,
            Change::Edit { id, person, body, if_rev, at, .. } => self.edit(*id, *person, body, *if_rev, *at).await,
            Change::Delete { id, person, .. } => self.delete(*id, *person).await,
            Change::React { id, person, emoji, on, .. } => self.react(*id, *person, emoji, *on).await,
        }
    }

    async fn say(&mut self, message: &NewMessage, digest: Vec<u8>) -> Tried<Applied> {
        if let Some((seq, stored)) = self.said(message.id).await? {
            return if stored == digest { self.unchanged(seq).await } else { Err(Failed::Refused(Error::IdConflict)) };
        }
        let reply_seq = match message.reply_to {
            Some(target) => Some(self.standing(target).await?.seq),
            None => None,
        };
        let placed = self.head.place(message, reply_seq, digest);
        insert(self.tx, std::slice::from_ref(&placed)).await?;
        // What was written need not be read again, but for a quote.
        if reply_seq.is_some() { self.changed(placed.seq).await } else { Ok(Applied::Changed(placed.stored())) }
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
            .bind(self.head.room)
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
            .bind(self.head.room)
            .bind(known.seq)
            .execute(&mut *self.tx)
            .await?;
        sqlx::query("DELETE FROM reactions WHERE room = ? AND seq = ?")
            .bind(self.head.room)
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
        .bind(self.head.room)
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
            .bind(self.head.room)
            .bind(known.seq)
            .bind(emoji.as_str())
            .bind(person)
            .execute(&mut *self.tx)
            .await?;
        let rev = self.next_number(known.seq, "react").await?;
        sqlx::query("UPDATE messages SET rev = ? WHERE room = ? AND seq = ?")
            .bind(rev)
            .bind(self.head.room)
            .bind(known.seq)
            .execute(&mut *self.tx)
            .await?;
        self.changed(known.seq).await
    }

    /// Takes the room's next number for a change of the message at `seq`.
    async fn next_number(&mut self, seq: i64, kind: &'static str) -> Tried<i64> {
        self.head.number += 1;
        sqlx::query("UPDATE rooms SET head = ? WHERE number = ?; INSERT INTO changes (room, number, seq, kind) VALUES (?, ?, ?, ?)")
            .bind(self.head.number)
            .bind(self.head.room)
            .bind(self.head.room)
            .bind(self.head.number)
            .bind(seq)
            .bind(kind)
            .execute(&mut *self.tx)
            .await?;
        Ok(self.head.number)
    }

    async fn said(&mut self, id: MessageId) -> Tried<Option<(i64, Vec<u8>)>> {
        Ok(sqlx::query_as("SELECT seq, digest FROM messages WHERE room = ? AND id = ?")
            .bind(self.head.room)
            .bind(bytes(id.as_bytes()))
            .fetch_optional(&mut *self.tx)
            .await?)
    }

    /// A message that is there, perhaps as a tombstone.
    async fn known(&mut self, id: MessageId) -> Tried<Known> {
        let row = sqlx::query("SELECT seq, rev, person, deleted, body FROM messages WHERE room = ? AND id = ?")
            .bind(self.head.room)
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
        Ok(Applied::Changed(one_message(self.tx, self.id, self.head.room, seq).await?))
    }

    async fn unchanged(&mut self, seq: i64) -> Tried<Applied> {
        Ok(Applied::Unchanged(one_message(self.tx, self.id, self.head.room, seq).await?))
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
