//! `phase check --online`, and the linter's eye for tables that are small and busy.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    a_small_table_that_is_busy_is_hot,
    one_file_is_checked_against_the_catalog,
    what_has_run_is_left_in_peace,
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
