//! Gates: each kind of evidence opens and closes one, on a real server, and stays on record.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::harness::{Db, Ended, TestResult, check, same, tests};

tests![
    every_environment_must_have_the_version,
    an_approval_is_taken_back_and_that_of_the_author_does_not_count,
    a_condition_is_passed_by_and_that_is_recorded,
    addresses_and_commands_are_asked,
    a_window_and_a_freeze_keep_it_closed,
    a_forgotten_session_keeps_it_closed,
    what_a_gate_went_by_is_kept,
    gates_that_make_no_sense_are_refused,
];

/// A plan that is validated and waits for this gate of contract.
async fn gated(db: &Db, gate: &str) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int)").await?;
    plan(db, gate)?;
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    Ok(())
}

fn plan(db: &Db, gate: &str) -> TestResult {
    let text = format!(
        "contract:\n  - drop_column: {{table: t, column: a}}\ngates:\n  contract:\n    {gate}\nkeep: 1h\n"
    );
    Ok(db.file("plans/1_p.yaml", &text)?)
}

async fn waits(db: &Db, reason: &str) -> Result<Ended, Box<dyn std::error::Error + Send + Sync>> {
    let ended = db.phase(&["contract", "1"]).await?.expect(3)?;
    check!(ended.stdout.contains(reason), "{reason}: {ended:?}");
    Ok(ended)
}

async fn every_environment_must_have_the_version(db: Db) -> TestResult {
    gated(&db, "deployed: web@2.4.0").await?;
    waits(&db, "no marker for web yet").await?;
    db.phase(&["deployed", "web@2.4.0", "--environment", "eu", "--revision", "abc123"]).await?.expect(0)?;
    db.phase(&["deployed", "web@2.3.0", "--environment", "us"]).await?.expect(0)?;
    waits(&db, "web is at 2.3.0 in us, not yet 2.4.0").await?;
    let none = db.phase(&["deployed", "web", "--environment", "asia", "--gone"]).await?.expect(2)?;
    check!(none.stderr.contains("web has no marker in asia; it has some in eu, us"), "{none:?}");
    db.phase(&["deployed", "web", "--environment", "us", "--gone"]).await?.expect(0)?;
    let status = db.phase(&["status", "--json"]).await?.expect(0)?.json()?;
    let gate = &status["plans"][0]["next"]["gates"][0];
    same!(gate["gate"], "deployed");
    same!(gate["answer"], "open");
    same!(gate["facts"]["markers"][0]["revision"], "abc123");
    // The deploy is taken back: closed again.
    let back = db.phase(&["deployed", "web@2.3.9", "--environment", "eu"]).await?.expect(0)?;
    check!(back.stdout.contains("it was at 2.4.0: gates that wait for that are closed again"), "{back:?}");
    waits(&db, "web is at 2.3.9 in eu").await?;
    db.phase(&["deployed", "web@2.5.0", "--environment", "eu"]).await?.expect(0)?;
    db.phase(&["contract", "1"]).await?.expect(0)?;
    Ok(())
}

async fn an_approval_is_taken_back_and_that_of_the_author_does_not_count(db: Db) -> TestResult {
    gated(&db, "approvals: 1").await?;
    db.phase(&["approve", "1", "--note", "looks well"]).await?.expect(0)?;
    let taken = db.phase(&["approve", "1", "--withdraw", "--note", "not yet"]).await?.expect(0)?;
    check!(taken.stdout.contains("has taken the approval back"), "{taken:?}");
    let none = db.phase(&["approve", "1", "--withdraw"]).await?.expect(0)?;
    check!(none.stdout.contains("nothing to take back"), "{none:?}");
    waits(&db, "approvals: 0 of 1").await?;
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(history.stdout.contains("withdraw") && history.stdout.contains("not yet"), "{history:?}");
    db.phase(&["approve", "1"]).await?.expect(0)?;
    db.file("phase.yaml", "approvals: {by_author: false}\n")?;
    waits(&db, "does not say who that is: write author:").await?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    let author = db.value("SELECT current_user").await?;
    let text = format!(
        "author: {author}\ncontract:\n  - drop_column: {{table: t, column: b}}\ngates: {{contract: {{approvals: 1}}}}\nkeep: 1h\n"
    );
    db.file("plans/2_p.yaml", &text)?;
    db.phase(&["advance", "2", "--to", "validated"]).await?.expect(0)?;
    db.phase(&["approve", "2"]).await?.expect(0)?;
    let ended = db.phase(&["contract", "2"]).await?.expect(3)?;
    check!(ended.stdout.contains("that of who wrote the plan does not count"), "{ended:?}");
    db.file("phase.yaml", "approvals: {by_author: true}\n")?;
    db.phase(&["contract", "2"]).await?.expect(0)?;
    Ok(())
}

