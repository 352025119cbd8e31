//! `sql`, among other recipes.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261203020100_sql",
    tables: "20261203020000_payments",
    rows: "INSERT INTO payments (id, note, cents) SELECT g, 'payment ' || g, g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO payments (id, note, cents) VALUES ($1, $2, 150)",
        update: &["UPDATE payments SET note = $2, cents = 250 WHERE id = $1"],
        read: "SELECT note FROM payments JOIN payers p ON p.id = payer WHERE payments.id = $1 AND cents IN (150, 250, 325) AND p.name = 'Ada'",
    },
    new: Version {
        insert: "INSERT INTO payments (id, note, euros) VALUES ($1, $2, 1.5)",
        update: &["UPDATE payments SET note = $2, euros = 3.25 WHERE id = $1"],
        read: "SELECT note FROM payments JOIN payers p ON p.id = payer WHERE payments.id = $1 AND euros IN (1.5, 2.5, 3.25) AND coalesce(\"Full name\", 'Ada') = 'Ada'",
    },
    offline: "ALTER TABLE payments ADD COLUMN euros numeric NOT NULL DEFAULT 0; ALTER TABLE payments ALTER euros DROP DEFAULT;
        CREATE STATISTICS payments_by_note ON note, euros FROM payments; ALTER TABLE payments DROP COLUMN cents;
        ALTER TABLE payers RENAME COLUMN name TO \"Full name\"; COMMENT ON COLUMN payers.\"Full name\" IS 'As on the bill.'",
    wrong: "SELECT count(*) FROM payments WHERE id <= 3000 AND euros <> id / 100.0",
};
