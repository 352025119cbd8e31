#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::table::SETTING;
use super::*;
use crate::core::compile::Server;
use crate::core::plan::{Source, parse};
use crate::core::sql::split;
use crate::core::step::Phase;
use crate::core::timeline::Item;
use crate::core::version::Version;
use proptest::prelude::*;

/// The database of the examples, as a catalog would tell of it, with tables of unknown size.
fn world(setup: &str, version: u32) -> World {
    let mut world = World { complete: true, utc: Some(true), ..World::offline(version) };
    for statement in split(&format!("{SETTING};{setup}")).unwrap() {
        statement.changes.iter().for_each(|change| apply(&mut world, change));
    }
    for table in world.tables.values_mut() {
        (table.made, table.rows, table.bytes) = (false, None, None);
        table.columns.iter_mut().for_each(|column| column.made = false);
    }
    world.made.clear();
    world
}

fn item(text: &str) -> Item {
    crate::core::testing::item("1_x", text)
}

fn found(text: &str, setup: &str, version: u32) -> Vec<Finding> {
    judge(&item(text), world(setup, version), SMALL_TABLE_BYTES).unwrap()
}

/// Rules with no safe way in SQL: their findings say what to do in words.
const IN_WORDS: &[&str] = &[
    "add-exclusion",
    "cluster",
    "concurrent-build-14",
    "detach-partition-13",
    "lock-table",
    "set-access-method",
    "set-logged",
    "set-tablespace",
];

