//! Many workers, in one process and in several: kills, stops, restarts, control;
//! no row lost, none written twice but for the batch of a worker that died.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use phase::throwaway::{Cluster, Options};
use tokio::process::Child;

use crate::harness::{Db, Ended, TestResult, check, connect, same, tests, value};

tests![
    fifty_kills_lose_no_row,
    a_worker_that_sleeps_past_its_lease_cannot_write,
    every_connection_may_be_cut,
    any_one_session_may_be_cut,
    an_immediate_restart_is_taken_up,
    two_processes_share_the_work,
    processes_that_start_together_share_it_too,
    a_worker_without_a_session_does_not_stop_the_others,
    tune_pause_and_resume_take_effect_within_a_second,
    abort_stops_a_backfill_that_runs,
    a_table_that_is_rewritten_is_walked_again,
    a_key_of_another_type_starts_the_walk_again,
    partitions_that_come_and_go_are_followed,
];

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A table that counts how often each row was written.
fn counted(rows: u32) -> String {
    format!(
        "CREATE TABLE t (id int PRIMARY KEY, a int, writes int NOT NULL DEFAULT 0, note text DEFAULT repeat('x', 60));
         INSERT INTO t SELECT generate_series(1, {rows});
         CREATE FUNCTION count_writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.writes := OLD.writes + 1; RETURN NEW; END $$;
         CREATE TRIGGER count_writes BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION count_writes(); ANALYZE t"
    )
}

async fn begin(db: &Db, rows: u32, settings: &str) -> TestResult {
    db.run(&counted(rows)).await?;
    db.file("plans/1_p.yaml", &format!("backfill:\n  - {{table: t, set: {{a: id}}, {settings}}}\n"))?;
    db.phase(&["expand"]).await?.expect(0)?;
    Ok(())
}

async fn written(db: &Db) -> Outcome<i64> {
    Ok(db.value("SELECT CASE WHEN to_regclass('phase.backfill_chunk') IS NULL THEN 0 ELSE (SELECT coalesce(sum(rows_written), 0) FROM phase.backfill_chunk) END").await?.parse()?)
}

/// Waits until more than `rows` are written, or the process has ended.
async fn past(db: &Db, rows: i64, child: &mut Child) -> Outcome<bool> {
    loop {
        if written(db).await? > rows {
            return Ok(true);
        }
        if child.try_wait()?.is_some() {
            return Ok(false);
        }
    }
}

fn signal(child: &Child, signal: Signal) -> TestResult {
    let pid = i32::try_from(child.id().ok_or("it has ended")?)?;
    Ok(kill(Pid::from_raw(pid), signal)?)
}

/// Every row is right, written once, and the record agrees.
async fn exact(db: &Db, rows: u32) -> TestResult {
    same!(db.value("SELECT count(*) FILTER (WHERE a IS DISTINCT FROM id) || ' ' || count(*) FILTER (WHERE writes <> 1) FROM t").await?, "0 0");
    same!(written(db).await?, i64::from(rows));
    same!(db.value("SELECT rows || ' ' || out_of_step FROM phase.proof").await?, format!("{rows} 0"));
    same!(db.value("SELECT state FROM phase.item").await?, "backfilled");
    Ok(())
}

async fn fifty_kills_lose_no_row(db: Db) -> TestResult {
    const ROWS: u32 = 300_000;
    begin(&db, ROWS, "workers: 2, batch: {rows: 200, pause: 1ms}").await?;
    let mut kills = 0;
    for n in 0..50 {
        let mut child = db.start(&["backfill", "--lock-wait", "30s"])?;
        // A different moment each time: after some rows, and some way into what follows.
        let before = written(&db).await?;
        if past(&db, before + n * 30, &mut child).await? {
            tokio::time::sleep(Duration::from_millis((n * 37 % 40).unsigned_abs())).await;
        }
        kills += i32::from(child.try_wait()?.is_none());
        child.start_kill()?;
        child.wait().await?;
        if db.value("SELECT state FROM phase.item").await? == "backfilled" {
            break;
        }
    }
    check!(kills >= 40, "only {kills} kills met it at work");
    db.phase(&["backfill", "--lock-wait", "30s"]).await?.expect(0)?;
    exact(&db, ROWS).await
}

