//! `add_foreign_key`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201060100_add_foreign_key",
    tables: "20261201060000_shipments",
    rows: "INSERT INTO carriers SELECT g, 'c' || g FROM generate_series(1, 10) g; \
        INSERT INTO shipments SELECT g, nullif(g % 11, 0), 'shipment ' || g FROM generate_series(1, 3000) g; \
        INSERT INTO labels SELECT g, 'c' || g % 10 + 1, nullif(g - 1, 0) FROM generate_series(1, 3000) g",
    old: Version {
        insert: "WITH l AS (INSERT INTO labels VALUES ($1, 'c1', $1)) INSERT INTO shipments VALUES ($1, 1, $2)",
        update: &[
            "UPDATE shipments SET note = $2, carrier = 1 + $1 % 10 WHERE id = $1",
            "INSERT INTO shipments VALUES ($1, 1, $2) ON CONFLICT (id) DO UPDATE SET note = excluded.note, carrier = 3",
        ],
        read: "SELECT note FROM shipments WHERE id = $1",
    },
    new: Version {
        insert: "WITH l AS (INSERT INTO labels VALUES ($1, NULL, 1)) INSERT INTO shipments VALUES ($1, NULL, $2)",
        update: &["UPDATE shipments SET note = $2, carrier = 2 WHERE id = $1"],
        read: "SELECT s.note FROM shipments s LEFT JOIN carriers c ON c.id = s.carrier WHERE s.id = $1",
    },
    offline: "CREATE INDEX ON shipments (carrier); \
        ALTER TABLE shipments ADD FOREIGN KEY (carrier) REFERENCES carriers ON DELETE SET NULL; \
        ALTER TABLE labels ADD CONSTRAINT \"By code\" FOREIGN KEY (carrier_code) REFERENCES carriers (code) \
            MATCH FULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED; \
        CREATE INDEX ON labels (\"Back to\"); ALTER TABLE labels ADD FOREIGN KEY (\"Back to\") REFERENCES labels (id)",
    wrong: "SELECT count(*) FROM pg_constraint WHERE NOT convalidated",
};
