//! `drop_index`.

use super::Example;
use super::clients::Version;

const SERVES: Version = Version {
    insert: "INSERT INTO stamps (id, label, shade) VALUES ($1, $2, $2)",
    update: &[
        "UPDATE stamps SET label = $2, shade = 'red' WHERE id = $1",
        "INSERT INTO stamps (id, label) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = excluded.label, shade = NULL",
    ],
    read: "SELECT label FROM stamps WHERE id = $1",
};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201210100_drop_index",
    tables: "20261201210000_stamps",
    rows: "INSERT INTO stamps (id, label, shade) SELECT g, 'stamp ' || g, g FROM generate_series(1, 3000) g",
    old: SERVES,
    new: SERVES,
    offline: "DROP INDEX \"Stamps \"\"by\"\" shade\"; DROP INDEX stamps_once",
    wrong: "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
};
