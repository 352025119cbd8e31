//! What reads columns of a table and hangs on them, as recipes know it: with the statements that
//! take it away and that make it again, as the server writes them.

use serde::{Deserialize, Serialize};

use crate::core::ident::Ident;

/// A view, a materialized view, a policy, a table's place in a publication, or extended statistics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Dependent {
    /// view, materialized view, policy, publication or statistics.
    pub kind: String,
    /// Its name, as SQL writes it.
    pub called: String,
    /// What it is, in the server's words.
    pub said: String,
    /// The columns of the table that it reads, itself or by views.
    pub reads: Vec<String>,
    /// Its query or expressions, as the server prints them.
    pub definition: Option<String>,
    /// The statement that locks a view as its drop does, and changes nothing.
    pub lock: Option<String>,
    /// The statement that takes it away.
    pub drop: String,
    /// The statements that make it as it is; a materialized view without its rows.
    pub make: Vec<String>,
    /// How many views there are from the table to it, itself among them, on the longest way; more than
    /// those of any view where it is none.
    pub level: u32,
    /// Whether it, or a view that it reads, groups by the table's primary key alone.
    pub keyed: bool,
    /// Why it cannot be made again.
    pub blocked: Vec<String>,
    /// The indexes of a materialized view.
    pub indexes: Vec<ViewIndex>,
    /// Whether a materialized view has its rows.
    pub filled: bool,
    /// Whether a change before gives something that it names another name.
    #[serde(skip)]
    pub renamed: bool,
    /// Whether a change before makes it again.
    #[serde(skip)]
    pub remade: bool,
}

impl Dependent {
    /// Whether it reads a column.
    #[must_use]
    pub fn reads(&self, column: &Ident) -> bool {
        self.reads.iter().any(|name| name == column.as_str())
    }
}

/// An index of a materialized view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ViewIndex {
    /// Its name.
    pub name: String,
    /// Its name, with its schema where the server would write that.
    pub called: String,
    /// Its CREATE INDEX, as the server prints it.
    pub definition: String,
    /// A comment on it.
    pub comment: Option<String>,
    /// Whether CLUSTER goes by it.
    pub clustered: bool,
}
