//! Kill at every effect boundary: `kill -9` between any two effects of every
//! example, then go on; the end is that of an undisturbed run.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::harness::{Db, Ended, SCHEMA, TestResult, check, connect, same, tests, value};

tests![
    expand_survives_a_kill_at_every_boundary,
    backfill_survives_a_kill_at_every_boundary,
    validate_survives_a_kill_at_every_boundary,
    contract_survives_a_kill_at_every_boundary,
    purge_survives_a_kill_at_every_boundary,
    abort_survives_a_kill_at_every_boundary,
    rollback_survives_a_kill_at_every_boundary,
];

/// Rows of each table; with batches of 2,000 keys, enough for several.
const FILL: &str = "
INSERT INTO users (name, email) SELECT 'user ' || i, 'e' || i FROM generate_series(1, 5000) i;
INSERT INTO orders (user_id, total) SELECT i, i FROM generate_series(1, 5000) i";
const SCHEMAS: &[&str] = &["expand", "--to", "20261103090000"];
const EXPAND: &[&str] = &["expand"];
const BACKFILL: &[&str] = &["backfill"];
const VALIDATE: &[&str] = &["validate"];
const DEPLOYED: &[&str] = &["deployed", "web@2.0.0"];
const APPROVE: &[&str] = &["approve", "users_display_name"];
const CONTRACT: &[&str] = &["contract", "--lock-wait", "30s"];
const PURGE: &[&str] = &["purge", "users_display_name", "--now"];
const ABORT: &[&str] = &["abort", "users_display_name"];
const ROLLBACK: &[&str] = &["rollback", "3"];

type Script = &'static [&'static [&'static str]];

async fn expand_survives_a_kill_at_every_boundary(db: Db) -> TestResult {
    every_boundary(db, &[], EXPAND, &[]).await
}

async fn backfill_survives_a_kill_at_every_boundary(db: Db) -> TestResult {
    every_boundary(db, &[SCHEMAS, &["FILL"], EXPAND], BACKFILL, &[VALIDATE]).await
}

async fn validate_survives_a_kill_at_every_boundary(db: Db) -> TestResult {
    every_boundary(db, &[SCHEMAS, &["FILL"], EXPAND, BACKFILL], VALIDATE, &[]).await
}

async fn contract_survives_a_kill_at_every_boundary(db: Db) -> TestResult {
    let before: Script = &[SCHEMAS, &["FILL"], EXPAND, BACKFILL, VALIDATE, APPROVE, DEPLOYED, &["SOAK"]];
    every_boundary(db, before, CONTRACT, &[]).await
}

async fn purge_survives_a_kill_at_every_boundary(db: Db) -> TestResult {
    let before: Script =
        &[SCHEMAS, &["FILL"], EXPAND, BACKFILL, VALIDATE, APPROVE, DEPLOYED, &["SOAK"], CONTRACT];
    every_boundary(db, before, PURGE, &[]).await
}

async fn abort_survives_a_kill_at_every_boundary(db: Db) -> TestResult {
    let before: Script =
        &[SCHEMAS, &["FILL"], EXPAND, BACKFILL, VALIDATE, APPROVE, DEPLOYED, &["SOAK"], CONTRACT];
    every_boundary(db, before, ABORT, &[]).await
}

async fn rollback_survives_a_kill_at_every_boundary(db: Db) -> TestResult {
    every_boundary(db, &[SCHEMAS], ROLLBACK, &[SCHEMAS]).await
}

/// Runs `before` once; then, in a copy of that database for each boundary of
/// `command`, kills it there, goes on, runs `after`, and compares the end.
async fn every_boundary(
    db: Db,
    before: Script,
    command: &'static [&'static str],
    after: Script,
) -> TestResult {
    db.examples()?;
    for step in before {
        run(&db, &db.url, step).await?;
    }
    let db = Arc::new(db);
    let (url, log) = (copy(&db, "undisturbed").await?, db.project.path().join("boundaries"));
    let ended = at(&db, &url, command).env("PHASE_CRASH_LOG", &log).output().await?;
    Ended::of(&ended).expect(0)?;
    for step in after {
        run(&db, &url, step).await?;
    }
    let wanted = Arc::new(end(&url).await?);
    let names: Vec<String> = std::fs::read_to_string(&log)?.lines().map(str::to_owned).collect();
    check!(names.len() > 5, "only {} boundaries: {names:?}", names.len());
    let places = Arc::new(Semaphore::new(3));
    let mut runs = tokio::task::JoinSet::new();
    for (n, name) in names.into_iter().enumerate() {
        let (db, wanted, places) = (Arc::clone(&db), Arc::clone(&wanted), Arc::clone(&places));
        runs.spawn(async move {
            let _place = places.acquire().await?;
            let at_boundary = format!("killed at boundary {} ({name})", n + 1);
            let got = killed(&db, n + 1, command, after)
                .await
                .map_err(|error| format!("{at_boundary}: {error}"))?;
            same!(got, *wanted, "{at_boundary}");
            Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
        });
    }
    while let Some(run) = runs.join_next().await {
        run??;
    }
    Ok(())
}

