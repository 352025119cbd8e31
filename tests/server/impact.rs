//! What steps do to the application: who waits because of them is on record and is
//! true, nobody waits longer than lock_timeout, and who is in the way is waited for,
//! or ended where the plan allows it.

use std::time::{Duration, Instant};

use phase::throwaway::{Cluster, Options};
use serde_json::Value;
use tokio::process::Child;
use tokio_postgres::Client;

use crate::harness::{Db, Ended, TestResult, check, connect, same, tests, until};

tests![
    waits_behind_a_step_are_on_record_as_they_were,
    a_step_that_holds_its_locks_too_long_is_ended,
    the_look_at_others_comes_back_when_its_session_is_ended,
    a_quiet_moment_is_waited_for,
    a_prepared_transaction_in_the_way_is_named,
    sessions_in_the_way_are_ended_only_as_the_plan_allows,
    a_runner_of_our_own_is_never_ended,
    a_build_ends_what_it_waits_for_where_the_plan_allows,
    what_a_killed_runner_did_is_not_known,
    a_vacuum_gives_way,
];

/// What a statement of the application may wait beyond lock_timeout.
const MARGIN: Duration = Duration::from_millis(200);
const TABLE: &str =
    "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, i FROM generate_series(1, 100) i";
const COLUMN: &str =
    "expand:\n  - sql: ALTER TABLE t ADD COLUMN b int\n    undo: ALTER TABLE t DROP COLUMN b\n";
/// Holds its lock far longer than anybody may wait.
const TOO_LONG: &str = "settings: {lock_timeout: 300ms}
expand:
  - sql: |
      LOCK TABLE t IN ACCESS EXCLUSIVE MODE;
      SELECT pg_sleep(60)
    undo: SELECT 1
    lint:
      allow: [{rule: lock-table, reason: a test}, {rule: opaque, reason: a test}, {rule: work-under-lock, reason: a test}]
";

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// The impact of a step's only run.
async fn impact(db: &Db, step: &str) -> Result<Value, Fault> {
    let shown = db.phase(&["show", "1", "--json"]).await?.expect(0)?.json()?;
    let steps = shown["steps"].as_array().ok_or("no steps")?;
    let found = steps.iter().find(|shown| shown["id"] == step).ok_or("no such step")?;
    match found["impact"].as_array().map(Vec::as_slice) {
        Some([only]) => Ok(only["impact"].clone()),
        other => Err(format!("not one run: {other:?}").into()),
    }
}

/// A session that keeps a lock for others to meet.
async fn holder(db: &Db, name: &str, sql: &str) -> Result<Client, Fault> {
    let client = db.connect().await?;
    client.batch_execute(&format!("SET application_name = '{name}'; BEGIN; {sql}")).await?;
    Ok(client)
}

