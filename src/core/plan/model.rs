//! Owns what a valid plan is: the typed form of one YAML file, each part with
//! the place in the file that it came from.

mod backfill;
mod exchange;
mod gates;

use std::time::Duration;

pub use backfill::{BackfillSpec, BackfillWork, BatchSpec, ThrottleSpec, Triggers};
pub use exchange::{BothWays, ExchangeSpec, LastSpec, MirrorSpec, MoveSpec, MovedSpec, Pair, SucceedSpec};
pub use gates::{
    AppVersion, CommandCheck, Compare, Freeze, Gate, Gates, HttpCheck, Observed, Pattern, Since, Unused,
};

use super::scalar::Places;
use crate::core::ident::{Ident, QName};
use crate::core::kill::KillBlockers;
use crate::core::pace::throttle::Slo;
use crate::core::recipe::Change;
use crate::core::state::State;
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
    /// Who wrote it.
    pub author: Option<String>,
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
    /// Which versions of applications need it, and in which state, before they may start.
    pub requires: Vec<(AppVersion, State)>,
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
