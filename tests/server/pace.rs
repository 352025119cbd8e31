//! The pace: each signal drives it, windows and service levels end or hold it.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::process::Child;

use crate::harness::{Db, Ended, TestResult, check, same, tests, value};

tests![
    a_query_a_command_and_an_address_stop_it,
    sessions_and_old_transactions_slow_it,
    whoever_waits_for_us_is_let_through,
    the_log_and_its_slots_have_limits,
    dead_rows_wait_for_a_vacuum,
    a_signal_that_may_not_be_seen_is_said_once,
    a_limit_that_is_tuned_takes_effect,
    a_violated_service_level_holds_the_plan,
    a_window_that_closes_ends_it_cleanly,
    whoever_waits_says_what_for_and_leaves_no_trace,
    nice_and_rate_are_kept,
];

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const ROWS: u32 = 60_000;

pub(crate) async fn begin(db: &Db, settings: &str) -> TestResult {
    db.run(&format!("CREATE TABLE t (id int PRIMARY KEY, a int, note text DEFAULT repeat('x', 60)); INSERT INTO t SELECT generate_series(1, {ROWS}); ANALYZE t")).await?;
    db.file(
        "plans/1_p.yaml",
        &format!(
            "backfill:\n  - {{table: t, set: {{a: id}}, batch: {{rows: 100, pause: 10ms}}, {settings}}}\n"
        ),
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    Ok(())
}

/// Waits until a worker says that it stands still for a reason.
pub(crate) async fn stops(db: &Db, why: &str) -> TestResult {
    says(db, "stop", why).await
}

async fn says(db: &Db, pace: &str, why: &str) -> TestResult {
    let client = db.connect().await?;
    let sql = format!(
        "SELECT count(*) > 0 FROM phase.backfill_worker WHERE pace = '{pace}' AND why LIKE '%{}%'",
        why.replace('\'', "''")
    );
    let seen = async {
        while value(&client, &sql).await? != "t" {}
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    };
    match tokio::time::timeout(Duration::from_secs(15), seen).await {
        Ok(seen) => seen,
        Err(_) => {
            let said = db.value("SELECT coalesce(string_agg(pace || ': ' || coalesce(why, ''), '; '), 'no worker') FROM phase.backfill_worker").await?;
            Err(format!("it never said {pace}: {why}; it says {said}").into())
        }
    }
}

async fn written(db: &Db) -> Outcome<i64> {
    Ok(db.value("SELECT coalesce(sum(rows_written), 0) FROM phase.backfill_chunk").await?.parse()?)
}

/// Waits until the workers have said once more how they are: within a second or so.
async fn beats(db: &Db) -> TestResult {
    let client = db.connect().await?;
    let sql = "SELECT max(seen_at)::text FROM phase.backfill_worker";
    let before = value(&client, sql).await?;
    let beat = async {
        while value(&client, sql).await? == before {}
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    };
    tokio::time::timeout(Duration::from_secs(15), beat).await.map_err(|_| "no worker says how it is")?
}

/// Nothing moves while it stands still, and it goes on afterwards.
pub(crate) async fn stands_still(db: &Db) -> TestResult {
    // A batch may have been under way when it stopped.
    beats(db).await?;
    let before = written(db).await?;
    beats(db).await?;
    same!(written(db).await?, before, "it went on");
    Ok(())
}

pub(crate) async fn goes_on(db: &Db, mut child: Child) -> TestResult {
    let before = written(db).await?;
    while written(db).await? == before && child.try_wait()?.is_none() {}
    // The rest is not what is tested.
    let _ = db.phase(&["tune", "1", "--rows", "20000", "--limit", "congestion=off"]).await?;
    Ended::of(&child.wait_with_output().await?).expect(0)?;
    Ok(())
}

async fn a_query_a_command_and_an_address_stop_it(db: Db) -> TestResult {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let (status, flag) = (tokio::sync::watch::channel(503_u16), db.project.path().join("busy"));
    let answers = status.1.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0_u8; 1024];
            let _ = stream.read(&mut request).await;
            let answer =
                format!("HTTP/1.1 {} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", *answers.borrow());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    std::fs::write(&flag, "")?;
    db.run("CREATE TABLE health (fine boolean); INSERT INTO health VALUES (false)").await?;
    begin(&db, &format!("throttle: {{query: SELECT fine FROM health, http: 'http://user:secret@127.0.0.1:{port}/p99', command: 'test ! -e busy'}}")).await?;
    let child = db.start(&["backfill"])?;
    stops(&db, "the query of throttle gives f").await?;
    stands_still(&db).await?;
    db.run("UPDATE health SET fine = true").await?;
    stops(&db, "/p99 answers 503").await?;
    check!(
        !db.value("SELECT string_agg(why, ' ') FROM phase.backfill_worker").await?.contains("secret"),
        "a secret is shown"
    );
    status.0.send_replace(200);
    stops(&db, "the command ended with code 1").await?;
    std::fs::remove_file(&flag)?;
    goes_on(&db, child).await?;
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("stop: the query of throttle gives f"), "{history:?}");
    Ok(())
}

