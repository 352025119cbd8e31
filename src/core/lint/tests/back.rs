//! The way back is judged as well, and gets what can stand there.

use super::*;

#[test]
fn the_way_back_is_judged_as_well() {
    let undone = |sql: &str, undo: &str| {
        let text = format!("expand:\n  - sql: {sql}\n    undo: |\n      SELECT 1;\n      {undo}\n");
        let found = judge(&item(&text), world("CREATE INDEX i ON t (a)", 180_000), 0.0).unwrap();
        found.into_iter().map(|finding| (finding.rule, finding.line, finding.column, finding.why)).next()
    };
    let (rule, line, column, why) = undone("SELECT 1", "CREATE INDEX j ON t (a)").unwrap();
    assert_eq!((rule, line, column), ("create-index", 5, 7));
    assert!(why.starts_with("on abort: "), "{why}");
    let add = "ALTER TABLE t ADD COLUMN z int";
    assert_eq!(undone(add, "ALTER TABLE t DROP COLUMN z"), None);
    assert_eq!(undone(add, "ALTER TABLE t DROP COLUMN z; DELETE FROM t").unwrap().0, "delete-all");
    assert_eq!(undone(add, "SET lock_timeout = 0").unwrap().0, "no-timeout");
    assert_eq!(undone("CREATE TABLE v (a int)", "DROP TABLE v"), None);
    let allowed = "expand:\n  - sql: SELECT 1\n    undo: DROP INDEX i\n    lint: {allow: [{rule: drop-index, reason: at night}]}\n";
    let found = judge(&item(allowed), world("CREATE INDEX i ON t (a)", 180_000), 0.0).unwrap();
    assert_eq!((found.len(), found[0].refuses()), (1, false));
}

#[test]
fn an_undo_gets_a_statement_and_not_a_plan() {
    let text = "expand:\n  - sql: CREATE INDEX CONCURRENTLY i ON t (a)\n    undo: DROP INDEX i\n";
    let safe: Vec<_> = found(text, "", 180_000).into_iter().filter_map(|finding| finding.safe).collect();
    assert_eq!(safe, ["DROP INDEX CONCURRENTLY i"]);
}

/// What an undo is told to say instead of a statement.
fn instead(undo: &str, setup: &str) -> Vec<(&'static str, String)> {
    let indented = undo.replace('\n', "\n      ");
    let text = format!("expand:\n  - sql: SELECT 1\n    undo: |\n      {indented}\n");
    let refused = found(&text, setup, 180_000).into_iter().filter(Finding::refuses);
    refused.filter_map(|finding| Some((finding.rule, finding.safe?))).collect()
}

#[test]
fn what_an_undo_is_told_to_say_can_stand_there() {
    let mut told = 0;
    for row in table::rows().filter(|row| row.hazard.is_some()) {
        for (rule, safe) in instead(row.example.sql, row.example.setup) {
            assert!(!safe.contains('\n'), "{rule}: a plan is no undo: {safe}");
            if row.id == rule && row.hazard.is_some_and(|hazard| hazard.back.is_some()) {
                told += 1;
                assert_eq!(instead(&safe, row.example.setup), [], "{rule}: {safe}");
            }
        }
    }
    assert!(told >= 14, "only {told}");
    let one = |undo: &str, setup: &str| instead(undo, setup).pop().unwrap().1;
    assert_eq!(
        one("ALTER TABLE t ALTER COLUMN a SET NOT NULL", ""),
        "ALTER TABLE t ADD CONSTRAINT t_a_not_null CHECK (a IS NOT NULL) NOT VALID"
    );
    assert_eq!(
        one("ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()", ""),
        "ALTER TABLE t ADD COLUMN z uuid; ALTER TABLE t ALTER COLUMN z SET DEFAULT gen_random_uuid()"
    );
    assert!(
        one("ALTER TABLE t ALTER COLUMN a TYPE bigint", "")
            .starts_with("no statement does this on the way back")
    );
}