/// How many sessions of this database wait for a lock on t.
fn waiting(count: u32) -> String {
    format!(
        "SELECT count(*) >= {count} FROM pg_locks WHERE NOT granted AND relation = 't'::regclass \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
}

async fn ended(child: Child) -> Result<Ended, Fault> {
    Ok(Ended::of(&child.wait_with_output().await?))
}

async fn waits_behind_a_step_are_on_record_as_they_were(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", &format!("settings: {{lock_timeout: 20s}}\n{COLUMN}"))?;
    let watch = db.connect().await?;
    let reader = holder(&db, "young reader", "SELECT count(*) FROM t").await?;
    let child = db.start(&["expand"])?;
    until(&watch, &waiting(1)).await?;
    // Two queries wait behind the step, and one statement behind one of them.
    let behind = holder(&db, "shop", "CREATE TABLE mine (id int)").await?;
    let (began, query) = (
        Instant::now(),
        tokio::spawn(async move { behind.batch_execute("SELECT count(*) FROM t; COMMIT").await }),
    );
    until(&watch, &waiting(2)).await?;
    let other = tokio::spawn(read(db.connect().await?));
    until(&watch, &waiting(3)).await?;
    let longest = Duration::from_millis(400);
    tokio::time::sleep(longest.saturating_sub(began.elapsed())).await;
    reader.batch_execute("COMMIT").await?;
    query.await??;
    let waited = began.elapsed();
    other.await??;
    let ended = ended(child).await?.expect(0)?;
    check!(ended.stderr.contains("2 sessions waited for it"), "{ended:?}");
    let impact = impact(&db, "expand.1").await?;
    same!(impact["waiters"], 2, "{impact}");
    same!(impact["attempts"], 1, "{impact}");
    // Before 14 the server does not say since when a session waits.
    if db.major >= 14 {
        same!(impact["longest"]["application"], "shop", "{impact}");
    }
    let told = Duration::from_millis(impact["longest_wait_ms"].as_u64().ok_or("no figure")?);
    check!(told + Duration::from_millis(50) >= waited, "told {told:?}, and it was {waited:?}");
    check!(told <= waited + MARGIN, "told {told:?}, and it was only {waited:?}");
    let held = impact["held_ms"].as_u64().ok_or("no figure")?;
    let gap = impact["gap_ms"].as_u64().ok_or("no figure")?;
    check!(held <= gap + 200, "it held its lock only after the reader was gone: {impact}");
    same!(impact["locks"][0]["relation"], "t", "{impact}");
    same!(impact["locks"][0]["lock"], "access_exclusive", "{impact}");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(
        history.stdout.contains("impact of expand.1") && history.stdout.contains("2 sessions waited"),
        "{history:?}"
    );
    Ok(())
}

async fn read(client: Client) -> Result<Duration, tokio_postgres::Error> {
    let began = Instant::now();
    client.batch_execute("SELECT count(*) FROM t").await?;
    Ok(began.elapsed())
}

async fn a_step_that_holds_its_locks_too_long_is_ended(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", TOO_LONG)?;
    let child = db.start(&["expand"])?;
    let mut longest = Duration::ZERO;
    let mut child = Box::pin(ended(child));
    let ended = loop {
        tokio::select! {
            ended = &mut child => break ended?.expect(1)?,
            waited = read(db.connect().await?) => longest = longest.max(waited?),
        }
    };
    check!(ended.stderr.contains("ended by phase: it held its locks"), "{ended:?}");
    check!(ended.stderr.contains("lock_timeout"), "{ended:?}");
    let limit = Duration::from_millis(300) + MARGIN;
    check!(longest <= limit, "a query waited {longest:?}, more than {limit:?}");
    let impact = impact(&db, "expand.1").await?;
    same!(impact["attempts"], 5, "{impact}");
    same!(db.value("SELECT state || ' ' || goal FROM phase.item").await?, "planned expanded");
    Ok(())
}

async fn the_look_at_others_comes_back_when_its_session_is_ended(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", TOO_LONG)?;
    let child = db.start(&["expand"])?;
    let watch = db.connect().await?;
    until(&watch, "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()").await?;
    let gone = "SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity \
                WHERE datname = current_database() AND query LIKE '-- Who waits for a lock%' AND pid <> pg_backend_pid()";
    until(&watch, gone).await?;
    let waited = read(db.connect().await?).await?;
    check!(waited <= Duration::from_secs(3), "a query waited {waited:?}: nobody looked any more");
    let ended = ended(child).await?.expect(1)?;
    check!(ended.stderr.contains("ended by phase"), "{ended:?}");
    Ok(())
}

async fn a_quiet_moment_is_waited_for(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", &format!("settings: {{lock_timeout: 100ms}}\n{COLUMN}"))?;
    let reader =
        holder(&db, "long reader", "LOCK TABLE t IN ACCESS SHARE MODE; SELECT pg_sleep(0.2)").await?;
    let mut child = db.start(&["expand"])?;
    let mut told = String::new();
    let stderr = child.stderr.as_mut().ok_or("no stderr")?;
    while !told.contains("application long reader") {
        let mut part = [0; 256];
        let read = tokio::io::AsyncReadExt::read(stderr, &mut part).await?;
        check!(read > 0, "it ended: {told}");
        told += &String::from_utf8_lossy(&part[..read]);
    }
    check!(told.contains("waits for a quiet moment"), "{told}");
    // Whoever asks for the status meanwhile is told the same.
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    let runner = &status["plans"][0]["runner"];
    same!(runner["step"]["id"], "expand.1", "{status}");
    let doing = runner["step"]["doing"].as_str().unwrap_or_default();
    check!(
        doing.contains("waits for a quiet moment") && doing.contains("application long reader"),
        "{status}"
    );
    check!(runner["process"].as_str().is_some_and(|who| who.starts_with("phase expand of")), "{status}");
    let text = db.phase(&["status"]).await?.expect(0)?;
    check!(text.stdout.contains("at work: phase expand of"), "{text:?}");
    // Nobody stands behind a step that does not ask.
    let waited = read(db.connect().await?).await?;
    reader.batch_execute("COMMIT").await?;
    ended(child).await?.expect(0)?;
    let impact = impact(&db, "expand.1").await?;
    same!((&impact["attempts"], &impact["waiters"]), (&1.into(), &0.into()), "{impact}, {waited:?}");
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    same!(status["plans"][0]["runner"], Value::Null, "{status}");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("for a quiet moment; in the way: pid"), "{history:?}");
    Ok(())
}

