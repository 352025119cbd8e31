//! What commands read and change of the record of backfills.

use std::fmt;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::core::backfill::tuning::Tune;
use crate::core::failure::{Failure, FailureKind};
use crate::core::pace::Level;
use crate::core::version::Version;
use crate::engine::backfill::ports::{BadRow, Total};
use crate::pg::queries as q;
use crate::pg::store::PgStore;

/// A worker that was heard of lately.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct WorkerSeen {
    /// The step that it is at.
    pub step: String,
    /// Its pace.
    #[serde(rename = "pace")]
    pub level: Level,
    /// Why it is not full.
    pub why: Option<String>,
    /// The chunk that it is at.
    pub chunk: Option<i32>,
    /// Rows that a batch is sized for.
    pub batch_rows: i64,
    /// What the last batch took at the server, in milliseconds.
    pub batch_ms: f64,
    /// Rows a second over the last seconds.
    pub rows_per_s: f64,
    /// How windows are cut: none, remainder or hash.
    pub stripes: String,
    /// The share of updates that stayed on their page.
    pub hot_share: Option<f64>,
    /// `user@host (pid n)`.
    pub process: String,
}

impl fmt::Display for WorkerSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:.0} rows/s", self.process, self.rows_per_s)?;
        write!(f, ", batches of {} in {:.0} ms", self.batch_rows, self.batch_ms)?;
        if let Some(chunk) = self.chunk {
            write!(f, ", chunk {chunk}")?;
        }
        match (self.stripes.as_str(), self.hot_share) {
            ("none", None) => Ok(()),
            ("none", Some(hot)) => write!(f, ", no stripes ({:.0}% of the updates HOT)", hot * 100.0),
            (by, hot) => {
                write!(f, ", stripes by {by} ({:.0}% of the updates HOT)", hot.unwrap_or(0.0) * 100.0)
            }
        }
    }
}

impl PgStore {
    /// How far each backfill of an item is.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn progress(&self, version: &Version) -> Result<Vec<(String, Total)>, Failure> {
        let rows = self.rows(q::BACKFILL_PROGRESS, &[&version.as_str()]).await?;
        let one = |row: &Row| {
            let total = Total {
                pass: row.get("pass"),
                finished: row.get("finished"),
                rows_seen: row.get("rows_seen"),
                rows_total: row.get("rows_total"),
                rows_written: row.get("rows_written"),
                quarantined: row.get("quarantined"),
                retries: row.get("retries"),
                wal_bytes: row.get("wal_bytes"),
                workers: row.get("workers"),
                seconds: row.get("seconds"),
            };
            (row.get("step"), total)
        };
        Ok(rows.iter().map(one).collect())
    }

    /// Workers of an item that were heard of lately.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn workers(&self, version: &Version) -> Result<Vec<WorkerSeen>, Failure> {
        let rows = self.rows(q::WORKERS, &[&version.as_str()]).await?;
        let one = |row: &Row| {
            let (user, host, pid): (String, String, i32) =
                (row.get("os_user"), row.get("host"), row.get("pid"));
            WorkerSeen {
                step: row.get("step"),
                level: Level::from_name(row.get("pace")),
                why: row.get("why"),
                chunk: row.get("chunk"),
                batch_rows: row.get("batch_rows"),
                batch_ms: row.get("batch_ms"),
                rows_per_s: row.get("rows_per_s"),
                stripes: row.get("stripe_by"),
                hot_share: row.get("hot_share"),
                process: format!("{user}@{host} (pid {pid})"),
            }
        };
        Ok(rows.iter().map(one).collect())
    }

    /// Says that a row in quarantine failed once more.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn bad_again(&self, version: &Version, row: &BadRow, failure: &Failure) -> Result<(), Failure> {
        let sqlstate = failure.sqlstate.as_deref().unwrap_or_default();
        let params: [&(dyn ToSql + Sync); 6] =
            [&version.as_str(), &row.step, &row.leaf, &row.key, &sqlstate, &failure.message];
        self.write(q::QUARANTINE_AGAIN, &params).await.map(|_| ())
    }

    /// Takes a row out of quarantine whose table is gone, and with it the proof.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn bad_gone(&self, version: &Version, row: &BadRow) -> Result<(), Failure> {
        let params: [&(dyn ToSql + Sync); 4] = [&version.as_str(), &row.step, &row.leaf, &row.key];
        self.write(q::QUARANTINE_GONE, &params).await.map(|_| ())
    }

    /// What an operator changed of how a plan's backfills go about it.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn tuned(&self, version: &Version) -> Result<Tune, Failure> {
        let rows = self.rows(q::BACKFILL_TUNED, &[&version.as_str()]).await?;
        rows.first().map_or_else(|| Ok(Tune::default()), |row| read_tune(row.get("settings")))
    }

    /// Changes how a plan's backfills go about it; `None` takes the changes back.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn tune(&self, version: &Version, tune: Option<&Tune>, by: &str) -> Result<(), Failure> {
        let settings = tune.map(|tune| serde_json::json!(tune));
        let params: [&(dyn ToSql + Sync); 4] = [&version.as_str(), &settings, &by, &self.runner()];
        self.write(q::BACKFILL_TUNE, &params).await.map(|_| ())
    }
}

pub(super) fn read_tune(settings: serde_json::Value) -> Result<Tune, Failure> {
    serde_json::from_value(settings).map_err(|error| {
        Failure::new(FailureKind::Other, format!("what phase tune recorded cannot be read: {error}"))
    })
}
