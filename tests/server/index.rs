//! Concurrent index builds: what fails leaves nothing, what a crash left is
//! found, and our own sessions are never what a build waits for.

use crate::harness::{Db, Ended, SCHEMA, TestResult, check, same, tests};

tests![
    a_failed_build_leaves_no_invalid_index,
    an_invalid_leftover_is_dropped_and_built_again,
    an_index_of_that_name_that_is_not_ours_is_refused,
    a_build_waits_for_old_snapshots_and_says_so,
];

const TABLE: &str =
    "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i";
const PLAN: &str = "validate:\n  - index: {table: t, columns: [a], unique: true, name: t_a}\n";

async fn a_failed_build_leaves_no_invalid_index(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("INSERT INTO t VALUES (5000, 7)").await?;
    let before = db.value(SCHEMA).await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(1)?;
    check!(ended.stderr.contains("Key (a)=(7) is duplicated"), "{ended:?}");
    same!(db.value(SCHEMA).await?, before);
    db.run("DELETE FROM t WHERE id = 5000").await?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "t");
    Ok(())
}

async fn an_invalid_leftover_is_dropped_and_built_again(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("INSERT INTO t VALUES (5000, 7)").await?;
    // What a build leaves that was killed: PostgreSQL's own, not an imitation.
    check!(
        db.run("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)").await.is_err(),
        "the duplicate was not seen"
    );
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "f");
    db.run("DELETE FROM t WHERE id = 5000").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    same!(
        db.value("SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = 't_a'::regclass").await?,
        "t"
    );
    Ok(())
}

async fn an_index_of_that_name_that_is_not_ours_is_refused(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("CREATE INDEX t_a ON t (id)").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(1)?;
    check!(ended.stderr.contains("an index of this name is there already"), "{ended:?}");
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "t");
    Ok(())
}

async fn a_build_waits_for_old_snapshots_and_says_so(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file(
        "plans/1_p.yaml",
        &format!("settings: {{lock_timeout: 100ms, statement_timeout: 200ms}}\n{PLAN}"),
    )?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    let old = db.connect().await?;
    old.batch_execute(
        "SET application_name = 'old report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t",
    )
    .await?;
    let child = db.start(&["validate"])?;
    // It waits for the report, beyond every time limit of a plain statement.
    let waits = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%' AND datname = current_database()";
    while db.value(waits).await? == "0" {}
    old.batch_execute("SELECT pg_sleep(1.5); COMMIT").await?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    check!(
        ended.stderr.contains("waiting for") && ended.stderr.contains("application old report"),
        "{ended:?}"
    );
    Ok(())
}