async fn a_prepared_transaction_in_the_way_is_named(db: Db) -> TestResult {
    let options = Options { settings: vec![("max_prepared_transactions".into(), "2".into())] };
    let cluster = Cluster::start(&db.binaries, &options)?;
    let db = Db { url: cluster.url("postgres"), ..db };
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", &format!("settings: {{lock_timeout: 50ms, lock_wait_max: 1s}}\n{COLUMN}"))?;
    db.run("BEGIN; UPDATE t SET a = 0 WHERE id = 1; PREPARE TRANSACTION 'forgotten transfer'").await?;
    let ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("a prepared transaction"), "{ended:?}");
    check!(ended.stderr.contains("forgotten transfer"), "{ended:?}");
    db.run("ROLLBACK PREPARED 'forgotten transfer'").await?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    Ok(())
}

/// A role of a name of its own, and a session of it that keeps a lock.
async fn report(db: &Db, role: &str) -> Result<Client, Fault> {
    db.run(&format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; GRANT SELECT ON t TO {role}; GRANT USAGE ON SCHEMA public TO {role}"
    ))
    .await?;
    let client = connect(&db.url.replace("://postgres@", &format!("://{role}@"))).await?;
    client.batch_execute("SET application_name = 'report'; BEGIN; SELECT count(*) FROM t").await?;
    Ok(client)
}

async fn sessions_in_the_way_are_ended_only_as_the_plan_allows(db: Db) -> TestResult {
    db.run(TABLE).await?;
    let role = format!("report_{}", db.name.split('_').next().unwrap_or_default());
    db.file(
        "plans/1_p.yaml",
        &format!(
            "settings: {{lock_timeout: 50ms, lock_wait_max: 2s, kill_blockers: {{after: 500ms, only: [{role}, postgres]}}}}\n{COLUMN}"
        ),
    )?;
    // A superuser is never ended, named or not.
    let root = holder(&db, "root", "SELECT count(*), 'a secret' FROM t").await?;
    let ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("was not ended"), "{ended:?}");
    check!(ended.stderr.contains("count(*), '…' FROM t"), "{ended:?}");
    root.batch_execute("COMMIT").await?;
    let report = report(&db, &role).await?;
    let began = Instant::now();
    let ended = db.phase(&["advance", "1"]).await?.expect(0)?;
    check!(began.elapsed() >= Duration::from_millis(500), "it was ended too soon");
    check!(ended.stderr.contains("ends (kill_blockers) pid"), "{ended:?}");
    check!(report.batch_execute("SELECT 1").await.is_err(), "the report is still there");
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(
        history.stdout.contains("kill") && history.stdout.contains(&format!("user {role}")),
        "{history:?}"
    );
    let secret =
        history.stdout.lines().find(|line| line.contains("kill_blockers") && line.contains("SELECT"));
    check!(secret.is_none(), "what it ran is its own business: {secret:?}");
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await?;
    Ok(())
}

