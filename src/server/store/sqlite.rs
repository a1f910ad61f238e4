//! The store in one SQLite file: write-ahead log, every commit synced to the disk.
//!
//! All writes share one connection, so that a room's numbers are given out in one place; reads have
//! their own, and see the last commit.

use super::{Appended, NewMessage, Person, Slice, Store, TokenHash};
use crate::domain::{
    Author, AuthorKind, DisplayName, Epoch, Error, Message, NameKey, PersonId, Quote, Room, RoomId, RoomName, Seq,
    Timestamp, limits::EXCERPT_CHARS,
};
use async_trait::async_trait;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use sqlx::{
    AssertSqlSafe, Row, SqlSafeStr, SqliteConnection, SqliteExecutor, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::{path::Path, time::Duration};
use uuid::Uuid;

/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process's lock (a backup, `sqlite3` by hand).
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// `persons.used_at` is written at most this often, in milliseconds.
const USED_EVERY_MS: i64 = 24 * 60 * 60 * 1_000;
/// The lobby's first name.
const LOBBY_NAME: &str = "마당";

/// Never modify an existing migration: add the next.
const MIGRATIONS: &[(i64, &str, &str)] = &[(1, "log", include_str!("../../../migrations/sqlite/0001_log.sql"))];

const MESSAGE_COLUMNS: &str = "SELECT m.id, m.seq, m.rev, m.person, m.guest, m.sender, m.body, m.at, \
     q.id AS quote_id, q.seq AS quote_seq, q.sender AS quote_sender, q.body AS quote_body \
     FROM messages m LEFT JOIN messages q ON q.room = m.room AND q.seq = m.reply_seq ";

const ROOM_COLUMNS: &str = "SELECT r.number, r.id, r.name, r.topic, r.lobby, r.head, m.sender, m.body, m.at \
     FROM rooms r LEFT JOIN messages m ON m.room = r.number AND m.seq = \
     (SELECT max(seq) FROM messages WHERE room = r.number AND deleted = 0) ";

/// The store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    /// One connection: whoever holds it is the only writer.
    writer: SqlitePool,
    readers: SqlitePool,
    epoch: Epoch,
    lobby: RoomId,
    /// Keys the digests that tell a repeat from another message under its id.
    content_key: Vec<u8>,
}

