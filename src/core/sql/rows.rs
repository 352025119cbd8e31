//! Owns how generated SQL speaks of the columns of a row, and compares them.
//!
//! Values are compared as record images, which also sees what `=` of a type may not, such as the
//! case of citext or the scale of numeric, and needs no `=` at all. The function, not the operator
//! `*<>`: PostgreSQL prints that without the casts, and cannot read it again from a dump.

use crate::core::ident::Ident;

/// Columns of one row, in a list.
#[must_use]
pub fn over<'a>(row: &str, columns: impl IntoIterator<Item = &'a Ident>) -> String {
    columns.into_iter().map(|name| format!("{row}.{name}")).collect::<Vec<_>>().join(", ")
}

/// Whether two lists of values differ.
#[must_use]
pub fn differ(one: &str, other: &str) -> String {
    format!("pg_catalog.record_image_ne(ROW({one}), ROW({other}))")
}

/// Whether columns of one row equal those of another, by `=`: each pair names one of each.
#[must_use]
pub fn equal<'a>(
    one: &str,
    other: &str,
    columns: impl IntoIterator<Item = (&'a Ident, &'a Ident)>,
) -> String {
    let pairs = columns.into_iter().map(|(a, b)| format!("{one}.{a} = {other}.{b}"));
    pairs.collect::<Vec<_>>().join(" AND ")
}
