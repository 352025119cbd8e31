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
        &["uses t.a", "makes function f()"],
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

#[test]
fn columns_that_are_named_outside_of_expressions_are_seen() {
    has(
        "SELECT 1 FROM t JOIN u USING (a) JOIN w USING (b)",
        &["uses t.a", "uses u.a", "uses w.b", "uses t.b"],
    );
    has_not("SELECT 1 FROM t JOIN u USING (a) JOIN w USING (b)", &["uses w.a"]);
    has_not("WITH c AS (SELECT 1 AS a) SELECT 1 FROM t JOIN c USING (a)", &["uses c.a"]);
    has("SELECT 1 FROM t NATURAL JOIN u", &["uses rows of t", "uses rows of u"]);
    has("GRANT SELECT (a), UPDATE (b) ON s.t TO PUBLIC", &["uses s.t.a", "uses s.t.b", "alters s.t"]);
    has("REVOKE SELECT (a) ON t FROM PUBLIC", &["uses t.a", "alters t"]);
    has("GRANT SELECT ON ALL TABLES IN SCHEMA s TO PUBLIC", &["uses schema s"]);
    has("GRANT EXECUTE ON FUNCTION s.f(int) TO PUBLIC", &["uses function s.f(int4)"]);
    has(
        "GRANT USAGE ON SCHEMA s TO PUBLIC; GRANT USAGE ON TYPE k TO PUBLIC",
        &["uses schema s", "uses type k"],
    );
    has("GRANT USAGE ON SEQUENCE q TO PUBLIC", &["uses q"]);
    has("COMMENT ON COLUMN s.t.a IS 'x'", &["uses s.t.a", "uses s.t"]);
    has("COMMENT ON TABLE t IS 'x'; COMMENT ON INDEX i IS 'x'", &["uses t", "uses i"]);
    has("COMMENT ON CONSTRAINT k ON t IS 'x'", &["uses constraint k of t", "uses t"]);
    has(
        "COMMENT ON TRIGGER g ON t IS 'x'; COMMENT ON FUNCTION f(int) IS 'x'",
        &["uses t", "uses function f(int4)"],
    );
    has(
        "COMMENT ON TYPE k IS 'x'; COMMENT ON SCHEMA s IS 'x'; COMMENT ON VIEW v IS 'x'",
        &["uses type k", "uses schema s", "uses v"],
    );
    has(
        "CREATE STATISTICS z ON a, (lower(b)) FROM t",
        &["makes statistics z", "uses t.a", "uses t.b", "alters t"],
    );
    has(
        "ALTER STATISTICS z SET STATISTICS 10; DROP STATISTICS y",
        &["alters statistics z", "drops statistics y"],
    );
    has("ALTER STATISTICS z RENAME TO y", &["renames statistics z", "makes statistics y"]);
    for verb in ["CREATE PUBLICATION p FOR", "ALTER PUBLICATION p ADD", "ALTER PUBLICATION p SET"] {
        has(
            &format!("{verb} TABLE t (a, b) WHERE (c > 0), s.u"),
            &["uses t.a", "uses t.b", "uses t.c", "uses s.u"],
        );
        has_not(&format!("{verb} TABLE t (a, b) WHERE (c > 0), s.u"), &["uses s.u.c", "uses s.u.a"]);
    }
    has("CREATE PUBLICATION p FOR TABLES IN SCHEMA s", &["uses schema s"]);
    has("CREATE SEQUENCE q OWNED BY s.t.a", &["makes q", "uses s.t.a"]);
    has("ALTER SEQUENCE q OWNED BY t.a", &["alters q", "uses t.a"]);
    has_not("ALTER SEQUENCE q OWNED BY NONE", &["uses none"]);
    has("ALTER SEQUENCE q RENAME TO r", &["renames q", "makes r"]);
}

#[test]
fn a_star_is_every_column_a_field_is_one_and_a_row_is_a_value() {
    has("SELECT (x).a FROM t x", &["uses t.a"]);
    has_not("SELECT (x).a FROM t x", &["uses every column of t", "uses rows of t"]);
    for star in
        ["SELECT (x).* FROM t x", "SELECT x.* FROM t x", "SELECT * FROM t", "UPDATE t SET a = 1 RETURNING *"]
    {
        has(star, &["uses every column of t"]);
        has_not(star, &["uses every column of x"]);
    }
    has_not("SELECT x.* FROM t x JOIN u ON true", &["uses every column of u"]);
    for row in [
        "SELECT row_to_json(x) FROM s.t x",
        "SELECT to_jsonb(x.*) FROM s.t x",
        "SELECT to_jsonb(s.t) FROM s.t",
        "SELECT count(t) FROM s.t",
        "CREATE TRIGGER g BEFORE UPDATE ON s.t FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION f()",
        "CREATE TRIGGER g BEFORE UPDATE ON s.t FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION f()",
    ] {
        has(row, &["uses rows of s.t"]);
        has_not(row, &["uses every column of s.t"]);
    }
    has_not("SELECT row_to_json(x) FROM (SELECT a FROM t) x", &["uses rows of t", "uses every column of t"]);
    has_not("SELECT count(*) FROM t", &["uses rows of t", "uses every column of t"]);
    has_not(
        "WITH c AS (SELECT 1 AS a) SELECT * FROM (SELECT a, c FROM c) x",
        &["uses c.a", "uses rows of c"],
    );
    has("SELECT j.a FROM (t JOIN u ON true) AS j", &["uses t.a", "uses u.a"]);
    has("CREATE FUNCTION f(x s.t.a%TYPE) RETURNS int LANGUAGE sql AS ''", &["uses s.t.a", "uses s.t"]);
}