#[test]
fn every_rule_objects_to_its_bad_example_and_not_to_its_good_one() {
    let mut wrong = Vec::new();
    for lesson in lessons() {
        let version = match lesson.rule {
            "concurrent-build-14" => 140_003,
            "detach-partition-13" => 130_000,
            _ => 180_000,
        };
        // What only shows without a catalog has no setting.
        let bad = match lesson.rule {
            "unknown-type" => judge(&item(&lesson.bad), World::offline(version), 0.0).unwrap(),
            _ => found(&lesson.bad, lesson.setup, version),
        };
        if !bad.iter().any(|finding| finding.rule == lesson.rule) {
            wrong.push(format!("{}: nothing against\n{}{bad:?}", lesson.rule, lesson.bad));
        }
        match &lesson.good {
            Some(good) => {
                let good_findings = found(good, lesson.setup, version);
                if !good_findings.is_empty() {
                    wrong.push(format!("{}: against the good one\n{good}{good_findings:?}", lesson.rule));
                }
            }
            None if IN_WORDS.contains(&lesson.rule) => {}
            None => wrong.push(format!("{}: no safe way", lesson.rule)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn a_row_without_a_hazard_is_let_through() {
    for row in table::rows().filter(|row| row.hazard.is_none()) {
        let text = format!(
            "validate:\n  - sql: |\n      {}\n    undo: \"irreversible: an example\"\n",
            row.example.sql
        );
        let errors: Vec<_> = found(&text, row.example.setup, 180_000)
            .into_iter()
            .filter(|finding| finding.level == Level::Error)
            .collect();
        assert!(errors.is_empty(), "{}: {errors:?}", row.id);
    }
}

#[test]
fn a_finding_points_into_the_block() {
    let text = "expand:\n  - sql: |\n      SELECT 1;\n        CREATE INDEX i ON t (a)\n    undo: DROP INDEX CONCURRENTLY i\n";
    let finding = found(text, "", 180_000).pop().unwrap();
    assert_eq!((finding.rule, finding.line, finding.column), ("create-index", 4, 9));
    assert_eq!(finding.statement, "CREATE INDEX i ON t (a)");
    assert!(finding.safe.unwrap().contains("CREATE INDEX CONCURRENTLY i ON t"));
}

#[test]
fn what_is_small_or_new_or_accepted_is_let_through() {
    let text = "expand:\n  - sql: CREATE INDEX i ON t (a)\n    undo: DROP INDEX i\n";
    let mut small = world("", 180_000);
    small.tables.values_mut().for_each(|table| table.bytes = Some(8_192));
    assert_eq!(judge(&item(text), small, SMALL_TABLE_BYTES).unwrap(), []);
    let new = "expand:\n  - sql: |\n      CREATE TABLE v (a int);\n      CREATE INDEX i ON v (a)\n    undo: DROP TABLE v\n";
    assert_eq!(found(new, "", 180_000), []);
    let perhaps = new.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS");
    assert_eq!(
        judge(&item(&perhaps), World::offline(180_000), 0.0).unwrap().len(),
        1,
        "it may be there already"
    );
    let filled = "expand:\n  - {sql: \"CREATE TABLE v (id int PRIMARY KEY, a int)\", undo: DROP TABLE v}\nbackfill:\n  \
                  - {table: t, copy: {into: v, columns: {id: id, a: a}}, where: id > 0}\nvalidate:\n  \
                  - {sql: CREATE INDEX i ON v (a)}\n";
    assert_eq!(found(filled, "", 180_000)[0].rule, "create-index");
    let accepted = format!("{text}    lint: {{allow: [{{rule: create-index, reason: at night}}]}}\n");
    let findings = found(&accepted, "", 180_000);
    assert!(!findings[0].refuses() && findings[0].allowed.as_deref() == Some("at night"));
    assert!(accepts("create-indx", "why").unwrap_err().contains("did you mean create-index"));
    assert!(accepts("create-index", " ").is_err());
}

/// Statements that the table knows, with a piece cut out, doubled or moved.
fn mangled() -> impl Strategy<Value = String> {
    let more = [
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a, c) REFERENCES r ON DELETE SET NULL (a) DEFERRABLE",
        "ALTER TABLE t ADD UNIQUE NULLS NOT DISTINCT (a) INCLUDE (c) WITH (fillfactor = 7), ADD PRIMARY KEY (a, c)",
        "ALTER TABLE t ADD COLUMN \"z: #\" interval day to second(3) DEFAULT '1', ADD COLUMN w serial UNIQUE",
        "CREATE TABLE q (k date) PARTITION BY LIST (k); ALTER TABLE q ATTACH PARTITION t FOR VALUES IN (NULL, 'x', -1)",
        "ALTER TABLE p ATTACH PARTITION t FOR VALUES FROM (MINVALUE) TO (1 + 1)",
        "ALTER TABLE t ADD CHECK (NOT (a BETWEEN 1 AND 2 OR a = ANY (ARRAY[1, NULL])) AND c IS NOT NULL)",
        "MERGE INTO t USING r ON t.id = r.id OR 1 = 1 WHEN NOT MATCHED BY SOURCE AND true THEN DELETE",
        "SELECT set_config('lock_timeout', $1, f(VARIADIC ARRAY[1])), s.g(), pg_sleep(1) FROM t",
        "DROP FUNCTION IF EXISTS f(), s.g(integer) CASCADE; DROP EXTENSION hstore; DROP SCHEMA a, b",
        "ALTER SCHEMA a RENAME TO b; ALTER TYPE m RENAME ATTRIBUTE a TO b; ALTER TYPE m SET SCHEMA a",
        "SET lock_timeout = '9e99 d'; SET statement_timeout = 1e308",
    ];
    let examples = table::rows().flat_map(|row| [row.example.setup, row.example.sql]);
    let known: Vec<String> = examples.chain(more).map(str::to_owned).collect();
    let pick = || prop::sample::select(known.clone());
    (pick(), pick(), 0..200_usize, 0..60_usize, 0..3_u8).prop_map(|(one, other, at, len, how)| {
        let chars: Vec<char> = one.chars().collect();
        let (at, end) = (at.min(chars.len()), (at + len).min(chars.len()));
        let piece = |range: std::ops::Range<usize>| chars[range].iter().collect::<String>();
        let cut = piece(at..end);
        let rest = piece(0..at) + &piece(end..chars.len());
        match how {
            0 => format!("{rest}; {other}"),
            1 => format!("{one} {cut}; {other}"),
            _ => format!("{other} {cut}; {rest}"),
        }
    })
}

/// How many mangled statements; `PHASE_FUZZ_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PHASE_FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(2_000)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]
    #[test]
    fn any_sql_gives_an_answer(sql in mangled(), version in prop::sample::select(vec![130_000, 140_001, 180_000])) {
        let mut world = world("", version);
        if let Err(error) = split(&sql) {
            prop_assert!(error.offset.is_none_or(|offset| sql.is_char_boundary(offset)), "{error:?}");
        }
        for statement in split(&sql).unwrap_or_default() {
            let effects = effects(&statement, &world);
            prop_assert_eq!(effects.len(), statement.changes.len());
            statement.changes.iter().for_each(|change| apply(&mut world, change));
            let _ = Mentions::of(&statement.changes);
        }
        let indented = sql.replace('\n', "\n      ");
        let text = format!("expand:\n  - sql: |\n      {indented}\n    undo: |\n      {indented}\n");
        let version = Version::parse("1").unwrap();
        let source = Source { file: "x", version: &version, name: "x", text: &text };
        if let Ok(plan) = parse(&source, &|_| Err("no files here".into()))
            && let Ok(steps) = crate::core::compile::plan(&plan, Server::NEWEST)
        {
            let blank = item("expand:\n  - {sql: SELECT 1, undo: SELECT 1}\n");
            let judged = judge(&Item { steps, ..blank }, world, 0.0);
            prop_assert!(judged.is_ok(), "{judged:?}");
        }
    }
}

#[test]
fn what_hides_is_found() {
    for (sql, rule) in [
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID, VALIDATE CONSTRAINT k", "work-under-lock"),
        ("CREATE SCHEMA s CREATE TABLE t (a int); CREATE INDEX i ON t (a)", "create-index"),
        ("SET LOCAL search_path = s; CREATE INDEX i ON nowhere (a)", "create-index"),
        ("WITH d AS (DELETE FROM t RETURNING *) INSERT INTO r SELECT id FROM d", "opaque"),
        ("UPDATE t SET a = 1 WHERE true", "update-all"),
        ("SET lock_timeout = '+0'", "no-timeout"),
        ("RESET ALL", "no-timeout"),
        ("SELECT set_config('lock_timeout', '0', false)", "no-timeout"),
        ("SELECT set_config('lock_' || 'timeout', '0', false)", "opaque"),
        ("SET lock_timeout = '7d'", "no-timeout"),
        ("SET statement_timeout = '2d'", "no-timeout"),
        ("SELECT make_everything_anew()", "opaque-function"),
        ("SELECT pg_advisory_lock(60)", "opaque-function"),
        ("ALTER TABLE t ADD COLUMN z int; SELECT pg_sleep(60)", "work-under-lock"),
        ("INSERT INTO r SELECT id, do_ddl() FROM t", "opaque-function"),
        ("CREATE TABLE u AS SELECT do_ddl()", "opaque-function"),
        ("ALTER TABLE t ADD COLUMN z int; SELECT count(*) FROM t", "work-under-lock"),
        ("ALTER TABLE t ADD COLUMN z int; INSERT INTO p SELECT id, a FROM t", "work-under-lock"),
        ("ALTER TABLE t ADD COLUMN z int; CREATE TABLE u AS SELECT * FROM t", "work-under-lock"),
        ("UPDATE t SET a = 1 WHERE 1 = 1", "update-all"),
        ("UPDATE t SET a = 1 WHERE now() > '2020-01-01' OR id = 7", "update-all"),
        ("UPDATE t SET a = 1 WHERE id = id", "update-all"),
        ("UPDATE t SET a = 1 FROM r", "update-all"),
        ("DELETE FROM t USING r", "delete-all"),
        ("MERGE INTO t USING r ON true WHEN MATCHED THEN DELETE", "merge-all"),
        ("MERGE INTO t USING r ON t.id = r.id WHEN NOT MATCHED BY SOURCE THEN DELETE", "merge-all"),
        ("DROP TYPE mood CASCADE", "drop-cascade"),
        ("DROP SCHEMA s CASCADE", "drop-cascade"),
        ("CREATE TEMP TABLE t AS SELECT 1; ALTER TABLE t ALTER COLUMN a SET NOT NULL", "set-not-null"),
    ] {
        let text = format!("validate:\n  - sql: |\n      {sql}\n");
        let rules: Vec<_> = found(&text, "", 180_000).iter().map(|finding| finding.rule).collect();
        assert!(rules.contains(&rule), "{sql}: {rules:?}");
    }
}

#[test]
fn what_needs_the_catalog_is_known() {
    let blind = |lesson: &Lesson| {
        let version = match lesson.rule {
            "concurrent-build-14" => 140_003,
            "detach-partition-13" => 130_000,
            _ => 180_000,
        };
        let findings = judge(&item(&lesson.bad), World::offline(version), 0.0).unwrap();
        !findings.iter().any(|finding| finding.rule == lesson.rule)
    };
    let found: Vec<_> = lessons().iter().filter(|lesson| blind(lesson)).map(|lesson| lesson.rule).collect();
    assert_eq!(found, idle::NEED_CATALOG);
}

/// The rules that a plan meets.
fn rules(text: &str, world: World) -> Vec<&'static str> {
    judge(&item(text), world, SMALL_TABLE_BYTES).unwrap().iter().map(|finding| finding.rule).collect()
}

/// The same database, with every table of a known, small size.
fn small(setup: &str) -> World {
    let mut world = world(setup, 180_000);
    world.tables.values_mut().for_each(|table| table.bytes = Some(8_192));
    world
}

#[test]
fn a_small_table_does_not_make_a_loss_harmless() {
    let setup = "CREATE VIEW v AS SELECT a FROM t; CREATE TYPE mood AS ENUM ('a'); CREATE SCHEMA s; \
                 CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE sq; \
                 CREATE DOMAIN d AS integer";
    for sql in [
        "ALTER TABLE t DROP COLUMN c",
        "DROP TABLE t",
        "DROP VIEW v",
        "DROP TYPE mood",
        "DROP TYPE mood CASCADE",
        "DROP DOMAIN d",
        "DROP FUNCTION f()",
        "DROP FUNCTION f() CASCADE",
        "DROP SEQUENCE sq",
        "DROP SCHEMA s CASCADE",
        "DROP EXTENSION hstore",
        "ALTER SCHEMA s RENAME TO s2",
        "ALTER TYPE mood RENAME TO moods",
        "ALTER TYPE mood RENAME VALUE 'a' TO 'b'",
        "ALTER TYPE mood SET SCHEMA s",
        "ALTER FUNCTION f() RENAME TO g",
        "ALTER SEQUENCE sq RENAME TO sq2",
        "ALTER TABLE t RENAME TO t2",
        "ALTER TABLE t RENAME COLUMN c TO c2",
        "ALTER TABLE t SET SCHEMA s",
        "TRUNCATE t",
        "DELETE FROM t",
        "DELETE FROM t WHERE 1 = 1",
        "ALTER TABLE t ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT k NOT NULL c",
        "ALTER TABLE t ADD CONSTRAINT k NOT NULL c NOT VALID",
        "ALTER TABLE t ADD COLUMN z integer NOT NULL",
        "ALTER TABLE t ALTER COLUMN b TYPE varchar(10)",
        "ALTER TABLE t ALTER COLUMN a TYPE text",
        "ALTER TABLE t ALTER COLUMN c TYPE varchar(10)",
        "ALTER TABLE p DETACH PARTITION p1",
        "ALTER DOMAIN d SET NOT NULL",
    ] {
        let text = format!("expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n");
        let rules = rules(&text, small(setup));
        assert!(rules.contains(&"expand-breaks-application"), "{sql}: {rules:?}");
    }
    for sql in [
        "CREATE TABLE v2 (a int); ALTER TABLE v2 DROP COLUMN a; TRUNCATE v2; DROP TABLE v2",
        "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ALTER COLUMN z SET NOT NULL; ALTER TABLE t DROP COLUMN z",
        "CREATE TYPE m2 AS ENUM ('a'); ALTER TYPE m2 RENAME TO m3",
        "CREATE SCHEMA s2; ALTER SCHEMA s2 RENAME TO s3",
        "ALTER TABLE t ALTER COLUMN b TYPE varchar(40)",
        "ALTER TABLE t ALTER COLUMN a TYPE bigint",
        "DELETE FROM t WHERE id = 1",
        "DROP INDEX CONCURRENTLY i",
    ] {
        let text = format!("expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n");
        let rules = rules(&text, small(setup));
        assert!(!rules.contains(&"expand-breaks-application"), "{sql}: {rules:?}");
    }
}

#[test]
fn a_constraint_in_expand_binds_the_code_that_runs() {
    let warned = |sql: &str| {
        let text = format!("expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n");
        let setup = "CREATE DOMAIN d AS integer; ALTER TABLE t ALTER COLUMN a SET NOT NULL";
        rules(&text, small(setup)).contains(&"expand-narrows")
    };
    for sql in [
        "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r NOT VALID",
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
        "ALTER TABLE t ADD CONSTRAINT k EXCLUDE (a WITH =)",
        "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
        "ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0) NOT VALID",
        "ALTER TABLE t ALTER COLUMN a DROP DEFAULT",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t DROP CONSTRAINT j; ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
    ] {
        assert!(warned(sql), "{sql}");
    }
    for sql in [
        "ALTER TABLE t ADD COLUMN z int; ALTER TABLE t ADD CONSTRAINT k CHECK (z > 0) NOT VALID",
        "ALTER TABLE t ADD COLUMN z int REFERENCES r",
        "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
        "CREATE TABLE u (a int); ALTER TABLE u ADD CONSTRAINT k UNIQUE (a)",
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
    ] {
        assert!(!warned(sql), "{sql}");
    }
}

#[test]
fn a_change_of_type_is_as_dear_as_what_hangs_on_the_column() {
    let met = |setup: &str, sql: &str| {
        let text = format!(
            "expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n  - sql: ANALYZE\n    undo: \"irreversible: x\"\n"
        );
        rules(&text, world(setup, 180_000)).first().copied()
    };
    let wider = "ALTER TABLE t ALTER COLUMN b TYPE varchar(40)";
    for (setup, sql, rule) in [
        ("SELECT 1", wider, None),
        ("CREATE INDEX i ON t (b)", wider, None),
        ("CREATE INDEX i ON t (b)", "ALTER TABLE t ALTER COLUMN b TYPE text USING b::text", None),
        ("CREATE INDEX i ON t (b)", "ALTER TABLE t ALTER COLUMN b TYPE text USING b", None),
        ("SELECT 1", "ALTER TABLE t ALTER COLUMN b TYPE text USING lower(b)", Some("alter-type")),
        ("SELECT 1", "ALTER TABLE t ALTER COLUMN b TYPE text USING b::varchar(3)", Some("alter-type")),
        ("CREATE INDEX i ON t (lower(b))", wider, Some("alter-type-index")),
        ("CREATE INDEX i ON t (id) WHERE b <> ''", wider, Some("alter-type-index")),
        ("CREATE INDEX i ON t (id) INCLUDE (b)", wider, None),
        (
            "CREATE INDEX i ON t (b)",
            "ALTER TABLE t ALTER COLUMN b TYPE text COLLATE \\\"C\\\"",
            Some("alter-type-index"),
        ),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (b <> '')", wider, Some("alter-type-check")),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (b <> '') NOT VALID", wider, None),
        ("SELECT 1", "ALTER TABLE t ALTER COLUMN at TYPE timestamptz", None),
        (
            "CREATE INDEX i ON t (at)",
            "ALTER TABLE t ALTER COLUMN at TYPE timestamptz",
            Some("alter-type-timestamptz"),
        ),
    ] {
        let sql = if sql.contains('"') { format!("\"{sql}\"") } else { sql.to_owned() };
        let found = met(setup, &sql).filter(|rule| rule.starts_with("alter-type"));
        assert_eq!(found, rule, "{setup}; {sql}");
    }
    let parted = "CREATE TABLE q (id bigint, b varchar(20)) PARTITION BY RANGE (id); \
                  CREATE TABLE q1 PARTITION OF q FOR VALUES FROM (0) TO (100)";
    let wider = "ALTER TABLE q ALTER COLUMN b TYPE varchar(40)";
    assert_eq!(met(parted, wider), None);
    assert_eq!(met(&format!("{parted}; CREATE INDEX i ON q1 (lower(b))"), wider), Some("alter-type-index"));
    let check = format!("{parted}; ALTER TABLE q1 ADD CONSTRAINT k CHECK (b <> '')");
    assert_eq!(met(&check, wider), Some("alter-type-check"));
}

