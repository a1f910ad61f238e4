//! Whether a data file is whole: what the log promises, tried on every row.

use sqlx::{AssertSqlSafe, Connection, SqlSafeStr, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::Path;

/// Each finds what must not be there, and says in words what and where.
const RULES: &[&str] = &[
    "SELECT 'the database has no ' || needed.key FROM (SELECT 'epoch' AS key, 16 AS bytes UNION SELECT 'content_key', 32) needed \
     LEFT JOIN meta USING (key) WHERE length(meta.value) IS NOT needed.bytes",
    "SELECT 'there are ' || count(*) || ' lobbies' FROM rooms WHERE lobby = 1 HAVING count(*) <> 1",
    "SELECT 'room ' || hex(r.id) || ': head is ' || r.head || ', its changes are ' || count(c.number) || ', ' || \
     coalesce(min(c.number), 0) || ' to ' || coalesce(max(c.number), 0) FROM rooms r LEFT JOIN changes c ON c.room = r.number \
     GROUP BY r.number HAVING count(c.number) <> r.head OR coalesce(max(c.number), 0) <> r.head OR coalesce(min(c.number), 1) <> 1",
    "SELECT 'room ' || r.id || ': message ' || m.seq || ' is not where a message was added' FROM messages m \
     JOIN (SELECT number, hex(id) AS id FROM rooms) r ON r.number = m.room \
     LEFT JOIN changes c ON c.room = m.room AND c.number = m.seq WHERE c.kind IS NOT 'new' OR c.seq IS NOT m.seq",
    "SELECT 'room ' || r.id || ': message ' || last.seq || ' last changed at ' || last.number || ' but says ' || coalesce(m.rev, 'nothing') \
     FROM (SELECT room, seq, max(number) AS number FROM changes GROUP BY room, seq) last \
     JOIN (SELECT number, hex(id) AS id FROM rooms) r ON r.number = last.room \
     LEFT JOIN messages m ON m.room = last.room AND m.seq = last.seq WHERE m.rev IS NOT last.number",
    "SELECT 'room ' || hex(r.id) || ': ' || count(*) || ' messages have the id ' || hex(m.id) FROM messages m \
     JOIN rooms r ON r.number = m.room GROUP BY m.room, m.id HAVING count(*) > 1",
    "SELECT 'room ' || hex(r.id) || ': message ' || m.seq || ' answers ' || m.reply_seq || ', which is not before it' FROM messages m \
     JOIN rooms r ON r.number = m.room LEFT JOIN messages q ON q.room = m.room AND q.seq = m.reply_seq \
     WHERE m.reply_seq IS NOT NULL AND (q.seq IS NULL OR q.seq >= m.seq)",
    "SELECT 'room ' || hex(r.id) || ': message ' || m.seq || ' is deleted and still says something' FROM messages m \
     JOIN rooms r ON r.number = m.room WHERE m.deleted = 1 AND (m.body <> '' OR EXISTS \
     (SELECT 1 FROM reactions x WHERE x.room = m.room AND x.seq = m.seq))",
    "SELECT 'room ' || hex(r.id) || ': message ' || m.seq || ' has no author' FROM messages m JOIN rooms r ON r.number = m.room \
     WHERE (m.person IS NULL) = (m.guest IS NULL)",
    "SELECT 'room ' || hex(r.id) || ': somebody read up to ' || p.seq || ', its head is ' || r.head FROM reads p \
     JOIN rooms r ON r.number = p.room WHERE p.seq > r.head OR p.seq < 0",
];

/// What a whole data file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Rooms.
    pub rooms: i64,
    /// Messages, tombstones included.
    pub messages: i64,
    /// Changes.
    pub changes: i64,
}

