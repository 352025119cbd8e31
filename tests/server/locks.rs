//! DDL among other sessions: it retries, says who is in the way, and nobody
//! waits long behind it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Db, Ended, TestResult, check, connect, same, tests};

tests![an_expand_gets_through_behind_a_long_reader, a_step_gives_up_after_lock_wait_max];

/// What a statement of the application may wait beyond lock_timeout.
const MARGIN: Duration = Duration::from_millis(200);

async fn an_expand_gets_through_behind_a_long_reader(db: Db) -> TestResult {
    const HELD: u64 = 30;
    db.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 100)").await?;
    db.file(
        "plans/1_p.yaml",
        "expand:\n  - sql: ALTER TABLE t ADD COLUMN a int\n    undo: ALTER TABLE t DROP COLUMN a\n",
    )?;
    let reader = db.connect().await?;
    reader
        .batch_execute("SET application_name = 'long reader'; BEGIN; LOCK TABLE t IN ACCESS SHARE MODE")
        .await?;
    let since = Instant::now();
    let child = db.start(&["expand"])?;
    let done = Arc::new(AtomicBool::new(false));
    let probe = tokio::spawn(probe(db.url.clone(), Arc::clone(&done)));
    reader.batch_execute(&format!("SELECT pg_sleep({HELD}); COMMIT")).await?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    let took = since.elapsed();
    done.store(true, Ordering::SeqCst);
    let (longest, probes) = probe.await??;
    check!(took >= Duration::from_secs(HELD), "it got through while the reader was there: {took:?}");
    check!(probes > 1_000, "only {probes} probes");
    let limit = Duration::from_secs(1) + MARGIN;
    check!(longest <= limit, "a probe waited {longest:?}, more than {limit:?}");
    for part in ["attempt 1", "in the way: pid", "application long reader", "idle in transaction"] {
        let also = part == "idle in transaction" && ended.stderr.contains("active");
        check!(ended.stderr.contains(part) || also, "{part} is missing: {}", ended.stderr);
    }
    same!(db.value("SELECT state FROM phase.item").await?, "expanded");
    Ok(())
}

/// Reads from the table every 10 ms; the longest read, and how many.
async fn probe(
    url: String,
    done: Arc<AtomicBool>,
) -> Result<(Duration, u32), Box<dyn std::error::Error + Send + Sync>> {
    let client = connect(&url).await?;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut longest, mut probes) = (Duration::ZERO, 0);
    while !done.load(Ordering::SeqCst) {
        tick.tick().await;
        let began = Instant::now();
        client.simple_query("SELECT id FROM t WHERE id = 1").await?;
        longest = longest.max(began.elapsed());
        probes += 1;
    }
    Ok((longest, probes))
}

async fn a_step_gives_up_after_lock_wait_max(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY)").await?;
    db.file(
        "plans/1_p.yaml",
        "settings: {lock_timeout: 100ms, lock_wait_max: 1s}\nexpand:\n  - sql: ALTER TABLE t ADD COLUMN a int\n    undo: ALTER TABLE t DROP COLUMN a\n",
    )?;
    let reader = db.connect().await?;
    reader
        .batch_execute("SET application_name = 'long reader'; BEGIN; LOCK TABLE t IN ACCESS SHARE MODE")
        .await?;
    let ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("got no lock within"), "{ended:?}");
    same!(db.value("SELECT state || ' ' || goal FROM phase.item").await?, "planned expanded");
    reader.batch_execute("COMMIT").await?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    same!(db.value("SELECT attempts FROM phase.step").await?, "2");
    Ok(())
}
