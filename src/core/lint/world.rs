//! Owns what is known of the database that a statement meets: nothing, what
//! earlier steps of the plan have made, or what the catalog tells.

use std::collections::{BTreeMap, BTreeSet};

use super::traffic::Traffic;
use crate::core::ident::{Ident, QName};
use crate::core::sql::{NewDefault, NewIndex, Object, PartitionKey, steady};

/// What is known of a database.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// `server_version_num`, such as 150018.
    pub version: u32,
    /// Whether the catalog was asked: what is not here does not exist.
    pub complete: bool,
    /// Relations by the name that the plan calls them by.
    pub tables: BTreeMap<QName, Table>,
    /// Indexes by name: their table.
    pub indexes: BTreeMap<QName, QName>,
    /// Domains by name.
    pub domains: BTreeMap<QName, Domain>,
    /// What else the plan itself has made: types, functions, schemas, sequences, views.
    pub made: BTreeSet<(Object, QName)>,
    /// Whether each function gives the same value for a whole statement.
    pub steady: BTreeMap<QName, bool>,
    /// Whether the session's time zone is UTC, where it is known.
    pub utc: Option<bool>,
}

/// A domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Domain {
    /// Whether its values are bound by NOT NULL or CHECK.
    pub constrained: bool,
    /// Its default, or that of the domain that it is made of.
    pub default: Option<NewDefault>,
    /// The tables with a column of it.
    pub used_by: Vec<QName>,
}

/// A relation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Whether the plan itself has made it.
    pub made: bool,
    /// What it is.
    pub kind: TableKind,
    /// Rows by the statistics; `None`: not known.
    pub rows: Option<u64>,
    /// Its size without its indexes, in bytes; `None`: not known.
    pub bytes: Option<u64>,
    /// How busy it is, where somebody has looked.
    pub traffic: Option<Traffic>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// Its indexes.
    pub indexes: Vec<Index>,
    /// The foreign keys that refer to it.
    pub referenced_by: Vec<Referrer>,
    /// What else hangs on it and on its columns.
    pub hanging: Vec<Hanging>,
    /// The table that it is a partition of, or inherits from.
    pub parent: Option<QName>,
    /// Its partitions or children, of every level.
    pub partitions: Vec<QName>,
    /// Its default partition.
    pub default_partition: Option<QName>,
    /// What it is partitioned by.
    pub key: Option<PartitionKey>,
}

/// A table whose foreign key refers to another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The name of the key; `None`: it is not known.
    pub name: Option<Ident>,
    /// The table.
    pub table: QName,
    /// The columns of the other one that it refers to.
    pub columns: Vec<Ident>,
}

/// What hangs on a table, or on one of its columns, and is no foreign key of another table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hanging {
    /// The column; `None`: the table as a whole.
    pub column: Option<Ident>,
    /// The relation that it is, or that it belongs to, where there is one.
    pub relation: Option<QName>,
    /// What it is.
    pub kind: HangingKind,
    /// What people call it.
    pub said: String,
    /// Whether it makes a drop fail; or else it goes along.
    pub holds: bool,
}

/// What hangs on a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HangingKind {
    /// A view or a materialized view.
    View,
    /// Another column, that is computed from it.
    Generated(Ident),
    /// A foreign key of the table to itself.
    Foreign(Ident),
    /// A trigger, a policy, a rule or anything else that belongs to a table.
    Part,
}

impl Hanging {
    /// The column that it is, where it is one of a table that is computed.
    #[must_use]
    pub fn generated(&self, table: &QName) -> Option<&Ident> {
        match &self.kind {
            HangingKind::Generated(column) if self.relation.as_ref() == Some(table) => Some(column),
            _ => None,
        }
    }
}

/// What a relation is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TableKind {
    /// A table.
    #[default]
    Ordinary,
    /// A partitioned table.
    Partitioned,
    /// A materialized view.
    MatView,
    /// A view.
    View,
    /// Anything else.
    Other,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// Its type as `format_type` prints it; empty where it is not known.
    pub kind: String,
    /// Whether it is NOT NULL.
    pub not_null: bool,
    /// Its collation, where it is not that of its type.
    pub collation: Option<QName>,
    /// Its default, as SQL, where it is known to have one; not the expression of a generated column.
    pub default: Option<String>,
    /// What gives it its values, where that goes with the column.
    pub filled: Option<Filled>,
    /// Whether the plan itself has added it.
    pub made: bool,
}

/// What gives a column its values and cannot stand for another column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// It is computed from other columns.
    Generated,
    /// It counts up by itself where it is given no value.
    Identity,
    /// It counts up by itself, and is given no value.
    Always,
    /// Its default reads a sequence that is dropped with it.
    Serial,
}

