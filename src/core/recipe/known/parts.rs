//! The parts of a table as recipes know them: columns, indexes, constraints, triggers and
//! privileges, each with the statements that make one like it.

use serde::{Deserialize, Serialize};

use super::sequence::Sequence;
use crate::core::ident::{Ident, NameError, QName, plain};

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
    /// The same, with all that there is to it.
    pub numbers: Option<Sequence>,
    /// The comment on it.
    pub comment: Option<String>,
    /// Its statistics target, where it has one of its own.
    pub statistics: Option<i32>,
    /// Its options, such as `n_distinct=-0.5`, as SQL writes them; often none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub options: Option<String>,
    /// Where its values are stored, where that is not as its type has it: a word of SET STORAGE.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
    /// The compression of its values, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<String>,
    /// Its collation, where it is not that of its type.
    pub collation: Option<String>,
    /// Who may do what with it, beside the table's own grants.
    pub grants: Vec<Grant>,
    /// Whether a table that this one inherits from has it.
    pub inherited: bool,
    /// The labels of its type, where that is an enum.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// The name that it has until contract, where a change before gives it another.
    #[serde(skip)]
    pub until_contract: Option<String>,
    /// Whether a change before puts another in its place.
    #[serde(skip)]
    pub exchanged: bool,
    /// The name under which what stood over it was written down, where that change gives it another.
    #[serde(skip)]
    pub was: Option<String>,
}

impl Column {
    /// Of which nothing is known but that the plan names it: its type stands in its place, and
    /// such a plan is never run.
    #[must_use]
    pub fn assumed(table: &QName, column: &Ident) -> Self {
        let kind = format!("type of {}.{}", table.plain(), plain(column));
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

    /// The statements that add a column of a type with the statistics target, the options and the privileges of this
    /// one; where the type is the same, with its storage and compression, which ALTER COLUMN TYPE sets anew as well.
    #[must_use]
    pub fn like(&self, table: &QName, name: &Ident, kind: &str) -> Vec<String> {
        let mut sql = vec![format!("ALTER TABLE {table} ADD COLUMN {name} {kind}")];
        let alter = format!("ALTER TABLE {table} ALTER COLUMN {name}");
        if kind == self.type_words() {
            sql.extend(self.storage.as_ref().map(|storage| format!("{alter} SET STORAGE {storage}")));
            sql.extend(self.compression.as_ref().map(|method| format!("{alter} SET COMPRESSION {method}")));
        }
        sql.extend(self.planned(table, name));
        sql.extend(self.grants.iter().map(|grant| grant.on(table, name)));
        sql
    }

    /// The statements that tell the planner of another column what it knows of this one.
    pub fn planned(&self, table: &QName, name: &Ident) -> impl Iterator<Item = String> + use<> {
        let alter = format!("ALTER TABLE {table} ALTER COLUMN {name} SET");
        let target = self.statistics.map(|target| format!("{alter} STATISTICS {target}"));
        let options = self.options.as_ref().map(|options| format!("{alter} ({options})"));
        target.into_iter().chain(options)
    }
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

impl Constraint {
    /// What stands behind it where it may wait until COMMIT, with a space before it.
    #[must_use]
    pub fn deferral(&self) -> &str {
        self.definition.find(" DEFERRABLE").and_then(|at| self.definition.get(at..)).unwrap_or_default()
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

    /// The statement that gives it on a sequence, by its name as SQL writes it.
    #[must_use]
    pub fn on_sequence(&self, name: &str) -> String {
        self.grant(&format!("{} ON SEQUENCE {name}", self.privilege))
    }

    /// The statement that gives it on a type.
    #[must_use]
    pub fn on_type(&self, kind: &QName) -> String {
        self.grant(&format!("{} ON TYPE {kind}", self.privilege))
    }

    fn statement(&self, what: &str, table: &QName) -> String {
        self.grant(&format!("{what} ON {table}"))
    }

    fn grant(&self, what: &str) -> String {
        let to = self
            .to
            .clone()
            .map_or_else(|| Ok("PUBLIC".to_owned()), |role| Ident::exact(role).map(|role| role.to_string()));
        let option = if self.grantable { " WITH GRANT OPTION" } else { "" };
        format!("GRANT {what} TO {}{option}", to.unwrap_or_default())
    }
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
    /// A comment on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether CLUSTER goes by it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub clustered: bool,
    /// Whether rows are told apart by it in logical replication.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replica_identity: bool,
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
    /// The columns of a foreign key, in order.
    pub key: Vec<String>,
    /// The columns that it refers to, in the same order.
    pub refers: Vec<String>,
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
    /// A comment on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The function that it runs.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub function: String,
    /// The columns that the function names of NEW or OLD, unless the trigger is disabled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub says: Vec<String>,
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
