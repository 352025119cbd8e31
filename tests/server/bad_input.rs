//! Bad input: exit 2 (or 6), a message that names the place, an untouched database.

use std::time::{Duration, Instant};

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    files_that_are_not_right,
    hostile_files,
    two_files_of_one_version,
    a_plan_edited_after_it_started,
    names_that_try_to_break_out,
    tables_and_keys_that_are_not_there,
    what_is_not_supported_yet,
    rows_that_a_policy_hides_are_not_lost,
    a_plan_does_not_use_what_an_older_one_takes_away,
    a_password_stays_out_of_sight,
    usage_that_makes_no_sense,
];

/// The database has nothing of ours, or only an empty record.
async fn untouched(db: &Db) -> TestResult {
    let tables =
        "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";
    same!(db.value(tables).await?, "0");
    if db.value("SELECT to_regclass('phase.step') IS NOT NULL").await? == "t" {
        same!(db.value("SELECT count(*) FROM phase.step").await?, "0");
    }
    Ok(())
}

async fn refused(db: &Db, text: &str, parts: &[&str]) -> TestResult {
    db.file("plans/5_x.yaml", text)?;
    for args in [["expand"].as_slice(), &["check"], &["advance", "5"], &["expand", "--dry-run"]] {
        let ended = db.phase(args).await?.expect(2)?;
        for part in parts {
            check!(ended.stderr.contains(part), "{args:?}: {part:?} is missing: {}", ended.stderr);
        }
    }
    untouched(db).await
}

async fn files_that_are_not_right(db: Db) -> TestResult {
    refused(&db, "title: x\nexpnd: []\n", &["plans/5_x.yaml:2:1: ", "expnd", "2 | expnd: []"]).await?;
    refused(&db, "title: x\ntitle: y\n", &["plans/5_x.yaml:2:1: ", "title stands here twice"]).await?;
    refused(
        &db,
        "expand:\n  - {sql: SELECT 1, undo: SELECT 1}\ngates: {contract: {soak: soon}}\n",
        &["5_x.yaml:3:26: ", "soon"],
    )
    .await?;
    refused(&db, "expand: [\n", &["5_x.yaml:1:9: "]).await?;
    refused(&db, "expand:\n\t- sql: x\n", &["5_x.yaml:2:"]).await?;
    refused(&db, "expand:\n  - sql: SELECT 1\n", &["5_x.yaml:2:5: ", "undo"]).await?;
    refused(&db, "expand:\n  - {sql: SELEC 1, undo: SELECT 1}\n", &["5_x.yaml:2:11: ", "syntax error"])
        .await?;
    refused(&db, "expand:\n  - {sql: BEGIN, undo: SELECT 1}\n", &["5_x.yaml:2:11: ", "transaction control"])
        .await?;
    refused(
        &db,
        "change:\n  - rename_column: {table: a, from: b, to: b}\n",
        &["5_x.yaml:2:5: ", "same name"],
    )
    .await?;
    refused(&db, "\u{0}", &["5_x.yaml:1:"]).await?;
    std::fs::write(db.project.path().join("plans/5_x.yaml"), [0xff, 0xfe, 0x00])?;
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("not UTF-8"), "{ended:?}");
    Ok(())
}

async fn hostile_files(db: Db) -> TestResult {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
    }
    let many_terms =
        format!("expand:\n  - {{sql: \"SELECT {}\", undo: SELECT 1}}\n", vec!["1"; 20_000].join("+"));
    let deep_sql = format!(
        "expand:\n  - {{sql: \"SELECT {}1{}\", undo: SELECT 1}}\n",
        "(".repeat(9_000),
        ")".repeat(9_000)
    );
    for text in [bomb, "[".repeat(200_000), "a: {".repeat(20_000), many_terms] {
        db.file("plans/5_x.yaml", &text)?;
        let began = Instant::now();
        db.phase(&["expand"]).await?.expect(2)?;
        check!(began.elapsed() < Duration::from_secs(20), "{:?} for {} bytes", began.elapsed(), text.len());
    }
    untouched(&db).await?;
    // Deep brackets are right for PostgreSQL's parser: whatever it says, nothing breaks.
    db.file("plans/5_x.yaml", &deep_sql)?;
    let ended = db.phase(&["expand"]).await?;
    check!(matches!(ended.code, Some(0..=2)), "{ended:?}");
    db.run("DROP SCHEMA IF EXISTS phase CASCADE").await?;
    // 100 MB of it, sparse on the disk.
    std::fs::File::create(db.project.path().join("plans/5_x.yaml"))?.set_len(100 << 20)?;
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("plans/5_x.yaml: it is larger than"), "{ended:?}");
    untouched(&db).await
}

