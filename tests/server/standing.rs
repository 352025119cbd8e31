//! Triggers of a sync that somebody dropped, disabled or replaced: nothing goes on over writes
//! that one side missed, and what helps does help.

use crate::harness::{Db, Ended, TestResult, check, same, tests};

tests![
    a_trigger_that_was_dropped_stops_every_transition,
    a_trigger_that_was_switched_off_is_switched_on_again,
    a_trigger_that_does_something_else_is_found,
    a_trigger_that_goes_during_the_backfill_is_found_at_its_end,
    a_trigger_switched_off_on_one_partition_is_found,
    a_sync_that_contract_turned_round_must_stand_as_well,
    an_abort_tells_what_may_be_missing,
    status_tells_of_a_constraint_that_could_not_be_proven,
    a_dry_rollback_ends_as_the_real_one,
];

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, old text); INSERT INTO t SELECT i, 'o' || i FROM generate_series(1, 200) i";
const PLAN: &str = "expand:
  - {sql: ALTER TABLE t ADD COLUMN new text, undo: ALTER TABLE t DROP COLUMN new}
  - sync: {table: t, set: {new: old}, back: {old: new}}
backfill:
  - {table: t, set: {new: old}, throttle: {congestion: false}}
validate:
  - not_null: {table: t, column: new}
contract:
  - drop_column: {table: t, column: old}
keep: 1d
";
const DROP: &str = "DROP TRIGGER zz_phase_1_1_update ON t";
const OUT_OF_STEP: &str = "SELECT count(*) FROM t WHERE new IS DISTINCT FROM old";

async fn at(db: &Db, state: &str) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", PLAN)?;
    db.phase(&["advance", "1", "--to", state]).await?.expect(0)?;
    Ok(())
}

/// Refused as drift, with the trigger, its table and what that means; nothing has moved.
fn refused(ended: Ended, said: &str) -> Result<Ended, String> {
    let ended = ended.expect(6)?;
    let all = format!("{}{}", ended.stdout, ended.stderr);
    if all.contains(said) && all.contains("may be missing in") && all.contains("phase abort 1") {
        return Ok(ended);
    }
    Err(format!("{said} is not told: {ended:?}"))
}

/// What a user does who follows the advice: the statements that make functions and triggers in the step, as `show` prints them.
async fn put_back(db: &Db, step: &str) -> TestResult {
    let shown = db.phase(&["show", "1"]).await?.expect(0)?.stdout;
    let of_step = shown.split(&format!(" {step}  ")).nth(1).ok_or("no such step")?;
    let end = of_step.find("    lock:").ok_or("no end of the SQL")?;
    let sql = of_step.get(..end).and_then(|text| text.split_once('\n')).ok_or("no SQL")?.1;
    let creates =
        sql.find("CREATE OR REPLACE FUNCTION").and_then(|from| sql.get(from..)).ok_or("no function")?;
    db.run(creates).await?;
    Ok(())
}

async fn a_trigger_that_was_dropped_stops_every_transition(db: Db) -> TestResult {
    at(&db, "expanded").await?;
    for (command, state, then) in [
        ("backfill", "expanded", "backfilled"),
        ("validate", "backfilled", "validated"),
        ("contract", "validated", "contracted"),
    ] {
        db.run(DROP).await?;
        db.run("UPDATE t SET old = old || 'x' WHERE id = 7").await?;
        for run in [&[command, "1"][..], &["advance", "1", "--to", then]] {
            let ended =
                refused(db.phase(run).await?, "trigger zz_phase_1_1_update of t is not there any more")?;
            check!(format!("{ended:?}").contains("step expand.2, which phase show 1 prints"), "{ended:?}");
        }
        same!(db.value("SELECT state || ' ' || goal FROM phase.item").await?, format!("{state} {state}"));
        let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
        same!(
            status["plans"][0]["sync_lost"],
            serde_json::json!([{"trigger": "zz_phase_1_1_update", "table": "t", "step": "expand.2", "why": "dropped"}])
        );
        let status = db.phase(&["status", "--exit-code"]).await?.expect(6)?;
        check!(
            status.stdout.contains("trigger zz_phase_1_1_update of t is not there any more"),
            "{status:?}"
        );
        put_back(&db, "expand.2").await?;
        if state == "expanded" {
            // Nothing is filled yet: the backfill finds all there is to do, and proves it.
            db.phase(&[command, "1"]).await?.expect(0)?;
            continue;
        }
        // Put back alone is not enough: the row that was written meanwhile is out of step.
        same!(db.value(OUT_OF_STEP).await?, "1");
        let ended = db.phase(&[command, "1"]).await?.expect(3)?;
        check!(ended.stdout.contains("phase validate 1 --prove"), "{ended:?}");
        let ended = db.phase(&["validate", "1", "--prove"]).await?;
        check!(ended.code == Some(3) || state == "validated", "{ended:?}");
        db.phase(&["validate", "1", "--repair"]).await?.expect(0)?;
        same!(db.value(OUT_OF_STEP).await?, "0");
        db.phase(&["advance", "1", "--to", then]).await?.expect(0)?;
    }
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("sync lost"), "{history:?}");
    Ok(())
}