/// Checks the data file at `path`, which may be in use. `Ok(Err(…))` lists what is wrong.
///
/// # Errors
/// What SQLite says when the file cannot be read as a database of Madang's.
pub async fn verify(path: &Path) -> Result<Result<Whole, Vec<String>>, sqlx::Error> {
    let mut file = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path).read_only(true)).await?;
    // One snapshot: a server may be writing meanwhile.
    let mut snapshot = file.begin().await?;
    let mut wrong: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check").fetch_all(&mut *snapshot).await?;
    wrong.retain(|line| line != "ok");
    let dangling: Vec<(String, Option<i64>, String, i64)> =
        sqlx::query_as("PRAGMA foreign_key_check").fetch_all(&mut *snapshot).await?;
    wrong.extend(
        dangling.into_iter().map(|(table, _, parent, _)| format!("a row of {table} refers to no row of {parent}")),
    );
    for rule in RULES {
        let found: Vec<String> =
            sqlx::query_scalar(AssertSqlSafe(*rule).into_sql_str()).fetch_all(&mut *snapshot).await?;
        wrong.extend(found);
    }
    let (rooms, messages, changes) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM rooms), (SELECT count(*) FROM messages), (SELECT count(*) FROM changes)",
    )
    .fetch_one(&mut *snapshot)
    .await?;
    drop(snapshot);
    file.close().await?;
    Ok(if wrong.is_empty() { Ok(Whole { rooms, messages, changes }) } else { Err(wrong) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Author, AuthorKind, Body, DisplayName, MessageId, PersonId},
        server::store::{Change, NewMessage, Person, Sqlite, Store},
    };

    /// A file with two rooms, an edit, a reply, a reaction and a deletion.
    async fn make(path: &Path) -> Whole {
        let store = Sqlite::open(path, 0).await.expect("a database");
        let person = Person { id: PersonId::new(), name: DisplayName::parse("mina").expect("a name") };
        store.sign_in(&person, &[1; 32], 0, 0).await.expect("free");
        let room = store.lobby();
        let author = Author { name: person.name.clone(), kind: AuthorKind::Person(person.id) };
        let body = |text| Body::parse(text).expect("a text");
        let said = |reply_to| NewMessage {
            room,
            id: MessageId::new(),
            author: author.clone(),
            body: body("a"),
            reply_to,
            at: 0,
        };
        let (first, person) = (said(None), person.id);
        let (second, id) = (said(Some(first.id)), first.id);
        let gone = second.id;
        let emoji = crate::domain::Emoji::parse("👍").expect("an emoji");
        let changes: [Change; 5] = [
            first.into(),
            second.into(),
            Change::Edit { room, id, person, body: body("b"), if_rev: None, at: 1 },
            Change::Delete { room, id: gone, person },
            Change::React { room, id, person, emoji, on: true },
        ];
        assert!(store.apply(&changes).await.expect("stored").iter().all(Result::is_ok));
        store.close().await;
        Whole { rooms: 1, messages: 2, changes: 5 }
    }

    #[tokio::test]
    async fn a_whole_file_is_said_to_be_whole() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("madang.db");
        let whole = make(&path).await;
        assert_eq!(verify(&path).await.expect("readable"), Ok(whole));
    }

    #[tokio::test]
    async fn every_damage_is_found_and_named() {
        for (damage, word) in [
            ("UPDATE rooms SET head = 6", "head is 6"),
            ("DELETE FROM changes WHERE number = 2", "its changes are 4"),
            ("UPDATE changes SET number = 9 WHERE number = 5", "1 to 9"),
            ("UPDATE changes SET kind = 'edit' WHERE number = 1", "not where a message was added"),
            ("UPDATE messages SET rev = 7 WHERE seq = 1", "says 7"),
            ("DELETE FROM messages WHERE seq = 2", "says nothing"),
            ("UPDATE messages SET reply_seq = 4 WHERE seq = 2", "answers 4"),
            ("UPDATE messages SET body = 'x' WHERE deleted = 1", "still says something"),
            ("UPDATE messages SET guest = 'abcd' WHERE seq = 1", "no author"),
            ("DELETE FROM persons", "refers to no row"),
            ("UPDATE meta SET value = x'00' WHERE key = 'epoch'", "no epoch"),
            ("UPDATE rooms SET lobby = 0", "0 lobbies"),
            ("INSERT INTO reads SELECT id, 1, 99 FROM persons", "read up to 99"),
            ("PRAGMA writable_schema = 1; UPDATE sqlite_schema SET rootpage = 3 WHERE name = 'sessions_person'", ""),
        ] {
            let directory = tempfile::tempdir().expect("a directory");
            let path = directory.path().join("madang.db");
            make(&path).await;
            let options = SqliteConnectOptions::new().filename(&path).foreign_keys(false);
            let mut file = SqliteConnection::connect_with(&options).await.expect("a database");
            sqlx::raw_sql(AssertSqlSafe(damage).into_sql_str()).execute(&mut file).await.expect(damage);
            file.close().await.expect("closed");
            let found = verify(&path).await;
            let named = match &found {
                Ok(Err(wrong)) => wrong.iter().any(|line| line.contains(word)),
                Ok(Ok(_)) => false,
                Err(_) => word.is_empty(),
            };
            assert!(named, "{damage}: {found:?}");
        }
    }
}
