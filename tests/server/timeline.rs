//! SQL migrations and plans in one timeline: order, drift, rollback, baseline.

use crate::harness::{Db, SCHEMA, TestResult, check, same, tests};

tests![
    an_edited_migration_stops_everything,
    a_missing_file_is_reported,
    an_older_file_is_refused_unless_allowed,
    a_dry_run_touches_nothing,
    rollback_takes_back_the_newest_first,
    a_batch_is_rolled_back_whole,
    what_has_no_way_back_refuses,
    baseline_records_without_running,
    statements_that_cannot_share_a_transaction_run_alone,
    what_nobody_can_know_is_left_to_a_person,
    limits_that_would_lift_themselves_are_refused,
    a_failed_migration_leaves_nothing,
    a_failed_migration_can_be_mended,
    gates_hold_with_every_reason,
    plans_that_share_a_column_wait_for_each_other,
    the_json_of_status_is_as_documented,
    init_and_new_write_what_check_accepts,
    a_folder_without_a_project_is_refused,
    settings_do_not_get_lost_between_statements,
    what_was_refused_may_come_back_as_a_plan,
];

async fn an_edited_migration_stops_everything(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "CREATE TABLE a ();\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.file("migrations/1_a.sql", "CREATE TABLE a (x int);\n")?;
    db.file("migrations/2_b.sql", "CREATE TABLE b ();\n")?;
    let ended = db.phase(&["expand"]).await?.expect(6)?;
    check!(ended.stderr.contains("-CREATE TABLE a ();\n+CREATE TABLE a (x int);"), "{ended:?}");
    same!(db.value("SELECT to_regclass('b') IS NULL").await?, "t");
    db.phase(&["status", "--exit-code"]).await?.expect(6)?;
    db.phase(&["check"]).await?.expect(0)?;
    db.phase(&["check", "--online"]).await?.expect(6)?;
    Ok(())
}

async fn a_missing_file_is_reported(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "CREATE TABLE a ();\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    std::fs::remove_file(db.project.path().join("migrations/1_a.sql"))?;
    let ended = db.phase(&["expand"]).await?.expect(0)?;
    check!(ended.stderr.contains("1_a is completed on record, but its file is missing"), "{ended:?}");
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    same!(status["drift"][0]["drift"], "missing");
    same!(status["plans"][0]["state"], "completed");
    db.phase(&["check", "--online"]).await?.expect(6)?;
    db.phase(&["status", "--exit-code"]).await?.expect(6)?;
    // One that did nothing yet is not missed.
    db.file("plans/2_b.yaml", "backfill:\n  - {table: nowhere, set: {a: b}}\n")?;
    db.phase(&["advance", "2"]).await?.expect(2)?;
    std::fs::remove_file(db.project.path().join("plans/2_b.yaml"))?;
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    same!(status["plans"].as_array().map(Vec::len), Some(1));
    Ok(())
}

