#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::core::compile;
use crate::core::migration::SqlMigration;
use crate::core::plan::{Source, parse};
use crate::core::version::Version;

fn shown(footprint: &Footprint) -> Vec<String> {
    let one = |(thing, how, _): (&Thing, How, &Site)| format!("{} {thing}", how.word());
    footprint.touches().map(one).collect()
}

fn of_sql(up: &str) -> Footprint {
    let migration = SqlMigration::parse("m.sql", Version::parse("1").unwrap(), "m", up).unwrap();
    Footprint::of(&compile::migration(&migration).unwrap().0).unwrap()
}

fn of_plan(text: &str) -> Footprint {
    let version = Version::parse("1").unwrap();
    let source = Source { file: "p.yaml", version: &version, name: "p", text };
    let plan = parse(&source, &|_| Err(String::new())).unwrap_or_else(|error| panic!("{error}"));
    Footprint::of(&compile::plan(&plan, compile::Server::NEWEST).unwrap()).unwrap()
}

/// Whether a statement touches each of these, said as `show` says it.
#[track_caller]
fn has(sql: &str, wanted: &[&str]) {
    let found = shown(&of_sql(sql));
    for want in wanted {
        assert!(found.iter().any(|touch| touch == want), "{sql}\n{want} is not among {found:#?}");
    }
}

#[track_caller]
fn has_not(sql: &str, unwanted: &[&str]) {
    let found = shown(&of_sql(sql));
    for touch in unwanted {
        assert!(!found.iter().any(|found| found == touch), "{sql}\n{touch} is among {found:#?}");
    }
}

#[test]
fn ddl_tells_what_it_makes_and_takes_away() {
    has(
        "ALTER TABLE s.t ADD COLUMN c int REFERENCES o (id)",
        &["makes s.t.c", "alters s.t", "uses o.id", "uses o"],
    );
    has("ALTER TABLE t DROP COLUMN c", &["drops t.c"]);
    has("ALTER TABLE t RENAME COLUMN a TO b", &["renames t.a", "makes t.b"]);
    has("ALTER TABLE t RENAME TO u", &["renames t", "makes u"]);
    has("ALTER TABLE t ALTER c TYPE bigint USING (d::bigint)", &["alters t.c", "uses t.d"]);
    has("ALTER TABLE t ALTER c SET DEFAULT f()", &["alters t.c", "uses function f"]);
    has(
        "ALTER TABLE t ADD CONSTRAINT k CHECK (a > b)",
        &["alters t.a", "alters t.b", "makes constraint k of t"],
    );
    has("ALTER TABLE t DROP CONSTRAINT k", &["drops constraint k of t"]);
    has("ALTER TABLE t RENAME CONSTRAINT k TO l", &["renames constraint k of t", "makes constraint l of t"]);
    has("CREATE TABLE t (a int, b mood)", &["makes t", "makes t.a", "uses type mood"]);
    has("CREATE INDEX i ON t (a, lower(b)) WHERE c", &["makes i", "uses t.a", "uses t.b", "uses t.c"]);
    has(
        "DROP INDEX s.i; DROP VIEW v; DROP TYPE k; DROP SCHEMA s",
        &["drops s.i", "drops v", "drops type k", "drops schema s"],
    );
    has("DROP FUNCTION f(int); ALTER TYPE k RENAME TO l", &["drops function f", "renames type k"]);
    has("CREATE VIEW v AS SELECT a FROM t", &["makes v", "uses t.a"]);
    has(
        "CREATE TRIGGER g AFTER UPDATE OF a ON t FOR EACH ROW WHEN (NEW.b > 0) EXECUTE FUNCTION f()",
        &["uses t.a", "uses t.b", "uses function f", "alters t"],
    );
    has("CREATE POLICY p ON t USING (owner = current_user)", &["uses t.owner", "alters t"]);
    has("ALTER TYPE mood ADD VALUE 'x'", &["alters type mood"]);
    has_not("CREATE TEMP TABLE w (a int)", &["makes w", "makes w.a"]);
}

