//! Mixed writers: old and new versions of an application write the same rows,
//! in any order, before, during and after the backfill.

use bytes::Bytes;
use futures_util::SinkExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio_postgres::Client;

use crate::harness::{Db, Ended, SCHEMA, TestResult, check, same, tests, value};

tests![
    random_interleavings_end_equal_and_lose_nothing,
    writers_at_full_speed_lose_nothing,
    writers_at_full_speed_lose_nothing_without_keep,
    the_rule_holds_case_by_case,
    a_backfill_pays_nothing_and_never_writes_back,
    a_default_on_the_new_column_is_refused,
    split_columns_stay_together,
    a_sync_comes_back_from_a_dump,
];

const RENAME: &str = "expand:
  - {sql: ALTER TABLE t ADD COLUMN new text, undo: ALTER TABLE t DROP COLUMN new}
  - sync: {table: t, set: {new: old}, back: {old: new}}
backfill:
  - {table: t, set: {new: old}, batch: {rows: 3, pause: 1ms}}
contract:
  - drop_column: {table: t, column: old}
keep: 1d
";

/// A trigger must be read again as PostgreSQL prints it, or a restored database has none.
async fn a_sync_comes_back_from_a_dump(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text); INSERT INTO t VALUES (1, 'a')").await?;
    db.file("plans/1_p.yaml", RENAME)?;
    db.phase(&["expand"]).await?.expect(0)?;
    let before = db.value(SCHEMA).await?;
    let of = |what: &str| {
        format!(
            "SELECT string_agg({what}, ';') FROM pg_trigger WHERE tgrelid = 't'::regclass AND NOT tgisinternal"
        )
    };
    let printed = db.value(&of("pg_get_triggerdef(oid)")).await?;
    check!(printed.contains("CREATE TRIGGER"), "{printed}");
    db.run(&db.value(&of("format('DROP TRIGGER %I ON t', tgname)")).await?).await?;
    db.run(&printed).await?;
    same!(db.value(SCHEMA).await?, before);
    db.run("UPDATE t SET old = 'b'").await?;
    same!(db.value("SELECT new FROM t").await?, "b");
    Ok(())
}

/// One statement of one version of the application.
#[derive(Debug, Clone)]
enum Write {
    InsertOld(i32, String),
    InsertNew(i32, String),
    UpdateOld(i32, String),
    UpdateNew(i32, String),
    UpdateBoth(i32, String, String),
    UpsertOld(i32, String),
    UpsertNew(i32, String),
    /// Where there is no such row.
    CopyOld(i32, String),
    CopyNew(i32, String),
    MergeOld(i32, String),
    MergeNew(i32, String),
    /// Every second row, in one statement.
    ManyOld(i32, String),
    ManyNew(i32, String),
    Delete(i32),
    /// Between statements: the phases go on.
    Advance,
    Batch,
}

