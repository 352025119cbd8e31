//! What a drop_column takes along can be accepted in the plan.

use crate::harness::{Db, TestResult, check, same, tests};

tests![what_goes_with_a_dropped_column_can_be_accepted];

async fn what_goes_with_a_dropped_column_can_be_accepted(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id bigint PRIMARY KEY, a int UNIQUE)").await?;
    let plan = |lint: &str| format!("contract:\n  - drop_column: {{table: t, column: a}}\n{lint}keep: 1s\n");
    let accept = "    lint: {allow: [{rule: drop-column-takes-along, reason: nobody asks by it}]}\n";
    db.file("plans/1_p.yaml", &plan(""))?;
    let ended = db.phase(&["advance", "1", "--to", "completed"]).await?;
    check!(ended.code == Some(2) && ended.stderr.contains("drop-column-takes-along"), "{ended:?}");
    db.file("plans/1_p.yaml", &plan(accept))?;
    let told = db.phase(&["check", "--online", "--json"]).await?.expect(0)?.json()?;
    same!(told["findings"][0]["allowed"], "nobody asks by it");
    db.phase(&["advance", "1", "--to", "completed", "--wait"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass").await?, "1");
    // Offline nobody knows what hangs there, and online it accepts nothing any more.
    db.file("plans/2_q.yaml", &plan(accept).replace("column: a", "column: b"))?;
    db.run("ALTER TABLE t ADD COLUMN b int").await?;
    check!(!db.phase(&["check"]).await?.stdout.contains("unused-allow"), "told without the catalog");
    let told = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!((told.stdout + &told.stderr).contains("unused-allow"), "an idle acceptance is not told");
    Ok(())
}
