//! Owns what a recipe knows of the tables that it is about: what the catalog said when the plan
//! started, kept on record, so that the same plan has the same steps until its end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::ident::{Ident, NameError, QName};

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

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as SQL writes it.
    pub kind: String,
    /// Whether it must have a value.
    pub not_null: bool,
    /// Its default, as SQL writes it.
    pub default: Option<String>,
    /// What it is computed from (GENERATED), as SQL writes it.
    pub generated: Option<String>,
    /// `a`: GENERATED ALWAYS AS IDENTITY, `d`: BY DEFAULT.
    pub identity: Option<String>,
    /// The sequence that belongs to it.
    pub sequence: Option<String>,
    /// The comment on it.
    pub comment: Option<String>,
    /// Its statistics target, where it has one of its own.
    pub statistics: Option<i32>,
    /// Its collation, where it is not that of its type.
    pub collation: Option<String>,
    /// Who may do what with it, beside the table's own grants.
    pub grants: Vec<Grant>,
    /// Whether a table that this one inherits from has it.
    pub inherited: bool,
    /// The name that it has until contract, where a change before gives it another.
    #[serde(skip)]
    pub until_contract: Option<String>,
    /// Whether a change before puts another in its place.
    #[serde(skip)]
    pub exchanged: bool,
}

/// A privilege on a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// The role; `None`: PUBLIC.
    pub to: Option<String>,
    /// Such as SELECT.
    pub privilege: String,
    /// Whether the role may hand it on.
    pub grantable: bool,
}

/// An index.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Index {
    /// Its name, in the table's schema.
    pub name: String,
    /// Its CREATE INDEX, as the server prints it.
    pub definition: String,
    /// The columns that it names anywhere.
    pub columns: Vec<String>,
    /// The kind of the constraint that it belongs to: p, u or x.
    pub constraint: Option<String>,
    /// Whether it is in use.
    pub valid: bool,
    /// Its key, in order: each a column, or nothing where it is an expression.
    pub keys: Vec<String>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether uniqueness is seen to at once.
    pub immediate: bool,
    /// Whether it leaves rows out.
    pub partial: bool,
}

/// A constraint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Constraint {
    /// Its name.
    pub name: String,
    /// As `pg_constraint.contype`.
    pub kind: String,
    /// As SQL writes it, after ADD CONSTRAINT name.
    pub definition: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// Whether every row is known to obey it.
    pub valid: bool,
    /// The table that a foreign key refers to.
    pub references: Option<String>,
    /// A comment on it.
    pub comment: Option<String>,
    /// The foreign keys that rely on it, each with its table.
    pub referred_by: Vec<String>,
    /// Whether it comes from a table above.
    pub inherited: bool,
    /// Whether a change before takes it, or its name, away in contract.
    #[serde(skip)]
    pub until_contract: bool,
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

impl Referrer {
    fn said(&self) -> String {
        format!("foreign key {} of {}", self.name, self.table)
    }
}

/// A trigger.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// Its CREATE TRIGGER, as the server prints it.
    pub definition: String,
    /// As `pg_trigger.tgenabled`: O, A, R or D.
    pub enabled: String,
    /// The columns of UPDATE OF.
    pub columns: Vec<String>,
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

impl Table {
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
}

/// Whether two lists hold the same names, in whichever order.
fn same_names(names: &[String], columns: &[Ident]) -> bool {
    columns.iter().all(|column| names.iter().any(|name| name == column.as_str()))
}

impl Table {
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

impl Trigger {
    /// The statements that make it as it is.
    #[must_use]
    pub fn statements(&self, table: &QName) -> Vec<String> {
        let name = Ident::exact(self.name.clone()).map(|name| self.state(table, &name));
        std::iter::once(self.definition.clone()).chain(name.ok().flatten()).collect()
    }

    /// The statement that gives one like it, under a name, its state; `None`: it fires as usual.
    #[must_use]
    pub fn state(&self, table: &QName, name: &Ident) -> Option<String> {
        let state = match self.enabled.as_str() {
            "D" => "DISABLE TRIGGER",
            "R" => "ENABLE REPLICA TRIGGER",
            "A" => "ENABLE ALWAYS TRIGGER",
            _ => return None,
        };
        Some(format!("ALTER TABLE {table} {state} {name}"))
    }

    /// Whether it runs before a row is written.
    #[must_use]
    pub fn before(&self) -> bool {
        let head = self.definition.split(" ON ").next().unwrap_or_default();
        let writes = head.contains(" INSERT") || head.contains(" UPDATE");
        head.contains(" BEFORE ") && writes && self.definition.contains(" FOR EACH ROW ")
    }
}

impl Column {
    /// Of which nothing is known but that the plan names it: its type stands in its place, and
    /// such a plan is never run.
    #[must_use]
    pub fn assumed(table: &QName, column: &Ident) -> Self {
        let kind = format!("type of {}.{}", table.plain(), crate::core::ident::plain(column));
        Self {
            name: column.as_str().into(),
            kind: Ident::shortened("", &kind).to_string(),
            ..Self::default()
        }
    }

    /// Its type and its collation, as a column's definition has them.
    #[must_use]
    pub fn type_words(&self) -> String {
        match &self.collation {
            Some(collation) => format!("{} COLLATE {collation}", self.kind),
            None => self.kind.clone(),
        }
    }
}

impl Index {
    /// Its name.
    ///
    /// # Errors
    /// Never for one of the catalog.
    pub fn ident(&self) -> Result<Ident, NameError> {
        Ident::exact(self.name.clone())
    }
}

impl Grant {
    /// The statement that gives it on a column.
    #[must_use]
    pub fn on(&self, table: &QName, column: &Ident) -> String {
        self.statement(&format!("{} ({column})", self.privilege), table)
    }

    /// The statement that gives it on a table.
    #[must_use]
    pub fn on_table(&self, table: &QName) -> String {
        self.statement(&self.privilege, table)
    }

    fn statement(&self, what: &str, table: &QName) -> String {
        let to = self
            .to
            .clone()
            .map_or_else(|| Ok("PUBLIC".to_owned()), |role| Ident::exact(role).map(|role| role.to_string()));
        let option = if self.grantable { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {what} ON {table} TO {}{option}", to.unwrap_or_default())
    }
}
