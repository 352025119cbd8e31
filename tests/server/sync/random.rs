//! Statements of both versions in any order, against a model of the rule.

use bytes::Bytes;
use futures_util::SinkExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use tokio_postgres::Client;

use super::RENAME;
use crate::harness::{Db, TestResult, check, same, value};

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
pub(super) async fn random_interleavings_end_equal_and_lose_nothing(db: Db) -> TestResult {
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