async fn a_runner_of_our_own_is_never_ended(db: Db) -> TestResult {
    db.run(TABLE).await?;
    let role = format!("runner_{}", db.name.split('_').next().unwrap_or_default());
    let other = report(&db, &role).await?;
    other.batch_execute("COMMIT").await?;
    db.run(&format!("ALTER TABLE t OWNER TO {role}; GRANT CREATE ON DATABASE {} TO {role}", db.name)).await?;
    db.file(
        "plans/1_p.yaml",
        &format!(
            "settings: {{lock_timeout: 50ms, lock_wait_max: 1s, kill_blockers: {{after: 100ms, only: [{role}]}}}}\n{COLUMN}"
        ),
    )?;
    let db = Db { url: db.url.replace("://postgres@", &format!("://{role}@")), ..db };
    other.batch_execute("SET application_name = 'phase'; BEGIN; SELECT count(*) FROM t").await?;
    let ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("was not ended"), "{ended:?}");
    other.batch_execute("COMMIT; SET application_name = 'report'; BEGIN; SELECT count(*) FROM t").await?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    check!(other.batch_execute("SELECT 1").await.is_err(), "the report is still there");
    let db = Db { url: db.url.replace(&format!("://{role}@"), "://postgres@"), ..db };
    db.run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).await?;
    Ok(())
}

async fn a_build_ends_what_it_waits_for_where_the_plan_allows(db: Db) -> TestResult {
    db.run(TABLE).await?;
    let role = format!("build_{}", db.name.split('_').next().unwrap_or_default());
    db.file(
        "plans/1_p.yaml",
        &format!(
            "settings: {{kill_blockers: {{after: 300ms, only: [{role}]}}}}\nvalidate:\n  - index: {{table: t, columns: [a], name: t_a}}\n"
        ),
    )?;
    let report = report(&db, &role).await?;
    report.batch_execute("COMMIT; BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").await?;
    let ended = db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    check!(ended.stderr.contains("ends (kill_blockers)"), "{ended:?}");
    same!(db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't_a'::regclass").await?, "t");
    drop(report);
    db.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await?;
    Ok(())
}

async fn what_a_killed_runner_did_is_not_known(db: Db) -> TestResult {
    db.run(TABLE).await?;
    db.file("plans/1_p.yaml", COLUMN)?;
    let mut command = db.command(&["expand"]);
    command.env("PHASE_CRASH_AT", "before commit of expand.1");
    let ended = Ended::of(&command.output().await?);
    check!(ended.code.is_none(), "it was not killed: {ended:?}");
    let shown = db.phase(&["show", "1"]).await?.expect(0)?;
    check!(shown.stdout.contains("impact: not known"), "{shown:?}");
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("impact of expand.1  not known"), "{history:?}");
    Ok(())
}

async fn a_vacuum_gives_way(db: Db) -> TestResult {
    let fast = [
        ("autovacuum_naptime", "1s"),
        ("autovacuum_vacuum_cost_delay", "100ms"),
        ("autovacuum_vacuum_cost_limit", "1"),
    ];
    let settings = fast.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let cluster = Cluster::start(&db.binaries, &Options { settings })?;
    let db = Db { url: cluster.url("postgres"), ..db };
    db.run(
        "CREATE TABLE u (id int); CREATE TABLE t (id int PRIMARY KEY, a int) WITH (autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0); \
         INSERT INTO t SELECT i, i FROM generate_series(1, 50000) i; DELETE FROM t WHERE id % 2 = 0",
    )
    .await?;
    db.file("plans/1_p.yaml", COLUMN)?;
    db.file(
        "plans/2_q.yaml",
        "expand: [{sql: 'ALTER TABLE u ADD COLUMN b int; ALTER TABLE t ADD COLUMN c int', undo: ALTER TABLE u DROP b}]\n",
    )?;
    let watch = db.connect().await?;
    for plan in ["1", "2"] {
        until(&watch, "SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE relid = 't'::regclass").await?;
        let began = Instant::now();
        db.phase(&["advance", plan, "--to", "expanded"]).await?.expect(0)?;
        let took = began.elapsed();
        check!(took < Duration::from_secs(8), "the vacuum was waited for: {took:?}");
    }
    let impact = impact(&db, "expand.1").await?;
    same!(impact["attempts"], 1, "{impact}");
    Ok(())
}
