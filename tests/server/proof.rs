//! The proof: what an application wrote is never overwritten, what was written
//! around the sync is found, and nothing is validated over it.

use std::time::Duration;

use crate::harness::{Db, Ended, TestResult, check, connect, same, tests};

tests![
    what_a_new_writer_wrote_is_kept,
    a_one_way_sync_keeps_given_values,
    what_was_written_around_the_sync_is_found_and_repaired,
    a_trigger_that_changes_values_back_is_found,
    expressions_that_never_settle_are_refused,
    a_validate_that_failed_on_a_row_can_repair_it,
    a_row_that_only_the_proof_fails_on_goes_into_quarantine,
    rows_that_move_all_the_time_are_all_met,
    a_key_of_two_collations_is_proven,
    a_proof_whose_session_is_cut_begins_again,
    a_partition_that_comes_after_the_proof_is_looked_at,
    a_partition_that_knows_the_new_name_alone_is_looked_at,
    a_partition_that_comes_after_contract_is_looked_at_before_abort,
];

const NAMES: &str = "CREATE TABLE t (id int PRIMARY KEY, first text, last text);
INSERT INTO t SELECT i, 'f' || i, 'l' || i FROM generate_series(1, 3000) i";
const JOIN: &str = "expand:
  - {sql: ALTER TABLE t ADD COLUMN full_name text, undo: ALTER TABLE t DROP COLUMN full_name}
  - sync: {table: t, set: {full_name: \"first || ' ' || last\"}, back: {first: \"split_part(full_name, ' ', 1)\", last: \"regexp_replace(full_name, '^.* ', '')\"}}
backfill:
  - {table: t, set: {full_name: \"first || ' ' || last\"}}
validate:
  - not_null: {table: t, column: full_name}
";

async fn what_a_new_writer_wrote_is_kept(db: Db) -> TestResult {
    db.run(NAMES).await?;
    db.file("plans/1_p.yaml", JOIN)?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    // The way back loses the second name, so the forward expression gives something else.
    db.run("UPDATE t SET full_name = 'Anna Maria Smith' WHERE id = 7; INSERT INTO t (id, full_name) VALUES (5000, 'Bo Li Chen')").await?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    same!(db.value("SELECT string_agg(full_name || '/' || first || '/' || last, ', ' ORDER BY id) FROM t WHERE id IN (7, 8, 5000)").await?, "Anna Maria Smith/Anna/Smith, f8 l8/f8/l8, Bo Li Chen/Bo/Chen");
    same!(db.value("SELECT rows || ' ' || out_of_step FROM phase.proof").await?, "3001 0");
    Ok(())
}

async fn a_one_way_sync_keeps_given_values(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 3000)").await?;
    db.file(
        "plans/1_p.yaml",
        "expand:\n  - {sql: ALTER TABLE t ADD COLUMN currency text, undo: ALTER TABLE t DROP COLUMN currency}\n  - sync: {table: t, set: {currency: \"'EUR'\"}}\nbackfill:\n  - {table: t, set: {currency: \"'EUR'\"}}\n",
    )?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    db.run("UPDATE t SET currency = 'USD' WHERE id % 100 = 0; INSERT INTO t VALUES (5000, 'SEK')").await?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    same!(db.value("SELECT string_agg(DISTINCT currency || count, ' ') FROM (SELECT currency, count(*) FROM t GROUP BY 1) x").await?, "EUR2970 SEK1 USD30");
    Ok(())
}

/// Switches the triggers of the syncs of a table on again, as they were.
pub(crate) fn always(table: &str) -> String {
    format!(
        "DO $$ DECLARE one text; BEGIN FOR one IN SELECT tgname FROM pg_trigger WHERE tgrelid = '{table}'::regclass AND tgname LIKE 'zz\\_phase%' \
         LOOP EXECUTE format('ALTER TABLE {table} ENABLE ALWAYS TRIGGER %I', one); END LOOP; END $$"
    )
}

/// Writes while no trigger of the table fires; nobody sees that they were off.
async fn around_the_sync(db: &Db, sql: &str) -> TestResult {
    db.run(&format!("BEGIN; ALTER TABLE t DISABLE TRIGGER USER; {sql}; {}; COMMIT", always("t"))).await?;
    Ok(())
}

async fn what_was_written_around_the_sync_is_found_and_repaired(db: Db) -> TestResult {
    db.run(NAMES).await?;
    db.file("plans/1_p.yaml", JOIN)?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    around_the_sync(
        &db,
        "UPDATE t SET first = 'other' WHERE id IN (5, 6); INSERT INTO t VALUES (4000, 'a', 'b')",
    )
    .await?;
    let ended = db.phase(&["validate", "1", "--prove"]).await?.expect(3)?;
    check!(ended.stdout.contains("backfill.1: 2 rows were out of step"), "{ended:?}");
    // The row that has no value yet was filled by the proof itself.
    same!(db.value("SELECT full_name FROM t WHERE id = 4000").await?, "a b");
    same!(db.value("SELECT state FROM phase.item").await?, "backfilled");
    db.phase(&["validate", "1", "--repair"]).await?.expect(0)?;
    same!(
        db.value("SELECT string_agg(full_name, ', ' ORDER BY id) FROM t WHERE id IN (5, 6, 7)").await?,
        "other l5, other l6, f7 l7"
    );
    same!(db.value("SELECT state FROM phase.item").await?, "validated");
    Ok(())
}

async fn a_trigger_that_changes_values_back_is_found(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, 500);
         CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id % 100 = 0 THEN NEW.a := NULL; END IF; RETURN NEW; END $$;
         CREATE TRIGGER undo BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION undo()",
    )
    .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: id}}\n")?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    let ended = db.phase(&["validate"]).await?.expect(3)?;
    check!(ended.stdout.contains("5 rows were out of step"), "{ended:?}");
    Ok(())
}

