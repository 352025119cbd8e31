//! Owns what recipes alone write: tables and columns that change places, and what keeps them equal until then.

use crate::core::ident::{Ident, QName};
use crate::core::step::Allow;

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
    /// What takes the locks of all that it is about, before anything else there and on the way back; the
    /// tables alone are locked where nothing is said.
    pub lock: Vec<String>,
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
