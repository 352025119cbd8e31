//! `add_exclusion`.

use super::clients::Version;
use super::{Example, begin};
use crate::harness::{Db, TestResult, check};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261201080100_add_exclusion",
    tables: "20261201080000_turns",
    rows: "INSERT INTO turns SELECT g, 'turn ' || g FROM generate_series(1, 3000) g",
    old: Version {
        insert: "INSERT INTO turns VALUES ($1, $2)",
        update: &[
            "UPDATE turns SET who = $2 WHERE id = $1",
            "INSERT INTO turns VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET who = excluded.who",
        ],
        read: "SELECT who FROM turns WHERE id = $1",
    },
    new: Version {
        insert: "INSERT INTO turns VALUES ($1, $2, true)",
        update: &["UPDATE turns SET who = $2, given_up = NOT given_up WHERE id = $1"],
        read: "SELECT who FROM turns WHERE id = $1",
    },
    offline: "ALTER TABLE turns ADD CONSTRAINT turns_apart EXCLUDE USING gist (int8range(id, id + 1) WITH &&) WHERE (NOT given_up)",
    wrong: "SELECT count(*) FROM pg_index WHERE NOT indisvalid",
};

/// Without a reason for the outage nothing runs where the table is not known to be small.
pub(super) async fn refused(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    let file = db.project.path().join(format!("plans/{}.yaml", EXAMPLE.plan));
    let text = std::fs::read_to_string(&file)?;
    let (before, _) = text.split_once("      outage:").unwrap_or((&text, ""));
    std::fs::write(&file, before)?;
    let ended = db.phase(&["check", EXAMPLE.plan]).await?;
    check!(ended.code == Some(2) && format!("{ended:?}").contains("add-exclusion"), "{ended:?}");
    Ok(())
}
