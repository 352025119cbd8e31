//! Owns events: what happened, for every listener; one way, from the engine out.

use std::time::Duration;

use crate::core::failure::Blocker;
use crate::core::impact::Impact;
use crate::core::pace::Level;
use crate::core::state::State;
use crate::core::transition::Transition;
use crate::engine::Watch;
use crate::engine::backfill::ports::Proof;

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
    /// An abort failed before it took anything back: the item is what it was.
    Stays {
        /// `<version>_<name>`.
        item: String,
        /// The state.
        state: State,
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
    /// A step waits until others are out of its way before it asks for its locks.
    InTheWay {
        /// The step.
        id: String,
        /// Who is in the way.
        blockers: Vec<Blocker>,
    },
    /// A session in the way is about to be ended, as the plan allows.
    Ending {
        /// The step.
        id: String,
        /// Whose.
        who: Blocker,
    },
    /// It was not: it was over already, or may not be.
    NotEnded {
        /// The step.
        id: String,
        /// Whose.
        who: Blocker,
    },
    /// What a step did to others is known.
    Impact {
        /// The step.
        id: String,
        /// What it did.
        impact: Impact,
    },
    /// A part of a step begins that has several.
    Part {
        /// The step.
        id: String,
        /// Which of how many.
        part: String,
        /// What it does.
        what: String,
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
    /// A backfill is proven.
    Proven {
        /// The step.
        id: String,
        /// What the proof has found.
        proof: Proof,
    },
    /// A row could not be changed and is out of the way.
    Quarantined {
        /// The table or partition.
        leaf: String,
        /// Its key as text.
        key: Vec<String>,
        /// What the server said.
        why: String,
    },
}

/// How far a backfill is, all workers together.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    /// 1: the work; 2: the proof.
    pub pass: i32,
    /// Rows walked.
    pub rows_done: i64,
    /// Rows to walk; an estimate that never falls below `rows_done`.
    pub rows_total: i64,
    /// Rows written.
    pub rows_written: i64,
    /// Rows a second, over the last seconds.
    pub rows_per_s: f64,
    /// Rows a second, in this run.
    pub average: f64,
    /// The time that is left, the sooner end first.
    pub eta: Option<(Duration, Duration)>,
    /// The pace of this process.
    pub level: Level,
    /// Why it is not full.
    pub why: Option<String>,
    /// Rows that a batch is sized for.
    pub batch_rows: i64,
    /// What the slowest of the last batches took at the server, in milliseconds.
    pub batch_ms: f64,
    /// Workers, on all machines.
    pub workers: i64,
    /// Rows in quarantine.
    pub quarantined: i64,
    /// Batches that were tried again.
    pub retries: i64,
    /// WAL that the server wrote since the start, in bytes.
    pub wal_bytes: f64,
    /// The table with its indexes, in bytes.
    pub table_bytes: Option<f64>,
    /// Nothing of the pass is left.
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
