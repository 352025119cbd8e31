//! Owns what changes are made of: subcommands, columns, constraints, indexes, types.

use std::fmt;

use super::bound::Bound;
use crate::core::ident::{Ident, QName};

/// A subcommand of ALTER TABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Alter {
    /// ADD COLUMN; its constraints follow as changes of their own.
    AddColumn(Box<NewColumn>),
    /// DROP COLUMN.
    DropColumn(Ident),
    /// ALTER COLUMN … TYPE.
    Type {
        /// The column.
        column: Ident,
        /// Its new type.
        to: TypeRef,
        /// COLLATE.
        collation: Option<QName>,
        /// Whether USING computes another value than the cast to the new type.
        computed: bool,
    },
    /// SET NOT NULL.
    SetNotNull(Ident),
    /// DROP NOT NULL.
    DropNotNull(Ident),
    /// SET DEFAULT or DROP DEFAULT.
    Default {
        /// The column.
        column: Ident,
        /// DROP DEFAULT.
        dropped: bool,
    },
    /// ADD GENERATED … AS IDENTITY, SET GENERATED, DROP IDENTITY.
    Identity(Ident),
    /// SET EXPRESSION of a generated column (17 and up).
    SetExpression(Ident),
    /// DROP EXPRESSION of a generated column.
    DropExpression(Ident),
    /// SET STATISTICS, or SET ( … ) of a column.
    ColumnOptions(Ident),
    /// SET STORAGE or SET COMPRESSION of a column.
    Storage(Ident),
    /// ADD CONSTRAINT, or a constraint inside ADD COLUMN.
    AddConstraint(Box<NewConstraint>),
    /// VALIDATE CONSTRAINT.
    Validate(Ident),
    /// DROP CONSTRAINT.
    DropConstraint(Ident),
    /// ALTER CONSTRAINT.
    AlterConstraint(Ident),
    /// SET or RESET of storage parameters.
    Options,
    /// OWNER TO.
    Owner,
    /// CLUSTER ON, SET WITHOUT CLUSTER.
    ClusterOn,
    /// SET LOGGED, SET UNLOGGED.
    Logged,
    /// SET TABLESPACE.
    Tablespace,
    /// SET ACCESS METHOD.
    AccessMethod,
    /// ENABLE or DISABLE TRIGGER.
    Trigger,
    /// ENABLE or DISABLE RULE.
    Rule,
    /// INHERIT or NO INHERIT, and the parent.
    Inherit(QName),
    /// REPLICA IDENTITY.
    ReplicaIdentity,
    /// Row level security: whether it comes to bind more, or less.
    RowSecurity {
        /// ENABLE or FORCE.
        on: bool,
    },
    /// ATTACH PARTITION.
    Attach {
        /// What becomes a partition: a table, or an index of one.
        partition: QName,
        /// Which rows belong to it; `None` for an index.
        bound: Option<Bound>,
    },
    /// DETACH PARTITION.
    Detach {
        /// The partition.
        partition: QName,
        /// CONCURRENTLY.
        concurrently: bool,
    },
    /// DETACH PARTITION … FINALIZE.
    Finalize(QName),
    /// A subcommand without a row of its own: what most take, ACCESS EXCLUSIVE.
    Other,
}

/// A column that is added, or that a new table has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewColumn {
    /// Its name.
    pub name: Ident,
    /// Its type.
    pub kind: TypeRef,
    /// COLLATE.
    pub collation: Option<QName>,
    /// NOT NULL, said or implied by PRIMARY KEY, serial and identity.
    pub not_null: bool,
    /// Its default, where it has one that is not null.
    pub default: Option<NewDefault>,
    /// GENERATED … AS IDENTITY.
    pub identity: bool,
    /// Whether that is GENERATED ALWAYS.
    pub always: bool,
    /// GENERATED ALWAYS AS (…).
    pub generated: Option<Generated>,
    /// IF NOT EXISTS: it may be there already, as something else.
    pub perhaps: bool,
}

/// How a generated column gets its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generated {
    /// When the row is written.
    Stored,
    /// When the row is read.
    Virtual,
}

/// A default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDefault {
    /// Its expression.
    pub text: String,
    /// The functions that it calls.
    pub calls: Vec<QName>,
}

/// A constraint that is added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConstraint {
    /// Its name, where one is given.
    pub name: Option<Ident>,
    /// What it demands.
    pub demand: Demand,
    /// Its columns, as far as the statement names them.
    pub columns: Vec<Ident>,
    /// NOT VALID or NOT ENFORCED: the rows that stand are not looked at.
    pub not_valid: bool,
    /// NO INHERIT: it does not hold for partitions and children.
    pub no_inherit: bool,
    /// All of it as a constraint of a table, without its name and without NOT VALID.
    pub definition: String,
    /// The index of UNIQUE and PRIMARY KEY.
    pub index: Option<KeyIndex>,
    /// Whether it stands inside ADD COLUMN; then whether that column gets a value.
    pub inline: Option<Inline>,
}

