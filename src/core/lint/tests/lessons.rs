//! Every rule has examples that it tells apart, and a safe way.

use super::*;

/// Rules with no safe way in SQL: their findings say what to do in words.
const IN_WORDS: &[&str] = &[
    "add-exclusion",
    "cluster",
    "concurrent-build-14",
    "detach-partition-13",
    "detach-partition-beside-default",
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
        // What only shows without a catalog has no setting.
        let bad = match lesson.rule {
            "unknown-type" => judge(&item(&lesson.bad), World::offline(version), 0.0).unwrap(),
            _ => found(&lesson.bad, lesson.setup, version),
        };
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
fn what_needs_the_catalog_is_known() {
    let blind = |lesson: &Lesson| {
        let version = match lesson.rule {
            "concurrent-build-14" => 140_003,
            "detach-partition-13" => 130_000,
            _ => 180_000,
        };
        let findings = judge(&item(&lesson.bad), World::offline(version), 0.0).unwrap();
        !findings.iter().any(|finding| finding.rule == lesson.rule)
    };
    let found: Vec<_> = lessons().iter().filter(|lesson| blind(lesson)).map(|lesson| lesson.rule).collect();
    assert_eq!(found, idle::NEED_CATALOG);
}
