//! Many runners at the same moment: each step runs once.

use crate::harness::{Db, Ended, TestResult, check, same, tests};

tests![twenty_expands_run_each_item_once, a_held_lock_names_its_holder, a_fenced_runner_writes_nothing];

async fn twenty_expands_run_each_item_once(db: Db) -> TestResult {
    for n in 1..=10 {
        if n % 5 == 0 {
            db.file(
                &format!("plans/{n}_plan{n}.yaml"),
                &format!("expand:\n  - sql: ALTER TABLE t{} ADD COLUMN c int\n    undo: ALTER TABLE t{} DROP COLUMN c\n", n - 1, n - 1),
            )?;
        } else {
            db.file(
                &format!("migrations/{n}_m{n}.sql"),
                &format!("CREATE TABLE IF NOT EXISTS ran (item int); INSERT INTO ran VALUES ({n}); CREATE TABLE t{n} (id int PRIMARY KEY);"),
            )?;
        }
    }
    let children: Vec<_> = (0..20).map(|_| db.start(&["expand"])).collect::<Result<_, _>>()?;
    let mut codes = Vec::new();
    for child in children {
        let ended = Ended::of(&child.wait_with_output().await?);
        check!(matches!(ended.code, Some(0 | 4)), "{ended:?}");
        codes.push(ended.code);
    }
    check!(codes.contains(&Some(0)), "nobody got through: {codes:?}");
    same!(db.value("SELECT count(*) || ' ' || count(DISTINCT item) FROM ran").await?, "8 8");
    same!(db.value("SELECT count(*) FROM phase.step WHERE status = 'done' AND attempts = 1").await?, "10");
    let started = "SELECT count(*) FROM phase.history WHERE event = 'step' AND outcome = 'ok'";
    same!(db.value(started).await?, "10");
    Ok(())
}

async fn a_held_lock_names_its_holder(db: Db) -> TestResult {
    db.file("migrations/1_slow.sql", "SELECT pg_sleep(4); CREATE TABLE t (id int PRIMARY KEY)")?;
    db.phase(&["init"]).await?.expect(0)?;
    let first = db.start(&["expand"])?;
    let holds = "SELECT count(*) FROM phase.lock_holder WHERE lock = 'timeline'";
    while db.value(holds).await? == "0" {}
    let second = db.phase(&["expand"]).await?.expect(4)?;
    for part in [
        "another runner has the lock on timeline",
        "phase expand of",
        "backend pid",
        "user postgres",
        "since",
    ] {
        check!(second.stderr.contains(part), "{part} is missing: {}", second.stderr);
    }
    let json = db.phase(&["expand", "--json"]).await?.expect(4)?.json()?;
    same!(json["error"]["code"], 4);
    let patient = db.phase(&["expand", "--lock-wait", "60s"]).await?.expect(0)?;
    check!(patient.stdout.contains("nothing is pending"), "{patient:?}");
    Ended::of(&first.wait_with_output().await?).expect(0)?;
    Ok(())
}

async fn a_fenced_runner_writes_nothing(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, 20000)")
        .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: id}, batch: {rows: 10, pause: 5ms}}\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    let child = db.start(&["backfill"])?;
    let rows = "SELECT coalesce(sum(rows_written), 0) > 100 FROM phase.backfill_chunk";
    while db.value(rows).await? != "t" {}
    // Another runner takes the plan over and begins to take it back, as it would after a lost lock session.
    db.run("UPDATE phase.item SET epoch = epoch + 1, goal = 'aborted'; UPDATE phase.backfill_chunk SET epoch = epoch + 1")
        .await?;
    let before = db.value("SELECT count(*) FROM t WHERE a IS NOT NULL").await?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(1)?;
    check!(ended.stderr.contains("another runner took over"), "{ended:?}");
    check!(ended.stdout.contains("it is being aborted"), "{ended:?}");
    same!(db.value("SELECT count(*) FROM t WHERE a IS NOT NULL").await?, before);
    same!(db.value("SELECT state FROM phase.item").await?, "expanded");
    Ok(())
}
