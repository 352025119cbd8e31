//! Owns the step: one recorded unit of work, as data that `show` can print and
//! the engine can run.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::core::backfill::Backfill;
use crate::core::detach::Detach;
use crate::core::ident::{Ident, QName};
use crate::core::plan::model::Place;
use crate::core::sync::standing::Change;

/// A phase of a plan, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Puts the new shape beside the old.
    Expand,
    /// Carries the data over.
    Backfill,
    /// Proves the new shape.
    Validate,
    /// Takes the old shape out of sight.
    Contract,
    /// Drops what contract kept.
    Purge,
}

impl Phase {
    /// Every phase, in order.
    pub const ALL: [Self; 5] = [Self::Expand, Self::Backfill, Self::Validate, Self::Contract, Self::Purge];

    /// The name, as plans and commands write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Backfill => "backfill",
            Self::Validate => "validate",
            Self::Contract => "contract",
            Self::Purge => "purge",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One recorded unit of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Unique in its plan and stable: `expand.2`, `validate.3.1`.
    pub id: String,
    /// The phase that runs it.
    pub phase: Phase,
    /// What it does, for people.
    pub title: String,
    /// Where the plan asks for it; `None` for what the program adds itself.
    pub place: Option<Place>,
    /// Where each statement of its SQL stands; empty for what the program writes itself.
    pub statements: Vec<Place>,
    /// Where each statement of its undo stands in the plan; empty where the program writes it.
    pub undo_statements: Vec<Place>,
    /// The file that they stand in, where it is not the plan itself.
    pub file: Option<String>,
    /// Findings that the plan's author accepts for it.
    pub allow: Vec<Allow>,
    /// The work.
    pub action: Action,
    /// The way back.
    pub undo: Undo,
    /// What it does to the triggers of syncs.
    pub syncs: Vec<Change>,
}

/// A finding that the plan's author accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allow {
    /// The rule.
    pub rule: String,
    /// Why it is right all the same.
    pub reason: String,
    /// Where it stands.
    #[serde(skip)]
    pub place: Option<Place>,
    /// The one statement that it is for; `None`: all of them.
    #[serde(skip)]
    pub statement: Option<Place>,
}

impl Allow {
    /// Of a whole step, whose author is a recipe.
    #[must_use]
    pub fn of_step(rule: &str, reason: impl Into<String>) -> Self {
        Self { rule: rule.into(), reason: reason.into(), place: None, statement: None }
    }

    /// Whether it accepts a rule for the statement at a place.
    #[must_use]
    pub fn covers(&self, rule: &str, at: Place) -> bool {
        self.rule == rule && self.statement.is_none_or(|only| only == at)
    }
}

/// The mode of a statement that runs outside any transaction and is no index.
pub const OUTSIDE: &str = "outside a transaction";

/// What running a step means.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Statements in one transaction, together with the step's record.
    Transaction(Statements),
    /// One statement outside any transaction, that cannot be probed.
    Autocommit {
        /// The statement.
        sql: String,
        /// Whether running it twice does no harm, so that an interrupted run
        /// may be repeated without asking.
        repeatable: bool,
    },
    /// CREATE INDEX CONCURRENTLY, probed before and after.
    BuildIndex(IndexBuild),
    /// DROP INDEX CONCURRENTLY, probed before and after; its definition is kept
    /// in the record, for the undo.
    DropIndex {
        /// The index.
        index: QName,
        /// Whether it may be gone already.
        if_exists: bool,
    },
    /// DETACH PARTITION CONCURRENTLY, probed before and after.
    Detach(Detach),
    /// A value that must be as expected.
    Assert {
        /// What it asserts.
        name: String,
        /// A query that gives one value.
        sql: String,
        /// The value's text.
        expect: String,
    },
    /// Rows to carry over in batches.
    Backfill(Box<Backfill>),
}

/// Statements of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statements {
    /// The statements, in order, without their semicolons.
    pub sql: Vec<String>,
    /// Whether statement_timeout is lifted: a scan under a lock that lets reads
    /// and writes through may take as long as it takes.
    pub unhurried: bool,
}

/// An index to build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexBuild {
    /// The table.
    pub table: QName,
    /// The index's name; it stands in the table's schema.
    pub name: Ident,
    /// The whole CREATE INDEX CONCURRENTLY statement.
    pub create: String,
    /// Whether it is unique.
    pub unique: bool,
}

impl IndexBuild {
    /// Reads the definition of a dropped index, as the record keeps it.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        let kept: KeptIndex = serde_json::from_str(json).ok()?;
        let schema = Ident::exact(kept.schema).ok()?;
        Some(Self {
            table: QName { schema: Some(schema), name: Ident::exact(kept.table).ok()? },
            name: Ident::exact(kept.name).ok()?,
            create: kept.create,
            unique: kept.unique,
        })
    }

    /// The index, in its table's schema.
    #[must_use]
    pub fn index(&self) -> QName {
        self.table.sibling(self.name.clone())
    }
}

/// What the record keeps of a dropped index.
#[derive(serde::Deserialize)]
struct KeptIndex {
    schema: String,
    table: String,
    name: String,
    create: String,
    unique: bool,
}

/// The way back from a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Undo {
    /// There is nothing to take back.
    Nothing,
    /// Work that takes it back.
    Run(Action),
    /// The undo that the record holds, captured when the step ran.
    Recorded,
    /// There is no way back, and why.
    Irreversible(String),
}

/// The time limits of a step's statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a statement may wait for a lock; each wait of the application
    /// behind us ends with it.
    pub lock_timeout: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
    /// How long a step goes on retrying because of locks.
    pub lock_wait_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(30),
            lock_wait_max: Duration::from_secs(600),
        }
    }
}

impl Action {
    /// The SQL of this action, statement by statement, as it is sent.
    #[must_use]
    pub fn sql(&self) -> Vec<String> {
        match self {
            Self::Transaction(statements) => statements.sql.clone(),
            Self::Autocommit { sql, .. } | Self::Assert { sql, .. } => vec![sql.clone()],
            Self::BuildIndex(build) => vec![build.create.clone()],
            Self::DropIndex { index, .. } => vec![drop_index_sql(index)],
            Self::Detach(detach) => vec![detach.sql.clone()],
            Self::Backfill(backfill) => vec![backfill.outline()],
        }
    }

    /// How it meets transactions, in the words of `show`.
    #[must_use]
    pub const fn mode(&self) -> &'static str {
        match self {
            Self::Transaction(_) => "one transaction",
            Self::Autocommit { .. } => OUTSIDE,
            Self::BuildIndex(_) | Self::DropIndex { .. } | Self::Detach(_) => {
                "concurrent, outside a transaction"
            }
            Self::Assert { .. } => "read only",
            Self::Backfill(_) => "one transaction a batch",
        }
    }
}

/// The statement that drops an index concurrently.
#[must_use]
pub fn drop_index_sql(index: &QName) -> String {
    format!("DROP INDEX CONCURRENTLY IF EXISTS {index}")
}

/// The statement that drops the index of a partitioned table with those of its partitions.
#[must_use]
pub fn drop_whole_sql(index: &QName) -> String {
    format!("DROP INDEX IF EXISTS {index}")
}
