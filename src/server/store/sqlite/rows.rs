//! From rows to what they mean.

use crate::domain::{Author, AuthorKind, DisplayName, Message, Quote, Reaction, Room, RoomId, RoomName, Seq};
use crate::server::store::{Mark, excerpt};
use sqlx::{
    AssertSqlSafe, Row, SqlSafeStr, Sqlite, SqliteConnection,
    query::Query,
    sqlite::{SqliteArguments, SqliteRow},
};
use uuid::Uuid;

pub(super) type SqliteQuery<'q> = Query<'q, Sqlite, SqliteArguments>;

pub(super) const MESSAGE_COLUMNS: &str = "SELECT m.id, m.seq, m.rev, m.person, m.guest, m.sender, m.body, m.at, m.edited_at, m.deleted, \
     (SELECT json_group_array(json_array(emoji, name)) FROM (SELECT x.emoji, p.name FROM reactions x JOIN persons p ON p.id = x.person \
     WHERE x.room = m.room AND x.seq = m.seq ORDER BY x.emoji, p.name)) AS reactions, \
     q.id AS quote_id, q.seq AS quote_seq, q.sender AS quote_sender, q.body AS quote_body \
     FROM messages m LEFT JOIN messages q ON q.room = m.room AND q.seq = m.reply_seq ";

pub(super) const ROOM_COLUMNS: &str = "SELECT r.number, r.id, r.name, r.topic, r.created_by, r.created_at, r.lobby, r.head, r.messages, m.sender, m.body, m.at \
     FROM rooms r LEFT JOIN messages m ON m.room = r.number AND m.seq = \
     (SELECT max(seq) FROM messages WHERE room = r.number AND deleted = 0) ";

/// `?1` is how many are counted at most.
pub(super) const MARK_COLUMNS: &str = "SELECT p.person, r.id, p.seq, (SELECT count(*) FROM (SELECT 1 FROM messages m WHERE m.room = p.room \
     AND m.seq > p.seq AND m.deleted = 0 AND m.person IS NOT p.person LIMIT ?1)) AS unread, r.messages \
     FROM reads p JOIN rooms r ON r.number = p.room ";

pub(super) async fn one_message(
    tx: &mut SqliteConnection,
    id: RoomId,
    room: i64,
    seq: i64,
) -> Result<Message, sqlx::Error> {
    let sql = AssertSqlSafe(format!("{MESSAGE_COLUMNS} WHERE m.room = ? AND m.seq = ?")).into_sql_str();
    message_from(id, &sqlx::query(sql).bind(room).bind(seq).fetch_one(tx).await?)
}

pub(super) fn message_from(room: RoomId, row: &SqliteRow) -> Result<Message, sqlx::Error> {
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
        edited_at: row.try_get("edited_at")?,
        deleted: row.try_get("deleted")?,
        reply_to,
        reactions: reactions(&row.try_get::<String, _>("reactions")?)?,
    })
}

/// From `[[emoji, name], …]`, sorted.
fn reactions(json: &str) -> Result<Vec<Reaction>, sqlx::Error> {
    let pairs: Vec<(String, String)> = serde_json::from_str(json).map_err(|error| sqlx::Error::Decode(error.into()))?;
    let mut reactions: Vec<Reaction> = Vec::new();
    for (emoji, name) in pairs {
        match reactions.last_mut().filter(|last| last.emoji == emoji) {
            Some(reaction) => reaction.by.push(name),
            None => reactions.push(Reaction { emoji, by: vec![name] }),
        }
    }
    Ok(reactions)
}

pub(super) fn mark_from(row: &SqliteRow) -> Result<Mark, sqlx::Error> {
    Ok(Mark {
        person: uuid(&row.try_get::<Vec<u8>, _>("person")?)?.into(),
        room: uuid(&row.try_get::<Vec<u8>, _>("id")?)?.into(),
        seq: number(row, "seq")?,
        unread: row.try_get("unread")?,
        messages: number(row, "messages")?,
    })
}

pub(super) fn room_from(row: &SqliteRow) -> Result<Room, sqlx::Error> {
    let sender: Option<String> = row.try_get("sender")?;
    let last = match sender {
        Some(sender) => Some((sender, excerpt(row.try_get("body")?), row.try_get("at")?)),
        None => None,
    };
    Ok(Room {
        id: uuid(&row.try_get::<Vec<u8>, _>("id")?)?.into(),
        name: RoomName::stored(row.try_get("name")?),
        topic: row.try_get("topic")?,
        created_by: match row.try_get::<Option<Vec<u8>>, _>("created_by")? {
            Some(id) => Some(uuid(&id)?.into()),
            None => None,
        },
        created_at: row.try_get("created_at")?,
        lobby: row.try_get("lobby")?,
        head: number(row, "head")?,
        messages: number(row, "messages")?,
        last,
    })
}

fn number(row: &SqliteRow, column: &str) -> Result<Seq, sqlx::Error> {
    row.try_get::<i64, _>(column).map(|n| n as Seq)
}

pub(super) fn uuid(bytes: &[u8]) -> Result<Uuid, sqlx::Error> {
    Uuid::from_slice(bytes).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

pub(super) fn bytes(id: &[u8; 16]) -> &[u8] {
    id.as_slice()
}