#[test]
fn the_way_back_is_judged_as_well() {
    let undone = |sql: &str, undo: &str| {
        let text = format!("expand:\n  - sql: {sql}\n    undo: |\n      SELECT 1;\n      {undo}\n");
        let found = judge(&item(&text), world("CREATE INDEX i ON t (a)", 180_000), 0.0).unwrap();
        found.into_iter().map(|finding| (finding.rule, finding.line, finding.column, finding.why)).next()
    };
    let (rule, line, column, why) = undone("SELECT 1", "CREATE INDEX j ON t (a)").unwrap();
    assert_eq!((rule, line, column), ("create-index", 5, 7));
    assert!(why.starts_with("on abort: "), "{why}");
    let add = "ALTER TABLE t ADD COLUMN z int";
    assert_eq!(undone(add, "ALTER TABLE t DROP COLUMN z"), None);
    assert_eq!(undone(add, "ALTER TABLE t DROP COLUMN z; DELETE FROM t").unwrap().0, "delete-all");
    assert_eq!(undone(add, "SET lock_timeout = 0").unwrap().0, "no-timeout");
    assert_eq!(undone("CREATE TABLE v (a int)", "DROP TABLE v"), None);
    let allowed = "expand:\n  - sql: SELECT 1\n    undo: DROP INDEX i\n    lint: {allow: [{rule: drop-index, reason: at night}]}\n";
    let found = judge(&item(allowed), world("CREATE INDEX i ON t (a)", 180_000), 0.0).unwrap();
    assert_eq!((found.len(), found[0].refuses()), (1, false));
}

