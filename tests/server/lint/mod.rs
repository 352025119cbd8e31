//! The linter against real servers: what would stop the application is refused before
//! anything runs.

pub(crate) mod printed;
pub(crate) mod proofs;

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    what_would_stop_the_application_is_refused,
    findings_have_a_form_for_every_reader,
    a_sql_migration_is_judged_as_well,
    a_fault_of_syntax_has_its_place,
    a_table_of_an_earlier_plan_is_new,
    what_hangs_on_a_dropped_column_is_told_before_expand,
];

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
        "-- UP\nSELECT 1;\nCREATE INDEX t_a ON t (a);\n-- DOWN\nDROP INDEX CONCURRENTLY t_a;\n",
    )?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(ended.stdout.contains("migrations/1_m.sql:3:1: error: create-index"), "{ended:?}");
    let accepted = "-- UP\n-- lint: allow create-index: the table is new\nCREATE INDEX t_a ON t (a);\n-- DOWN\nDROP INDEX CONCURRENTLY t_a;\n";
    db.file("migrations/1_m.sql", accepted)?;
    db.phase(&["check"]).await?.expect(0)?;
    db.file("migrations/1_m.sql", &accepted.replace("create-index:", "create-indx:"))?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(
        ended.stderr.contains("migrations/1_m.sql:2") && ended.stderr.contains("did you mean create-index"),
        "{ended:?}"
    );
    // Behind the first statement it is for the next one alone; DOWN is judged, too.
    let next = "-- UP\nSELECT 1;\n-- lint: allow create-index: the table is new\nCREATE INDEX t_a ON t (a);\nCREATE INDEX t_b ON t (b);\n-- DOWN\nDROP INDEX t_a;\n";
    db.file("migrations/1_m.sql", next)?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    for part in [
        "migrations/1_m.sql:4:1: warning: create-index",
        "migrations/1_m.sql:5:1: error: create-index",
        "migrations/1_m.sql:7:1: error: drop-index: DROP INDEX t_a: on rollback: ",
    ] {
        check!(ended.stdout.contains(part), "no {part:?} in {}", ended.stdout);
    }
    // One that accepts nothing is said.
    db.file("migrations/1_m.sql", "-- UP\n-- lint: allow create-index: x\nSELECT 1;\n-- DOWN\nSELECT 1;\n")?;
    let ended = db.phase(&["check"]).await?.expect(0)?;
    check!(ended.stdout.contains("migrations/1_m.sql:2:1: warning: unused-allow"), "{ended:?}");
    Ok(())
}

async fn a_fault_of_syntax_has_its_place(db: Db) -> TestResult {
    for (text, place) in [
        (
            "expand:\n  - sql: |\n      SELECT 1;\n      SELECT\n        FROM WHERE\n    undo: SELECT 1\n",
            "5:14",
        ),
        (
            "expand:\n  - sql: >-\n      SELECT 1;\n      SELEC 2;\n      SELECT 3\n    undo: SELECT 1\n",
            "4:7",
        ),
        ("expand:\n  - sql: \"SELECT \\\"a\\\" FROM x;\\n\\n  SELECT ,\"\n    undo: SELECT 1\n", "2:44"),
        ("expand:\n  - {sql: 'SELECT ''a'' FRM x y', undo: SELECT 1}\n", "2:29"),
        ("expand:\n  - sql: SELECT 1\n    undo: |\n      SELECT 1;\n      DROP TABLE t CASCADES\n", "5:20"),
        ("expand:\n  - sql: |\n      SELECT (1\n    undo: SELECT 1\n", "3:16"),
    ] {
        db.file("plans/1_p.yaml", text)?;
        let ended = db.phase(&["check"]).await?.expect(2)?;
        check!(
            ended.stderr.contains(&format!("plans/1_p.yaml:{place}: ")),
            "not at {place}: {}",
            ended.stderr
        );
    }
    std::fs::remove_file(db.project.path().join("plans/1_p.yaml"))?;
    db.file("migrations/1_m.sql", "-- UP\nSELECT 1;\nSELECT 2,\n  FROM;\n")?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(ended.stderr.contains("migrations/1_m.sql:4:3: "), "{ended:?}");
    db.file("migrations/1_m.sql", "SELECT 1;\n")?;
    db.file(
        "plans/2_p.yaml",
        "expand:\n  - sql: |\n      -- lint: allow create-index: x\n      SELECT 1\n    undo: SELECT 1\n",
    )?;
    let ended = db.phase(&["check"]).await?.expect(2)?;
    check!(
        ended.stderr.contains("plans/2_p.yaml:3:7: ") && ended.stderr.contains("lint: {allow:"),
        "{ended:?}"
    );
    Ok(())
}

