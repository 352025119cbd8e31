//! Rows that a backfill cannot change: they go out of the way, the rest goes on,
//! and nothing is contracted over them.

use crate::harness::{Db, Ended, TestResult, check, same, tests};

tests![
    poison_rows_are_put_aside_and_the_rest_goes_on,
    too_many_bad_rows_stop_the_plan,
    contract_waits_for_an_empty_quarantine,
    a_constraint_waits_for_an_empty_quarantine,
    a_row_that_moved_out_of_quarantine_is_looked_for,
    a_row_without_a_key_is_put_aside_too,
    a_trigger_that_refuses_a_row_is_bad_data,
    a_row_that_could_not_be_copied_is_copied_later,
    a_place_in_quarantine_does_not_outlive_its_storage,
    a_partition_that_goes_takes_its_bad_rows_along,
    a_proof_that_runs_begins_again_for_a_row_that_moved,
];

async fn poison_rows_are_put_aside_and_the_rest_goes_on(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);
         INSERT INTO t SELECT i, NULL, CASE WHEN i % 10000 = 0 THEN 'poison' ELSE i::text END FROM generate_series(1, 200000) i;
         ANALYZE t",
    )
    .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: b::int}, workers: 2}\n")?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let ended = db.phase(&["advance", "1"]).await?.expect(0)?;
    check!(ended.stderr.contains("into quarantine"), "{ended:?}");
    same!(
        db.value(
            "SELECT count(*) FROM t WHERE a IS DISTINCT FROM CASE WHEN id % 10000 = 0 THEN NULL ELSE id END"
        )
        .await?,
        "0"
    );
    same!(
        db.value("SELECT count(*) || ' ' || count(*) FILTER (WHERE key[1]::bigint % 10000 = 0) || ' ' || min(sqlstate) FROM phase.quarantine").await?,
        "20 20 22P02"
    );
    let listed = db.phase(&["quarantine", "1", "--json"]).await?.expect(0)?.json()?;
    same!(listed["quarantine"].as_array().map(Vec::len), Some(20));
    check!(
        listed["quarantine"][0]["error"].as_str().is_some_and(|error| error.contains("poison")),
        "{listed}"
    );
    same!(
        db.phase(&["status", "--json"]).await?.expect(0)?.json()?["plans"][0]["backfill"]["quarantined"],
        20
    );
    // Half of them are mended, one is gone.
    db.run("UPDATE t SET b = id::text WHERE id % 20000 = 0; DELETE FROM t WHERE id = 10000").await?;
    let ended = db.phase(&["retry-bad", "1"]).await?.expect(1)?;
    check!(
        ended.stdout.contains("10 rows mended, 0 right already, 1 gone or moved, 9 failed again"),
        "{ended:?}"
    );
    db.run("UPDATE t SET b = id::text WHERE b = 'poison'").await?;
    db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE a IS DISTINCT FROM id").await?, "0");
    same!(db.value("SELECT count(*) FROM phase.quarantine").await?, "0");
    Ok(())
}

async fn too_many_bad_rows_stop_the_plan(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t SELECT i, NULL, 'x' FROM generate_series(1, 500) i").await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: b::int}, max_quarantine: 5}\n")?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let ended = db.phase(&["backfill"]).await?.expect(5)?;
    check!(ended.stdout.contains("more than the 5 that the plan allows"), "{ended:?}");
    let ended = db.phase(&["backfill"]).await?.expect(5)?;
    check!(ended.stdout.contains("paused by phase"), "{ended:?}");
    // More may be allowed while it is under way: the rest goes on.
    db.run("UPDATE t SET b = id::text WHERE id > 100").await?;
    db.phase(&["tune", "1", "--max-quarantine", "200"]).await?.expect(0)?;
    let resumed = db.phase(&["resume", "1"]).await?.expect(0)?;
    check!(resumed.stdout.contains("6 rows are in quarantine"), "{resumed:?}");
    db.phase(&["backfill"]).await?.expect(0)?;
    same!(
        db.value("SELECT count(*) || ' ' || (SELECT count(*) FROM phase.quarantine) FROM t WHERE a = id")
            .await?,
        "400 100"
    );
    db.run("UPDATE t SET b = id::text").await?;
    db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE a IS DISTINCT FROM id").await?, "0");
    Ok(())
}

