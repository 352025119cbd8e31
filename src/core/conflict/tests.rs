#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use crate::core::testing::item;

fn record(item: &Item, state: State) -> Record {
    Record { state, goal: state, ..Record::planned(item) }
}

const RENAME: &str = "expand:
  - {sql: ALTER TABLE users ADD COLUMN display_name text, undo: ALTER TABLE users DROP COLUMN display_name}
  - sync: {table: users, set: {display_name: name}, back: {name: display_name}}
contract:
  - drop_column: {table: users, column: name}
keep: 7d
";

fn add(column: &str) -> String {
    format!(
        "expand:\n  - {{sql: ALTER TABLE users ADD COLUMN {column} text, undo: ALTER TABLE users DROP COLUMN {column}}}\n"
    )
}

fn fill(from: &str) -> String {
    format!("{}backfill:\n  - {{table: users, set: {{nick: lower({from})}}}}\n", add("nick"))
}

/// Level and message of each conflict between items of which nothing or all is known to be open.
fn found(items: &[(&str, &str)], standing: Standing) -> Vec<(Grade, String)> {
    let items: Vec<Item> = items.iter().map(|(stem, text)| item(stem, text)).collect();
    let found = among(&items, &|_| standing).unwrap();
    found.into_iter().map(|conflict| (conflict.level, conflict.described())).collect()
}

#[track_caller]
fn one(items: &[(&str, &str)], standing: Standing, level: Grade, part: &str) {
    let found = found(items, standing);
    assert!(
        matches!(found.as_slice(), [(grade, text)] if *grade == level && text.contains(part)),
        "{found:#?}"
    );
}

#[test]
fn what_an_older_one_takes_away_is_an_error_whatever_is_known() {
    for standing in [Standing::Unknown, Standing::Open] {
        let text = fill("name");
        one(
            &[("1_r", RENAME), ("2_n", &text)],
            standing,
            Grade::Error,
            "it uses users.name, which 1_r takes away",
        );
        // It says that it builds on it, and all the same uses what goes.
        let text = format!("depends_on: [1_r]\n{text}");
        one(&[("1_r", RENAME), ("2_n", &text)], standing, Grade::Error, "use what takes its place");
        let sql = "CREATE VIEW names AS SELECT name FROM users";
        one(
            &[("1_r", RENAME), ("2_n", sql)],
            standing,
            Grade::Error,
            "migrations/2_n.sql:1:1: it uses users.name",
        );
        let sql = "ALTER TABLE public.users RENAME TO people";
        one(
            &[("1_s", sql), ("2_n", &add("x"))],
            standing,
            Grade::Error,
            "it uses users, which 1_s takes away",
        );
    }
    // What comes back on the way is there again; what a SQL migration says it builds on is meant.
    let back = "ALTER TABLE users ADD COLUMN name text";
    assert!(
        !found(&[("1_r", RENAME), ("2_b", back), ("3_n", "UPDATE users SET name = ''")], Standing::Unknown)
            .iter()
            .any(|(level, text)| *level == Grade::Error && text.contains("3_n"))
    );
    let meant = "-- depends_on: 1\nCREATE INDEX i ON users (lower(name))";
    assert_eq!(found(&[("1_r", RENAME), ("2_n", meant)], Standing::Open), []);
    let swap = "ALTER TABLE t RENAME TO t_old; CREATE TABLE t (a int)";
    assert_eq!(found(&[("1_s", swap), ("2_n", "INSERT INTO t (a) VALUES (1)")], Standing::Open), []);
}

