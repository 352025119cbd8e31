//! Owns events: what happened, for every listener; one way, from the engine out.

use std::time::Duration;

use crate::core::failure::Blocker;
use crate::core::state::State;
use crate::core::transition::Transition;
use crate::engine::Watch;

/// Something that happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A transition began, or was taken up again.
    Entered {
        /// `<version>_<name>`.
        item: String,
        /// The row.
        row: &'static Transition,
        /// Whether an earlier run had begun it.
        again: bool,
    },
    /// A state was reached.
    Reached {
        /// `<version>_<name>`.
        item: String,
        /// The state.
        state: State,
        /// How long this run took for it.
        took: Duration,
    },
    /// A step, or its undo, is about to be sent.
    StepStarted {
        /// The step.
        id: String,
        /// What it does.
        title: String,
        /// Whether it is being taken back.
        undo: bool,
    },
    /// A step is done or undone.
    StepDone {
        /// The step.
        id: String,
        /// How long it took, retries included.
        took: Duration,
    },
    /// A step waits for a lock and will be tried again.
    Retry {
        /// The step.
        id: String,
        /// Attempts so far.
        attempt: u32,
        /// The pause before the next.
        pause: Duration,
        /// What the server said.
        why: String,
        /// Sessions that are in the way.
        blockers: Vec<Blocker>,
    },
    /// A concurrent command goes on.
    Watched {
        /// The step.
        id: String,
        /// What is seen of it.
        watch: Watch,
    },
    /// A backfill goes on.
    Progress(Progress),
}

/// How far a backfill is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// 1, or 2 for what was skipped.
    pub pass: i32,
    /// Keys walked.
    pub rows_done: i64,
    /// Keys to walk; an estimate that never falls below `rows_done`.
    pub rows_total: i64,
    /// Rows written.
    pub rows_written: i64,
    /// Keys a second, in this run.
    pub rows_per_s: f64,
    /// Nothing is left.
    pub finished: bool,
}

/// Hears what happens.
pub trait Listener: Send + Sync {
    /// Takes one event; must not block.
    fn on(&self, event: &Event);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Listener for Silent {
    fn on(&self, _: &Event) {}
}
