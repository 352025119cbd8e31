//! `transform_column`.

use super::Example;
use super::clients::Version;

pub(super) const EXAMPLE: Example = Example {
    plan: "20261202010100_transform_column",
    tables: "20261202010000_letters",
    rows: "INSERT INTO letters SELECT g, 'dear ' || g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO letters (id, text) VALUES ($1, $2)",
        update: &["UPDATE letters SET text = $2 WHERE id = $1"],
        read: "SELECT text FROM letters WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO letters (id, body) VALUES ($1, convert_to($2, 'UTF8'))",
        update: &[
            "UPDATE letters SET body = convert_to($2, 'UTF8') WHERE id = $1",
            "INSERT INTO letters (id, body) VALUES ($1, convert_to($2, 'UTF8')) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        ],
        read: "SELECT convert_from(body, 'UTF8') FROM letters WHERE id = $1",
    },
    offline: "ALTER TABLE letters ADD COLUMN body bytea NOT NULL DEFAULT ''; ALTER TABLE letters ALTER body DROP DEFAULT, DROP COLUMN text",
    wrong: "SELECT count(*) FROM letters WHERE id <= 3000 AND body <> convert_to('dear ' || id, 'UTF8')",
};
