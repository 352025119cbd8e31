//! What counts as a use of a name, and of which thing it is the name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

#[test]
fn all_columns_are_a_use_of_each_where_they_stay() {
    let assert = "validate:\n  - assert: {name: x, sql: SELECT count(*) FROM (SELECT * FROM users) u, expect: \"1\"}\n";
    for text in [
        "CREATE VIEW v AS SELECT * FROM users",
        "CREATE MATERIALIZED VIEW v AS SELECT u.* FROM users u",
        "CREATE FUNCTION f() RETURNS SETOF users BEGIN ATOMIC SELECT * FROM users; END",
        "CREATE RULE r AS ON INSERT TO log DO ALSO INSERT INTO copy SELECT * FROM users",
        assert,
        "expand:\n  - {sql: SELECT 1, undo: SELECT 1}\ngates:\n  contract: {query: SELECT count(*) > 0 FROM (SELECT * FROM users) u}\n",
    ] {
        let said =
            "users.name among all columns, which 1_r takes away: let that one complete first, or write out";
        for standing in [Standing::Unknown, Standing::Open] {
            one(&[("1_r", DROP), ("2_v", text)], standing, Grade::Error, said);
        }
    }
    // What runs once and at once meets whatever is there.
    for text in ["CREATE TABLE copy AS SELECT * FROM users", "INSERT INTO users VALUES (1, 'x')"] {
        one(&[("1_r", DROP), ("2_v", text)], Standing::Unknown, Grade::Warning, "among all columns");
        one(&[("1_r", DROP), ("2_v", text)], Standing::Open, Grade::Error, "among all columns");
    }
    // A row as one value is only another value.
    for text in [
        "CREATE VIEW v AS SELECT id FROM users NATURAL JOIN orders",
        "CREATE VIEW v AS SELECT row_to_json(u) FROM users u",
        "CREATE TRIGGER g AFTER UPDATE ON users FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION f()",
    ] {
        let said = "among all columns, which 1_r drops: what it makes of whole rows is another without it";
        for standing in [Standing::Unknown, Standing::Open] {
            one(&[("1_r", DROP), ("2_v", text)], standing, Grade::Warning, said);
        }
    }
    // What is gone by then is not among them; nor what is there again.
    let view = "CREATE VIEW v AS SELECT * FROM users";
    assert_eq!(found(&[("1_r", "ALTER TABLE users DROP COLUMN name"), ("2_v", view)], Standing::Unknown), []);
    let meant = format!("-- depends_on: 1\n{view}");
    assert_eq!(found(&[("1_r", DROP), ("2_v", &meant)], Standing::Open), []);
    let built = "depends_on: [1]\nvalidate:\n  - assert: {name: x, sql: SELECT count(*) FROM (SELECT * FROM users) u, expect: \"1\"}\n";
    one(&[("1_r", DROP), ("2_v", built)], Standing::Open, Grade::Error, "write out the columns");
}

#[test]
fn what_is_named_outside_of_expressions_is_used() {
    for text in [
        "CREATE VIEW v AS SELECT 1 AS x FROM users JOIN orders USING (name)",
        "GRANT SELECT (name) ON users TO PUBLIC",
        "COMMENT ON COLUMN users.name IS 'x'",
        "CREATE STATISTICS z ON name, email FROM users",
        "CREATE PUBLICATION p FOR TABLE users (id, name)",
        "CREATE PUBLICATION p FOR TABLE users WHERE (name > '')",
        "CREATE SEQUENCE q OWNED BY users.name",
        "SELECT (u).name FROM users u",
        "expand:\n  - {sql: SELECT 1, undo: SELECT 1}\ngates:\n  contract: {query: SELECT count(name) = 0 FROM users}\n",
    ] {
        one(
            &[("1_r", RENAME), ("2_n", text)],
            Standing::Unknown,
            Grade::Error,
            "uses users.name, which 1_r takes away",
        );
    }
}

