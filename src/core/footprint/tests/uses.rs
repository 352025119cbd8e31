//! What statements read: in expressions, outside of them, in strings and in bodies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

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
