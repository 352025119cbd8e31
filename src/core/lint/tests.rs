#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::table::SETTING;
use super::*;
use crate::core::compile::Server;
use crate::core::plan::{Source, parse};
use crate::core::sql::split;
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
    }
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
        let bad = found(&lesson.bad, lesson.setup, version);
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
    let text =
        "expand:\n  - sql: |\n      SELECT 1;\n        CREATE INDEX i ON t (a)\n    undo: DROP INDEX i\n";
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
    let known: Vec<String> =
        table::rows().flat_map(|row| [row.example.setup, row.example.sql]).map(str::to_owned).collect();
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn any_sql_gives_an_answer(sql in mangled(), version in prop::sample::select(vec![130_000, 140_001, 180_000])) {
        let mut world = world("", version);
        for statement in split(&sql).unwrap_or_default() {
            let effects = effects(&statement, &world);
            prop_assert_eq!(effects.len(), statement.changes.len());
            statement.changes.iter().for_each(|change| apply(&mut world, change));
            let _ = Mentions::of(&statement.changes);
        }
        let indented = sql.replace('\n', "\n      ");
        let text = format!("expand:\n  - sql: |\n      {indented}\n    undo: SELECT 1\n");
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
        ("CREATE TEMP TABLE t AS SELECT 1; ALTER TABLE t ALTER COLUMN a SET NOT NULL", "set-not-null"),
    ] {
        let text = format!("validate:\n  - sql: |\n      {sql}\n");
        let rules: Vec<_> = found(&text, "", 180_000).iter().map(|finding| finding.rule).collect();
        assert!(rules.contains(&rule), "{sql}: {rules:?}");
    }
}
