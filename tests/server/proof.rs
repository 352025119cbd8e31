//! The proof: what an application wrote is never overwritten, what was written
//! around the sync is found, and nothing is validated over it.

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    what_a_new_writer_wrote_is_kept,
    a_one_way_sync_keeps_given_values,
    what_was_written_around_the_sync_is_found_and_repaired,
    a_trigger_that_changes_values_back_is_found,
    expressions_that_never_settle_are_refused,
    a_validate_that_failed_on_a_row_can_repair_it,
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

async fn what_was_written_around_the_sync_is_found_and_repaired(db: Db) -> TestResult {
    db.run(NAMES).await?;
    db.file("plans/1_p.yaml", JOIN)?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    db.run("SET session_replication_role = replica; UPDATE t SET first = 'other' WHERE id IN (5, 6); INSERT INTO t VALUES (4000, 'a', 'b')").await?;
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
    db.run("SET session_replication_role = replica; UPDATE t SET full_name = NULL WHERE id = 12").await?;
    let ended = db.phase(&["validate"]).await?.expect(1)?;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    check!(said.contains("phase validate 1 --prove"), "{ended:?}");
    db.phase(&["validate", "1", "--repair"]).await?.expect(0)?;
    same!(db.value("SELECT full_name FROM t WHERE id = 12").await?, "f12 l12");
    same!(db.value("SELECT state FROM phase.item").await?, "validated");
    Ok(())
}
