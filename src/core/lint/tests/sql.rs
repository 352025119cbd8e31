//! What a SQL migration is told to say instead: SQL where that is enough, else a plan with its file's name.

use super::*;

/// The safe ways against the UP of a SQL migration.
fn instead(up: &str, setup: &str) -> Vec<String> {
    let text = format!("-- UP\n{up};\n-- DOWN\nSELECT 1;\n");
    let refused = found(&text, setup, 180_000).into_iter().filter(Finding::refuses);
    refused.filter_map(|finding| finding.safe).collect()
}

/// The SQL migrations that a safe way prints.
fn files(safe: &str) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for line in safe.lines() {
        if line == "-- UP" {
            files.push(String::new());
        }
        if let Some(file) = files.last_mut().filter(|_| !line.ends_with(':')) {
            *file += &format!("{line}\n");
        }
    }
    files
}

#[test]
fn sql_that_can_be_pasted_meets_no_objection() {
    let mut told = 0;
    for row in table::rows().filter(|row| row.hazard.is_some()) {
        for safe in instead(row.example.sql, row.example.setup).iter().filter(|safe| safe.starts_with("-- "))
        {
            told += 1;
            let files = files(safe);
            assert!(!files.is_empty(), "{safe}");
            let mut before = Passage::default();
            for file in files {
                let item = item(&file);
                let mut world = world(row.example.setup, 180_000);
                before.over(&mut world);
                before.add(&item).unwrap();
                let findings = judge(&item, world, SMALL_TABLE_BYTES).unwrap();
                assert!(!findings.iter().any(Finding::refuses), "{safe}\n{findings:?}");
            }
        }
    }
    assert!(told >= 8, "only {told}");
}

#[test]
fn what_a_transaction_must_not_hold_together_is_two_files() {
    assert_eq!(
        instead("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)", ""),
        ["-- migrations/1_x.sql, in the place of what is there:\n\
          -- UP\nALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID;\n\
          -- DOWN\nALTER TABLE t DROP CONSTRAINT k;\n\
          -- then another one, with a later version still:\n\
          -- UP\nALTER TABLE t VALIDATE CONSTRAINT k;\n\
          -- DOWN\nSELECT 1;   -- there is nothing to take back\n"]
    );
    assert_eq!(
        instead("SELECT 1; ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)", ""),
        ["-- a SQL migration of its own, with a later version, taken out of migrations/1_x.sql:\n\
          -- UP\nCREATE UNIQUE INDEX CONCURRENTLY k ON t USING btree (a);\n\
          ALTER TABLE t ADD CONSTRAINT k UNIQUE USING INDEX k;\n\
          -- DOWN\nALTER TABLE t DROP CONSTRAINT k;\n"]
    );
}

#[test]
fn what_sql_cannot_say_is_a_plan_whose_file_is_named() {
    let alone = instead("ALTER TABLE t ALTER COLUMN a TYPE bigint", "").pop().unwrap();
    let header = "# SQL alone cannot do this safely: a plan can, 1_x.yaml among the plans, in the place of migrations/1_x.sql:\nexpand:\n";
    assert!(alone.starts_with(header), "{alone}");
    let steps = item(alone.split_once('\n').unwrap().1).steps;
    assert!(!steps.is_empty());
    let among = instead("SELECT 1; ALTER TABLE t ALTER COLUMN a SET NOT NULL", "").pop().unwrap();
    assert!(
        among.starts_with("# SQL alone cannot do this safely: take the statement out of migrations/1_x.sql into a plan of its own"),
        "{among}"
    );
    let words = instead("ALTER TABLE t ADD COLUMN z int GENERATED ALWAYS AS (a) STORED", "").pop().unwrap();
    assert!(words.ends_with("1_x.yaml among the plans, in the place of migrations/1_x.sql"), "{words}");
    let held = instead("ALTER TABLE t ADD CHECK (a > 0) NOT VALID; SELECT count(*) FROM t", "");
    assert_eq!(held, ["give it a SQL migration of its own, with a later version"]);
}
