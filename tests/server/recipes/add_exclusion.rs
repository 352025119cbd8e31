//! `add_exclusion`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201080100_add_exclusion",
    tables: "20261201080000_turns",
    rows: "INSERT INTO turns SELECT g, 'turn ' || g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO turns VALUES ($1, $2)",
        update: &[
            "UPDATE turns SET who = $2 WHERE id = $1",
            "INSERT INTO turns VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET who = excluded.who",
        ],
        read: "SELECT who FROM turns WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO turns VALUES ($1, $2, true)",
        update: &["UPDATE turns SET who = $2, given_up = NOT given_up WHERE id = $1"],
        read: "SELECT who FROM turns WHERE id = $1",
    },
    offline: "ALTER TABLE turns ADD CONSTRAINT turns_apart EXCLUDE USING gist (int8range(id, id + 1) WITH &&) WHERE (NOT given_up)",
    wrong: "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
};
