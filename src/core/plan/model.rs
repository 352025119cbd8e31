//! Owns what a valid plan is: the typed form of one YAML file, each part with
//! the place in the file that it came from.

use std::time::Duration;

use super::scalar::Places;
use crate::core::ident::{Ident, QName};
use crate::core::kill::KillBlockers;
use crate::core::pace::throttle::{Slo, Throttle};
use crate::core::pace::window::Window;
use crate::core::recipe::Change;
use crate::core::step::Allow;
use crate::core::version::Version;

/// A place in a source file; both count from 1, the column in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl Place {
    /// The place of the next character of the line.
    #[must_use]
    pub const fn right(self) -> Self {
        Self { line: self.line, column: self.column + 1 }
    }
}

/// A value and where in the plan file it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// One plan file, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The version, from the file's name.
    pub version: Version,
    /// The name, from the file's name.
    pub name: String,
    /// One sentence for people.
    pub title: String,
    /// Plans that this one builds on; it never gets ahead of them.
    pub depends_on: Vec<Placed<Version>>,
    /// Limits that this plan sets for itself.
    pub settings: Settings,
    /// Whose sessions may be ended when they are in its way; `None`: as the project says.
    pub kill_blockers: Option<KillBlockers>,
    /// Recipes, in order; their steps stand before the plan's own.
    pub change: Vec<Placed<Change>>,
    /// Steps that put the new shape beside the old.
    pub expand: Vec<Placed<StepSpec>>,
    /// Data to carry over, in order.
    pub backfill: Vec<Placed<BackfillSpec>>,
    /// Steps that prove the new shape.
    pub validate: Vec<Placed<StepSpec>>,
    /// Steps that take the old shape away.
    pub contract: Vec<Placed<StepSpec>>,
    /// What must hold before each transition.
    pub gates: Gates,
    /// The undo window after contract; `None`: contract drops at once.
    pub keep: Option<Duration>,
    /// A service level that its backfills must not hurt.
    pub slo: Option<Slo>,
}

/// Limits for the statements of one plan; `None` takes the program's setting.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Settings {
    /// How long one statement may wait for a lock.
    pub lock_timeout: Option<Duration>,
    /// How long one statement may run.
    pub statement_timeout: Option<Duration>,
    /// How long a step may go on retrying because of locks.
    pub lock_wait_max: Option<Duration>,
}

/// An explicit step, as the plan writes it.
#[derive(Debug, Clone, PartialEq)]
pub enum StepSpec {
    /// `sql:` or `sql_file:`.
    Sql(SqlSpec),
    /// `index:`.
    Index(IndexSpec),
    /// `drop_index:`; the index's name.
    DropIndex(QName),
    /// `sync:`.
    Sync(SyncSpec),
    /// `not_null:`.
    NotNull {
        /// The table.
        table: QName,
        /// The column.
        column: Ident,
    },
    /// `assert:`.
    Assert(AssertSpec),
    /// `drop_column:`.
    DropColumn {
        /// The table.
        table: QName,
        /// The column.
        column: Ident,
        /// Findings that are accepted.
        allow: Vec<Allow>,
    },
    /// `drop_table:`.
    DropTable {
        /// The table.
        table: QName,
        /// Findings that are accepted.
        allow: Vec<Allow>,
    },
    /// Of two columns one takes a name, and the other goes; only recipes write it.
    Exchange(ExchangeSpec),
    /// Rows of one table kept in step with those of another; only recipes write it.
    Mirror(MirrorSpec),
    /// A table takes the name of another, which goes; only recipes write it.
    Succeed(SucceedSpec),
    /// Columns kept equal to those of another table; only recipes write it.
    Move(MoveSpec),
    /// The end of that: the old columns go; only recipes write it.
    Moved(MovedSpec),
    /// What is dropped when nothing may come back any more; only recipes write it.
    Last(LastSpec),
}

/// Statements that purge runs, or contract where nothing is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastSpec {
    /// What they do, for people.
    pub title: String,
    /// The statements.
    pub sql: Vec<String>,
}

/// Columns of which, in contract, each pair gives one a name while the other goes; all in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExchangeSpec {
    /// What it does, for people.
    pub title: String,
    /// The pairs, those of one table beside each other, and a table before those that refer to it.
    pub pairs: Vec<Pair>,
    /// Statements before it.
    pub first: BothWays,
    /// Statements that take names away from what hangs on those that go, where they are kept.
    pub hide: BothWays,
    /// Statements after it.
    pub then: BothWays,
    /// Statements at the very end; their way back is where the whole way back begins.
    pub last: BothWays,
    /// Statements that drop what hangs on those that go, right before them.
    pub drop: Vec<String>,
    /// What is accepted of the drop of those that go.
    pub allow: Vec<Allow>,
}

/// Two columns of which one takes a name and the other goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The table.
    pub table: QName,
    /// Which sync of the plan keeps the two in step until then, from 1.
    pub sync: usize,
    /// The column that goes.
    pub gone: Ident,
    /// The column that stays.
    pub stays: Ident,
    /// The name that it takes.
    pub name: Ident,
    /// The name that it has in the end, with all that hangs on it then, where that is another.
    pub finally: Option<Ident>,
    /// The value of the one that went, while it is kept: an expression over the row.
    pub kept: String,
}

