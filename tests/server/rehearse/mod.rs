//! `phase rehearse`: every example plan as predicted and back again; what is worse, and what
//! does not lead back, is found.

pub(crate) mod apart;
pub(crate) mod target;

use serde_json::Value;

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    every_plan_is_as_predicted_and_leads_back,
    an_undo_that_does_not_undo_is_found,
    what_a_do_block_takes_is_reported,
    more_than_predicted_is_worse,
    a_step_that_fails_is_a_result_and_the_way_back_is_tried,
    a_sql_migration_goes_up_and_down_and_up,
    the_markdown_fits_a_comment,
    a_shape_has_every_kind_of_object,
    an_index_on_a_partitioned_table_is_as_predicted,
    what_the_linter_refuses_is_not_green,
    a_lock_that_is_held_too_long_is_worse,
    what_has_no_rows_to_count_is_no_fault,
    a_label_that_stays_is_told_and_is_no_fault,
];

fn list<'a>(document: &'a Value, name: &str) -> Vec<&'a Value> {
    document[name].as_array().map(|all| all.iter().collect()).unwrap_or_default()
}

/// Everything that a rehearsal must show of a plan that is as it should be.
fn as_predicted(report: &Value) -> TestResult {
    same!(report["ok"], true, "{report:#}");
    same!(report["failure"], Value::Null);
    for step in list(report, "steps") {
        same!(step["verdict"], "as_predicted", "{step:#}");
        same!(step["faults"], Value::Array(Vec::new()));
        for lock in list(step, "locks") {
            check!(lock["seen"] != Value::Null, "{lock} of {}", step["id"]);
        }
    }
    for trip in list(report, "round_trips").into_iter().chain(list(report, "again")) {
        same!(trip["equal"], true, "{trip:#}");
    }
    check!(report["stage"]["objects"].as_u64() > Some(10), "{}", report["stage"]);
    Ok(())
}

async fn every_plan_is_as_predicted_and_leads_back(db: Db) -> TestResult {
    db.examples()?;
    let mut plans = 0;
    for entry in std::fs::read_dir(db.project.path().join("plans"))? {
        plans += 1;
        let path = entry?.path().display().to_string();
        let mut command = db.command(&["rehearse", &path, "--from-files", "--json"]);
        let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await?;
        let report = crate::harness::Ended::of(&output).expect(0)?.json()?;
        as_predicted(&report)?;
        check!(list(&report, "again").len() >= 3, "{path}: {:#}", report["again"]);
        check!(list(&report, "round_trips").len() >= 3, "{path}: {:#}", report["round_trips"]);
        same!(report["stage"]["start"], "the project's own files (--from-files)");
        let every = list(&report, "steps").iter().filter(|step| step["undo"] == false).count();
        check!(every >= 6, "{path}: only {every} steps ran");
    }
    check!(plans >= 2, "only {plans} plans");
    // The database that the tests came with was not asked.
    same!(db.value("SELECT count(*) FROM pg_namespace WHERE nspname = 'phase'").await?, "0");
    Ok(())
}

/// The report of a plan on nothing but a table.
async fn rehearsed(
    db: &Db,
    plan: &str,
    code: i32,
) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
    let table = "-- UP\nCREATE TABLE t (id bigint PRIMARY KEY, a int, b int NOT NULL DEFAULT 0);\n-- DOWN\nDROP TABLE t;\n";
    db.file("migrations/1_t.sql", table)?;
    db.file("plans/2_p.yaml", plan)?;
    let mut command = db.command(&["rehearse", "2", "--from-files", "--json"]);
    let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await?;
    Ok(crate::harness::Ended::of(&output).expect(code)?.json()?)
}

async fn an_undo_that_does_not_undo_is_found(db: Db) -> TestResult {
    let plan = "expand:\n  - sql: |\n      ALTER TABLE t ADD COLUMN c int;\n      ALTER TABLE t ALTER COLUMN b DROP DEFAULT\n    undo: ALTER TABLE t DROP COLUMN c\n";
    let report = rehearsed(&db, plan, 1).await?;
    same!(report["ok"], false);
    let trip = &report["round_trips"][0];
    same!(trip["equal"], false);
    same!(list(trip, "differences").len(), 1, "{trip:#}");
    let difference = &trip["differences"][0];
    same!(difference["identity"], "public.t.b");
    same!(difference["before"], "integer not null default 0");
    same!(difference["after"], "integer not null");
    // Rows that stay are told, and are no difference of the schema; here they are in the way of a second time.
    let plan = "expand:\n  - sql: INSERT INTO t (id) VALUES (1)\n    undo: SELECT 1\n";
    let report = rehearsed(&db, plan, 1).await?;
    same!(report["round_trips"][0]["rows"][0], "t had 0 rows and has 1");
    same!(report["round_trips"][0]["equal"], true);
    check!(report["failure"].to_string().contains("duplicate key"), "{}", report["failure"]);
    // A column that comes back comes back at the end: SELECT * sees it elsewhere.
    let plan = "expand:\n  - sql: ALTER TABLE t DROP COLUMN a\n    undo: ALTER TABLE t ADD COLUMN a int\n";
    let report = rehearsed(&db, plan, 1).await?;
    let difference = &report["round_trips"][0]["differences"][0];
    same!(difference["kind"], "column order", "{report:#}");
    same!(difference["after"], "id, b, a");
    Ok(())
}