async fn a_trigger_that_was_switched_off_is_switched_on_again(db: Db) -> TestResult {
    at(&db, "backfilled").await?;
    for off in ["DISABLE TRIGGER ALL", "DISABLE TRIGGER USER", "ENABLE REPLICA TRIGGER zz_phase_1_1_insert"] {
        db.run(&format!("ALTER TABLE t {off}")).await?;
        db.run("UPDATE t SET old = old || 'y' WHERE id = 9").await?;
        let ended =
            refused(db.phase(&["validate", "1"]).await?, "trigger zz_phase_1_1_insert of t is disabled")?;
        // A proof that is made meanwhile would prove nothing.
        refused(db.phase(&["validate", "1", "--repair"]).await?, "of t is disabled")?;
        let all = format!("{}{}", ended.stdout, ended.stderr);
        let help = all.lines().find_map(|line| line.split_once("switch it on again: ")).ok_or("no help")?.1;
        db.run(help).await?;
        let ended = db.phase(&["validate", "1"]).await?.expect(3)?;
        check!(ended.stdout.contains("no proof yet"), "{ended:?}");
    }
    db.phase(&["validate", "1", "--repair"]).await?.expect(0)?;
    same!(db.value(OUT_OF_STEP).await?, "0");
    db.phase(&["status", "--exit-code"]).await?.expect(5)?;
    Ok(())
}

async fn a_trigger_that_does_something_else_is_found(db: Db) -> TestResult {
    at(&db, "backfilled").await?;
    const OTHER: &str =
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'";
    db.run(OTHER).await?;
    for (done, said) in [
        (
            "CREATE OR REPLACE FUNCTION phase_sync_1_1() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "the function of trigger zz_phase_1_1_insert of t was replaced",
        ),
        (
            "DROP TRIGGER zz_phase_1_1_insert ON t; CREATE TRIGGER zz_phase_1_1_insert BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION nothing()",
            "trigger zz_phase_1_1_insert of t is not as it was made",
        ),
        (
            "DROP TRIGGER zz_phase_1_1_update ON t; CREATE TRIGGER zz_phase_1_1_update BEFORE UPDATE OF id ON t FOR EACH ROW EXECUTE FUNCTION phase_sync_1_1()",
            "trigger zz_phase_1_1_update of t is not as it was made",
        ),
        ("DROP FUNCTION phase_sync_1_1() CASCADE", "trigger zz_phase_1_1_update of t is not there any more"),
        ("ALTER TABLE t RENAME TO u", "table t of trigger zz_phase_1_1_insert is not there"),
    ] {
        db.run(done).await?;
        refused(db.phase(&["validate", "1"]).await?, said)?;
        if !done.contains("RENAME") {
            put_back(&db, "expand.2").await?;
        }
    }
    db.run("ALTER TABLE u RENAME TO t").await?;
    db.phase(&["validate", "1", "--prove"]).await?.expect(0)?;
    Ok(())
}