#[test]
fn the_same_column_is_an_error_where_both_are_open() {
    let (old, new) = (fill("name"), RENAME);
    one(&[("1_n", &old), ("2_r", new)], Standing::Open, Grade::Error, "renames users.name, which 1_n uses");
    one(&[("1_n", &old), ("2_r", new)], Standing::Unknown, Grade::Warning, "must not be open at once");
    one(
        &[("1_a", &add("x")), ("2_b", &add("x"))],
        Standing::Open,
        Grade::Error,
        "makes users.x, which 1_a makes",
    );
    let text = format!("depends_on: [1_n]\n{new}");
    assert_eq!(found(&[("1_n", &old), ("2_r", &text)], Standing::Open), []);
    // By way of another.
    let (middle, last) = (
        "depends_on: [1]\nvalidate:\n  - assert: {name: x, sql: SELECT 1, expect: \"1\"}\n",
        format!("depends_on: [2]\n{new}"),
    );
    assert_eq!(found(&[("1_n", &old), ("2_m", middle), ("3_r", &last)], Standing::Open), []);
}

#[test]
fn the_same_table_is_a_warning_and_reading_is_nothing() {
    one(
        &[("1_a", &fill("x")), ("2_b", &add("y"))],
        Standing::Open,
        Grade::Warning,
        "which 1_a alters: each waits",
    );
    assert_eq!(found(&[("1_a", &fill("x")), ("2_b", &add("y"))], Standing::Unknown), []);
    // One that only expands has let go of its locks by the time.
    assert_eq!(found(&[("1_a", &add("x")), ("2_b", &add("y"))], Standing::Open), []);
    let index = |column: &str| {
        format!("expand:\n  - index: {{table: users, columns: [{column}], name: i_{column}}}\n")
    };
    assert_eq!(found(&[("1_a", &index("a")), ("2_b", &index("b"))], Standing::Open), []);
    // A SQL migration is over before anything newer begins.
    assert_eq!(
        found(&[("1_s", "ALTER TABLE users ADD COLUMN x int"), ("2_b", &fill("x"))], Standing::Open),
        []
    );
}

#[test]
fn bodies_that_say_the_word_are_a_warning() {
    let body = "DO $$ BEGIN UPDATE users SET name = trim(name); END $$";
    one(&[("1_r", RENAME), ("2_d", body)], Standing::Open, Grade::Warning, "uses users.name");
}

