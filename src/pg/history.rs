//! Reads what happened, and how far backfills are.

use jiff::Timestamp;
use tokio_postgres::Row;

use crate::core::failure::Failure;
use crate::core::version::Version;
use crate::pg::queries as q;
use crate::pg::store::PgStore;

/// One event of the history.
#[derive(Debug, Clone, serde::Serialize)]
pub struct HistoryEvent {
    /// Rises with every event.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The item; `None` for events of no single one.
    pub version: Option<String>,
    /// What happened.
    pub event: String,
    /// The step.
    pub step: Option<String>,
    /// The state before.
    pub from_state: Option<String>,
    /// The state after, or aimed for.
    pub to_state: Option<String>,
    /// ok, failed, refused or started.
    pub outcome: String,
    /// How long, in milliseconds.
    pub duration_ms: Option<i64>,
    /// The SQL that was sent.
    pub sql: Option<String>,
    /// What else there is to say.
    pub detail: Option<String>,
    /// The database user.
    pub actor: String,
    /// The operating system user.
    pub os_user: String,
    /// The host.
    pub host: String,
    /// The version of phase.
    pub tool_version: String,
    /// The command.
    pub command: String,
}

impl PgStore {
    /// The newest events, oldest first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn history(&self, version: Option<&Version>, limit: i64) -> Result<Vec<HistoryEvent>, Failure> {
        let rows = self.rows(q::HISTORY, &[&version.map(Version::as_str), &limit]).await?;
        let event = |row: &Row| HistoryEvent {
            id: row.get("id"),
            at: row.get("at"),
            version: row.get("version"),
            event: row.get("event"),
            step: row.get("step"),
            from_state: row.get("from_state"),
            to_state: row.get("to_state"),
            outcome: row.get("outcome"),
            duration_ms: row.get("duration_ms"),
            sql: row.get("sql"),
            detail: row.get("detail"),
            actor: row.get("actor"),
            os_user: row.get("os_user"),
            host: row.get("host"),
            tool_version: row.get("tool_version"),
            command: row.get("command"),
        };
        Ok(rows.iter().map(event).collect())
    }
}
