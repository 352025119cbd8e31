//! Back to the old shape: from every state, with every write; and what refuses.

use crate::harness::{Db, SCHEMA, TestResult, check, same, tests};

tests![
    an_abort_that_is_taken_back_whole_names_no_step_to_take_back,
    abort_from_every_state_brings_everything_back,
    writes_after_contract_come_back_too,
    an_irreversible_step_refuses_before_anything,
    a_dropped_index_and_a_hidden_table_come_back,
    purge_is_the_end,
    a_step_taken_back_by_hand_is_passed_over,
    a_purge_that_left_nothing_is_no_end,
    a_column_that_nothing_fills_is_not_hidden,
    a_sync_whose_types_do_not_fit_is_refused,
    not_null_is_not_taken_from_a_column_that_had_it,
];

const RENAME: &str = "expand:
  - {sql: ALTER TABLE t ADD COLUMN new text, undo: ALTER TABLE t DROP COLUMN new}
  - sync: {table: t, set: {new: old}, back: {old: new}}
backfill:
  - {table: t, set: {new: old}, batch: {rows: 10}}
validate:
  - index: {table: t, columns: [new]}
  - not_null: {table: t, column: new}
contract:
  - drop_column: {table: t, column: old}
keep: 7d
";

async fn not_null_is_not_taken_from_a_column_that_had_it(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", "validate:\n  - not_null: {table: t, column: old}\n")?;
    let ended = db.phase(&["advance", "1"]).await?.expect(2)?;
    check!(ended.stderr.contains("t.old is NOT NULL already"), "{ended:?}");
    db.run("ALTER TABLE t ALTER COLUMN old DROP NOT NULL").await?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    Ok(())
}

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, old text NOT NULL);
INSERT INTO t SELECT i, 'v' || i FROM generate_series(1, 55) i";

async fn abort_from_every_state_brings_everything_back(db: Db) -> TestResult {
    db.run(TABLE).await?;
    let before = db.value(SCHEMA).await?;
    for (n, state) in ["planned", "expanded", "backfilled", "validated", "contracted"].iter().enumerate() {
        let version = (n + 1).to_string();
        let file = format!("plans/{version}_p.yaml");
        db.file(&file, RENAME)?;
        if *state == "planned" {
            db.phase(&["pause", &version]).await?.expect(0)?;
        } else {
            db.phase(&["advance", &version, "--to", state]).await?.expect(0)?;
        }
        let (old, new) = if *state == "contracted" { ("new", "new") } else { ("old", "new") };
        let id = 100 + n;
        db.run(&format!("INSERT INTO t (id, {old}) VALUES ({id}, 'before')")).await?;
        if *state != "planned" {
            db.run(&format!(
                "UPDATE t SET {new} = 'after' WHERE id = {id}; INSERT INTO t (id, {new}) VALUES ({}, 'new')",
                id + 100
            ))
            .await?;
        }
        db.phase(&["abort", &version]).await?.expect(0).map_err(|error| format!("{state}: {error}"))?;
        same!(db.value(SCHEMA).await?, before, "{state}");
        let written =
            format!("SELECT string_agg(old, ' ' ORDER BY id) FROM t WHERE id >= {id} AND id % 100 = {n}");
        same!(db.value(&written).await?, if *state == "planned" { "before" } else { "after new" }, "{state}");
        db.phase(&["abort", &version]).await?.expect(0)?;
        let again = db.phase(&["advance", &version]).await?.expect(1)?;
        check!(again.stderr.contains("it was aborted"), "{again:?}");
    }
    Ok(())
}

async fn writes_after_contract_come_back_too(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", RENAME)?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    same!(
        db.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'old'")
            .await?,
        "0"
    );
    db.run("INSERT INTO t (id, new) VALUES (1000, 'a'); UPDATE t SET new = 'changed' WHERE id = 1; DELETE FROM t WHERE id = 2").await?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    let rows = "SELECT string_agg(id || old, ' ' ORDER BY id) FROM t WHERE id IN (1, 2, 1000)";
    same!(db.value(rows).await?, "1changed 1000a");
    Ok(())
}

async fn an_irreversible_step_refuses_before_anything(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file(
        "plans/1_p.yaml",
        "expand:\n  - {sql: ALTER TABLE t ADD COLUMN a int, undo: ALTER TABLE t DROP COLUMN a}\n  - {sql: SELECT 1, undo: 'irreversible: mails were sent'}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    let before = db.value(SCHEMA).await?;
    let ended = db.phase(&["abort", "1"]).await?.expect(1)?;
    check!(ended.stderr.contains("step expand.2 cannot be taken back: mails were sent"), "{ended:?}");
    same!(db.value(SCHEMA).await?, before);
    same!(db.value("SELECT state || goal FROM phase.item").await?, "expandedexpanded");
    Ok(())
}

async fn a_dropped_index_and_a_hidden_table_come_back(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("CREATE UNIQUE INDEX odd ON t USING btree (lower(old) DESC, id) INCLUDE (old) WITH (fillfactor = 70) WHERE id > 0; CREATE TABLE gone (id int PRIMARY KEY)").await?;
    let before = db.value(SCHEMA).await?;
    db.file(
        "plans/1_p.yaml",
        "contract:\n  - drop_index: {name: odd}\n  - drop_table: {table: gone}\nkeep: 1d\n",
    )?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    same!(db.value("SELECT to_regclass('odd') IS NULL AND to_regclass('gone') IS NULL").await?, "t");
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, before);
    Ok(())
}