async fn a_trigger_that_goes_during_the_backfill_is_found_at_its_end(db: Db) -> TestResult {
    // The backfill itself takes the trigger away, as somebody else would meanwhile.
    db.run(&format!(
        "{TABLE}; CREATE FUNCTION away() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.id = 200 THEN ALTER TABLE t2 DISABLE TRIGGER ALL; END IF; RETURN NEW; END $$;
         CREATE TABLE t2 (id int PRIMARY KEY, old text);
         CREATE TRIGGER away BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION away()"
    ))
    .await?;
    let two = PLAN.replace(
        "backfill:\n",
        "  - {sql: ALTER TABLE t2 ADD COLUMN new text, undo: ALTER TABLE t2 DROP COLUMN new}\n  \
           - sync: {table: t2, set: {new: old}}\nbackfill:\n",
    );
    db.file("plans/1_p.yaml", &two)?;
    db.phase(&["expand"]).await?.expect(0)?;
    refused(db.phase(&["backfill", "1"]).await?, "trigger zz_phase_1_2_insert of t2 is disabled")?;
    same!(db.value("SELECT state || ' ' || goal FROM phase.item").await?, "expanded backfilled");
    // On again, but not for what is written as a replica.
    db.run("ALTER TABLE t2 ENABLE TRIGGER ALL").await?;
    refused(db.phase(&["backfill", "1"]).await?, "trigger zz_phase_1_2_insert of t2 is disabled, or was")?;
    db.run(&crate::proof::always("t2")).await?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    let ended = db.phase(&["validate", "1"]).await?.expect(3)?;
    check!(ended.stdout.contains("no proof yet"), "{ended:?}");
    db.phase(&["validate", "1", "--prove"]).await?.expect(0)?;
    Ok(())
}

async fn a_trigger_switched_off_on_one_partition_is_found(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, old text) PARTITION BY RANGE (id);
         CREATE TABLE t_a PARTITION OF t FOR VALUES FROM (0) TO (100);
         CREATE TABLE t_b PARTITION OF t FOR VALUES FROM (100) TO (300);
         INSERT INTO t SELECT i, 'o' || i FROM generate_series(1, 200) i",
    )
    .await?;
    db.file("plans/1_p.yaml", PLAN)?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    db.run("ALTER TABLE t_b DISABLE TRIGGER ALL").await?;
    let ended =
        refused(db.phase(&["validate", "1"]).await?, "trigger zz_phase_1_1_insert of t_b is disabled")?;
    let all = format!("{}{}", ended.stdout, ended.stderr);
    let help = all.lines().find_map(|line| line.split_once("switch it on again: ")).ok_or("no help")?.1;
    db.run(help).await?;
    db.phase(&["validate", "1", "--prove"]).await?.expect(0)?;
    // A partition that comes has them from the server.
    db.run("CREATE TABLE t_c PARTITION OF t FOR VALUES FROM (300) TO (400)").await?;
    db.phase(&["contract", "1"]).await?.expect(0)?;
    Ok(())
}

async fn a_sync_that_contract_turned_round_must_stand_as_well(db: Db) -> TestResult {
    db.run(TABLE).await?;
    let plan =
        PLAN.replace("keep: 1d", "  - {sql: SELECT 1 / (count(*) - 201) FROM t, undo: SELECT 1}\nkeep: 1d");
    db.file("plans/1_p.yaml", &plan)?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    db.run("INSERT INTO t VALUES (300, 'x')").await?;
    db.phase(&["contract", "1"]).await?.expect(1)?;
    db.run("DELETE FROM t WHERE id = 300; DROP TRIGGER zz_phase_1_1_back_update ON t").await?;
    let ended = refused(
        db.phase(&["contract", "1"]).await?,
        "trigger zz_phase_1_1_back_update of t is not there any more",
    )?;
    check!(format!("{ended:?}").contains("mend by hand"), "{ended:?}");
    put_back(&db, "contract.1").await?;
    db.phase(&["contract", "1"]).await?.expect(0)?;
    // Purge drops what it filled, with or without it.
    db.run("DROP FUNCTION phase_sync_1_1_back() CASCADE").await?;
    let status = db.phase(&["status"]).await?.expect(0)?;
    check!(status.stdout.contains("missing in the old columns"), "{status:?}");
    db.phase(&["purge", "1", "--now"]).await?.expect(0)?;
    Ok(())
}

