//! Writers of both versions without pause, through a whole plan.

use tokio_postgres::Client;

use super::RENAME;
use crate::harness::{Db, TestResult, check, same};

pub(super) async fn writers_at_full_speed_lose_nothing(db: Db) -> TestResult {
    full_speed(db, true).await
}

pub(super) async fn writers_at_full_speed_lose_nothing_without_keep(db: Db) -> TestResult {
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
