//! The record in PostgreSQL: one function a named query, each write under its fence.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::core::failure::{Failure, FailureKind};
use crate::core::gate::{BackfillFact, Facts};
use crate::core::plan::model::AppVersion;
use crate::core::record::{Hold, Kind, Record, StepRecord, StepStatus};
use crate::core::sql::redact;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::version::Version;
use crate::engine::{Fence, StepWrite, Store};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// The record, reached over a session whose `search_path` is the metadata schema.
pub struct PgStore {
    client: Client,
    runner: i64,
}

/// Who and where a process is, for the record.
#[derive(Debug, Clone)]
pub struct Process {
    /// The operating system user.
    pub os_user: String,
    /// The host name.
    pub host: String,
    /// The process id.
    pub pid: i32,
    /// The command, without its options.
    pub command: String,
}

impl PgStore {
    /// Takes a session over; without a process nothing may be written.
    ///
    /// # Errors
    /// When the process cannot be put on record.
    pub async fn open(client: Client, process: Option<&Process>) -> Result<Self, Failure> {
        let mut store = Self { client, runner: 0 };
        if let Some(Process { os_user, host, pid, command }) = process {
            let version = env!("CARGO_PKG_VERSION");
            store.runner =
                store.one(q::RUNNER_ADD, &[os_user, host, pid, &version, command]).await?.get("id");
        }
        Ok(store)
    }

    /// The row of this process, named by what it writes.
    #[must_use]
    pub const fn runner(&self) -> i64 {
        self.runner
    }

    pub(crate) async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        self.client.query(sql, params).await.map_err(|error| failure(&error))
    }

    async fn one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, Failure> {
        self.client.query_one(sql, params).await.map_err(|error| failure(&error))
    }

    /// How many rows a write changed.
    pub(crate) async fn write(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<u64, Failure> {
        self.client.execute(sql, params).await.map_err(|error| failure(&error))
    }

    async fn fenced_write(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<(), Failure> {
        if self.write(sql, params).await? == 0 { Err(Failure::fenced()) } else { Ok(()) }
    }

    /// Puts a file on record as planned; what is there already stays.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn register(&self, item: &Item) -> Result<(), Failure> {
        let (version, kind) = (item.version.as_str(), item.kind.name());
        self.write(q::REGISTER_ITEM, &[&version, &item.name, &kind, &self.runner]).await?;
        Ok(())
    }

    /// Raises the epoch: whoever wrote under an older one writes no more.
    ///
    /// # Errors
    /// When the item is not on record.
    pub async fn take_over(&self, version: &Version) -> Result<Fence, Failure> {
        let row = self.one(q::TAKE_OVER, &[&version.as_str(), &self.runner]).await?;
        Ok(Fence { version: version.clone(), epoch: row.get("epoch") })
    }

    /// The number of the next run of expand.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn next_batch(&self) -> Result<i64, Failure> {
        Ok(self.one(q::NEXT_BATCH, &[]).await?.get("batch"))
    }

    /// Lifts the hold that stands; whether there was one.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn lift_hold(&self, version: &Version, by: &str) -> Result<bool, Failure> {
        Ok(self.write(q::HOLD_LIFT, &[&version.as_str(), &by, &self.runner]).await? > 0)
    }

    /// Places a hold; false when one stands already.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn hold_by(&self, version: &Version, reason: &str, by: &str) -> Result<bool, Failure> {
        Ok(self.write(q::HOLD_PLACE, &[&version.as_str(), &reason, &by, &self.runner]).await? > 0)
    }

    /// Records what an operator says of an interrupted statement; how many there were.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn resolve_step(&self, version: &Version, done: bool) -> Result<u64, Failure> {
        self.write(q::STEP_RESOLVE, &[&version.as_str(), &done, &self.runner]).await
    }

    /// Records what an operator says of a step that is to be taken back: done by
    /// hand. False when no such step is left of an abort that has begun.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn step_undone(&self, version: &Version, step: &str) -> Result<bool, Failure> {
        Ok(self.write(q::STEP_UNDONE, &[&version.as_str(), &step, &self.runner]).await? > 0)
    }

    /// Records an approval.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn approve(&self, version: &Version, actor: &str, note: Option<&str>) -> Result<(), Failure> {
        self.write(q::APPROVE, &[&version.as_str(), &actor, &note, &self.runner]).await?;
        Ok(())
    }

    /// Records that a version of an application is live everywhere.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn deployed(&self, app: &AppVersion, by: &str) -> Result<(), Failure> {
        self.write(q::DEPLOYED, &[&app.app, &app.version, &by, &self.runner]).await?;
        Ok(())
    }

    /// Records an item as done without running it; false when it was on record already.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn baseline(&self, item: &Item) -> Result<bool, Failure> {
        let (version, kind) = (item.version.as_str(), item.kind.name());
        let params: [&(dyn ToSql + Sync); 6] =
            [&version, &item.name, &kind, &item.source, &item.checksum, &self.runner];
        Ok(self.write(q::BASELINE, &params).await? > 0)
    }
}