async fn a_table_of_an_earlier_plan_is_new(db: Db) -> TestResult {
    db.file("phase.yaml", "lint: {small_table: 0B}\n")?;
    db.file(
        "migrations/1_m.sql",
        "-- UP\nCREATE TABLE t (id int PRIMARY KEY, a int);\n-- DOWN\nDROP TABLE t;\n",
    )?;
    db.file("plans/2_p.yaml", "expand:\n  - sql: CREATE INDEX t_a ON t (a)\n    undo: DROP INDEX t_a\n")?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    db.phase(&["check"]).await?.expect(2)?;
    db.file("phase.yaml", "{}\n")?;
    db.phase(&["expand", "--to", "1"]).await?.expect(0)?;
    db.run("INSERT INTO t VALUES (1, 1)").await?;
    db.file("phase.yaml", "lint: {small_table: 0B}\n")?;
    db.phase(&["check", "--online"]).await?.expect(2)?;
    Ok(())
}

async fn what_hangs_on_a_dropped_column_is_told_before_expand(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int UNIQUE, c int, d int GENERATED ALWAYS AS (c * 2) STORED, e int);
         CREATE TABLE o (t_a int, CONSTRAINT o_t FOREIGN KEY (t_a) REFERENCES t (a));
         CREATE VIEW v AS SELECT c FROM t; CREATE MATERIALIZED VIEW mv AS SELECT c FROM t;
         CREATE POLICY pol ON t USING (c > 1);
         CREATE RULE ru AS ON INSERT TO o WHERE EXISTS (SELECT FROM t WHERE c = 1) DO INSTEAD NOTHING;
         CREATE INDEX t_e ON t (e); ALTER TABLE t ADD CONSTRAINT t_ce CHECK (e > 0)",
    )
    .await?;
    let plan = |steps: &str| format!("contract:\n{steps}keep: 1s\n");
    let drop = |column: &str| format!("  - drop_column: {{table: t, column: {column}}}\n");
    for (column, rule, named) in [
        (
            "c",
            "drop-column-dependents",
            &["view v", "materialized view mv", "policy pol on table t", "rule ru on table o"][..],
        ),
        ("a", "drop-column-dependents", &["foreign key o_t of table o"]),
        ("a", "drop-column-takes-along", &["UNIQUE constraint t_a_key"]),
        ("id", "drop-column-takes-along", &["PRIMARY KEY t_pkey"]),
    ] {
        db.file("plans/1_p.yaml", &plan(&drop(column)))?;
        let found = db.phase(&["check", "--online", "--json"]).await?.expect(2)?.json()?;
        let findings = found["findings"].as_array().cloned().unwrap_or_default();
        let ours = findings.iter().find(|finding| finding["rule"] == rule).ok_or(format!("{findings:?}"))?;
        let why = ours["why"].as_str().unwrap_or_default();
        check!(named.iter().all(|name| why.contains(name)), "{column}: {why}");
        let ended = db.phase(&["advance", "1", "--to", "completed"]).await?;
        check!(ended.code != Some(0) && ended.stderr.contains(rule), "{column}: {ended:?}");
        same!(db.value("SELECT count(*) FROM phase.step WHERE status = 'done'").await?, "0");
    }
    // From 15 on a generated column holds the column that it is computed from; before, it goes along.
    db.file("plans/1_p.yaml", &plan(&drop("c")))?;
    let found = db.phase(&["check", "--online", "--json"]).await?.expect(2)?.stdout;
    check!(found.contains("generated column d of table t"), "{found}");
    // A plain index and a CHECK are to be looked at only.
    db.file("plans/1_p.yaml", &plan(&drop("e")))?;
    let ended = db.phase(&["check", "--online"]).await?.expect(0)?;
    check!((ended.stdout + &ended.stderr).contains("drop-column-takes-along"), "no warning of t_e");
    // What the plan takes away first holds nothing back.
    let sql = |sql: &str| format!("  - sql: {sql}\n    undo: \"irreversible: an example\"\n");
    let first = ["DROP VIEW v", "DROP MATERIALIZED VIEW mv", "DROP POLICY pol ON t", "DROP RULE ru ON o"];
    let first: String = first.into_iter().map(sql).collect();
    db.file("plans/1_p.yaml", &plan(&format!("{first}{}{}", drop("d"), drop("c"))))?;
    db.phase(&["check", "--online"]).await?.expect(0)?;
    db.phase(&["advance", "1", "--to", "contracted"]).await?.expect(0)?;
    db.phase(&["advance", "1", "--to", "completed"]).await?;
    Ok(())
}
