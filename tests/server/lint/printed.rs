//! What the linter prints runs, there and back, as it is printed.

use phase::core::lint::lessons;
use phase::core::lint::table::{SETTING, rows};

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    every_safe_way_runs,
    every_printed_plan_runs,
    every_printed_sql_migration_runs,
    a_printed_change_of_type_stops_where_values_are_lost,
    what_no_sync_can_fill_is_known_from_the_catalog,
    nobody_opens_a_gate_without_a_name,
    every_statement_printed_for_an_undo_runs,
];

/// The binary, with the examples' tables first on its path.
async fn phase(db: &Db, schema: &str, args: &[&str]) -> std::io::Result<crate::harness::Ended> {
    let mut command = db.command(args);
    command.env("PGOPTIONS", format!("-c search_path={schema},public"));
    Ok(crate::harness::Ended::of(&command.output().await?))
}

/// Whether all of it ran but what its undo window keeps.
fn went_through(ended: &crate::harness::Ended) -> bool {
    ended.code == Some(0)
        || (ended.code == Some(3) && ended.stdout.contains("contracted, waiting\n  - keep:"))
}

async fn every_safe_way_runs(db: Db) -> TestResult {
    let mut faults = Vec::new();
    let mut ran = 0;
    let known = lessons().into_iter().filter(|lesson| lesson.since <= db.major);
    for (n, lesson) in known.enumerate() {
        let Some(good) = lesson.good.as_deref().map(signed) else { continue };
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
        let ended = opened(&db, &schema, &format!("record_{n}"), &good).await?;
        if !went_through(&ended) {
            faults.push(format!("{}: {ended:?}\n{good}", lesson.rule));
        }
    }
    check!(ran > 25, "only {ran} ran");
    check!(faults.is_empty(), "{}", faults.join("\n\n"));
    Ok(())
}

/// A printed plan with the application's name in it, as its comment asks for.
fn signed(plan: &str) -> String {
    plan.replace("APP@VERSION", "shop@1.0.0")
}

/// Opens every gate that a printed plan may have.
async fn open(db: &Db, schema: &str, record: &str) -> TestResult {
    phase(db, schema, &["deployed", "shop@1.0.0"]).await?.expect(0)?;
    phase(db, schema, &["approve", "1"]).await?.expect(0)?;
    db.run(&format!("UPDATE {record}.item SET state_since = state_since - interval '1 day'")).await?;
    Ok(())
}

/// Runs a plan as it is printed; where it takes something away, or binds the application, it
/// waits until somebody opens its gate.
async fn opened(
    db: &Db,
    schema: &str,
    record: &str,
    plan: &str,
) -> Result<crate::harness::Ended, Box<dyn std::error::Error + Send + Sync>> {
    let run = ["advance", "1", "--to", "completed"];
    let gated = plan.contains("gates:\n");
    check!(gated || !plan.contains("contract:\n"), "nothing stands before contract: {plan}");
    let ended = phase(db, schema, &run).await?;
    if !gated || ended.code != Some(3) {
        check!(ended.code != Some(0) || !gated, "it did not wait: {plan}");
        return Ok(ended);
    }
    let waits = [("backfill", "expanded"), ("validate", "backfilled"), ("contract", "validated")]
        .into_iter()
        .find(|(gate, _)| plan.contains(&format!("\n  {gate}: {{")));
    let (_, state) = waits.ok_or("a gate of another phase")?;
    same!(db.value(&format!("SELECT state FROM {record}.item")).await?, state);
    open(db, schema, record).await?;
    Ok(phase(db, schema, &run).await?)
}