#[test]
fn names_in_string_constants_are_names() {
    has("SELECT nextval('s.Q'), currval('\"Q\"'), setval(' r ', 1)", &["uses s.q", "uses \"Q\"", "writes r"]);
    has("SELECT nextval('q'::regclass), pg_catalog.nextval(('r'::text)::regclass)", &["uses q", "uses r"]);
    has(
        "CREATE TABLE t (a int DEFAULT nextval('q')); ALTER TABLE u ALTER a SET DEFAULT nextval('s.r')",
        &["uses q", "uses s.r"],
    );
    has("SELECT pg_get_serial_sequence('s.T', 'Odd')", &["uses s.t", "uses s.t.\"Odd\""]);
    has("SELECT pg_total_relation_size('t'), pg_get_viewdef('v')", &["uses t", "uses v"]);
    has(
        "SELECT CAST('t' AS regclass), regclass 'u', 's.v'::pg_catalog.regclass",
        &["uses t", "uses u", "uses s.v"],
    );
    has(
        "SELECT 's.f'::regproc, 'g(integer, s.k)'::regprocedure, 'app.k[]'::regtype, 's'::regnamespace",
        &["uses function s.f", "uses function g(int4, k)", "uses type app.k", "uses schema s"],
    );
    // What only asks, what is a number or no name, and what is nobody's.
    for text in [
        "SELECT to_regclass('t'), 't'::text, nextval(t), app.nextval('t')",
        "SELECT '123'::regclass, '-'::regclass, 'a b'::regclass",
        "SELECT 'pg_catalog.pg_class'::regclass, 'pg_catalog.now()'::regprocedure, 'int'::regtype",
        "SELECT 'f(int) STABLE; DROP TABLE x --'::regprocedure, 'int); DROP TABLE x --'::regtype",
    ] {
        let touches = shown(&of_sql(text));
        let named = |touch: &&String| {
            !touch.starts_with("uses function")
                && !touch.starts_with("uses type reg")
                && *touch != "uses type text"
        };
        assert_eq!(touches.iter().find(named), None, "{text}");
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
fn a_script_may_say_where_its_names_are_looked_up() {
    let script = "SET LOCAL search_path = app, public; CREATE TABLE t (a int); SELECT b FROM u; RESET search_path; DROP VIEW v";
    has(script, &["makes app.t", "makes app.t.a", "uses app.u.b", "uses public.u.b", "drops v"]);
    has_not(script, &["makes public.t", "makes t", "uses u.b", "drops app.v"]);
}

#[test]
fn the_schema_of_the_role_is_passed_over_where_another_follows() {
    for path in ["\"$user\", app, public", "'$user', app, public", "app, \"$user\", public"] {
        let script = format!("SET search_path TO {path}; CREATE TABLE t (a int); SELECT b FROM u");
        has(&script, &["makes app.t", "uses app.u.b", "uses public.u.b"]);
        assert!(!shown(&of_sql(&script)).iter().any(|touch| touch.contains("$user")), "{path}");
    }
    // Alone, it is a schema of which nobody knows the name.
    has("SET search_path TO \"$user\"; CREATE TABLE t (a int)", &["makes \"$user\".t"]);
    let name = |text: &str| QName::parse(text).unwrap();
    let known = SearchPath::read("app, public", "ann", &Ident::parse("phase").unwrap());
    for path in [SearchPath::Assumed, known] {
        for (other, like) in [
            ("\"$user\".t", Likeness::One),
            ("t", Likeness::Perhaps),
            ("ann.t", Likeness::Perhaps),
            ("public.t", Likeness::Apart),
            ("pg_catalog.t", Likeness::Apart),
        ] {
            assert_eq!(path.names(&name("\"$user\".t"), &name(other)), like, "{other}");
            assert_eq!(path.names(&name(other), &name("\"$user\".t")), like, "{other}");
        }
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

#[test]
fn names_are_looked_up_along_the_path() {
    let name = |text: &str| QName::parse(text).unwrap();
    let record = Ident::parse("phase").unwrap();
    let known = SearchPath::read("\"$user\", app, phase", "Ann", &record);
    let like = |path: &SearchPath, a: &str, b: &str| path.names(&name(a), &name(b));
    for (a, b, assumed, exact) in [
        ("t", "t", Likeness::One, Likeness::One),
        ("t", "u", Likeness::Apart, Likeness::Apart),
        ("t", "public.t", Likeness::One, Likeness::Apart),
        ("app.t", "t", Likeness::Perhaps, Likeness::One),
        ("t", "\"Ann\".t", Likeness::Perhaps, Likeness::One),
        ("t", "phase.t", Likeness::Perhaps, Likeness::Apart),
        ("app.t", "b.t", Likeness::Apart, Likeness::Apart),
        ("t", "pg_catalog.t", Likeness::Apart, Likeness::Apart),
    ] {
        assert_eq!((like(&SearchPath::Assumed, a, b), like(&known, a, b)), (assumed, exact), "{a} {b}");
    }
    let read = |setting: &str| SearchPath::read(setting, "a", &record);
    assert_eq!((read("\"\""), read("")), (SearchPath::Known(Vec::new()), SearchPath::Known(Vec::new())));
    let odd = SearchPath::Known(vec![Ident::exact("Odd, \"one\"").unwrap(), Ident::exact("b").unwrap()]);
    assert_eq!(read("\"\", \"Odd, \"\"one\"\"\", b"), odd);
    assert_eq!(read("no such ; thing"), SearchPath::Assumed);
}
