//! DETACH PARTITION CONCURRENTLY: what interrupts it between its two transactions leaves a
//! partition that the next run, or an abort, brings to an end.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tokio::process::Child;

use crate::harness::{Db, Ended, SCHEMA, TestResult, check, same, tests, value};

tests![
    a_detach_that_was_interrupted_is_finalized,
    a_detach_that_was_killed_is_finalized,
    an_abort_attaches_what_was_half_detached,
    a_detach_that_is_not_ours_is_left_alone,
    nobody_waits_longer_for_a_detach_than_lock_timeout,
    a_partition_that_is_dropped_meanwhile_is_nothing_to_wait_for,
    an_abort_goes_on_where_the_partition_is_gone,
];

const TABLE: &str = "CREATE TABLE p (id int, a text) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (100);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200);
INSERT INTO p SELECT i, 'x' FROM generate_series(0, 199) i";
/// PostgreSQL leaves the partition a CHECK with its bounds, so that it can come back without a scan.
const PLAN: &str = "expand: []
contract:
  - sql: ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY
    undo: |
      ALTER TABLE p ATTACH PARTITION p1 FOR VALUES FROM (0) TO (100);
      ALTER TABLE p1 DROP CONSTRAINT p1_id_check
";
const PENDING: &str =
    "SELECT string_agg(inhdetachpending::text, ',') FROM pg_inherits WHERE inhrelid = 'p1'::regclass";

/// A database whose next step is the detach; `None` where the server knows no such thing.
async fn before(db: &Db, settings: &str) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
    if db.major < 14 {
        return Ok(None);
    }
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", &format!("{settings}{PLAN}"))?;
    let schema = db.value(SCHEMA).await?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    Ok(Some(schema))
}

/// Awaits that the detach is between its transactions.
async fn pending(db: &Db, child: &mut Child) -> TestResult {
    let watch = db.connect().await?;
    while value(&watch, PENDING).await? != "true" {
        check!(child.try_wait()?.is_none(), "it ended: {:?}", db.phase(&["history", "1"]).await?);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

/// Leaves the detach half done, by a signal while it waits for a reader of the table.
async fn interrupted(db: &Db, signal: Signal) -> Result<Ended, Box<dyn std::error::Error + Send + Sync>> {
    let reader = db.connect().await?;
    reader.batch_execute(READS).await?;
    let mut child = db.start(&["contract", "1"])?;
    pending(db, &mut child).await?;
    let pid = child.id().ok_or("it is over")?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.try_into()?), signal)?;
    let ended = Ended::of(&child.wait_with_output().await?);
    reader.batch_execute("COMMIT").await?;
    Ok(ended)
}

/// In the way of the detach between its transactions, and of nothing before it.
const READS: &str = "BEGIN; LOCK TABLE ONLY p IN ACCESS SHARE MODE";