async fn two_files_of_one_version(db: Db) -> TestResult {
    db.file("migrations/5_a.sql", "CREATE TABLE a ()")?;
    db.file("plans/005_b.yaml", "expand:\n  - {sql: CREATE TABLE b (), undo: DROP TABLE b}\n")?;
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("5_a.sql") && ended.stderr.contains("005_b.yaml"), "{ended:?}");
    std::fs::remove_file(db.project.path().join("plans/005_b.yaml"))?;
    db.file("migrations/nonsense.sql", "SELECT 1")?;
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("migrations/nonsense.sql: the name must be"), "{ended:?}");
    untouched(&db).await
}

async fn a_plan_edited_after_it_started(db: Db) -> TestResult {
    let plan = "expand:\n  - {sql: CREATE TABLE b (), undo: DROP TABLE b}\n";
    db.file("plans/5_b.yaml", plan)?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.file("plans/5_b.yaml", &plan.replace("CREATE TABLE b ()", "CREATE TABLE c ()"))?;
    for args in [["advance", "5"].as_slice(), &["expand"], &["backfill"], &["abort", "5"]] {
        let ended = db.phase(args).await?.expect(6)?;
        for part in ["5_b was edited", "-  - {sql: CREATE TABLE b ()", "+  - {sql: CREATE TABLE c ()"] {
            check!(ended.stderr.contains(part), "{args:?}: {part} is missing: {}", ended.stderr);
        }
    }
    // Another plan that is named goes on all the same, and says so.
    db.file("plans/6_d.yaml", "expand:\n  - {sql: CREATE TABLE d (), undo: DROP TABLE d}\n")?;
    db.phase(&["advance", "6", "--to", "expanded"]).await?.expect(0)?;
    let ended = db.phase(&["backfill", "6"]).await?.expect(0)?;
    check!(ended.stderr.contains("5_b was edited"), "{ended:?}");
    db.phase(&["backfill"]).await?.expect(6)?;
    same!(db.value("SELECT state FROM phase.item WHERE version = '5'").await?, "expanded");
    // Line ends of another system are no edit.
    db.file("plans/5_b.yaml", &plan.replace('\n', "\r\n"))?;
    db.phase(&["advance", "5"]).await?.expect(0)?;
    Ok(())
}

async fn names_that_try_to_break_out(db: Db) -> TestResult {
    let odd = "we\"ird; drop table x";
    let plan = |table: &str| format!("backfill:\n  - {{table: {table}, set: {{a: b}}}}\n");
    refused(&db, &plan("'we\"ird; drop table x'"), &["5_x.yaml:2:5: ", "is not a plain name"]).await?;
    refused(&db, "backfill:\n  - {table: t, set: {a: 'b; DROP TABLE x'}}\n", &["5_x.yaml:2:5: "]).await?;
    refused(
        &db,
        "backfill:\n  - {table: t, set: {a: b}, where: 'true) OR (true); DROP TABLE x; --'}\n",
        &["where: "],
    )
    .await?;
    // In quotes, as SQL has them, the same name is a name like any other.
    db.run(&format!(
        "CREATE TABLE x (); CREATE TABLE \"{0}\" (\"{0}\" text PRIMARY KEY, \"b'\" text); INSERT INTO \"{0}\" VALUES ('k''1'), ('k\\2')",
        odd.replace('"', "\"\"")
    ))
    .await?;
    let quoted = "'\"we\"\"ird; drop table x\"'";
    db.file(
        "plans/5_x.yaml",
        &format!(
            "expand:\n  - sync: {{table: {quoted}, set: {{'\"b''\"': {quoted}}}}}\nbackfill:\n  - {{table: {quoted}, set: {{'\"b''\"': {quoted}}}, batch: {{rows: 1}}}}\nvalidate:\n  - not_null: {{table: {quoted}, column: '\"b''\"'}}\n  - index: {{table: {quoted}, columns: ['\"b''\"']}}\n"
        ),
    )?;
    db.phase(&["advance", "5", "--to", "completed"]).await?.expect(0)?;
    same!(
        db.value(&format!("SELECT string_agg(\"b'\", ',' ORDER BY 1) FROM \"{}\"", odd.replace('"', "\"\"")))
            .await?,
        "k'1,k\\2"
    );
    same!(db.value("SELECT to_regclass('x') IS NOT NULL").await?, "t");
    Ok(())
}