async fn a_label_that_stays_is_told_and_is_no_fault(db: Db) -> TestResult {
    db.file("migrations/0_m.sql", "-- UP\nCREATE TYPE mood AS ENUM ('a', 'b');\n-- DOWN\nDROP TYPE mood;\n")?;
    let plan = "change:\n  - add_enum_value: {type: mood, value: it's, before: b}\n";
    let report = rehearsed(&db, plan, 0).await?;
    same!(report["ok"], true, "{report:#}");
    let trip = &report["round_trips"][0];
    same!(trip["equal"], true);
    same!(trip["rows"][0], "public.mood keeps 'it''s': nothing takes a label away");
    // A label that an undo forgets is still found.
    let plan = "expand:\n  - {sql: ALTER TYPE mood ADD VALUE IF NOT EXISTS 'c', undo: SELECT 1}\n";
    let report = rehearsed(&db, plan, 1).await?;
    same!(report["round_trips"][0]["equal"], false, "{report:#}");
    Ok(())
}

async fn what_a_do_block_takes_is_reported(db: Db) -> TestResult {
    let plan = "expand:\n  - sql: |\n      ALTER TABLE t ADD COLUMN c int;\n      DO $$ BEGIN LOCK TABLE t IN ACCESS EXCLUSIVE MODE; CREATE INDEX t_a ON t (a); END $$\n    undo: |\n      DROP INDEX t_a;\n      ALTER TABLE t DROP COLUMN c\n    lint: {allow: [{rule: opaque, reason: a test}, {rule: drop-index, reason: a test}]}\n";
    let report = rehearsed(&db, plan, 0).await?;
    let step = &report["steps"][0];
    same!(step["verdict"], "opaque", "{step:#}");
    same!(step["built"][0], "t_a");
    check!(step["notes"].to_string().contains("index t_a is built"), "{}", step["notes"]);
    // By itself, so that what stands beside it is not excused.
    let plan = "expand:\n  - sql: DO $$ BEGIN LOCK TABLE t IN SHARE MODE; END $$\n    undo: SELECT 1\n    lint: {allow: [{rule: opaque, reason: a test}]}\n";
    let report = rehearsed(&db, plan, 0).await?;
    let lock = &report["steps"][0]["locks"][0];
    same!((&lock["seen"], &lock["predicted"]), (&Value::from("share"), &Value::Null));
    Ok(())
}

async fn more_than_predicted_is_worse(db: Db) -> TestResult {
    // An event trigger does what no statement says.
    let table = "-- UP\nCREATE TABLE u (id int);\n-- DOWN\nDROP TABLE u;\n";
    db.file("migrations/0_u.sql", table)?;
    let hidden = "-- UP\nCREATE FUNCTION more() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN LOCK TABLE u IN EXCLUSIVE MODE; END $$;\nCREATE EVENT TRIGGER more ON ddl_command_end WHEN tag IN ('COMMENT') EXECUTE FUNCTION more();\n-- DOWN\nDROP EVENT TRIGGER more; DROP FUNCTION more();\n";
    db.file("migrations/10_more.sql", hidden)?;
    db.file(
        "plans/20_p.yaml",
        "expand:\n  - sql: COMMENT ON TABLE u IS 'x'\n    undo: COMMENT ON TABLE u IS NULL\n",
    )?;
    let mut command = db.command(&["rehearse", "20", "--from-files", "--json"]);
    let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await?;
    let report = crate::harness::Ended::of(&output).expect(1)?.json()?;
    let step = &report["steps"][0];
    same!(step["verdict"], "worse");
    same!(step["faults"][0], "EXCLUSIVE on u, where SHARE UPDATE EXCLUSIVE was predicted");
    Ok(())
}

