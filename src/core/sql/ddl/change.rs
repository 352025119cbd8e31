//! Owns the change: one thing that a statement does.

use super::bound::{Bound, PartitionKey};
use super::parts::{Alter, NewColumn, NewConstraint, NewDefault, NewIndex, TypeRef};
use crate::core::ident::{Ident, QName};

/// One change, or one other effect, of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A subcommand of ALTER TABLE, of ALTER INDEX or of ALTER … VIEW.
    Alter {
        /// What kind of relation the statement names.
        of: Object,
        /// The relation.
        table: QName,
        /// The subcommand.
        what: Alter,
    },
    /// CREATE TABLE, CREATE TABLE AS, CREATE MATERIALIZED VIEW, SELECT INTO.
    CreateTable {
        /// The new table.
        table: QName,
        /// Its columns, as far as the statement spells them out.
        columns: Vec<NewColumn>,
        /// The table that it becomes a partition of, and whether as its default.
        partition_of: Option<(QName, bool)>,
        /// Which rows belong to it as a partition.
        bound: Option<Bound>,
        /// Tables that it inherits from.
        inherits: Vec<QName>,
        /// What it is partitioned by itself.
        key: Option<PartitionKey>,
        /// IF NOT EXISTS: it may be there already, as something else.
        perhaps: bool,
        /// TEMPORARY: another table may have its name.
        temporary: bool,
        /// Whether it is filled by a query.
        filled: bool,
        /// Tables that it is made like, or filled from.
        reads: Vec<QName>,
    },
    /// A constraint of a new table.
    CreateTableConstraint {
        /// The new table.
        table: QName,
        /// The constraint.
        constraint: NewConstraint,
    },
    /// CREATE INDEX.
    CreateIndex(NewIndex),
    /// REINDEX of an index or of a table.
    Reindex {
        /// The index or the table.
        name: QName,
        /// Whether it is an index.
        index: bool,
        /// CONCURRENTLY.
        concurrently: bool,
    },
    /// REINDEX of a schema, a database or the system's catalogs.
    ReindexWide {
        /// CONCURRENTLY.
        concurrently: bool,
    },
    /// DROP of relations, types, functions, schemas and the like.
    Drop {
        /// What is dropped.
        of: Object,
        /// Each name.
        names: Vec<QName>,
        /// CONCURRENTLY.
        concurrently: bool,
        /// CASCADE: what depends on it goes with it.
        cascade: bool,
    },
    /// CREATE, ALTER or DROP of what belongs to a table and stands in no other row.
    OnTable {
        /// What it is.
        part: Part,
        /// Whether it is made, changed or dropped.
        verb: Verb,
        /// The table.
        table: QName,
        /// The table that a constraint trigger names with FROM.
        other: Option<QName>,
    },
    /// ALTER … RENAME of a relation, or of a part of one.
    Rename {
        /// What gets a new name.
        of: Renamed,
        /// The relation that it is, or that it is a part of.
        table: QName,
        /// The old name.
        from: Ident,
        /// The new name.
        to: Ident,
    },
    /// ALTER … SET SCHEMA of a relation.
    SetSchema {
        /// What kind of relation.
        of: Object,
        /// The relation.
        table: QName,
    },
    /// Another name or another schema for what is no relation, or for a part of it: a
    /// schema, a type, an enum's label, a function.
    Moved {
        /// What it is.
        of: Object,
        /// Its name.
        name: QName,
    },
    /// CREATE of a schema, a type, a function or a sequence.
    Create {
        /// What it is.
        of: Object,
        /// Its name.
        name: QName,
    },
    /// CREATE [OR REPLACE] VIEW.
    CreateView {
        /// The view.
        view: QName,
        /// Whether it may stand already.
        replace: bool,
        /// The relations that it reads.
        reads: Vec<QName>,
    },
    /// TRUNCATE.
    Truncate(Vec<QName>),
    /// LOCK TABLE, in the mode that PostgreSQL numbers from 1 to 8.
    LockTable {
        /// The tables.
        tables: Vec<QName>,
        /// The mode.
        mode: i32,
    },
    /// VACUUM; no tables: all of them.
    Vacuum {
        /// The tables.
        tables: Vec<QName>,
        /// FULL.
        full: bool,
    },
    /// ANALYZE; no tables: all of them.
    Analyze(Vec<QName>),
    /// CLUSTER; no table: all that were clustered before.
    Cluster(Option<QName>),
    /// REFRESH MATERIALIZED VIEW.
    Refresh {
        /// The view.
        view: QName,
        /// CONCURRENTLY.
        concurrently: bool,
    },
    /// ALTER DOMAIN.
    Domain {
        /// The domain.
        domain: QName,
        /// What changes.
        what: DomainChange,
    },
    /// CREATE DOMAIN, and whether it has a constraint.
    CreateDomain {
        /// The domain.
        domain: QName,
        /// The type that it is made of; that may be a domain, too.
        base: TypeRef,
        /// Whether its values are bound by a constraint of its own.
        constrained: bool,
        /// Its default.
        default: Option<NewDefault>,
    },
    /// ALTER TYPE … ADD VALUE, and the value.
    AddEnumValue {
        /// The type.
        kind: QName,
        /// The new value.
        value: String,
    },
    /// COMMENT ON a table or on a part of one.
    Comment(QName),
    /// INSERT, UPDATE, DELETE, MERGE or COPY FROM.
    Write {
        /// The table.
        table: QName,
        /// What is done.
        verb: WriteVerb,
        /// Whether a WHERE, a USING or a FROM bounds it.
        bounded: bool,
        /// The relations that it reads.
        reads: Vec<QName>,
    },
    /// A query, or anything else that only reads.
    Read {
        /// The relations that it reads.
        reads: Vec<QName>,
        /// Whether it locks rows (FOR UPDATE and the like).
        locks_rows: bool,
    },
    /// Functions that a statement over rows calls, where they are not known to be harmless.
    Calls(Vec<QName>),
    /// What cannot be seen through: DO, CALL, EXECUTE, an extension's scripts.
    Opaque(&'static str),
    /// SET of a setting, and its value where it is one constant.
    Set {
        /// The setting.
        name: String,
        /// Its new value.
        value: Option<String>,
    },
    /// A statement that takes no lock on a table of the application.
    Nothing,
    /// A statement that this program has no row for: its kind, as the parser names it.
    Unknown(String),
}