async fn tables_and_keys_that_are_not_there(db: Db) -> TestResult {
    for (text, part) in [
        ("backfill:\n  - {table: nowhere, set: {a: b}}\n", "plans/5_x.yaml:2:5: there is no table nowhere"),
        ("expand:\n  - sync: {table: app.t, set: {a: b}}\n", "plans/5_x.yaml:2:5: there is no table app.t"),
    ] {
        db.file("plans/5_x.yaml", text)?;
        let ended = db.phase(&["expand"]).await?.expect(2)?;
        check!(ended.stderr.contains(part), "{part} is missing: {}", ended.stderr);
    }
    untouched(&db).await?;
    db.run("CREATE TABLE keyless (a int, b int); CREATE VIEW seen AS TABLE keyless").await?;
    db.file("plans/5_x.yaml", "backfill:\n  - {table: seen, set: {a: b}}\n")?;
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("plans/5_x.yaml:2:5: seen is a view"), "{ended:?}");
    for (key, part) in [(", key: [a]", "no unique index over exactly (a)")] {
        db.file("plans/5_x.yaml", &format!("expand:\n  - {{sql: CREATE TABLE made (), undo: DROP TABLE made}}\nbackfill:\n  - {{table: keyless, set: {{a: b}}{key}}}\n"))?;
        let ended = db.phase(&["expand"]).await?.expect(2)?;
        check!(ended.stderr.contains("plans/5_x.yaml:4:5") && ended.stderr.contains(part), "{ended:?}");
    }
    same!(db.value("SELECT to_regclass('made') IS NULL").await?, "t");
    Ok(())
}

async fn what_is_not_supported_yet(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int)").await?;
    for (extra, part) in [
        ("window: soon", "a span has two times"),
        ("window: 22:00-05:00 Mars", "Mars is no time zone"),
        ("throttle: {replica_lag: 5}", "write it like 5s or 1m"),
        ("throttle: {bloat: much}", "write it like 20%"),
        ("throttle: {nice: 1.5}", "a share from 0 to 0.99"),
        ("throttle: {query: DROP TABLE t}", "throttle: query"),
        ("throttle: {http: 'ftp://x'}", "http:// or https://"),
    ] {
        db.file("plans/5_x.yaml", &format!("backfill:\n  - {{table: t, set: {{a: id}}, {extra}}}\n"))?;
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    db.file(
        "plans/5_x.yaml",
        "backfill:\n  - {table: t, set: {a: id}}\ngates: {contract: {unused: true}}\n",
    )?;
    let ended = db.phase(&["expand"]).await?.expect(2)?;
    check!(ended.stderr.contains("plans/5_x.yaml:3:28: the gate unused is not supported"), "{ended:?}");
    Ok(())
}

