#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

fn kinds(sql: &str) -> Vec<Kind> {
    split(sql).unwrap().into_iter().map(|statement| statement.kind).collect()
}

#[test]
fn a_script_is_split_where_the_parser_says() {
    let sql = "-- first\nSELECT ';' ; /* a /* b */ ; */ DO $$ BEGIN PERFORM 1; END $$;\n\n  SELECT 2 -- end";
    let statements = split(sql).unwrap();
    let texts: Vec<_> = statements.iter().map(|s| (s.text.as_str(), s.line)).collect();
    assert_eq!(texts, [("SELECT ';'", 2), ("DO $$ BEGIN PERFORM 1; END $$", 2), ("SELECT 2 -- end", 4)]);
}

#[test]
fn statements_that_cannot_share_a_transaction_are_told_apart() {
    let outside = |sql: &str| matches!(kinds(sql).as_slice(), [Kind::Outside { .. }]);
    for sql in [
        "VACUUM",
        "VACUUM (FULL) t",
        "REINDEX INDEX CONCURRENTLY i",
        "REINDEX (CONCURRENTLY) TABLE t",
        "REINDEX SCHEMA public",
        "REINDEX DATABASE d",
        "CREATE DATABASE d",
        "DROP DATABASE d",
        "ALTER SYSTEM SET work_mem = '1MB'",
        "CLUSTER",
        "DROP TABLESPACE s",
    ] {
        assert!(outside(sql), "{sql}");
    }
    for sql in
        ["REINDEX TABLE t", "ANALYZE t", "CLUSTER t USING i", "ALTER TABLE p DETACH PARTITION c", "CALL p()"]
    {
        assert_eq!(kinds(sql), [Kind::Transactional], "{sql}");
    }
    assert!(matches!(&kinds("ALTER TABLE s.p DETACH PARTITION c CONCURRENTLY")[0],
        Kind::Detach { table, partition } if table.plain() == "s.p" && partition.plain() == "c"));
    // A cast and its like have no name, and can be dropped all the same.
    assert_eq!(
        kinds("DROP CAST (text AS mytype); DROP OPERATOR CLASS c USING btree"),
        [Kind::Transactional, Kind::Transactional]
    );
    assert_eq!(kinds("ALTER TYPE e ADD VALUE 'x'"), [Kind::OwnCommit]);
    assert_eq!(kinds("ALTER TYPE e RENAME VALUE 'x' TO 'y'"), [Kind::Transactional]);
    assert_eq!(kinds("COMMIT; SAVEPOINT x"), [Kind::TransactionControl, Kind::TransactionControl]);
    assert_eq!(kinds("COPY t FROM STDIN"), [Kind::Copy]);
    assert!(matches!(&kinds("CREATE UNIQUE INDEX CONCURRENTLY i ON s.t (a)")[0],
        Kind::BuildIndex(b) if b.unique && b.table.plain() == "s.t"));
    assert!(
        matches!(&kinds("DROP INDEX CONCURRENTLY s.i")[0], Kind::DropIndex(d) if d.indexes[0].plain() == "s.i")
    );
}

#[test]
fn columns_may_leave_their_type_to_others() {
    for sql in [
        "CREATE TABLE c PARTITION OF p (a NOT NULL DEFAULT 1, CONSTRAINT k CHECK (b > 0)) FOR VALUES IN (1)",
        "CREATE TABLE t OF y (id WITH OPTIONS PRIMARY KEY, UNIQUE (name))",
    ] {
        assert_eq!(kinds(sql), [Kind::Transactional], "{sql}");
    }
}