#[test]
fn names_in_string_constants_are_used() {
    for (gone, text, said) in [
        ("DROP SEQUENCE q", "SELECT setval('q', 10)", "writes q"),
        (
            "ALTER SEQUENCE q RENAME TO r",
            "ALTER TABLE t ALTER a SET DEFAULT nextval('public.q')",
            "uses public.q",
        ),
        ("DROP TABLE t", "SELECT 't'::regclass", "uses t"),
        ("ALTER TABLE t DROP COLUMN c", "SELECT pg_get_serial_sequence('t', 'c')", "uses t.c"),
        ("DROP FUNCTION f(int)", "SELECT 'f(integer)'::regprocedure", "uses function f(int4)"),
        ("DROP TYPE k", "SELECT 'k'::regtype", "uses type k"),
    ] {
        let said = format!("{said}, which 1_g takes away");
        one(&[("1_g", gone), ("2_n", text)], Standing::Unknown, Grade::Error, &said);
    }
    let both = ["ALTER SEQUENCE q INCREMENT 10", "SELECT setval('q', 10)"].map(|sql| {
        format!("expand:\n  - {{sql: \"{sql}\", undo: SELECT 1}}\ncontract:\n  - {{sql: \"{sql}\", undo: SELECT 1}}\n")
    });
    one(
        &[("1_a", &both[0]), ("2_b", &both[1])],
        Standing::Open,
        Grade::Warning,
        "writes q, which 1_a alters",
    );
    // What asks does not mind, and what comes along with something else is there again.
    for (gone, text) in [
        ("DROP TABLE t", "SELECT to_regclass('t') IS NULL"),
        (
            "ALTER TABLE t ALTER id DROP DEFAULT; DROP SEQUENCE t_id_seq; ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY",
            "SELECT setval('t_id_seq', 10)",
        ),
        ("DROP SEQUENCE t_id_seq; CREATE TABLE t (id bigserial)", "SELECT setval('t_id_seq', 10)"),
        ("DROP INDEX k; ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)", "SELECT 'k'::regclass"),
        ("DROP INDEX t_pkey; ALTER TABLE t ADD PRIMARY KEY (a)", "SELECT 't_pkey'::regclass"),
    ] {
        assert_eq!(found(&[("1_g", gone), ("2_n", text)], Standing::Unknown), [], "{text}");
    }
}

#[test]
fn a_schema_takes_along_what_stands_in_it() {
    let away = ["DROP SCHEMA app CASCADE", "ALTER SCHEMA app RENAME TO old"];
    for sql in away {
        let said = "which 1_s takes away";
        one(&[("1_s", sql), ("2_n", "SELECT a FROM app.users")], Standing::Unknown, Grade::Error, said);
        assert_eq!(found(&[("1_s", sql), ("2_n", "SELECT a FROM users, b.users x")], Standing::Unknown), []);
        let made = "CREATE TABLE app.t (a int)";
        one(
            &[("1_s", sql), ("2_n", made)],
            Standing::Unknown,
            Grade::Error,
            "uses schema app, which 1_s takes away",
        );
        let back = "CREATE SCHEMA app";
        assert_eq!(
            found(&[("1_s", sql), ("2_b", back), ("3_n", "SELECT a FROM app.users")], Standing::Unknown),
            []
        );
    }
    let moved = "ALTER TABLE users SET SCHEMA app";
    one(
        &[("1_m", moved), ("2_n", "SELECT a FROM users")],
        Standing::Unknown,
        Grade::Error,
        "uses users, which 1_m takes away",
    );
    assert_eq!(found(&[("1_m", moved), ("2_n", "SELECT a FROM app.users")], Standing::Unknown), []);
    let typed = "CREATE FUNCTION f(u users) RETURNS int LANGUAGE sql AS ''";
    one(
        &[("1_m", moved), ("2_n", typed)],
        Standing::Unknown,
        Grade::Error,
        "uses users, which 1_m takes away",
    );
    one(
        &[("1_s", "DROP SCHEMA public CASCADE"), ("2_n", "SELECT a FROM users")],
        Standing::Unknown,
        Grade::Error,
        "takes away",
    );
}

#[test]
fn tables_of_one_name_in_two_schemas_are_two() {
    let pair = [("1_d", "DROP TABLE logs"), ("2_n", "SELECT a FROM b.logs")];
    one(
        &pair,
        Standing::Unknown,
        Grade::Warning,
        "uses b.logs, which may be what 1_d drops, if the search_path leads there",
    );
    assert_eq!(found_along("\"$user\", public", &pair, Standing::Open), []);
    let seen = found_along("b, public", &pair, Standing::Open);
    assert!(matches!(seen.as_slice(), [(Grade::Error, text)] if text.contains("takes away")), "{seen:?}");
    // Written out on both sides, nobody needs to ask.
    let pair = [("1_d", "DROP TABLE public.logs"), ("2_n", "SELECT a FROM b.logs")];
    assert_eq!(found(&pair, Standing::Unknown), []);
    one(
        &[("1_d", "DROP TABLE logs"), ("2_n", "SELECT a FROM public.logs")],
        Standing::Unknown,
        Grade::Error,
        "takes away",
    );
    let column = [("1_a", add("x")), ("2_b", add("x").replace("users", "app.users"))];
    let column = column.each_ref().map(|(stem, text)| (*stem, text.as_str()));
    one(&column, Standing::Open, Grade::Warning, "may be what 1_a makes");
    assert_eq!(found_along("public", &column, Standing::Open), []);
}