/// Statements against the examples' tables whose safe way is a plan that can run as it is printed.
const REFUSED: &[&str] = &[
    "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r (id) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED",
    "ALTER TABLE t ADD FOREIGN KEY (r_id) REFERENCES r",
    "ALTER TABLE t ADD CONSTRAINT k CHECK (c <> 'a: b # c' AND c <> 'it''s') NO INHERIT",
    "ALTER TABLE t ADD CHECK (a > 0), ADD CHECK (id > 0)",
    "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a, c) INCLUDE (n) WITH (fillfactor = 70) DEFERRABLE",
    "CREATE UNIQUE INDEX ON t (lower(c) DESC NULLS LAST, a) WHERE c <> 'x: y'",
    "CREATE INDEX i ON p (id DESC, lower(k::text)) WHERE k > 5",
    "CREATE INDEX ON p (k)",
    "ALTER TABLE t ADD COLUMN \"Z y\" bigserial, ADD COLUMN w smallserial",
    "ALTER TABLE t ADD COLUMN z interval day to second(3) DEFAULT random() * interval '1 day'",
    "ALTER TABLE t ADD COLUMN z text DEFAULT gen_random_uuid()::text || 'it''s \\ \"x\": #'",
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN c SET NOT NULL",
    "ALTER TABLE t ALTER COLUMN a TYPE bigint, ALTER COLUMN at TYPE text",
    "ALTER TABLE t ALTER COLUMN n TYPE numeric(12,3)",
    "ALTER TABLE ident ALTER COLUMN note TYPE varchar(50)",
    "ALTER TABLE ident ALTER COLUMN j TYPE jsonb",
    "ALTER TABLE ident ALTER COLUMN pt TYPE text",
    "ALTER TABLE ident RENAME COLUMN id TO number",
    "ALTER TABLE ident ALTER COLUMN id TYPE numeric",
    "ALTER TABLE ident DROP COLUMN id",
    "ALTER TABLE ident DROP COLUMN note, DROP COLUMN j",
    "ALTER TABLE ident ADD FOREIGN KEY (id) REFERENCES r",
    "ALTER TABLE t ADD COLUMN z uuid NOT NULL DEFAULT gen_random_uuid()",
    "TRUNCATE t",
    "DELETE FROM t",
    "ALTER TABLE \"T t\" ALTER COLUMN \"A a\" TYPE bigint",
    "ALTER TABLE t RENAME COLUMN b TO \"b 2\"",
    "ALTER TABLE \"order\" RENAME COLUMN \"user\" TO person",
    "ALTER TABLE \"order\" RENAME COLUMN no TO number",
    "ALTER TABLE \"order\" ALTER COLUMN \"user\" TYPE text, ALTER COLUMN no TYPE bigint",
    "ALTER TABLE \"order\" DROP COLUMN \"user\"",
    "DROP TABLE \"order\"",
    "ALTER TABLE \"T t\" ADD UNIQUE (\"A a\")",
    "ALTER TABLE \"T t\" ADD PRIMARY KEY (\"A a\", b)",
    "ALTER TABLE \"T t\" ADD COLUMN LONG bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE \"T t\" ADD COLUMN LONG integer UNIQUE",
    "ALTER TABLE \"T t\" ADD COLUMN z integer REFERENCES r ON DELETE CASCADE",
    "ALTER TABLE p ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES r (id) ON DELETE CASCADE",
    "ALTER TABLE p ADD UNIQUE (id)",
    "ALTER TABLE p ADD PRIMARY KEY (id)",
    "DROP INDEX \"I i\"",
    "REINDEX INDEX \"I i\"",
];

/// Tables whose names need quotes.
const ODD: &str = "
CREATE TABLE \"T t\" (\"A a\" integer PRIMARY KEY, b integer);
ALTER TABLE \"T t\" DROP CONSTRAINT \"T t_pkey\";
CREATE TABLE \"order\" (id bigint PRIMARY KEY, \"user\" varchar(9) COLLATE \"C\" NOT NULL DEFAULT 'me', no serial);
INSERT INTO \"order\" SELECT g FROM generate_series(1, 9) g;
CREATE INDEX ON \"order\" (\"user\");
CREATE TABLE ident (id bigint GENERATED BY DEFAULT AS IDENTITY, k serial PRIMARY KEY, note text NOT NULL, j json, pt point);
INSERT INTO ident (note, j, pt) SELECT g, '{\"a\": 1 }', point(g, g) FROM generate_series(1, 9) g;
INSERT INTO \"T t\" SELECT g, g FROM generate_series(1, 9) g;
CREATE INDEX \"I i\" ON \"T t\" (b);
";

