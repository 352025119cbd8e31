//! The engine: core + tokio. It meets the outside only through the ports here:
//! [`Store`] for what is on record, [`Target`] for the database that is changed,
//! [`event::Listener`] for whoever wants to know.

pub mod advance;
pub mod backfill;
pub mod crash;
pub mod error;
pub mod event;
pub mod execute;
pub mod index;
pub mod stop;

use std::time::Duration;

use crate::core::backfill::{Backfill, Position, Shape, Variant};
use crate::core::failure::Failure;
use crate::core::gate::{Facts, QueryFact};
use crate::core::ident::QName;
use crate::core::index::Probe;
use crate::core::record::{Hold, Record, StepRecord, StepStatus};
use crate::core::state::State;
use crate::core::step::{Limits, Statements};
use crate::core::timeline::Item;
use crate::core::version::Version;

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
pub trait Store: Sync {
    /// Every item on record, in timeline order.
    fn records(&self) -> impl Future<Output = Result<Vec<Record>, Failure>> + Send;
    /// The steps on record of an item.
    fn steps(&self, version: &Version) -> impl Future<Output = Result<Vec<StepRecord>, Failure>> + Send;
    /// The server's clock, markers and approvals; queries are the target's.
    fn facts(&self, record: &Record) -> impl Future<Output = Result<Facts, Failure>> + Send;
    /// Sets the goal, before any effect.
    fn set_goal(
        &self,
        fence: &Fence,
        item: &Item,
        record: &Record,
        goal: State,
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
    /// Forgets the backfills of an item that was taken back.
    fn forget_ranges(&self, fence: &Fence) -> impl Future<Output = Result<(), Failure>> + Send;
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
    /// What it waits for.
    pub waiting_for: Vec<crate::core::failure::Blocker>,
}

/// A batch that is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// The backfill's step.
    pub step: &'a str,
    /// The backfill.
    pub backfill: &'a Backfill,
    /// Its table.
    pub shape: &'a Shape,
    /// Where the walk is.
    pub position: &'a Position,
    /// The time limits.
    pub limits: &'a Limits,
}

impl Batch<'_> {
    /// Which of the batch statements it needs.
    #[must_use]
    pub const fn variant(&self) -> Variant {
        Variant { after: self.position.cursor.is_some(), second_pass: self.position.pass == 2 }
    }
}

/// A batch that committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchDone {
    /// Where the walk is now.
    pub position: Position,
    /// The reason of a hold that stands.
    pub hold: Option<String>,
}

/// The database that is changed.
pub trait Target: Sync {
    /// Runs statements in one transaction together with the step's record.
    fn run_transaction(
        &self,
        fence: &Fence,
        statements: &Statements,
        step: &StepWrite<'_>,
        limits: &Limits,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Runs one statement outside any transaction, without time limits, and
    /// tells `watch` what is seen of it meanwhile.
    fn run_alone(
        &self,
        sql: &str,
        watch: &(dyn Fn(Watch) + Send + Sync),
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Looks at an index; `table` is the one it should be on, where that is known.
    fn probe_index(
        &self,
        index: &QName,
        table: Option<&QName>,
    ) -> impl Future<Output = Result<Probe, Failure>> + Send;
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
    fn ask(&self, sql: &str, limits: &Limits) -> impl Future<Output = QueryFact> + Send;
    /// What the catalog says about a backfill's table.
    fn shape(&self, backfill: &Backfill) -> impl Future<Output = Result<Shape, Failure>> + Send;
    /// Takes a backfill's range for this epoch; where the walk is.
    fn claim_range(
        &self,
        fence: &Fence,
        step: &str,
        backfill: &Backfill,
        shape: &Shape,
    ) -> impl Future<Output = Result<Position, Failure>> + Send;
    /// Goes over to the second pass.
    fn second_pass(&self, fence: &Fence, step: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// One batch: fence, rows and cursor in one statement.
    fn batch(
        &self,
        fence: &Fence,
        batch: &Batch<'_>,
    ) -> impl Future<Output = Result<BatchDone, Failure>> + Send;
    /// Asks the server to cancel what runs now.
    fn cancel(&self) -> impl Future<Output = ()> + Send;
}
