//! Owns backfills as a plan has them: the work, its batches and its brakes.

use std::time::Duration;

use super::Placed;
use crate::core::ident::{Ident, QName};
use crate::core::pace::throttle::Throttle;
use crate::core::pace::window::Window;

/// Data to carry over in batches.
#[derive(Debug, Clone, PartialEq)]
pub struct BackfillSpec {
    /// The table that is walked.
    pub table: QName,
    /// What happens to its rows.
    pub work: BackfillWork,
    /// Which rows are left to do; must become false for a row that is done.
    pub filter: Option<String>,
    /// The key to walk, where the primary key is not the one.
    pub key: Option<Vec<Ident>>,
    /// Batch size and pause.
    pub batch: BatchSpec,
    /// Workers that share the table.
    pub workers: Option<Placed<u32>>,
    /// When it may run.
    pub window: Option<Window>,
    /// Rows in quarantine that stop it.
    pub max_quarantine: Option<u32>,
    /// What the table's own triggers do for the backfill's writes.
    pub triggers: Option<Triggers>,
    /// Limits on the server's health.
    pub throttle: ThrottleSpec,
}

impl BackfillSpec {
    /// Of some work on a table, with nothing else said.
    #[must_use]
    pub fn of(table: QName, work: BackfillWork) -> Self {
        Self {
            table,
            work,
            filter: None,
            key: None,
            batch: BatchSpec::default(),
            workers: None,
            window: None,
            max_quarantine: None,
            triggers: None,
            throttle: ThrottleSpec::default(),
        }
    }
}

/// What a backfill does with a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BackfillWork {
    /// Sets columns, each to an expression over the row.
    Set(Vec<(Ident, String)>),
    /// Inserts into another table, each column from an expression over the row.
    Copy {
        /// The other table.
        into: QName,
        /// Its columns and their expressions.
        columns: Vec<(Ident, String)>,
    },
    /// Deletes the row.
    Delete,
}

/// How big a batch is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchSpec {
    /// A fixed number of rows.
    pub rows: Option<u32>,
    /// The least that the pace may choose.
    pub min_rows: Option<u32>,
    /// The most that the pace may choose.
    pub max_rows: Option<u32>,
    /// The time at the server that a batch aims for.
    pub target: Option<Placed<Duration>>,
    /// Sleep between batches.
    pub pause: Option<Duration>,
    /// Whether windows may be cut into stripes.
    pub stripes: Option<bool>,
    /// Whether a batch waits until its commit is on disk.
    pub synchronous_commit: Option<bool>,
}

/// What the table's own triggers do for the backfill's writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Triggers {
    /// They fire, as for everybody's writes.
    Fire,
    /// They do not: session_replication_role is replica, where the role may.
    Skip,
}

/// Limits on the server's health, and fixed brakes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThrottleSpec {
    /// What is watched.
    pub watch: Throttle,
    /// The share of time to sleep.
    pub nice: Option<f64>,
    /// The most rows a second.
    pub rate: Option<u32>,
}