async fn usage_that_makes_no_sense(db: Db) -> TestResult {
    for args in [
        ["advance", "nothing"].as_slice(),
        &["expand", "--to", "77"],
        &["expand", "--to", "x"],
        &["advance", "--to", "aborted"],
        &["baseline", "77"],
        &["deployed", "web"],
        &["backfill", "--max-duration", "soon"],
        &["nonsense"],
        &["new", "../escape"],
    ] {
        db.phase(args).await?.expect(2).map_err(|error| format!("{args:?}: {error}"))?;
    }
    let ended = db.command(&["status"]).env("DATABASE_URL", "postgres://u:s3cret@h:x/d").output().await?;
    let ended = crate::harness::Ended::of(&ended).expect(2)?;
    check!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
    let refused = db
        .command(&["-vvv", "status"])
        .env("DATABASE_URL", "postgres://u:s3cret@127.0.0.1:1/d")
        .output()
        .await?;
    let refused = crate::harness::Ended::of(&refused).expect(1)?;
    check!(!format!("{refused:?}").contains("s3cret"), "{refused:?}");
    check!(refused.stderr.contains("u@127.0.0.1:1/d"), "{refused:?}");
    Ok(())
}

async fn rows_that_a_policy_hides_are_not_lost(db: Db) -> TestResult {
    db.run(
        "CREATE ROLE keeper LOGIN; GRANT CREATE ON DATABASE \"NAME\" TO keeper; GRANT CREATE ON SCHEMA public TO keeper;
         CREATE TABLE t (id int PRIMARY KEY, owner name, a int, b int); ALTER TABLE t OWNER TO keeper;
         INSERT INTO t SELECT i, CASE i % 2 WHEN 0 THEN 'keeper' ELSE 'other' END, i FROM generate_series(1, 100) i;
         ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
         CREATE POLICY own ON t USING (owner = current_user)"
            .replace("NAME", &db.name)
            .as_str(),
    )
    .await?;
    db.file("plans/1_p.yaml", "backfill:\n  - {table: t, set: {b: a}}\n")?;
    let url = db.url.replace("postgres@", "keeper@");
    let ended = crate::harness::Ended::of(
        &db.command(&["advance", "1", "--to", "backfilled"]).env("DATABASE_URL", url).output().await?,
    );
    let ended = ended.expect(1)?;
    check!(ended.stderr.contains("row-level security"), "{ended:?}");
    db.run("DROP OWNED BY keeper CASCADE; DROP ROLE keeper").await?;
    Ok(())
}

async fn a_plan_does_not_use_what_an_older_one_takes_away(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, name text, a text, b text)").await?;
    let plan = |new: &str, before: &str| {
        format!(
            "{before}expand:\n  - sync: {{table: t, set: {{{new}: name}}, back: {{name: {new}}}}}\ncontract:\n  - drop_column: {{table: t, column: name}}\nkeep: 1d\n"
        )
    };
    db.file("plans/1_p.yaml", &plan("a", ""))?;
    db.file("plans/2_q.yaml", &plan("b", "depends_on: [1]\n"))?;
    db.phase(&["advance", "1"]).await?.expect(0)?;
    let ended = db.phase(&["advance", "2"]).await?.expect(2)?;
    check!(ended.stderr.contains("it uses t.name, which 1_p takes away"), "{ended:?}");
    Ok(())
}

async fn a_password_stays_out_of_sight(db: Db) -> TestResult {
    let text = "CREATE TABLE a ();\nCREATE USER MAPPING FOR public SERVER nowhere OPTIONS (user 'u', password 'S3CRET');\n";
    db.file("migrations/1_a.sql", text)?;
    db.phase(&["expand", "-vv"]).await?.expect(1).map(|ended| check_hidden(&ended))??;
    let ended = db.phase(&["history", "--sql"]).await?.expect(0)?;
    check!(ended.stdout.contains("password '***'"), "{ended:?}");
    check_hidden(&ended)?;
    for url in ["postgres://u:Xp@S3CRET@127.0.0.1:1/m", "postgres://u:S3/CRET@127.0.0.1:1/m"] {
        let ended =
            crate::harness::Ended::of(&db.command(&["status"]).env("DATABASE_URL", url).output().await?);
        let ended = ended.expect(2)?;
        check!(ended.stderr.contains("%40"), "{ended:?}");
        check_hidden(&ended)?;
    }
    Ok(())
}

fn check_hidden(ended: &crate::harness::Ended) -> TestResult {
    check!(!format!("{ended:?}").contains("CRET"), "{ended:?}");
    Ok(())
}
