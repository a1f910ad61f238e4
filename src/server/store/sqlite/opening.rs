//! Opening the file: made or migrated as needed, with one connection that writes and some that read.

use super::{
    Sqlite, log,
    rows::{bytes, uuid},
};
use crate::{
    domain::{Epoch, RoomId, Timestamp},
    server::store::LOBBY_NAME,
};
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{
    path::Path,
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

/// Connections that read at the same time.
const READERS: u32 = 4;
/// How long a statement waits for another process's lock (a backup, `sqlite3` by hand).
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(5);
/// Prepared statements of a connection: one for each size of batch, and all others.
const STATEMENTS_KEPT: usize = log::AT_ONCE * 2 + 50;

/// Never modify an existing migration: add the next.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "log", include_str!("../../../../migrations/sqlite/0001_log.sql")),
    (2, "new messages", include_str!("../../../../migrations/sqlite/0002_new_messages.sql")),
    (3, "message count", include_str!("../../../../migrations/sqlite/0003_message_count.sql")),
];

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
            .statement_cache_capacity(STATEMENTS_KEPT)
            .pragma("secure_delete", "ON");
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // Looking after the connection each time costs as much as a statement, and a file does not go away.
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options.clone().create_if_missing(true))
            .await?;
        migrator().run(&writer).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .test_before_acquire(false)
            .max_lifetime(None)
            .connect_with(options.read_only(true))
            .await?;

        let epoch = meta(&writer, "epoch", || Epoch::new().as_bytes().to_vec()).await?;
        let content_key = meta(&writer, "content_key", || rand::random::<[u8; 32]>().to_vec()).await?;
        let lobby = lobby(&writer, now).await?;
        let (epoch, troubled, heads) = (uuid(&epoch)?.into(), AtomicBool::new(false), Mutex::default());
        Ok(Self { writer, heads, readers, epoch, lobby, troubled, content_key })
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
