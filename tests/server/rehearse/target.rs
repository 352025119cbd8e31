//! What a rehearsal takes from the target: its schema, how far its plans are, rows and sizes.

use serde_json::Value;

use super::{as_predicted, list};
use crate::harness::{Db, TestResult, check, same, tests};

tests![
    the_schema_of_the_target_is_where_it_begins,
    a_plan_that_has_begun_is_taken_back_first,
    rows_of_the_target_come_with_those_that_they_refer_to,
    the_linter_goes_by_the_sizes_of_the_target,
];

/// Rehearses against the target; `None` where there is no pg_dump for its version.
async fn on_target(db: &Db, args: &[&str], code: i32) -> Result<Option<crate::harness::Ended>, String> {
    let mut command = db.command(&[&["rehearse"], args].concat());
    let output = command.env("PHASE_PG_BIN", db.binaries.folder()).output().await;
    let ended = crate::harness::Ended::of(&output.map_err(|error| error.to_string())?);
    let said = format!("{}{}", ended.stdout, ended.stderr);
    if ended.code == Some(2) && said.contains("must not be older than the server") {
        return Ok(None);
    }
    ended.expect(code).map(Some)
}

async fn the_schema_of_the_target_is_where_it_begins(db: Db) -> TestResult {
    db.examples()?;
    db.phase(&["expand", "--to", "20261103090000"]).await?.expect(0)?;
    // Only the target has this one; a trigger on the plan's table that the files do not know.
    db.run(
        "CREATE ROLE rehearse_reader; GRANT SELECT ON users TO rehearse_reader; CREATE TABLE seen (id bigint); \
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
         CREATE TRIGGER see BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION see(); \
         INSERT INTO users (name, email) SELECT i, i FROM generate_series(1, 10) i",
    )
    .await?;
    let before = db.value(crate::harness::SCHEMA).await?;
    let Some(ended) = on_target(&db, &["users_display_name", "--json"], 0).await? else { return Ok(()) };
    let report = ended.json()?;
    as_predicted(&report)?;
    same!(report["stage"]["notes"], Value::Array(Vec::new()));
    same!(report["stage"]["brought"], Value::Array(Vec::new()));
    same!(report["stage"]["rows"][0]["rows"], 0);
    same!(db.value(crate::harness::SCHEMA).await?, before);
    same!(db.value("SELECT count(*) FROM phase.item WHERE version = '20261110090000'").await?, "0");
    // What later commands ask for.
    let detail = db.value("SELECT detail FROM phase.history WHERE event = 'rehearse'").await?;
    let outcome = phase::core::rehearse::Outcome::read(&detail).ok_or("no outcome")?;
    check!(outcome.passed && !outcome.clone && outcome.round_trips == 4, "{outcome:?}");
    same!(Value::from(outcome.checksum), report["checksum"]);
    db.run("DROP OWNED BY rehearse_reader; DROP ROLE rehearse_reader").await?;
    Ok(())
}

async fn a_plan_that_has_begun_is_taken_back_first(db: Db) -> TestResult {
    db.examples()?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.phase(&["backfill", "users_display_name"]).await?.expect(0)?;
    let Some(ended) = on_target(&db, &["users_display_name", "--json", "--undo", "last"], 0).await? else {
        return Ok(());
    };
    as_predicted(&ended.json()?)?;
    same!(db.value("SELECT state FROM phase.item WHERE version = '20261110090000'").await?, "backfilled");
    // Another plan on the same table has to wait for it: there it is brought to its end.
    let plan =
        "expand:\n  - sql: ALTER TABLE users ADD COLUMN n int\n    undo: ALTER TABLE users DROP COLUMN n\n";
    db.file("plans/20261120090000_more.yaml", plan)?;
    let ended = on_target(&db, &["more", "--json"], 0).await?.ok_or("pg_dump was there a moment ago")?;
    let brought = ended.json()?["stage"]["brought"].to_string();
    check!(brought.contains("20261110090000_users_display_name: completed"), "{brought}");
    same!(db.value("SELECT state FROM phase.item WHERE version = '20261110090000'").await?, "backfilled");
    Ok(())
}