async fn a_worker_that_sleeps_past_its_lease_cannot_write(db: Db) -> TestResult {
    begin(&db, 30_000, "batch: {rows: 100, pause: 1ms}").await?;
    let mut sleeper = db.start(&["backfill"])?;
    past(&db, 1_000, &mut sleeper).await?;
    signal(&sleeper, Signal::SIGSTOP)?;
    // Its session is there still, so only the end of its lease frees the chunk.
    db.run("UPDATE phase.backfill_chunk SET lease_until = clock_timestamp() - interval '1 second' WHERE worker IS NOT NULL").await?;
    let mut other = db.start(&["backfill"])?;
    let before = written(&db).await?;
    past(&db, before + 1_000, &mut other).await?;
    same!(db.value("SELECT count(*) FROM phase.backfill_chunk WHERE pass = 1 AND epoch = 2").await?, "1");
    signal(&sleeper, Signal::SIGCONT)?;
    Ended::of(&sleeper.wait_with_output().await?).expect(0)?;
    Ended::of(&other.wait_with_output().await?).expect(0)?;
    exact(&db, 30_000).await
}

async fn every_connection_may_be_cut(db: Db) -> TestResult {
    begin(&db, 60_000, "workers: 2, batch: {rows: 100, pause: 1ms}").await?;
    let mut child = db.start(&["backfill"])?;
    for n in 1..=3 {
        past(&db, n * 8_000, &mut child).await?;
        db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'phase'").await?;
    }
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    check!(ended.stderr.contains("connecting again"), "{ended:?}");
    exact(&db, 60_000).await
}

async fn any_one_session_may_be_cut(db: Db) -> TestResult {
    const LOCKS: &str = "SELECT pid FROM pg_locks WHERE locktype = 'advisory'";
    const WORKERS: &str = "SELECT backend FROM phase.backfill_worker";
    let kinds = [
        format!("pid IN ({LOCKS})"),
        format!("pid NOT IN ({LOCKS}) AND pid NOT IN ({WORKERS})"),
        format!("pid IN ({WORKERS})"),
    ];
    begin(&db, 100_000, "batch: {rows: 100, pause: 1ms}").await?;
    let mut child = db.start(&["backfill"])?;
    past(&db, 0, &mut child).await?;
    // The other one takes the lead over when the lock is free.
    let other = db.start(&["backfill"])?;
    for (n, kind) in (1..).zip(kinds.iter().cycle().take(6)) {
        past(&db, n * 8_000, &mut child).await?;
        db.run(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'phase' AND {kind}")).await?;
    }
    for child in [child, other] {
        Ended::of(&child.wait_with_output().await?).expect(0)?;
    }
    exact(&db, 100_000).await
}

async fn an_immediate_restart_is_taken_up(db: Db) -> TestResult {
    // A server of its own: the others would not like it.
    let options = Options { settings: vec![("fsync".into(), "on".into())] };
    let mut cluster = Cluster::start(&db.binaries, &options)?;
    let url = cluster.url("postgres");
    let client = connect(&url).await?;
    client.batch_execute(&counted(60_000)).await?;
    drop(client);
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: id}, workers: 2, batch: {rows: 100, pause: 1ms}}\n",
    )?;
    let run = |args: &[&str]| {
        let mut command = db.command(args);
        command.env("DATABASE_URL", &url);
        command
    };
    Ended::of(&run(&["expand"]).output().await?).expect(0)?;
    let child = run(&["backfill"]).spawn()?;
    for n in 1..=2 {
        let client = connect(&url).await?;
        let sql = format!("SELECT coalesce(sum(rows_written), 0) > {} FROM phase.backfill_chunk", n * 10_000);
        while value(&client, &sql).await? != "t" {}
        drop(client);
        cluster.crash_and_restart()?;
    }
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    check!(ended.stderr.contains("connecting again"), "{ended:?}");
    let client = connect(&url).await?;
    let wrong = "SELECT count(*) FILTER (WHERE a IS DISTINCT FROM id) || ' ' || count(*) FILTER (WHERE writes <> 1) FROM t";
    same!(value(&client, wrong).await?, "0 0");
    cluster.stop();
    Ok(())
}

