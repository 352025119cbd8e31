//! `change_type` of a column on which everything hangs that can be carried over.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261205020100_change_type_of_much",
    tables: "20261205020000_crates",
    rows: "INSERT INTO crates (id, code) SELECT g, 'code ' || g FROM generate_series(1, 3000) g; REFRESH MATERIALIZED VIEW crate_letters",
    old: VERSION,
    new: VERSION,
    offline: include_str!("change_type_of_much.sql"),
    wrong: "SELECT count(*) FROM crates WHERE id <= 3000 AND (renewed <> 0 OR code <> 'code ' || id) OR code = 'none yet'",
};

const VERSION: Version = Version {
    insert: "INSERT INTO crates (id, code) VALUES ($1, $2)",
    update: &[
        "UPDATE crates SET code = $2 WHERE id = $1",
        "UPDATE crate_codes SET code = $2, note = 'by a view' WHERE id = $1",
        "INSERT INTO crates (id, code) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET code = excluded.code",
    ],
    read: "SELECT code::text FROM crate_codes JOIN \"Crate notes\" USING (id) WHERE id = $1",
};
