//! `drop_constraint` and `rename_constraint`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201070100_drop_constraint",
    tables: "20261201070000_rates",
    rows: "INSERT INTO rates (id, name, percent) SELECT g, 'rate ' || g, g % 51 FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO rates (id, name, percent) VALUES ($1, $2, 10)",
        update: &[
            "UPDATE rates SET name = $2 WHERE id = $1",
            "INSERT INTO rates (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        ],
        read: "SELECT name FROM rates WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO rates VALUES ($1, $2, 'EUR', 50)",
        update: &["UPDATE rates SET name = $2, percent = 0 WHERE id = $1"],
        read: "SELECT name FROM rates WHERE id = $1",
    },
    offline: "ALTER TABLE rates DROP CONSTRAINT rates_percent; \
        ALTER TABLE rates ADD CONSTRAINT rates_percent CHECK (percent BETWEEN 0 AND 100); \
        ALTER TABLE rates RENAME CONSTRAINT \"rates.name\" TO rates_name_once; \
        ALTER TABLE rates DROP CONSTRAINT rates_currency_fkey",
    wrong: "SELECT count(*) FROM pg_constraint WHERE NOT convalidated",
};
