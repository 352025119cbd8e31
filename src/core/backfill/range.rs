//! Writes ranges of rows: keys that travel as text, pages, the places of rows.
//!
//! Keys are compared on the server only, under the index's collation: what
//! travels is their text, cast back to the column's type.

use super::{Leaf, StripeBy, Stripes, TypedColumn, Walk};

/// Column values as text, in key order; of a walk by pages, one page number.
pub type Key = Vec<String>;

/// The columns, quoted.
pub(super) fn names(key: &[TypedColumn]) -> String {
    key.iter().map(|column| column.name.to_string()).collect::<Vec<_>>().join(", ")
}

/// The columns as an array of texts.
pub(super) fn texts(key: &[TypedColumn]) -> String {
    // An array of columns of several collations would have none, and could not be compared with any.
    let text = |column: &TypedColumn| format!("{}::text COLLATE pg_catalog.\"default\"", column.name);
    let texts: Vec<String> = key.iter().map(text).collect();
    format!("ARRAY[{}]", texts.join(", "))
}

/// The columns with a direction.
pub(super) fn order(key: &[TypedColumn], direction: &str) -> String {
    key.iter().map(|column| format!("{}{direction}", column.name)).collect::<Vec<_>>().join(", ")
}

/// A comparison of the key with a parameter of texts.
pub(super) fn compare(key: &[TypedColumn], operator: &str, texts: &str) -> String {
    let values: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(n, column)| format!("({texts})[{}]::{}", n + 1, column.type_name))
        .collect();
    format!("({}) {operator} ({})", names(key), values.join(", "))
}

/// The rows after `after` (left out where there is no bound: the planner cannot
/// use an index for `lo IS NULL OR …`) up to `until`.
pub(super) fn within(walk: Walk, key: &[TypedColumn], after: Option<&str>, until: &str) -> String {
    match walk {
        Walk::Key => {
            let end = compare(key, "<=", until);
            after.map_or(end.clone(), |after| format!("{} AND {end}", compare(key, ">", after)))
        }
        Walk::Pages => {
            let from = after.map_or_else(|| page("'0'"), |after| page(&format!("({after})[1]")));
            format!("ctid >= {from} AND ctid < {}", page(&format!("({until})[1]")))
        }
    }
}

/// The place before the first row of a page. A row's place counts from 1, and
/// the last page of the largest table is 4294967294.
fn page(number: &str) -> String {
    format!("('(' || {number} || ',0)')::tid")
}

/// The rows of one stripe, or all of them.
pub(super) fn stripe(stripes: Stripes, key: &[TypedColumn], number: &str) -> String {
    let count = stripes.count;
    match (stripes.by, key) {
        (StripeBy::Nothing, _) => "true".into(),
        (StripeBy::Remainder, [only]) => format!("abs({} % {count}) = {number}", only.name),
        // Two halves of the same 32 bits: a hash may be the least integer, whose abs overflows.
        (StripeBy::Hash | StripeBy::Remainder, _) => {
            format!("((hashtid(ctid) & 2147483647) % {count}) = {number}")
        }
    }
}

/// Whether a key is one integer, so that its remainder deals rows out evenly.
#[must_use]
pub(super) fn is_integer(leaf: &Leaf) -> bool {
    matches!(leaf.key.as_slice(), [only] if matches!(only.type_name.as_str(), "smallint" | "integer" | "bigint"))
}

/// What tells a row from all others, as an array of texts: its key, or its place.
pub(super) fn identity(key: &[TypedColumn]) -> String {
    if key.is_empty() { "ARRAY[ctid::text]".into() } else { texts(key) }
}

/// Whether a row is one of those that a parameter lists: a JSON array of arrays of texts.
pub(super) fn listed(key: &[TypedColumn], list: &str) -> String {
    let rows = format!("FROM jsonb_array_elements({list}) AS listed(item)");
    if key.is_empty() {
        // An array lets the server go to the places; a subquery would have it read all of them.
        return format!("ctid = ANY (ARRAY(SELECT (listed.item ->> 0)::tid {rows}))");
    }
    let values: Vec<String> = key
        .iter()
        .enumerate()
        .map(|(n, column)| format!("(listed.item ->> {n})::{}", column.type_name))
        .collect();
    format!("({}) IN (SELECT {} {rows})", names(key), values.join(", "))
}