async fn a_step_that_fails_is_a_result_and_the_way_back_is_tried(db: Db) -> TestResult {
    let plan = "expand:\n  - sql: ALTER TABLE t ADD COLUMN c int\n    undo: ALTER TABLE t DROP COLUMN c\nvalidate:\n  - assert: {name: there is a row, sql: SELECT count(*) FROM t, expect: \"1\"}\n";
    let report = rehearsed(&db, plan, 1).await?;
    let failure = report["failure"].as_str().unwrap_or_default();
    check!(failure.contains("there is a row: expected 1, the query gives 0"), "{failure}");
    let last = list(&report, "round_trips").into_iter().next_back().ok_or("no way back")?;
    same!(last["equal"], true, "{last:#}");
    same!(last["state"], "backfilled");
    Ok(())
}

async fn a_sql_migration_goes_up_and_down_and_up(db: Db) -> TestResult {
    db.examples()?;
    let mut command = db.command(&["rehearse", "orders_user_index", "--from-files", "--json"]);
    let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await?;
    let report = crate::harness::Ended::of(&output).expect(0)?.json()?;
    as_predicted(&report)?;
    same!(report["kind"], "sql");
    same!((list(&report, "round_trips").len(), list(&report, "again").len()), (1, 1));
    same!(report["steps"][0]["built"][0], "orders_user_id_idx");
    Ok(())
}

async fn the_markdown_fits_a_comment(db: Db) -> TestResult {
    db.examples()?;
    let mut command =
        db.command(&["rehearse", "users_display_name", "--from-files", "--markdown", "--quiet"]);
    let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await?;
    let text = crate::harness::Ended::of(&output).expect(0)?.stdout;
    for part in [
        "### ✅ phase rehearse: 20261110090000",
        "| step | locks | work | time | |",
        "| `expand.1` ALTER TABLE users ADD COLUMN display\\_name text | ACCESS EXCLUSIVE on users, held ",
        "- undo from contracted: equal",
        "<details><summary>Undo, step by step</summary>",
        "passed by for contract: deployed web",
    ] {
        check!(text.contains(part), "{part} is missing: {text}");
    }
    check!(text.chars().count() < 65_000, "{} characters", text.chars().count());
    Ok(())
}

