//! Reads what happened, and how far backfills are.

use jiff::Timestamp;
use tokio_postgres::Row;

use crate::core::failure::Failure;
use crate::core::gate::Verdict;
use crate::core::impact::Impact;
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
    /// How the conditions of a gate were judged when the transition began.
    pub gates: Vec<Verdict>,
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

/// What one run of a step did to others.
#[derive(Debug, Clone, serde::Serialize)]
pub struct ImpactEvent {
    /// The item.
    pub version: String,
    /// The step.
    pub step: String,
    /// Whether it was being taken back.
    pub undo: bool,
    /// When the run began.
    pub began_at: Timestamp,
    /// When it ended; `None`: it goes on, or its process ended before it could say.
    pub ended_at: Option<Timestamp>,
    /// What it did; `None`: not known.
    pub impact: Option<Impact>,
}

impl PgStore {
    /// What the history says of the last event of a kind; `None`: there was none.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn last_event(&self, version: &Version, event: &str) -> Result<Option<String>, Failure> {
        let rows = self.rows(q::LAST_EVENT, &[&version.as_str(), &event]).await?;
        Ok(rows.first().and_then(|row| row.get("detail")))
    }

    /// What steps did to others, of one item or of all, oldest first.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn impacts(&self, version: Option<&Version>) -> Result<Vec<ImpactEvent>, Failure> {
        let rows = self.rows(q::IMPACTS, &[&version.map(Version::as_str)]).await?;
        Ok(rows.iter().map(impact).collect())
    }

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
            gates: gates(row.get("gates")),
            actor: row.get("actor"),
            os_user: row.get("os_user"),
            host: row.get("host"),
            tool_version: row.get("tool_version"),
            command: row.get("command"),
        };
        Ok(rows.iter().map(event).collect())
    }
}

/// What a newer phase may have written, and this one cannot read, is left out.
fn gates(json: Option<serde_json::Value>) -> Vec<Verdict> {
    json.and_then(|json| serde_json::from_value(json).ok()).unwrap_or_default()
}

fn impact(row: &Row) -> ImpactEvent {
    let ended_at: Option<Timestamp> = row.get("ended_at");
    let count = |column: &str| u64::try_from(row.get::<_, Option<i64>>(column).unwrap_or(0)).unwrap_or(0);
    let small = |column: &str| u32::try_from(row.get::<_, Option<i32>>(column).unwrap_or(0)).unwrap_or(0);
    let json = |column: &str| row.get::<_, Option<serde_json::Value>>(column).unwrap_or_default();
    let known = || Impact {
        attempts: small("attempts"),
        waiters: small("waiters"),
        longest_wait_ms: count("longest_wait_ms"),
        longest: serde_json::from_value(json("longest")).unwrap_or(None),
        held_ms: row.get::<_, Option<i64>>("held_ms").and_then(|ms| u64::try_from(ms).ok()),
        locks: serde_json::from_value(json("locks")).unwrap_or_default(),
        looks: count("looks"),
        gap_ms: count("gap_ms"),
    };
    ImpactEvent {
        version: row.get("version"),
        step: row.get("step"),
        undo: row.get("undo"),
        began_at: row.get("began_at"),
        ended_at,
        impact: ended_at.map(|_| known()),
    }
}
