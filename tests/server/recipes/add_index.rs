//! `add_index`.

use super::Example;
use super::clients::Version;

const SERVES: Version = Version {
    insert: "INSERT INTO readings (id, label, \"Kind\", value) VALUES ($1, $2, 'k', 1)",
    update: &[
        "UPDATE readings SET label = $2 WHERE id = $1",
        "WITH day AS (INSERT INTO reading_days (id) VALUES ($1)) UPDATE readings SET label = $2, value = value + 1 WHERE id = $1",
    ],
    read: "SELECT label FROM readings WHERE id = $1",
};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201200100_add_index",
    tables: "20261201200000_readings",
    rows: "INSERT INTO readings (id, label, value) SELECT g, 'reading ' || g, g % 9 FROM generate_series(1, 3000) g;
        INSERT INTO reading_days (id, day) SELECT g, date '2025-06-01' + g % 500 FROM generate_series(1, 3000) g",
    old: SERVES,
    new: SERVES,
    // The server names the first two and that of the parent; those of the partitions are named after it.
    offline: "CREATE INDEX ON readings (lower(label));
        CREATE INDEX ON readings (\"Kind\" DESC NULLS LAST) INCLUDE (value) WHERE value > 0;
        CREATE UNIQUE INDEX readings_once ON readings (id, label) WITH (fillfactor = 80);
        CREATE INDEX ON reading_days (id);
        ALTER INDEX reading_days_2026_id_idx RENAME TO reading_days_2026_reading_days_id_idx;
        ALTER INDEX reading_days_rest_id_idx RENAME TO reading_days_rest_reading_days_id_idx",
    wrong: "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
};