async fn two_processes_share_the_work(db: Db) -> TestResult {
    begin(&db, 60_000, "batch: {rows: 100, pause: 2ms}").await?;
    let mut first = db.start(&["backfill"])?;
    past(&db, 500, &mut first).await?;
    let mut second = db.start(&["backfill"])?;
    let both = "SELECT count(DISTINCT runner) FROM phase.backfill_worker";
    while db.value(both).await? != "2" {
        check!(first.try_wait()?.is_none() && second.try_wait()?.is_none(), "it was over before they met");
    }
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    same!(status["plans"][0]["backfill"]["workers"], 2);
    Ended::of(&first.wait_with_output().await?).expect(0)?;
    Ended::of(&second.wait_with_output().await?).expect(0)?;
    exact(&db, 60_000).await
}

async fn tune_pause_and_resume_take_effect_within_a_second(db: Db) -> TestResult {
    begin(&db, 200_000, "batch: {rows: 100, pause: 5ms}").await?;
    let mut child = db.start(&["backfill", "--wait"])?;
    past(&db, 500, &mut child).await?;
    // Half a second is the measure's own slack on a busy machine.
    let limit = Duration::from_millis(1_500);
    let soon = |sql: &'static str| async { tokio::time::timeout(limit, until(&db, sql)).await };
    db.phase(&["tune", "1", "--workers", "3", "--rows", "250"]).await?.expect(0)?;
    soon("SELECT count(*) = 3 AND min(batch_rows) = 250 FROM phase.backfill_worker")
        .await
        .map_err(|_| "tune took too long")??;
    db.phase(&["pause", "1"]).await?.expect(0)?;
    soon("SELECT count(*) = 0 FROM phase.backfill_chunk WHERE worker IS NOT NULL")
        .await
        .map_err(|_| "pause took too long")??;
    let held = written(&db).await?;
    tokio::time::sleep(Duration::from_millis(700)).await;
    same!(written(&db).await?, held, "it went on while it was paused");
    db.phase(&["resume", "1"]).await?.expect(0)?;
    soon("SELECT count(*) > 0 FROM phase.backfill_chunk WHERE worker IS NOT NULL")
        .await
        .map_err(|_| "resume took too long")??;
    db.phase(&["tune", "1", "--reset", "--target", "50ms"]).await?.expect(0)?;
    soon("SELECT count(*) = 1 FROM phase.backfill_worker WHERE seen_at > clock_timestamp() - interval '2 seconds'").await.map_err(|_| "reset took too long")??;
    signal(&child, Signal::SIGINT)?;
    Ended::of(&child.wait_with_output().await?).expect(5)?;
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("tune"), "{history:?}");
    Ok(())
}

async fn until(db: &Db, sql: &str) -> TestResult {
    let client = db.connect().await?;
    while value(&client, sql).await? != "t" {}
    Ok(())
}