async fn purge_is_the_end(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", RENAME)?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    let ended = db.phase(&["purge"]).await?.expect(3)?;
    check!(ended.stdout.contains("keep: "), "{ended:?}");
    db.phase(&["purge", "1", "--now"]).await?.expect(0)?;
    let left = "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname LIKE '%old%' AND NOT attisdropped";
    same!(db.value(left).await?, "0");
    same!(
        db.value("SELECT count(*) FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal")
            .await?,
        "0"
    );
    let ended = db.phase(&["abort", "1"]).await?.expect(1)?;
    check!(ended.stderr.contains("The old shape is gone for good"), "{ended:?}");
    Ok(())
}

async fn a_step_taken_back_by_hand_is_passed_over(db: Db) -> TestResult {
    let plan = "expand:\n  - {sql: CREATE TABLE a (), undo: DROP TABLE misnamed}\n  - {sql: CREATE TABLE b (), undo: DROP TABLE b}\n";
    db.file("plans/1_p.yaml", plan)?;
    db.phase(&["expand"]).await?.expect(0)?;
    let early = db.phase(&["abort", "1", "--undone", "expand.1"]).await?.expect(2)?;
    check!(early.stderr.contains("no abort of it has begun"), "{early:?}");
    let ended = db.phase(&["abort", "1"]).await?.expect(1)?;
    check!(ended.stderr.contains("phase abort 1 --undone expand.1"), "{ended:?}");
    db.run("DROP TABLE a").await?;
    db.phase(&["abort", "1", "--undone", "expand.1"]).await?.expect(0)?;
    same!(db.value("SELECT state FROM phase.item").await?, "aborted");
    same!(db.value(SCHEMA).await?, "");
    Ok(())
}

async fn a_column_that_nothing_fills_is_not_hidden(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text NOT NULL)").await?;
    db.file("plans/1_p.yaml", "contract:\n  - drop_column: {table: t, column: old}\nkeep: 7d\n")?;
    let checked = db.phase(&["check"]).await?.expect(0)?;
    check!(checked.stderr.contains("plans/1_p.yaml:2:5: no sync of this plan fills t.old"), "{checked:?}");
    for args in [&["show", "1"][..], &["show", "1", "--offline"]] {
        let shown = db.phase(args).await?.expect(0)?;
        check!(shown.stderr.contains("no sync of this plan fills t.old"), "{shown:?}");
    }
    let quiet = db.phase(&["show", "1", "-q"]).await?.expect(0)?;
    check!(quiet.stderr.is_empty(), "{quiet:?}");
    let ended = db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(1)?;
    check!(ended.stderr.contains("no sync fills it"), "{ended:?}");
    check!(ended.stderr.contains("no sync of this plan fills t.old"), "{ended:?}");
    db.run("ALTER TABLE t ALTER COLUMN old DROP NOT NULL").await?;
    let later = db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    check!(!later.stderr.contains("no sync of this plan"), "said once, where it starts: {later:?}");
    db.run("INSERT INTO t (id) VALUES (1)").await?;
    Ok(())
}

async fn a_sync_whose_types_do_not_fit_is_refused(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a text)").await?;
    let before = db.value(SCHEMA).await?;
    let plan = "expand:\n  - {sql: ALTER TABLE t ADD COLUMN b int, undo: ALTER TABLE t DROP COLUMN b}\n  - sync: {table: t, set: {b: a}, back: {a: b}}\n";
    db.file("plans/1_p.yaml", plan)?;
    let ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("is of type integer but expression is of type text"), "{ended:?}");
    db.run("INSERT INTO t VALUES (1, 'hello')").await?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, before);
    Ok(())
}

async fn a_purge_that_left_nothing_is_no_end(db: Db) -> TestResult {
    db.run(TABLE).await?;
    let before = db.value(SCHEMA).await?;
    db.file("plans/1_p.yaml", RENAME)?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    // What hangs on the column is told before anything runs.
    db.run("CREATE VIEW v AS SELECT _phase_1_old FROM t").await?;
    let refused = db.phase(&["purge", "1", "--now"]).await?.expect(2)?;
    check!(refused.stderr.contains("view v depends on it"), "{refused:?}");
    db.run("DROP VIEW v").await?;
    // What only the server knows makes it fail, and leaves nothing.
    db.run(
        "CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
         CREATE EVENT TRIGGER no ON sql_drop EXECUTE FUNCTION no()",
    )
    .await?;
    let failed = db.phase(&["purge", "1", "--now"]).await?.expect(1)?;
    check!(failed.stdout.contains("not today"), "{failed:?}");
    db.run("DROP EVENT TRIGGER no; DROP FUNCTION no()").await?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, before);
    Ok(())
}

/// Nothing of it is under way then, so that `--undone` would be refused.
async fn an_abort_that_is_taken_back_whole_names_no_step_to_take_back(db: Db) -> TestResult {
    db.run("CREATE TABLE t (a int, k int)").await?;
    db.file(
        "plans/1_p.yaml",
        "contract:\n  - drop_column: {table: t, column: k}\n  - sql: ALTER TABLE t ADD COLUMN b int\n    undo: ALTER TABLE t DROP COLUMN c\nkeep: 1h\n",
    )?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    let ended = db.phase(&["abort", "1"]).await?.expect(1)?;
    check!(ended.stderr.contains("phase abort 1") && !ended.stderr.contains("--undone"), "{ended:?}");
    db.phase(&["abort", "1", "--undone", "contract.2"]).await?.expect(2)?;
    Ok(())
}
