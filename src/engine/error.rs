//! Owns why a run ends before its goal.

use std::time::Duration;

use crate::core::failure::{Blocker, Failure, FailureKind};
use crate::core::state::State;
use crate::core::sync::standing::{Lost, describe};

/// Why a run ended before its goal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A step failed.
    #[error("step {step} ({title}) failed: {failure}")]
    Step {
        /// The step.
        step: String,
        /// What it does.
        title: String,
        /// What the server said.
        failure: Failure,
    },
    /// A step could not get its locks in time.
    #[error("step {step} ({title}) got no lock within {}: {}", humantime::format_duration(*waited), in_the_way(blockers))]
    NoLock {
        /// The step.
        step: String,
        /// What it does.
        title: String,
        /// How long it went on.
        waited: Duration,
        /// Sessions that were in the way.
        blockers: Vec<Blocker>,
    },
    /// Nobody can say whether a statement took effect.
    #[error("step {step} was interrupted, and nobody can say whether this statement took effect: {sql}")]
    Ambiguous {
        /// The step.
        step: String,
        /// The statement.
        sql: String,
    },
    /// What a step found is not what it may go on with.
    #[error("step {step} ({title}) stopped: {why}")]
    Refused {
        /// The step.
        step: String,
        /// What it does.
        title: String,
        /// Why.
        why: String,
    },
    /// Partitions with rows that nobody has done came after the proof of its backfills.
    #[error(
        "{} came after the backfill was proven, with rows that it has not done: the old shape may be all they have",
        tables.join(", ")
    )]
    Joined {
        /// Their names.
        tables: Vec<String>,
    },
    /// Partitions with rows that the hidden old columns do not have came after contract.
    #[error(
        "{} came after the backfill was proven, with rows whose values the old shape does not have: abort would lose them",
        tables.join(", ")
    )]
    Unkept {
        /// Their names.
        tables: Vec<String>,
        /// The statements that fill the old columns.
        mend: Vec<String>,
    },
    /// Triggers of its syncs do not stand as they were made.
    #[error("{}", describe(lost))]
    SyncLost {
        /// Which.
        lost: Vec<Lost>,
        /// The state that it is in.
        state: State,
        /// The state that it is on its way to on record.
        goal: State,
        /// Whether it has backfills, whose proof looks at the rows.
        proves: bool,
    },
    /// The record could not be read or written.
    #[error("the record could not be kept: {0}")]
    Store(#[from] Failure),
}

fn in_the_way(blockers: &[Blocker]) -> String {
    if blockers.is_empty() {
        return "no session was seen in the way at the end".into();
    }
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl RunError {
    /// Whether the connection, or the lead of the plan, was lost while batches ran:
    /// another connection takes them up, or shares them with who leads now.
    #[must_use]
    pub fn lost_in_backfill(&self) -> bool {
        let lost = |kind: FailureKind| kind.reconnects() || kind == FailureKind::Fenced;
        matches!(self, Self::Step { step, failure, .. } if step.starts_with("backfill.") && lost(failure.kind))
    }

    /// Whether it is certain that the statement did not take effect.
    #[must_use]
    pub const fn is_certain(&self) -> bool {
        match self {
            Self::Step { failure, .. } => !matches!(
                failure.kind,
                FailureKind::ConnectionLost | FailureKind::ReadOnly | FailureKind::Fenced
            ),
            Self::NoLock { .. }
            | Self::Refused { .. }
            | Self::SyncLost { .. }
            | Self::Joined { .. }
            | Self::Unkept { .. } => true,
            Self::Ambiguous { .. } | Self::Store(_) => false,
        }
    }
}