async fn sessions_and_old_transactions_slow_it(db: Db) -> TestResult {
    begin(&db, "throttle: {oldest_transaction: 2s, active_sessions: off}").await?;
    let other = db.connect().await?;
    other.batch_execute("BEGIN; SELECT 1").await?;
    let child = db.start(&["backfill"])?;
    stops(&db, "oldest transaction").await?;
    stands_still(&db).await?;
    other.batch_execute("COMMIT").await?;
    goes_on(&db, child).await
}

async fn whoever_waits_for_us_is_let_through(db: Db) -> TestResult {
    // A trigger makes one batch long, so that somebody can wait for it.
    begin(&db, "throttle: {congestion: false}").await?;
    db.run("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id = 50 THEN PERFORM pg_sleep(1.9); END IF; RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION slow()").await?;
    let child = db.start(&["backfill"])?;
    let sleeping = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()";
    while db.value(sleeping).await? != "t" {}
    let waiter = db.connect().await?;
    let waits =
        tokio::spawn(async move { waiter.batch_execute("UPDATE t SET note = 'mine' WHERE id = 1").await });
    waits.await??;
    // The stop may be over by now; that it was is on record.
    let recorded = "SELECT count(*) > 0 FROM phase.history WHERE detail LIKE 'stop: lock waiters 1 > 0%'";
    let seen = async {
        while db.value(recorded).await? != "t" {}
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    };
    tokio::time::timeout(Duration::from_secs(15), seen).await.map_err(|_| "nobody noticed the waiter")??;
    goes_on(&db, child).await
}

async fn the_log_and_its_slots_have_limits(db: Db) -> TestResult {
    begin(&db, "throttle: {wal_rate: 20kB/s}").await?;
    let child = db.start(&["backfill"])?;
    stops(&db, "WAL rate").await?;
    db.phase(&["tune", "1", "--limit", "wal_rate=off"]).await?.expect(0)?;
    goes_on(&db, child).await?;
    Ok(())
}

async fn dead_rows_wait_for_a_vacuum(db: Db) -> TestResult {
    begin(&db, "throttle: {bloat: 30%, vacuum: true}").await?;
    db.run("ALTER TABLE t SET (autovacuum_enabled = off); UPDATE t SET note = note || 'y'; SELECT pg_stat_clear_snapshot()").await?;
    let dead = "SELECT n_dead_tup > 50000 FROM pg_stat_user_tables WHERE relname = 't'";
    while db.value(dead).await? != "t" {}
    let child = db.start(&["backfill"])?;
    goes_on(&db, child).await?;
    same!(db.value("SELECT vacuum_count > 0 FROM pg_stat_user_tables WHERE relname = 't'").await?, "t");
    Ok(())
}

async fn a_signal_that_may_not_be_seen_is_said_once(db: Db) -> TestResult {
    begin(&db, "throttle: {active_sessions: 1000}").await?;
    let role = format!("r{}", db.name.split('_').next().unwrap_or_default());
    db.run(&format!("CREATE ROLE {role} LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public, phase TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA phase TO {role}; GRANT USAGE ON SCHEMA phase TO {role}")).await?;
    let other = db.connect().await?;
    other.batch_execute("BEGIN").await?;
    let url = db.url.replace("postgres@", &format!("{role}@"));
    let ended = Ended::of(&db.command(&["backfill"]).env("DATABASE_URL", url).output().await?).expect(0)?;
    let said = ended.stderr.matches("active sessions is unknown, which means go").count();
    same!(said, 1, "{ended:?}");
    check!(ended.stderr.contains("pg_monitor"), "{ended:?}");
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await?;
    Ok(())
}

async fn a_limit_that_is_tuned_takes_effect(db: Db) -> TestResult {
    begin(&db, "throttle: {congestion: false}").await?;
    let child = db.start(&["backfill"])?;
    let other = db.connect().await?;
    other.batch_execute("BEGIN; SELECT 1").await?;
    db.phase(&["tune", "1", "--limit", "oldest_transaction=1s"]).await?.expect(0)?;
    stops(&db, "oldest transaction").await?;
    let ended = db.phase(&["tune", "1", "--limit", "nonsense=1s"]).await?.expect(2)?;
    check!(ended.stderr.contains("is no signal"), "{ended:?}");
    db.phase(&["tune", "1", "--limit", "oldest_transaction=off"]).await?.expect(0)?;
    goes_on(&db, child).await
}

