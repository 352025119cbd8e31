//! Owns what a recipe knows of the tables that it is about: what the catalog said when the plan
//! started, kept on record, so that the same plan has the same steps until its end.

mod around;
mod dependents;
mod enums;
mod parts;
mod sequence;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::ident::{Ident, QName};

pub use around::{Hanging, OfIndex, Partition, Referrer, Taken};
pub use dependents::{Dependent, ViewIndex};
pub use enums::{Enum, User};
pub use parts::{Column, Constraint, Grant, Index, Trigger};
pub use sequence::Sequence;
pub(super) use sequence::range;

/// What is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Whether the catalog was asked: what is not here is not there.
    pub complete: bool,
    /// The server's version, as `server_version_num`; 0 where it is not known.
    #[serde(default)]
    pub version: u32,
    /// The tables, by their names as [`QName::plain`] writes them.
    pub tables: BTreeMap<String, Table>,
    /// The types, likewise.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub enums: BTreeMap<String, Enum>,
}

/// A table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Table {
    /// As `pg_class.relkind`: r, p (partitioned), v, m, f, i, S.
    pub kind: String,
    /// Its schema.
    pub schema: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Its indexes, also those of constraints.
    pub indexes: Vec<Index>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// Its triggers, without those of the server.
    pub triggers: Vec<Trigger>,
    /// Foreign keys that refer to it, its own among them.
    pub referenced_by: Vec<Referrer>,
    /// What hangs on it and is no constraint, index or sequence of its own.
    pub hanging: Vec<Hanging>,
    /// What reads columns of it and is made again where one is exchanged, each after what it reads.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dependents: Vec<Dependent>,
    /// The columns of its partition key.
    pub partition_key: Vec<String>,
    /// Whether tables inherit from it that are no partitions.
    pub inherited: bool,
    /// All partitions below it, the lowest level first.
    pub partitions: Vec<Partition>,
    /// Names in its schema that one derived from its own may meet.
    pub taken: Taken,
    /// Its owner.
    pub owner: Option<String>,
    /// Who else may do what with it.
    pub grants: Vec<Grant>,
    /// The roles that are granted something on new relations; `None`: PUBLIC.
    pub granted_by_default: Vec<Option<String>>,
    /// Whether its rows are not for everybody.
    pub row_security: bool,
    /// The publications that it is in.
    pub publications: Vec<String>,
    /// Whether a subscription fills it.
    pub subscribed: bool,
    /// Its rules.
    pub rules: Vec<String>,
    /// What has the type of its rows.
    pub row_type: Vec<String>,
    /// The table and its partitions, as the server names them.
    pub own: Vec<String>,
    /// Whether it is a partition.
    pub partition: bool,
    /// What it is, where it is an index and no table.
    pub index: Option<OfIndex>,
}

impl Known {
    /// What is known of a table.
    #[must_use]
    pub fn table(&self, name: &QName) -> Option<&Table> {
        self.tables.get(&name.plain())
    }

    pub(super) fn table_mut(&mut self, name: &QName) -> Option<&mut Table> {
        self.tables.get_mut(&name.plain())
    }
}

impl Table {
    /// One of its columns.
    #[must_use]
    pub fn column(&self, name: &Ident) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name.as_str())
    }

    /// The indexes that name a column anywhere.
    pub fn indexes_of<'a>(&'a self, column: &'a Ident) -> impl Iterator<Item = &'a Index> {
        self.indexes.iter().filter(move |index| index.columns.iter().any(|name| name == column.as_str()))
    }

    /// One of its constraints.
    #[must_use]
    pub fn constraint(&self, name: &Ident) -> Option<&Constraint> {
        self.constraints.iter().find(|constraint| constraint.name == name.as_str())
    }

    /// Whether an index finds rows by these columns.
    #[must_use]
    pub fn finds_by(&self, columns: &[Ident]) -> bool {
        self.indexes.iter().any(|index| {
            let leads = index.keys.get(..columns.len());
            index.valid && !index.partial && leads.is_some_and(|keys| same_names(keys, columns))
        })
    }

    /// Whether a foreign key may refer to these columns.
    #[must_use]
    pub fn key_of(&self, columns: &[Ident]) -> bool {
        self.indexes.iter().any(|index| {
            let whole = index.valid && index.unique && index.immediate && !index.partial;
            whole && index.keys.len() == columns.len() && same_names(&index.keys, columns)
        })
    }

    /// Whether something that hangs on a column is made again where that is exchanged for another.
    #[must_use]
    pub fn remakes(&self, hanging: &Hanging) -> bool {
        let of_view =
            |one: &Dependent| hanging.kind == "rule" && hanging.relation.as_ref() == Some(&one.called);
        self.dependents.iter().any(|one| one.said == hanging.said || of_view(one))
    }

    /// What makes the drop of a column fail, by what it is called.
    #[must_use]
    pub fn holds_column(&self, column: &Ident) -> Vec<String> {
        let is = |name: &String| name == column.as_str();
        let hanging =
            self.hanging.iter().filter(|known| known.holds && known.column.as_ref().is_some_and(is));
        let keys = self.referenced_by.iter().filter(|key| !key.own && key.columns.iter().any(is));
        said(hanging, keys)
    }

    /// What makes the drop of the table fail, by what it is called.
    #[must_use]
    pub fn holds_table(&self) -> Vec<String> {
        let outside = |relation: &String| !self.own.contains(relation);
        let hanging =
            self.hanging.iter().filter(|known| known.holds && known.relation.as_ref().is_some_and(outside));
        said(hanging, self.referenced_by.iter().filter(|key| !key.own))
    }
}

/// Whether two lists hold the same names, in whichever order.
fn same_names(names: &[String], columns: &[Ident]) -> bool {
    columns.iter().all(|column| names.iter().any(|name| name == column.as_str()))
}

fn said<'a>(
    hanging: impl Iterator<Item = &'a Hanging>,
    keys: impl Iterator<Item = &'a Referrer>,
) -> Vec<String> {
    let mut said: Vec<String> =
        hanging.map(|known| known.said.clone()).chain(keys.map(Referrer::said)).collect();
    said.sort();
    said.dedup();
    said
}