impl Sqlite {
    /// Opens the file, making or migrating it as needed.
    ///
    /// # Errors
    /// What SQLite says, for the person who starts the server.
    pub async fn open(path: &Path, now: Timestamp) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(LOCK_WAIT)
            .pragma("secure_delete", "ON");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().create_if_missing(true))
            .await?;
        migrator().run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .max_lifetime(None)
            .connect_with(options.read_only(true))
            .await?;

        let epoch = meta(&writer, "epoch", || Epoch::new().as_bytes().to_vec()).await?;
        let content_key = meta(&writer, "content_key", || rand::random::<[u8; 32]>().to_vec()).await?;
        let lobby = lobby(&writer, now).await?;
        Ok(Self { writer, readers, epoch: uuid(&epoch)?.into(), lobby, content_key })
    }

    /// The keyed hash of who first said what, in answer to what. A guest is their normalised name.
    fn digest(&self, message: &NewMessage) -> Vec<u8> {
        // A key of any length will do for HMAC.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.content_key) else { return Vec::new() };
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

    async fn append_one(
        &self,
        tx: &mut SqliteConnection,
        message: &NewMessage,
    ) -> Result<Result<Appended, Error>, sqlx::Error> {
        let room: Option<i64> = sqlx::query_scalar("SELECT number FROM rooms WHERE id = ?")
            .bind(bytes(message.room.as_bytes()))
            .fetch_optional(&mut *tx)
            .await?;
        let Some(room) = room else { return Ok(Err(Error::RoomNotFound)) };

        let id = bytes(message.id.as_bytes());
        let digest = self.digest(message);
        let known: Option<(i64, Vec<u8>)> =
            sqlx::query_as("SELECT seq, digest FROM messages WHERE room = ? AND id = ?")
                .bind(room)
                .bind(id)
                .fetch_optional(&mut *tx)
                .await?;
        if let Some((seq, stored)) = known {
            if stored != digest {
                return Ok(Err(Error::IdConflict));
            }
            return Ok(Ok(Appended::Repeat(one_message(tx, message.room, room, seq).await?)));
        }
        let reply_seq = match &message.reply_to {
            None => None,
            Some(target) => {
                let seq: Option<i64> =
                    sqlx::query_scalar("SELECT seq FROM messages WHERE room = ? AND id = ? AND deleted = 0")
                        .bind(room)
                        .bind(bytes(target.as_bytes()))
                        .fetch_optional(&mut *tx)
                        .await?;
                if seq.is_none() {
                    return Ok(Err(Error::MessageNotFound));
                }
                seq
            }
        };

        let number: i64 = sqlx::query_scalar("UPDATE rooms SET head = head + 1 WHERE number = ? RETURNING head")
            .bind(room)
            .fetch_one(&mut *tx)
            .await?;
        let (person, guest) = match &message.author.kind {
            AuthorKind::Person(person) => (Some(bytes(person.as_bytes())), None),
            AuthorKind::Guest(tag) => (None, Some(tag.as_str())),
        };
        sqlx::query("INSERT INTO messages (room, seq, rev, id, digest, person, guest, sender, body, reply_seq, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            .bind(room)
            .bind(number)
            .bind(number)
            .bind(id)
            .bind(digest)
            .bind(person)
            .bind(guest)
            .bind(message.author.name.as_str())
            .bind(message.body.as_str())
            .bind(reply_seq)
            .bind(message.at)
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO changes (room, number, seq, kind) VALUES (?, ?, ?, 'new')")
            .bind(room)
            .bind(number)
            .bind(number)
            .execute(&mut *tx)
            .await?;

        if reply_seq.is_some() {
            return Ok(Ok(Appended::New(one_message(tx, message.room, room, number).await?)));
        }
        Ok(Ok(Appended::New(Message {
            room: message.room,
            id: message.id,
            seq: number as Seq,
            rev: number as Seq,
            author: message.author.clone(),
            body: message.body.as_str().to_owned(),
            at: message.at,
            reply_to: None,
        })))
    }

    async fn try_append(&self, messages: &[NewMessage]) -> Result<Vec<Result<Appended, Error>>, sqlx::Error> {
        let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut outcomes = Vec::with_capacity(messages.len());
        for message in messages {
            outcomes.push(self.append_one(&mut tx, message).await?);
        }
        tx.commit().await?;
        Ok(outcomes)
    }

    /// The room and the messages that `filter` picks, from one snapshot.
    async fn slice(&self, id: RoomId, filter: &'static str, bound: i64, limit: u32) -> Result<Slice, Error> {
        let read = async {
            let mut tx = self.readers.begin().await?;
            let found = sqlx::query(AssertSqlSafe(format!("{ROOM_COLUMNS} WHERE r.id = ?")).into_sql_str())
                .bind(bytes(id.as_bytes()))
                .fetch_optional(&mut *tx)
                .await?;
            let Some(row) = found else { return Ok(None) };
            let number: i64 = row.try_get("number")?;
            let rows = sqlx::query(AssertSqlSafe(format!("{MESSAGE_COLUMNS} {filter}")).into_sql_str())
                .bind(number)
                .bind(bound)
                .bind(limit)
                .fetch_all(&mut *tx)
                .await?;
            let messages = rows.iter().map(|row| message_from(id, row)).collect::<Result<_, _>>()?;
            Ok(Some(Slice { room: room_from(&row)?, messages }))
        };
        read.await.map_err(unavailable)?.ok_or(Error::RoomNotFound)
    }
}

#[async_trait]
impl Store for Sqlite {
    fn epoch(&self) -> Epoch {
        self.epoch
    }

    fn lobby(&self) -> RoomId {
        self.lobby
    }

    async fn check(&self) -> Result<(), Error> {
        sqlx::query("SELECT 1 FROM meta").fetch_optional(&self.readers).await.map(drop).map_err(unavailable)
    }

    async fn rooms(&self) -> Result<Vec<Room>, Error> {
        let rows = sqlx::query(AssertSqlSafe(format!("{ROOM_COLUMNS} ORDER BY r.number")).into_sql_str())
            .fetch_all(&self.readers)
            .await
            .map_err(unavailable)?;
        rows.iter().map(room_from).collect::<Result<_, _>>().map_err(unavailable)
    }

    async fn room(&self, id: RoomId) -> Result<Room, Error> {
        let row = sqlx::query(AssertSqlSafe(format!("{ROOM_COLUMNS} WHERE r.id = ?")).into_sql_str())
            .bind(bytes(id.as_bytes()))
            .fetch_optional(&self.readers)
            .await
            .map_err(unavailable)?;
        room_from(&row.ok_or(Error::RoomNotFound)?).map_err(unavailable)
    }

    async fn create_room(
        &self,
        id: RoomId,
        name: &RoomName,
        by: Option<PersonId>,
        at: Timestamp,
    ) -> Result<Room, Error> {
        sqlx::query("INSERT INTO rooms (id, name, created_by, created_at) VALUES (?, ?, ?, ?)")
            .bind(bytes(id.as_bytes()))
            .bind(name.as_str())
            .bind(by.map(|id| id.as_bytes().to_vec()))
            .bind(at)
            .execute(&self.writer)
            .await
            .map_err(unavailable)?;
        Ok(Room { id, name: name.clone(), topic: None, lobby: false, head: 0, last: None })
    }

    async fn append(&self, messages: &[NewMessage]) -> Result<Vec<Result<Appended, Error>>, Error> {
        self.try_append(messages).await.map_err(unavailable)
    }

    async fn page(&self, room: RoomId, before: Option<Seq>, limit: u32) -> Result<Slice, Error> {
        let before = before.map_or(i64::MAX, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let mut slice =
            self.slice(room, "WHERE m.room = ? AND m.seq < ? ORDER BY m.seq DESC LIMIT ?", before, limit).await?;
        slice.messages.reverse();
        Ok(slice)
    }

    async fn changed_since(&self, room: RoomId, since: Seq, limit: u32) -> Result<Slice, Error> {
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        self.slice(room, "WHERE m.room = ? AND m.rev > ? ORDER BY m.rev LIMIT ?", since, limit).await
    }

    async fn held_names(&self) -> Result<Vec<(PersonId, NameKey)>, Error> {
        let rows: Vec<(Vec<u8>, String, String)> =
            sqlx::query_as("SELECT id, name_folded, name_seen FROM persons WHERE name_folded IS NOT NULL")
                .fetch_all(&self.readers)
                .await
                .map_err(unavailable)?;
        rows.into_iter()
            .map(|(id, folded, seen)| Ok((uuid(&id)?.into(), NameKey { folded, seen })))
            .collect::<Result<_, _>>()
            .map_err(unavailable)
    }

    async fn sign_in(
        &self,
        person: &Person,
        token: &TokenHash,
        at: Timestamp,
        unused_since: Timestamp,
    ) -> Result<(), Error> {
        let key = person.name.key();
        let write = async {
            let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            sqlx::query("UPDATE persons SET name_folded = NULL, name_seen = NULL WHERE (name_folded = ? OR name_seen = ?) AND used_at < ?")
                .bind(&key.folded)
                .bind(&key.seen)
                .bind(unused_since)
                .execute(&mut *tx)
                .await?;
            sqlx::query(
                "INSERT INTO persons (id, name, name_folded, name_seen, created_at, used_at) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(bytes(person.id.as_bytes()))
            .bind(person.name.as_str())
            .bind(&key.folded)
            .bind(&key.seen)
            .bind(at)
            .bind(at)
            .execute(&mut *tx)
            .await?;
            insert_session(&mut *tx, person.id, token, at).await?;
            tx.commit().await
        };
        write.await.map_err(|error| match error.as_database_error() {
            Some(cause) if cause.is_unique_violation() => Error::NameTaken,
            _ => unavailable(error),
        })
    }

    async fn add_session(&self, person: PersonId, token: &TokenHash, at: Timestamp) -> Result<(), Error> {
        insert_session(&self.writer, person, token, at).await.map_err(unavailable)
    }

    async fn session(&self, token: &TokenHash, at: Timestamp) -> Result<Option<Person>, Error> {
        let row: Option<(Vec<u8>, String, i64)> =
            sqlx::query_as("SELECT p.id, p.name, p.used_at FROM sessions s JOIN persons p ON p.id = s.person WHERE s.token_hash = ? AND p.name_folded IS NOT NULL")
                .bind(token.as_slice())
                .fetch_optional(&self.readers)
                .await
                .map_err(unavailable)?;
        let Some((id, name, used_at)) = row else { return Ok(None) };
        if at - used_at > USED_EVERY_MS {
            sqlx::query("UPDATE persons SET used_at = ? WHERE id = ?")
                .bind(at)
                .bind(&id)
                .execute(&self.writer)
                .await
                .map_err(unavailable)?;
        }
        Ok(Some(Person { id: uuid(&id).map_err(unavailable)?.into(), name: DisplayName::stored(name) }))
    }

    async fn sign_out(&self, token: &TokenHash) -> Result<Option<PersonId>, Error> {
        let write = async {
            let mut tx = self.writer.begin_with("BEGIN IMMEDIATE").await?;
            let person: Option<Vec<u8>> =
                sqlx::query_scalar("DELETE FROM sessions WHERE token_hash = ? RETURNING person")
                    .bind(token.as_slice())
                    .fetch_optional(&mut *tx)
                    .await?;
            let Some(person) = person else { return Ok(None) };
            let released = sqlx::query(
                "UPDATE persons SET name_folded = NULL, name_seen = NULL WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM sessions WHERE person = ?1)",
            )
            .bind(&person)
            .execute(&mut *tx)
            .await?
            .rows_affected();
            tx.commit().await?;
            Ok((released > 0).then_some(uuid(&person)?.into()))
        };
        write.await.map_err(unavailable)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn migrator() -> Migrator {
    let migration = |&(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

/// A value of the table `meta`, made on first use.
async fn meta(pool: &SqlitePool, key: &str, make: impl FnOnce() -> Vec<u8>) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query("INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(key)
        .bind(make())
        .execute(pool)
        .await?;
    sqlx::query_scalar("SELECT value FROM meta WHERE key = ?").bind(key).fetch_one(pool).await
}

/// The lobby, made on first use.
async fn lobby(pool: &SqlitePool, now: Timestamp) -> Result<RoomId, sqlx::Error> {
    sqlx::query("INSERT INTO rooms (id, name, lobby, created_at) VALUES (?, ?, 1, ?) ON CONFLICT DO NOTHING")
        .bind(bytes(RoomId::new().as_bytes()))
        .bind(LOBBY_NAME)
        .bind(now)
        .execute(pool)
        .await?;
    let id: Vec<u8> = sqlx::query_scalar("SELECT id FROM rooms WHERE lobby = 1").fetch_one(pool).await?;
    Ok(uuid(&id)?.into())
}

async fn insert_session<'c>(
    to: impl SqliteExecutor<'c>,
    person: PersonId,
    token: &TokenHash,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO sessions (token_hash, person, created_at) VALUES (?, ?, ?)")
        .bind(token.as_slice())
        .bind(bytes(person.as_bytes()))
        .bind(at)
        .execute(to)
        .await
        .map(drop)
}

async fn one_message(tx: &mut SqliteConnection, id: RoomId, room: i64, seq: i64) -> Result<Message, sqlx::Error> {
    let sql = AssertSqlSafe(format!("{MESSAGE_COLUMNS} WHERE m.room = ? AND m.seq = ?")).into_sql_str();
    message_from(id, &sqlx::query(sql).bind(room).bind(seq).fetch_one(tx).await?)
}

fn message_from(room: RoomId, row: &SqliteRow) -> Result<Message, sqlx::Error> {
    let person: Option<Vec<u8>> = row.try_get("person")?;
    let guest: Option<String> = row.try_get("guest")?;
    let kind = match person {
        Some(id) => AuthorKind::Person(uuid(&id)?.into()),
        None => AuthorKind::Guest(guest.unwrap_or_default()),
    };
    let quote: Option<Vec<u8>> = row.try_get("quote_id")?;
    let reply_to = match quote {
        None => None,
        Some(id) => Some(Quote {
            id: uuid(&id)?.into(),
            seq: number(row, "quote_seq")?,
            sender: row.try_get("quote_sender")?,
            excerpt: excerpt(row.try_get("quote_body")?),
        }),
    };
    Ok(Message {
        room,
        id: uuid(&row.try_get::<Vec<u8>, _>("id")?)?.into(),
        seq: number(row, "seq")?,
        rev: number(row, "rev")?,
        author: Author { name: DisplayName::stored(row.try_get("sender")?), kind },
        body: row.try_get("body")?,
        at: row.try_get("at")?,
        reply_to,
    })
}

fn room_from(row: &SqliteRow) -> Result<Room, sqlx::Error> {
    let sender: Option<String> = row.try_get("sender")?;
    let last = match sender {
        Some(sender) => Some((sender, excerpt(row.try_get("body")?), row.try_get("at")?)),
        None => None,
    };
    Ok(Room {
        id: uuid(&row.try_get::<Vec<u8>, _>("id")?)?.into(),
        name: RoomName::stored(row.try_get("name")?),
        topic: row.try_get("topic")?,
        lobby: row.try_get("lobby")?,
        head: number(row, "head")?,
        last,
    })
}

fn excerpt(body: String) -> String {
    match body.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &body[..end]),
        None => body,
    }
}

fn number(row: &SqliteRow, column: &str) -> Result<Seq, sqlx::Error> {
    row.try_get::<i64, _>(column).map(|n| n as Seq)
}

fn uuid(bytes: &[u8]) -> Result<Uuid, sqlx::Error> {
    Uuid::from_slice(bytes).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

fn bytes(id: &[u8; 16]) -> &[u8] {
    id.as_slice()
}

/// Logs the cause once, here; who asked learns only that storage does not answer.
fn unavailable(error: sqlx::Error) -> Error {
    tracing::error!(%error, "storage failed");
    Error::StorageUnavailable
}
