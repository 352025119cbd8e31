//! `remove_enum_value`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261203040100_remove_enum_value",
    tables: "20261203040000_visits",
    rows: "INSERT INTO visits (id, who, state, before) SELECT g, 'visit ' || g, (enum_range(NULL::\"Visit State\"))[1 + g % 3], CASE WHEN g % 2 = 0 THEN 'it''s maybe'::\"Visit State\" END FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO visits (id, who) VALUES ($1, $2)",
        update: &[
            "UPDATE visits SET who = $2, state = 'it''s maybe'::\"Visit State\", before = state WHERE id = $1",
            "UPDATE visits SET who = $2, before = 'it''s maybe' WHERE id = $1",
        ],
        read: "SELECT who FROM visits WHERE id = $1 AND state >= 'asked'::\"Visit State\"",
    },
    new: Version {
        insert: "INSERT INTO visits (id, who, state) VALUES ($1, $2, 'sure'::\"Visit State\")",
        update: &["UPDATE visits SET who = $2, before = state, state = 'asked' WHERE id = $1"],
        read: "SELECT who FROM visits WHERE id = $1 AND state >= 'asked'::\"Visit State\"",
    },
    offline: "DROP INDEX visits_sure; ALTER TABLE visitings DROP CONSTRAINT visitings_sure;
        CREATE TYPE v AS ENUM ('asked', 'sure'); COMMENT ON TYPE v IS 'How sure a visit is.'; REVOKE USAGE ON TYPE v FROM PUBLIC;
        ALTER TABLE visits ALTER state DROP DEFAULT,
        ALTER state TYPE v USING replace(state::text, 'it''s maybe', 'asked')::v,
        ALTER before TYPE v USING replace(before::text, 'it''s maybe', 'asked')::v;
        ALTER TABLE visitings ALTER state DROP DEFAULT, ALTER state TYPE v USING state::text::v;
        DROP TYPE \"Visit State\"; ALTER TYPE v RENAME TO \"Visit State\";
        ALTER TABLE visits ALTER state SET DEFAULT 'asked';
        ALTER TABLE visitings ALTER state SET DEFAULT 'sure', ADD CONSTRAINT visitings_sure CHECK (state = 'sure');
        CREATE INDEX visits_sure ON visits (who, state) WHERE state = 'sure'",
    wrong: "SELECT count(*) FROM visits WHERE id <= 3000 AND (state::text, before) IS DISTINCT FROM
        ((ARRAY['asked', 'asked', 'sure'])[1 + id % 3], CASE WHEN id % 2 = 0 THEN 'asked'::\"Visit State\" END)",
};
