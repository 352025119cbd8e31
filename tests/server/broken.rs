//! Files that are not right: they stop commands over all plans, and never one about another plan.

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    a_broken_file_stops_no_command_about_another_plan,
    a_broken_file_stops_commands_over_all,
    what_is_in_flight_is_shown_though_its_file_is_broken,
    a_plan_does_not_start_before_an_older_broken_one,
];

const PLAN: &str = "expand:\n  - {sql: ALTER TABLE t ADD b text, undo: ALTER TABLE t DROP b}\nbackfill:\n  - {table: t, set: {b: a}, where: b IS NULL}\nvalidate:\n  - not_null: {table: t, column: b}\n";
/// The format knows no such step.
const FORMAT: &str = "expand:\n  - foo: {}\n";
/// What does not parse is found only when it is compiled.
const SQL: &str = "expand:\n  - {sql: SELEC 1, undo: SELECT 1}\n";

async fn expanded(db: &Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a text); INSERT INTO t VALUES (1, 'a'), (2, 'b')").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.file("plans/2_bad.yaml", FORMAT)?;
    db.file("plans/3_worse.yaml", SQL)?;
    Ok(())
}

async fn a_broken_file_stops_no_command_about_another_plan(db: Db) -> TestResult {
    expanded(&db).await?;
    for args in [
        &["pause", "1"][..],
        &["status", "1"],
        &["resume", "p"],
        &["tune", "1", "--workers", "1"],
        &["approve", "1_p"],
        &["show", "1"],
        &["show", "plans/1_p.yaml", "--offline"],
        &["backfill", "1"],
        &["quarantine", "1"],
        &["retry-bad", "1"],
        &["validate", "1", "--prove"],
        &["advance", "1", "--dry-run"],
        &["history", "1"],
        &["abort", "1"],
    ] {
        let ended = db.phase(args).await?.expect(0)?;
        for said in ["plans/2_bad.yaml:2:5: ", "plans/3_worse.yaml:2:11: ", "goes on without this file"] {
            check!(ended.stderr.contains(said), "{args:?}: {said} is missing: {ended:?}");
        }
        check!(!ended.stderr.contains("missing"), "{args:?}: {ended:?}");
    }
    same!(db.value("SELECT state FROM phase.item").await?, "aborted");
    Ok(())
}

async fn a_broken_file_stops_commands_over_all(db: Db) -> TestResult {
    expanded(&db).await?;
    for args in [&["expand"][..], &["check"], &["backfill"], &["advance"], &["pause", "2"], &["show", "wor"]]
    {
        let ended = db.phase(args).await?.expect(2)?;
        check!(ended.stderr.contains("plans/2_bad") || ended.stderr.contains("plans/3_worse"), "{ended:?}");
    }
    // What names two files names none, broken or not.
    db.file("plans/4_poor.yaml", FORMAT)?;
    db.file("plans/5_poorer.yaml", PLAN)?;
    let ended = db.phase(&["show", "poo"]).await?.expect(2)?;
    check!(ended.stderr.contains("may mean any of 5_poorer, 4_poor"), "{ended:?}");
    let ended = db.phase(&["status"]).await?.expect(2)?;
    for said in ["phase backfill 1", "broken: plans/2_bad.yaml:2:5: ", "broken: plans/3_worse.yaml:2:11: "] {
        check!(ended.stdout.contains(said), "{said} is missing: {ended:?}");
    }
    let status = db.phase(&["status", "--json"]).await?.expect(2)?.json()?;
    let file = |n: usize| status["broken"][n]["file"].as_str();
    same!([file(0), file(1)], [Some("plans/2_bad.yaml"), Some("plans/4_poor.yaml")]);
    Ok(())
}

async fn what_is_in_flight_is_shown_though_its_file_is_broken(db: Db) -> TestResult {
    expanded(&db).await?;
    std::fs::remove_file(db.project.path().join("plans/2_bad.yaml"))?;
    std::fs::remove_file(db.project.path().join("plans/3_worse.yaml"))?;
    db.file("plans/1_p.yaml", &format!("{PLAN}contract:\n  - foo: {{}}\n"))?;
    let status = db.phase(&["status", "--json"]).await?.expect(2)?.json()?;
    same!(status["plans"][0]["state"].as_str(), Some("expanded"));
    same!(status["broken"][0]["file"].as_str(), Some("plans/1_p.yaml"));
    // It is there, only not right.
    same!(status["drift"].as_array().map(Vec::len), Some(0));
    let ended = db.phase(&["abort", "1"]).await?.expect(2)?;
    check!(ended.stderr.contains("plans/1_p.yaml:8:5: "), "{ended:?}");
    Ok(())
}

async fn a_plan_does_not_start_before_an_older_broken_one(db: Db) -> TestResult {
    expanded(&db).await?;
    db.file("plans/4_q.yaml", "expand:\n  - {sql: CREATE TABLE q (), undo: DROP TABLE q}\n")?;
    let ended = db.phase(&["advance", "4"]).await?.expect(3)?;
    check!(ended.stdout.contains("2_bad") && ended.stdout.contains("3_worse"), "{ended:?}");
    db.phase(&["advance", "4", "--out-of-order"]).await?.expect(0)?;
    Ok(())
}
