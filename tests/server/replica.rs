//! A streaming replica that falls behind stops a backfill, and lets it go on.

use phase::throwaway::{Cluster, Options};
use tokio::process::Child;

use crate::harness::{Db, TestResult, check, connect, tests, value};

tests![a_replica_that_is_late_is_waited_for];

const ROWS: u32 = 20_000;

async fn a_replica_that_is_late_is_waited_for(db: Db) -> TestResult {
    let none = Options::default();
    let (primary, replica) = Cluster::start_with_replica(&db.binaries, &none, &none)?;
    let db = Db { url: primary.url("postgres"), ..db };
    db.run(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, {ROWS}); ANALYZE t"
    ))
    .await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: id}, batch: {rows: 50, pause: 10ms}, throttle: {replica_lag: 1s}}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    let there = connect(&replica.url("postgres")).await?;
    while value(&there, "SELECT count(*) FROM pg_class WHERE relname = 'backfill_chunk'").await? != "1" {}
    there.batch_execute("SELECT pg_wal_replay_pause()").await?;
    let child = db.start(&["backfill"])?;
    let here = db.connect().await?;
    let stopped =
        "SELECT count(*) FROM phase.backfill_worker WHERE pace = 'stop' AND why LIKE 'replica lag%'";
    // The lag of a replica that stands still grows with every second of work.
    while value(&here, stopped).await? == "0" {}
    check!(left(&here).await? > 0, "it was over before the replica was late");
    there.batch_execute("SELECT pg_wal_replay_resume()").await?;
    over(child).await?;
    check!(left(&here).await? == 0, "rows are left");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("stop: replica lag"), "{history:?}");
    Ok(())
}

async fn left(client: &tokio_postgres::Client) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
    Ok(value(client, "SELECT count(*) FROM t WHERE a IS DISTINCT FROM id").await?.parse()?)
}

async fn over(child: Child) -> TestResult {
    crate::harness::Ended::of(&child.wait_with_output().await?).expect(0)?;
    Ok(())
}