async fn an_older_file_is_refused_unless_allowed(db: Db) -> TestResult {
    db.file("migrations/20_b.sql", "CREATE TABLE b ();\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.file("migrations/10_a.sql", "CREATE TABLE a ();\n")?;
    let ended = db.phase(&["expand"]).await?.expect(6)?;
    check!(ended.stderr.contains("10_a is older than 20_b"), "{ended:?}");
    db.phase(&["expand", "--out-of-order"]).await?.expect(0)?;
    same!(db.value("SELECT to_regclass('a') IS NOT NULL").await?, "t");
    Ok(())
}

async fn a_dry_run_touches_nothing(db: Db) -> TestResult {
    db.examples()?;
    let ended = db.phase(&["expand", "--dry-run"]).await?.expect(0)?;
    for part in
        ["CREATE TABLE users", "CREATE INDEX CONCURRENTLY", "ADD COLUMN display_name", "CREATE TRIGGER"]
    {
        check!(ended.stdout.contains(part), "{part} is missing: {}", ended.stdout);
    }
    same!(db.value(SCHEMA).await?, "");
    same!(db.value("SELECT to_regnamespace('phase') IS NULL").await?, "t");
    let to = db.phase(&["expand", "--dry-run", "--to", "20261101090000"]).await?.expect(0)?;
    check!(!to.stdout.contains("CREATE TABLE orders"), "{}", to.stdout);
    Ok(())
}

async fn rollback_takes_back_the_newest_first(db: Db) -> TestResult {
    for n in 1..=4 {
        db.file(
            &format!("migrations/{n}_m.sql"),
            &format!("-- UP\nCREATE TABLE t{n} ();\n-- DOWN\nDROP TABLE t{n};\n"),
        )?;
    }
    db.phase(&["expand"]).await?.expect(0)?;
    db.phase(&["rollback", "--dry-run"]).await?.expect(0)?;
    let tables = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relname ~ '^t[0-9]$'";
    same!(db.value(tables).await?, "t1 t2 t3 t4");
    db.phase(&["rollback"]).await?.expect(0)?;
    same!(db.value(tables).await?, "t1 t2 t3");
    db.phase(&["rollback", "--to", "1"]).await?.expect(0)?;
    same!(db.value(tables).await?, "t1");
    db.phase(&["expand", "--to", "3"]).await?.expect(0)?;
    same!(db.value(tables).await?, "t1 t2 t3");
    // A file that was rolled back may be edited and run again.
    db.file("migrations/4_m.sql", "-- UP\nCREATE TABLE t4 (x int);\n-- DOWN\nDROP TABLE t4;\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value(tables).await?, "t1 t2 t3 t4");
    Ok(())
}

async fn a_batch_is_rolled_back_whole(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "-- UP\nCREATE TABLE a (id int PRIMARY KEY);\n-- DOWN\nDROP TABLE a;\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    let before = db.value(SCHEMA).await?;
    db.file("migrations/2_b.sql", "-- UP\nCREATE TABLE b (id int PRIMARY KEY);\n-- DOWN\nDROP TABLE b;\n")?;
    db.file(
        "plans/3_c.yaml",
        "expand:\n  - {sql: ALTER TABLE b ADD COLUMN c int, undo: ALTER TABLE b DROP COLUMN c}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    // Alone, the migration under a plan in flight does not go.
    let ended = db.phase(&["rollback"]).await?.expect(1)?;
    check!(ended.stderr.contains("3_c builds on it and is expanded"), "{ended:?}");
    db.phase(&["rollback", "--batch"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, before);
    same!(
        db.value("SELECT string_agg(state, ' ' ORDER BY number) FROM phase.item").await?,
        "completed planned aborted"
    );
    Ok(())
}

async fn what_has_no_way_back_refuses(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "CREATE TABLE a ();\n")?;
    db.file(
        "migrations/2_b.sql",
        "-- UP\nCREATE TABLE b ();\n-- DOWN\n-- irreversible: rows would be lost\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    let ended = db.phase(&["rollback"]).await?.expect(1)?;
    check!(ended.stderr.contains("irreversible: rows would be lost"), "{ended:?}");
    let ended = db.phase(&["rollback", "2"]).await?.expect(1)?;
    check!(ended.stderr.contains("nothing was rolled back"), "{ended:?}");
    same!(db.value("SELECT count(*) FROM phase.item WHERE state = 'completed'").await?, "2");
    Ok(())
}

async fn baseline_records_without_running(db: Db) -> TestResult {
    db.examples()?;
    db.phase(&["baseline", "20261102090000"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, "");
    let states = "SELECT string_agg(state || ' ' || baseline, ', ' ORDER BY number) FROM phase.item";
    same!(db.value(states).await?, "completed true, completed true");
    let ended = db.phase(&["rollback"]).await?.expect(0)?;
    check!(ended.stdout.contains("nothing is applied"), "{ended:?}");
    Ok(())
}

async fn statements_that_cannot_share_a_transaction_run_alone(db: Db) -> TestResult {
    db.file(
        "migrations/1_a.sql",
        "-- UP\nCREATE TYPE mood AS ENUM ('sad');\nCREATE TABLE a (id int PRIMARY KEY, m mood);\nALTER TYPE mood ADD VALUE 'glad';\n\
         INSERT INTO a VALUES (1, 'glad');\nCREATE INDEX CONCURRENTLY a_m ON a (m);\nVACUUM a;\nREINDEX INDEX CONCURRENTLY a_m;\n\
         -- DOWN\nDROP INDEX CONCURRENTLY a_m;\nDROP TABLE a;\nDROP TYPE mood;\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT m FROM a").await?, "glad");
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_m'::regclass").await?, "t");
    same!(db.value("SELECT count(*) FROM phase.step WHERE status = 'done'").await?, "7");
    db.phase(&["rollback"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, "");
    Ok(())
}

async fn what_nobody_can_know_is_left_to_a_person(db: Db) -> TestResult {
    let made = format!("{}_made", db.name);
    db.file("migrations/1_a.sql", &format!("CREATE DATABASE \"{made}\";\n"))?;
    for (at, answer, again) in [("ran up", "--step-done", false), ("inside up", "--step-again", true)] {
        db.run("DROP SCHEMA IF EXISTS phase CASCADE").await?;
        let output = db.command(&["expand"]).env("PHASE_CRASH_AT", at).output().await?;
        check!(output.status.code().is_none(), "it was not killed at {at}");
        let ended = db.phase(&["expand", "--lock-wait", "30s"]).await?.expect(1)?;
        check!(ended.stderr.contains("nobody can say") && ended.stderr.contains("--step-done"), "{ended:?}");
        let held = db.phase(&["expand"]).await?.expect(5)?;
        check!(held.stdout.contains("held"), "{held:?}");
        // The person looks, and says what is there.
        let there = format!("SELECT count(*) FROM pg_database WHERE datname = '{made}'");
        same!(db.value(&there).await?, if again { "0" } else { "1" });
        db.phase(&["resume", "1", answer]).await?.expect(0)?;
        db.phase(&["expand"]).await?.expect(0)?;
        same!(db.value("SELECT state FROM phase.item").await?, "completed");
        same!(db.value(&there).await?, "1");
        db.run(&format!("DROP DATABASE \"{made}\"")).await?;
    }
    Ok(())
}

async fn limits_that_would_lift_themselves_are_refused(db: Db) -> TestResult {
    for limit in ["0s", "100us", "60d"] {
        let plan =
            format!("settings: {{lock_timeout: {limit}}}\nexpand:\n  - {{sql: SELECT 1, undo: SELECT 1}}\n");
        db.file("plans/1_p.yaml", &plan)?;
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(ended.stderr.contains("plans/1_p.yaml:1:26: "), "{ended:?}");
    }
    db.file("plans/1_p.yaml", "expand:\n  - {sql: SELECT 1, undo: SELECT 1}\n")?;
    db.file("phase.yaml", "settings: {lock_timeout: 0s}\n")?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(ended.stderr.contains("phase.yaml: lock_timeout"), "{ended:?}");
    Ok(())
}

async fn a_failed_migration_leaves_nothing(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "CREATE TABLE a ();\nSELECT 1 / 0;\n")?;
    let ended = db.phase(&["expand"]).await?.expect(1)?;
    for part in ["1_a", "division by zero", "statement 2 of 2", "phase advance 1"] {
        check!(ended.stderr.contains(part), "{part} is missing: {}", ended.stderr);
    }
    same!(db.value(SCHEMA).await?, "");
    same!(db.value("SELECT error IS NOT NULL FROM phase.item").await?, "t");
    let failed =
        "SELECT count(*) FROM phase.history WHERE outcome = 'failed' AND detail LIKE '%division by zero%'";
    same!(db.value(failed).await?, "2");
    db.phase(&["status", "--exit-code"]).await?.expect(1)?;
    Ok(())
}

async fn a_failed_migration_can_be_mended(db: Db) -> TestResult {
    // Rolled back whole: the file is free.
    db.file("migrations/1_a.sql", "CREATE TABLE a ();\nCREATE TABEL b ();\n")?;
    db.phase(&["expand"]).await?.expect(2)?;
    db.file("migrations/1_a.sql", "CREATE TABLE a ();\nCREATE TABLE a ();\n")?;
    db.phase(&["expand"]).await?.expect(1)?;
    db.file("migrations/1_a.sql", "CREATE TABLE a (id int);\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    let source = "SELECT source = E'CREATE TABLE a (id int);\\n' AND state = 'completed' FROM phase.item";
    same!(db.value(source).await?, "t");
    // Half done, statement by statement: what ran must stay as it was, the rest may be mended.
    let half = |second: &str| format!("CREATE INDEX CONCURRENTLY a_i ON a (id);\n{second};\n");
    db.file("migrations/2_b.sql", &half("CREATE TABLE a ()"))?;
    db.phase(&["expand"]).await?.expect(1)?;
    db.file("migrations/2_b.sql", "CREATE INDEX CONCURRENTLY a_j ON a (id);\nCREATE TABLE b ();\n")?;
    db.phase(&["expand"]).await?.expect(6)?;
    db.file("migrations/2_b.sql", &half("CREATE TABLE b ()"))?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT to_regclass('b') IS NOT NULL AND to_regclass('a_i') IS NOT NULL").await?, "t");
    db.phase(&["status", "--exit-code"]).await?.expect(0)?;
    // A plan whose first step failed is free as well.
    db.file("plans/3_c.yaml", "expand:\n  - {sql: ALTER TABLE nowhere ADD COLUMN x int, undo: SELECT 1}\n")?;
    db.phase(&["expand"]).await?.expect(1)?;
    db.file(
        "plans/3_c.yaml",
        "expand:\n  - {sql: ALTER TABLE a ADD COLUMN x int, undo: ALTER TABLE a DROP COLUMN x}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    Ok(())
}

async fn gates_hold_with_every_reason(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int); CREATE TABLE go (yes boolean)").await?;
    db.file(
        "plans/1_p.yaml",
        "contract:\n  - drop_column: {table: t, column: a}\n\
         gates: {contract: {deployed: [web@2.0.0, api@1.0.0], soak: 1h, approvals: 1, query: [SELECT yes FROM go, SELECT nonsense]}}\nkeep: 1h\n",
    )?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    let ended = db.phase(&["contract", "--json"]).await?.expect(3)?.json()?;
    let reasons = ended["moved"][0]["reasons"].as_array().cloned().unwrap_or_default();
    same!(reasons.len(), 6, "{reasons:?}");
    db.run("INSERT INTO go VALUES (true)").await?;
    db.phase(&["deployed", "web@2.1.0"]).await?.expect(0)?;
    db.phase(&["deployed", "api@1.0.0"]).await?.expect(0)?;
    db.phase(&["approve", "1", "--note", "fine"]).await?.expect(0)?;
    let ended = db.phase(&["contract"]).await?.expect(3)?;
    check!(ended.stdout.contains("soak: ") && ended.stdout.contains("SELECT nonsense"), "{ended:?}");
    check!(!ended.stdout.contains("deployed") && !ended.stdout.contains("approvals"), "{ended:?}");
    // A rollback of the deploy closes the gate again.
    db.phase(&["deployed", "web@1.9.0"]).await?.expect(0)?;
    let ended = db.phase(&["contract"]).await?.expect(3)?;
    check!(ended.stdout.contains("web is at 1.9.0, not yet 2.0.0"), "{ended:?}");
    // The window of keep holds purge.
    same!(
        db.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'")
            .await?,
        "1"
    );
    Ok(())
}

async fn plans_that_share_a_column_wait_for_each_other(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY)").await?;
    let add = "expand:\n  - {sql: ALTER TABLE t ADD COLUMN a int, undo: ALTER TABLE t DROP COLUMN a}\n";
    let change =
        "expand:\n  - {sql: ALTER TABLE t ALTER a SET DEFAULT 1, undo: ALTER TABLE t ALTER a DROP DEFAULT}\n";
    db.file("plans/1_a.yaml", add)?;
    db.file("plans/2_b.yaml", change)?;
    let ended = db.phase(&["expand"]).await?.expect(3)?;
    check!(ended.stdout.contains("alters t.a, which 1_a (expanded) makes"), "{ended:?}");
    db.file("plans/2_b.yaml", &format!("depends_on: [1_a]\n{change}"))?;
    db.phase(&["expand"]).await?.expect(0)?;
    let ended = db.phase(&["backfill", "2"]).await?.expect(3)?;
    check!(ended.stdout.contains("depends on 1_a, which is expanded and not yet backfilled"), "{ended:?}");
    let ended = db.phase(&["abort", "1"]).await?.expect(1)?;
    check!(ended.stderr.contains("2_b depends on it"), "{ended:?}");
    db.phase(&["abort", "2"]).await?.expect(0)?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    Ok(())
}

async fn the_json_of_status_is_as_documented(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, 100)")
        .await?;
    db.file("plans/7_p.yaml", "backfill:\n  - {table: t, set: {a: id}}\n")?;
    db.file("migrations/8_s.sql", "SELECT 1")?;
    db.phase(&["advance", "7", "--to", "backfilled"]).await?.expect(0)?;
    db.phase(&["pause", "7", "--reason", "lunch"]).await?.expect(0)?;
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    let plan = &status["plans"][0];
    same!(plan["version"], "7");
    same!(plan["name"], "p");
    same!(plan["kind"], "plan");
    same!(plan["state"], "backfilled");
    same!(plan["goal"], "backfilled");
    same!(plan["hold"]["reason"], "lunch");
    check!(plan["hold"]["by"].is_string() && plan["hold"]["since"].is_string(), "{plan}");
    same!(plan["next"]["to"], "validated");
    same!(plan["backfill"]["rows_done"], 100);
    same!(plan["backfill"]["rows_total"], 100);
    for key in ["rows_per_s", "quarantined", "workers"] {
        check!(plan["backfill"][key].is_i64(), "{key}: {plan}");
    }
    same!(plan["error"], serde_json::Value::Null);
    same!(status["plans"][1]["kind"], "sql");
    db.phase(&["advance", "7"]).await?.expect(5)?;
    db.phase(&["resume", "7"]).await?.expect(0)?;
    db.phase(&["advance", "7"]).await?.expect(0)?;
    Ok(())
}

async fn init_and_new_write_what_check_accepts(db: Db) -> TestResult {
    db.phase(&["init"]).await?.expect(0)?;
    let made = db.phase(&["new", "add_thing", "--json"]).await?.expect(0)?.json()?;
    check!(made["file"].as_str().is_some_and(|file| file.starts_with("plans/20")), "{made}");
    db.phase(&["new", "more", "--sql", "--version", "1"]).await?.expect(0)?;
    db.phase(&["check"]).await?.expect(0)?;
    db.phase(&["new", "more", "--sql", "--version", "1"]).await?.expect(2)?;
    db.phase(&["show", "add_thing", "--offline"]).await?.expect(0)?;
    let history = db.phase(&["history", "--json"]).await?.expect(0)?.json()?;
    check!(history["history"].is_array(), "{history}");
    for shell in ["bash", "zsh", "fish"] {
        check!(db.phase(&["completions", shell]).await?.expect(0)?.stdout.contains("phase"), "{shell}");
    }
    Ok(())
}

async fn a_folder_without_a_project_is_refused(db: Db) -> TestResult {
    for folder in ["plans", "migrations"] {
        std::fs::remove_dir(db.project.path().join(folder))?;
    }
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("neither plans nor migrations"), "{ended:?}");
    let ended = db.phase(&["-C", "nowhere", "expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("there is no such folder"), "{ended:?}");
    // Versions rise with every file, however fast they come.
    for name in ["a", "b", "c"] {
        db.phase(&["new", name, "--sql"]).await?.expect(0)?;
    }
    let files: std::collections::BTreeSet<String> = std::fs::read_dir(db.project.path().join("migrations"))?
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    let order: Vec<&str> = files.iter().filter_map(|name| name.split('_').nth(1)).collect();
    same!(order, ["a.sql", "b.sql", "c.sql"]);
    Ok(())
}

async fn settings_do_not_get_lost_between_statements(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "SET search_path = s2;\nCREATE TABLE a ();\nVACUUM;\n")?;
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("SET would not reach the others"), "{ended:?}");
    db.file("migrations/1_a.sql", "CREATE SCHEMA s2;\nSET search_path = s2;\nCREATE TABLE a ();\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT to_regclass('s2.a') IS NOT NULL").await?, "t");
    db.phase(&["advance"]).await?.expect(0)?;
    Ok(())
}

async fn what_was_refused_may_come_back_as_a_plan(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t VALUES (1, 1)").await?;
    db.file("phase.yaml", "lint: {small_table: 0B}\n")?;
    db.file(
        "migrations/2_i.sql",
        "-- UP\nCREATE INDEX t_a ON t (a);\n-- DOWN\nDROP INDEX CONCURRENTLY t_a;\n",
    )?;
    db.phase(&["expand"]).await?.expect(2)?;
    std::fs::remove_file(db.project.path().join("migrations/2_i.sql"))?;
    db.file(
        "plans/2_i.yaml",
        "expand:\n  - sql: CREATE INDEX CONCURRENTLY t_a ON t (a)\n    undo: DROP INDEX CONCURRENTLY t_a\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value("SELECT kind || ' ' || state FROM phase.item").await?, "plan expanded");
    Ok(())
}
