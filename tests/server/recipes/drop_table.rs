//! `drop_table`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201250100_drop_table",
    tables: "20261201250000_posts",
    rows: "INSERT INTO posts SELECT g, 'post ' || g FROM generate_series(1, 3000) g;
        INSERT INTO \"Post \"\"log\"\"\" (post_id, said) SELECT id, label FROM posts",
    old: Version {
        insert: "INSERT INTO posts (id, label) VALUES ($1, $2)",
        update: &[
            "WITH log AS (INSERT INTO \"Post \"\"log\"\"\" (post_id, said) VALUES ($1, $2)) UPDATE posts SET label = $2 WHERE id = $1",
        ],
        read: "SELECT label FROM posts WHERE id = $1 AND (SELECT count(*) FROM \"Post \"\"log\"\"\" WHERE post_id = $1) >= 0",
    },
    new: Version {
        insert: "INSERT INTO posts (id, label) VALUES ($1, $2)",
        update: &["UPDATE posts SET label = $2 WHERE id = $1"],
        read: "SELECT label FROM posts WHERE id = $1",
    },
    offline: "DROP TABLE \"Post \"\"log\"\"\"",
    wrong: "SELECT count(*) FROM posts WHERE id <= 3000 AND label <> 'post ' || id",
};
