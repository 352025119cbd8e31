#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use super::super::{SMALL_TABLE_BYTES, World, judge};
use super::*;
use crate::core::testing::item;

fn said(stem: &str, text: &str, wanted: Wanted) -> Vec<(String, usize, usize)> {
    let item = item(stem, text);
    let findings = judge(&item, World::offline(Server::NEWEST.version), SMALL_TABLE_BYTES).unwrap();
    let found = opinions(&item, Server::NEWEST, &findings, wanted).unwrap();
    found.into_iter().map(|opinion| (opinion.rule, opinion.line, opinion.column)).collect()
}

fn rules(sql: &str, wanted: Wanted) -> Vec<String> {
    said("1_m", sql, wanted).into_iter().map(|(rule, ..)| rule).collect()
}

#[test]
fn what_nobody_here_says_is_shown_where_it_stands() {
    let sql = "-- UP\nCREATE TABLE t (id bigint PRIMARY KEY);\n\n  ALTER TABLE t ADD COLUMN at timestamp, ADD COLUMN code char(3);\n";
    let found = said("1_m", sql, Wanted::New);
    assert!(found.contains(&("prefer-timestamp-tz".into(), 4, 3)), "{found:?}");
    assert!(found.contains(&("ban-char-field".into(), 4, 3)), "{found:?}");
    let plan = "expand:\n  - sql: |\n      ALTER TABLE t ADD COLUMN at timestamp\n    undo: ALTER TABLE t DROP COLUMN at\n";
    assert_eq!(said("1_p", plan, Wanted::New), [("prefer-timestamp-tz".into(), 3, 7)]);
}

#[test]
fn nothing_is_said_twice() {
    // Here create-index says so already.
    assert_eq!(rules("CREATE INDEX i ON t (a)", Wanted::All), Vec::<String>::new());
    assert_eq!(rules("ALTER TABLE t DROP COLUMN a", Wanted::All), Vec::<String>::new());
    // In contract the old shape goes, and the program's own rules know that.
    let plan = "contract:\n  - sql: DROP VIEW v; ALTER TABLE t DROP COLUMN a\n";
    assert_eq!(said("1_p", plan, Wanted::New), []);
    assert_eq!(
        said("1_p", plan, Wanted::All).iter().map(|said| said.0.as_str()).collect::<Vec<_>>(),
        ["ban-drop-column"]
    );
    assert_eq!(rules("DROP VIEW v", Wanted::New), Vec::<String>::new());
    assert_eq!(rules("ALTER TABLE t ALTER a DROP DEFAULT", Wanted::New), ["ban-drop-default"]);
}

#[test]
fn no_comment_takes_an_opinion_back() {
    for sql in [
        "-- squawk-ignore-file\nALTER TABLE t ADD COLUMN at timestamp",
        "SELECT 1;\n-- squawk-ignore prefer-timestamp-tz\nALTER TABLE t ADD COLUMN at timestamp",
        "ALTER TABLE t /* squawk-ignore */ ADD COLUMN at timestamp -- squawk-ignore",
        "ALTER TABLE t\n-- squawk-ignore prefer-timestamp-tz\nADD COLUMN at timestamp",
    ] {
        assert_eq!(rules(sql, Wanted::New), ["prefer-timestamp-tz"], "{sql}");
    }
}

#[test]
fn the_mode_of_the_step_and_the_server_count() {
    let index = "-- lint: allow add-check: it is tiny\nALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID; ALTER TABLE t VALIDATE CONSTRAINT c";
    assert!(rules(index, Wanted::All).iter().all(|rule| rule != "ban-uncommitted-transaction"));
    let transaction = squawk::ask(
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c",
        Server::NEWEST,
        true,
    );
    let alone = squawk::ask(
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;\nALTER TABLE t VALIDATE CONSTRAINT c",
        Server::NEWEST,
        false,
    );
    let names = |answer: Option<squawk::Answer>| {
        answer.unwrap().said.iter().filter(|said| said.rule == "constraint-missing-not-valid").count()
    };
    assert_eq!((names(transaction), names(alone)), (1, 0));
    let default = "ALTER TABLE t ADD COLUMN a int DEFAULT 1";
    let at = |version| {
        squawk::ask(default, Server { version }, true)
            .unwrap()
            .said
            .iter()
            .any(|said| said.rule == "adding-field-with-default")
    };
    assert_eq!((at(100_000), at(110_000), at(150_018)), (true, false, false));
}

#[test]
fn starts_must_agree_where_both_see_a_statement() {
    let statements = split("SELECT 1;\nSELECT 2").unwrap();
    assert_eq!(astray(&statements, &[0, 10]), None);
    // One that it takes for a part of another is missing, and that is all.
    assert_eq!(astray(&statements, &[0]), None);
    assert_eq!(astray(&statements, &[0, 12]), Some((1, 12)));
    let swallowed = "CREATE SCHEMA s; CREATE TABLE s.t (at timestamp)";
    assert_eq!(rules(swallowed, Wanted::New), ["prefer-timestamp-tz"]);
}

#[test]
fn depth_and_length_end_without_an_opinion() {
    let deep = |open: &str, close: &str, n: usize| format!("SELECT {}1{}", open.repeat(n), close.repeat(n));
    for sql in [
        deep("(", ")", 1_500),
        deep("(", ")", 2_900),
        deep("f(1, ", ")", 1_900),
        deep("- ", "", 5_000),
        format!("SELECT {}", vec!["1"; 20_000].join("+")),
        format!("SELECT {}", vec!["(1, 2)"; 2_000].join(", ")),
        deep("(", ")", 100_000),
    ] {
        let Ok(statements) = split(&sql) else { continue };
        assert_eq!(statements.len(), 1);
        let _ = rules(&sql, Wanted::All);
    }
    assert!(nesting(&deep("(", ")", 2_900)).unwrap() > MAX_NESTING);
    assert!(nesting(&vec!["INSERT INTO t VALUES (1, (2 + 3) * 4)"; 5_000].join(";")).unwrap() < 20);
}

proptest! {
    #[test]
    fn comments_become_blanks_of_the_same_length(text in "(-- [a-zé;']{0,8}\n|/\\* [é/]{0,4} \\*/|'--'|\\$\\$/\\*\\$\\$|[a-z ;]{0,6}){0,8}") {
        if let (Ok(blank), Ok(before)) = (blank_comments(&text), split(&text)) {
            prop_assert_eq!(blank.len(), text.len());
            let after = split(&blank).unwrap();
            prop_assert_eq!(
                before.iter().map(|statement| statement.offset).collect::<Vec<_>>(),
                after.iter().map(|statement| statement.offset).collect::<Vec<_>>()
            );
        }
    }
}