/// What kind of relation a statement names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A table.
    Table,
    /// A foreign table.
    ForeignTable,
    /// An index.
    Index,
    /// A view.
    View,
    /// A materialized view.
    MatView,
    /// A sequence.
    Sequence,
    /// A type, a domain included.
    Type,
    /// A schema: everything in it.
    Schema,
    /// A function, a procedure, an aggregate.
    Function,
    /// An extension: everything in it.
    Extension,
    /// Extended statistics.
    Statistics,
    /// Anything else.
    Other,
}

impl Object {
    /// Whether it is a table, an index or a view: what a lock falls on.
    #[must_use]
    pub const fn is_relation(self) -> bool {
        matches!(self, Self::Table | Self::ForeignTable | Self::Index | Self::View | Self::MatView)
    }
}

/// What gets a new name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renamed {
    /// A table.
    Table,
    /// A column.
    Column,
    /// A constraint.
    Constraint,
    /// An index.
    Index,
    /// A view or a materialized view.
    View,
    /// A trigger, a rule or a policy.
    Part,
}

/// What belongs to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A trigger.
    Trigger,
    /// A row security policy.
    Policy,
    /// A rewrite rule.
    Rule,
    /// Extended statistics.
    Statistics,
    /// A place in a publication.
    Publication,
    /// A privilege.
    Privilege,
}

/// What happens to a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// It is made.
    Create,
    /// It is changed.
    Alter,
    /// It is dropped.
    Drop,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteVerb {
    /// INSERT or COPY FROM.
    Insert,
    /// UPDATE.
    Update,
    /// DELETE.
    Delete,
    /// MERGE.
    Merge,
}

/// What ALTER DOMAIN changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DomainChange {
    /// ADD CONSTRAINT; whether NOT VALID.
    Add {
        /// NOT VALID.
        not_valid: bool,
    },
    /// VALIDATE CONSTRAINT.
    Validate,
    /// SET NOT NULL.
    SetNotNull,
    /// Anything else: the values that stand are not looked at.
    Light,
}
