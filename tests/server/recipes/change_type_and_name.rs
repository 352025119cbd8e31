//! `change_type` of columns that get another name as well.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261205050100_change_type_and_name",
    tables: "20261205050000_gauges",
    rows: "INSERT INTO gauges (id, code, \"Amount\") SELECT g, 'code ' || g, nullif(g % 5, 0) FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO gauges (id, code) VALUES ($1, $2)",
        update: &[
            "UPDATE gauges SET code = $2 WHERE id = $1",
            "UPDATE gauges SET code = $2, \"Amount\" = 1 WHERE id = $1",
            "UPDATE gauge_codes SET code = $2 WHERE id = $1",
        ],
        read: "SELECT code::text FROM gauges LEFT JOIN gauge_log USING (id)
            WHERE id = $1 AND \"Amount\" = 1 AND (seen = 0) = (last IS NULL) AND last IS NOT DISTINCT FROM nullif(code, CASE seen WHEN 0 THEN code END)",
    },
    new: Version {
        insert: "INSERT INTO gauges (id, label) VALUES ($1, $2)",
        update: &[
            "UPDATE gauges SET label = $2 WHERE id = $1",
            "UPDATE gauges SET label = $2, cents = 100 WHERE id = $1",
            "INSERT INTO gauges (id, label) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = excluded.label",
        ],
        read: "SELECT label::text FROM gauges LEFT JOIN gauge_log USING (id)
            WHERE id = $1 AND cents = 100 AND (seen = 0) = (last IS NULL) AND last IS NOT DISTINCT FROM nullif(label, CASE seen WHEN 0 THEN label END)",
    },
    offline: "DROP VIEW gauge_codes; DROP MATERIALIZED VIEW gauge_letters; DROP POLICY gauges_seen ON gauges;
        DROP TRIGGER gauges_seen ON gauges; DROP TRIGGER gauges_log ON gauges;
        ALTER TABLE gauges ALTER code TYPE varchar(60), ALTER \"Amount\" TYPE bigint USING \"Amount\" * 100;
        ALTER TABLE gauges ALTER \"Amount\" SET DEFAULT 100;
        CREATE VIEW gauge_codes AS SELECT id, code, upper(code) AS \"Upper\" FROM gauges WHERE code <> 'hidden';
        CREATE MATERIALIZED VIEW gauge_letters AS SELECT left(code, 1) AS letter, count(*) AS many FROM gauges GROUP BY 1;
        CREATE UNIQUE INDEX ON gauge_letters (letter);
        CREATE POLICY gauges_seen ON gauges USING (code <> 'secret');
        CREATE TRIGGER gauges_seen BEFORE UPDATE OF code ON gauges
        FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION count_gauge();
        CREATE TRIGGER gauges_log AFTER UPDATE OF code ON gauges
        FOR EACH ROW WHEN (OLD.code IS DISTINCT FROM NEW.code) EXECUTE FUNCTION log_gauge();
        ALTER TABLE gauges RENAME COLUMN code TO label;
        ALTER TABLE gauges RENAME COLUMN \"Amount\" TO cents",
    wrong: "SELECT count(*) FROM gauges WHERE id <= 3000 AND (seen <> 0 OR (label, cents) IS DISTINCT FROM ('code ' || id, nullif(id % 5, 0) * 100))
        OR id > 3000 AND cents <> 100",
};
