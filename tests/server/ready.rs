//! `phase gate`: a build of an application starts when the database is where it needs it, and not before.

use std::time::Duration;

use phase::core::plan::model::AppVersion;
use phase::core::state::State;
use phase::embed::Phase;

use crate::harness::{Db, TestResult, check, same, tests};

#[path = "../../examples/start.rs"]
mod start;

tests![
    an_application_opens_its_gate_by_itself,
    a_build_starts_when_its_plans_are_expanded,
    a_plan_says_which_version_needs_what,
    it_waits_until_somebody_has_expanded,
    ten_pods_start_after_the_one_that_applies,
    wait_tries_until_the_server_answers,
];

const PLAN: &str = "expand:\n  - {sql: ALTER TABLE t ADD COLUMN a int, undo: ALTER TABLE t DROP COLUMN a}\n";

async fn a_build_starts_when_its_plans_are_expanded(db: Db) -> TestResult {
    std::fs::create_dir(db.project.path().join("elsewhere"))?;
    let none = db.phase(&["-C", "elsewhere", "gate"]).await?.expect(2)?;
    check!(none.stderr.contains("there is neither"), "{none:?}");
    db.run("CREATE TABLE t (id int PRIMARY KEY)").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    db.file("migrations/2_s.sql", "CREATE TABLE u (id int)")?;
    // Nothing is on record yet, and looking leaves nothing behind.
    let closed = db.phase(&["gate"]).await?.expect(3)?;
    check!(
        closed.stdout.contains("1_p is planned, and this build needs it expanded: phase expand"),
        "{closed:?}"
    );
    check!(closed.stdout.contains("2_s is planned, and this build needs it completed"), "{closed:?}");
    same!(db.value("SELECT to_regclass('phase.item') IS NULL").await?, "t");
    db.phase(&["expand"]).await?.expect(0)?;
    let open = db.phase(&["gate", "--json"]).await?.expect(0)?.json()?;
    same!(open["open"], true);
    let closed = db.phase(&["gate", "1", "--needs", "backfilled", "--json"]).await?.expect(3)?.json()?;
    same!(
        closed["reasons"][0],
        "1_p is expanded, and this build needs it backfilled: phase advance 1 --to backfilled"
    );
    db.phase(&["abort", "1"]).await?.expect(0)?;
    db.phase(&["gate"]).await?.expect(0)?;
    db.phase(&["gate", "1"]).await?.expect(3)?;
    for (args, part) in [
        (["gate", "--needs", "planned"].as_slice(), "one of expanded"),
        (&["gate", "--app", "web"], "web@2.4.0"),
    ] {
        let wrong = db.phase(args).await?.expect(2)?;
        check!(wrong.stderr.contains(part), "{wrong:?}");
    }
    Ok(())
}

async fn a_plan_says_which_version_needs_what(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old int)").await?;
    let plan = format!(
        "{PLAN}contract:\n  - drop_column: {{table: t, column: old}}\nkeep: 1h\nrequires: {{web@2.4.0: expanded, web@2.5.0: validated}}\n\
         gates: {{contract: {{deployed: web@2.4.0}}}}\n"
    );
    db.file("plans/1_p.yaml", &plan)?;
    db.phase(&["expand"]).await?.expect(0)?;
    let code = async |app: &str| db.phase(&["gate", "--app", app]).await.map(|ended| ended.code);
    same!(code("web@2.3.0").await?, Some(0));
    same!(code("web@2.4.0").await?, Some(0));
    same!(code("web@2.5.0").await?, Some(3));
    same!(code("worker@1.0.0").await?, Some(0));
    db.phase(&["deployed", "web@2.4.0"]).await?.expect(0)?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    same!(code("web@2.5.0").await?, Some(0));
    // Old code does not come back over what is taken away, also where its files do not have the plan yet.
    let old = db.phase(&["gate", "--app", "web@2.3.0"]).await?.expect(3)?;
    check!(
        old.stdout.contains("takes web@2.4.0 or later, and this build is 2.3.0: phase abort 1"),
        "{old:?}"
    );
    std::fs::remove_file(db.project.path().join("plans/1_p.yaml"))?;
    db.phase(&["gate", "--app", "web@2.3.0"]).await?.expect(3)?;
    for (requires, part) in
        [("{web: expanded}", "no application and version"), ("{web@1: soon}", "one of expanded")]
    {
        db.file("plans/2_p.yaml", &format!("{PLAN}requires: {requires}\n"))?;
        let wrong = db.phase(&["check"]).await?.expect(2)?;
        check!(wrong.stderr.contains(part), "{wrong:?}");
    }
    Ok(())
}