async fn a_condition_is_passed_by_and_that_is_recorded(db: Db) -> TestResult {
    gated(&db, "{approvals: 2, deployed: web@1.0.0}").await?;
    let force = |more: &[&str]| {
        let args: Vec<String> = ["contract"].iter().chain(more).map(|arg| (*arg).to_owned()).collect();
        args
    };
    let run = async |args: Vec<String>| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        db.phase(&args).await
    };
    for (args, part) in [
        (force(&["1", "--force", "approvals"]), "--reason"),
        (force(&["--force", "approvals", "--reason", "x"]), "name them"),
        (force(&["1", "--force", "approvals", "--reason", " "]), "write why"),
        (force(&["1", "--force", "proof", "--reason", "x"]), "the proof is never passed by"),
        (force(&["1", "--force", "soaked", "--reason", "x"]), "no condition of a gate"),
    ] {
        let ended = run(args).await?.expect(2)?;
        check!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    let one =
        run(force(&["1", "--force", "approvals", "--reason", "the other one is ill"])).await?.expect(3)?;
    check!(one.stdout.contains("no marker for web") && !one.stdout.contains("approvals"), "{one:?}");
    db.phase(&["deployed", "web@1.0.0"]).await?.expect(0)?;
    run(force(&["1", "--force", "approvals", "--reason", "the other one is ill"])).await?.expect(0)?;
    let history = db.phase(&["history", "1"]).await?.expect(0)?;
    check!(
        history.stdout.contains("FORCED past approvals: the other one is ill (approvals: 0 of 2"),
        "{history:?}"
    );
    check!(history.stdout.contains("gate deployed: web@1.0.0 is live since"), "{history:?}");
    Ok(())
}

/// Answers requests one after the other, each with the next of these; gives the address.
fn server(
    answers: Vec<(u16, &'static str)>,
) -> std::io::Result<(String, std::thread::JoinHandle<Vec<String>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("http://{}", listener.local_addr()?);
    let serving = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let Ok((mut stream, _)) = listener.accept() else { break };
            let (mut request, mut part) = (Vec::new(), [0; 1024]);
            while !request.ends_with(b"\r\n\r\n") {
                match stream.read(&mut part) {
                    Ok(n) if n > 0 => request.extend_from_slice(&part[..n]),
                    _ => break,
                }
            }
            asked.push(String::from_utf8_lossy(&request).into_owned());
            let head =
                format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            let _ = stream.write_all((head + body).as_bytes());
        }
        asked
    });
    Ok((address, serving))
}

async fn addresses_and_commands_are_asked(db: Db) -> TestResult {
    let (address, serving) = server(vec![(503, ""), (200, "no"), (200, "{\"ok\": true}")])?;
    let gate = format!(
        "http: {{url: '{address}/health?token=secret', contains: '\"ok\": true', headers: {{Authorization: Bearer $PATH}}, timeout: 10s}}\n    \
         command: [test -e go, {{run: sleep 600, timeout: 100ms}}]"
    );
    gated(&db, &gate).await?;
    let closed = waits(&db, &format!("http {address}/health answers 503, not 200")).await?;
    check!(closed.stdout.contains("command `test -e go` ended with code 1"), "{closed:?}");
    check!(closed.stdout.contains("command `sleep 600` failed: it did not end within 100ms"), "{closed:?}");
    waits(&db, "answers without \"\\\"ok\\\": true\"").await?;
    db.file("go", "")?;
    let unknown = waits(&db, "not known: command `sleep 600` failed").await?;
    check!(!unknown.stdout.contains("http") && !unknown.stdout.contains("secret"), "{unknown:?}");
    let asked = serving.join().unwrap_or_default();
    let path = std::env::var("PATH").unwrap_or_default();
    let sent = |request: &String| {
        request.to_lowercase().contains(&format!("authorization: bearer {path}").to_lowercase())
    };
    check!(asked.len() == 3 && asked.iter().all(sent), "{asked:?}");
    // Nobody answers any more.
    waits(&db, "not known: http").await?;
    let history = db.value("SELECT count(*) FROM phase.history WHERE gates::text LIKE '%secret%'").await?;
    same!(history, "0");
    Ok(())
}

