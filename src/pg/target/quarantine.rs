//! Tries rows in quarantine once more.

use tokio_postgres::types::ToSql;

use super::PgTarget;
use crate::core::backfill::{Backfill, Leaf};
use crate::core::failure::Failure;
use crate::core::step::Limits;
use crate::core::version::Version;
use crate::engine::backfill::ports::BadRow;
use crate::pg::classify::failure;
use crate::pg::walk::style;

/// What came of a row in quarantine that was tried once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It is done now.
    Mended,
    /// The row under its key is right already; the proof is taken back, because it may be another one.
    Right,
    /// None is under its key; the proof is taken back.
    Gone,
}

impl PgTarget {
    /// Tries a row in quarantine once more; `None`: it is not in quarantine any more.
    ///
    /// # Errors
    /// When it fails again.
    pub async fn retry(
        &self,
        version: &Version,
        backfill: &Backfill,
        leaf: &Leaf,
        row: &BadRow,
        limits: &Limits,
    ) -> Result<Option<Retried>, Failure> {
        let client = self.sessions.texts().await?;
        let set = format!(
            "{}; SET lock_timeout = {}; SET statement_timeout = {}",
            style(leaf.steady()),
            limits.lock_timeout.as_millis(),
            limits.statement_timeout.as_millis()
        );
        client.batch_execute(&set).await.map_err(|error| failure(&error))?;
        let sql = backfill.retry_sql(leaf, self.sessions.metadata());
        let listed = serde_json::json!([row.key]);
        let params: [&(dyn ToSql + Sync); 5] = [&version.as_str(), &row.step, &row.leaf, &row.key, &listed];
        let written = client.query_opt(&sql, &params).await.map_err(|error| failure(&error))?;
        Ok(written.map(|row| match (row.get::<_, i64>("written"), row.get::<_, bool>("there")) {
            (0, true) => Retried::Right,
            (0, false) => Retried::Gone,
            _ => Retried::Mended,
        }))
    }
}
