//! The engine: core + tokio. It meets the outside only through the ports here:
//! [`Store`] for what is on record, [`Target`] for the database that is changed,
//! [`event::Listener`] for whoever wants to know.

pub mod advance;
mod attempt;
pub mod backfill;
pub mod crash;
mod current;
mod detach;
pub mod error;
pub mod event;
pub mod execute;
pub mod gauge;
pub mod index;
mod joined;
mod moment;
pub mod outside;
mod says;
pub mod standing;
pub mod stop;

use std::convert::Infallible;
use std::time::Duration;

use jiff::Timestamp;

use crate::core::backfill::{Backfill, Key, Table, Tuning};
use crate::core::detach::{Detach, Standing};
use crate::core::failure::{Blocker, Failure};
use crate::core::gate::{Asked, Facts, Sighting, Verdict};
use crate::core::ident::QName;
use crate::core::impact::Impact;
use crate::core::index::{Branch, Probe, UniqueKeys};
use crate::core::lint::{Mentions, World};
use crate::core::quiet::Holder;
use crate::core::record::{Hold, Record, StepRecord, StepStatus};
use crate::core::state::State;
use crate::core::step::{Limits, Statements};
use crate::core::sync::standing::{Due, Seen};
use crate::core::timeline::Item;
use crate::core::version::Version;
use backfill::ports::{Ledger, Monitor, Walker};
use gauge::Gauge;

/// Under which epoch a runner writes; every write names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    /// The item.
    pub version: Version,
    /// The epoch of the runner.
    pub epoch: i64,
}

/// A step's row, as it is to be written.
#[derive(Debug, Clone)]
pub struct StepWrite<'a> {
    /// The step.
    pub id: &'a str,
    /// Its place in the item.
    pub position: usize,
    /// The status to write.
    pub status: StepStatus,
    /// An undo that was captured, as JSON.
    pub undo: Option<&'a str>,
    /// The SQL for the history.
    pub sql: &'a str,
}