async fn a_detach_that_was_interrupted_is_finalized(db: Db) -> TestResult {
    if before(&db, "").await?.is_none() {
        return Ok(());
    }
    let ended = interrupted(&db, Signal::SIGINT).await?;
    check!(ended.stderr.contains("p1 is half detached"), "{ended:?}");
    same!(db.value(PENDING).await?, "true");
    db.phase(&["contract", "1"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'p1'::regclass").await?, "0");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("stopped"), "{history:?}");
    check!(history.stdout.contains("DETACH PARTITION \"p1\" FINALIZE"), "{history:?}");
    Ok(())
}

async fn a_detach_that_was_killed_is_finalized(db: Db) -> TestResult {
    if before(&db, "").await?.is_none() {
        return Ok(());
    }
    interrupted(&db, Signal::SIGKILL).await?;
    db.phase(&["contract", "1"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'p1'::regclass").await?, "0");
    Ok(())
}

async fn an_abort_attaches_what_was_half_detached(db: Db) -> TestResult {
    let Some(schema) = before(&db, "").await? else { return Ok(()) };
    interrupted(&db, Signal::SIGINT).await?;
    same!(db.value(PENDING).await?, "true");
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, schema);
    same!(db.value(PENDING).await?, "false");
    same!(db.value("SELECT count(*) FROM p").await?, "200");
    Ok(())
}

async fn a_detach_that_is_not_ours_is_left_alone(db: Db) -> TestResult {
    if before(&db, "").await?.is_none() {
        return Ok(());
    }
    let (reader, other) = (db.connect().await?, db.connect().await?);
    reader.batch_execute(READS).await?;
    other.batch_execute("SET statement_timeout = '200ms'").await?;
    check!(
        other.batch_execute("ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY").await.is_err(),
        "it did not wait"
    );
    reader.batch_execute("COMMIT").await?;
    let ended = db.phase(&["contract", "1"]).await?.expect(1)?;
    check!(ended.stdout.contains("somebody else has begun to detach p1"), "{ended:?}");
    same!(db.value(PENDING).await?, "true");
    Ok(())
}

async fn nobody_waits_longer_for_a_detach_than_lock_timeout(db: Db) -> TestResult {
    if before(&db, "settings: {lock_timeout: 300ms, lock_wait_max: 60s}\n").await?.is_none() {
        return Ok(());
    }
    let (reader, shop, late) = (db.connect().await?, db.connect().await?, db.connect().await?);
    reader.batch_execute(READS).await?;
    let mut child = db.start(&["contract", "1"])?;
    pending(&db, &mut child).await?;
    // Reads the partition by its own name: the second transaction waits for it, and the application behind that.
    late.batch_execute("BEGIN; SELECT count(*) FROM p1").await?;
    reader.batch_execute("COMMIT").await?;
    let (since, mut longest) = (Instant::now(), Duration::ZERO);
    while longest < Duration::from_millis(200) {
        check!(since.elapsed() < Duration::from_secs(20), "nobody ever waited");
        let began = Instant::now();
        shop.batch_execute("SELECT count(*) FROM p1").await?;
        longest = longest.max(began.elapsed());
    }
    late.batch_execute("COMMIT").await?;
    Ended::of(&child.wait_with_output().await?).expect(0)?;
    check!(longest < Duration::from_millis(500), "a query waited {longest:?}");
    same!(db.value("SELECT count(*) FROM pg_inherits WHERE inhrelid = 'p1'::regclass").await?, "0");
    Ok(())
}

async fn a_partition_that_is_dropped_meanwhile_is_nothing_to_wait_for(db: Db) -> TestResult {
    if before(&db, "").await?.is_none() {
        return Ok(());
    }
    // One that was never begun with is not known to be gone.
    db.run("ALTER TABLE p1 RENAME TO p9").await?;
    db.phase(&["contract", "1"]).await?.expect(2)?;
    db.run("ALTER TABLE p9 RENAME TO p1").await?;
    interrupted(&db, Signal::SIGINT).await?;
    // Under another name it is half detached still.
    db.run("ALTER TABLE p1 RENAME TO p9").await?;
    let ended = db.phase(&["contract", "1"]).await?.expect(1)?;
    check!(ended.stdout.contains("give it its name back"), "{ended:?}");
    db.run("DROP TABLE p9").await?;
    let ended = db.phase(&["contract", "1"]).await?.expect(0)?;
    check!(ended.stderr.contains("p1 is not there any more"), "{ended:?}");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("gone"), "{history:?}");
    same!(db.value("SELECT count(*) FROM p").await?, "100");
    Ok(())
}

async fn an_abort_goes_on_where_the_partition_is_gone(db: Db) -> TestResult {
    if before(&db, "").await?.is_none() {
        return Ok(());
    }
    interrupted(&db, Signal::SIGINT).await?;
    db.run("DROP TABLE p1").await?;
    let ended = db.phase(&["abort", "1"]).await?.expect(0)?;
    check!(ended.stderr.contains("nothing of it can be attached again"), "{ended:?}");
    same!(db.value("SELECT state FROM phase.item").await?, "aborted");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("gone"), "{history:?}");
    Ok(())
}