async fn an_abort_tells_what_may_be_missing(db: Db) -> TestResult {
    at(&db, "contracted").await?;
    db.run("DROP FUNCTION phase_sync_1_1_back() CASCADE; INSERT INTO t (id, new) VALUES (500, 'n')").await?;
    let ended = db.phase(&["abort", "1"]).await?.expect(0)?;
    check!(ended.stderr.contains("may be missing in the old columns"), "{ended:?}");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("sync lost"), "{history:?}");
    Ok(())
}

async fn status_tells_of_a_constraint_that_could_not_be_proven(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", "validate:\n  - not_null: {table: t, column: old}\n")?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    let in_force = async |db: &Db| -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
        Ok(status["plans"][0]["in_force"].to_string())
    };
    same!(in_force(&db).await?, "[]");
    db.run("UPDATE t SET old = NULL WHERE id = 5").await?;
    db.phase(&["validate", "1"]).await?.expect(1)?;
    let constraint = if db.major < 18 { "phase_nn_t_old" } else { "t_old_not_null" };
    let demand = if db.major < 18 { "CHECK (old IS NOT NULL)" } else { "NOT NULL old" };
    let wanted = serde_json::json!([{"step": "validate.1.1", "table": "t", "column": "old", "constraint": constraint, "demand": demand,
        "goes_on": "phase advance 1", "taken_away": "phase abort 1"}]);
    same!(in_force(&db).await?.parse::<serde_json::Value>()?, wanted);
    let status = db.phase(&["status"]).await?.expect(0)?;
    check!(status.stdout.contains("in force: t.old takes no new null since validate.1.1"), "{status:?}");
    // It is so: such a statement fails. Both ways out are ways out.
    check!(db.run("INSERT INTO t VALUES (900, NULL)").await.is_err(), "a null was taken");
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(in_force(&db).await?, "[]");
    db.run("INSERT INTO t VALUES (900, NULL)").await?;
    db.file("plans/2_p.yaml", "validate:\n  - not_null: {table: t, column: old}\n")?;
    db.phase(&["advance", "2", "--to", "backfilled"]).await?.expect(0)?;
    db.phase(&["validate", "2"]).await?.expect(1)?;
    db.run("DELETE FROM t WHERE old IS NULL").await?;
    db.phase(&["advance", "2"]).await?.expect(0)?;
    let status = db.phase(&["status"]).await?.expect(0)?;
    check!(!status.stdout.contains("in force"), "{status:?}");
    Ok(())
}

async fn a_dry_rollback_ends_as_the_real_one(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "-- UP\nCREATE TABLE a (id int PRIMARY KEY);\n-- DOWN\nDROP TABLE a;\n")?;
    db.file("migrations/2_b.sql", "-- UP\nCREATE TABLE b (id int);\n-- DOWN\nDROP TABLE b;\n")?;
    db.file(
        "plans/3_c.yaml",
        "expand:\n  - {sql: ALTER TABLE a ADD COLUMN c int, undo: ALTER TABLE a DROP COLUMN c}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    for args in [&["rollback", "2"][..], &["rollback", "--to", "0"]] {
        let dry = db.phase(&[args, &["--dry-run"]].concat()).await?.expect(1)?;
        check!(
            dry.stderr.contains("1_a: 3_c builds on it and is expanded: first run phase abort 3"),
            "{dry:?}"
        );
        check!(dry.stdout.is_empty(), "{dry:?}");
    }
    // What goes, and the plan that goes before it, are shown; nothing is touched.
    db.phase(&["rollback", "--dry-run"]).await?.expect(0)?;
    db.phase(&["rollback", "--batch", "--dry-run"]).await?.expect(0)?;
    same!(
        db.value("SELECT string_agg(state, ' ' ORDER BY number) FROM phase.item").await?,
        "completed completed expanded"
    );
    let ended = db.phase(&["rollback", "2"]).await?.expect(1)?;
    check!(
        ended.stderr.contains("1_a: 3_c builds on it and is expanded: first run phase abort 3"),
        "{ended:?}"
    );
    Ok(())
}