fn bad_row(what: &str) -> Failure {
    Failure::new(
        FailureKind::Other,
        format!("the record holds a {what} that this version of phase does not know"),
    )
}

fn state(row: &Row, column: &str) -> Result<State, Failure> {
    State::from_name(row.get(column)).ok_or_else(|| bad_row("state"))
}

fn version(text: &str) -> Result<Version, Failure> {
    Version::parse(text).ok_or_else(|| bad_row("version"))
}

fn record(row: &Row) -> Result<Record, Failure> {
    let hold: Option<String> = row.get("hold_reason");
    let depends_on: Vec<String> = row.get("depends_on");
    Ok(Record {
        version: version(row.get("version"))?,
        name: row.get("name"),
        kind: match row.get::<_, &str>("kind") {
            "plan" => Kind::Plan,
            "sql" => Kind::Sql,
            _ => return Err(bad_row("kind")),
        },
        state: state(row, "state")?,
        goal: state(row, "goal")?,
        state_since: row.get("state_since"),
        epoch: row.get("epoch"),
        source: row.get("source"),
        checksum: row.get("checksum"),
        tables: row.get("tables"),
        depends_on: depends_on.iter().map(|text| version(text)).collect::<Result<_, _>>()?,
        batch: row.get("batch"),
        baseline: row.get("baseline"),
        error: row.get("error"),
        touched: row.get("touched"),
        hold: hold.map(|reason| Hold { reason, by: row.get("hold_by"), since: row.get("hold_since") }),
    })
}

fn step(row: &Row) -> Result<StepRecord, Failure> {
    Ok(StepRecord {
        step: row.get("step"),
        status: StepStatus::from_name(row.get("status")).ok_or_else(|| bad_row("step status"))?,
        attempts: row.get("attempts"),
        finished_at: row.get("finished_at"),
        duration_ms: row.get("duration_ms"),
        undo: row.get("undo"),
        error: row.get("error"),
    })
}

impl Store for PgStore {
    async fn records(&self) -> Result<Vec<Record>, Failure> {
        self.rows(q::ITEMS, &[]).await?.iter().map(record).collect()
    }

    async fn steps(&self, version: &Version) -> Result<Vec<StepRecord>, Failure> {
        self.rows(q::STEPS, &[&version.as_str()]).await?.iter().map(step).collect()
    }

    async fn facts(&self, record: &Record) -> Result<Facts, Failure> {
        let now: Timestamp = self.one(q::NOW, &[]).await?.get("now");
        let markers = self.rows(q::MARKERS, &[]).await?;
        let approvals = self.rows(q::APPROVALS, &[&record.version.as_str()]).await?;
        let proofs = self.rows(q::PROOFS, &[&record.version.as_str()]).await?;
        let backfill = |row: &Row| BackfillFact {
            step: row.get("step"),
            proof: row.get::<_, Option<Timestamp>>("ended_at").zip(row.get("out_of_step")),
            quarantined: row.get("quarantined"),
        };
        Ok(Facts {
            now,
            state_since: record.state_since,
            markers: markers
                .iter()
                .map(|row| AppVersion { app: row.get("app"), version: row.get("app_version") })
                .collect(),
            approvals: approvals.iter().map(|row| row.get("actor")).collect(),
            queries: Vec::new(),
            backfills: proofs.iter().map(backfill).collect(),
        })
    }