async fn every_printed_plan_runs(db: Db) -> TestResult {
    let client = db.connect().await?;
    let mut faults = Vec::new();
    for (n, sql) in REFUSED.iter().enumerate() {
        let schema = format!("printed_{n}");
        let sql = sql.replace("LONG", &"x".repeat(60));
        client
            .batch_execute(&format!(
                "CREATE SCHEMA {schema}; SET search_path = {schema}, public; {SETTING}; {ODD}"
            ))
            .await?;
        db.file("phase.yaml", &format!("schema: printed_record_{n}\nlint: {{small_table: 0B}}\n"))?;
        db.file(
            "plans/1_p.yaml",
            &format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n"),
        )?;
        // Online: the partitions' names are the catalog's to know.
        let found = phase(&db, &schema, &["check", "--online", "--json"]).await?.expect(2)?.json()?;
        let findings = found["findings"].as_array().cloned().unwrap_or_default();
        let plans = findings.iter().filter(|finding| finding["level"] == "error");
        let plans: Vec<&str> = plans.filter_map(|finding| finding["safe"].as_str()).collect();
        let plan = plans.iter().find(|plan| plan.contains("\n"));
        let Some(plan) = plan else {
            faults.push(format!("{sql}: no plan in {findings:?}"));
            continue;
        };
        let plan = &signed(plan);
        db.file("plans/1_p.yaml", plan)?;
        // There and back, and then to the end.
        let advance = ["advance", "1", "--to", "validated"];
        let mut validated = phase(&db, &schema, &advance).await?;
        if validated.code == Some(3) {
            open(&db, &schema, &format!("printed_record_{n}")).await?;
            validated = phase(&db, &schema, &advance).await?;
        }
        let back = phase(&db, &schema, &["abort", "1"]).await?;
        let for_good = plan.contains("undo: irreversible") || plan.contains("delete: true");
        if validated.code != Some(0) || back.code != Some(0) && !for_good {
            faults.push(format!("{sql}: {validated:?}\n{back:?}\n{plan}"));
            continue;
        }
        let record = format!("printed_again_{n}");
        db.file("phase.yaml", &format!("schema: {record}\nlint: {{small_table: 0B}}\n"))?;
        let ended = opened(&db, &schema, &record, plan).await?;
        if !went_through(&ended) {
            faults.push(format!("{sql}: {ended:?}\n{plan}"));
        }
    }
    check!(faults.is_empty(), "{}", faults.join("\n\n"));
    Ok(())
}

async fn a_printed_change_of_type_stops_where_values_are_lost(db: Db) -> TestResult {
    let changes = [("c", "varchar(3)"), ("n", "numeric(10,0)"), ("n", "integer"), ("at", "date")];
    let looks = [&["check", "--json"][..], &["check", "--online", "--json"][..]];
    for (n, look) in looks.into_iter().enumerate() {
        for (column, to) in changes.into_iter().filter(|(_, to)| n == 1 || *to != "date") {
            let (schema, record) =
                (format!("lost_{n}_{column}_{}", &to[..3]), format!("r_{n}_{column}_{}", &to[..3]));
            let client = db.connect().await?;
            client
                .batch_execute(&format!(
                    "CREATE SCHEMA {schema}; SET search_path = {schema}, public; {SETTING}"
                ))
                .await?;
            client.batch_execute("UPDATE t SET c = 'long' WHERE id = 7").await?;
            db.file("phase.yaml", &format!("schema: {record}\nlint: {{small_table: 0B}}\n"))?;
            let sql = format!("ALTER TABLE t ALTER COLUMN {column} TYPE {to}");
            db.file("plans/1_p.yaml", &format!("expand:\n  - sql: {sql}\n    undo: \"irreversible: x\"\n"))?;
            let found = phase(&db, &schema, look).await?.expect(2)?.json()?;
            let findings = found["findings"].as_array().cloned().unwrap_or_default();
            let plan = findings
                .iter()
                .filter_map(|finding| finding["safe"].as_str())
                .find(|safe| safe.contains('\n'));
            db.file("plans/1_p.yaml", &signed(plan.ok_or("no plan")?))?;
            let ended = phase(&db, &schema, &["advance", "1", "--to", "validated"]).await?;
            check!(ended.code != Some(0) && ended.stderr.contains("is lost"), "{sql}: {ended:?}");
            same!(db.value(&format!("SELECT state FROM {record}.item")).await?, "backfilled");
        }
    }
    Ok(())
}

