//! `rename_column`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201010100_rename_column",
    tables: "20261201010000_members",
    rows: "INSERT INTO members (id, name, email) SELECT g, 'member ' || g, g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO members (id, name) VALUES ($1, $2)",
        update: &[
            "UPDATE members SET name = $2 WHERE id = $1",
            "INSERT INTO members (id, name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        ],
        read: "SELECT name FROM member_names WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO members (id, display_name) VALUES ($1, $2)",
        update: &[
            "UPDATE members SET display_name = $2 WHERE id = $1",
            "INSERT INTO members (id, display_name) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET display_name = excluded.display_name",
            "UPDATE members SET display_name = $2, email = 'e' WHERE id = $1 AND display_name IS NOT NULL",
        ],
        read: "SELECT display_name FROM members WHERE id = $1",
    },
    offline: "ALTER TABLE members RENAME COLUMN name TO display_name",
    // The trigger of the column counts what either version changes.
    wrong: "SELECT count(*) FROM members WHERE id > 3000 AND seen = 0 OR id <= 3000 AND (seen <> 0 OR display_name <> 'member ' || id)",
};