#[test]
fn columns_are_qualified_in_the_tree_and_not_in_the_text() {
    let expr = "coalesce(name, 'name') || \"Näme\" /* name */ || lower(name) -- name";
    assert_eq!(
        qualify(expr, "NEW").unwrap(),
        "coalesce(NEW.name, 'name') || NEW.\"Näme\" /* name */ || lower(NEW.name) -- name\n"
    );
    let columns: Vec<_> = expression_columns("a + B * a").unwrap();
    assert_eq!(columns.iter().map(|c| c.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn nothing_reaches_outside_its_brackets() {
    for expr in
        ["1) FROM x --", "1), (2", "1; DROP TABLE x", "1) UNION (SELECT 2", "", "a, b", "*", "1) AS x --"]
    {
        assert!(check_expression(expr).is_err(), "{expr}");
        assert!(expression_columns(expr).is_err(), "{expr}");
    }
    for expr in ["t.a", "(SELECT 1)", "$1", "count(*) OVER ()", "count(*)"] {
        assert!(expression_columns(expr).is_err(), "{expr}");
    }
    for expr in ["true) ORDER BY (1", "true) GROUP BY (1", "", "true); DELETE FROM t; SELECT (1"] {
        assert!(check_predicate(expr).is_err(), "{expr}");
    }
    assert!(check_predicate("EXISTS (SELECT FROM t WHERE t.a = b) -- yes").is_ok());
    assert!(check_expression("(SELECT max(x) FROM t WHERE t.a = b) -- yes").is_ok());
    assert!(check_query("SELECT 1").is_ok());
    for sql in ["SELECT 1; SELECT 2", "DELETE FROM t", "SELECT 1 INTO t", ""] {
        assert!(check_query(sql).is_err(), "{sql}");
    }
}

#[test]
fn relations_are_found_wherever_they_stand() {
    let found = |sql: &str| tables(sql).unwrap().iter().map(|t| t.plain()).collect::<Vec<_>>().join(" ");
    assert_eq!(
        found("WITH c AS (SELECT * FROM a) INSERT INTO b SELECT * FROM c ON CONFLICT DO NOTHING"),
        "a b"
    );
    assert_eq!(found("ALTER TABLE s.a RENAME TO b; DROP TABLE c, d"), "c d s.a");
    assert_eq!(found("CREATE TRIGGER x BEFORE INSERT ON a EXECUTE FUNCTION f()"), "a");
    assert_eq!(found("ALTER TABLE a ADD FOREIGN KEY (x) REFERENCES b"), "a b");
    assert_eq!(found("TRUNCATE a; COMMENT ON COLUMN b.c IS 'x'; LOCK TABLE d"), "a d");
    assert_eq!(made_tables("CREATE TABLE a (x int); CREATE TABLE b AS SELECT 1").unwrap().len(), 2);
}

#[test]
fn deep_and_long_input_gives_an_answer() {
    assert_eq!(check_expression(&vec!["1"; 300].join("+")), Ok(()));
    // PostgreSQL's own depth check, or the parser's memory, ends this with an error.
    let _ = check_expression(&format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000)));
    for sql in ["", ";;;", "-- only", "/* open", "$$ open", "'open", "\0", "SELECT \u{1F600}"] {
        let _ = split(sql);
        let _ = check_expression(sql);
    }
}

#[test]
fn what_is_nested_too_deeply_is_told_with_its_place() {
    let long = |between: &str| vec!["a"; 12_000].join(between);
    for chain in [long("+"), long(" || ")] {
        let script = format!("SELECT ';';\n-- a chain;\nSELECT {chain} FROM t;\nSELECT 2");
        let error = split(&script).unwrap_err();
        assert!(error.message.contains("Write it with fewer"), "{}", error.message);
        assert_eq!(error.offset, script.find("SELECT a"));
        assert!(check_expression(&chain).unwrap_err().message.contains("Write it with fewer"));
    }
    // Its neighbours in a body are no statements of their own.
    let body =
        format!("SELECT 1; CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT {}; END", long("+"));
    assert!(split(&body).unwrap_err().message.contains("Write it with fewer"));
    // A long list is not deep, nor are as many operators in as many statements.
    assert!(
        split(&format!("SELECT 1 WHERE b IN ({}) AND {}", long(", "), vec!["b = 1"; 12_000].join(" AND ")))
            .is_ok()
    );
    assert!(split(&"SELECT 1 + 2 + 3;".repeat(3_000)).is_ok());
}

proptest! {
    #[test]
    fn any_text_gives_an_answer(text in "\\PC{0,60}") {
        let _ = split(&text);
        let _ = qualify(&text, "NEW");
        let _ = check_predicate(&text);
    }

    #[test]
    fn splitting_loses_nothing(parts in proptest::collection::vec("SELECT x[a-z]{1,5}( -- c\n)?", 1..6)) {
        let statements = split(&parts.join(";\n")).unwrap();
        prop_assert_eq!(statements.len(), parts.len());
        for (statement, part) in statements.iter().zip(&parts) {
            prop_assert_eq!(&statement.text, part.trim_end());
        }
    }
}

#[test]
fn a_fault_of_syntax_is_found_in_its_script() {
    for (sql, at) in [
        ("SELECT 1; SELEC 2; SELECT 3", Some(10)),
        ("SELECT 1;\n SELECT FROM FROM", Some(23)),
        ("SELECT a, FROM, b FROM c", Some(10)),
        ("SELECT (1", Some(9)),
        ("SELECT 'a", Some(7)),
        ("SELECT 1; SELECT $$x", Some(17)),
        ("SELECT 1", None),
    ] {
        assert_eq!(split(sql).err().map(|error| error.offset), at.map(Some), "{sql}");
    }
}

#[test]
fn a_type_that_cannot_be_written_again_is_an_error() {
    for sql in
        ["ALTER TABLE t ALTER COLUMN a TYPE numeric(1 + 1)", "ALTER TABLE t ADD COLUMN a numeric(f(1))"]
    {
        let error = split(sql).expect_err(sql);
        assert!(error.message.contains("modifiers"), "{error}");
    }
}
