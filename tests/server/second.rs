//! The second linter: shown under its own names, and never the gate.

use crate::harness::{Db, TestResult, check, same, tests};

tests![a_second_opinion_is_shown_and_decides_nothing];

async fn a_second_opinion_is_shown_and_decides_nothing(db: Db) -> TestResult {
    let sql = "CREATE TABLE t (id bigint PRIMARY KEY);\n-- squawk-ignore-file\nALTER TABLE t ADD COLUMN at timestamp;\nVACUUM FULL t;\n";
    db.file("migrations/1_a.sql", &format!("-- lint: allow vacuum-full: it is new\n{sql}"))?;
    let ended = db.phase(&["check"]).await?.expect(0)?;
    check!(ended.stdout.contains("migrations/1_a.sql:4:1: note: squawk/prefer-timestamp-tz: "), "{ended:?}");
    check!(ended.stdout.contains("see https://squawkhq.com/docs/prefer-timestamp-tz"), "{ended:?}");
    check!(!ended.stdout.contains("require-lock-timeout"), "{ended:?}");
    check!(
        !db.phase(&["check", "--second-opinion", "none"]).await?.expect(0)?.stdout.contains("squawk"),
        "it was asked"
    );
    let ended = db.phase(&["check", "--second-opinion", "all"]).await?.expect(0)?;
    check!(!ended.stdout.contains("prefer-repack"), "vacuum-full says so already: {ended:?}");
    let json = db.phase(&["check", "--json"]).await?.expect(0)?.json()?;
    same!(json["second_opinion"][0]["rule"], "prefer-timestamp-tz");
    same!(json["second_opinion"][0]["line"], 4);
    let github = db.phase(&["check", "--format", "github"]).await?.expect(0)?;
    check!(
        github
            .stdout
            .contains("::notice file=migrations/1_a.sql,line=4,col=1,title=squawk/prefer-timestamp-tz::"),
        "{github:?}"
    );
    let sarif = db.phase(&["check", "--format", "sarif"]).await?.expect(0)?;
    check!(sarif.stdout.contains("\"ruleId\": \"squawk/prefer-timestamp-tz\""), "{sarif:?}");
    // With the server's version, and at run time nobody asks.
    db.phase(&["check", "--online"]).await?.expect(0)?;
    db.phase(&["expand"]).await?.expect(0)?;
    Ok(())
}
