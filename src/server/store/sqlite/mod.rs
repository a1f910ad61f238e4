//! The store in one SQLite file: write-ahead log, every commit synced to the disk.
//!
//! All writes share one connection, so that a room's numbers are given out in one place; reads have
//! their own, and see the last commit.

mod backup;
mod log;
mod opening;
mod rows;
mod verify;
mod writing;

use super::{Applied, Change, Mark, Person, Slice, Store, TokenHash};
use crate::domain::{
    DisplayName, Epoch, Error, NameKey, PersonId, Room, RoomId, RoomName, Seq, Timestamp, Topic, Window, limits,
};
use async_trait::async_trait;
use log::Heads;
use rows::{MARK_COLUMNS, MESSAGE_COLUMNS, ROOM_COLUMNS, SqliteQuery, bytes, mark_from, message_from, room_from, uuid};
use serde_json::json;
use sqlx::{AssertSqlSafe, Row, SqlSafeStr, SqliteExecutor, SqlitePool};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};
use writing::breaks_a_rule;

pub use backup::copy;
pub use verify::{Whole, verify};

/// [`opening::LOCK_WAIT`] as SQLite has it.
const BUSY_TIMEOUT: &str = "PRAGMA busy_timeout = 5000";
/// Takes as much room on the disk as the largest message.
const PROBE: &str = "INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', zeroblob(65536))";
/// `persons.used_at` is written at most this often, in milliseconds.
const USED_EVERY_MS: i64 = 24 * 60 * 60 * 1_000;

/// The store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    /// One connection: whoever holds it is the only writer.
    writer: SqlitePool,
    /// The numbers of rooms that were written to, as the last commit left them: copies are moved on, and kept only
    /// after success. For whoever holds the writer.
    heads: Mutex<Heads>,
    readers: SqlitePool,
    epoch: Epoch,
    lobby: RoomId,
    /// Set while the last write failed.
    troubled: AtomicBool,
    /// Keys the digests that tell a repeat from another message under its id.
    content_key: Vec<u8>,
}