async fn contract_waits_for_an_empty_quarantine(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, NULL, '1'), (2, NULL, 'two')").await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: b::int}}\ncontract:\n  - drop_column: {table: t, column: b}\n",
    )?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    let ended = db.phase(&["contract"]).await?.expect(3)?;
    check!(ended.stdout.contains("1 row of backfill.1 is in quarantine"), "{ended:?}");
    db.run("UPDATE t SET b = '2' WHERE id = 2").await?;
    db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    db.phase(&["contract"]).await?.expect(0)?;
    Ok(())
}

async fn a_row_that_moved_out_of_quarantine_is_looked_for(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t SELECT n, NULL, n::text FROM generate_series(1, 500) n; UPDATE t SET b = 'x' WHERE id = 7;
            CREATE TABLE u (a int, b text); INSERT INTO u SELECT NULL, b FROM t").await?;
    db.file("plans/1_t.yaml", "backfill:\n  - {table: t, set: {a: b::int}}\n")?;
    db.file("plans/2_u.yaml", "backfill:\n  - {table: u, set: {a: b::int}}\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.phase(&["backfill"]).await?.expect(0)?;
    // One is mended under another key, the other one on another place.
    db.run("UPDATE t SET b = '7', id = 10007 WHERE b = 'x'; UPDATE u SET b = '7' WHERE b = 'x'").await?;
    for plan in ["1", "2"] {
        let ended = db.phase(&["retry-bad", plan]).await?.expect(0)?;
        check!(ended.stdout.contains("--prove"), "{ended:?}");
        let ended = db.phase(&["validate", plan]).await?.expect(3)?;
        check!(ended.stdout.contains("--prove"), "{ended:?}");
        db.phase(&["validate", plan, "--prove"]).await?.expect(0)?;
    }
    same!(db.value("SELECT count(*) FROM t WHERE a IS NULL").await?, "0");
    same!(db.value("SELECT count(*) FROM u WHERE a IS NULL").await?, "0");
    Ok(())
}

async fn a_constraint_waits_for_an_empty_quarantine(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t VALUES (1, NULL, '1'), (2, NULL, 'two')").await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: b::int}}\nvalidate:\n  - not_null: {table: t, column: a}\n",
    )?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(3)?;
    check!(ended.stdout.contains("1 row of backfill.1 is in quarantine"), "{ended:?}");
    // Nothing half done is left behind that would fail the application's statements.
    same!(
        db.value("SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'")
            .await?,
        "0"
    );
    db.run("UPDATE t SET b = '2' WHERE id = 2").await?;
    db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    db.phase(&["validate"]).await?.expect(0)?;
    Ok(())
}

async fn a_row_without_a_key_is_put_aside_too(db: Db) -> TestResult {
    db.run("CREATE TABLE t (a int, b text); INSERT INTO t SELECT NULL, CASE WHEN i = 77 THEN 'x' ELSE i::text END FROM generate_series(1, 3000) i").await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: b::int}}\n")?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE a IS NULL").await?, "1");
    same!(db.value("SELECT count(*) FROM phase.quarantine").await?, "1");
    Ok(())
}

async fn a_trigger_that_refuses_a_row_is_bad_data(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, 3000);
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.id % 1000 = 0 THEN RAISE EXCEPTION 'row % is closed', NEW.id; END IF; RETURN NEW; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: id}}\n")?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    same!(db.value("SELECT count(a) FROM t").await?, "2997");
    same!(
        db.value("SELECT string_agg(key[1], ' ' ORDER BY key) || ' ' || min(sqlstate) FROM phase.quarantine")
            .await?,
        "1000 2000 3000 P0001"
    );
    Ok(())
}