fn write() -> impl Strategy<Value = Write> {
    let (id, text) = (1..12_i32, "[a-zA-Z]{1,3}");
    prop_oneof![
        1 => (id.clone(), text).prop_map(|(i, v)| Write::InsertOld(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::InsertNew(i, v)),
        3 => (id.clone(), text).prop_map(|(i, v)| Write::UpdateOld(i, v)),
        3 => (id.clone(), text).prop_map(|(i, v)| Write::UpdateNew(i, v)),
        1 => (id.clone(), text, text).prop_map(|(i, a, b)| Write::UpdateBoth(i, a, b)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::UpsertOld(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::UpsertNew(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::CopyOld(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::CopyNew(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::MergeOld(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::MergeNew(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::ManyOld(i, v)),
        1 => (id.clone(), text).prop_map(|(i, v)| Write::ManyNew(i, v)),
        1 => id.prop_map(Write::Delete),
        1 => Just(Write::Advance),
        2 => Just(Write::Batch),
    ]
}

/// Runs random scripts in one session against a model of one value a row.
async fn random_interleavings_end_equal_and_lose_nothing(db: Db) -> TestResult {
    // One expanded plan per script would be slow: the shape is made by hand, with the plan's own SQL.
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text)").await?;
    db.file("plans/1_p.yaml", RENAME)?;
    let shown = db.phase(&["show", "1", "--json"]).await?.expect(0)?.json()?;
    let sql = |id: &str| {
        let steps = shown["steps"].as_array().cloned().unwrap_or_default();
        let step = steps.into_iter().find(|step| step["id"] == id);
        let statements = step.and_then(|step| step["sql"].as_array().cloned()).unwrap_or_default();
        statements.iter().filter_map(|sql| sql.as_str()).collect::<Vec<_>>().join(";\n")
    };
    let (column, sync) = (sql("expand.1"), sql("expand.2"));
    check!(!column.is_empty() && !sync.is_empty(), "show gave no SQL: {shown}");
    let mut runner = TestRunner::default();
    let scripts = proptest::collection::vec(write(), 1..40);
    let client = db.connect().await?;
    for _ in 0..150 {
        let script = scripts.new_tree(&mut runner).map_err(|error| error.to_string())?.current();
        client.batch_execute("DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, old text); INSERT INTO t SELECT i, 'x' || i FROM generate_series(1, 6) i").await?;
        run_script(&client, &script, &column, &sync, db.major)
            .await
            .map_err(|error| format!("{error}\nscript: {script:?}"))?;
    }
    Ok(())
}

impl Write {
    /// Whether only the new version writes it.
    const fn is_new(&self) -> bool {
        matches!(
            self,
            Self::InsertNew(..)
                | Self::UpdateNew(..)
                | Self::UpdateBoth(..)
                | Self::UpsertNew(..)
                | Self::CopyNew(..)
                | Self::MergeNew(..)
                | Self::ManyNew(..)
        )
    }

    /// The statement; `None` where the server knows no such.
    fn sql(&self, major: u32) -> Option<String> {
        let merge = |column: &str, i: &i32, v: &str| {
            (major >= 15).then(|| {
                format!(
                    "MERGE INTO t USING (VALUES ({i}, '{v}')) s (id, v) ON t.id = s.id
                    WHEN MATCHED THEN UPDATE SET {column} = s.v WHEN NOT MATCHED THEN INSERT (id, {column}) VALUES (s.id, s.v)"
                )
            })
        };
        let many = |column: &str, i: &i32, v: &str| {
            Some(format!("UPDATE t SET {column} = '{v}' || id WHERE id % 2 = {}", i % 2))
        };
        match self {
            Self::InsertOld(i, v) => {
                Some(format!("INSERT INTO t (id, old) VALUES ({i}, '{v}') ON CONFLICT DO NOTHING"))
            }
            Self::InsertNew(i, v) => {
                Some(format!("INSERT INTO t (id, new) VALUES ({i}, '{v}') ON CONFLICT DO NOTHING"))
            }
            Self::UpdateOld(i, v) => Some(format!("UPDATE t SET old = '{v}' WHERE id = {i}")),
            Self::UpdateNew(i, v) => Some(format!("UPDATE t SET new = '{v}' WHERE id = {i}")),
            Self::UpdateBoth(i, a, b) => {
                Some(format!("UPDATE t SET old = '{a}', new = '{b}' WHERE id = {i}"))
            }
            Self::UpsertOld(i, v) => Some(format!(
                "INSERT INTO t (id, old) VALUES ({i}, '{v}') ON CONFLICT (id) DO UPDATE SET old = excluded.old"
            )),
            Self::UpsertNew(i, v) => Some(format!(
                "INSERT INTO t (id, new) VALUES ({i}, '{v}') ON CONFLICT (id) DO UPDATE SET new = excluded.new"
            )),
            Self::CopyOld(..) => Some("COPY t (id, old) FROM STDIN".into()),
            Self::CopyNew(..) => Some("COPY t (id, new) FROM STDIN".into()),
            Self::MergeOld(i, v) => merge("old", i, v),
            Self::MergeNew(i, v) => merge("new", i, v),
            Self::ManyOld(i, v) => many("old", i, v),
            Self::ManyNew(i, v) => many("new", i, v),
            Self::Delete(i) => Some(format!("DELETE FROM t WHERE id = {i}")),
            Self::Advance => None,
            Self::Batch => Some(
                "UPDATE t SET new = old WHERE id IN (SELECT id FROM t WHERE new IS DISTINCT FROM old LIMIT 2)".into(),
            ),
        }
    }
}

async fn run_script(client: &Client, script: &[Write], column: &str, sync: &str, major: u32) -> TestResult {
    let mut model: std::collections::BTreeMap<i32, String> = (1..=6).map(|i| (i, format!("x{i}"))).collect();
    let mut expanded = false;
    for write in script.iter().chain([&Write::Advance]) {
        if matches!(write, Write::Advance) {
            if !std::mem::replace(&mut expanded, true) {
                client.batch_execute(&format!("{column}; {sync}")).await?;
            }
            continue;
        }
        // Before the expand there is only the old version.
        let Some(sql) =
            write.sql(major).filter(|_| expanded || !(write.is_new() || matches!(write, Write::Batch)))
        else {
            continue;
        };
        let mut filled = true;
        match write {
            Write::CopyOld(i, v) | Write::CopyNew(i, v) => {
                if !model.contains_key(i) {
                    let mut sink = std::pin::pin!(client.copy_in::<_, Bytes>(&sql).await?);
                    sink.send(Bytes::from(format!("{i}\t{v}\n"))).await?;
                    sink.finish().await?;
                }
            }
            write => {
                if let Write::UpdateBoth(i, ..) = write {
                    filled = value(client, &format!("SELECT count(*) FROM t WHERE id = {i} AND new IS NULL"))
                        .await?
                        == "0";
                }
                client.batch_execute(&sql).await?;
            }
        }
        remember(&mut model, write, filled);
        let seen = visible(client, expanded).await?;
        let wanted: Vec<String> = model.iter().map(|(id, value)| format!("{id}={value}")).collect();
        same!(seen, wanted.join(" "), "after {write:?}");
    }
    client.batch_execute("UPDATE t SET new = old WHERE new IS DISTINCT FROM old").await?;
    same!(value(client, "SELECT count(*) FROM t WHERE new IS DISTINCT FROM old").await?, "0");
    Ok(())
}

/// The model: one value a row, whoever wrote it; `filled`: whether the new column had it before.
fn remember(model: &mut std::collections::BTreeMap<i32, String>, write: &Write, filled: bool) {
    match write {
        Write::InsertOld(i, v) | Write::InsertNew(i, v) | Write::CopyOld(i, v) | Write::CopyNew(i, v) => {
            _ = model.entry(*i).or_insert_with(|| v.clone());
        }
        Write::UpsertOld(i, v) | Write::UpsertNew(i, v) | Write::MergeOld(i, v) | Write::MergeNew(i, v) => {
            _ = model.insert(*i, v.clone());
        }
        Write::UpdateOld(i, v) | Write::UpdateNew(i, v) => {
            _ = model.get_mut(i).map(|value| value.clone_from(v));
        }
        Write::ManyOld(i, v) | Write::ManyNew(i, v) => {
            model
                .iter_mut()
                .filter(|(id, _)| *id % 2 == i % 2)
                .for_each(|(id, value)| *value = format!("{v}{id}"));
        }
        // New wins where it changed; where it was set to what it is already, old alone changed.
        Write::UpdateBoth(i, a, b) => {
            let unchanged = |value: &String| filled && value == b;
            _ = model.get_mut(i).map(|value| *value = if unchanged(value) { a.clone() } else { b.clone() });
        }
        Write::Delete(i) => _ = model.remove(i),
        Write::Advance | Write::Batch => {}
    }
}

/// What the old version reads; once a row has the new shape, both must agree.
async fn visible(
    client: &Client,
    expanded: bool,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    if expanded {
        let apart = value(client, "SELECT count(*) FROM t WHERE new IS NOT NULL AND new <> old").await?;
        check!(apart == "0", "{apart} rows are apart");
    }
    value(client, "SELECT coalesce(string_agg(id || '=' || old, ' ' ORDER BY id), '') FROM t").await
}

async fn writers_at_full_speed_lose_nothing(db: Db) -> TestResult {
    full_speed(db, true).await
}

async fn writers_at_full_speed_lose_nothing_without_keep(db: Db) -> TestResult {
    full_speed(db, false).await
}

/// Real processes, real phases: four writers while the plan goes all its way to
/// its end, on a column that is NOT NULL and that a statement must never meet unfilled.
async fn full_speed(db: Db, keep: bool) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text NOT NULL); INSERT INTO t SELECT i, 'start' FROM generate_series(1, 400) i").await?;
    let plan = RENAME.replace("rows: 3", "rows: 200");
    db.file("plans/1_p.yaml", &if keep { plan } else { plan.replace("keep: 1d", "") })?;
    let (live, seen) = tokio::sync::watch::channel(Live::Old);
    let mut writers = tokio::task::JoinSet::new();
    let mut at = Vec::new();
    for lane in 0..4 {
        let (told, arrived) = tokio::sync::watch::channel(Live::Over);
        at.push(arrived);
        writers.spawn(writer(db.connect().await?, lane, seen.clone(), told));
    }
    db.phase(&["expand"]).await?.expect(0)?;
    roll_out(&live, &mut at, Live::Both).await?;
    db.phase(&["backfill"]).await?.expect(0)?;
    db.phase(&["validate"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE new IS DISTINCT FROM old").await?, "0");
    roll_out(&live, &mut at, Live::New).await?;
    db.phase(&["contract"]).await?.expect(0)?;
    if keep {
        same!(db.value("SELECT count(*) FROM t WHERE new IS DISTINCT FROM _phase_1_old").await?, "0");
        db.phase(&["purge", "1", "--now"]).await?.expect(0)?;
    }
    same!(db.value("SELECT state FROM phase.item").await?, "completed");
    live.send_replace(Live::Over);
    let mut last = std::collections::BTreeMap::new();
    while let Some(acknowledged) = writers.join_next().await {
        // Lanes own their rows, so the last write of each row is known.
        last.extend(acknowledged?.map_err(|error| format!("a statement failed: {error:?}"))?);
    }
    check!(last.len() > 400, "only {} rows were written", last.len());
    let rows = db.connect().await?.query("SELECT id, new FROM t", &[]).await?;
    let rows: std::collections::BTreeMap<i32, Option<String>> =
        rows.iter().map(|row| (row.get("id"), row.get("new"))).collect();
    for (id, text) in &last {
        same!(rows.get(id), Some(&Some(text.clone())), "row {id}");
    }
    Ok(())
}

/// Which versions are live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Live {
    Old,
    Both,
    New,
    Over,
}

/// Rolls a version out and waits until no writer has a statement of the one before.
async fn roll_out(
    live: &tokio::sync::watch::Sender<Live>,
    at: &mut [tokio::sync::watch::Receiver<Live>],
    version: Live,
) -> TestResult {
    live.send_replace(version);
    for writer in at {
        writer.wait_for(|at| *at == version).await.map_err(|_| "a writer ended early")?;
    }
    Ok(())
}

async fn writer(
    client: Client,
    lane: i32,
    live: tokio::sync::watch::Receiver<Live>,
    at: tokio::sync::watch::Sender<Live>,
) -> Result<Vec<(i32, String)>, tokio_postgres::Error> {
    let mut acknowledged = Vec::new();
    for n in 0.. {
        let version = *live.borrow();
        at.send_replace(version);
        let column = match version {
            Live::Over => break,
            Live::New => "new",
            // Two lanes stay at the old version while both are live.
            Live::Both if lane % 2 == 0 => "new",
            Live::Both | Live::Old => "old",
        };
        let text = format!("{lane}-{n}");
        let (id, sql) = if n % 10 == 0 {
            let id = 1_000 + lane * 10_000_000 + n;
            (id, format!("INSERT INTO t (id, {column}) VALUES ({id}, '{text}')"))
        } else {
            let id = 1 + lane + 4 * (n % 100);
            (id, format!("UPDATE t SET {column} = '{text}' WHERE id = {id}"))
        };
        client.batch_execute(&sql).await?;
        acknowledged.push((id, text));
    }
    Ok(acknowledged)
}

async fn the_rule_holds_case_by_case(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text, other int)").await?;
    db.file("plans/1_p.yaml", RENAME)?;
    db.phase(&["expand"]).await?.expect(0)?;
    let client = db.connect().await?;
    for (sql, wanted) in [
        ("INSERT INTO t (id, old) VALUES (1, 'a')", "a a"),
        ("INSERT INTO t (id, new) VALUES (1, 'b')", "b b"),
        ("INSERT INTO t (id, old, new) VALUES (1, 'a', 'b')", "b b"),
        ("INSERT INTO t (id) VALUES (1)", "- -"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET old = 'c'", "c c"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET new = 'c'", "c c"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET new = NULL", "- -"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET old = NULL", "- -"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET old = 'c', new = 'd'", "d d"),
        ("INSERT INTO t (id, old) VALUES (1, 'a'); UPDATE t SET other = 5", "a a"),
        (
            "INSERT INTO t (id, old) VALUES (1, 'a'), (2, 'b'); UPDATE t SET new = new || old; DELETE FROM t WHERE id = 2",
            "aa aa",
        ),
        ("COPY t (id, old) FROM PROGRAM 'echo \"1,z\"' CSV", "z z"),
    ] {
        client
            .batch_execute(&format!("TRUNCATE t; {sql}"))
            .await
            .map_err(|error| format!("{sql}: {error:?}"))?;
        same!(
            value(&client, "SELECT coalesce(old, '-') || ' ' || coalesce(new, '-') FROM t").await?,
            wanted,
            "{sql}"
        );
    }
    // An image, not `=`, decides: a change of scale is a change.
    db.run("CREATE TABLE n (id int PRIMARY KEY, old numeric, j json)").await?;
    db.file("plans/2_n.yaml", "expand:\n  - {sql: 'ALTER TABLE n ADD COLUMN new numeric, ADD COLUMN k json', undo: ALTER TABLE n DROP COLUMN new}\n  - sync: {table: n, set: {new: old, k: j}, back: {old: new, j: k}}\n")?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.run(
        "INSERT INTO n (id, old, j) VALUES (1, 1.0, '{}'); UPDATE n SET new = 1.00; UPDATE n SET k = '[ ]'",
    )
    .await?;
    same!(db.value("SELECT old || ' ' || new || ' ' || j || ' ' || k FROM n").await?, "1.00 1.00 [ ] [ ]");
    Ok(())
}

async fn a_backfill_pays_nothing_and_never_writes_back(db: Db) -> TestResult {
    // upper and lower are no inverses: a write back would show.
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text); INSERT INTO t SELECT i, 'MiXed' || i FROM generate_series(1, 500) i").await?;
    db.file(
        "plans/1_p.yaml",
        &RENAME.replace("{new: old}", "{new: upper(old)}").replace("{old: new}", "{old: lower(new)}"),
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    db.run(&format!("ALTER DATABASE \"{}\" SET track_functions = 'all'", db.name)).await?;
    db.phase(&["backfill"]).await?.expect(0)?;
    same!(db.value("SELECT count(*) FROM t WHERE new = upper(old) AND old LIKE 'MiXed%'").await?, "500");
    let flush =
        if db.major >= 15 { "SELECT pg_stat_force_next_flush()" } else { "SELECT pg_stat_clear_snapshot()" };
    db.run(flush).await?;
    let calls =
        "SELECT coalesce(sum(calls), 0) FROM pg_stat_user_functions WHERE funcname LIKE 'phase_sync%'";
    same!(db.value(calls).await?, "0");
    // The same function does run for a writer, so that zero above means something.
    db.run("UPDATE t SET new = 'NEW' WHERE id = 1; SELECT pg_sleep(0)").await?;
    same!(db.value("SELECT old FROM t WHERE id = 1").await?, "new");
    while db.value(calls).await? == "0" {
        db.run("UPDATE t SET new = new || 'X' WHERE id = 1").await?;
    }
    Ok(())
}

async fn a_default_on_the_new_column_is_refused(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, old text)").await?;
    db.file("plans/1_p.yaml", &RENAME.replace("new text,", "new text DEFAULT 'x',"))?;
    let ended: Ended = db.phase(&["expand"]).await?.expect(1)?;
    check!(ended.stderr.contains("column new has a default"), "{ended:?}");
    db.phase(&["abort", "1"]).await?.expect(0)?;
    Ok(())
}

async fn split_columns_stay_together(db: Db) -> TestResult {
    db.run("CREATE TABLE t (id int PRIMARY KEY, \"full\" text); INSERT INTO t VALUES (1, 'Ada Lovelace')")
        .await?;
    db.file(
        "plans/1_p.yaml",
        "expand:\n  - {sql: 'ALTER TABLE t ADD COLUMN first text, ADD COLUMN last text', undo: 'ALTER TABLE t DROP COLUMN first, DROP COLUMN last'}\n  \
         - sync: {table: t, set: {first: \"split_part(\\\"full\\\", ' ', 1)\", last: \"split_part(\\\"full\\\", ' ', 2)\"}, back: {'\"full\"': \"concat_ws(' ', first, last)\"}}\n\
         backfill:\n  - {table: t, set: {first: \"split_part(\\\"full\\\", ' ', 1)\", last: \"split_part(\\\"full\\\", ' ', 2)\"}}\n",
    )?;
    db.phase(&["advance", "1", "--to", "backfilled"]).await?.expect(0)?;
    db.run("INSERT INTO t (id, first, last) VALUES (2, 'Grace', 'Hopper'); INSERT INTO t (id, \"full\") VALUES (3, 'Alan Turing'); UPDATE t SET last = 'Byron' WHERE id = 1").await?;
    let all = "SELECT string_agg(\"full\" || '=' || first || '+' || last, ', ' ORDER BY id) FROM t";
    same!(db.value(all).await?, "Ada Byron=Ada+Byron, Grace Hopper=Grace+Hopper, Alan Turing=Alan+Turing");
    Ok(())
}
