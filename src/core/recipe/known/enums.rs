//! Enum types as recipes know them: their labels, and whatever uses them.

use serde::{Deserialize, Serialize};

use super::parts::Grant;

/// A type, asked for by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Enum {
    /// As `pg_type.typtype`: e, or what it is in the place of an enum.
    pub kind: String,
    /// Its schema.
    pub schema: String,
    /// Its labels, in order.
    pub labels: Vec<String>,
    /// Its owner.
    pub owner: Option<String>,
    /// The comment on it.
    pub comment: Option<String>,
    /// Who else may use it; `None`: as every new type.
    pub grants: Option<Vec<Grant>>,
    /// Whatever uses it or its array.
    pub users: Vec<User>,
}

/// Something that uses a type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// What it is, in the server's words.
    pub said: String,
    /// Its relation, as SQL writes it, where it is a column of a table, or belongs to one.
    pub relation: Option<String>,
    /// column, default, index, constraint or trigger of that relation, or other.
    pub kind: String,
    /// Its own name, of a default that of its column.
    pub called: Option<String>,
    /// Whether it uses the array.
    pub array: bool,
}

impl Enum {
    /// Whether it is an enum.
    #[must_use]
    pub fn is_one(&self) -> bool {
        self.kind == "e"
    }

    /// Where a label stands.
    #[must_use]
    pub fn place(&self, label: &str) -> Option<usize> {
        self.labels.iter().position(|known| known == label)
    }
}