#[test]
fn what_is_in_flight_holds_up_what_wants_to_start() {
    let (old, new) = (item("1_n", &fill("name")), item("2_r", RENAME));
    let files = [old.clone(), new.clone()];
    let at = |state| reasons(&new, State::Expanded, &[record(&old, state)], &files);
    assert!(
        at(State::Expanded)[0].contains("renames users.name, which 1_n (expanded) uses: let it complete")
    );
    assert!(at(State::Expanded)[0].ends_with("or say depends_on: [1] where the two belong together"));
    for over in [State::Planned, State::Completed, State::Aborted] {
        assert_eq!(at(over), Vec::<String>::new(), "{over}");
    }
    // Without its file nobody knows which columns.
    let blind = reasons(&new, State::Expanded, &[record(&old, State::Expanded)], &[]);
    assert!(blind[0].contains("touches table users, which 1_n (expanded) is changing"), "{blind:?}");
    // What failed before any of its steps had run, and nobody can try again, holds nobody.
    let tried = |touched: &[&str], error: Option<&str>| Record {
        goal: State::Expanded,
        touched: touched.iter().map(ToString::to_string).collect(),
        error: error.map(str::to_owned),
        ..record(&old, State::Planned)
    };
    let held = |record: &Record, files: &[Item]| {
        !reasons(&new, State::Expanded, std::slice::from_ref(record), files).is_empty()
    };
    assert!(!held(&tried(&[], Some("no such table")), &[]));
    // With its file it may be tried again, without an error it may be at work, and a step is a step.
    assert!(held(&tried(&[], Some("no such table")), &files));
    assert!(held(&tried(&[], None), &[]));
    assert!(held(&tried(&["expand.1"], Some("no such table")), &[]));
    // Nor does it hold what it builds on from being taken back.
    let on_it = |error| Record { depends_on: vec![new.version.clone()], ..tried(&[], error) };
    assert_eq!(dependents(&new, &[on_it(Some("no such table"))]), Vec::<String>::new());
    assert_eq!(dependents(&new, &[on_it(None)]).len(), 1);
    // A SQL migration as well, and it may say that it builds on it.
    let sql = item("3_s", "UPDATE users SET nick = NULL");
    let held = reasons(&sql, State::Completed, &[record(&old, State::Backfilled)], &files);
    assert!(held[0].contains("-- depends_on: 1"), "{held:?}");
    let sql = item("3_s", "-- depends_on: 1\nUPDATE users SET nick = NULL");
    assert_eq!(
        reasons(&sql, State::Completed, &[record(&old, State::Backfilled)], &files),
        Vec::<String>::new()
    );
    // Nor does a row as a value hold a column from whoever builds on it.
    let (rows, gone) = (
        item(
            "1_n",
            "expand:\n  - {sql: CREATE VIEW v AS SELECT row_to_json(u) FROM users u, undo: DROP VIEW v}\n",
        ),
        item("3_s", "-- depends_on: 1\nALTER TABLE users DROP COLUMN name"),
    );
    let both = [rows.clone(), gone.clone()];
    assert_eq!(
        reasons(&gone, State::Completed, &[record(&rows, State::Expanded)], &both),
        Vec::<String>::new()
    );
    // Other columns of the table: to know, not to wait for.
    let other = item("3_o", &add("z"));
    assert_eq!(
        reasons(&other, State::Expanded, &[record(&old, State::Expanded)], &files),
        Vec::<String>::new()
    );
    let said = cautions(&other, &[record(&old, State::Expanded)], &files);
    assert!(said[0].contains("it alters users, which 1_n (expanded) alters"), "{said:?}");
    // Where it has no step left, there is no lock to wait for; where it is on its way, there is.
    let only = item("1_n", &add("nick"));
    let files = [only.clone(), new.clone()];
    assert_eq!(cautions(&other, &[record(&only, State::Expanded)], &files), Vec::<String>::new());
    let begun = Record { state: State::Planned, ..record(&only, State::Expanded) };
    assert_eq!(cautions(&other, &[begun], &files).len(), 1);
    assert_eq!(
        cautions(&other, &[record(&old, State::Backfilled)], std::slice::from_ref(&old)),
        Vec::<String>::new()
    );
}

const DROP: &str = "contract:\n  - drop_column: {table: users, column: name}\n";

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