/// Rows of one table kept in step with those of another, under the same columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MirrorSpec {
    /// The table that is written.
    pub from: QName,
    /// The table that follows.
    pub to: QName,
    /// The columns that tell rows apart: a key of both that is never deferred.
    pub key: Vec<Ident>,
    /// The other columns.
    pub columns: Vec<Ident>,
    /// Columns that no UPDATE of the table that follows may set (GENERATED ALWAYS AS IDENTITY).
    pub fixed: Vec<Ident>,
}

/// A table that, in contract, takes the name of the one that it has followed; all in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SucceedSpec {
    /// What it does, for people.
    pub title: String,
    /// Which mirror of the plan keeps the two in step until then, from 1.
    pub mirror: usize,
    /// Statements before it, which may stop it.
    pub first: BothWays,
    /// Statements once the new table has the name, and the old one is out of sight.
    pub then: BothWays,
    /// Columns of the old table that no UPDATE may set, while it is kept.
    pub fixed: Vec<Ident>,
    /// What is accepted of the drop of the old table.
    pub allow: Vec<Allow>,
}

/// Columns of one table kept equal to those of another, both ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveSpec {
    /// The table that has them.
    pub from: QName,
    /// The table that gets them; it refers to the other.
    pub to: QName,
    /// The columns that tell which rows belong together, there and here: a key of both.
    pub key: Vec<(Ident, Ident)>,
    /// The types of those, as SQL writes them.
    pub types: Vec<String>,
    /// The columns, there and here.
    pub columns: Vec<(Ident, Ident)>,
}

/// Columns that, in contract, only the other table has any more; all in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedSpec {
    /// Which move of the plan keeps them in step until then, from 1.
    pub moved: usize,
    /// Statements once the old columns are out of sight.
    pub then: BothWays,
    /// What is accepted of the drop of the old columns.
    pub allow: Vec<Allow>,
}

/// Statements, and those that take them back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BothWays {
    /// The statements.
    pub there: Vec<String>,
    /// What takes them back, in the order in which it is to run.
    pub back: Vec<String>,
}

/// SQL of the plan's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlSpec {
    /// The statements.
    pub text: String,
    /// The file that they came from (`sql_file`), relative to the plan.
    pub file: Option<String>,
    /// Where they stand: in that file, or in the plan.
    pub places: Places,
    /// How to take it back; `None` where the plan says nothing (never in expand).
    pub undo: Option<UndoSpec>,
    /// Findings that are accepted.
    pub allow: Vec<Allow>,
}

/// The way back from an `sql` step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UndoSpec {
    /// Statements that take the step back, and where they stand in the plan.
    Sql(String, Places),
    /// `irreversible`, or `irreversible: why`.
    Irreversible(String),
    /// What it makes stays, and does no harm; only recipes write it.
    Stays,
}

/// An index to build concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSpec {
    /// The table.
    pub table: QName,
    /// Columns or expressions, each as SQL, in order (`lower(email)`, `id DESC`).
    pub columns: Vec<String>,
    /// The name; always set, derived from table and columns where the plan gives none.
    pub name: Ident,
    /// Whether it is unique.
    pub unique: bool,
    /// The access method, `btree` where the plan gives none.
    pub method: Option<Ident>,
    /// The predicate of a partial index.
    pub predicate: Option<String>,
    /// Columns carried along.
    pub include: Vec<Ident>,
    /// Storage parameters, name and value.
    pub with: Vec<(Ident, String)>,
}

/// Columns to keep equal on every INSERT and UPDATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncSpec {
    /// The table.
    pub table: QName,
    /// New column and its expression over the old ones.
    pub set: Vec<(Ident, String)>,
    /// Old column and its expression over the new ones.
    pub back: Vec<(Ident, String)>,
}

/// A check on one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertSpec {
    /// What it asserts, for people.
    pub name: String,
    /// A query that gives one value.
    pub sql: String,
    /// The value's text.
    pub expect: String,
}

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

/// What must hold before each transition may start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gates {
    /// Before planned becomes expanded.
    pub expand: Gate,
    /// Before expanded becomes backfilled.
    pub backfill: Gate,
    /// Before backfilled becomes validated.
    pub validate: Gate,
    /// Before validated becomes contracted.
    pub contract: Gate,
    /// Before contracted becomes completed, besides `keep`.
    pub purge: Gate,
}

/// One gate; an empty one is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// Application versions that must be live.
    pub deployed: Vec<AppVersion>,
    /// How long the state before must have lasted.
    pub soak: Option<Duration>,
    /// How many people must have approved.
    pub approvals: Option<u32>,
    /// Queries that must give true.
    pub query: Vec<String>,
    /// Where it stands; nowhere, where the plan says nothing of it.
    pub place: Option<Place>,
    /// Evidence that nothing uses the old shape.
    pub unused: Option<Placed<Unused>>,
}

/// What must be unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unused {
    /// `true`: all that the plan drops.
    WhatThePlanDrops,
    /// Columns, as `table.column`.
    Columns(Vec<String>),
}

/// `web@2.4.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppVersion {
    /// The application.
    pub app: String,
    /// Its version.
    pub version: String,
}

impl AppVersion {
    /// Whether it is what a printed plan has in the place of an application or a version that nobody knew.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.app == "APP" || self.version == "VERSION"
    }
}