async fn what_no_sync_can_fill_is_known_from_the_catalog(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, g int GENERATED ALWAYS AS (a + 1) STORED)").await?;
    db.run("INSERT INTO t (a) VALUES (1)").await?;
    db.file("phase.yaml", "lint: {small_table: 0B}\n")?;
    for (sql, words) in [
        ("RENAME COLUMN id TO number", "GENERATED BY DEFAULT"),
        ("ALTER COLUMN id TYPE numeric", "GENERATED BY DEFAULT"),
        ("RENAME COLUMN g TO h", "the same expression"),
        ("ALTER COLUMN g TYPE bigint", "the same expression"),
    ] {
        let plan = format!("expand:\n  - sql: ALTER TABLE t {sql}\n    undo: \"irreversible: x\"\n");
        db.file("plans/1_p.yaml", &plan)?;
        let found = db.phase(&["check", "--online", "--json"]).await?.expect(2)?.json()?;
        let safe = found["findings"][0]["safe"].as_str().unwrap_or_default();
        check!(safe.contains(words) && !safe.contains("sync: {"), "{sql}: {safe}");
    }
    Ok(())
}

async fn nobody_opens_a_gate_without_a_name(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, a int)").await?;
    let plan = |app: &str| {
        format!(
            "contract:\n  - drop_column: {{table: t, column: a}}\ngates:\n  contract: {{deployed: {app}}}\n"
        )
    };
    for app in ["APP@VERSION", "APP@1.0", "web@VERSION"] {
        let ended = db.phase(&["deployed", app]).await?;
        check!(ended.code == Some(2) && ended.stderr.contains("the plan's gates"), "{app}: {ended:?}");
        db.file("plans/1_p.yaml", &plan(app))?;
        let said = format!("the gate of contract waits for {app}");
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(ended.stdout.contains(&format!("plans/1_p.yaml:4:13: error: gate: {said}")), "{ended:?}");
        let json = db.phase(&["check", "--json"]).await?.expect(2)?.json()?;
        same!(json["gates"][0]["line"].as_u64(), Some(4));
        let ended = db.phase(&["check", "--format", "github"]).await?.expect(2)?;
        check!(ended.stdout.contains("::error file=plans/1_p.yaml,line=4,col=13,title=gate::"), "{ended:?}");
        let sarif = db.phase(&["check", "--format", "sarif"]).await?.expect(2)?.json()?;
        same!(sarif["runs"][0]["results"][0]["ruleId"].as_str(), Some("gate"));
        same!(sarif["runs"][0]["results"][0]["level"].as_str(), Some("error"));
        for args in [&["expand"][..], &["advance", "1"]] {
            let ended = db.phase(args).await?.expect(2)?;
            check!(
                ended.stderr.contains(&said) && ended.stderr.contains("nothing of this plan"),
                "{ended:?}"
            );
        }
        same!(db.value("SELECT count(*) FROM phase.item WHERE state <> 'planned'").await?, "0");
    }
    db.file("plans/1_p.yaml", &plan("web@1.0"))?;
    let ended = db.phase(&["check"]).await?.expect(0)?;
    check!(!ended.stderr.contains("waits for"), "{ended:?}");
    Ok(())
}

/// The SQL migrations that a finding prints.
fn printed_files(safe: &str) -> Vec<String> {
    let files = safe.split("-- UP\n").skip(1);
    files
        .map(|file| file.split("-- then another").next().unwrap_or_default())
        .map(|file| format!("-- UP\n{file}"))
        .collect()
}