async fn expressions_that_never_settle_are_refused(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a uuid, b timestamptz); INSERT INTO t SELECT generate_series(1, 500)").await?;
    for expr in ["a: gen_random_uuid()", "b: now()", "b: current_timestamp"] {
        db.file("plans/1_p.yaml", &format!("backfill:\n  - {{table: t, set: {{{expr}}}}}\n"))?;
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(ended.stderr.contains("gives another value every time"), "{ended:?}");
    }
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: gen_random_uuid()}, where: a IS NULL}\n")?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    same!(db.value("SELECT count(DISTINCT a) FROM t").await?, "500");
    Ok(())
}

async fn a_validate_that_failed_on_a_row_can_repair_it(db: Db) -> TestResult {
    db.run(NAMES).await?;
    db.file("plans/1_p.yaml", JOIN)?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    around_the_sync(&db, "UPDATE t SET full_name = NULL WHERE id = 12").await?;
    let ended = db.phase(&["validate"]).await?.expect(1)?;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    check!(said.contains("phase validate 1 --prove"), "{ended:?}");
    db.phase(&["validate", "1", "--repair"]).await?.expect(0)?;
    same!(db.value("SELECT full_name FROM t WHERE id = 12").await?, "f12 l12");
    same!(db.value("SELECT state FROM phase.item").await?, "validated");
    Ok(())
}

