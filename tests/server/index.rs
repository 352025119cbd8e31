//! Concurrent index builds: what fails leaves nothing, what a crash left is
//! found, and our own sessions are never what a build waits for.

use std::time::{Duration, Instant};

use crate::harness::{Db, Ended, SCHEMA, TestResult, check, same, tests, value};

tests![
    a_failed_build_leaves_no_invalid_index,
    an_invalid_leftover_is_dropped_and_built_again,
    an_index_of_that_name_that_is_not_ours_is_refused,
    an_invalid_index_on_other_columns_is_left_alone,
    a_drop_hears_if_exists,
    a_statement_does_not_outlive_its_runner,
    a_build_waits_for_old_snapshots_and_says_so,
    a_partitioned_table_gets_its_index_by_its_partitions,
    a_build_by_partitions_that_was_killed_goes_on_and_is_taken_back,
    an_index_of_a_partition_that_is_not_ours_is_left_alone,
    a_reindex_leaves_nothing_behind,
    what_is_sent_for_a_partitioned_table_is_shown,
];

const TABLE: &str =
    "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i";
const PLAN: &str = "validate:\n  - index: {table: t, columns: [a], unique: true, name: t_a}\n";

async fn a_failed_build_leaves_no_invalid_index(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("INSERT INTO t VALUES (5000, 7)").await?;
    let before = db.value(SCHEMA).await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(1)?;
    check!(ended.stderr.contains("Key (a)=(7) is duplicated"), "{ended:?}");
    check!(ended.stderr.contains("duplicates: (7,2)"), "{ended:?}");
    check!(ended.stderr.contains("GROUP BY (a) HAVING count(*) > 1"), "{ended:?}");
    same!(db.value(SCHEMA).await?, before);
    db.run("DELETE FROM t WHERE id = 5000").await?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "t");
    Ok(())
}

async fn an_invalid_leftover_is_dropped_and_built_again(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("INSERT INTO t VALUES (5000, 7)").await?;
    // What a build leaves that was killed: PostgreSQL's own, not an imitation.
    check!(
        db.run("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (a)").await.is_err(),
        "the duplicate was not seen"
    );
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "f");
    db.run("DELETE FROM t WHERE id = 5000").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    same!(
        db.value("SELECT indisvalid AND indisready FROM pg_index WHERE indexrelid = 't_a'::regclass").await?,
        "t"
    );
    Ok(())
}

async fn an_index_of_that_name_that_is_not_ours_is_refused(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("CREATE INDEX t_a ON t (id)").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(1)?;
    check!(ended.stderr.contains("an index of this name is there already"), "{ended:?}");
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "t");
    Ok(())
}

async fn an_invalid_index_on_other_columns_is_left_alone(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("INSERT INTO t VALUES (5000, 7); ALTER TABLE t ADD COLUMN b int; UPDATE t SET b = a").await?;
    check!(
        db.run("CREATE UNIQUE INDEX CONCURRENTLY t_a ON t (b)").await.is_err(),
        "the duplicate was not seen"
    );
    let before = db.value("SELECT 't_a'::regclass::oid").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(1)?;
    check!(ended.stderr.contains("which is not valid, and not of this step"), "{ended:?}");
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value("SELECT 't_a'::regclass::oid").await?, before);
    Ok(())
}

async fn a_drop_hears_if_exists(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("migrations/1_m.sql", "-- UP\nDROP INDEX CONCURRENTLY IF EXISTS t_a;\n-- DOWN\nSELECT 1;\n")?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    db.file("migrations/2_m.sql", "-- UP\nDROP INDEX CONCURRENTLY t_a;\n-- DOWN\nSELECT 1;\n")?;
    let ended = db.phase(&["advance", "2"]).await?.expect(1)?;
    check!(ended.stderr.contains("there is no such index"), "{ended:?}");
    Ok(())
}

