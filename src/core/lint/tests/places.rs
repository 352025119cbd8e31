//! Where a finding points, and what is let through: what is small, new or accepted.

use super::*;

#[test]
fn a_finding_points_into_the_block() {
    let text = "expand:\n  - sql: |\n      SELECT 1;\n        CREATE INDEX i ON t (a)\n    undo: DROP INDEX CONCURRENTLY i\n";
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

#[test]
fn an_acceptance_of_nothing_is_reported_at_its_place() {
    let text = "expand:\n  - sql: CREATE INDEX i ON t (a)\n    undo: SELECT 1\n    lint:\n      allow:\n        - {rule: create-index, reason: x}\n        - {rule: drop-index, reason: y}\n";
    let unused = |world: World, small: f64| {
        let found = judge(&item(text), world, small).unwrap();
        found.into_iter().filter(|finding| finding.rule == "unused-allow").collect::<Vec<_>>()
    };
    let found = unused(World::offline(180_000), 0.0);
    assert_eq!((found.len(), found[0].line, found[0].statement.as_str()), (1, 7, "allow drop-index"));
    // That the table is small today does not make it useless.
    assert_eq!(unused(small(""), SMALL_TABLE_BYTES).len(), 1);
    // What is needed where no catalog can be asked is of use.
    let wider = "expand:\n  - sql: ALTER TABLE t ALTER COLUMN b TYPE text\n    undo: SELECT 1\n    lint: {allow: [{rule: alter-type, reason: it only gets longer}]}\n  - sql: ANALYZE t\n    undo: SELECT 1\n";
    assert_eq!(rules(wider, world("", 180_000)), Vec::<&str>::new());
    let blind = text.replace("drop-index", "alter-type-check");
    let offline = judge(&item(&blind), World::offline(180_000), 0.0).unwrap();
    assert!(!offline.iter().any(|finding| finding.rule == "unused-allow"));
}