async fn rows_of_the_target_come_with_those_that_they_refer_to(db: Db) -> TestResult {
    db.examples()?;
    db.phase(&["expand", "--to", "20261103090000"]).await?.expect(0)?;
    db.run(
        "INSERT INTO users (name, email) SELECT i, i FROM generate_series(1, 500) i; \
         INSERT INTO orders (user_id, total) SELECT 501 - i, 1 FROM generate_series(1, 500) i; \
         CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'; \
         CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse(); \
         ALTER TABLE orders ENABLE ALWAYS TRIGGER refuse",
    )
    .await?;
    // A foreign key that every order obeys is proven on the sample: its users have come along, past every trigger.
    db.file(
        "plans/20261120090000_again.yaml",
        "expand:\n  - sql: ALTER TABLE orders ADD COLUMN n int\n    undo: ALTER TABLE orders DROP COLUMN n\n  - sql: ALTER TABLE orders ADD CONSTRAINT again FOREIGN KEY (user_id) REFERENCES users NOT VALID\n    undo: ALTER TABLE orders DROP CONSTRAINT again\nbackfill:\n  - table: orders\n    set: {n: \"1\"}\n    where: n IS NULL\nvalidate:\n  - sql: ALTER TABLE orders VALIDATE CONSTRAINT again\n",
    )?;
    for plan in ["users_display_name", "orders_currency"] {
        std::fs::remove_file(db.project.path().join(format!(
            "plans/{}.yaml",
            match plan {
                "users_display_name" => "20261110090000_users_display_name",
                _ => "20261111090000_orders_currency",
            }
        )))?;
    }
    let Some(ended) = on_target(&db, &["again", "--sample", "50", "--json"], 0).await? else { return Ok(()) };
    let report = ended.json()?;
    same!(report["ok"], true, "{report:#}");
    same!(report["stage"]["rows"][0]["rows"], 50, "{}", report["stage"]);
    let step = |id: &str| {
        list(&report, "steps").into_iter().find(|step| step["id"] == id && step["undo"] == false).cloned()
    };
    let validate = step("validate.1").ok_or("it did not run")?;
    check!(validate["scanned"].to_string().contains("foreign key again"), "{validate:#}");
    let backfill = step("backfill.1").ok_or("it did not run")?;
    same!(backfill["locks"][0]["seen"], "row_exclusive", "{backfill:#}");
    Ok(())
}

async fn the_linter_goes_by_the_sizes_of_the_target(db: Db) -> TestResult {
    db.file("migrations/1_t.sql", "-- UP\nCREATE TABLE t (id int, a int);\n-- DOWN\nDROP TABLE t;\n")?;
    let plan = "expand:\n  - sql: CREATE INDEX t_a ON t (a)\n    undo: DROP INDEX CONCURRENTLY t_a\n";
    db.phase(&["expand"]).await?.expect(0)?;
    db.file("plans/2_p.yaml", plan)?;
    db.run("INSERT INTO t SELECT i, i FROM generate_series(1, 2000) i; ANALYZE t").await?;
    let Some(ended) = on_target(&db, &["2", "--json"], 0).await? else { return Ok(()) };
    // Small there: whoever expands it is not refused either.
    same!(ended.json()?["findings"], Value::Array(Vec::new()));
    // The scratch database has no row of it.
    db.file("phase.yaml", "lint: {small_table: 16kB}\n")?;
    let report =
        on_target(&db, &["2", "--json"], 2).await?.ok_or("pg_dump was there a moment ago")?.json()?;
    same!(report["findings"][0]["rule"], "create-index");
    let rows = &report["stage"]["rows"][0];
    same!((&rows["rows"], &rows["target_rows"]), (&Value::from(0), &Value::from(2000)), "{rows}");
    check!(rows["target_bytes"].as_u64() > Some(65_536), "{rows}");
    let text = on_target(&db, &["2", "--sample", "50"], 2).await?.ok_or("pg_dump was there")?.stdout;
    check!(text.contains("  t: 50 rows (8.0kB); the target has about 2,000 ("), "{text}");
    check!(text.contains("its times are those of 50 rows of t, where the target has about 2,000"), "{text}");
    check!(text.contains(" ms at most, 3 runs on 50 rows (8.0kB); the target has about 2,000"), "{text}");
    let markdown =
        on_target(&db, &["2", "--sample", "50", "--markdown"], 2).await?.ok_or("it was there")?.stdout;
    check!(markdown.contains("\n- t: 50 rows (8.0kB); the target has about 2,000"), "{markdown}");
    let checklist = db.phase(&["show", "2", "--checklist"]).await?.expect(0)?.stdout;
    check!(
        checklist.contains("production's size? no: 50 rows of t in the rehearsal, about 2,000 ("),
        "{checklist}"
    );
    same!(db.phase(&["expand"]).await?.code, Some(2));
    Ok(())
}
