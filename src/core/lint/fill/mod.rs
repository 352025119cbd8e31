//! Owns the safe way that a finding prints: the names of the change in the text of its row.
//!
//! The text of a row is YAML: `{name}` stands for a name or a piece of SQL of the
//! change, `«…»` for a value that gets YAML's quotes where it needs them.

mod heir;
mod names;
mod parts;
mod yaml;

use super::table::{Case, Row, Safe};
use crate::core::sql::{Alter, Change};
use names::Names;
pub(super) use names::{named, written};
pub(super) use yaml::{merged, scalar};

/// What to write instead, in the names of the change; in words where a plan with
/// those names would not say the same.
pub(super) fn safe_way(row: &Row, case: &Case<'_>, statement: &[Change]) -> String {
    let Some(hazard) = row.hazard else { return String::new() };
    let text = match hazard.safe {
        Safe::Advice(text) => return fill(text, case, statement),
        Safe::Plan(text) => text,
    };
    if matches!(case.alter(), Some(Alter::Type { computed: true, .. })) {
        return "a column of the new type beside the old one, with the USING expression in the set of a sync and of a \
                backfill, and its reverse in back"
            .into();
    }
    let filled = fill(text, case, statement);
    let inline = case.added().is_some_and(|added| added.inline.is_some());
    if inline && !text.contains("ADD COLUMN") {
        let column = fill(
            "expand:\n  - sql: «ALTER TABLE {table} ADD COLUMN {column} {type}»\n    undo: «ALTER TABLE {table} DROP COLUMN {column}»\n",
            case,
            statement,
        );
        return merged(&[column, filled]);
    }
    filled
}

/// The text with `{table}`, `{column}` and the like in the words of the change of a `statement`;
/// what the change does not tell stays in capitals.
pub(super) fn fill(text: &str, case: &Case<'_>, statement: &[Change]) -> String {
    let names = Names::of(case, statement);
    let filled = names.pairs().iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value));
    let mut pieces = filled.split('«');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| match piece.split_once('»') {
        Some((value, rest)) => text + &scalar(value) + rest,
        None => text + piece,
    })
}
