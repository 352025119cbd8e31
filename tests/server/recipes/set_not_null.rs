//! `set_not_null`, `drop_not_null`, `set_default` and `drop_default`.

use super::clients::Version;
use super::{Example, advance, begin, shape_of};
use crate::harness::{Db, TestResult, check};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201030100_set_not_null",
    tables: "20261201030000_visitors",
    rows: "INSERT INTO visitors (id, \"Full \"\"Name\"\"\", phone, nick) \
        SELECT g, 'guest ' || g, '0', CASE WHEN g % 2 = 0 THEN 'n' END FROM generate_series(1, 3000) g",
    old: Version {
        // Relies on the default that is dropped.
        insert: "INSERT INTO visitors (id, \"Full \"\"Name\"\"\", phone, nick) VALUES ($1, $2, '1', 'o')",
        update: &[
            "UPDATE visitors SET \"Full \"\"Name\"\"\" = $2 WHERE id = $1",
            "INSERT INTO visitors (id, \"Full \"\"Name\"\"\", phone, nick) VALUES ($1, $2, '1', 'o') \
             ON CONFLICT (id) DO UPDATE SET \"Full \"\"Name\"\"\" = excluded.\"Full \"\"Name\"\"\", nick = excluded.nick",
        ],
        read: "SELECT \"Full \"\"Name\"\"\" FROM visitors WHERE id = $1 AND visits >= 0",
    },
    new: Version {
        insert: "INSERT INTO visitors (id, \"Full \"\"Name\"\"\", phone, nick, visits) VALUES ($1, $2, '2', 'n', 1)",
        update: &["UPDATE visitors SET \"Full \"\"Name\"\"\" = $2, nick = 'm' WHERE id = $1"],
        read: "SELECT \"Full \"\"Name\"\"\" FROM visitors WHERE id = $1 AND nick IS NOT NULL",
    },
    offline: "UPDATE visitors SET nick = '' WHERE nick IS NULL; ALTER TABLE visitors ALTER nick SET NOT NULL;
        ALTER TABLE visitors ALTER phone DROP NOT NULL; ALTER TABLE visitors ALTER status SET DEFAULT 'it''s new';
        ALTER TABLE visitors ALTER visits DROP DEFAULT",
    wrong: "SELECT count(*) FROM visitors WHERE id <= 3000 AND nick <> CASE WHEN id % 2 = 0 THEN 'n' ELSE lower('GUEST ') || id END",
};

/// A row that new code has left null stops the way back, which goes on when it has a value.
pub(super) async fn stopped_by_null(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    let before = shape_of(db).await?;
    advance(db, EXAMPLE.plan, "expanded").await?;
    db.run("INSERT INTO visitors (id, \"Full \"\"Name\"\"\", nick) VALUES (0, 'x', 'y')").await?;
    let stopped = db.phase(&["abort", EXAMPLE.plan, "--quiet"]).await?;
    check!(stopped.code == Some(1), "{stopped:?}");
    check!(format!("{stopped:?}").contains("visitors_phone"), "{stopped:?}");
    let help = "mend the rows, and go on at once: phase abort";
    check!(stopped.stderr.contains(help), "{stopped:?}");
    db.run("UPDATE visitors SET phone = '' WHERE phone IS NULL").await?;
    db.phase(&["abort", EXAMPLE.plan, "--quiet"]).await?.expect(0)?;
    let differences = before.diff(&shape_of(db).await?);
    check!(differences.is_empty(), "{}", super::described(&differences));
    Ok(())
}
