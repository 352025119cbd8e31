//! What two changes make under one name.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;

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
