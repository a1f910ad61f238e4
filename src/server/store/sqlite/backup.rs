//! A consistent copy of a database in use.

use crate::domain::Epoch;
use sqlx::{
    Connection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::path::Path;

/// Copies the database at `from`, which may be in use, to a new file `to`, and gives the copy an epoch of
/// its own: clients of a restored copy must not take its numbers for those they know.
///
/// # Errors
/// What SQLite says; then `to` may be there in part.
pub async fn copy(from: &Path, to: &Path) -> Result<(), sqlx::Error> {
    let mut source =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(from).read_only(true)).await?;
    sqlx::query("VACUUM INTO ?").bind(to.to_string_lossy()).execute(&mut source).await?;
    source.close().await?;

    let options = SqliteConnectOptions::new()
        .filename(to)
        .journal_mode(SqliteJournalMode::Delete)
        .synchronous(SqliteSynchronous::Full);
    let mut copy = SqliteConnection::connect_with(&options).await?;
    sqlx::query("UPDATE meta SET value = ? WHERE key = 'epoch'")
        .bind(Epoch::new().as_bytes().as_slice())
        .execute(&mut copy)
        .await?;
    copy.close().await?;
    // What VACUUM wrote was not synced.
    let synced = std::fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(sqlx::Error::Io)
}
