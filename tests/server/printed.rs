//! Plans that the linter prints, rehearsed: what they print does what was predicted, and leads back.

use crate::harness::{Db, TestResult, check, tests};

tests![a_column_with_all_that_stands_over_it_is_changed, what_holds_a_column_back_is_named,];

/// The plan against a statement in the place of it, signed by an application that is there.
async fn printed(db: &Db, statement: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    db.file("phase.yaml", "lint: {small_table: 0B}\n")?;
    let asked = format!("expand:\n  - sql: |\n      {statement}\n    undo: \"irreversible: an example\"\n");
    db.file("plans/1_p.yaml", &asked)?;
    let found = db.phase(&["check", "--online", "--json"]).await?.expect(2)?.json()?;
    let findings = found["findings"].as_array().cloned().unwrap_or_default();
    let plan =
        findings.iter().filter_map(|finding| finding["safe"].as_str()).find(|safe| safe.contains('\n'));
    let plan = plan.ok_or(format!("no plan against {statement}: {findings:?}"))?;
    db.file("plans/1_p.yaml", &plan.replace("APP@VERSION", "web@1"))?;
    Ok(plan.into())
}

/// Prints the plan against a statement, and rehearses it.
async fn rehearsed(db: &Db, statement: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let plan = printed(db, statement).await?;
    let ended = db.phase(&["rehearse", "1"]).await?;
    if ended.code == Some(0) { Ok(plan) } else { Err(format!("{statement}\n{plan}\n{ended:?}").into()) }
}

async fn a_column_with_all_that_stands_over_it_is_changed(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE r (id int PRIMARY KEY); INSERT INTO r SELECT generate_series(1, 9);
         CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, b text,
             a int NOT NULL DEFAULT 3 UNIQUE DEFERRABLE CHECK (a > 0) REFERENCES r);
         CREATE INDEX ON t (a DESC, b); CREATE UNIQUE INDEX odd ON t ((a + 1)) WHERE a > 7; CREATE INDEX t_a ON t (a);
         CREATE TABLE k (no int PRIMARY KEY); INSERT INTO k VALUES (1);
         INSERT INTO t (a) SELECT generate_series(1, 5)",
    )
    .await?;
    for statement in ["ALTER TABLE t ALTER COLUMN a TYPE bigint", "ALTER TABLE t RENAME COLUMN a TO z"] {
        let plan = rehearsed(&db, statement).await?;
        let parts = [
            "UNIQUE INDEX CONCURRENTLY t_",
            "NOT VALID",
            "VALIDATE CONSTRAINT",
            "USING INDEX t_",
            "_fkey FOREIGN KEY",
            "SET DEFAULT",
        ];
        for part in parts {
            check!(plan.contains(part), "no {part} in\n{plan}");
        }
    }
    let plan = rehearsed(&db, "ALTER TABLE k ALTER COLUMN no TYPE bigint").await?;
    check!(plan.contains("PRIMARY KEY USING INDEX k_pkey_no_new"), "{plan}");
    Ok(())
}

async fn what_holds_a_column_back_is_named(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int UNIQUE, EXCLUDE USING btree (a WITH =));
         CREATE TABLE o (t_a int, CONSTRAINT o_t FOREIGN KEY (t_a) REFERENCES t (a));
         CREATE VIEW v AS SELECT a FROM t; INSERT INTO t VALUES (1, 1)",
    )
    .await?;
    let plan = printed(&db, "ALTER TABLE t RENAME COLUMN a TO z").await?;
    check!(plan.contains("make its like over z in validate: EXCLUDE constraint t_a_excl\n"), "{plan}");
    check!(plan.contains("anew over z: foreign key o_t of table o, view v\n"), "{plan}");
    Ok(())
}
