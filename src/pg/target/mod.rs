//! The database that is changed: runs steps, and asks for what they need to know.

mod alone;
mod quarantine;
mod transaction;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use crate::core::backfill::{Backfill, Key, Leaf, Table, Tuning};
use crate::core::detach::{Detach, Standing};
use crate::core::failure::{Blocker, Failure};
use crate::core::gate::Asked;
use crate::core::ident::{Ident, QName};
use crate::core::index::{Branch, Probe, UniqueKeys};
use crate::core::lint::{Mentions, World};
use crate::core::plan::model::Placed;
use crate::core::preflight::Requirement;
use crate::core::quiet::Holder;
use crate::core::recipe::{Change, Known};
use crate::core::step::{Limits, Statements};
use crate::core::sync::standing::{Due, Seen};
use crate::engine::gauge::Gauge;
use crate::engine::{Fence, StepWrite, Target, Watch};
use crate::pg::classify::failure;
use crate::pg::connect::{ConnectSettings, SessionRole};
use crate::pg::known::known;
use crate::pg::monitor::PgMonitor;
use crate::pg::sessions::Sessions;
use crate::pg::trace::Trace;
use crate::pg::traffic::traffic;
use crate::pg::walk::{PgWalker, style};
use crate::pg::world::world;
use crate::pg::{catalog, indexes, partitions, syncs};

pub use quarantine::Retried;

/// The database that is changed, over sessions that are opened when they are needed.
pub struct PgTarget {
    sessions: Sessions,
    runner: i64,
    trace: Option<Arc<Trace>>,
}

impl PgTarget {
    /// A target whose steps are recorded in `metadata` in the name of `runner`.
    #[must_use]
    pub fn new(settings: ConnectSettings, metadata: Ident, runner: i64) -> Self {
        Self { sessions: Sessions::new(settings, metadata), runner, trace: None }
    }

    /// Lets a rehearsal look at whatever steps do from now on.
    pub fn observe(&mut self, trace: Arc<Trace>) {
        self.trace = Some(trace);
    }

    /// What the catalog tells of the relations that some statements name, and how busy those up
    /// to a size are.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn world_in_use(&self, mentions: &Mentions, small: f64) -> Result<World, Failure> {
        let session = self.sessions.work().await?;
        let mut known = world(&session.client, session.version(), mentions).await?;
        traffic(&session.client, &mut known, small).await?;
        Ok(known)
    }

    /// What recipes must know of some tables.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn known(&self, changes: &[Placed<Change>]) -> Result<Known, Failure> {
        let session = self.sessions.work().await?;
        known(&session.client, session.version(), changes).await
    }

    /// Why a table, or the key that a backfill needs, cannot be used; `None`
    /// where it can.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn missing(&self, requirement: &Requirement) -> Result<Option<String>, Failure> {
        catalog::missing(&self.sessions.work().await?.client, requirement).await
    }

    /// What is worth knowing about the table of a backfill, one sentence each.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn notes(&self, backfill: &Backfill) -> Result<Vec<String>, Failure> {
        let client = &self.sessions.work().await?.client;
        let (triggers, room) = catalog::surroundings(client, backfill, self.sessions.metadata()).await?;
        Ok(backfill.notes(&triggers, &room))
    }
}

impl Target for PgTarget {
    type Walker = PgWalker;
    type Monitor = PgMonitor;

    async fn run_transaction(
        &self,
        fence: &Fence,
        statements: &Statements,
        step: &StepWrite<'_>,
        limits: &Limits,
        gauge: &Gauge,
    ) -> Result<(), Failure> {
        self.with_record(fence, statements, step, limits, gauge).await
    }

    async fn run_alone(&self, sql: &str, watch: &(dyn Fn(Watch) + Send + Sync)) -> Result<(), Failure> {
        self.outside(sql, watch).await
    }

    async fn run_quickly(&self, sql: &str, limits: &Limits, gauge: &Gauge) -> Result<(), Failure> {
        self.without_record(sql, limits, gauge).await
    }

    async fn sample(&self, gauge: &Gauge) -> Infallible {
        self.sessions.sample(gauge).await
    }