async fn a_violated_service_level_holds_the_plan(db: Db) -> TestResult {
    db.run("CREATE TABLE p99 (ms int); INSERT INTO p99 VALUES (10)").await?;
    begin(&db, "throttle: {congestion: false}").await?;
    let path = db.project.path().join("plans/1_p.yaml");
    db.phase(&["abort", "1"]).await?.expect(0)?;
    let text = format!(
        "{}slo: {{query: SELECT ms FROM p99, max: 250, grace: 1s}}\n",
        std::fs::read_to_string(path)?
    );
    db.file("plans/2_q.yaml", &text)?;
    db.phase(&["expand"]).await?.expect(0)?;
    let child = db.start(&["backfill"])?;
    while db.value("SELECT count(*) FROM phase.backfill_worker").await? == "0" {}
    db.run("UPDATE p99 SET ms = 900").await?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(5)?;
    check!(ended.stdout.contains("the slo's query gives 900 > 250, for longer than 1s"), "{ended:?}");
    same!(db.value("SELECT placed_by FROM phase.hold WHERE lifted_at IS NULL").await?, "phase");
    Ok(())
}

async fn a_window_that_closes_ends_it_cleanly(db: Db) -> TestResult {
    // It closes a few seconds from now, in the middle of a batch.
    let times = db.value("SELECT to_char(now() AT TIME ZONE 'UTC' - interval '1 hour', 'HH24:MI:SS') || '-' || to_char(now() AT TIME ZONE 'UTC' + interval '4 seconds', 'HH24:MI:SS')").await?;
    begin(&db, &format!("window: '{times} UTC', throttle: {{congestion: false}}")).await?;
    let ended = db.phase(&["backfill"]).await?.expect(5)?;
    check!(ended.stdout.contains("out of its window"), "{ended:?}");
    let done = written(&db).await?;
    check!(done > 0 && done < i64::from(ROWS), "{done}");
    same!(db.value("SELECT count(*) FROM t WHERE a IS NOT NULL").await?, done.to_string());
    let ended = db.phase(&["backfill"]).await?.expect(5)?;
    check!(ended.stdout.contains("which opens at"), "{ended:?}");
    same!(written(&db).await?, done);
    Ok(())
}

async fn whoever_waits_says_what_for_and_leaves_no_trace(db: Db) -> TestResult {
    let times = db.value("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 hour', 'HH24:MI') || '-' || to_char(now() AT TIME ZONE 'UTC' + interval '2 hours', 'HH24:MI')").await?;
    begin(&db, &format!("window: '{times} UTC'")).await?;
    let events = "SELECT count(*) FROM phase.history";
    let before = db.value(events).await?;
    let ended = db.phase(&["backfill", "--wait", "--max-duration", "2s"]).await?.expect(5)?;
    same!(ended.stderr.matches("which opens at").count(), 1, "{ended:?}");
    check!(ended.stdout.contains("its time is used up"), "{ended:?}");
    same!(db.value(events).await?, before, "{ended:?}");
    db.phase(&["pause", "1"]).await?.expect(0)?;
    let ended = db.phase(&["backfill", "--wait", "--max-duration", "2s"]).await?.expect(5)?;
    same!(ended.stderr.matches("phase resume 1").count(), 1, "{ended:?}");
    let status = db.phase(&["status", "1"]).await?.expect(0)?;
    check!(!status.stdout.contains("ETA"), "{status:?}");
    Ok(())
}

async fn nice_and_rate_are_kept(db: Db) -> TestResult {
    begin(&db, "throttle: {congestion: false, rate: 2000}").await?;
    db.phase(&["backfill", "--max-duration", "3s"]).await?.expect(5)?;
    let done = written(&db).await?;
    check!((1_000..=8_000).contains(&done), "{done} rows in three seconds at 2000 a second");
    db.phase(&["tune", "1", "--rate", "0", "--nice", "0.99", "--rows", "1000"]).await?.expect(0)?;
    db.phase(&["backfill", "--max-duration", "2s"]).await?.expect(5)?;
    let nice = written(&db).await? - done;
    check!(nice > 0 && nice < 40_000, "{nice} rows in two seconds at a hundredth of the time");
    Ok(())
}
