//! What only the one writer does: transactions, and the numbers of the rooms that they move on.

use super::{
    Sqlite,
    log::{self, Heads},
};
use crate::{
    domain::Error,
    server::store::{Applied, Change},
};
use sqlx::{Connection, SqliteConnection};
use std::sync::PoisonError;

/// Rooms whose numbers are kept in memory before all are forgotten.
const HEADS_KEPT: usize = 10_000;

impl Sqlite {
    pub(super) async fn try_apply(
        &self,
        changes: &[Change],
        one_by_one: bool,
    ) -> Result<Vec<Result<Applied, Error>>, sqlx::Error> {
        self.on_writer(async |writer| {
            let mut heads = if one_by_one { Heads::new() } else { self.known_heads(changes) };
            let applied = if !one_by_one && log::is_one_statement(changes) {
                log::apply(writer, changes, &self.content_key, &mut heads, false).await
            } else {
                let apply = async |tx: &mut SqliteConnection| {
                    log::apply(tx, changes, &self.content_key, &mut heads, one_by_one).await
                };
                in_transaction(writer, apply).await
            };
            self.keep_heads(changes, applied.is_ok().then_some(heads));
            applied
        })
        .await
    }

    fn known_heads(&self, changes: &[Change]) -> Heads {
        let all = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        changes.iter().filter_map(|change| Some((change.room(), *all.get(&change.room())?))).collect()
    }

    /// After a failure nothing is known of the rooms any more.
    fn keep_heads(&self, changes: &[Change], heads: Option<Heads>) {
        let mut all = self.heads.lock().unwrap_or_else(PoisonError::into_inner);
        match heads {
            Some(heads) if all.len() < HEADS_KEPT => all.extend(heads),
            Some(heads) => *all = heads,
            None => all.retain(|room, _| changes.iter().all(|change| change.room() != *room)),
        }
    }

    /// Does `work` in one transaction.
    pub(super) async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        self.on_writer(async |writer| in_transaction(writer, work).await).await
    }

    /// Does `work` as the only writer.
    async fn on_writer<T>(
        &self,
        work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let mut writer = self.writer.acquire().await?;
        let done = work(&mut writer).await;
        if done.as_ref().is_err_and(|error| !breaks_a_rule(error)) {
            // SQLite has ended a transaction whose commit failed, but sqlx still counts it: no other could
            // begin on this connection.
            writer.close_on_drop();
        }
        done
    }
}

async fn in_transaction<T>(
    writer: &mut SqliteConnection,
    work: impl AsyncFnOnce(&mut SqliteConnection) -> Result<T, sqlx::Error>,
) -> Result<T, sqlx::Error> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    let done = work(&mut tx).await?;
    tx.commit().await?;
    Ok(done)
}

pub(super) fn breaks_a_rule(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| !matches!(error.kind(), sqlx::error::ErrorKind::Other))
}
