//! `replace_index`.

use super::Example;
use super::clients::Version;

const SERVES: Version = Version {
    insert: "INSERT INTO songs (id, label, year) VALUES ($1, $2, 1999)",
    update: &[
        "UPDATE songs SET label = $2 WHERE id = $1",
        "UPDATE songs SET label = $2, year = year + 1 WHERE id = $1",
    ],
    read: "SELECT label FROM songs WHERE id = $1",
};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201220100_replace_index",
    tables: "20261201220000_songs",
    rows: "INSERT INTO songs (id, label, year) SELECT g, 'song ' || g, nullif(g % 100, 0) FROM generate_series(1, 3000) g",
    old: SERVES,
    new: SERVES,
    offline: "DROP INDEX \"Songs once\"; CREATE UNIQUE INDEX \"Songs once\" ON songs (label, year, id);
        DROP INDEX songs_year; CREATE INDEX songs_year ON songs (year, lower(label)) INCLUDE (id)",
    wrong: "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
};
