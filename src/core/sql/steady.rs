//! Knows PostgreSQL's own functions: which give one value for a whole statement,
//! and which do nothing to tables.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::core::ident::QName;

/// The functions of `pg_catalog` that are not volatile on any server from 13 to 18.
static STEADY: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let lines = include_str!("steady.txt").lines().filter(|line| !line.starts_with('#'));
    // `AT TIME ZONE` is this function; only its form for timetz is volatile, up to 15.
    lines.flat_map(str::split_whitespace).chain(["timezone"]).collect()
});

/// Volatile functions that neither lock a table nor wait nor change a setting.
const HARMLESS: &[&str] = &[
    "clock_timestamp",
    "currval",
    "gen_random_uuid",
    "lastval",
    "nextval",
    "pg_current_wal_lsn",
    "pg_database_size",
    "pg_indexes_size",
    "pg_notify",
    "pg_relation_size",
    "pg_sequence_last_value",
    "pg_table_size",
    "pg_total_relation_size",
    "random",
    "random_normal",
    "setseed",
    "setval",
    "timeofday",
    "uuidv4",
    "uuidv7",
];

/// Whether a function is one of PostgreSQL's own that give one value for a whole statement.
#[must_use]
pub fn steady(function: &QName) -> bool {
    own(function) && STEADY.contains(function.name.as_str())
}

/// Whether a function is one of PostgreSQL's own that do nothing to a table.
pub(super) fn harmless(function: &QName) -> bool {
    steady(function) || own(function) && HARMLESS.contains(&function.name.as_str())
}

/// Whether a function is one of PostgreSQL's own that give another value each time they are called.
#[must_use]
pub fn restless(function: &QName) -> bool {
    !steady(function) && harmless(function)
}

/// Whether a function only waits: no harm but to whoever waits behind its locks.
#[must_use]
pub fn waits(function: &QName) -> bool {
    own(function) && ["pg_sleep", "pg_sleep_for", "pg_sleep_until"].contains(&function.name.as_str())
}

/// The names of PostgreSQL's own steady functions.
pub fn steady_names() -> impl Iterator<Item = &'static str> {
    STEADY.iter().copied()
}

fn own(function: &QName) -> bool {
    function.schema.as_ref().is_none_or(|schema| schema.as_str() == "pg_catalog")
}
