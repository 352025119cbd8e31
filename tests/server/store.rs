//! The record: every query prepares, everything explains itself, history stays.

use crate::harness::{Db, TestResult, check, same, tests};

tests![
    every_query_prepares,
    every_table_and_column_has_a_comment,
    history_is_append_only,
    a_role_named_like_the_schema_is_no_trap
];

async fn every_query_prepares(db: Db) -> TestResult {
    db.phase(&["init"]).await?.expect(0)?;
    let client = db.connect().await?;
    client.batch_execute("SET search_path = phase").await?;
    for (name, sql) in phase::pg::queries::ALL {
        // Of these two every server has one.
        let elsewhere = if db.major >= 17 { "signals/checkpoints" } else { "signals/checkpoints_17" };
        if *name == elsewhere {
            continue;
        }
        client.prepare(sql).await.map_err(|error| format!("{name}: {error:?}"))?;
    }
    check!(phase::pg::queries::ALL.len() > 30, "the list is short");
    Ok(())
}

async fn every_table_and_column_has_a_comment(db: Db) -> TestResult {
    db.phase(&["init"]).await?.expect(0)?;
    let bare = "SELECT string_agg(c.relname || coalesce('.' || a.attname, ''), ' ') FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND c.relkind = 'r'
        WHERE c.relnamespace = 'phase'::regnamespace AND c.relkind IN ('r', 'S') AND pg_get_serial_sequence('phase.history', 'id') IS NOT NULL
          AND (c.relkind = 'r' OR c.relname = 'expand_batch')
          AND (col_description(c.oid, coalesce(a.attnum, 0)) IS NULL AND obj_description(c.oid, 'pg_class') IS NULL
               OR a.attnum IS NOT NULL AND col_description(c.oid, a.attnum) IS NULL)";
    same!(db.value(bare).await?, "null");
    Ok(())
}

async fn history_is_append_only(db: Db) -> TestResult {
    db.file("migrations/1_a.sql", "SELECT 1")?;
    db.phase(&["expand"]).await?.expect(0)?;
    for sql in
        ["UPDATE phase.history SET outcome = 'ok'", "DELETE FROM phase.history", "TRUNCATE phase.history"]
    {
        let error = db.run(sql).await.err().ok_or("it was allowed")?;
        check!(error.as_db_error().is_some_and(|e| e.message().contains("append-only")), "{sql}: {error}");
    }
    let full = "SELECT bool_and(actor <> '' AND host <> '' AND tool_version <> '' AND os_user <> '') FROM phase.history h JOIN phase.runner r ON r.id = h.runner";
    same!(db.value(full).await?, "t");
    Ok(())
}

/// `"$user"` in the default search_path would send a plan's tables into the record's schema.
async fn a_role_named_like_the_schema_is_no_trap(db: Db) -> TestResult {
    let role = format!("phase_{}", db.name);
    db.run(&format!("CREATE ROLE \"{role}\" SUPERUSER LOGIN")).await?;
    db.file("phase.yaml", &format!("schema: '\"{role}\"'\n"))?;
    db.file("migrations/1_a.sql", "CREATE TABLE a (id int PRIMARY KEY, x int); INSERT INTO a VALUES (1)")?;
    db.file("plans/2_b.yaml", "backfill:\n  - {table: a, set: {x: id}}\n")?;
    let url = db.url.replace("://postgres@", &format!("://{role}@"));
    for args in [["expand"], ["backfill"]] {
        let output = db.command(&args).env("DATABASE_URL", &url).output().await?;
        crate::harness::Ended::of(&output).expect(0)?;
    }
    let found = db.value("SELECT x FROM public.a").await;
    db.run(&format!(
        "REASSIGN OWNED BY \"{role}\" TO postgres; DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\""
    ))
    .await?;
    same!(found?, "1");
    Ok(())
}