#[test]
fn a_domain_is_known_by_what_it_is_made_of() {
    let met = |sql: &str| {
        let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
        rules(&text, World::offline(180_000))
    };
    let volatile = "CREATE DOMAIN d AS uuid DEFAULT gen_random_uuid(); ALTER TABLE t ADD COLUMN z d";
    assert!(met(volatile).contains(&"add-column-volatile-default"));
    let steady = "CREATE DOMAIN d AS timestamptz DEFAULT now(); ALTER TABLE t ADD COLUMN z d";
    assert_eq!(met(steady), Vec::<&str>::new());
    let own = "CREATE DOMAIN d AS uuid DEFAULT gen_random_uuid(); ALTER TABLE t ADD COLUMN z d DEFAULT 'x'";
    assert_eq!(met(own), Vec::<&str>::new());
    let over = "CREATE DOMAIN c AS int CHECK (VALUE > 0); CREATE DOMAIN d AS c; ALTER TABLE t ADD COLUMN z d";
    assert!(met(over).contains(&"add-column-domain"));
    assert_eq!(met("ALTER TABLE t ADD COLUMN z some_type"), ["unknown-type"]);
    assert_eq!(met("CREATE TYPE m AS ENUM ('a'); ALTER TABLE t ADD COLUMN z m"), Vec::<&str>::new());
    for kind in ["uuid", "jsonb", "tsvector", "text[]", "numeric(10,2)", "int8range"] {
        assert_eq!(met(&format!("ALTER TABLE t ADD COLUMN z {kind}")), Vec::<&str>::new(), "{kind}");
    }
}

