//! `add_check`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201040100_add_check",
    tables: "20261201040000_slots",
    rows: "INSERT INTO \"Slots\" SELECT g, 'slot ' || g, g, g + 1 FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO \"Slots\" (id, label) VALUES ($1, $2)",
        update: &[
            "UPDATE \"Slots\" SET label = $2 WHERE id = $1",
            "INSERT INTO \"Slots\" (id, label) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = excluded.label",
        ],
        read: "SELECT label FROM \"Slots\" WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO \"Slots\" VALUES ($1, $2, 1, 2)",
        update: &["UPDATE \"Slots\" SET label = $2, \"from\" = 0, until = 1 WHERE id = $1"],
        read: "SELECT label FROM \"Slots\" WHERE id = $1",
    },
    offline: "ALTER TABLE \"Slots\" ADD CONSTRAINT \"from before until\" CHECK (\"from\" < until); \
        ALTER TABLE \"Slots\" ADD CHECK (label <> '')",
    wrong: "SELECT count(*) FROM pg_constraint WHERE NOT convalidated",
};
