//! What stands around a table as recipes know it: its partitions, what refers to it and hangs on
//! it, and names that are in use.

use serde::{Deserialize, Serialize};

use crate::core::ident::{Ident, QName};

/// A partition of any level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// Its schema, where that is not the table's.
    pub schema: Option<String>,
    /// As `pg_class.relkind`: r, p (partitioned itself), or f (a foreign table).
    pub kind: String,
}

impl Partition {
    /// Its name, beside that of the table which it is part of.
    #[must_use]
    pub fn beside(&self, table: &QName) -> Option<QName> {
        let name = Ident::exact(self.name.clone()).ok()?;
        match &self.schema {
            None => Some(table.sibling(name)),
            Some(schema) => Some(QName { schema: Some(Ident::exact(schema.clone()).ok()?), name }),
        }
    }
}

/// Names that are in use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Taken {
    /// Of tables, indexes and the like.
    pub relations: Vec<String>,
    /// Of constraints.
    pub constraints: Vec<String>,
}

/// An index, asked for by its own name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OfIndex {
    /// Its table.
    pub table: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether rows are told apart by it in logical replication.
    pub replica_identity: bool,
    /// The constraint that it belongs to.
    pub constraint: Option<String>,
    /// The index of a partitioned table that it is attached to.
    pub part_of: Option<String>,
    /// Foreign keys that need it.
    pub needed_by: Vec<String>,
}

/// A foreign key that refers to a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Referrer {
    /// Its name.
    pub name: String,
    /// Its table.
    pub table: String,
    /// The columns that it refers to.
    pub columns: Vec<String>,
    /// Whether it is the table's own, or that of one of its partitions.
    pub own: bool,
}

impl Referrer {
    pub(super) fn said(&self) -> String {
        format!("foreign key {} of {}", self.name, self.table)
    }
}

/// Something that hangs on a table, or on one of its columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hanging {
    /// The column; `None`: the table as a whole.
    pub column: Option<String>,
    /// The relation that it is, or that it belongs to.
    pub relation: Option<String>,
    /// view, rule, policy, trigger, generated, foreign or other.
    pub kind: String,
    /// Its own name, where it has one.
    pub called: Option<String>,
    /// What it is, in the server's words.
    pub said: String,
    /// Whether it makes a drop fail; else it goes along in silence.
    pub holds: bool,
}