#[test]
fn what_is_safe_without_a_server_is_let_through() {
    for sql in [
        "CREATE INDEX i ON ONLY somewhere (a)",
        "ALTER TABLE t ADD COLUMN z text DEFAULT left(right(replace('abc', 'a', 'b'), 2), 1)",
        "ALTER TABLE t ADD COLUMN z jsonb DEFAULT jsonb_set('{}', '{a}', '1')",
        "ALTER TABLE t ADD COLUMN z tsvector DEFAULT to_tsvector('simple', 'x')",
        "LOCK TABLE t IN ACCESS SHARE MODE",
        "LOCK TABLE t IN ROW EXCLUSIVE MODE",
        "REINDEX SCHEMA CONCURRENTLY public",
        "REINDEX (CONCURRENTLY) DATABASE postgres",
        "SELECT count(*), max(length(c)) FROM t",
        "SELECT setval('sq', 7)",
        "SELECT pg_sleep(1)",
        "SET lock_timeout = '5s'",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
    ] {
        let text = format!("expand:\n  - sql: \"{sql}\"\n    undo: \"irreversible: an example\"\n");
        assert_eq!(rules(&text, World::offline(180_000)), Vec::<&str>::new(), "{sql}");
    }
}

#[test]
fn every_printed_plan_reads() {
    let long = "x".repeat(60);
    for sql in [
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r (id) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED",
        "ALTER TABLE t ADD CONSTRAINT k CHECK (c <> 'a: b # c' AND c <> 'it''s') NO INHERIT",
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a, c) INCLUDE (n) WITH (fillfactor = 70) DEFERRABLE",
        "ALTER TABLE t ADD PRIMARY KEY (a, c)",
        "ALTER TABLE t ADD COLUMN z interval day to second(3) DEFAULT random() * interval '1 day'",
        "ALTER TABLE t ADD COLUMN z \"char\" NOT NULL",
        "ALTER TABLE t ADD COLUMN \"Z y\" bigserial, ADD COLUMN w smallserial",
        "ALTER TABLE t ADD COLUMN z int NOT NULL, ADD COLUMN w text NOT NULL",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE \"T t\" ALTER COLUMN \"A a\" TYPE bigint",
        "ALTER TABLE LONG ADD COLUMN LONG bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE LONG ALTER COLUMN LONG TYPE bigint",
        "ALTER TABLE s.t ADD UNIQUE (a)",
        "ALTER TABLE t ADD COLUMN z int UNIQUE, ADD COLUMN w int REFERENCES r ON DELETE CASCADE",
        "ALTER TABLE t ADD COLUMN z text DEFAULT gen_random_uuid()::text || 'it''s \\ \"x\": #'",
        "CREATE UNIQUE INDEX ON t (lower(c) DESC NULLS LAST, a) WHERE c <> 'x: y'",
        "CREATE UNIQUE INDEX i ON p (id DESC, lower(k::text)) WHERE k > 5",
        "DROP INDEX \"I i\"",
        "DELETE FROM \"T t\"",
        "REINDEX TABLE \"T t\"",
        "ALTER TABLE p DETACH PARTITION p1",
        "TRUNCATE t",
    ] {
        let sql = sql.replace("LONG", &long);
        let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
        let mut printed = 0;
        for finding in found(&text, "", 180_000) {
            let Some(safe) = finding.safe.filter(|safe| safe.contains("\n")) else { continue };
            printed += 1;
            let steps = item(&safe).steps;
            assert!(!steps.is_empty(), "{safe}");
        }
        assert!(printed > 0, "{sql}: no plan");
    }
    let safe = |sql: &str| {
        let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
        found(&text, "", 180_000).into_iter().find_map(|finding| finding.safe).unwrap()
    };
    let foreign =
        safe("ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r ON DELETE CASCADE DEFERRABLE");
    assert!(foreign.contains("REFERENCES r ON DELETE CASCADE DEFERRABLE NOT VALID"), "{foreign}");
    let unique = safe("ALTER TABLE t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a) INCLUDE (n) DEFERRABLE");
    assert!(unique.contains("(a) INCLUDE (n) NULLS NOT DISTINCT"), "{unique}");
    assert!(unique.contains("UNIQUE USING INDEX k DEFERRABLE"), "{unique}");
    let both = safe("ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN c SET NOT NULL");
    assert_eq!(both, "validate:\n  - not_null: {table: t, column: a}\n  - not_null: {table: t, column: c}\n");
    let whole = safe("CREATE INDEX i ON p (k DESC) WHERE k > 5");
    assert!(whole.contains("CREATE INDEX CONCURRENTLY i ON p USING btree (k DESC) WHERE k > 5"), "{whole}");
}