    async fn set_goal(
        &self,
        fence: &Fence,
        item: &Item,
        record: &Record,
        goal: State,
    ) -> Result<(), Failure> {
        let depends_on: Vec<&str> = item.depends_on.iter().map(Version::as_str).collect();
        self.fenced_write(
            q::SET_GOAL,
            &[
                &fence.version.as_str(),
                &fence.epoch,
                &record.state.name(),
                &record.goal.name(),
                &goal.name(),
                &self.runner,
                &item.source,
                &item.checksum,
                &item.tables,
                &depends_on,
                &item.name,
            ],
        )
        .await
    }

    async fn set_state(
        &self,
        fence: &Fence,
        from: State,
        to: State,
        batch: Option<i64>,
        took: Duration,
    ) -> Result<(), Failure> {
        let took = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
        let (version, from, to) = (fence.version.as_str(), from.name(), to.name());
        self.fenced_write(q::SET_STATE, &[&version, &fence.epoch, &from, &to, &self.runner, &took, &batch])
            .await
    }

    async fn set_error(&self, fence: &Fence, message: &str) -> Result<(), Failure> {
        self.fenced_write(q::SET_ERROR, &[&fence.version.as_str(), &fence.epoch, &message, &self.runner])
            .await
    }

    async fn step_started(&self, fence: &Fence, step: &StepWrite<'_>) -> Result<(), Failure> {
        let position = i32::try_from(step.position).unwrap_or(i32::MAX);
        let (version, status) = (fence.version.as_str(), step.status.name());
        self.fenced_write(
            q::STEP_STARTED,
            &[&version, &fence.epoch, &step.id, &position, &status, &step.undo, &self.runner],
        )
        .await
    }

    async fn step_finished(&self, fence: &Fence, step: &StepWrite<'_>) -> Result<(), Failure> {
        finish_step(&self.client, fence, step, self.runner).await
    }

    async fn step_failed(
        &self,
        fence: &Fence,
        step: &StepWrite<'_>,
        message: &str,
        rolled_back: bool,
    ) -> Result<(), Failure> {
        let version = fence.version.as_str();
        let params: [&(dyn ToSql + Sync); 7] =
            [&version, &fence.epoch, &step.id, &message, &redact(step.sql), &self.runner, &rolled_back];
        self.write(q::STEP_FAILED, &params).await?;
        Ok(())
    }

    async fn place_hold(&self, version: &Version, reason: &str) -> Result<(), Failure> {
        self.hold_by(version, reason, "phase").await?;
        Ok(())
    }

    async fn hold(&self, version: &Version) -> Result<Option<Hold>, Failure> {
        let rows = self.rows(q::HOLD_OF, &[&version.as_str()]).await?;
        Ok(rows.first().map(|row| Hold {
            reason: row.get("reason"),
            by: row.get("placed_by"),
            since: row.get("since"),
        }))
    }

    async fn forget_backfills(&self, fence: &Fence) -> Result<(), Failure> {
        self.write(q::BACKFILL_FORGET, &[&fence.version.as_str(), &fence.epoch]).await?;
        Ok(())
    }
}

/// Records on any session that a step is done or undone; on the session of a
/// transactional step, this commits together with its work.
pub(crate) async fn finish_step(
    client: &Client,
    fence: &Fence,
    step: &StepWrite<'_>,
    runner: i64,
) -> Result<(), Failure> {
    let (version, status) = (fence.version.as_str(), step.status.name());
    let params: [&(dyn ToSql + Sync); 7] =
        [&version, &fence.epoch, &step.id, &status, &runner, &redact(step.sql), &None::<&str>];
    match client.execute(q::STEP_FINISHED, &params).await {
        Ok(0) => Err(Failure::fenced()),
        Ok(_) => Ok(()),
        Err(error) => Err(failure(&error)),
    }
}
