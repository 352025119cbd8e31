//! `change_type` of a column on which everything hangs that can be carried over.

use super::clients::Version;
use super::{Example, advance, begin};
use crate::harness::{Db, Ended, TestResult, check};

pub(super) const EXAMPLE: Example = Example {
    plan: "20261205020100_change_type_of_much",
    tables: "20261205020000_crates",
    rows: "INSERT INTO crates (id, code) SELECT g, 'code ' || g FROM generate_series(1, 3000) g; REFRESH MATERIALIZED VIEW crate_letters",
    old: VERSION,
    new: VERSION,
    offline: include_str!("change_type_of_much.sql"),
    wrong: "SELECT count(*) FROM crates WHERE id <= 3000 AND (renewed <> 0 OR code <> 'code ' || id) OR code = 'none yet'",
};

const VERSION: Version = Version {
    insert: "INSERT INTO crates (id, code) VALUES ($1, $2)",
    update: &[
        "UPDATE crates SET code = $2 WHERE id = $1",
        "UPDATE crate_codes SET code = $2, note = 'by a view' WHERE id = $1",
        "INSERT INTO crates (id, code) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET code = excluded.code",
    ],
    read: "SELECT code::text FROM crate_codes JOIN \"Crate notes\" USING (id) WHERE id = $1",
};

fn said(ended: &Ended, what: &str) -> bool {
    ended.stdout.contains(what) || ended.stderr.contains(what)
}

/// A view that the new type does not fit fails in expand; one that has changed since, or come, stops contract.
pub(super) async fn stops(db: &Db) -> TestResult {
    begin(db, &EXAMPLE).await?;
    db.run(
        "CREATE FUNCTION seen(varchar) RETURNS int LANGUAGE sql AS 'SELECT 1'; \
        CREATE VIEW crate_seen AS SELECT seen(code) FROM crates",
    )
    .await?;
    let plan = db.project.path().join(format!("plans/{}.yaml", EXAMPLE.plan));
    let text = std::fs::read_to_string(&plan)?;
    std::fs::write(&plan, text.replace("varchar(60)", "bigint, using: length(code), default: '0'"))?;
    let ended = db.phase(&["advance", EXAMPLE.plan, "--to", "expanded", "--quiet"]).await?;
    check!(ended.code == Some(1) && said(&ended, "seen(bigint) does not exist"), "{ended:?}");
    db.phase(&["abort", EXAMPLE.plan, "--quiet"]).await?.expect(0)?;
    // What was aborted is written anew.
    std::fs::remove_file(&plan)?;
    let again = "20261205020200_again";
    std::fs::write(db.project.path().join(format!("plans/{again}.yaml")), &text)?;
    advance(db, again, "validated").await?;
    db.run(
        "CREATE OR REPLACE VIEW crate_most AS SELECT letter, code FROM crate_letters ORDER BY many LIMIT 1",
    )
    .await?;
    let ended = db.phase(&["contract", again, "--quiet"]).await?;
    check!(
        ended.code == Some(1) && said(&ended, "view crate_most is not as it was when the plan started"),
        "{ended:?}"
    );
    db.run("DROP VIEW crate_most; CREATE VIEW crate_most AS SELECT letter, code FROM crate_letters ORDER BY many DESC LIMIT 1").await?;
    db.run("CREATE VIEW late AS SELECT code FROM crates").await?;
    let ended = db.phase(&["contract", again, "--quiet"]).await?;
    check!(ended.code == Some(1) && said(&ended, "view late has come since the plan started"), "{ended:?}");
    db.run("DROP VIEW late").await?;
    advance(db, again, "contracted").await
}
