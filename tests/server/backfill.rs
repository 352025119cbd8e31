//! Backfills: kinds, keys, kills, brakes; no row lost, none done twice.

use std::time::Duration;

use crate::harness::{Db, Ended, TestResult, check, same, tests};

tests![
    every_kind_of_key_is_walked,
    a_killed_backfill_goes_on_at_its_cursor,
    locked_rows_are_taken_by_the_second_pass,
    pause_stops_after_the_batch,
    a_time_budget_ends_with_work_left,
    copy_and_delete_do_what_they_say,
    an_expression_that_gives_null_still_ends,
    an_interrupt_stops_at_a_safe_place,
    a_cut_connection_is_taken_up_again,
];

async fn every_kind_of_key_is_walked(db: Db) -> TestResult {
    db.run(
        "DO $$ BEGIN CREATE COLLATION odd (provider = icu, locale = 'de-u-co-phonebk');
         EXCEPTION WHEN feature_not_supported THEN CREATE COLLATION odd (provider = libc, locale = 'C'); END $$;
         CREATE TABLE k1 (id bigint PRIMARY KEY, v text, w text); INSERT INTO k1 SELECT i * i - 500, 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k2 (id uuid PRIMARY KEY, v text, w text); INSERT INTO k2 SELECT md5(i::text)::uuid, 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k3 (id text COLLATE odd PRIMARY KEY, v text, w text); INSERT INTO k3 SELECT 'Ä''\\\"{},' || i, 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k4 (a int, b timestamptz, c text, v text, w text, PRIMARY KEY (b, a, c));
         INSERT INTO k4 SELECT i % 7, '2020-01-01'::timestamptz + (i % 13) * interval '1 day 1 microsecond', i::text, 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k5 (id numeric(30, 10) PRIMARY KEY, v text, w text); INSERT INTO k5 SELECT i / 3.0, 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k6 (id bytea PRIMARY KEY, v text, w text); INSERT INTO k6 SELECT decode(md5(i::text), 'hex'), 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k7 (n int NOT NULL, m int NOT NULL, v text, w text, UNIQUE (m, n)); INSERT INTO k7 SELECT i, i % 10, 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k8 (id int, v text, w text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
         CREATE TABLE k8a PARTITION OF k8 FOR VALUES FROM (0) TO (400); CREATE TABLE k8b PARTITION OF k8 DEFAULT;
         INSERT INTO k8 SELECT i, 'x' || i FROM generate_series(1, 1000) i;
         CREATE TABLE k9 (id int PRIMARY KEY, v text, w text)",
    )
    .await?;
    let mut plan = String::from("backfill:\n");
    for n in 1..=9 {
        let key = if n == 7 { ", key: [m, n]" } else { "" };
        plan += &format!("  - {{table: k{n}, set: {{w: upper(v)}}, batch: {{rows: 37, pause: 0s}}{key}}}\n");
    }
    db.file("plans/1_p.yaml", &plan)?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    for n in 1..=9 {
        let wrong = format!("SELECT count(*) FROM k{n} WHERE w IS DISTINCT FROM upper(v)");
        same!(db.value(&wrong).await?, "0", "k{n}");
    }
    let counts = "SELECT string_agg(written::text, ' ' ORDER BY step) FROM (SELECT step, sum(rows_written) AS written FROM phase.backfill_chunk GROUP BY step) x";
    same!(db.value(counts).await?, "1000 1000 1000 1000 1000 1000 1000 1000 0");
    Ok(())
}

const WIDE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, writes int NOT NULL DEFAULT 0);
INSERT INTO t SELECT generate_series(1, 20000);
CREATE FUNCTION count_writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.writes := OLD.writes + 1; RETURN NEW; END $$;
CREATE TRIGGER count_writes BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION count_writes()";
const SLOW: &str = "backfill:\n  - {table: t, set: {a: id}, batch: {rows: 50, pause: 2ms}}\n";

/// Starts a backfill and waits until it is in the middle.
async fn under_way(db: &Db) -> Result<tokio::process::Child, Box<dyn std::error::Error + Send + Sync>> {
    db.run(WIDE).await?;
    db.file("plans/1_p.yaml", SLOW)?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let child = db.start(&["backfill"])?;
    while db.value("SELECT coalesce(sum(rows_written), 0) > 1000 FROM phase.backfill_chunk").await? != "t" {}
    Ok(child)
}