/// The first safe way that is printed against a statement of expand.
fn printed(sql: &str, world: World) -> String {
    let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
    let findings = judge(&item(&text), world, SMALL_TABLE_BYTES).unwrap();
    findings.into_iter().find_map(|finding| finding.safe).unwrap()
}

#[test]
fn a_printed_contract_waits_for_somebody_to_open_its_gate() {
    let gates = |sql: &str| {
        let item = item(&printed(sql, world("CREATE INDEX i ON t (a)", 180_000)));
        (item.steps.iter().any(|step| step.phase == Phase::Contract), item.gates.contract)
    };
    for sql in [
        "ALTER TABLE t DROP COLUMN c",
        "DROP TABLE t",
        "ALTER TABLE t RENAME COLUMN c TO c2",
        "ALTER TABLE t ALTER COLUMN a TYPE bigint, ALTER COLUMN at TYPE date",
        "ALTER TABLE p DETACH PARTITION p1",
    ] {
        let (contracts, gate) = gates(sql);
        let deployed: Vec<_> = gate.deployed.iter().map(|app| app.app.as_str()).collect();
        assert_eq!((contracts, deployed, gate.soak.is_some()), (true, vec!["APP"], true), "{sql}");
    }
    assert_eq!(gates("DROP INDEX i").1.approvals, Some(1));
    assert!(!gates("CREATE INDEX j ON t (a)").0);
}

