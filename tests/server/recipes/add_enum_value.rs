//! `add_enum_value`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261203010100_add_enum_value",
    tables: "20261203010000_tickets",
    rows: "INSERT INTO tickets (id, what, state) SELECT g, 'ticket ' || g, 'it''s open' FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO tickets (id, what) VALUES ($1, $2)",
        update: &["UPDATE tickets SET what = $2, state = 'closed' WHERE id = $1"],
        read: "SELECT what FROM tickets WHERE id = $1 AND state >= 'new'",
    },
    new: Version {
        insert: "INSERT INTO tickets (id, what, state) VALUES ($1, $2, 'waiting \\')",
        update: &[
            "UPDATE tickets SET what = $2, state = 'won''t do', was = was || state WHERE id = $1",
            "UPDATE tickets SET what = $2, state = 'waiting \\' WHERE id = $1",
        ],
        read: "SELECT what FROM tickets WHERE id = $1 AND state IS NOT NULL",
    },
    // A label may not be used before it is committed.
    offline: "BEGIN; ALTER TYPE \"Ticket State\" ADD VALUE 'won''t do';
        ALTER TYPE \"Ticket State\" ADD VALUE 'waiting \\' BEFORE 'closed'; COMMIT;
        ALTER TABLE tickets ALTER state SET DEFAULT 'waiting \\'",
    wrong: "SELECT count(*) FROM tickets WHERE id <= 3000 AND state <> 'it''s open'",
};