/// The rest of it, and that every row was written once.
async fn finish(db: &Db) -> TestResult {
    db.phase(&["backfill", "--lock-wait", "30s"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE a IS DISTINCT FROM id OR writes <> 1").await?, "0");
    same!(db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?, "20000");
    Ok(())
}

async fn a_killed_backfill_goes_on_at_its_cursor(db: Db) -> TestResult {
    let mut child = under_way(&db).await?;
    child.start_kill()?;
    child.wait().await?;
    let done = db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?;
    check!(done != "20000", "it was over before the kill");
    finish(&db).await
}

async fn a_cut_connection_is_taken_up_again(db: Db) -> TestResult {
    let child = under_way(&db).await?;
    db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'phase'").await?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    check!(ended.stderr.contains("connecting again"), "{ended:?}");
    finish(&db).await
}

async fn an_interrupt_stops_at_a_safe_place(db: Db) -> TestResult {
    let child = under_way(&db).await?;
    let pid = i32::try_from(child.id().ok_or("it has ended")?)?;
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGINT)?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(5)?;
    check!(ended.stdout.contains("interrupted"), "{ended:?}");
    finish(&db).await
}

async fn pause_stops_after_the_batch(db: Db) -> TestResult {
    let child = under_way(&db).await?;
    db.phase(&["pause", "1", "--reason", "too hot"]).await?.expect(0)?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(5)?;
    check!(ended.stdout.contains("too hot"), "{ended:?}");
    let ended = db.phase(&["backfill"]).await?.expect(5)?;
    check!(ended.stdout.contains("paused by postgres/"), "{ended:?}");
    // Whoever waits goes on by itself, within a second.
    let patient = db.start(&["backfill", "--wait"])?;
    db.phase(&["resume", "1"]).await?.expect(0)?;
    Ended::of(&patient.wait_with_output().await?).expect(0)?;
    finish(&db).await
}

async fn a_time_budget_ends_with_work_left(db: Db) -> TestResult {
    db.run(WIDE).await?;
    db.file("plans/1_p.yaml", &SLOW.replace("2ms", "20ms"))?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let ended = db.phase(&["backfill", "--max-duration", "300ms"]).await?.expect(5)?;
    check!(ended.stdout.contains("--max-duration"), "{ended:?}");
    let first: i64 = db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?.parse()?;
    check!(first > 0 && first < 20_000, "{first}");
    db.phase(&["status", "--exit-code"]).await?.expect(5)?;
    db.phase(&["backfill", "--max-duration", "300ms"]).await?.expect(5)?;
    let second: i64 = db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?.parse()?;
    check!(second > first, "{second} after {first}");
    Ok(())
}

async fn locked_rows_are_taken_by_the_second_pass(db: Db) -> TestResult {
    db.run(WIDE).await?;
    db.file("plans/1_p.yaml", &format!("settings: {{lock_timeout: 200ms}}\n{}", SLOW.replace("2ms", "0s")))?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let other = db.connect().await?;
    other.batch_execute("BEGIN; SELECT FROM t WHERE id IN (7, 7000, 19999) FOR UPDATE").await?;
    let child = db.start(&["backfill"])?;
    while db.value("SELECT count(*) FROM phase.backfill_chunk WHERE pass = 2").await? == "0" {}
    same!(db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?, "19997");
    other.batch_execute("SELECT pg_sleep(0.5); UPDATE t SET a = -1, writes = 0 WHERE id = 7; COMMIT").await?;
    Ended::of(&child.wait_with_output().await?).expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE a IS DISTINCT FROM id").await?, "0");
    same!(db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?, "20000");
    Ok(())
}

async fn copy_and_delete_do_what_they_say(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old boolean); INSERT INTO t SELECT i, i % 3 = 0 FROM generate_series(1, 1000) i;
            CREATE TABLE archive (id int PRIMARY KEY, note text)").await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, copy: {into: archive, columns: {id: id, note: \"'was ' || id\"}}, where: old, batch: {rows: 64}}\n  - {table: t, delete: true, where: \"old AND EXISTS (SELECT FROM archive a WHERE a.id = t.id)\", batch: {rows: 64}}\n",
    )?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) || ' ' || min(note) FROM archive").await?, "333 was 102");
    same!(db.value("SELECT count(*) || ' ' || count(*) FILTER (WHERE old) FROM t").await?, "667 0");
    Ok(())
}

async fn an_expression_that_gives_null_still_ends(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, a text, b json); INSERT INTO t SELECT generate_series(1, 500)",
    )
    .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: \"CASE WHEN id % 2 = 0 THEN 'x' END\", b: \"'{}'\"}, where: a IS NULL, batch: {rows: 100}}\n")?;
    let ended =
        tokio::time::timeout(Duration::from_secs(60), db.phase(&["advance", "1", "--to", "backfilled"]))
            .await??;
    ended.expect(0)?;
    same!(db.value("SELECT count(a) || ' ' || count(b) FROM t").await?, "250 500");
    Ok(())
}
