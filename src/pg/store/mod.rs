//! The record in PostgreSQL: its session, and what operators and runners put on it
//! beside the moves of an item.

mod port;
mod rows;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::core::failure::Failure;
use crate::core::gate::Marker;
use crate::core::plan::checksum;
use crate::core::record::Kind;
use crate::core::timeline::Item;
use crate::core::version::Version;
use crate::engine::Fence;
use crate::pg::classify::failure;
use crate::pg::prepared::Prepared;
use crate::pg::queries as q;

pub(crate) use port::finish_step;

/// The record, reached over a session whose `search_path` is the metadata schema.
pub struct PgStore {
    client: Client,
    prepared: Prepared,
    runner: i64,
}

/// A SQL migration that was done elsewhere.
#[derive(Debug, Clone)]
pub struct Done {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// The text of its file.
    pub source: String,
    /// What the history says of it.
    pub detail: String,
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

/// What is said of an application.
#[derive(Debug, Clone, Copy)]
pub struct Placed<'a> {
    /// The application.
    pub app: &'a str,
    /// Its version, live everywhere; `None`: it does not run there any more.
    pub version: Option<&'a str>,
    /// Where.
    pub environment: Option<&'a str>,
    /// The revision of its source.
    pub revision: Option<&'a str>,
    /// Who says so.
    pub by: &'a str,
}

impl PgStore {
    /// Takes a session over; without a process nothing may be written.
    ///
    /// # Errors
    /// When the process cannot be put on record.
    pub async fn open(client: Client, process: Option<&Process>) -> Result<Self, Failure> {
        let mut store = Self { client, prepared: Prepared::default(), runner: 0 };
        if let Some(Process { os_user, host, pid, command }) = process {
            let version = env!("CARGO_PKG_VERSION");
            store.runner =
                store.one(q::RUNNER_ADD, &[os_user, host, pid, &version, command]).await?.get("id");
        }
        Ok(store)
    }

    /// Whether this process may write.
    pub(super) const fn writes(&self) -> bool {
        self.runner != 0
    }

    /// The row of this process, named by what it writes.
    #[must_use]
    pub const fn runner(&self) -> i64 {
        self.runner
    }

    pub(crate) async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        self.prepared.rows(&self.client, sql, params).await
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

    /// Records what an operator says of interrupted statements among `steps`; how many there were.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn resolve_step(&self, version: &Version, done: bool, steps: &[&str]) -> Result<u64, Failure> {
        self.write(q::STEP_RESOLVE, &[&version.as_str(), &done, &self.runner, &steps]).await
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

    /// Takes an approval back; whether there was one.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn withdraw(
        &self,
        version: &Version,
        actor: &str,
        note: Option<&str>,
    ) -> Result<bool, Failure> {
        Ok(self.write(q::APPROVAL_WITHDRAW, &[&version.as_str(), &actor, &note, &self.runner]).await? > 0)
    }

    /// Writes into the history what happened to an item besides its steps.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn note(&self, version: &Version, event: &str, detail: &str) -> Result<(), Failure> {
        let step: Option<&str> = None;
        self.write(q::NOTE, &[&version.as_str(), &event, &step, &detail, &self.runner]).await?;
        Ok(())
    }

    /// Lets an item that was taken back begin once more, as if it never had; in a
    /// rehearsal only.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn again(&self, version: &Version) -> Result<(), Failure> {
        self.write(q::REHEARSE_AGAIN, &[&version.as_str()]).await?;
        Ok(())
    }

    /// The newest marker of each application.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn markers(&self) -> Result<Vec<Marker>, Failure> {
        let rows = self.rows(q::MARKERS, &[]).await?;
        let marker = |row: &Row| Marker {
            app: row.get("app"),
            version: row.get("app_version"),
            environment: row.get("environment"),
            revision: row.get("revision"),
            by: row.get("placed_by"),
            at: row.get("placed_at"),
        };
        Ok(rows.iter().map(marker).collect())
    }

    /// Records that a version of an application is live everywhere; without a version, that the application
    /// does not run in that environment any more.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn deployed(&self, placed: &Placed<'_>) -> Result<(), Failure> {
        let Placed { app, version, environment, revision, by } = *placed;
        let gone = version.is_none();
        let version = version.unwrap_or("gone");
        let params: [&(dyn ToSql + Sync); 7] =
            [&app, &version, &by, &self.runner, &environment, &revision, &gone];
        self.write(q::DEPLOYED, &params).await?;
        Ok(())
    }

    /// Records an item as done without running it; false when it was on record already.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn baseline(&self, item: &Item) -> Result<bool, Failure> {
        let (version, kind) = (item.version.as_str(), item.kind.name());
        let detail: Option<&str> = None;
        let params: [&(dyn ToSql + Sync); 7] =
            [&version, &item.name, &kind, &item.source, &item.checksum, &self.runner, &detail];
        Ok(self.write(q::BASELINE, &params).await? > 0)
    }

    /// Records SQL migrations as done without running them, all or none.
    ///
    /// # Errors
    /// When the record cannot be written; it is as before then.
    pub async fn baseline_all(&self, all: &[Done]) -> Result<(), Failure> {
        self.client.batch_execute("BEGIN").await.map_err(|error| failure(&error))?;
        for done in all {
            let (version, kind, sum) = (done.version.as_str(), Kind::Sql.name(), checksum(&done.source, &[]));
            let params: [&(dyn ToSql + Sync); 7] =
                [&version, &done.name, &kind, &done.source, &sum, &self.runner, &done.detail];
            if let Err(refused) = self.write(q::BASELINE, &params).await {
                let _ = self.client.batch_execute("ROLLBACK").await;
                return Err(refused);
            }
        }
        self.client.batch_execute("COMMIT").await.map_err(|error| failure(&error))
    }
}
