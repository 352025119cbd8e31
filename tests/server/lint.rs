//! The linter against real servers: its safe ways run, and what would stop the
//! application is refused before anything runs.

use phase::core::ident::QName;
use phase::core::lint::table::{SETTING, rows};
use phase::core::lint::{Effect, Mentions, World, effects, lessons};
use phase::core::sql::split;
use phase::pg::world::world;

use crate::harness::{Db, TestResult, check, same, tests, value};

tests![
    every_safe_way_runs,
    what_would_stop_the_application_is_refused,
    findings_have_a_form_for_every_reader,
    a_sql_migration_is_judged_as_well,
    what_counts_as_proof_is_one_for_the_server,
    every_printed_plan_runs,
    every_printed_sql_migration_runs,
    a_printed_change_of_type_stops_where_values_are_lost,
    what_no_sync_can_fill_is_known_from_the_catalog,
    nobody_opens_a_gate_without_a_name,
    every_statement_printed_for_an_undo_runs,
    steady_functions_are_steady_on_the_server,
    a_fault_of_syntax_has_its_place,
    a_table_of_an_earlier_plan_is_new,
    what_hangs_on_a_dropped_column_is_told_before_expand,
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

/// A key's type, what binds the new partition, its CHECK, and that of a default partition.
const PROOFS: &[(&str, &str, &str, &str)] = &[
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 100 AND k < 200", "NOT (k >= 100 AND k < 200)"),
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 120 AND k <= 199", "k < 100 OR k >= 200"),
    ("RANGE bigint", "FROM (100) TO (200)", "k > 100 AND k < 150", "k >= 200"),
    ("RANGE bigint", "FROM (100) TO (200)", "k BETWEEN 100 AND 199", "k < 50"),
    ("RANGE integer", "FROM (100) TO (200)", "k = 150", "NOT (k >= 50 AND k <= 300)"),
    ("RANGE integer", "FROM (100) TO (200)", "k IN (100, 150)", "k > 200"),
    ("RANGE integer", "FROM (100) TO (200)", "k = 100 OR k = 110", "k <= 99"),
    ("RANGE integer", "FROM (100) TO (200)", "(k >= 100 OR k = 150) AND k < 170", "k = 7"),
    ("RANGE smallint", "FROM (-5) TO ('7')", "k >= -5 AND k < 7", "NOT (k >= -5 AND k < 7)"),
    ("RANGE numeric", "FROM (100) TO (200)", "k >= 100 AND k < 200", "NOT (k >= 100 AND k < 200)"),
    (
        "RANGE date",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01' AND k < '2026-02-01'",
        "NOT (k >= '2026-01-01' AND k < '2026-02-01')",
    ),
    (
        "RANGE timestamp",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01' AND k < '2026-01-31 12:30:00'",
        "k >= '2026-02-01' OR k < '2026-01-01'",
    ),
    (
        "RANGE timestamptz",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01' AND k < '2026-02-01'",
        "NOT (k >= '2026-01-01' AND k < '2026-02-01')",
    ),
    ("LIST text", "IN ('a', 'b')", "k = 'a'", "k <> 'a' AND k <> 'b'"),
    ("LIST text", "IN ('a', 'b')", "k IN ('a', 'b')", "k NOT IN ('a', 'b')"),
    ("LIST text", "IN ('a')", "k = 'a'", "k <> 'a'"),
    ("LIST varchar(9)", "IN ('a', 'b')", "k = 'a' OR k = 'b'", "NOT (k = 'a' OR k = 'b')"),
    ("LIST integer", "IN (1, 2, 3)", "k IN (1, 3)", "NOT (k IN (1, 2, 3))"),
    ("LIST integer", "IN (1)", "k = ANY (ARRAY[1])", "NOT (k = 1)"),
    // No proof, whatever it looks like.
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 99 AND k < 200", "k < 101"),
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 100 AND k <= 200", "k >= 199"),
    ("RANGE bigint", "FROM (100) TO (200)", "k >= 100 OR k < 200", "NOT (k >= 101 AND k < 200)"),
    ("RANGE bigint", "FROM (100) TO (200)", "other >= 100 AND other < 200", "other < 100"),
    ("RANGE bigint", "FROM (100) TO (200)", "k + 0 >= 100 AND k < 200", "k + 0 < 100"),
    (
        "RANGE timestamptz",
        "FROM ('2026-01-01') TO ('2026-02-01')",
        "k >= '2026-01-01'::timestamp AND k < '2026-02-01'::timestamp",
        "k >= '2026-02-01'::timestamp",
    ),
    ("LIST text", "IN ('a', 'b')", "k IN ('a', 'c')", "k <> 'a'"),
    ("LIST integer", "IN (1, 2)", "k >= 1 AND k <= 2", "k > 2 AND k < 9"),
];

/// Whatever the linter takes for a proof must be one for the server; the other way round it may
/// be careful.
async fn what_counts_as_proof_is_one_for_the_server(db: Db) -> TestResult {
    let (client, notices) = crate::lock_table::traced(&db).await?;
    client.batch_execute("SET TimeZone = 'UTC'").await?;
    let version: u32 = value(&client, "SHOW server_version_num").await?.parse()?;
    let (mut proven, mut faults) = (0, Vec::new());
    for (n, (key, bound, check, outside)) in PROOFS.iter().enumerate() {
        let (how, kind) = key.split_once(' ').ok_or("a key without a type")?;
        let sql = format!(
            "CREATE TABLE a{n} (k {kind} NOT NULL, other bigint) PARTITION BY {how} (k);
             CREATE TABLE d{n} PARTITION OF a{n} DEFAULT;
             ALTER TABLE d{n} ADD CHECK ({outside});
             CREATE TABLE u{n} (k {kind} NOT NULL, other bigint, CHECK ({check}))"
        );
        client.batch_execute(&sql).await.map_err(|error| format!("{sql}: {error:?}"))?;
        let attach = format!("ALTER TABLE a{n} ATTACH PARTITION u{n} FOR VALUES {bound}");
        let statement = split(&attach)?.pop().ok_or("no statement")?;
        let claimed = {
            let known = world(&client, version, &Mentions::of(&statement.changes)).await?;
            let mut alone: World = known.clone();
            if let Some(parent) = alone.tables.get_mut(&QName::parse(&format!("a{n}"))?) {
                parent.default_partition = None;
            }
            let of = |effects: &[Effect]| effects.first().and_then(|effect| effect.row).map(|row| row.id);
            let inside = of(&effects(&statement, &alone)) == Some("attach-partition-proven");
            (inside, of(&effects(&statement, &known)) == Some("attach-partition-default-proven"))
        };
        notices.lock().unwrap().clear();
        client.batch_execute("SET client_min_messages = debug1").await?;
        client.batch_execute(&attach).await.map_err(|error| format!("{attach}: {error:?}"))?;
        client.batch_execute("RESET client_min_messages").await?;
        let said = notices.lock().unwrap().join("\n");
        let implied = |table: String| {
            said.lines().any(|line| line.contains(&format!("\"{table}\"")) && line.contains("implied"))
        };
        let found = (implied(format!("u{n}")), implied(format!("d{n}")));
        proven += usize::from(claimed.0) + usize::from(claimed.1);
        if claimed.0 && !found.0 || claimed.1 && !(found.0 && found.1) {
            faults.push(format!("{key} {bound}: CHECK ({check}), default CHECK ({outside}): claimed {claimed:?}, found {found:?}"));
        }
        if n < 19 && claimed != (true, true) {
            faults.push(format!("{key} {bound}: CHECK ({check}), default CHECK ({outside}): only {claimed:?} is seen, {found:?} is so"));
        }
    }
    check!(faults.is_empty(), "{}", faults.join("\n"));
    check!(proven >= 38, "only {proven} proofs");
    Ok(())
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
            db.file("plans/1_p.yaml", plan.ok_or("no plan")?)?;
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
        let ended = db.phase(&["check"]).await?.expect(0)?;
        check!(ended.stderr.contains(&format!("the gate of contract waits for {app}")), "{ended:?}");
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

async fn steady_functions_are_steady_on_the_server(db: Db) -> TestResult {
    let client = db.connect().await?;
    // Its form for timetz is volatile up to 15.
    let names: Vec<&str> = phase::core::sql::steady_names().filter(|name| *name != "timezone").collect();
    let sql = "SELECT p.proname::text FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace \
               AND p.proname = ANY ($1) AND p.provolatile = 'v'";
    let volatile: Vec<String> = client.query(sql, &[&names]).await?.iter().map(|row| row.get(0)).collect();
    check!(names.len() > 1_500 && volatile.is_empty(), "{volatile:?} are volatile");
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
    db.phase(&["expand"]).await?.expect(0)?;
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