async fn a_shape_has_every_kind_of_object(db: Db) -> TestResult {
    let client = db.connect().await?;
    let metadata = phase::core::ident::Ident::parse("phase")?;
    let before = phase::pg::shape::shape(&client, &metadata).await?;
    client
        .batch_execute(
            "CREATE SCHEMA s; CREATE TYPE s.mood AS ENUM ('a', 'b'); CREATE DOMAIN s.d AS int CHECK (VALUE > 0); \
             CREATE TYPE s.pair AS (x int, y text); CREATE TYPE s.span AS RANGE (subtype = int); \
             CREATE TABLE s.t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text COLLATE \"C\" DEFAULT 'x', m s.mood, \
               g int GENERATED ALWAYS AS (1) STORED, n s.d, CONSTRAINT k CHECK (a <> '')); ALTER TABLE s.t ADD CONSTRAINT nv CHECK (n < 9) NOT VALID; \
             CREATE INDEX t_a ON s.t (lower(a)); CREATE STATISTICS s.st ON a, n FROM s.t; \
             ALTER TABLE s.t ALTER a SET STATISTICS 50, REPLICA IDENTITY FULL, ENABLE ROW LEVEL SECURITY; \
             CREATE VIEW s.v AS SELECT a FROM s.t; CREATE MATERIALIZED VIEW s.mv AS SELECT a FROM s.t; \
             CREATE SEQUENCE s.sq CYCLE; CREATE FUNCTION s.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
             CREATE TRIGGER tr BEFORE INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION s.f(); ALTER TABLE s.t DISABLE TRIGGER tr; \
             CREATE RULE r AS ON DELETE TO s.t DO INSTEAD NOTHING; CREATE POLICY p ON s.t FOR SELECT TO public USING (true); \
             CREATE TABLE s.parts (id int) PARTITION BY RANGE (id); CREATE TABLE s.p1 PARTITION OF s.parts FOR VALUES FROM (0) TO (9); \
             CREATE TABLE s.child () INHERITS (s.t); CREATE PUBLICATION pub FOR TABLE s.t; COMMENT ON COLUMN s.t.a IS 'says'; \
             GRANT SELECT (a) ON s.t TO public; ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT SELECT ON TABLES TO public; \
             CREATE AGGREGATE s.total (int) (sfunc = int4pl, stype = int); CREATE PROCEDURE s.pr() LANGUAGE sql AS 'SELECT 1'",
        )
        .await?;
    let after = phase::pg::shape::shape(&client, &metadata).await?;
    let new: std::collections::BTreeMap<String, String> =
        after.objects().map(|one| (format!("{} {}", one.kind, one.identity), one.definition)).collect();
    for (object, part) in [
        ("schema s", "owner postgres"),
        ("enum s.mood", "'a', 'b'"),
        ("domain s.d", "integer"),
        ("range s.span", "of integer"),
        ("composite type s.pair", "owner"),
        ("table s.t", "replica identity full, row security"),
        ("column s.t.a", "text collate \"C\" default 'x'::text statistics 50"),
        ("column s.t.g", "generated always as 1 stored"),
        ("column s.t.id", "not null identity always"),
        ("column order s.t", "id, a, m, g, n"),
        ("constraint s.t.k", "CHECK"),
        ("constraint s.t.nv", "NOT VALID, not valid"),
        ("constraint s.d.d_check", "VALUE > 0"),
        ("index s.t_a", "lower(a)"),
        ("statistics s.st", "s.t"),
        ("view s.v", "SELECT"),
        ("materialized view s.mv", "SELECT"),
        ("sequence s.sq", "cycle"),
        ("sequence s.t_id_seq", "owned by s.t.id"),
        ("function s.f()", "RETURN NEW"),
        ("trigger s.t.tr", "disabled"),
        ("rule s.t.r", "DO INSTEAD NOTHING"),
        ("policy s.t.p", "to public, using true"),
        ("partitioned table s.parts", "partition by RANGE (id)"),
        ("table s.p1", "FOR VALUES FROM (0) TO (9)"),
        ("table s.child", "inherits s.t"),
        ("publication pub", "insert"),
        ("published table pub: s.t", "published"),
        ("comment table column s.t.a", "says"),
        ("privileges s.t.a", "=r/postgres"),
        ("privileges new tables of postgres in s", "=r/postgres"),
        ("aggregate s.total(integer)", "state"),
        ("procedure s.pr()", "SELECT 1"),
    ] {
        let definition =
            new.get(object).ok_or_else(|| format!("{object} is missing of {:#?}", new.keys()))?;
        check!(definition.contains(part), "{object}: {definition}");
    }
    client.batch_execute("DROP PUBLICATION pub; DROP SCHEMA s CASCADE").await?;
    same!(before.diff(&phase::pg::shape::shape(&client, &metadata).await?), []);
    Ok(())
}

async fn an_index_on_a_partitioned_table_is_as_predicted(db: Db) -> TestResult {
    db.file(
        "migrations/1_t.sql",
        "-- UP\nCREATE TABLE t (id int PRIMARY KEY, a int) PARTITION BY RANGE (id);\n\
         CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100);\n\
         CREATE TABLE t_2 PARTITION OF t FOR VALUES FROM (100) TO (200);\n-- DOWN\nDROP TABLE t;\n",
    )?;
    db.file("plans/2_p.yaml", "validate:\n  - index: {table: t, columns: [a]}\n")?;
    let mut command = db.command(&["rehearse", "2", "--from-files", "--json"]);
    // Whoever exports a port for other servers may rehearse.
    let output = command.env("PHASE_PG_BIN", db.binaries.folder()).env("PGPORT", "54999").output().await?;
    as_predicted(&crate::harness::Ended::of(&output).expect(0)?.json()?)
}

async fn what_the_linter_refuses_is_not_green(db: Db) -> TestResult {
    let plan = "expand:\n  - sql: CREATE INDEX t_a ON t (a)\n    undo: DROP INDEX CONCURRENTLY t_a\n";
    // It did nothing worse than predicted, and is an error of the plan all the same.
    let report = rehearsed(&db, plan, 2).await?;
    same!(report["ok"], false);
    same!(report["steps"][0]["verdict"], "as_predicted");
    let refused = &report["findings"][0];
    same!((&refused["rule"], &refused["line"]), (&Value::from("create-index"), &Value::from(2)));
    same!(db.phase(&["check", "plans/2_p.yaml"]).await?.code, Some(2));
    let run = async |form: &[&str]| {
        let mut command = db.command(&[&["rehearse", "2", "--from-files", "--quiet"], form].concat());
        let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await;
        output.map(|output| crate::harness::Ended::of(&output))
    };
    let text = run(&[]).await?.expect(2)?.stdout;
    for part in [
        "    refused: create-index\n",
        "  refused: plans/2_p.yaml:2:10: expand.1: create-index: CREATE INDEX t_a ON t (a): ",
        "CREATE INDEX CONCURRENTLY",
        "FAILED: the linter refuses 1 statement",
    ] {
        check!(text.contains(part), "{part} is missing: {text}");
    }
    let markdown = run(&["--markdown"]).await?.expect(2)?.stdout;
    for part in
        ["### ❌", "as predicted<br>**refused: create-index** |", "- **refused by the linter**, plans/2"]
    {
        check!(markdown.contains(part), "{part} is missing: {markdown}");
    }
    // What the plan accepts is told, and refused by nobody.
    let accepts = "    lint: {allow: [{rule: create-index, reason: nobody writes it}]}\n";
    let report = rehearsed(&db, &format!("{plan}{accepts}"), 0).await?;
    same!(report["findings"][0]["allowed"], "nobody writes it");
    // What the rehearsal itself finds counts for more.
    let both = "expand:\n  - sql: CREATE INDEX t_a ON t (a)\n    undo: SELECT 1\n";
    same!(rehearsed(&db, both, 1).await?["ok"], false);
    Ok(())
}

