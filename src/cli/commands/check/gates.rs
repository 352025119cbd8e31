//! Looks for gates that nobody can open, because they name no application yet.

use serde::Serialize;

use crate::core::timeline::Item;

/// A gate that waits for a placeholder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Unnamed {
    /// The file.
    pub(super) file: String,
    /// The line, from 1.
    pub(super) line: usize,
    /// The column, from 1.
    pub(super) column: usize,
    /// What it waits for, and what helps.
    pub(super) message: String,
}

/// Those of an item, in the order of its phases.
pub(super) fn unnamed(item: &Item) -> impl Iterator<Item = Unnamed> + '_ {
    let gates = item.gates.unnamed().into_iter();
    gates.map(|(place, message)| Unnamed {
        file: item.file.clone(),
        line: place.line,
        column: place.column,
        message,
    })
}