    async fn world(&self, mentions: &Mentions) -> Result<World, Failure> {
        let session = self.sessions.work().await?;
        world(&session.client, session.version(), mentions).await
    }

    async fn holders(&self, relations: &[QName]) -> Result<(Vec<Holder>, Duration), Failure> {
        self.sessions.holders(relations).await
    }

    async fn end_session(&self, who: &Blocker, only: &[String]) -> Result<bool, Failure> {
        self.sessions.end_session(who, only).await
    }

    async fn backend(&self) -> Result<i32, Failure> {
        Ok(self.sessions.work().await?.pid)
    }

    async fn session(&self, pid: i32) -> Result<Blocker, Failure> {
        self.sessions.session(pid).await
    }

    async fn probe_index(&self, index: &QName, table: Option<&QName>) -> Result<Probe, Failure> {
        indexes::probe_index(&self.sessions.work().await?.client, index, table).await
    }

    async fn partitions(&self, table: &QName) -> Result<Vec<Branch>, Failure> {
        partitions::partitions(&self.sessions.work().await?.client, table).await
    }

    async fn attached(&self, partition: &QName, to: &QName) -> Result<bool, Failure> {
        indexes::attached(&self.sessions.work().await?.client, partition, to).await
    }

    async fn leftovers(&self, of: &QName) -> Result<Vec<QName>, Failure> {
        indexes::leftovers(&self.sessions.work().await?.client, of).await
    }

    async fn table_of_index(&self, index: &QName) -> Result<Option<QName>, Failure> {
        indexes::table_of_index(&self.sessions.work().await?.client, index).await
    }

    async fn standing(&self, detach: &Detach) -> Result<Standing, Failure> {
        partitions::standing(&self.sessions.work().await?.client, detach).await
    }

    async fn sync_triggers(&self, due: &[Due]) -> Result<Vec<Vec<Seen>>, Failure> {
        syncs::triggers(&self.sessions.work().await?.client, due).await
    }

    async fn unique_keys(&self, index: &QName) -> Result<Option<UniqueKeys>, Failure> {
        indexes::unique_keys(&self.sessions.work().await?.client, index).await
    }

    async fn index_definition(&self, index: &QName) -> Result<Option<String>, Failure> {
        indexes::index_definition(&self.sessions.work().await?.client, index).await
    }

    async fn fetch_value(&self, sql: &str, limits: &Limits) -> Result<Option<String>, Failure> {
        self.read_only(sql, limits).await
    }

    async fn ask(&self, sql: &str, limits: &Limits) -> Asked {
        match self.read_only(sql, limits).await {
            Ok(Some(value)) if value == "t" => Asked::Holds,
            Ok(value) => Asked::Other(format!("gives {}, not true", value.as_deref().unwrap_or("null"))),
            Err(failure) => Asked::Failed(failure.message),
        }
    }

    async fn table(&self, backfill: &Backfill) -> Result<Table, Failure> {
        let session = self.sessions.work().await?;
        catalog::table(&session.client, backfill, session.version()).await
    }

    async fn keys(&self, sql: &str) -> Result<Vec<Key>, Failure> {
        let client = self.sessions.texts().await?;
        client.batch_execute(style(false)).await.map_err(|error| failure(&error))?;
        let rows = client.query(sql, &[]).await.map_err(|error| failure(&error))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn monitor(&self, table: &Table) -> Result<PgMonitor, Failure> {
        let session = self.sessions.open(SessionRole::Watch).await?;
        PgMonitor::new(session, table.leaves.iter().map(|leaf| leaf.oid).collect()).await
    }

    async fn walker(&self, tuning: &Tuning, table: &Table) -> Result<PgWalker, Failure> {
        let session = self.sessions.open(SessionRole::Backfill).await?;
        if let Some(trace) = &self.trace {
            let tables: Vec<QName> = table.leaves.iter().map(|leaf| leaf.table.clone()).collect();
            trace.follow(session.pid, &tables).await?;
        }
        let (settings, metadata) = (self.sessions.settings().clone(), self.sessions.metadata().clone());
        let steady = table.leaves.iter().all(Leaf::steady);
        PgWalker::new(session, settings, metadata, tuning, steady).await
    }

    async fn cancel(&self) {
        self.sessions.cancel().await;
    }
}