async fn a_statement_does_not_outlive_its_runner(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("CREATE INDEX t_b ON t (a)").await?;
    db.file("plans/1_p.yaml", &format!("{PLAN}contract:\n  - drop_index: {{name: t_b}}\n"))?;
    let indexes = "SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 't'::regclass";
    let ways = [
        ("backfilled", "validate", "validate", "t_a t_b t_pkey"),
        ("validated", "contract", "abort", "t_b t_pkey"),
    ];
    for (n, (to, command, next, end)) in ways.into_iter().enumerate() {
        db.phase(&["advance", "1", "--to", to]).await?.expect(0)?;
        let (holder, watch) = (db.connect().await?, db.connect().await?);
        holder.batch_execute("BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE").await?;
        let mut child = db.start(&[command, "1"])?;
        let waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 't'::regclass";
        while value(&watch, waits).await? == "0" {
            check!(child.try_wait()?.is_none(), "{command} ended");
        }
        child.kill().await?;
        // Its statement waits on, and would run when nobody thinks of it any more.
        check!(value(&watch, waits).await? != "0", "the server has seen the kill");
        let next = db.start(&[next, "1"])?;
        let ended = format!("SELECT count(*) > {n} FROM phase.history WHERE event = 'orphan'");
        while value(&watch, &ended).await? != "t" {}
        holder.batch_execute("COMMIT").await?;
        Ended::of(&next.wait_with_output().await?).expect(0)?;
        same!(db.value(indexes).await?, end);
        let left = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'phase' AND datname = current_database()";
        // A backend ends a moment after its client; one that is left at work does not.
        let since = Instant::now();
        while value(&watch, left).await? != "0" {
            check!(since.elapsed() < Duration::from_secs(20), "a session of phase is left");
        }
    }
    Ok(())
}

async fn a_build_waits_for_old_snapshots_and_says_so(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file(
        "plans/1_p.yaml",
        &format!("settings: {{lock_timeout: 100ms, statement_timeout: 200ms}}\n{PLAN}"),
    )?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    let old = db.connect().await?;
    old.batch_execute(
        "SET application_name = 'old report'; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t",
    )
    .await?;
    let child = db.start(&["validate"])?;
    // It waits for the report, beyond every time limit of a plain statement.
    let waits = "SELECT count(*) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%' AND datname = current_database()";
    while db.value(waits).await? == "0" {}
    old.batch_execute("SELECT pg_sleep(1.5); COMMIT").await?;
    let ended = Ended::of(&child.wait_with_output().await?).expect(0)?;
    check!(
        ended.stderr.contains("waiting for") && ended.stderr.contains("application old report"),
        "{ended:?}"
    );
    Ok(())
}

const PARTITIONED: &str = "CREATE TABLE t (id int, a int, PRIMARY KEY (id)) PARTITION BY RANGE (id); \
     CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (500); \
     CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (500) TO (2000) PARTITION BY RANGE (id); \
     CREATE TABLE \"t 2a\" PARTITION OF t_2 FOR VALUES FROM (500) TO (1000); \
     CREATE TABLE t_2b PARTITION OF t_2 DEFAULT; \
     INSERT INTO t SELECT i, i FROM generate_series(1, 1000) i";
const WHOLE: &str = "SELECT count(*) || ' ' || bool_and(i.indisvalid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
     WHERE c.relname LIKE '%t_a'";
const BY_PARTITIONS: &str = "expand:\n  - sql: CREATE TABLE other (id int)\n    undo: DROP TABLE other\n\
     validate:\n  - index: {table: t, columns: [a, id], unique: true, name: t_a}\n";

async fn a_partitioned_table_gets_its_index_by_its_partitions(db: Db) -> TestResult {
    db.run(PARTITIONED).await?;
    let before = db.value(SCHEMA).await?;
    db.file("plans/1_p.yaml", BY_PARTITIONS)?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    check!(
        ended.stderr.contains("3 of 9: index \"t 2a_t_a\"") || ended.stderr.contains("t 2a_t_a"),
        "{ended:?}"
    );
    // The table, one level below, three partitions.
    same!(db.value(WHOLE).await?, "5 true");
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "t");
    let abort = db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, before, "{abort:?}");
    Ok(())
}