/// One copy, one kill, and the end that it comes to.
async fn killed(
    db: &Db,
    n: usize,
    command: &[&str],
    after: Script,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let url = copy(db, &format!("b{n}")).await?;
    let ended = Ended::of(&at(db, &url, command).env("PHASE_CRASH_AT", n.to_string()).output().await?);
    check!(ended.code.is_none(), "it was not killed: {ended:?}");
    take_up(db, &url).await?;
    run(db, &url, command).await?;
    for step in after {
        run(db, &url, step).await?;
    }
    end(&url).await
}

/// What an operator does after a crash: advance, or abort, what was under way.
async fn take_up(db: &Db, url: &str) -> TestResult {
    let status = Ended::of(&at(db, url, &["status", "--json"]).output().await?).expect(0)?.json()?;
    for item in status["plans"].as_array().ok_or("no plans")? {
        let (state, goal, version) = (&item["state"], &item["goal"], item["version"].as_str().unwrap_or(""));
        if state == goal {
            continue;
        }
        let command = match goal.as_str() {
            Some("aborted") => "abort",
            // A rollback that was interrupted is taken up by rollback.
            Some("planned") => continue,
            _ => "advance",
        };
        run(db, url, &[command, version]).await?;
    }
    Ok(())
}

fn at(db: &Db, url: &str, args: &[&str]) -> tokio::process::Command {
    let mut command = db.command(args);
    command.args(if args.contains(&"--lock-wait") {
        [].as_slice()
    } else {
        ["--lock-wait", "30s"].as_slice()
    });
    command.env("DATABASE_URL", url);
    command
}

async fn run(db: &Db, url: &str, step: &[&str]) -> TestResult {
    match step {
        ["FILL"] => connect(url).await?.batch_execute(FILL).await?,
        // The example's soak is over as soon as the server's clock says so.
        ["SOAK"] => connect(url).await?.batch_execute("SELECT pg_sleep(1.1)").await?,
        args => {
            let ended = Ended::of(&at(db, url, args).output().await?);
            // A rollback that was over before the kill has nothing left to do.
            ended.expect(0).map_err(|error| format!("{args:?}: {error}"))?;
        }
    }
    Ok(())
}

/// A copy of the test's database; it goes with the test's own.
async fn copy(db: &Db, suffix: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let admin = db.url.replace(&format!("/{}?", db.name), "/postgres?");
    let name = format!("{}_{suffix}", db.name);
    let client = connect(&admin).await?;
    // Whoever was connected is on the way out; the copy waits for that.
    let gone = format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}'", db.name);
    for _ in 0..200 {
        if value(&client, &gone).await? == "0" {
            break;
        }
        client.batch_execute("SELECT pg_sleep(0.02)").await?;
    }
    client.batch_execute(&format!("CREATE DATABASE \"{name}\" TEMPLATE \"{}\"", db.name)).await?;
    Ok(db.url.replace(&format!("/{}?", db.name), &format!("/{name}?")))
}

/// The final schema and data, and that no row was written twice by a backfill.
async fn end(url: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let client = connect(url).await?;
    let mut end = value(&client, SCHEMA).await?;
    for table in ["users", "orders"] {
        if value(&client, &format!("SELECT to_regclass('{table}') IS NOT NULL")).await? == "t" {
            let data = format!(
                "SELECT md5(coalesce(string_agg(row::text, ',' ORDER BY id), '')) FROM (SELECT id, to_jsonb(t) - 'created_at' AS row FROM {table} t) x"
            );
            end += &format!("\n{table} {}", value(&client, &data).await?);
        }
    }
    let states =
        "SELECT string_agg(version || ' ' || state || ' ' || goal, ', ' ORDER BY version) FROM phase.item";
    let written = "SELECT coalesce(string_agg(version || ' ' || written, ', ' ORDER BY version), '') FROM (SELECT version, sum(rows_written) AS written FROM phase.backfill_chunk GROUP BY version) x";
    Ok(format!("{end}\n{}\n{}", value(&client, states).await?, value(&client, written).await?))
}