impl Sqlite {
    /// The marks that `filter` picks.
    async fn marks(
        &self,
        filter: &'static str,
        bind: impl FnOnce(SqliteQuery<'static>) -> SqliteQuery<'static>,
    ) -> Result<Vec<Mark>, Error> {
        let sql = AssertSqlSafe(format!("{MARK_COLUMNS} {filter}")).into_sql_str();
        let query = bind(sqlx::query(sql).bind(limits::UNREAD_COUNTED));
        let rows = query.fetch_all(&self.readers).await.map_err(unavailable)?;
        rows.iter().map(mark_from).collect::<Result<_, _>>().map_err(unavailable)
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
            let last: Option<i64> = sqlx::query_scalar("SELECT max(seq) FROM messages WHERE room = ?")
                .bind(number)
                .fetch_one(&mut *tx)
                .await?;
            Ok(Some(Slice { room: room_from(&row)?, messages, last: last.unwrap_or(0) as Seq }))
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
        sqlx::query("SELECT 1 FROM meta").fetch_optional(&self.readers).await.map_err(unavailable)?;
        if self.troubled.load(Ordering::Relaxed) {
            // Nobody may be writing any more: only a write, as large as any message, tells whether it is over.
            let probe = self.write(async |tx| {
                sqlx::query(PROBE).execute(&mut *tx).await?;
                Ok(())
            });
            probe.await.map_err(unavailable)?;
            sqlx::query("DELETE FROM meta WHERE key = 'probe'").execute(&self.writer).await.map_err(unavailable)?;
            self.troubled.store(false, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn rooms(&self, after: Option<RoomId>, limit: u32) -> Result<Vec<Room>, Error> {
        let page = "WHERE r.number > coalesce((SELECT number FROM rooms WHERE id = ?), 0) ORDER BY r.number LIMIT ?";
        let rows = sqlx::query(AssertSqlSafe(format!("{ROOM_COLUMNS} {page}")).into_sql_str())
            .bind(after.as_ref().map(|id| bytes(id.as_bytes())))
            .bind(limit)
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
        Ok(Room::new(id, name.clone(), by, at))
    }

    async fn adopt_room(&self, id: RoomId, by: PersonId) -> Result<bool, Error> {
        let changed = sqlx::query("UPDATE rooms SET created_by = ? WHERE id = ? AND created_by IS NULL AND lobby = 0")
            .bind(bytes(by.as_bytes()))
            .bind(bytes(id.as_bytes()))
            .execute(&self.writer)
            .await
            .map_err(unavailable)?;
        Ok(changed.rows_affected() > 0)
    }

    async fn change_room(
        &self,
        id: RoomId,
        by: PersonId,
        name: &RoomName,
        topic: Option<&Topic>,
    ) -> Result<Room, Error> {
        let changed = sqlx::query("UPDATE rooms SET name = ?, topic = ? WHERE id = ? AND created_by = ? AND lobby = 0")
            .bind(name.as_str())
            .bind(topic.map(Topic::as_str))
            .bind(bytes(id.as_bytes()))
            .bind(bytes(by.as_bytes()))
            .execute(&self.writer)
            .await
            .map_err(unavailable)?;
        let room = self.room(id).await?;
        if changed.rows_affected() == 0 { Err(Error::Forbidden) } else { Ok(room) }
    }

    async fn apply(&self, changes: &[Change]) -> Result<Vec<Result<Applied, Error>>, Error> {
        let mut outcome = self.try_apply(changes, false).await;
        if outcome.as_ref().is_err_and(breaks_a_rule) {
            // A repeat is among them.
            outcome = self.try_apply(changes, true).await;
        }
        match outcome {
            // One that breaks a rule of the schema must not take the others along.
            Err(error) if changes.len() > 1 && breaks_a_rule(&error) => {
                let mut outcomes = Vec::with_capacity(changes.len());
                for change in changes {
                    let alone = self.try_apply(std::slice::from_ref(change), true).await;
                    outcomes.extend(alone.unwrap_or_else(|error| vec![Err(unavailable(error))]));
                }
                Ok(outcomes)
            }
            outcome => {
                self.troubled.store(outcome.is_err(), Ordering::Relaxed);
                outcome.map_err(unavailable)
            }
        }
    }

    async fn erase(&self) -> Result<bool, Error> {
        let erase = async {
            let mut writer = self.writer.acquire().await?;
            // Nobody shall wait for a reader that still needs the old pages.
            sqlx::query("PRAGMA busy_timeout = 0").execute(&mut *writer).await?;
            let outcome = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *writer).await;
            sqlx::query(BUSY_TIMEOUT).execute(&mut *writer).await?;
            outcome.map(|(busy, _, _): (i64, i64, i64)| busy == 0)
        };
        erase.await.map_err(unavailable)
    }

    async fn read(&self, person: PersonId, room: RoomId, seq: Seq, back: bool) -> Result<Option<Mark>, Error> {
        let (person, wanted) = (bytes(person.as_bytes()), i64::try_from(seq).unwrap_or(i64::MAX));
        let found: Option<(i64, i64, Option<i64>)> = sqlx::query_as(
            "SELECT r.number, min(coalesce((SELECT max(seq) FROM messages m WHERE m.room = r.number), 0), ?1), p.seq FROM rooms r LEFT JOIN reads p ON p.room = r.number AND p.person = ?2 \
             WHERE r.id = ?3",
        )
        .bind(wanted)
        .bind(person)
        .bind(bytes(room.as_bytes()))
        .fetch_optional(&self.readers)
        .await
        .map_err(unavailable)?;
        let (room, seq, known) = found.ok_or(Error::RoomNotFound)?;
        // A mark that does not move costs no write.
        if known.is_some_and(|known| if back { seq == known } else { seq <= known }) {
            return Ok(None);
        }
        let moved: Option<i64> = sqlx::query_scalar(
            "INSERT INTO reads (person, room, seq) VALUES (?1, ?2, ?3) ON CONFLICT (person, room) \
             DO UPDATE SET seq = excluded.seq WHERE ?4 OR excluded.seq > seq RETURNING seq",
        )
        .bind(person)
        .bind(room)
        .bind(seq)
        .bind(back)
        .fetch_optional(&self.writer)
        .await
        .map_err(unavailable)?;
        if moved.is_none() {
            return Ok(None);
        }
        let marks = self.marks("WHERE p.person = ?2 AND p.room = ?3", |query| query.bind(person).bind(room)).await?;
        Ok(marks.into_iter().next())
    }

    async fn reads(&self, person: PersonId) -> Result<Vec<Mark>, Error> {
        self.marks("WHERE p.person = ?2", |query| query.bind(bytes(person.as_bytes()))).await
    }

    async fn reads_before(&self, room: RoomId, seq: Seq, persons: &[PersonId]) -> Result<Vec<Mark>, Error> {
        const BEHIND: &str =
            "WHERE r.id = ?2 AND p.seq < ?3 AND p.person IN (SELECT unhex(value, '-') FROM json_each(?4))";
        let persons = json!(persons).to_string();
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.marks(BEHIND, |query| query.bind(bytes(room.as_bytes())).bind(seq).bind(persons)).await
    }

    async fn page(&self, room: RoomId, window: Window, limit: u32) -> Result<Slice, Error> {
        const BEFORE: &str = "WHERE m.room = ?1 AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?3";
        let (filter, place) = match window {
            Window::Newest => (BEFORE, Seq::MAX),
            Window::Before(seq) => (BEFORE, seq),
            Window::After(seq) => ("WHERE m.room = ?1 AND m.seq > ?2 ORDER BY m.seq LIMIT ?3", seq),
            Window::Around(seq) => (
                "WHERE m.room = ?1 AND m.seq >= coalesce((SELECT min(seq) FROM (SELECT seq FROM messages \
                 WHERE room = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3 / 2)), ?2) ORDER BY m.seq LIMIT ?3",
                seq,
            ),
        };
        let mut slice = self.slice(room, filter, i64::try_from(place).unwrap_or(i64::MAX), limit).await?;
        if filter == BEFORE {
            slice.messages.reverse();
        }
        Ok(slice)
    }

    async fn changed_since(&self, room: RoomId, since: Seq, limit: u32) -> Result<Slice, Error> {
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        self.slice(room, "WHERE m.room = ? AND m.rev > ? ORDER BY m.rev LIMIT ?", since, limit).await
    }

    async fn said_since(&self, room: RoomId, since: Seq, limit: u32) -> Result<Slice, Error> {
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        self.slice(room, "WHERE m.room = ? AND m.seq > ? AND m.deleted = 0 ORDER BY m.seq LIMIT ?", since, limit).await
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
        let write = self.write(async |tx| {
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
            insert_session(&mut *tx, person.id, token, at).await
        });
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
        let write = self.write(async |tx| {
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
            Ok((released > 0).then_some(uuid(&person)?.into()))
        });
        write.await.map_err(unavailable)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
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

/// Logs the cause once, here; who asked learns only that storage does not answer.
fn unavailable(error: sqlx::Error) -> Error {
    tracing::error!(%error, "storage failed");
    Error::StorageUnavailable
}
