//! `phase check --online`, and the linter's eye for tables that are small and busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    a_small_table_that_is_busy_is_hot,
    one_file_is_checked_against_the_catalog,
    what_has_run_is_left_in_peace,
    a_misspelt_column_is_found_before_expand,
    what_comes_before_may_make_what_is_asked_for,
];

const SET: &str = "validate:\n  - sql: ALTER TABLE t ALTER COLUMN a SET NOT NULL\n";

async fn a_small_table_that_is_busy_is_hot(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 100) g")
        .await?;
    db.file("plans/1_p.yaml", SET)?;
    let ended = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!(ended.stdout.contains("1 checked, all right"), "{ended:?}");
    // An application that reads it all the time.
    let done = Arc::new(AtomicBool::new(false));
    let (client, stop) = (db.connect().await?, Arc::clone(&done));
    let application = tokio::spawn(async move {
        while !stop.load(Ordering::Relaxed) {
            client.batch_execute("SELECT count(*) FROM t").await?;
        }
        Ok::<_, tokio_postgres::Error>(client)
    });
    // As many as make an average since the server's start busy: only then a second look is worth its time.
    let sql = "SELECT seq_scan > 20 * extract(epoch FROM now() - pg_postmaster_start_time()) \
               FROM pg_stat_user_tables WHERE relname = 't'";
    while db.value(sql).await? != "t" {
        check!(!application.is_finished(), "the application has ended");
        tokio::task::yield_now().await;
    }
    let ended = db.phase(&["check", "--online"]).await?.expect(2)?;
    check!(
        ended.stdout.contains("t is small, but in use all the time: ")
            && ended.stdout.contains(" scans and 0 rows written in 2 s"),
        "{ended:?}"
    );
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(2)?;
    check!(ended.stderr.contains("t is small, but in use all the time: "), "{ended:?}");
    let ended = db.phase(&["show", "1", "--checklist"]).await?.expect(0)?;
    check!(
        ended.stdout.contains("✗ Does any step lock a table under load? yes: validate.1 (set-not-null)"),
        "{ended:?}"
    );
    // Without a connection a size is all that is asked for, and nobody knows it.
    db.phase(&["check"]).await?.expect(2)?;
    done.store(true, Ordering::Relaxed);
    let client = application.await??;
    // What the session did last is told when it ends.
    drop(client);
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'SELECT count%FROM t'";
    while db.value(sql).await? != "0" {
        tokio::task::yield_now().await;
    }
    let ended = db.phase(&["show", "1", "--checklist"]).await?.expect(0)?;
    check!(
        ended.stdout.contains("no table that is big or busy, but validate.1 holds ACCESS EXCLUSIVE on t, "),
        "{ended:?}"
    );
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    Ok(())
}

async fn one_file_is_checked_against_the_catalog(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); CREATE TABLE u (id int PRIMARY KEY)").await?;
    db.file("phase.yaml", "lint: {small_table: 0B}\n")?;
    db.run("INSERT INTO t VALUES (1, 1)").await?;
    db.file("migrations/1_m.sql", "-- UP\nCREATE TABLE v (id int, a int);\n-- DOWN\nDROP TABLE v;\n")?;
    db.file("plans/2_p.yaml", "expand:\n  - sql: CREATE INDEX v_a ON v (a)\n    undo: DROP INDEX v_a\n")?;
    db.file("plans/3_q.yaml", "expand:\n  - sql: CREATE INDEX t_a ON t (a)\n    undo: DROP INDEX t_a\n")?;
    // What comes before it on the timeline is taken for done.
    let ended = db.phase(&["check", "p", "--online", "--json"]).await?.expect(0)?.json()?;
    same!(ended["checked"].to_string(), "[\"2_p\"]");
    same!(ended["findings"].to_string(), "[]");
    let ended = db.phase(&["check", "plans/3_q.yaml", "--online"]).await?.expect(2)?;
    check!(ended.stdout.contains("plans/3_q.yaml:2:10: error: create-index"), "{ended:?}");
    // A fault of another file is for those who check that.
    db.phase(&["advance", "1"]).await?.expect(0)?;
    db.file("migrations/1_m.sql", "-- UP\nCREATE TABLE v (id int);\n-- DOWN\nDROP TABLE v;\n")?;
    db.phase(&["check", "--online"]).await?.expect(6)?;
    db.phase(&["check", "p", "--online"]).await?.expect(0)?;
    db.phase(&["check", "m", "--online"]).await?.expect(6)?;
    Ok(())
}

async fn what_has_run_is_left_in_peace(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id bigint PRIMARY KEY)").await?;
    db.file(
        "migrations/1_m.sql",
        "-- UP\nALTER TABLE t ADD COLUMN at timestamp;\n-- DOWN\nALTER TABLE t DROP COLUMN at;\n",
    )?;
    let note = "squawk/prefer-timestamp-tz";
    let ended = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!(ended.stdout.contains(note), "{ended:?}");
    db.phase(&["expand"]).await?.expect(0)?;
    let ended = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!(!ended.stdout.contains(note), "{ended:?}");
    check!(db.phase(&["check"]).await?.stdout.contains(note), "without a record nobody knows");
    check!(!db.phase(&["check", "--since", "1"]).await?.stdout.contains(note), "it was said to be over");
    // Plans that only expand, on one table: nothing of them is left to wait for.
    for n in 2..8 {
        db.file(
            &format!("plans/{n}_p.yaml"),
            &format!("expand:\n  - sql: ALTER TABLE t ADD COLUMN c{n} bigint\n    undo: ALTER TABLE t DROP COLUMN c{n}\n"),
        )?;
    }
    let ended = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!(!format!("{ended:?}").contains("warning") && !ended.stderr.contains("WARN"), "{ended:?}");
    let ended = db.phase(&["expand"]).await?.expect(0)?;
    check!(!ended.stderr.contains("WARN"), "{ended:?}");
    // Where there is something to wait for, the rest is not for a command that has run already.
    for n in 10..17 {
        db.file(
            &format!("plans/{n}_p.yaml"),
            &format!("expand:\n  - sql: ALTER TABLE t ADD COLUMN d{n} bigint\n    undo: ALTER TABLE t DROP COLUMN d{n}\nvalidate:\n  - index: {{table: t, columns: [d{n}]}}\n"),
        )?;
    }
    let ended = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!(ended.stderr.contains("more pairs of open files share tables"), "{ended:?}");
    check!(!format!("{ended:?}").contains("check --online"), "{ended:?}");
    Ok(())
}