#[test]
fn the_role_s_own_schema_on_a_path_is_no_false_alarm() {
    let own = |rest: &str, sql: &str| format!("SET search_path = \"$user\"{rest};\n{sql}");
    let (made, used) = ("CREATE TABLE t (a int)", "SELECT a FROM t");
    // As with a path that nobody sets, the table stands in public.
    let pair = [("1_d", "DROP TABLE public.t"), ("2_n", &own(", public", used))];
    one(&pair, Standing::Unknown, Grade::Error, "uses public.t, which 1_d takes away");
    for (first, second) in [
        (own(", public", made), "DROP TABLE app.t; CREATE TABLE app.t (a int)".to_owned()),
        ("DROP TABLE app.t".into(), own(", public", used)),
        ("DROP TABLE public.t".into(), own("", used)),
        (own("", made), "CREATE TABLE public.t (a int)".into()),
    ] {
        assert_eq!(found(&[("1_a", &first), ("2_b", &second)], Standing::Unknown), [], "{first} {second}");
    }
    let doubt = [("1_d", "DROP TABLE ann.t"), ("2_n", &own("", used))];
    one(&doubt, Standing::Unknown, Grade::Warning, "which may be what 1_d drops");
}

#[test]
fn functions_of_other_arguments_are_others() {
    let drop = "DROP FUNCTION f(int)";
    assert_eq!(found(&[("1_d", drop), ("2_n", "ALTER FUNCTION f(text) STABLE")], Standing::Open), []);
    let said = "function f(int4), which 1_d takes away";
    one(&[("1_d", drop), ("2_n", "ALTER FUNCTION f(integer) STABLE")], Standing::Open, Grade::Error, said);
    one(
        &[("1_d", drop), ("2_n", "SELECT f(1)")],
        Standing::Open,
        Grade::Error,
        "uses function f, which 1_d takes away",
    );
    let other = "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS ''";
    assert_eq!(found(&[("1_d", drop), ("2_o", other), ("3_n", "SELECT f('')")], Standing::Open), []);
}

#[test]
fn the_array_of_a_type_goes_with_it() {
    let uses = [
        ("ALTER TABLE u ADD c k[]", "type k"),
        ("ALTER TABLE u ADD c _k", "type k"),
        ("CREATE FUNCTION f(public._k) RETURNS int LANGUAGE sql AS ''", "type k"),
        ("SELECT '_k'::regtype", "type k"),
    ];
    for gone in ["DROP TYPE k", "ALTER TYPE k RENAME TO l"] {
        for (text, thing) in uses {
            let said = format!("uses {thing}, which 1_g takes away");
            one(&[("1_g", gone), ("2_n", text)], Standing::Unknown, Grade::Error, &said);
            let again = "CREATE TYPE k AS ENUM ('a')";
            assert_eq!(
                found(&[("1_g", gone), ("2_a", again), ("3_n", text)], Standing::Unknown),
                [],
                "{text}"
            );
        }
    }
    let rows = [("1_g", "DROP TABLE t"), ("2_n", "ALTER TABLE u ADD c _t")];
    one(&rows, Standing::Unknown, Grade::Error, "uses t, which 1_g takes away");
    // Somebody's own type with such a name is none.
    for gone in ["ALTER TYPE k RENAME TO _k", "CREATE TYPE _k AS (a int); DROP TYPE k"] {
        assert_eq!(
            found(&[("1_g", gone), ("2_n", "ALTER TABLE u ADD c _k")], Standing::Unknown),
            [],
            "{gone}"
        );
    }
    let drop = [("1_d", "DROP FUNCTION f(_int4)"), ("2_n", "ALTER FUNCTION f(integer[]) STABLE")];
    one(&drop, Standing::Unknown, Grade::Error, "alters function f(int4[]), which 1_d takes away");
    let drop = [("1_d", "DROP FUNCTION f(int[])"), ("2_n", "ALTER FUNCTION f(int) STABLE")];
    assert_eq!(found(&drop, Standing::Unknown), []);
}
