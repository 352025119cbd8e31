//! Backfills: kinds, keys, kills, brakes; no row lost, none done twice.

use std::time::Duration;

use crate::harness::{Db, Ended, TestResult, check, same, tests, value};

tests![
    keys_with_the_names_of_our_own_columns,
    expressions_mean_what_they_mean_to_the_application,
    a_copy_needs_a_key_and_loses_nothing_to_another_one,
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
    let ended = db.phase(&["backfill", "--max-duration", "1s"]).await?.expect(5)?;
    check!(ended.stdout.contains("--max-duration"), "{ended:?}");
    let first: i64 = db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?.parse()?;
    check!(first > 0 && first < 20_000, "{first}");
    db.phase(&["status", "--exit-code"]).await?.expect(5)?;
    db.phase(&["backfill", "--max-duration", "1s"]).await?.expect(5)?;
    let second: i64 = db.value("SELECT sum(rows_written) FROM phase.backfill_chunk").await?.parse()?;
    check!(second > first, "{second} after {first}");
    // How far it is stands on record: nobody's word makes it done.
    db.phase(&["pause", "1"]).await?.expect(0)?;
    let ended = db.phase(&["resume", "1", "--step-done"]).await?.expect(2)?;
    check!(ended.stderr.contains("no step of it is in doubt"), "{ended:?}");
    let ended = db.phase(&["backfill"]).await?.expect(5)?;
    check!(ended.stdout.contains("phase resume 1"), "{ended:?}");
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

async fn keys_with_the_names_of_our_own_columns(db: Db) -> TestResult {
    for (n, name) in ["key", "array", "n", "rows", "row", "row_number", "sample"].into_iter().enumerate() {
        let table = format!("t{n}");
        db.run(&format!("CREATE TABLE {table} (\"{name}\" int PRIMARY KEY, a int); INSERT INTO {table} SELECT generate_series(1, 1500); ANALYZE {table}")).await?;
        db.file(
            &format!("plans/{}_p{n}.yaml", n + 1),
            &format!("backfill:\n  - {{table: {table}, set: {{a: '\"{name}\"'}}, key: ['\"{name}\"'], workers: 2, batch: {{rows: 100}}}}\n"),
        )?;
    }
    db.phase(&["expand"]).await?.expect(0)?;
    // What the work passes over is left to the proof, which goes by key as well.
    let other = db.connect().await?;
    other.batch_execute("BEGIN; SELECT FROM t0 WHERE key BETWEEN 200 AND 1200 FOR UPDATE").await?;
    let child = db.start(&["backfill"])?;
    let client = db.connect().await?;
    while value(&client, "SELECT coalesce(max(pass), 0) FROM phase.backfill_chunk WHERE version = '1'")
        .await?
        != "2"
    {}
    other.batch_execute("COMMIT").await?;
    Ended::of(&child.wait_with_output().await?).expect(0)?;
    for (n, name) in ["key", "array", "n", "rows", "row", "row_number", "sample"].into_iter().enumerate() {
        let sql = format!("SELECT count(*) FROM t{n} WHERE a IS DISTINCT FROM \"{name}\"");
        same!(db.value(&sql).await?, "0", "{name}");
    }
    Ok(())
}

async fn expressions_mean_what_they_mean_to_the_application(db: Db) -> TestResult {
    let name = &db.name;
    db.run(&format!("ALTER DATABASE \"{name}\" SET TimeZone = 'America/New_York'; ALTER DATABASE \"{name}\" SET DateStyle = 'SQL, DMY'; ALTER DATABASE \"{name}\" SET extra_float_digits = 0")).await?;
    let columns = "v timestamptz, s text, x float8, d date, e date, f text, g text";
    db.run(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, {columns}); CREATE TABLE u (at timestamptz, part float8, {columns}, PRIMARY KEY (at, part));
         INSERT INTO t SELECT n, '2020-10-31 03:00+00'::timestamptz + n * interval '1 hour', '01/02/2020', n / 7.0 FROM generate_series(1, 500) n;
         INSERT INTO u SELECT '2020-10-31 03:00+00'::timestamptz + (n / 3) * interval '1 hour', n / 7.0::float8, v, s, x FROM t CROSS JOIN LATERAL (SELECT id AS n) AS i"
    )).await?;
    let set = "{d: 'v::date', e: 's::date', f: 'v::text', g: 'x::text'}";
    db.file("plans/1_t.yaml", &format!("backfill:\n  - {{table: t, set: {set}, batch: {{rows: 50}}}}\n"))?;
    // A key whose text depends on such settings is walked exactly; dates and times mean the same.
    db.file(
        "plans/2_u.yaml",
        "backfill:\n  - {table: u, set: {d: 'v::date', e: 's::date'}, key: [at, part], batch: {rows: 50}}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.phase(&["backfill"]).await?.expect(0)?;
    let wrong = "SELECT count(*) FROM t WHERE d IS DISTINCT FROM v::date OR e IS DISTINCT FROM s::date OR f IS DISTINCT FROM v::text OR g IS DISTINCT FROM x::text";
    same!(db.value(wrong).await?, "0");
    same!(
        db.value("SELECT count(*) FROM u WHERE d IS DISTINCT FROM v::date OR e IS DISTINCT FROM s::date")
            .await?,
        "0"
    );
    same!(db.value("SELECT count(*) FROM phase.quarantine").await?, "0");
    Ok(())
}

async fn a_copy_needs_a_key_and_loses_nothing_to_another_one(db: Db) -> TestResult {
    db.run("CREATE TABLE s (id int PRIMARY KEY, b text); INSERT INTO s SELECT n, CASE n WHEN 77 THEN '76' ELSE n::text END FROM generate_series(1, 2000) n;
            CREATE TABLE keyless (id int, b text); CREATE TABLE other (own int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id int, b text);
            CREATE TABLE d (id int PRIMARY KEY, b text UNIQUE)").await?;
    let plan = |into: &str| {
        format!(
            "backfill:\n  - {{table: s, copy: {{into: {into}, columns: {{id: id, b: b}}}}, where: id <= 1900, batch: {{rows: 100}}}}\n"
        )
    };
    for (n, into) in ["keyless", "other"].into_iter().enumerate() {
        db.file(&format!("plans/{}_{into}.yaml", n + 1), &plan(into))?;
        db.phase(&["expand"]).await?.expect(0)?;
        let ended = db.phase(&["backfill"]).await?.expect(1)?;
        check!(format!("{ended:?}").contains("has no unique key over columns that are copied"), "{ended:?}");
        same!(db.value(&format!("SELECT count(*) FROM {into}")).await?, "0");
        db.phase(&["abort", &(n + 1).to_string()]).await?.expect(0)?;
    }
    db.file("plans/3_d.yaml", &plan("d"))?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.phase(&["backfill"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM d").await?, "1899");
    // One of the two rows that claim a value is not swallowed, but put aside.
    same!(db.value("SELECT count(*) FROM phase.quarantine WHERE sqlstate = '23505'").await?, "1");
    Ok(())
}