async fn a_row_that_could_not_be_copied_is_copied_later(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, b text); CREATE TABLE c (id int PRIMARY KEY, n int);
            INSERT INTO t SELECT i, CASE WHEN i = 30 THEN 'x' ELSE i::text END FROM generate_series(1, 100) i").await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, copy: {into: c, columns: {id: id, n: 'b::int'}}, where: NOT EXISTS (SELECT FROM c WHERE c.id = t.id)}\n")?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    same!(
        db.value("SELECT count(*) || ' ' || (SELECT string_agg(key[1], ' ') FROM phase.quarantine) FROM c")
            .await?,
        "99 30"
    );
    db.run("UPDATE t SET b = '30' WHERE id = 30").await?;
    db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) || ' ' || (SELECT n FROM c WHERE id = 30) FROM c").await?, "100 30");
    Ok(())
}

async fn a_place_in_quarantine_does_not_outlive_its_storage(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int, a int, b text); INSERT INTO t SELECT i, NULL, CASE WHEN i = 5 THEN 'x' ELSE i::text END FROM generate_series(1, 5000) i").await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: b::int}, batch: {rows: 50, pause: 20ms}}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    let child = db.start(&["backfill"])?;
    while db.value("SELECT count(*) FROM phase.quarantine").await? != "1" {}
    db.phase(&["pause", "1"]).await?.expect(0)?;
    Ended::of(&child.wait_with_output().await?).expect(5)?;
    // Another row is at the place of the bad one now.
    db.run("DELETE FROM t WHERE id = 1").await?;
    db.run("VACUUM FULL t").await?;
    db.phase(&["resume", "1"]).await?.expect(0)?;
    db.phase(&["backfill"]).await?.expect(0)?;
    same!(db.value("SELECT string_agg(id::text, ' ') FROM t WHERE a IS NULL").await?, "5");
    same!(db.value("SELECT count(*) FROM phase.quarantine").await?, "1");
    Ok(())
}

async fn a_partition_that_goes_takes_its_bad_rows_along(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text) PARTITION BY RANGE (id);
            CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200);
            INSERT INTO t SELECT i, NULL, CASE WHEN i = 30 THEN 'x' ELSE i::text END FROM generate_series(1, 150) i").await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: b::int}}\ncontract:\n  - drop_column: {table: t, column: b}\n",
    )?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    db.run("DROP TABLE t1").await?;
    let ended = db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    check!(ended.stdout.contains("1 gone or moved"), "{ended:?}");
    let waits = db.phase(&["contract"]).await?.expect(3)?;
    check!(waits.stdout.contains("has no proof"), "{waits:?}");
    db.phase(&["validate", "1", "--prove"]).await?.expect(0)?;
    db.phase(&["contract"]).await?.expect(0)?;
    Ok(())
}

async fn a_proof_that_runs_begins_again_for_a_row_that_moved(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b text); INSERT INTO t SELECT i, NULL, CASE WHEN i = 19000 THEN 'x' ELSE i::text END FROM generate_series(1, 20000) i; ANALYZE t").await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: b::int}, key: [id], batch: {rows: 100}, throttle: {congestion: false}}\n",
    )?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    db.phase(&["tune", "1", "--rate", "200"]).await?.expect(0)?;
    let child = db.start(&["validate", "1", "--prove"])?;
    let seen = "SELECT coalesce(sum(rows_seen), 0) > 0 AND NOT bool_and(finished) FROM phase.backfill_chunk WHERE pass = 2";
    while db.value(seen).await? != "t" {}
    // The row goes to where the proof has been already.
    db.run("UPDATE t SET id = -1, b = '7' WHERE id = 19000").await?;
    let retried = db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    check!(retried.stdout.contains("1 gone or moved"), "{retried:?}");
    db.phase(&["tune", "1", "--rate", "0"]).await?.expect(0)?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    same!(db.value("SELECT a FROM t WHERE id = -1").await?, "7", "{ended:?}");
    Ok(())
}