/// A row that an application filled already is nothing for the work; its expression fails all the same.
async fn a_row_that_only_the_proof_fails_on_goes_into_quarantine(db: Db) -> TestResult {
    db.run(NAMES).await?;
    let fails = "CASE WHEN id = 5 THEN (1 / (id - id))::text ELSE lower(first) END";
    db.file(
        "plans/1_p.yaml",
        &format!(
            "expand:\n  - {{sql: ALTER TABLE t ADD COLUMN b text, undo: ALTER TABLE t DROP COLUMN b}}\n  \
             - sync: {{table: t, set: {{b: lower(first)}}, back: {{first: b}}}}\n\
             backfill:\n  - {{table: t, set: {{b: \"{fails}\"}}}}\n\
             validate:\n  - not_null: {{table: t, column: b}}\n"
        ),
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.run("UPDATE t SET b = 'given' WHERE id = 5").await?;
    let ended = db.phase(&["backfill", "1"]).await?.expect(0)?;
    check!(ended.stderr.contains("into quarantine: \"public\".\"t\" (5): division by zero"), "{ended:?}");
    check!(ended.stdout.contains("1 row is in quarantine"), "{ended:?}");
    same!(db.value("SELECT rows || ' ' || out_of_step FROM phase.proof").await?, "2999 0");
    // Mended, it is right for the work and still not for the proof: said again, and no endless loop.
    db.phase(&["retry-bad", "1"]).await?.expect(0)?;
    let ended = db.phase(&["validate", "1", "--prove"]).await?.expect(3)?;
    check!(ended.stdout.contains("in quarantine"), "{ended:?}");
    same!(db.value("SELECT count(*) FROM phase.history WHERE event IN ('proof', 'retry-bad')").await?, "3");
    Ok(())
}

/// Rows that other writers move back past the proof, and VACUUM that makes room for them there.
async fn rows_that_move_all_the_time_are_all_met(db: Db) -> TestResult {
    const SLOW: &str = "CREATE FUNCTION slow(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM pg_sleep(0.0001); RETURN i + 1; END $$;";
    db.run(SLOW).await?;
    for (n, key) in ["PRIMARY KEY", ""].into_iter().enumerate() {
        let table = format!("t{n}");
        db.run(&format!(
            "CREATE TABLE {table} (k text {key}, a int, pad text, f int);
             INSERT INTO {table} SELECT md5(i::text), i % 1000, repeat('x', 50), i FROM generate_series(1, 4000) i;
             CREATE INDEX ON {table} (pad); CREATE INDEX ON {table} (f); DELETE FROM {table} WHERE f <= 2000 AND f % 2 = 0"
        ))
        .await?;
        db.run(&format!("VACUUM ANALYZE {table}")).await?;
        let version = (n + 1).to_string();
        db.file(
            &format!("plans/{version}_p.yaml"),
            &format!(
                "expand:\n  - {{sql: ALTER TABLE {table} ADD COLUMN b int, undo: ALTER TABLE {table} DROP COLUMN b}}\n  \
                 - sync: {{table: {table}, set: {{b: slow(a)}}, back: {{a: b - 1}}}}\n\
                 backfill:\n  - {{table: {table}, set: {{b: slow(a)}}, throttle: {{congestion: false}}}}\n"
            ),
        )?;
        db.phase(&["advance", &version, "--to", "expanded"]).await?.expect(0)?;
        let mut movers = tokio::task::JoinSet::new();
        for mover in 0..3 {
            let (url, table) = (db.url.clone(), table.clone());
            movers.spawn(async move {
                let client = connect(&url).await?;
                for round in 0_u64.. {
                    let f = (round * 7919 + mover * 997) % 4000;
                    client
                        .batch_execute(&format!(
                            "UPDATE {table} SET pad = repeat('y', 50) || {round} WHERE f = {f}"
                        ))
                        .await?;
                    // Where there is no key, faster than this no walk ever meets all rows.
                    if n == 1 {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                    }
                    if mover == 0 && round % 200 == 0 {
                        client.batch_execute(&format!("VACUUM (TRUNCATE off) {table}")).await?;
                    }
                }
                Ok::<(), tokio_postgres::Error>(())
            });
        }
        let ended = db.phase(&["backfill", &version]).await?;
        movers.shutdown().await;
        // A table without a key may ask for a quiet hour; what is proven is right.
        if n == 1 && ended.code == Some(1) {
            check!(ended.stdout.contains("give the table a primary key"), "{ended:?}");
            db.phase(&["backfill", &version]).await?.expect(0)?;
        } else {
            ended.expect(0)?;
        }
        same!(
            db.value(&format!("SELECT count(*) FROM {table} WHERE b IS DISTINCT FROM a + 1")).await?,
            "0",
            "{key}"
        );
    }
    Ok(())
}

async fn a_key_of_two_collations_is_proven(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (k text COLLATE \"en-x-icu\", l text COLLATE \"und-x-icu\", a int, b int, PRIMARY KEY (k, l));
         INSERT INTO t SELECT 'a' || i, 'b' || i, i FROM generate_series(1, 3000) i",
    )
    .await?;
    for (version, key) in [("1", ""), ("2", "key: [k, l], ")] {
        db.file(&format!("plans/{version}_p.yaml"), &format!("backfill:\n  - {{table: t, set: {{b: a + {version}}}, {key}throttle: {{congestion: false}}}}\n"))?;
        db.phase(&["advance", version, "--to", "completed"]).await?.expect(0)?;
        same!(
            db.value(&format!("SELECT count(*) FROM t WHERE b IS DISTINCT FROM a + {version}")).await?,
            "0"
        );
    }
    Ok(())
}

async fn a_proof_whose_session_is_cut_begins_again(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, 50000)")
        .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: id}, throttle: {congestion: false}}\nvalidate:\n  - not_null: {table: t, column: a}\n")?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    db.phase(&["tune", "1", "--rows", "50", "--rate", "5000"]).await?.expect(0)?;
    let child = db.start(&["validate", "1", "--prove"])?;
    let seen = "SELECT coalesce(sum(rows_seen), 0) > 500 AND bool_or(NOT finished) FROM phase.backfill_chunk WHERE pass = 2";
    while db.value(seen).await? != "t" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    db.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()").await?;
    db.phase(&["tune", "1", "--reset"]).await?.expect(0)?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    check!(ended.stderr.contains("connecting again"), "{ended:?}");
    same!(db.value("SELECT state FROM phase.item").await?, "validated");
    Ok(())
}