#[test]
fn the_tree_is_walked_where_its_helpers_do_not_look() {
    has(
        "INSERT INTO t (a) SELECT x FROM u ON CONFLICT (k) DO UPDATE SET b = excluded.c WHERE t.d",
        &["writes t.a", "uses u.x", "uses t.k", "writes t.b", "uses t.c", "uses t.d"],
    );
    has_not("INSERT INTO t (a) SELECT x FROM u", &["uses t.x"]);
    has(
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED AND u.x THEN UPDATE SET a = u.y WHEN NOT MATCHED THEN INSERT (b) VALUES (u.z)",
        &["uses t.id", "uses u.x", "writes t.a", "uses u.y", "writes t.b", "uses u.z"],
    );
    has(
        "SELECT DISTINCT ON (a) b COLLATE \"C\", sum(c) FILTER (WHERE d) OVER (PARTITION BY e ORDER BY f) FROM t",
        &["uses t.a", "uses t.b", "uses t.c", "uses t.d", "uses t.e", "uses t.f"],
    );
    has("DECLARE x CURSOR WITH HOLD FOR SELECT a FROM t", &["uses t.a"]);
    has("PREPARE x AS UPDATE t SET a = b", &["writes t.a", "uses t.b"]);
    has("EXPLAIN DELETE FROM t USING u WHERE t.a = u.b", &["writes t", "uses t.a", "uses u.b"]);
    has("SELECT a FROM t UNION SELECT b FROM u", &["uses t.a", "uses u.b"]);
    has_not("SELECT a FROM t UNION SELECT b FROM u", &["uses t.b", "uses u.a"]);
    has("SELECT x.a, y.* FROM t x JOIN u y ON true", &["uses t.a", "uses every column of u"]);
    has("WITH c AS (SELECT a FROM t) UPDATE u SET b = c.a FROM c", &["uses t.a", "writes u.b"]);
    has_not("WITH c AS (SELECT a FROM t) UPDATE u SET b = c.a FROM c", &["uses u.a", "uses c.a", "uses c"]);
    has("INSERT INTO t VALUES (1)", &["writes every column of t"]);
    has(
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT a FROM t; END",
        &["uses t.a", "makes function f"],
    );
}

#[test]
fn bodies_that_are_text_are_known_by_their_words() {
    let footprint = of_sql("DO $$ BEGIN UPDATE users SET Name = 'x'; END $$");
    assert!(footprint.says("users") && footprint.says("name") && !footprint.says("email"));
}

#[test]
fn a_plan_touches_what_its_steps_do() {
    let plan = "expand:
  - {sql: ALTER TABLE t ADD COLUMN n text, undo: ALTER TABLE t DROP COLUMN n}
  - sync: {table: t, set: {n: upper(o)}, back: {o: lower(n)}}
backfill:
  - {table: t, set: {n: upper(o)}, where: p IS NULL, key: [k]}
validate:
  - not_null: {table: t, column: n}
  - index: {table: t, columns: [q], name: i}
  - assert: {name: x, sql: SELECT count(*) FROM t WHERE r, expect: \"0\"}
contract:
  - drop_index: {name: j}
  - drop_column: {table: t, column: o}
  - drop_table: {table: u}
";
    for (keep, gone) in [("", "drops"), ("keep: 1d\n", "renames")] {
        let footprint = of_plan(&format!("{plan}{keep}"));
        let found = shown(&footprint);
        for want in [
            "makes t.n",
            "writes t.n",
            "uses t.o",
            "writes t.o",
            "uses t.p",
            "uses t.k",
            "alters t.n",
            "uses t.q",
            "makes i",
            "uses t.r",
            "drops j",
            &format!("{gone} t.o"),
            &format!("{gone} u"),
        ] {
            assert!(found.iter().any(|touch| touch == want), "{want}: {found:#?}");
        }
        let away: Vec<String> = footprint.takes_away().map(|(thing, ..)| thing.to_string()).collect();
        assert_eq!(away, ["j", "u", "t.o"]);
    }
}