async fn a_lock_that_is_held_too_long_is_worse(db: Db) -> TestResult {
    // The lock table predicts the lock; that work stands behind it nobody sees but who measures.
    let plan = "settings: {lock_timeout: 20ms}\nexpand:\n  - sql: |\n      ALTER TABLE t ADD COLUMN c int;\n      SELECT count(*) FROM generate_series(1, 1000000)\n    undo: ALTER TABLE t DROP COLUMN c\n";
    let report = rehearsed(&db, plan, 1).await?;
    let step = &report["steps"][0];
    same!(step["verdict"], "worse", "{step:#}");
    check!(step["locks"][0]["held_ms"].as_f64().is_some_and(|held| held > 20.0), "{step:#}");
    let fault = step["faults"][0].as_str().unwrap_or_default();
    check!(fault.starts_with("ACCESS EXCLUSIVE on t was held for "), "{fault}");
    check!(fault.contains("longer than lock_timeout (20ms)"), "{fault}");
    // Nobody waits for a table that no code knows yet, nor for a lock that lets writes through.
    let plan = "settings: {lock_timeout: 20ms}\nexpand:\n  - {sql: CREATE TABLE u (id int), undo: DROP TABLE u}\n  - sql: |\n      ALTER TABLE u ADD COLUMN c int;\n      SELECT count(*) FROM generate_series(1, 1000000)\n    undo: SELECT 1\n  - sql: |\n      COMMENT ON TABLE t IS 'x';\n      SELECT count(*) FROM generate_series(1, 1000000)\n    undo: COMMENT ON TABLE t IS NULL\n";
    let report = rehearsed(&db, plan, 0).await?;
    same!(report["ok"], true, "{report:#}");
    for step in list(&report, "steps").iter().filter(|step| step["took_ms"].as_f64() > Some(20.0)) {
        same!(step["locks"][0]["held_ms"], Value::Null, "{step:#}");
    }
    Ok(())
}

async fn what_has_no_rows_to_count_is_no_fault(db: Db) -> TestResult {
    let made = "-- UP\nCREATE TABLE u (a int); CREATE INDEX u_a ON u (a); CREATE SEQUENCE q; CREATE MATERIALIZED VIEW m AS SELECT a FROM u WITH NO DATA;\n-- DOWN\nDROP MATERIALIZED VIEW m; DROP SEQUENCE q; DROP TABLE u;\n";
    db.file("migrations/0_u.sql", made)?;
    db.file(
        "plans/20_p.yaml",
        "validate:\n  - {sql: ALTER INDEX u_a SET (fillfactor = 70), undo: ALTER INDEX u_a RESET (fillfactor)}\n  - {sql: ALTER SEQUENCE q CACHE 5, undo: ALTER SEQUENCE q CACHE 1}\n  - {sql: REFRESH MATERIALIZED VIEW m, undo: REFRESH MATERIALIZED VIEW m WITH NO DATA}\ncontract:\n  - drop_index: {name: u_a}\n",
    )?;
    let mut command = db.command(&["rehearse", "20", "--from-files", "--json"]);
    let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await?;
    let ended = crate::harness::Ended::of(&output);
    check!(!ended.stdout.is_empty(), "{ended:?}");
    let report = ended.json()?;
    same!(report["failure"], Value::Null, "{report:#}");
    for id in ["validate.1", "validate.2", "validate.3", "contract.1"] {
        check!(list(&report, "steps").iter().any(|step| step["id"] == id), "{id}: {report:#}");
    }
    Ok(())
}