async fn a_build_by_partitions_that_was_killed_goes_on_and_is_taken_back(db: Db) -> TestResult {
    db.run(PARTITIONED).await?;
    let before = db.value(SCHEMA).await?;
    db.file("plans/1_p.yaml", BY_PARTITIONS)?;
    let killed_at = async |part: u32| -> TestResult {
        let mut command = db.command(&["advance", "1", "--to", "validated"]);
        command.env("PHASE_CRASH_AT", format!("part {part} of validate.1"));
        let ended = Ended::of(&command.output().await?);
        check!(ended.code.is_none(), "it was not killed: {ended:?}");
        Ok(())
    };
    for part in [0, 2, 4, 7] {
        killed_at(part).await?;
        check!(db.value(SCHEMA).await? != before, "nothing was built before part {part}");
        db.phase(&["abort", "1"]).await?.expect(0)?;
        same!(db.value(SCHEMA).await?, before, "part {part}");
        db.run("DROP SCHEMA phase CASCADE").await?;
    }
    killed_at(3).await?;
    // A partition that comes meanwhile gets its index from the server.
    db.run("CREATE TABLE t_3 PARTITION OF t FOR VALUES FROM (5000) TO (6000)").await?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "t");
    same!(db.value(WHOLE).await?, "5 true");
    Ok(())
}

async fn an_index_of_a_partition_that_is_not_ours_is_left_alone(db: Db) -> TestResult {
    db.run(PARTITIONED).await?;
    db.run("CREATE INDEX t_2b_t_a ON t_2b (a)").await?;
    let before = db.value(SCHEMA).await?;
    db.file("plans/1_p.yaml", BY_PARTITIONS)?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(1)?;
    check!(
        ended.stderr.contains("the name public.t_2b_t_a is to be that of its index on public.t_2b"),
        "{ended:?}"
    );
    db.phase(&["abort", "1"]).await?.expect(0)?;
    same!(db.value(SCHEMA).await?, before);
    Ok(())
}

async fn a_reindex_leaves_nothing_behind(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.run("CREATE INDEX t_a ON t (a)").await?;
    db.file("migrations/1_m.sql", "-- UP\nREINDEX INDEX CONCURRENTLY t_a;\n")?;
    let old = db.connect().await?;
    let invalid = "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid AND c.relname LIKE 't_a_cc%'";
    let ended_by = async |function: &str| -> Result<Ended, Box<dyn std::error::Error + Send + Sync>> {
        old.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").await?;
        let child = db.start(&["expand"])?;
        let at_it = format!(
            "SELECT coalesce(bool_or({function}(pid)), false) FROM pg_stat_progress_create_index WHERE phase LIKE 'waiting for%' AND datname = current_database()"
        );
        let mut ended = Box::pin(child.wait_with_output());
        loop {
            tokio::select! {
                ended = &mut ended => return Err(format!("it did not wait: {ended:?}").into()),
                done = db.value(&at_it) => if done? == "t" { break },
            }
        }
        old.batch_execute("COMMIT").await?;
        Ok(Ended::of(&ended.await?))
    };
    ended_by("pg_cancel_backend").await?.expect(1)?;
    same!(db.value(invalid).await?, "0", "after it was cancelled");
    // Whose session is gone cannot clean up: the next run does.
    ended_by("pg_terminate_backend").await?.expect(1)?;
    same!(db.value(invalid).await?, "1", "after its session was ended");
    let ended = db.phase(&["expand"]).await?.expect(0)?;
    same!(db.value(invalid).await?, "0", "{ended:?}");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("leftover") && history.stdout.contains("t_a_ccnew"), "{history:?}");
    Ok(())
}