/// The same with what a server says of the path.
fn found_along(path: &str, items: &[(&str, &str)], standing: Standing) -> Vec<(Grade, String)> {
    let record = crate::core::ident::Ident::parse("phase").unwrap();
    let path = SearchPath::read(path, "ann", &record);
    let items: Vec<Item> =
        items.iter().map(|(stem, text)| Item { path: path.clone(), ..item(stem, text) }).collect();
    let found = among(&items, &|_| standing).unwrap();
    found.into_iter().map(|conflict| (conflict.level, conflict.described())).collect()
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

#[test]
fn what_is_there_is_not_made_again() {
    let twice = |first: &str, second: &str| found(&[("1_a", first), ("2_b", second)], Standing::Unknown);
    for (first, second, thing) in [
        (add("x"), add("x"), "users.x"),
        (add("x"), format!("depends_on: [1]\n{}", add("x")), "users.x"),
        (
            "ALTER TABLE users ADD x int".into(),
            "-- depends_on: 1\nALTER TABLE users ADD x int".into(),
            "users.x",
        ),
        ("CREATE TABLE t (a int)".into(), "CREATE TABLE t (a int)".into(), "t"),
        ("CREATE TABLE IF NOT EXISTS t (a int)".into(), "CREATE TABLE t (a int)".into(), "t"),
        ("CREATE INDEX i ON t (a)".into(), "CREATE INDEX i ON u (a)".into(), "i"),
        (
            "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)".into(),
            "ALTER TABLE t ADD CONSTRAINT k UNIQUE (b)".into(),
            "constraint k of t",
        ),
        ("CREATE SCHEMA s".into(), "CREATE SCHEMA s".into(), "schema s"),
        ("ALTER TABLE t RENAME a TO b".into(), "ALTER TABLE t ADD b int".into(), "t.b"),
        (
            "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS ''".into(),
            "CREATE FUNCTION f(integer) RETURNS int LANGUAGE sql AS ''".into(),
            "function f(int4)",
        ),
    ] as [(String, String, &str); 10]
    {
        let seen = twice(&first, &second);
        let way = match thing.split(' ').next() {
            Some("constraint") => "choose another name",
            Some("function") => "say OR REPLACE",
            _ => "say IF NOT EXISTS",
        };
        let said = format!("it makes {thing}, which 1_a makes as well: leave it to that one, or {way}");
        assert!(
            matches!(seen.as_slice(), [(Grade::Error, text)] if text.contains(&said)),
            "{second}: {seen:#?}"
        );
    }
    for (first, second) in [
        ("CREATE TABLE t (a int)", "CREATE TABLE IF NOT EXISTS t (a int)"),
        ("ALTER TABLE t ADD a int", "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int"),
        ("CREATE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW v AS SELECT 2"),
        ("CREATE INDEX i ON t (a)", "DROP INDEX i; CREATE INDEX i ON t (b)"),
        ("CREATE TABLE t (a int)", "DROP TABLE t; CREATE TABLE t (a int)"),
        ("CREATE TABLE t (a int); DROP TABLE t", "CREATE TABLE t (a int)"),
        (
            "CREATE SCHEMA s; CREATE TABLE s.t (a int)",
            "DROP SCHEMA s CASCADE; CREATE SCHEMA s; CREATE TABLE s.t (a int)",
        ),
        (
            "ALTER TABLE t RENAME TO o; CREATE TABLE t (a int)",
            "ALTER TABLE t RENAME TO p; CREATE TABLE t (a int)",
        ),
        ("CREATE TEMP TABLE t (a int)", "CREATE TEMP TABLE t (a int)"),
        (
            "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS ''",
            "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS ''",
        ),
    ] {
        assert_eq!(twice(first, second), [], "{second}");
    }
    let between = [
        ("1_a", "ALTER TABLE t ADD a int"),
        ("2_d", "ALTER TABLE t DROP a"),
        ("3_b", "ALTER TABLE t ADD a int"),
    ];
    assert_eq!(found(&between, Standing::Unknown), []);
    let doubt = [("1_a", "CREATE TABLE t (a int)"), ("2_b", "CREATE TABLE app.t (a int)")];
    one(&doubt, Standing::Unknown, Grade::Warning, "makes app.t, which may be what 1_a makes");
    assert_eq!(found_along("public", &doubt, Standing::Open), []);
    assert_eq!(found(&[("1_a", &add("x")), ("2_b", &add("x"))], Standing::Over), []);
    // The constraints of the program's own are no names that anybody chose.
    let proven = "validate:\n  - not_null: {table: users, column: name}\n";
    one(&[("1_a", proven), ("2_b", proven)], Standing::Unknown, Grade::Warning, "alters users.name");
    let index = "validate:\n  - index: {table: users, columns: [name], name: i}\n";
    one(
        &[("1_a", index), ("2_b", index)],
        Standing::Unknown,
        Grade::Error,
        "makes i, which 1_a makes as well",
    );
}

#[test]
fn what_has_a_name_of_its_own_is_not_made_again() {
    let twice = |first: &str, second: &str| found(&[("1_a", first), ("2_b", second)], Standing::Unknown);
    let trigger = "CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()";
    let or_replace = "say OR REPLACE (14 and up), or drop it first";
    for (made, thing, way) in [
        (trigger, "trigger g on t", or_replace),
        (
            "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "trigger g on t",
            or_replace,
        ),
        ("CREATE POLICY p ON t", "policy p on t", "choose another name"),
        ("CREATE RULE r AS ON INSERT TO t DO NOTHING", "rule r on t", "say OR REPLACE"),
        ("CREATE PUBLICATION p", "publication p", "choose another name"),
        ("CREATE EXTENSION x", "extension x", "say IF NOT EXISTS"),
        ("CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION f()", "event trigger e", "choose another name"),
        ("CREATE STATISTICS z ON a, b FROM t", "statistics z", "say IF NOT EXISTS"),
    ] {
        let said = format!("it makes {thing}, which 1_a makes as well: leave it to that one, or {way}");
        let seen = twice(made, made);
        assert!(
            matches!(seen.as_slice(), [(Grade::Error, text)] if text.contains(&said)),
            "{made}: {seen:#?}"
        );
        let kind = made.split(' ').skip(1).take_while(|word| word.chars().all(|c| c.is_ascii_uppercase()));
        let kind = kind.filter(|word| *word != "CONSTRAINT").collect::<Vec<_>>().join(" ");
        let (name, on) = thing.rsplit_once(" on ").map_or((thing, ""), |(thing, _)| (thing, " ON t"));
        let name = name.rsplit(' ').next().unwrap_or_default();
        let anew = format!("DROP {kind} IF EXISTS {name}{on}; {made}");
        assert_eq!(twice(made, &anew), [], "{anew}");
        let away = format!("DROP {kind} {name}{on}");
        assert_eq!(found(&[("1_a", made), ("2_d", &away), ("3_b", made)], Standing::Unknown), [], "{away}");
        assert_eq!(twice(&format!("{made}; {away}"), made), [], "{away}");
        let used = format!("COMMENT ON {kind} {name}{on} IS 'x'");
        one(&[("1_d", &away), ("2_n", &used)], Standing::Unknown, Grade::Error, "which 1_d takes away");
    }
    for (first, second) in [
        (trigger, "CREATE OR REPLACE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()"),
        (trigger, "CREATE TRIGGER g AFTER INSERT ON u EXECUTE FUNCTION f()"),
        (trigger, "CREATE TRIGGER h AFTER INSERT ON t EXECUTE FUNCTION f()"),
        (trigger, "CREATE POLICY g ON t"),
        ("CREATE EXTENSION x", "CREATE EXTENSION IF NOT EXISTS x"),
        ("CREATE EXTENSION x", "ALTER EXTENSION x SET SCHEMA s"),
        (
            "CREATE RULE r AS ON INSERT TO t DO NOTHING",
            "CREATE OR REPLACE RULE r AS ON INSERT TO t DO NOTHING",
        ),
        // With its table, or with what it depends on.
        ("CREATE POLICY p ON t", "DROP TABLE t; CREATE TABLE t (a int); CREATE POLICY p ON t"),
        (trigger, "DROP FUNCTION f CASCADE; CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION h()"),
        (
            trigger,
            "ALTER TABLE t DROP COLUMN a CASCADE; CREATE TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
        ),
        ("CREATE VIEW v AS SELECT 1", "DROP VIEW base CASCADE; CREATE VIEW v AS SELECT 2"),
    ] {
        let errors: Vec<_> =
            twice(first, second).into_iter().filter(|(grade, _)| *grade == Grade::Error).collect();
        assert_eq!(errors, [], "{second}");
    }
    let both =
        [("1_a", "CREATE PUBLICATION p"), ("2_c", "DROP VIEW v CASCADE"), ("3_b", "CREATE PUBLICATION p")];
    one(&both, Standing::Unknown, Grade::Error, "makes publication p");
    // What nobody is sure of.
    let doubt = [("1_a", "CREATE POLICY p ON t"), ("2_b", "CREATE POLICY p ON app.t")];
    one(&doubt, Standing::Unknown, Grade::Warning, "makes policy p on app.t, which may be what 1_a makes");
}
