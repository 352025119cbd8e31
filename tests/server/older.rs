//! What stands in the way of a plan is told where it is read: an older item in the Markdown of a
//! rehearsal, one that may be over in the conflicts of a check without a server.

use crate::harness::{Db, TestResult, check, tests};

tests![an_older_item_that_fails_is_in_the_markdown, a_conflict_without_a_record_says_how_to_leave_it_out];

async fn an_older_item_that_fails_is_in_the_markdown(db: Db) -> TestResult {
    db.file("migrations/1_old.sql", "-- UP\nALTER TABLE missing ADD COLUMN a int;\n-- DOWN\nSELECT 1;\n")?;
    db.file("plans/2_p.yaml", "expand:\n  - sql: CREATE TABLE t (id int)\n    undo: DROP TABLE t\n")?;
    let ended = db.phase(&["rehearse", "2", "--from-files", "--markdown"]).await?;
    check!(ended.code != Some(0) && ended.stderr.contains("1_old"), "{ended:?}");
    for part in ["### ❌ phase rehearse: 2\n", "nothing was rehearsed", "missing"] {
        check!(ended.stdout.contains(part), "no {part} in {ended:?}");
    }
    let json = db.phase(&["rehearse", "2", "--from-files", "--markdown", "--json"]).await?;
    check!(json.json()?["error"]["message"].is_string(), "more than one document");
    Ok(())
}

async fn a_conflict_without_a_record_says_how_to_leave_it_out(db: Db) -> TestResult {
    let drop = "contract:\n  - drop_column: {table: t, column: a}\n";
    db.file("plans/1_drop.yaml", drop)?;
    db.file("plans/2_use.yaml", "expand:\n  - sql: UPDATE t SET a = 1 WHERE id = 1\n    undo: SELECT 1\n")?;
    db.file("plans/3_make.yaml", "expand:\n  - sql: CREATE TABLE u (id int)\n    undo: DROP TABLE u\n")?;
    db.file("plans/4_make.yaml", "expand:\n  - sql: CREATE TABLE u (id int)\n    undo: DROP TABLE u\n")?;
    for args in [&["check", "--json"][..], &["check", "--since", "0", "--json"]] {
        let told = db.phase(args).await?.json()?;
        let conflicts = told["conflicts"].as_array().cloned().unwrap_or_default();
        let says = |conflict: &serde_json::Value| {
            let message = conflict["message"].as_str().unwrap_or_default();
            message.matches("--online").count() == 1 && message.contains("--since VERSION leaves it out")
        };
        check!(conflicts.len() >= 2 && conflicts.iter().all(says), "{conflicts:?}");
    }
    Ok(())
}
