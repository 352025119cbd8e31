//! Owns the lock table: for every change that a statement can make, the locks
//! on each table involved, what the server does under them, and the safe way.
//!
//! Every row carries an example. A test runs each on real servers and compares
//! what it took with what the row says. Sources: the manual's pages of each
//! command, "Explicit Locking", and `AlterTableGetLockLevel` of PostgreSQL 13 to 18.

mod bounds;
mod columns;
mod constraints;
mod indexes;
mod kinds;
mod maintenance;
mod parted;
mod partitions;
mod rows;
mod tables;
mod types;
mod who;

pub(in crate::core::lint) use types::widens;
pub use who::{Case, Who};

use super::lock::Lock;

/// One row of the lock table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Its stable name; findings and pages are named by it.
    pub id: &'static str,
    /// The change, in the words of SQL.
    pub what: &'static str,
    /// Whether a change is this one; the first row that says yes holds.
    pub applies: fn(&Case<'_>) -> bool,
    /// The locks that are held to the end of the transaction.
    pub locks: &'static [(Who, Lock)],
    /// What the server does while it holds them.
    pub work: Work,
    /// Whether it cannot run in a transaction block.
    pub alone: bool,
    /// The first major version that knows it.
    pub since: u32,
    /// The last major version that does it so; 99: as far as is known.
    pub until: u32,
    /// Why it hurts on a table in use, where it does.
    pub hazard: Option<Hazard>,
    /// What runs it.
    pub example: Example,
}

/// What the server does while it holds the locks; nothing of it takes a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// It writes the whole table anew, with its indexes.
    pub rewrites: bool,
    /// It reads every row.
    pub scans: bool,
    /// It builds an index.
    pub builds: bool,
}

impl Work {
    /// It only changes the catalog.
    pub const NONE: Self = Self { rewrites: false, scans: false, builds: false };
    /// It writes the whole table and its indexes anew.
    pub const REWRITE: Self = Self { rewrites: true, scans: false, builds: true };
    /// It reads every row.
    pub const SCAN: Self = Self { rewrites: false, scans: true, builds: false };
    /// It builds an index.
    pub const BUILD: Self = Self { rewrites: false, scans: false, builds: true };

    /// Whether it takes longer the bigger the table is.
    #[must_use]
    pub const fn grows(self) -> bool {
        self.rewrites || self.scans || self.builds
    }

    /// What it does, for people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match (self.rewrites, self.scans, self.builds) {
            (true, ..) => "writes the whole table anew",
            (false, true, true) => "reads every row and builds an index",
            (false, true, false) => "reads every row",
            (false, false, true) => "builds an index",
            (false, false, false) => "changes the catalog only",
        }
    }
}

/// Why a change hurts, and what to do instead.
#[derive(Debug, Clone, Copy)]
pub struct Hazard {
    /// What happens to the application, or to the change itself.
    pub why: &'static str,
    /// The safe way: a plan with the names of the change in curly brackets, or
    /// a sentence where there is none.
    pub safe: Safe,
    /// The safe way against [`SETTING`] and the row's own setup, where `safe` is not
    /// all of it; none where there is no online way.
    pub good: Option<&'static str>,
    /// The statement for an undo or a DOWN, where a plan is no answer.
    pub back: Option<&'static str>,
}

/// The safe way.
#[derive(Debug, Clone, Copy)]
pub enum Safe {
    /// Phases of a plan, with `{table}` and the like for names.
    Plan(&'static str),
    /// What to do, where no plan can be pasted.
    Advice(&'static str),
}

/// What runs a row on a server, against the tables of [`SETTING`].
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// What stands before.
    pub setup: &'static str,
    /// The one statement.
    pub sql: &'static str,
}

/// The tables that every example meets.
pub const SETTING: &str = "
CREATE TABLE r (id bigint PRIMARY KEY, x integer);
CREATE TABLE t (id bigint PRIMARY KEY, a integer, b varchar(20), c text, n numeric(10,2), at timestamp, r_id bigint);
CREATE TABLE p (id bigint NOT NULL, k integer) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
INSERT INTO r SELECT g, g FROM generate_series(1, 50) g;
INSERT INTO t SELECT g, g, 'b', 'c', 1.5, now(), g FROM generate_series(1, 50) g;
INSERT INTO p SELECT g, g FROM generate_series(1, 50) g;
";

/// NOT NULL, proven first and then set.
const NOT_NULL: &str = "validate:\n  - not_null: {table: «{table}», column: «{column}»}\n{value_gate}";

/// The gate before a contract that takes away what old code uses: as it is printed it is closed,
/// until somebody says that an application of this name has reached this version.
pub(in crate::core::lint) const CODE_GATE: &str = "gates:
  contract: {deployed: APP@VERSION, soak: 24h}   # the first version that does without what contract takes away
";

/// The gate before a backfill that deletes every row.
pub(in crate::core::lint) const LOSS_GATE: &str = "gates:
  backfill: {approvals: 1}   # nothing brings the rows back
";

/// The gate before NOT NULL: as it is printed it is closed, like that of code.
pub(in crate::core::lint) const VALUE_GATE: &str = "gates:
  validate: {deployed: APP@VERSION}   # the first version that never leaves it null
";

/// Every row; of two that apply to a change the first holds.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    [
        columns::ROWS,
        types::ROWS,
        parted::ROWS,
        constraints::ROWS,
        indexes::ROWS,
        partitions::ROWS,
        tables::ROWS,
        rows::ROWS,
        kinds::ROWS,
        maintenance::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// The row of a change; `None`: this program does not know what it does.
#[must_use]
pub fn row(case: &Case<'_>) -> Option<&'static Row> {
    rows().find(|row| (row.applies)(case))
}

/// A row of what only changes the catalog, and does no harm where its lock is short.
const fn light(
    id: &'static str,
    what: &'static str,
    applies: fn(&Case<'_>) -> bool,
    locks: &'static [(Who, Lock)],
    example: Example,
) -> Row {
    Row {
        id,
        what,
        applies,
        locks,
        work: Work::NONE,
        alone: false,
        since: 13,
        until: 99,
        hazard: None,
        example,
    }
}

const fn example(setup: &'static str, sql: &'static str) -> Example {
    Example { setup, sql }
}

impl Row {
    const fn since(mut self, major: u32) -> Self {
        self.since = major;
        self
    }

    const fn until(mut self, major: u32) -> Self {
        self.until = major;
        self
    }

    const fn alone(mut self) -> Self {
        self.alone = true;
        self
    }

    const fn work(mut self, work: Work) -> Self {
        self.work = work;
        self
    }

    const fn hurts(mut self, why: &'static str, safe: Safe) -> Self {
        self.hazard = Some(Hazard { why, safe, good: None, back: None });
        self
    }

    /// The statement that is safe in an undo or a DOWN.
    const fn back(mut self, statement: &'static str) -> Self {
        if let Some(hazard) = &mut self.hazard {
            hazard.back = Some(statement);
        }
        self
    }

    /// The safe way in full, for the example.
    const fn good(mut self, plan: &'static str) -> Self {
        if let Some(hazard) = &mut self.hazard {
            hazard.good = Some(plan);
        }
        self
    }
}

#[cfg(test)]
mod tests;
