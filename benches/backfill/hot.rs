//! Part 6: rows that the application updates all the time, in random order.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::RngExt;
use tokio_postgres::Client;

use crate::lab::{Fresh, Lab, connect, number};
use crate::ours::{FULL_PACE, Ours};
use crate::page::{Line, Part, Want, thousand};
use crate::{Outcome, Scale, rivals};

/// Rows of the table: small, so that the backfill is among the hot ones all the time.
const ROWS: u64 = 200_000;
/// Rows that are hot, spread over the table.
const HOT: i64 = 2_000;
/// Clients of the application; each has hot rows of its own, so that they are
/// in nobody's way but the backfill's.
const CLIENTS: i64 = 4;
/// Updates of one transaction.
const UPDATES: usize = 10;

/// What the application met.
#[derive(Debug, Clone, Copy, Default)]
struct Met {
    deadlocks: f64,
    transactions: u64,
    failed: u64,
    /// The longest statement, in milliseconds.
    longest: f64,
    /// The longest wait for a lock of the backfill's, in milliseconds.
    waited: f64,
}

pub(crate) async fn part(scale: Scale) -> Outcome<Part> {
    let lab = Lab::start(ROWS).await?;
    let (mut ours, mut rival) = (Met::default(), Met::default());
    for round in 0..scale.rounds {
        let one = beside(&lab, true).await?;
        let other = beside(&lab, false).await?;
        println!("6, round {}: phase {one:?}; the script {other:?}", round + 1);
        ours = worse(ours, one);
        rival = worse(rival, other);
    }
    let row = |name: &str, met: Met| {
        vec![
            name.to_owned(),
            format!("{:.0}", met.deadlocks),
            thousand(met.failed as f64),
            thousand(met.transactions as f64),
            format!("{:.0}", met.waited),
            format!("{:.0}", met.longest),
        ]
    };
    Ok(Part {
        number: 6,
        title: "Hot rows".into(),
        text: format!(
            "{CLIENTS} clients update {HOT} hot rows, {UPDATES} a transaction, in random order, while {} rows are backfilled at full pace with two workers; the script runs with batches of 1,000 and no pause. {} rounds, the worst of each.",
            thousand(ROWS as f64),
            scale.rounds
        ),
        head: [
            "",
            "deadlocks",
            "failed transactions",
            "transactions",
            "longest wait for the backfill, ms",
            "longest statement, ms",
        ]
        .map(str::to_owned)
        .into(),
        table: vec![row("phase", ours), row("the script", rival)],
        lines: vec![
            Line::new("deadlocks", ours.deadlocks, Want::AtMost(0.0)),
            Line::new("transactions that failed", ours.failed as f64, Want::AtMost(0.0)),
            Line::new("longest wait for us, ms", ours.waited, Want::AtMost(250.0)),
        ],
        plots: Vec::new(),
    })
}

fn worse(one: Met, other: Met) -> Met {
    Met {
        deadlocks: one.deadlocks + other.deadlocks,
        transactions: one.transactions + other.transactions,
        failed: one.failed + other.failed,
        longest: one.longest.max(other.longest),
        waited: one.waited.max(other.waited),
    }
}

async fn beside(lab: &Lab, ours: bool) -> Outcome<Met> {
    let fresh = lab.fresh().await?;
    fresh.client.batch_execute("SET application_name = 'the script'").await?;
    let over = Arc::new(AtomicBool::new(false));
    let met = Arc::new(Mutex::new(Met::default()));
    let mut tasks = tokio::task::JoinSet::new();
    for lane in 0..CLIENTS {
        let client = connect(&fresh.url).await?;
        tasks.spawn(application(client, lane, Arc::clone(&over), Arc::clone(&met)));
    }
    tasks.spawn(look(connect(&fresh.url).await?, Arc::clone(&over), Arc::clone(&met)));
    work(&fresh, ours).await?;
    over.store(true, Ordering::SeqCst);
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    // Statistics of sessions that have ended are there at once.
    let sql = "SELECT deadlocks::float8 FROM pg_stat_database WHERE datname = current_database()";
    let deadlocks = number(&connect(&fresh.url).await?, sql).await?;
    let met = *met.lock().unwrap();
    lab.over(fresh).await?;
    Ok(Met { deadlocks, ..met })
}

async fn work(fresh: &Fresh, ours: bool) -> Outcome<()> {
    if ours {
        let ours = Ours::new(&fresh.url, &format!("workers: 2, {FULL_PACE}")).await?;
        ours.run(&fresh.client).await?;
        return Ok(());
    }
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(60) {
        // A deadlock ends the script; whoever runs it starts it again.
        if rivals::script(&fresh.client, Duration::ZERO, Duration::from_secs(60)).await.is_ok() {
            break;
        }
    }
    Ok(())
}

async fn application(client: Client, lane: i64, over: Arc<AtomicBool>, met: Arc<Mutex<Met>>) -> Outcome<()> {
    let update = client.prepare("UPDATE item SET note = 'hot' WHERE id = $1").await?;
    let stride = i64::try_from(ROWS)? / HOT;
    while !over.load(Ordering::SeqCst) {
        client.batch_execute("BEGIN").await?;
        let mut failed = false;
        for _ in 0..UPDATES {
            let hot = rand::rng().random_range(0..HOT / CLIENTS) * CLIENTS + lane;
            let began = Instant::now();
            let done = client.execute(&update, &[&(1 + hot * stride)]).await;
            let took = began.elapsed().as_secs_f64() * 1e3;
            let mut met = met.lock().unwrap();
            met.longest = met.longest.max(took);
            if done.is_err() {
                met.failed += 1;
                failed = true;
                break;
            }
        }
        client.batch_execute(if failed { "ROLLBACK" } else { "COMMIT" }).await?;
        met.lock().unwrap().transactions += 1;
    }
    Ok(())
}

/// Looks who waits for the backfill, and since when.
async fn look(client: Client, over: Arc<AtomicBool>, met: Arc<Mutex<Met>>) -> Outcome<()> {
    let sql = "SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart)) * 1000, 0)::float8
        FROM pg_locks l WHERE NOT l.granted AND EXISTS (
          SELECT FROM pg_stat_activity a WHERE a.pid = ANY (pg_blocking_pids(l.pid))
          AND (a.application_name LIKE 'phase%' OR a.application_name = 'the script'))";
    while !over.load(Ordering::SeqCst) {
        let waited = number(&client, sql).await?;
        {
            let mut met = met.lock().unwrap();
            met.waited = met.waited.max(waited);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}