/// Rows that come with a partition were there before any trigger saw them; one that was made empty is like its neighbours.
async fn a_partition_that_comes_after_the_proof_is_looked_at(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int, n int) PARTITION BY RANGE (id);
         CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (100);
         CREATE TABLE t_b PARTITION OF t FOR VALUES FROM (100) TO (200);
         INSERT INTO t SELECT i, i FROM generate_series(0, 99) i",
    )
    .await?;
    db.file("plans/1_p.yaml", "change:\n  - change_type: {table: t, column: n, type: bigint}\nkeep: 1d\n")?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    db.run(
        "CREATE TABLE t_c (LIKE t); INSERT INTO t_c (id, n) SELECT i, i FROM generate_series(200, 299) i;
         ALTER TABLE t ATTACH PARTITION t_c FOR VALUES FROM (200) TO (300);
         CREATE TABLE t_d PARTITION OF t FOR VALUES FROM (300) TO (400);
         INSERT INTO t (id, n) SELECT i, i FROM generate_series(300, 399) i",
    )
    .await?;
    let ended = db.phase(&["contract", "1"]).await?.expect(6)?;
    check!(ended.stdout.contains("t_c came after the backfill was proven"), "{ended:?}");
    check!(ended.stdout.contains("phase validate 1 --prove &&"), "{ended:?}");
    let ended = db.phase(&["contract", "1"]).await?.expect(3)?;
    check!(format!("{ended:?}").contains("no proof yet"), "{ended:?}");
    db.phase(&["validate", "1", "--prove"]).await?.expect(0)?;
    db.phase(&["contract", "1"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE n IS DISTINCT FROM id").await?, "0");
    Ok(())
}

/// Its rows have what the old name lacks.
async fn a_partition_that_knows_the_new_name_alone_is_looked_at(db: Db) -> TestResult {
    db.run(PARTED).await?;
    db.file("plans/1_p.yaml", "change:\n  - rename_column: {table: t, from: a, to: b}\nkeep: 1d\n")?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    db.run(
        "CREATE TABLE t_c (LIKE t); INSERT INTO t_c (id, b) VALUES (200, 'new code');
         ALTER TABLE t ATTACH PARTITION t_c FOR VALUES FROM (200) TO (300)",
    )
    .await?;
    let ended = db.phase(&["contract", "1"]).await?.expect(6)?;
    check!(ended.stdout.contains("t_c came after the backfill was proven"), "{ended:?}");
    db.phase(&["validate", "1", "--prove"]).await?;
    let ended = db.phase(&["contract", "1"]).await?.expect(3)?;
    check!(format!("{ended:?}").contains("1 row was out of step"), "{ended:?}");
    db.run("UPDATE t SET a = b WHERE a IS NULL").await?;
    db.phase(&["validate", "1", "--prove"]).await?.expect(0)?;
    db.phase(&["contract", "1"]).await?.expect(0)?;
    same!(db.value("SELECT b FROM t WHERE id = 200").await?, "new code");
    Ok(())
}

/// Its rows have what the hidden old column lacks.
async fn a_partition_that_comes_after_contract_is_looked_at_before_abort(db: Db) -> TestResult {
    db.run(PARTED).await?;
    db.file(
        "plans/1_p.yaml",
        "change:\n  - change_type: {table: t, column: a, type: varchar(90)}\nkeep: 1d\n",
    )?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    db.run(
        "CREATE TABLE t_c (LIKE t); INSERT INTO t_c (id, a) VALUES (200, 'late');
         ALTER TABLE t ATTACH PARTITION t_c FOR VALUES FROM (200) TO (300);
         CREATE TABLE t_d PARTITION OF t FOR VALUES FROM (300) TO (400);
         INSERT INTO t (id, a) VALUES (300, 'in step')",
    )
    .await?;
    let ended = db.phase(&["abort", "1"]).await?.expect(6)?;
    check!(ended.stderr.contains("t_c came after the backfill was proven"), "{ended:?}");
    check!(!ended.stderr.contains("t_d"), "{ended:?}");
    let mend = ended.stderr.lines().find_map(|line| line.split_once("phase abort 1: ")).ok_or("no help")?.1;
    db.run(mend).await?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value("SELECT string_agg(a, ',' ORDER BY id) FROM t WHERE id >= 200").await?, "late,in step");
    Ok(())
}

const PARTED: &str = "CREATE TABLE t (id int, a text) PARTITION BY RANGE (id);
    CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (100);
    CREATE TABLE t_b PARTITION OF t FOR VALUES FROM (100) TO (200);
    INSERT INTO t SELECT i, 'v' || i FROM generate_series(0, 99) i";
