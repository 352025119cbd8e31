//! The linter against real servers: its safe ways run, and what would stop the
//! application is refused before anything runs.

use phase::core::lint::lessons;
use phase::core::lint::table::SETTING;

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    every_safe_way_runs,
    what_would_stop_the_application_is_refused,
    findings_have_a_form_for_every_reader,
    a_sql_migration_is_judged_as_well,
];

/// The binary, with the examples' tables first on its path.
async fn phase(db: &Db, schema: &str, args: &[&str]) -> std::io::Result<crate::harness::Ended> {
    let mut command = db.command(args);
    command.env("PGOPTIONS", format!("-c search_path={schema},public"));
    Ok(crate::harness::Ended::of(&command.output().await?))
}

async fn every_safe_way_runs(db: Db) -> TestResult {
    let mut faults = Vec::new();
    let mut ran = 0;
    let known = lessons().into_iter().filter(|lesson| lesson.since <= db.major);
    for (n, lesson) in known.enumerate() {
        let Some(good) = lesson.good else { continue };
        ran += 1;
        let (schema, plan) = (format!("safe_{n}"), "plans/1_safe.yaml");
        let client = db.connect().await?;
        client
            .batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}, public; {SETTING}"))
            .await?;
        client.batch_execute(lesson.setup).await.map_err(|error| format!("{}: {error:?}", lesson.rule))?;
        // A record of its own for each, and no table is small.
        db.file("phase.yaml", &format!("schema: record_{n}\nlint: {{small_table: 0B}}\n"))?;
        db.file(plan, &good)?;
        let ended = phase(&db, &schema, &["advance", "1", "--to", "completed"]).await?;
        if ended.code != Some(0) {
            faults.push(format!("{}: {ended:?}\n{good}", lesson.rule));
        }
    }
    check!(ran > 25, "only {ran} ran");
    check!(faults.is_empty(), "{}", faults.join("\n\n"));
    Ok(())
}

const BUILD: &str = "expand:\n  - sql: |\n      ALTER TABLE t ADD COLUMN z int;\n      CREATE INDEX t_a ON t (a)\n    undo: ALTER TABLE t DROP COLUMN z\n";

async fn what_would_stop_the_application_is_refused(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g; ANALYZE t").await?;
    db.file("plans/1_p.yaml", BUILD)?;
    db.file("phase.yaml", "lint: {small_table: 10kB}\n")?;
    let ended = db.phase(&["advance", "1"]).await?.expect(2)?;
    for part in [
        "plans/1_p.yaml:4:7",
        "create-index",
        "SHARE on t",
        "CREATE INDEX CONCURRENTLY t_a",
        "nothing of this plan has been run",
    ] {
        check!(ended.stderr.contains(part), "no {part:?} in {}", ended.stderr);
    }
    same!(
        db.value("SELECT count(*) FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'z'")
            .await?,
        "0"
    );
    same!(db.value("SELECT state || ' ' || goal FROM phase.item").await?, "planned planned");
    let ended = db.phase(&["check", "--online"]).await?.expect(2)?;
    check!(ended.stdout.contains("create-index"), "{ended:?}");
    // Small by the catalog, and accepted, each lets it through.
    db.file("phase.yaml", "lint: {small_table: 1MB}\n")?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    db.phase(&["check"]).await?.expect(2)?;
    db.file("phase.yaml", "lint: {small_table: 10kB}\n")?;
    let accepted = format!(
        "{BUILD}    lint: {{allow: [{{rule: create-index, reason: at night}}, {{rule: work-under-lock, reason: at night}}]}}\n"
    );
    db.file("plans/1_p.yaml", &accepted)?;
    let ended = db.phase(&["advance", "1"]).await?.expect(0)?;
    check!(ended.stderr.contains("create-index"), "{ended:?}");
    same!(
        db.value("SELECT detail FROM phase.history WHERE event = 'lint' ORDER BY id LIMIT 1").await?,
        "create-index of expand.1 is accepted: at night"
    );
    Ok(())
}

async fn findings_have_a_form_for_every_reader(db: Db) -> TestResult {
    db.file("plans/1_p.yaml", BUILD)?;
    let ended = db.phase(&["check", "--json"]).await?.expect(2)?;
    let finding = &ended.json()?["findings"][0];
    same!(finding["rule"], "create-index");
    same!(finding["line"], 4);
    same!(finding["locks"][0]["lock"], "share");
    let ended = db.phase(&["check", "--format", "github"]).await?.expect(2)?;
    check!(
        ended.stdout.contains("::error file=plans/1_p.yaml,line=4,col=7,title=create-index::"),
        "{ended:?}"
    );
    let ended = db.phase(&["check", "--format", "sarif"]).await?.expect(2)?;
    let report = ended.json()?;
    same!(report["version"], "2.1.0");
    same!(report["runs"][0]["results"][0]["ruleId"], "create-index");
    let at = &report["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    same!(at["artifactLocation"]["uri"], "plans/1_p.yaml");
    same!(at["region"]["startLine"], 4);
    Ok(())
}

async fn a_sql_migration_is_judged_as_well(db: Db) -> TestResult {
    db.file(
        "migrations/1_m.sql",
        "-- UP\nSELECT 1;\nCREATE INDEX t_a ON t (a);\n-- DOWN\nDROP INDEX t_a;\n",
    )?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(ended.stdout.contains("migrations/1_m.sql:3:1: error: create-index"), "{ended:?}");
    let accepted = "-- UP\n-- lint: allow create-index: the table is new\nCREATE INDEX t_a ON t (a);\n-- DOWN\nDROP INDEX t_a;\n";
    db.file("migrations/1_m.sql", accepted)?;
    db.phase(&["check"]).await?.expect(0)?;
    db.file("migrations/1_m.sql", &accepted.replace("create-index:", "create-indx:"))?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(
        ended.stderr.contains("migrations/1_m.sql:2") && ended.stderr.contains("did you mean create-index"),
        "{ended:?}"
    );
    Ok(())
}