/// The index behind UNIQUE or PRIMARY KEY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyIndex {
    /// The statement that builds it, from USING on.
    pub shape: String,
    /// When the constraint is checked (` DEFERRABLE INITIALLY DEFERRED`); often empty.
    pub deferral: String,
}

/// The column that an inline constraint belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inline {
    /// Whether the column has a default, so that its rows have a value to check.
    pub filled: bool,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// NOT NULL as a named constraint (18 and up).
    NotNull,
    /// CHECK; the columns that it proves to hold no null.
    Check {
        /// Its expression.
        text: String,
        /// The columns.
        proves: Vec<Ident>,
    },
    /// UNIQUE.
    Unique,
    /// PRIMARY KEY.
    Primary,
    /// UNIQUE or PRIMARY KEY that takes over an index.
    UsingIndex {
        /// Whether it is a primary key.
        primary: bool,
        /// The index.
        index: Ident,
    },
    /// EXCLUDE.
    Exclude,
    /// FOREIGN KEY.
    Foreign {
        /// The table that it refers to.
        to: QName,
        /// The columns there, where they are named.
        columns: Vec<Ident>,
    },
}

/// An index that is created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewIndex {
    /// Its name, where one is given.
    pub name: Option<Ident>,
    /// Its table.
    pub table: QName,
    /// IF NOT EXISTS: it may be there already, as something else.
    pub perhaps: bool,
    /// CONCURRENTLY.
    pub concurrently: bool,
    /// ON ONLY: not on the partitions.
    pub only: bool,
    /// UNIQUE.
    pub unique: bool,
    /// Its columns; `None` for an expression.
    pub columns: Vec<Option<Ident>>,
    /// Every column that it reads: keys, included ones, those of expressions and of WHERE.
    pub uses: Vec<Ident>,
    /// Whether it has an expression or a WHERE.
    pub computed: bool,
    /// Its statement from USING on, without storage: two indexes of one shape hold the same.
    pub shape: String,
    /// The name that it gets: its own, or as the server would choose it.
    pub called: Ident,
    /// The same statement, built concurrently and under a name.
    pub concurrent: String,
}

/// A type as the catalog would print it, as far as a statement tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeRef {
    /// The schema, unless it is `pg_catalog` or none.
    pub schema: Option<Ident>,
    /// The name in the catalog (`int4`, `varchar`, `orders_state`).
    pub name: String,
    /// Its modifiers (`numeric(10,2)`: 10 and 2).
    pub modifiers: Vec<i32>,
    /// Whether it is an array.
    pub array: bool,
    /// Whether it comes from `pg_catalog` by the grammar itself.
    pub built_in: bool,
    /// As SQL writes it.
    pub text: String,
}

impl TypeRef {
    /// The type of a column whose definition leaves it to another table or a type.
    #[must_use]
    pub const fn inherited() -> Self {
        Self {
            schema: None,
            name: String::new(),
            modifiers: Vec::new(),
            array: false,
            built_in: true,
            text: String::new(),
        }
    }

    /// Whether it is one of the words that stand for an integer and its sequence.
    #[must_use]
    pub fn is_serial(&self) -> bool {
        let words = ["serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"];
        self.schema.is_none() && words.contains(&self.name.as_str())
    }

    /// Its name without modifiers, as the server's `format_type` prints it.
    #[must_use]
    pub fn base(&self) -> &str {
        match self.name.as_str() {
            "int2" => "smallint",
            "int4" => "integer",
            "int8" => "bigint",
            "bool" => "boolean",
            "varchar" => "character varying",
            "bpchar" => "character",
            "timestamptz" => "timestamp with time zone",
            "timestamp" => "timestamp without time zone",
            "varbit" => "bit varying",
            "float4" => "real",
            "float8" => "double precision",
            other => other,
        }
    }

    /// Its name, where it may be that of a type that somebody made.
    #[must_use]
    pub fn made(&self) -> Option<QName> {
        let name = Ident::exact(self.name.clone()).ok().filter(|_| !self.built_in)?;
        Some(QName { schema: self.schema.clone(), name })
    }

    /// The type as `format_type` prints it, for the types that rows tell apart.
    #[must_use]
    pub fn printed(&self) -> String {
        let modifiers: Vec<String> = self.modifiers.iter().map(ToString::to_string).collect();
        let modifiers =
            if modifiers.is_empty() { String::new() } else { format!("({})", modifiers.join(",")) };
        format!("{}{modifiers}{}", self.base(), if self.array { "[]" } else { "" })
    }
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
