//! What a change of type costs, by what hangs on the column.

use super::*;

#[test]
fn a_change_of_type_is_as_dear_as_what_hangs_on_the_column() {
    let met = |setup: &str, sql: &str| {
        let text = format!(
            "expand:\n  - sql: {sql}\n    undo: \"irreversible: an example\"\n  - sql: ANALYZE\n    undo: \"irreversible: x\"\n"
        );
        rules(&text, world(setup, 180_000)).first().copied()
    };
    let wider = "ALTER TABLE t ALTER COLUMN b TYPE varchar(40)";
    for (setup, sql, rule) in [
        ("SELECT 1", wider, None),
        ("CREATE INDEX i ON t (b)", wider, None),
        ("CREATE INDEX i ON t (b)", "ALTER TABLE t ALTER COLUMN b TYPE text USING b::text", None),
        ("CREATE INDEX i ON t (b)", "ALTER TABLE t ALTER COLUMN b TYPE text USING b", None),
        ("SELECT 1", "ALTER TABLE t ALTER COLUMN b TYPE text USING lower(b)", Some("alter-type")),
        ("SELECT 1", "ALTER TABLE t ALTER COLUMN b TYPE text USING b::varchar(3)", Some("alter-type")),
        ("CREATE INDEX i ON t (lower(b))", wider, Some("alter-type-index")),
        ("CREATE INDEX i ON t (id) WHERE b <> ''", wider, Some("alter-type-index")),
        ("CREATE INDEX i ON t (id) INCLUDE (b)", wider, None),
        (
            "CREATE INDEX i ON t (b)",
            "ALTER TABLE t ALTER COLUMN b TYPE text COLLATE \\\"C\\\"",
            Some("alter-type-index"),
        ),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (b <> '')", wider, Some("alter-type-check")),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (b <> '') NOT VALID", wider, None),
        ("SELECT 1", "ALTER TABLE t ALTER COLUMN at TYPE timestamptz", None),
        (
            "CREATE INDEX i ON t (at)",
            "ALTER TABLE t ALTER COLUMN at TYPE timestamptz",
            Some("alter-type-timestamptz"),
        ),
    ] {
        let sql = if sql.contains('"') { format!("\"{sql}\"") } else { sql.to_owned() };
        let found = met(setup, &sql).filter(|rule| rule.starts_with("alter-type"));
        assert_eq!(found, rule, "{setup}; {sql}");
    }
    let parted = "CREATE TABLE q (id bigint, b varchar(20)) PARTITION BY RANGE (id); \
                  CREATE TABLE q1 PARTITION OF q FOR VALUES FROM (0) TO (100)";
    let wider = "ALTER TABLE q ALTER COLUMN b TYPE varchar(40)";
    assert_eq!(met(parted, wider), None);
    assert_eq!(met(&format!("{parted}; CREATE INDEX i ON q1 (lower(b))"), wider), Some("alter-type-index"));
    let check = format!("{parted}; ALTER TABLE q1 ADD CONSTRAINT k CHECK (b <> '')");
    assert_eq!(met(&check, wider), Some("alter-type-check"));
}

#[test]
fn work_is_told_of_the_table_that_is_worked_on() {
    let works = |setup: &str, sql: &str| -> Vec<(String, &'static str)> {
        let mut world = world(setup, 180_000);
        let inspected = inspect_sql(&[sql.to_owned()], &mut world).unwrap();
        taken(&inspected).into_iter().map(|taken| (taken.relation, taken.work)).collect()
    };
    let key = "ALTER TABLE t ADD FOREIGN KEY (r_id) REFERENCES r (id)";
    let told = |relation: &str, work| (relation.to_owned(), work);
    assert_eq!(
        works(key, "ALTER TABLE r ALTER id TYPE numeric"),
        [told("r", "writes the whole table anew"), told("t", "reads every row")]
    );
    let key = "ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES r (x); CREATE INDEX i ON t (lower(b))";
    assert_eq!(
        works(key, "ALTER TABLE t ALTER COLUMN b TYPE varchar(40)"),
        [told("r", "changes the catalog only"), told("t", "builds an index")]
    );
}