async fn every_printed_sql_migration_runs(db: Db) -> TestResult {
    let client = db.connect().await?;
    let (mut faults, mut ran) = (Vec::new(), 0);
    for (n, sql) in REFUSED.iter().enumerate() {
        let (schema, record) = (format!("sql_{n}"), format!("sql_record_{n}"));
        client
            .batch_execute(&format!(
                "CREATE SCHEMA {schema}; SET search_path = {schema}, public; {SETTING}; {ODD}"
            ))
            .await?;
        db.file("phase.yaml", &format!("schema: {record}\nlint: {{small_table: 0B}}\n"))?;
        for n in 1..9 {
            let _ = std::fs::remove_file(db.project.path().join(format!("migrations/{n}_m.sql")));
        }
        let sql = sql.replace("LONG", &"x".repeat(60));
        db.file("migrations/1_m.sql", &format!("-- UP\n{sql};\n-- DOWN\nSELECT 1;\n"))?;
        let found = phase(&db, &schema, &["check", "--online", "--json"]).await?.expect(2)?.json()?;
        let findings = found["findings"].as_array().cloned().unwrap_or_default();
        let errors = findings.iter().filter(|finding| finding["level"] == "error");
        let safe: Vec<&str> = errors.filter_map(|finding| finding["safe"].as_str()).collect();
        check!(safe.iter().any(|safe| safe.starts_with("-- ") || safe.starts_with("# ")), "{sql}: {safe:?}");
        let Some(safe) = safe.iter().find(|safe| safe.starts_with("-- ")) else { continue };
        let files = printed_files(safe);
        for (n, file) in files.iter().enumerate() {
            db.file(&format!("migrations/{}_m.sql", n + 1), file)?;
        }
        ran += 1;
        let up = phase(&db, &schema, &["expand"]).await?;
        let back = phase(&db, &schema, &["rollback", &files.len().to_string()]).await?;
        // What an index was like is not the answer's to know.
        if up.code != Some(0) || (back.code != Some(0)) != safe.contains("-- irreversible") {
            faults.push(format!("{sql}: {up:?}\n{back:?}\n{safe}"));
        }
    }
    check!(ran >= 10, "only {ran} ran");
    check!(faults.is_empty(), "{}", faults.join("\n\n"));
    Ok(())
}

async fn every_statement_printed_for_an_undo_runs(db: Db) -> TestResult {
    let (mut faults, mut ran) = (Vec::new(), 0);
    let rows = rows().filter(|row| row.hazard.is_some_and(|hazard| hazard.back.is_some()));
    for (n, row) in rows.filter(|row| (row.since..=row.until).contains(&db.major)).enumerate() {
        let schema = format!("undo_{n}");
        let client = db.connect().await?;
        client
            .batch_execute(&format!("CREATE SCHEMA {schema}; SET search_path = {schema}, public; {SETTING}"))
            .await?;
        client.batch_execute(row.example.setup).await?;
        db.file("phase.yaml", &format!("schema: undo_record_{n}\nlint: {{small_table: 0B}}\n"))?;
        let plan = |undo: &str| format!("expand:\n  - sql: SELECT 1\n    undo: |\n      {undo}\n");
        db.file("plans/1_p.yaml", &plan(row.example.sql))?;
        let found = phase(&db, &schema, &["check", "--online", "--json"]).await?.expect(2)?.json()?;
        let findings = found["findings"].as_array().cloned().unwrap_or_default();
        let ours = findings.iter().find(|finding| finding["rule"] == row.id);
        let safe =
            ours.and_then(|finding| finding["safe"].as_str()).ok_or(format!("{}: {findings:?}", row.id))?;
        db.file("plans/1_p.yaml", &plan(safe))?;
        ran += 1;
        let up = phase(&db, &schema, &["expand"]).await?;
        let back = phase(&db, &schema, &["abort", "1"]).await?;
        if up.code != Some(0) || back.code != Some(0) {
            faults.push(format!("{}: {safe}\n{up:?}\n{back:?}", row.id));
        }
    }
    check!(ran >= 12, "only {ran} ran");
    check!(faults.is_empty(), "{}", faults.join("\n\n"));
    Ok(())
}