/// A constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Constraint {
    /// Its name; `None`: the server chose one that is not known here.
    pub name: Option<Ident>,
    /// `pg_constraint.contype`: `c`, `f`, `p`, `u`, `x`, `n`.
    pub kind: char,
    /// Whether every row is known to obey it.
    pub valid: bool,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// The columns that it proves to hold no null.
    pub proves: Vec<Ident>,
    /// The table that a foreign key refers to.
    pub references: Option<QName>,
    /// All of it without its name, as SQL; the expression of a CHECK alone. Empty where it is
    /// not known, and for a CHECK that does not hold for partitions.
    pub text: String,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Its name.
    pub name: Ident,
    /// Its columns; `None` for an expression.
    pub columns: Vec<Option<Ident>>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether a constraint stands on it.
    pub constraint: bool,
    /// Every column that it reads.
    pub uses: Vec<Ident>,
    /// Whether it has an expression or a WHERE.
    pub computed: bool,
    /// Its statement from USING on: two indexes of one shape hold the same.
    pub shape: String,
}

impl World {
    /// Nothing is known but the version.
    #[must_use]
    pub fn offline(version: u32) -> Self {
        Self { version, ..Self::default() }
    }

    /// The major version.
    #[must_use]
    pub const fn major(&self) -> u32 {
        self.version / 10_000
    }

    /// Whether the session's time zone is known to be UTC.
    #[must_use]
    pub fn utc(&self) -> bool {
        self.utc == Some(true)
    }

    /// The same with the sizes of another database: what is not there has one that nobody knows.
    #[must_use]
    pub fn with_sizes_of(mut self, other: Option<&Self>) -> Self {
        for (name, table) in &mut self.tables {
            let there = other.and_then(|other| other.table(name));
            table.rows = there.and_then(|there| there.rows);
            table.bytes = there.and_then(|there| there.bytes);
        }
        self
    }

    /// What is known of a table.
    #[must_use]
    pub fn table(&self, name: &QName) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The entry of a table, made where there is none.
    pub fn table_mut(&mut self, name: &QName) -> &mut Table {
        self.tables.entry(name.clone()).or_default()
    }

    /// What is known of a table, and of its partitions or children.
    pub fn family(&self, name: &QName) -> impl Iterator<Item = &Table> {
        let table = self.table(name);
        let below = table.into_iter().flat_map(|table| &table.partitions);
        table.into_iter().chain(below.filter_map(|name| self.table(name)))
    }

    /// Whether the plan itself has made something.
    #[must_use]
    pub fn has_made(&self, of: Object, name: &QName) -> bool {
        self.made.contains(&(of, name.clone())) || self.table(name).is_some_and(|table| table.made)
    }

    /// Whether a function gives one value for a whole statement and so can change nothing,
    /// as far as is known.
    #[must_use]
    pub fn is_steady(&self, function: &QName) -> bool {
        self.steady.get(function).copied().unwrap_or_else(|| steady(function))
    }

    /// The domain of this name, where it is known to be one.
    #[must_use]
    pub fn domain(&self, name: &QName) -> Option<&Domain> {
        self.domains.get(name)
    }
}

/// Whether the first columns of an index are those of a key, in any order.
pub(super) fn begins(index: &[Option<Ident>], key: &[Ident]) -> bool {
    let first: Vec<_> = index.iter().take(key.len()).flatten().collect();
    key.iter().all(|column| first.contains(&column))
}

impl Index {
    /// The index that a statement makes.
    #[must_use]
    pub fn of(new: &NewIndex, name: Ident) -> Self {
        Self {
            name,
            columns: new.columns.clone(),
            unique: new.unique,
            constraint: false,
            uses: new.uses.clone(),
            computed: new.computed,
            shape: new.shape.clone(),
        }
    }

    /// Whether it can be a partition's part of an index of the partitioned table.
    #[must_use]
    pub fn serves(&self, parent: &Self) -> bool {
        !self.shape.is_empty()
            && self.shape == parent.shape
            && self.unique == parent.unique
            && (self.constraint || !parent.constraint)
    }
}

impl Table {
    /// A column by name.
    #[must_use]
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// A constraint by name.
    #[must_use]
    pub fn constraint(&self, name: &Ident) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name.as_ref() == Some(name))
    }

    /// Whether a valid constraint proves that a column holds no null.
    #[must_use]
    pub fn proves_not_null(&self, column: &Ident) -> bool {
        self.column(column).is_some_and(|found| found.not_null)
            || self.constraints.iter().any(|known| known.valid && known.proves.contains(column))
    }

    /// Whether it has a foreign key like the one of a partitioned table, and obeys it.
    #[must_use]
    pub fn obeys(&self, key: &Constraint) -> bool {
        let same = |own: &Constraint| own.kind == 'f' && own.valid && own.text == key.text;
        !key.text.is_empty() && self.constraints.iter().any(same)
    }

    /// Whether it is known to be read or written all the time.
    #[must_use]
    pub fn busy(&self) -> bool {
        !self.made && self.traffic.is_some_and(|traffic| traffic.busy())
    }

    /// Whether an index reads a column.
    #[must_use]
    pub fn indexed(&self, column: &Ident) -> bool {
        self.indexes.iter().any(|index| index.uses.contains(column))
    }
}
