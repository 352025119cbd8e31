//! What statements and plans make, change and take away.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

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
    has("DROP FUNCTION f(int); ALTER TYPE k RENAME TO l", &["drops function f(int4)", "renames type k"]);
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

#[test]
fn what_moves_is_gone_from_one_place_and_made_in_another() {
    has("ALTER TABLE t SET SCHEMA s", &["renames t", "makes s.t", "uses schema s"]);
    has("ALTER SCHEMA s RENAME TO r", &["renames schema s", "makes schema r"]);
    has("ALTER TYPE k RENAME TO l; ALTER TYPE m SET SCHEMA s", &["makes type l", "makes type s.m"]);
    has("ALTER FUNCTION f(int) RENAME TO g", &["renames function f(int4)", "makes function g(int4)"]);
    has(
        "DROP FUNCTION f; DROP FUNCTION g(integer, s.k[], OUT text)",
        &["drops function f", "drops function g(int4, k[])"],
    );
    has("CREATE FUNCTION f(a int4, OUT b text) RETURNS text LANGUAGE sql AS ''", &["makes function f(int4)"]);
}

#[test]
fn what_belongs_to_a_table_and_what_stands_in_no_schema_have_names() {
    has(
        "CREATE TRIGGER g AFTER INSERT ON s.t EXECUTE FUNCTION f(); ALTER TRIGGER g ON s.t RENAME TO h; DROP TRIGGER h ON s.t",
        &[
            "makes trigger g on s.t",
            "renames trigger g on s.t",
            "makes trigger h on s.t",
            "drops trigger h on s.t",
        ],
    );
    has(
        "CREATE POLICY p ON t; ALTER POLICY p ON t TO PUBLIC; ALTER POLICY p ON t RENAME TO q; DROP POLICY q ON t",
        &[
            "makes policy p on t",
            "alters policy p on t",
            "renames policy p on t",
            "makes policy q on t",
            "drops policy q on t",
        ],
    );
    has(
        "CREATE RULE r AS ON INSERT TO t DO NOTHING; ALTER RULE r ON t RENAME TO q; DROP RULE q ON t",
        &["makes rule r on t", "renames rule r on t", "makes rule q on t", "drops rule q on t"],
    );
    has(
        "CREATE PUBLICATION p; ALTER PUBLICATION p ADD TABLE t; ALTER PUBLICATION p RENAME TO q; DROP PUBLICATION q",
        &[
            "makes publication p",
            "alters publication p",
            "renames publication p",
            "makes publication q",
            "drops publication q",
        ],
    );
    has(
        "CREATE EXTENSION x; ALTER EXTENSION x UPDATE; DROP EXTENSION x",
        &["makes extension x", "alters extension x", "drops extension x"],
    );
    has_not("ALTER EXTENSION x SET SCHEMA s", &["makes extension x", "renames extension x"]);
    has("ALTER EXTENSION x SET SCHEMA s", &["alters extension x", "uses schema s"]);
    has(
        "CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f(); ALTER EVENT TRIGGER e DISABLE; ALTER EVENT TRIGGER e RENAME TO d; DROP EVENT TRIGGER d",
        &[
            "makes event trigger e",
            "uses function f",
            "alters event trigger e",
            "renames event trigger e",
            "makes event trigger d",
            "drops event trigger d",
        ],
    );
    has(
        "COMMENT ON TRIGGER g ON t IS 'x'; COMMENT ON EXTENSION x IS 'x'; COMMENT ON POLICY p ON t IS 'x'",
        &["uses trigger g on t", "uses t", "uses extension x", "uses policy p on t"],
    );
    has("SET search_path = app; CREATE POLICY p ON t", &["makes policy p on app.t"]);
}

#[test]
fn a_signature_is_the_same_however_its_types_are_written() {
    for (types, signature) in [
        ("int", "int4"),
        ("pg_catalog.int4", "int4"),
        ("_int4", "int4[]"),
        ("int[]", "int4[]"),
        ("integer ARRAY", "int4[]"),
        ("int4[3][]", "int4[]"),
        ("_int4[]", "int4[]"),
        ("VARIADIC a integer[]", "int4[]"),
        ("varchar", "varchar"),
        ("character varying(20)", "varchar"),
        ("national char varying", "varchar"),
        ("_varchar", "varchar[]"),
        ("char, character(3), bpchar", "bpchar, bpchar, bpchar"),
        ("\"char\"", "char"),
        ("decimal(10, 2), dec, numeric", "numeric, numeric, numeric"),
        ("float, float(24), double precision, real", "float8, float4, float8, float4"),
        ("timestamp(3) with time zone, timestamptz", "timestamptz, timestamptz"),
        ("bit varying(3), boolean, smallint, bigint", "varbit, bool, int2, int8"),
        ("s.k[], _k", "k[], k[]"),
    ] {
        for verb in ["DROP FUNCTION f(", "ALTER FUNCTION f("] {
            let does = if verb.starts_with("DROP") { "drops" } else { "alters" };
            let end = if does == "drops" { ")" } else { ") STABLE" };
            has(&format!("{verb}{types}{end}"), &[&format!("{does} function f({signature})")]);
        }
        let made = format!("CREATE FUNCTION f({types}) RETURNS int LANGUAGE sql AS ''");
        has(&made, &[&format!("makes function f({signature})")]);
    }
}

#[test]
fn the_queries_of_gates_run_too() {
    let text = "expand:\n  - {sql: SELECT 1, undo: SELECT 1}\ngates:\n  contract: {query: SELECT count(legacy) = 0 FROM t}\n";
    let footprint = Footprint::of_item(&crate::core::testing::item("1_g", text)).unwrap();
    let found = footprint.touches().find(|(thing, ..)| thing.to_string() == "t.legacy").unwrap();
    let asked = "backfill:\n  - {table: t, set: {a: b}, throttle: {query: SELECT depth < 1 FROM q}}\n";
    assert!(shown(&of_plan(asked)).contains(&"uses q.depth".to_owned()));
    assert_eq!((found.2.step.as_str(), found.2.place.map(|place| place.line)), ("gates.contract", Some(4)));
}