async fn abort_stops_a_backfill_that_runs(db: Db) -> TestResult {
    db.run(&counted(100_000)).await?;
    db.file("plans/1_p.yaml", "expand:\n  - {sql: ALTER TABLE t ADD COLUMN b int, undo: ALTER TABLE t DROP COLUMN b}\nbackfill:\n  - {table: t, set: {b: id}, workers: 2, batch: {rows: 100, pause: 2ms}}\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    let mut runner = db.start(&["backfill"])?;
    past(&db, 500, &mut runner).await?;
    let helper = db.start(&["backfill"])?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    for child in [runner, helper] {
        let ended = Ended::of(&child.wait_with_output().await?).expect(5)?;
        check!(!ended.stderr.contains("error"), "{ended:?}");
    }
    same!(
        db.value("SELECT state || ' ' || (SELECT count(*) FROM phase.backfill) FROM phase.item").await?,
        "aborted 0"
    );
    same!(
        db.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'")
            .await?,
        "0"
    );
    same!(db.value("SELECT count(*) FROM phase.hold WHERE lifted_at IS NULL").await?, "0");
    Ok(())
}

async fn a_table_that_is_rewritten_is_walked_again(db: Db) -> TestResult {
    begin(&db, 40_000, "batch: {rows: 100, pause: 1ms}").await?;
    let mut child = db.start(&["backfill"])?;
    past(&db, 2_000, &mut child).await?;
    db.run("CREATE INDEX back ON t (id DESC)").await?;
    db.run("CLUSTER t USING back").await?;
    Ended::of(&child.wait_with_output().await?).expect(0)?;
    same!(db.value("SELECT count(*) FILTER (WHERE a IS DISTINCT FROM id) || ' ' || count(*) FILTER (WHERE writes <> 1) FROM t").await?, "0 0");
    Ok(())
}

async fn a_key_of_another_type_starts_the_walk_again(db: Db) -> TestResult {
    begin(&db, 5_000, "key: [id], batch: {rows: 50, pause: 2ms}").await?;
    let mut child = db.start(&["backfill"])?;
    past(&db, 500, &mut child).await?;
    signal(&child, Signal::SIGINT)?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(5)?;
    let before = written(&db).await?;
    check!(before < 5_000, "{ended:?}");
    db.run("ALTER TABLE t ALTER COLUMN id TYPE text, ALTER COLUMN a TYPE text").await?;
    db.phase(&["backfill"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FILTER (WHERE a IS DISTINCT FROM id) || ' ' || count(*) FILTER (WHERE writes <> 1) FROM t").await?, "0 0");
    Ok(())
}

async fn partitions_that_come_and_go_are_followed(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int, a int, PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (5000);
         CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (5000) TO (10000);
         CREATE TABLE t3 (id int PRIMARY KEY, a int);
         INSERT INTO t SELECT generate_series(0, 9999); INSERT INTO t3 SELECT generate_series(10000, 14999)",
    )
    .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: id}, batch: {rows: 50, pause: 2ms}}\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    let mut child = db.start(&["backfill"])?;
    past(&db, 500, &mut child).await?;
    db.run("ALTER TABLE t ATTACH PARTITION t3 FOR VALUES FROM (10000) TO (15000); ALTER TABLE t DETACH PARTITION t2").await?;
    Ended::of(&child.wait_with_output().await?).expect(0)?;
    same!(
        db.value("SELECT count(*) || ' ' || count(*) FILTER (WHERE a IS DISTINCT FROM id) FROM t").await?,
        "10000 0"
    );
    Ok(())
}

async fn processes_that_start_together_share_it_too(db: Db) -> TestResult {
    begin(&db, 20_000, "batch: {rows: 500}, throttle: {congestion: false}").await?;
    let children: Vec<Child> = (0..4).map(|_| db.start(&["backfill"])).collect::<Result<_, _>>()?;
    for child in children {
        Ended::of(&child.wait_with_output().await?).expect(0)?;
    }
    same!(db.value("SELECT count(*) FROM t WHERE a IS DISTINCT FROM id").await?, "0");
    same!(db.value("SELECT max(writes) FROM t").await?, "1");
    Ok(())
}

async fn a_worker_without_a_session_does_not_stop_the_others(db: Db) -> TestResult {
    let few = [("max_connections", "12"), ("superuser_reserved_connections", "0")];
    let few = few.map(|(name, value)| (name.into(), value.into())).into();
    let cluster = Cluster::start(&db.binaries, &Options { settings: few })?;
    let db = Db { url: cluster.url("postgres"), ..db };
    begin(&db, 20_000, "batch: {rows: 500}, workers: 20, throttle: {congestion: false}").await?;
    let ended = db.phase(&["backfill"]).await?.expect(0)?;
    check!(ended.stderr.contains("has no session"), "{ended:?}");
    same!(db.value("SELECT count(*) FROM t WHERE a IS DISTINCT FROM id").await?, "0");
    Ok(())
}