async fn it_waits_until_somebody_has_expanded(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY)").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let late = db.phase(&["gate", "--wait", "100ms"]).await?.expect(3)?;
    check!(late.stdout.contains("it may not start yet"), "{late:?}");
    let (waited, expanded) = tokio::join!(db.phase(&["gate", "--wait", "2m"]), db.phase(&["expand"]));
    expanded?.expect(0)?;
    waited?.expect(0)?;
    Ok(())
}

async fn ten_pods_start_after_the_one_that_applies(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE started (pod int, at timestamptz, has_it boolean)",
    )
    .await?;
    db.file("plans/1_p.yaml", PLAN)?;
    db.file("migrations/2_s.sql", "SELECT pg_sleep(1); CREATE TABLE u (id int)")?;
    let pod = async |n: i32| -> TestResult {
        db.phase(&["expand", "--lock-wait", "2m"]).await?.expect(0)?;
        db.phase(&["gate"]).await?.expect(0)?;
        // What new code would do first.
        db.run(&format!(
            "INSERT INTO started SELECT {n}, clock_timestamp(), to_regclass('u') IS NOT NULL AND EXISTS \
             (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a')"
        ))
        .await?;
        Ok(())
    };
    for ended in futures_util::future::join_all((1..=10).map(pod)).await {
        ended?;
    }
    same!(db.value("SELECT count(*) || ' ' || bool_and(has_it) FROM started").await?, "10 true");
    let applied = "SELECT string_agg(version || ' ' || n, ', ' ORDER BY version) FROM (SELECT version, count(*) AS n \
                   FROM phase.history WHERE event = 'transition' AND outcome = 'ok' GROUP BY version) o";
    same!(db.value(applied).await?, "1 1, 2 1");
    let before = "SELECT count(*) FROM started WHERE at < (SELECT max(at) FROM phase.history WHERE outcome = 'ok' AND \
                  event = 'transition')";
    same!(db.value(before).await?, "0");
    Ok(())
}

async fn an_application_opens_its_gate_by_itself(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY)").await?;
    db.file("plans/1_p.yaml", PLAN)?;
    let phase = || Phase::new(db.project.path()).database_url(db.url.clone());
    let closed = phase().gate(State::Expanded, None, Duration::ZERO).await?;
    check!(!closed.is_done() && closed.text.contains("1_p is planned"), "{closed:?}");
    let app = || AppVersion { app: "web".into(), version: "2.4.0".into() };
    start::ready(phase(), app(), true).await?;
    same!(db.value("SELECT state FROM phase.item").await?, "expanded");
    start::ready(phase(), app(), false).await?;
    // What the documentation gives to other languages.
    let sql = include_str!("../../docs/deploys.md")
        .split_once("```sql\n")
        .and_then(|(_, rest)| rest.split_once("```"));
    let sql = sql.map(|(sql, _)| sql.trim().trim_end_matches(';')).ok_or("no SQL in docs/deploys.md")?;
    same!(db.value(&sql.replace("20261121093000", "1")).await?, "t");
    Ok(())
}

async fn wait_tries_until_the_server_answers(db: Db) -> TestResult {
    let up = db.phase(&["wait", "--json"]).await?.expect(0)?.json()?;
    same!(up["version"].as_u64().map(|version| version / 10_000), Some(u64::from(db.major)));
    // A port that cuts off the first two who call, as one does whose server is starting.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    let named = format!("host=127.0.0.1 port={port} user=postgres dbname={} sslmode=disable", db.name);
    let sockets = std::fs::read_dir(&db.socket)?.filter_map(|entry| Some(entry.ok()?.path()));
    let is_socket = |path: &std::path::PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.starts_with(".s.PGSQL.") && !name.ends_with(".lock")
    };
    let socket = sockets.into_iter().find(is_socket).ok_or("the server has no socket")?;
    let serving = tokio::spawn(async move {
        let mut calls = 0;
        while let Ok((mut caller, _)) = listener.accept().await {
            calls += 1;
            if calls > 2 {
                let mut server = tokio::net::UnixStream::connect(&socket).await?;
                tokio::io::copy_bidirectional(&mut caller, &mut server).await?;
                break;
            }
        }
        Ok::<i32, std::io::Error>(calls)
    });
    let waited = db.phase(&["wait", "--timeout", "1m", "--database-url", &named]).await?.expect(0)?;
    check!(waited.stderr.contains("waiting: cannot connect to"), "{waited:?}");
    same!(serving.await??, 3);
    // Nobody is there any more.
    let gone = db.phase(&["wait", "--timeout", "100ms", "--database-url", &named]).await?.expect(1)?;
    check!(gone.stderr.contains("cannot connect to"), "{gone:?}");
    let wrong = db.phase(&["wait", "--database-url", "host=x port=many"]).await?.expect(2)?;
    check!(wrong.stderr.contains("port"), "{wrong:?}");
    Ok(())
}