async fn a_misspelt_column_is_found_before_expand(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, name text, age int NOT NULL)").await?;
    let add =
        "expand:\n  - {sql: ALTER TABLE t ADD COLUMN title text, undo: ALTER TABLE t DROP COLUMN title}\n";
    for (text, said) in [
        (
            "  - sync: {table: t, set: {title: nmae}}\n",
            "plans/1_p.yaml:3:5: table t has no column nmae; it has id, name, age",
        ),
        ("  - sync: {table: t, set: {titel: name}}\n", "plans/1_p.yaml:3:5: table t has no column titel"),
        ("  - sync: {table: t, set: {title: name}, back: {nam: title}}\n", "3:5: table t has no column nam;"),
        ("  - sync: {table: tt, set: {title: name}}\n", "plans/1_p.yaml:3:5: there is no table tt"),
        (
            "backfill:\n  - {table: t, set: {title: upper(nmae)}}\n",
            "plans/1_p.yaml:4:5: table t has no column nmae",
        ),
        (
            "backfill:\n  - {table: t, set: {title: name}, where: agee > 3}\n",
            "4:5: table t has no column agee",
        ),
        (
            "backfill:\n  - {table: t, set: {title: name}, key: [age]}\n",
            "4:5: table t has no unique index over exactly (age)",
        ),
        (
            "validate:\n  - not_null: {table: t, column: nmae}\n",
            "plans/1_p.yaml:4:5: table t has no column nmae",
        ),
        ("validate:\n  - not_null: {table: t, column: age}\n", "4:5: t.age is NOT NULL already"),
        (
            "contract:\n  - drop_column: {table: t, column: nmae}\n",
            "plans/1_p.yaml:4:5: table t has no column nmae",
        ),
    ] {
        db.file("plans/1_p.yaml", &format!("{add}{text}"))?;
        db.phase(&["check"]).await?.expect(0)?;
        let ended = db.phase(&["check", "--online"]).await?.expect(2)?;
        check!(ended.stderr.contains(said), "{text}: {ended:?}");
        // The start says the same, and nothing of it has run.
        let started = db.phase(&["expand"]).await?.expect(2)?;
        check!(started.stderr.contains(said), "{text}: {started:?}");
        same!(
            db.value(
                "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'title'"
            )
            .await?,
            "0"
        );
    }
    // Both faults of two files at once; of a file that is not asked about, none.
    db.file("plans/1_p.yaml", &format!("{add}validate:\n  - not_null: {{table: t, column: nmae}}\n"))?;
    db.file("plans/2_q.yaml", "contract:\n  - drop_column: {table: t, column: aeg}\n")?;
    let ended = db.phase(&["check", "--online"]).await?.expect(2)?;
    check!(ended.stderr.contains("1_p.yaml:4:5") && ended.stderr.contains("2_q.yaml:2:5"), "{ended:?}");
    let ended = db.phase(&["check", "q", "--online"]).await?.expect(2)?;
    check!(!ended.stderr.contains("1_p.yaml") && ended.stderr.contains("2_q.yaml:2:5"), "{ended:?}");
    // What is right is all right, the row as a whole and what every table has included.
    std::fs::remove_file(db.project.path().join("plans/2_q.yaml"))?;
    db.file("plans/1_p.yaml", &format!("{add}  - sync: {{table: t, set: {{title: upper(name)}}}}\nbackfill:\n  - {{table: t, set: {{title: upper(name)}}, where: ctid IS NOT NULL AND t IS NOT NULL}}\n"))?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    Ok(())
}

async fn what_comes_before_may_make_what_is_asked_for(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text)").await?;
    db.file("migrations/1_m.sql", "-- UP\nCREATE TABLE u (id int PRIMARY KEY, a text);\nALTER TABLE t ADD COLUMN a text;\n-- DOWN\nDROP TABLE u;\nALTER TABLE t DROP COLUMN a;\n")?;
    let plan = |table: &str| format!("validate:\n  - not_null: {{table: {table}, column: a}}\n");
    db.file("plans/2_u.yaml", &plan("u"))?;
    db.file("plans/3_t.yaml", &plan("t"))?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    // Before what makes it, it is not there.
    db.file("plans/0_t.yaml", &plan("t"))?;
    let ended = db.phase(&["check", "--online"]).await?.expect(2)?;
    check!(ended.stderr.contains("plans/0_t.yaml:2:5: table t has no column a; it has id, old"), "{ended:?}");
    check!(!ended.stderr.contains("2_u") && !ended.stderr.contains("3_t"), "{ended:?}");
    Ok(())
}