async fn a_window_and_a_freeze_keep_it_closed(db: Db) -> TestResult {
    let day = |days: i32| {
        let sql = format!("SELECT to_char((now() AT TIME ZONE 'UTC')::date + {days}, 'YYYY-MM-DD')");
        let db = &db;
        async move { db.value(&sql).await }
    };
    let (before, after) = (day(-1).await?, day(1).await?);
    gated(&db, &format!("freeze: ['{before}..{after}']")).await?;
    waits(&db, "is a freeze; it ends at").await?;
    db.phase(&["contract", "1", "--force", "window", "--reason", "a fault that costs more"])
        .await?
        .expect(0)?;
    db.phase(&["abort", "1"]).await?.expect(0)?;
    let weekday =
        db.value("SELECT lower(to_char((now() AT TIME ZONE 'UTC') + interval '3 days', 'dy'))").await?;
    let text = format!(
        "contract:\n  - drop_column: {{table: t, column: b}}\ngates: {{contract: {{window: {weekday} 00:00-24:00 UTC}}}}\nkeep: 1h\n"
    );
    db.file("plans/2_p.yaml", &text)?;
    db.phase(&["advance", "2", "--to", "validated"]).await?.expect(0)?;
    let ended = db.phase(&["contract", "2"]).await?.expect(3)?;
    check!(ended.stdout.contains(&format!("window: {weekday} 00:00-24:00 UTC opens at")), "{ended:?}");
    Ok(())
}

async fn a_forgotten_session_keeps_it_closed(db: Db) -> TestResult {
    gated(&db, "observed: {app: web, min_version: 2.4.0, for: 2s}").await?;
    waits(&db, "no session of web 2.4.0 or later has been seen for 2s: its application_name says web@2.4.0")
        .await?;
    let old = db.connect().await?;
    old.batch_execute("SET application_name = 'web@2.3.9 pod-7'").await?;
    let new = db.connect().await?;
    new.batch_execute("SET application_name = 'web@2.4.0'").await?;
    let named = waits(&db, "web@2.3.9 pod-7 (user").await?;
    check!(named.stdout.contains("is older than 2.4.0, last seen at"), "{named:?}");
    drop(old);
    // It opens by itself, when the old one has been gone long enough.
    db.phase(&["advance", "1", "--to", "contracted", "--wait"]).await?.expect(0)?;
    let gone = db.value(
        "SELECT clock_timestamp() - max(last_seen) > interval '2s' FROM phase.sighting WHERE name LIKE 'web@2.3.9%'",
    );
    same!(gone.await?, "t");
    drop(new);
    Ok(())
}

async fn what_a_gate_went_by_is_kept(db: Db) -> TestResult {
    gated(&db, "{soak: 1ms, query: SELECT true}").await?;
    db.phase(&["contract", "1"]).await?.expect(0)?;
    let history = db.phase(&["history", "1", "--json"]).await?.expect(0)?.json()?;
    let events = history["history"].as_array().cloned().unwrap_or_default();
    let began =
        events.iter().find(|event| event["to_state"] == "contracted" && event["outcome"] == "started");
    let gates = began.map(|event| event["gates"].clone()).unwrap_or_default();
    same!(gates[0]["gate"], "soak");
    check!(gates[0]["facts"]["since"].is_string(), "{gates}");
    same!(gates[1]["says"][0], "query `SELECT true` holds");
    Ok(())
}

async fn gates_that_make_no_sense_are_refused(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int, b int)").await?;
    for (gate, part) in [
        ("observed: web@2.4.0", "write it like observed: {app: web, min_version: 2.4.0, for: 30m}"),
        ("observed: {app: web, min_version: 2.4.0, for: 90d}", "at most 30d"),
        ("observed: {app: web, min_version: 2, for: 1h, pattern: '('}", "is no regular expression"),
        ("observed: {app: web, min_version: 2, for: 1h, pattern: web}", "no groups app and version"),
        ("soak_since: marker", "asks for none"),
        ("compare: fuzzy", "unknown variant `fuzzy`"),
        ("http: ftp://x", "is no address"),
        ("http: https://user:word@host/x", "would be shown"),
        ("command: ''", "names no program"),
        ("command: {run: x, timeout: 2h}", "at most 1h"),
        ("freeze: [soon]", "write it like 2026-12-20..2027-01-03"),
        ("freeze: [2026-12-20..2026-12-19]", "ends before it begins"),
        ("window: noon", "a span has two times"),
    ] {
        plan(&db, gate)?;
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(ended.stderr.contains(part), "{gate}: {ended:?}");
    }
    Ok(())
}
