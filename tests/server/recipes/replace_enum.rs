//! `replace_enum`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261203030100_replace_enum",
    tables: "20261203030000_errands",
    rows: "INSERT INTO errands (id, what, state) SELECT g, 'errand ' || g, (enum_range(NULL::state))[1 + g % 5] FROM generate_series(1, 3000) g",
    old: VERSION,
    // New code must know the words of both: it uses one that is the same.
    new: VERSION,
    offline: "CREATE TYPE \"Errand State\" AS ENUM ('open', 'on it''s way', 'done', 'dropped');
        DROP INDEX errands_open; ALTER TABLE errands DROP CONSTRAINT errands_not_new, ALTER state DROP DEFAULT,
        ALTER state TYPE \"Errand State\" USING (CASE state WHEN 'new' THEN 'open' WHEN 'under way' THEN 'on it''s way'
            WHEN 'done' THEN 'done' ELSE 'dropped' END)::\"Errand State\",
        ALTER state SET DEFAULT 'open',
        ADD CONSTRAINT errands_not_new CHECK (state <> 'open' OR what <> '');
        CREATE INDEX errands_open ON errands (state, what) WHERE state IN ('open', 'on it''s way')",
    wrong: "SELECT count(*) FROM errands WHERE id <= 3000
        AND state::text <> (ARRAY['open', 'on it''s way', 'done', 'dropped', 'dropped'])[1 + id % 5]",
};

const VERSION: Version = Version {
    insert: "INSERT INTO errands (id, what) VALUES ($1, $2)",
    update: &[
        "UPDATE errands SET what = $2, state = 'done' WHERE id = $1",
        "UPDATE errands SET what = $2 WHERE id = $1",
    ],
    read: "SELECT what FROM errands WHERE id = $1 AND state IS NOT NULL",
};
