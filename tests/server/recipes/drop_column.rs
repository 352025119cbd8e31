//! `drop_column`.

use super::clients::Version;
use super::{Example, advance, begin};
use crate::harness::{Db, TestResult, same};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201240100_drop_column",
    tables: "20261201240000_guests",
    rows: "INSERT INTO hosts SELECT g FROM generate_series(0, 9) g;
        INSERT INTO guests SELECT g, 'guest ' || g, 'guest ' || g || '!', nullif(g % 10, 7), 2 FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO guests (id, label, \"Shout \"\"it\"\"\", host) VALUES ($1, $2, $2 || '!', 3)",
        update: &[
            "UPDATE guests SET label = $2, \"Shout \"\"it\"\"\" = $2 || '!!' WHERE id = $1",
            "UPDATE guests SET label = $2, \"Shout \"\"it\"\"\" = $2 || '!', host = 3, seats = seats + 1 WHERE id = $1",
        ],
        read: "SELECT rtrim(\"Shout \"\"it\"\"\", '!') FROM guests WHERE id = $1 AND seats > 0",
    },
    new: Version {
        insert: "INSERT INTO guests (id, label) VALUES ($1, $2)",
        update: &[
            "UPDATE guests SET label = $2 WHERE id = $1",
            "INSERT INTO guests (id, label) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET label = excluded.label",
        ],
        read: "SELECT label FROM guests WHERE id = $1",
    },
    offline: "ALTER TABLE guests DROP COLUMN \"Shout \"\"it\"\"\", DROP COLUMN host, DROP COLUMN seats",
    wrong: "SELECT count(*) FROM guests WHERE id <= 3000 AND label <> 'guest ' || id",
};

/// What old code writes is never computed over.
pub(super) async fn keeps_what_is_given(db: &Db) -> TestResult {
    const SHOUT: &str = "SELECT \"Shout \"\"it\"\"\" FROM guests WHERE id = 9001";
    begin(db, &EXAMPLE).await?;
    advance(db, EXAMPLE.plan, "expanded").await?;
    for (sql, shout) in [
        ("INSERT INTO guests (id, label, \"Shout \"\"it\"\"\") VALUES (9001, 'a', 'given')", "given"),
        ("UPDATE guests SET seats = 4 WHERE id = 9001", "given"),
        ("UPDATE guests SET label = 'b', \"Shout \"\"it\"\"\" = 'again' WHERE id = 9001", "again"),
        ("UPDATE guests SET label = 'c' WHERE id = 9001", "c!"),
        ("DELETE FROM guests WHERE id = 9001; INSERT INTO guests (id, label) VALUES (9001, 'd')", "d!"),
    ] {
        db.run(sql).await?;
        same!(db.value(SHOUT).await?, shout);
    }
    Ok(())
}
