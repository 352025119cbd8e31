//! What `show` and `status --watch` say of a backfill, and what is tried before one.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::{Db, Ended, TestResult, check, same, tests};

tests![
    show_names_triggers_and_what_costs_hot_updates,
    status_follows_a_backfill,
    status_ends_when_nobody_reads_it,
    a_role_that_may_not_skip_triggers_learns_it_before_anything_runs,
];

async fn show_names_triggers_and_what_costs_hot_updates(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b int) WITH (fillfactor = 60);
         CREATE INDEX \"the \"\"a\"\" index\" ON t (a); CREATE INDEX on_b ON t (b); CREATE INDEX partial ON t (id) WHERE a > 1;
         CREATE INDEX summary ON t USING brin (a);
         CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         CREATE TRIGGER touches BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
         CREATE TRIGGER other_column BEFORE UPDATE OF b ON t FOR EACH ROW EXECUTE FUNCTION touch();
         CREATE TRIGGER off AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch(); ALTER TABLE t DISABLE TRIGGER off",
    )
    .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: id}}\n")?;
    let shown = db.phase(&["show", "1"]).await?.expect(0)?.stdout;
    check!(
        shown.contains("note: trigger touches runs touch() BEFORE UPDATE, for every row that it writes"),
        "{shown}"
    );
    check!(!shown.contains("other_column") && !shown.contains("trigger off"), "{shown}");
    // An index that summarizes pages stands in the way of HOT updates before 16 only.
    let summary = if db.major < 16 { " summary," } else { "" };
    let note = format!("no update can be HOT: partial,{summary} \"the \"\"a\"\" index\" depend on a column");
    check!(shown.contains(&note), "{shown}");
    check!(!shown.contains("on_b") && !shown.contains("fillfactor"), "{shown}");
    let json = db.phase(&["show", "1", "--json"]).await?.expect(0)?.json()?;
    check!(json.to_string().contains("trigger touches runs"), "{json}");
    db.run("DROP INDEX partial, summary, \"the \"\"a\"\" index\"").await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {a: id}, triggers: skip}\n")?;
    let shown = db.phase(&["show", "1"]).await?.expect(0)?.stdout;
    check!(
        shown.contains("trigger touches (touch(), BEFORE UPDATE) does not fire: triggers: skip"),
        "{shown}"
    );
    Ok(())
}

async fn begin(db: &Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT generate_series(1, 20000); ANALYZE t").await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: id}, batch: {rows: 100}, throttle: {rate: 2500}}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    Ok(())
}

async fn status_follows_a_backfill(db: Db) -> TestResult {
    begin(&db).await?;
    let backfill = db.start(&["backfill"])?;
    let mut watch = db.start(&["status", "--watch", "--json", "1"])?;
    let mut lines = BufReader::new(watch.stdout.take().ok_or("no stdout")?).lines();
    let (mut before, mut steps, mut workers) = ((String::new(), 0), 0, 0);
    while let Some(line) = lines.next_line().await? {
        let seen: serde_json::Value = serde_json::from_str(&line)?;
        let plan = &seen["plans"][0];
        let done = plan["backfill"]["rows_done"].as_i64().unwrap_or(0);
        // The proof counts for itself.
        let pass = plan["backfill"]["pass"].to_string();
        if before.0 == pass {
            check!(done >= before.1, "progress ran back from {} to {done}", before.1);
            steps += u32::from(done > before.1);
        }
        workers = workers.max(plan["backfill"]["workers"].as_u64().unwrap_or(0));
        before = (pass, done);
        if plan["state"] == "backfilled" {
            break;
        }
    }
    check!(steps >= 3, "it moved {steps} times");
    same!(workers, 1);
    let id = watch.id().and_then(|id| i32::try_from(id).ok()).ok_or("it is gone")?;
    kill(Pid::from_raw(id), Signal::SIGINT)?;
    let ended = Ended::of(&watch.wait_with_output().await?).expect(0)?;
    same!(ended.stderr, "");
    Ended::of(&backfill.wait_with_output().await?).expect(0)?;
    Ok(())
}

async fn status_ends_when_nobody_reads_it(db: Db) -> TestResult {
    begin(&db).await?;
    let mut watch = db.start(&["status", "--watch"])?;
    let mut lines = BufReader::new(watch.stdout.take().ok_or("no stdout")?).lines();
    let first = lines.next_line().await?.unwrap_or_default();
    check!(first.trim_start().starts_with("VERSION"), "{first}");
    drop(lines);
    let ended = tokio::time::timeout(Duration::from_secs(20), watch.wait_with_output()).await??;
    let ended = Ended::of(&ended).expect(0)?;
    same!(ended.stderr, "");
    Ok(())
}

async fn a_role_that_may_not_skip_triggers_learns_it_before_anything_runs(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int)").await?;
    db.file(
        "plans/1_p.yaml",
        "expand:\n  - sql: ALTER TABLE t ADD COLUMN b int\n    undo: ALTER TABLE t DROP COLUMN b\nbackfill:\n  - {table: t, set: {b: id}, triggers: skip}\n",
    )?;
    let role = format!("r{}", db.name.split('_').next().unwrap_or_default());
    db.run(&format!(
        "CREATE ROLE {role} LOGIN; GRANT CREATE ON DATABASE \"{}\" TO {role}; ALTER TABLE t OWNER TO {role}",
        db.name
    ))
    .await?;
    let url = db.url.replace("postgres@", &format!("{role}@"));
    let expand = || db.command(&["expand"]).env("DATABASE_URL", &url).output();
    let ended = Ended::of(&expand().await?).expect(2)?;
    check!(ended.stderr.contains("session_replication_role"), "{ended:?}");
    check!(ended.stderr.contains("GRANT SET ON PARAMETER"), "{ended:?}");
    let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'b'";
    same!(db.value(columns).await?, "0");
    if db.major >= 15 {
        db.run(&format!("GRANT SET ON PARAMETER session_replication_role TO {role}")).await?;
        Ended::of(&expand().await?).expect(0)?;
        same!(db.value(columns).await?, "1");
    }
    db.run(&format!("REASSIGN OWNED BY {role} TO postgres; DROP OWNED BY {role}; DROP ROLE {role}")).await?;
    Ok(())
}