async fn what_is_sent_for_a_partitioned_table_is_shown(db: Db) -> TestResult {
    db.run(PARTITIONED).await?;
    let plan = "validate:\n  - index: {table: t, columns: [a, id], name: t_a}\ncontract:\n  - drop_index: {name: t_a}\n";
    db.file("plans/1_p.yaml", plan)?;
    let migration = "-- UP\nCREATE INDEX CONCURRENTLY t_b ON t (a);\n-- DOWN\nDROP INDEX CONCURRENTLY t_b;\n";
    db.file("migrations/2_m.sql", migration)?;
    let parts = |index: &str| {
        [
            format!("CREATE INDEX {index} ON ONLY t"),
            format!("CREATE INDEX t_2_{index} ON ONLY t_2"),
            format!("CREATE INDEX CONCURRENTLY t_1_{index} ON t_1"),
            format!("CREATE INDEX CONCURRENTLY \"t 2a_{index}\" ON \"t 2a\""),
            format!("CREATE INDEX CONCURRENTLY t_2b_{index} ON t_2b"),
            format!("ALTER INDEX \"t_2_{index}\" ATTACH PARTITION \"t_2b_{index}\""),
            format!("ALTER INDEX \"{index}\" ATTACH PARTITION \"t_2_{index}\""),
        ]
    };
    let all = |text: &str, index: &str| -> TestResult {
        // The record has the schemas as well.
        let text = text.replace("\"public\".", "").replace("public.", "");
        for part in parts(index) {
            check!(text.contains(&part), "{part} is missing: {text}");
        }
        let single = format!("CREATE INDEX CONCURRENTLY {index} ON t ");
        let text = text.replace('"', "");
        check!(!text.lines().any(|line| line.trim_start().starts_with(&single)), "{text}");
        Ok(())
    };
    let show = db.phase(&["show", "1"]).await?.expect(0)?.stdout;
    all(&show, "t_a")?;
    check!(show.contains("validate.1  build index t_a on t  (part by part, each by itself)"), "{show}");
    check!(show.contains("    undo: DROP INDEX IF EXISTS \"t_a\";\n"), "{show}");
    check!(show.contains("(one transaction)\n      DROP INDEX IF EXISTS \"t_a\";\n"), "{show}");
    let dry = db.phase(&["advance", "1", "--to", "completed", "--dry-run"]).await?.expect(0)?.stdout;
    all(&dry, "t_a")?;
    check!(dry.contains("\nDROP INDEX IF EXISTS \"t_a\";\n"), "{dry}");
    all(&db.phase(&["expand", "--dry-run"]).await?.expect(0)?.stdout, "t_b")?;
    // Without a server nobody knows.
    let offline = db.phase(&["show", "1", "--offline"]).await?.expect(0)?.stdout;
    check!(offline.contains("CREATE INDEX CONCURRENTLY \"t_a\" ON \"t\" "), "{offline}");
    db.phase(&["advance", "1", "--to", "completed"]).await?.expect(0)?;
    db.phase(&["advance", "2", "--out-of-order"]).await?.expect(0)?;
    let history = db.phase(&["history", "1", "--sql"]).await?.expect(0)?.stdout;
    all(&history, "t_a")?;
    check!(history.contains("      DROP INDEX IF EXISTS "), "{history}");
    check!(!history.contains("DROP INDEX CONCURRENTLY"), "{history}");
    let rollback = db.phase(&["rollback", "--dry-run"]).await?.expect(0)?.stdout;
    check!(rollback.contains("\nDROP INDEX IF EXISTS \"t_b\";"), "{rollback}");
    db.phase(&["rollback"]).await?.expect(0)?;
    // What failed as well: PostgreSQL has no unique index without the partition key.
    let unique =
        "-- UP\nCREATE UNIQUE INDEX CONCURRENTLY t_c ON t (a);\n-- DOWN\nDROP INDEX CONCURRENTLY t_c;\n";
    db.file("migrations/3_u.sql", unique)?;
    db.phase(&["advance", "3", "--out-of-order"]).await?.expect(1)?;
    let failed = db.phase(&["history", "3", "--sql"]).await?.expect(0)?.stdout;
    check!(failed.contains("CREATE UNIQUE INDEX CONCURRENTLY t_1_t_c ON public.t_1"), "{failed}");
    Ok(())
}
