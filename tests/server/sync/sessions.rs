//! Writers whose sessions are not like that of the step that made the sync.

use std::fmt::Write;

use crate::harness::{Db, TestResult, check, same, value};

const RENAME: &str = "change:\n  - rename_column: {table: m, from: a, to: b}\nkeep: 1d\n";

/// Relations of their own, temporary ones and other settings change nothing.
pub(super) async fn a_session_of_its_own_changes_nothing(db: Db) -> TestResult {
    db.run("CREATE TABLE m (id int PRIMARY KEY, a numeric, w float8, at timestamp)").await?;
    db.file(
        "plans/1_p.yaml",
        "change:
  - rename_column: {table: m, from: a, to: b}
  - rename_column: {table: m, from: w, to: v}
  - change_type: {table: m, column: at, to: since, type: timestamptz}
keep: 1d
",
    )?;
    db.phase(&["advance", "1", "--to", "expanded"]).await?.expect(0)?;
    let (client, table) = (db.connect().await?, format!("{}.m", db.value("SELECT current_schema").await?));
    client.batch_execute("CREATE TEMP TABLE m (id int, a int, b int)").await?;
    client.batch_execute(&format!("INSERT INTO {table} (id, a) VALUES (1, 2.7)")).await?;
    client.batch_execute(&format!("UPDATE {table} SET b = 3.7 WHERE id = 1")).await?;
    same!(value(&client, &format!("SELECT a || ' ' || b FROM {table}")).await?, "3.7 3.7");
    // Floats that differ in a digit that this session does not print.
    client.batch_execute("SET extra_float_digits = -15").await?;
    client.batch_execute(&format!("UPDATE {table} SET w = 0.3 WHERE id = 1")).await?;
    client.batch_execute(&format!("UPDATE {table} SET v = 0.31 WHERE id = 1")).await?;
    same!(value(&client, &format!("SELECT w = 0.31 AND v = 0.31 FROM {table}")).await?, "t");
    // The same text means the same time, whoever writes it.
    client.batch_execute("SET TimeZone = 'America/New_York'").await?;
    client.batch_execute(&format!("UPDATE {table} SET at = '2026-01-01 12:00' WHERE id = 1")).await?;
    db.run("INSERT INTO m (id, at) VALUES (2, '2026-01-01 12:00')").await?;
    same!(value(&client, &format!("SELECT count(DISTINCT since) FROM {table}")).await?, "1");
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    Ok(())
}

/// A trigger that fires after the sync would write what the sync does not see.
pub(super) async fn a_trigger_after_the_sync_is_found(db: Db) -> TestResult {
    db.run(
        "CREATE TABLE m (id int PRIMARY KEY, a text);
         CREATE FUNCTION low() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.a := lower(NEW.a); RETURN NEW; END';
         CREATE TRIGGER zzz BEFORE INSERT OR UPDATE ON m FOR EACH ROW EXECUTE FUNCTION low()",
    )
    .await?;
    db.file("plans/1_p.yaml", RENAME)?;
    let ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("trigger zzz fires after the sync"), "{ended:?}");
    check!(ended.stderr.contains("ALTER TRIGGER"), "{ended:?}");
    db.run("ALTER TRIGGER zzz ON m RENAME TO low").await?;
    db.phase(&["advance", "1", "--to", "expanded"]).await?.expect(0)?;
    db.run("INSERT INTO m (id, a) VALUES (1, 'X')").await?;
    same!(db.value("SELECT b FROM m").await?, "x");
    db.run("ALTER TRIGGER low ON m RENAME TO zzz").await?;
    let ended = db.phase(&["backfill", "1"]).await?.expect(6)?;
    let said = format!("{}{}", ended.stdout, ended.stderr);
    check!(said.contains("trigger zzz of m fires after zz_phase_1_1_insert"), "{ended:?}");
    check!(said.contains("ALTER TRIGGER zzz ON m RENAME TO"), "{ended:?}");
    db.run("ALTER TRIGGER zzz ON m RENAME TO low").await?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    Ok(())
}

/// The tenth sync fires after the ninth, and sees what it wrote.
pub(super) async fn many_syncs_fire_in_their_order(db: Db) -> TestResult {
    db.run("CREATE TABLE m (id int PRIMARY KEY, c0 int); INSERT INTO m VALUES (1, 0)").await?;
    let mut plan = String::from("change:\n");
    for n in 1..=12 {
        writeln!(plan, "  - add_column: {{table: m, column: c{n}, type: int, from: 'c{} + 1'}}", n - 1)?;
    }
    db.file("plans/1_p.yaml", &plan)?;
    db.phase(&["advance", "1", "--to", "expanded"]).await?.expect(0)?;
    db.run("UPDATE m SET c0 = 100; INSERT INTO m (id, c0) VALUES (2, 200)").await?;
    same!(db.value("SELECT string_agg(c12::text, ' ' ORDER BY id) FROM m").await?, "112 212");
    db.phase(&["advance", "1", "--to", "validated"]).await?.expect(0)?;
    Ok(())
}