#[test]
fn a_column_that_takes_anothers_place_takes_what_is_known_of_it() {
    let rename = "ALTER TABLE t RENAME COLUMN b TO z";
    let unknown = printed(rename, World::offline(180_000));
    assert!(unknown.contains("ADD COLUMN z TYPE\n") && !unknown.contains("validate"), "{unknown}");
    let setup = "ALTER TABLE t DROP COLUMN b; \
                 ALTER TABLE t ADD COLUMN b varchar(9) COLLATE \"C\" NOT NULL DEFAULT 'x: y'; \
                 CREATE INDEX t_b ON t (b); ALTER TABLE t ADD COLUMN no bigserial";
    let known = printed(rename, world(setup, 180_000));
    for part in [
        "ADD COLUMN z character varying(9) COLLATE \"C\"'",
        "  # over b stand t_b: make their like in validate\nvalidate:\n  - not_null: {table: t, column: z}\ncontract:",
        "contract:\n  - sql: \"ALTER TABLE t ALTER COLUMN z SET DEFAULT 'x: y'\"",
        "    undo: ALTER TABLE t ALTER COLUMN z DROP DEFAULT\n  - drop_column: {table: t, column: b}",
    ] {
        assert!(known.contains(part), "no {part} in\n{known}");
    }
    item(&known);
    let typed = printed("ALTER TABLE t ALTER COLUMN b TYPE integer USING b::integer", world(setup, 180_000));
    assert!(typed.contains("SET DEFAULT ('x: y')::int\""), "{typed}");
    // Nobody knows the sequence of a bigserial that the catalog has not told of.
    let serial = printed("ALTER TABLE t RENAME COLUMN no TO number", world(setup, 180_000));
    assert!(serial.contains("# no counts up by itself"), "{serial}");
    let setup = "ALTER TABLE t ADD COLUMN g integer GENERATED ALWAYS AS (a + 1) STORED";
    let generated = printed("ALTER TABLE t RENAME COLUMN g TO h", world(setup, 180_000));
    assert!(!generated.contains('\n') && generated.contains("the same expression"), "{generated}");
    let quoted = printed("ALTER TABLE \"order\" RENAME COLUMN \"user\" TO \"u: v\"", World::offline(180_000));
    assert!(quoted.contains(r#"'ALTER TABLE "order" ADD COLUMN "u: v" TYPE'"#), "{quoted}");
    item(&quoted);
}

#[test]
fn an_undo_gets_a_statement_and_not_a_plan() {
    let text = "expand:\n  - sql: CREATE INDEX CONCURRENTLY i ON t (a)\n    undo: DROP INDEX i\n";
    let safe: Vec<_> = found(text, "", 180_000).into_iter().filter_map(|finding| finding.safe).collect();
    assert_eq!(safe, ["DROP INDEX CONCURRENTLY i"]);
}

#[test]
fn an_acceptance_of_nothing_is_reported_at_its_place() {
    let text = "expand:\n  - sql: CREATE INDEX i ON t (a)\n    undo: SELECT 1\n    lint:\n      allow:\n        - {rule: create-index, reason: x}\n        - {rule: drop-index, reason: y}\n";
    let unused = |world: World, small: f64| {
        let found = judge(&item(text), world, small).unwrap();
        found.into_iter().filter(|finding| finding.rule == "unused-allow").collect::<Vec<_>>()
    };
    let found = unused(World::offline(180_000), 0.0);
    assert_eq!((found.len(), found[0].line, found[0].statement.as_str()), (1, 7, "allow drop-index"));
    // That the table is small today does not make it useless.
    assert_eq!(unused(small(""), SMALL_TABLE_BYTES).len(), 1);
    // What is needed where no catalog can be asked is of use.
    let wider = "expand:\n  - sql: ALTER TABLE t ALTER COLUMN b TYPE text\n    undo: SELECT 1\n    lint: {allow: [{rule: alter-type, reason: it only gets longer}]}\n  - sql: ANALYZE t\n    undo: SELECT 1\n";
    assert_eq!(rules(wider, world("", 180_000)), Vec::<&str>::new());
    let blind = text.replace("drop-index", "alter-type-check");
    let offline = judge(&item(&blind), World::offline(180_000), 0.0).unwrap();
    assert!(!offline.iter().any(|finding| finding.rule == "unused-allow"));
}