/// What is on record. Every write is a compare-and-set under a fence; one that
/// meets another epoch or state changes nothing and fails as fenced.
pub trait Store: Ledger {
    /// Every item on record, in timeline order.
    fn records(&self) -> impl Future<Output = Result<Vec<Record>, Failure>> + Send;
    /// The steps on record of an item.
    fn steps(&self, version: &Version) -> impl Future<Output = Result<Vec<StepRecord>, Failure>> + Send;
    /// The server's clock, markers and approvals; what a gate asks for itself is asked elsewhere.
    fn facts(&self, record: &Record) -> impl Future<Output = Result<Facts, Failure>> + Send;
    /// Looks who is connected and puts it on record, where this process may write; gives the looks and what they
    /// saw in the last while.
    fn sessions(
        &self,
        within: Duration,
    ) -> impl Future<Output = Result<(Vec<Timestamp>, Vec<Sighting>), Failure>> + Send;
    /// Sets the goal, before any effect, and records how the conditions of the gate were judged.
    fn set_goal(
        &self,
        fence: &Fence,
        item: &Item,
        record: &Record,
        goal: State,
        verdicts: &[Verdict],
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Sets the state to the goal, after the work.
    fn set_state(
        &self,
        fence: &Fence,
        from: State,
        to: State,
        batch: Option<i64>,
        took: Duration,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Records why an attempt failed.
    fn set_error(&self, fence: &Fence, message: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Records that a step, or its undo, is about to be sent.
    fn step_started(
        &self,
        fence: &Fence,
        step: &StepWrite<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Records that a step is done or undone.
    fn step_finished(
        &self,
        fence: &Fence,
        step: &StepWrite<'_>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Records why a step failed, and whether it was rolled back whole.
    fn step_failed(
        &self,
        fence: &Fence,
        step: &StepWrite<'_>,
        message: &str,
        rolled_back: bool,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Places a hold, unless one stands.
    fn place_hold(&self, version: &Version, reason: &str)
    -> impl Future<Output = Result<(), Failure>> + Send;
    /// The hold that stands.
    fn hold(&self, version: &Version) -> impl Future<Output = Result<Option<Hold>, Failure>> + Send;
    /// Writes into the history what happened at an item, or at one of its steps, besides its own statements.
    fn note(
        &self,
        version: &Version,
        step: Option<&str>,
        event: &str,
        detail: &str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Records that a step, or its undo, begins to act on others, and the backend that runs it;
    /// the number of the record.
    fn impact_begins(
        &self,
        version: &Version,
        step: &str,
        undo: bool,
        backend: Option<i32>,
    ) -> impl Future<Output = Result<i64, Failure>> + Send;
    /// Records what a step under way waits for, or how far it is; `None`: it goes on.
    fn impact_says(
        &self,
        number: i64,
        words: Option<&str>,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Records what it did to them.
    fn impact_ends(&self, number: i64, impact: &Impact) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Forgets the backfills of an item that was taken back.
    fn forget_backfills(&self, fence: &Fence) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What is seen of a concurrent command while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    /// The phase, in the server's words.
    pub phase: String,
    /// Units done and to do in the phase (blocks, tuples or lockers).
    pub done: i64,
    /// See `done`; 0 where the phase has no measure.
    pub total: i64,
    /// What they are.
    pub unit: &'static str,
    /// What it waits for.
    pub waiting_for: Vec<Blocker>,
}

impl Watch {
    /// What it does and whom it waits for, without what changes while it does; `None`: nothing to tell.
    #[must_use]
    pub fn doing(&self) -> Option<String> {
        let waits = Some(&self.waiting_for).filter(|who| !who.is_empty());
        let waits = waits.map(|who| format!("waits for {}", says::of_them(who)));
        let phase = Some(self.phase.clone()).filter(|phase| !phase.is_empty());
        let words: Vec<String> = phase.into_iter().chain(waits).collect();
        Some(words.join(", ")).filter(|words| !words.is_empty())
    }
}

/// The database that is changed.
pub trait Target: Sync {
    /// The session of one worker of a backfill.
    type Walker: Walker;
    /// The session that looks at the server's health.
    type Monitor: Monitor;
    /// Runs statements in one transaction together with the step's record.
    fn run_transaction(
        &self,
        fence: &Fence,
        statements: &Statements,
        step: &StepWrite<'_>,
        limits: &Limits,
        gauge: &Gauge,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Runs one statement outside any transaction, without time limits, and
    /// tells `watch` what is seen of it meanwhile.
    fn run_alone(
        &self,
        sql: &str,
        watch: &(dyn Fn(Watch) + Send + Sync),
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Runs one statement in a transaction of its own, under limits.
    fn run_quickly(
        &self,
        sql: &str,
        limits: &Limits,
        gauge: &Gauge,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Looks from another session who waits because of our sessions, while an attempt of
    /// the gauge is under way, and cancels it when they have waited long enough; never ends.
    fn sample(&self, gauge: &Gauge) -> impl Future<Output = Infallible> + Send;
    /// What the catalog tells of the relations that some statements name.
    fn world(&self, mentions: &Mentions) -> impl Future<Output = Result<World, Failure>> + Send;
    /// Who else holds locks on some relations and their partitions, or waits for them;
    /// and the server's deadlock_timeout.
    fn holders(
        &self,
        relations: &[QName],
    ) -> impl Future<Output = Result<(Vec<Holder>, Duration), Failure>> + Send;
    /// Ends the session of a client that is still at the same transaction, if its user is
    /// one of `only` and no superuser; whether it was ended.
    fn end_session(
        &self,
        who: &Blocker,
        only: &[String],
    ) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// The backend that steps run on.
    fn backend(&self) -> impl Future<Output = Result<i32, Failure>> + Send;
    /// What is known of a session of the server.
    fn session(&self, pid: i32) -> impl Future<Output = Result<Blocker, Failure>> + Send;
    /// Looks at an index; `table` is the one it should be on, where that is known.
    fn probe_index(
        &self,
        index: &QName,
        table: Option<&QName>,
    ) -> impl Future<Output = Result<Probe, Failure>> + Send;
    /// The relations of a partitioned table, itself first and parents before their children;
    /// none for any other table.
    fn partitions(&self, table: &QName) -> impl Future<Output = Result<Vec<Branch>, Failure>> + Send;
    /// Whether a partition has an index that is attached to one of the partitioned table.
    fn attached(&self, partition: &QName, to: &QName) -> impl Future<Output = Result<bool, Failure>> + Send;
    /// Indexes that a REINDEX CONCURRENTLY of a table or an index left that came to no end.
    fn leftovers(&self, of: &QName) -> impl Future<Output = Result<Vec<QName>, Failure>> + Send;
    /// The table of an index.
    fn table_of_index(&self, index: &QName) -> impl Future<Output = Result<Option<QName>, Failure>> + Send;
    /// How a table stands to the one whose partition it should be.
    fn standing(&self, detach: &Detach) -> impl Future<Output = Result<Standing, Failure>> + Send;
    /// What there is of triggers of syncs, on the table of each and on its partitions.
    fn sync_triggers(&self, due: &[Due]) -> impl Future<Output = Result<Vec<Vec<Seen>>, Failure>> + Send;
    /// What a unique index counts as one key, if it is there.
    fn unique_keys(&self, index: &QName) -> impl Future<Output = Result<Option<UniqueKeys>, Failure>> + Send;
    /// What builds a dropped index again, as JSON for the step's record.
    fn index_definition(&self, index: &QName)
    -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// The first value of a query, as text.
    fn fetch_value(
        &self,
        sql: &str,
        limits: &Limits,
    ) -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// Asks a gate's query.
    fn ask(&self, sql: &str, limits: &Limits) -> impl Future<Output = Asked> + Send;
    /// What the catalog says about a backfill's table and its partitions.
    fn table(&self, backfill: &Backfill) -> impl Future<Output = Result<Table, Failure>> + Send;
    /// Keys as texts, in the order of a query's answer.
    fn keys(&self, sql: &str) -> impl Future<Output = Result<Vec<Key>, Failure>> + Send;
    /// Opens the session that looks at the server's health while a table is worked on.
    fn monitor(&self, table: &Table) -> impl Future<Output = Result<Self::Monitor, Failure>> + Send;
    /// Opens the session of a worker.
    fn walker(
        &self,
        tuning: &Tuning,
        table: &Table,
    ) -> impl Future<Output = Result<Self::Walker, Failure>> + Send;
    /// Asks the server to cancel what runs now.
    fn cancel(&self) -> impl Future<Output = ()> + Send;
}
