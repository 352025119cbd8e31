//! Rows that an application updates all the time, in random order: nobody deadlocks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::RngExt;
use tokio_postgres::Client;

use crate::harness::{Db, TestResult, check, same, tests};

tests![transactions_in_random_order_never_deadlock_with_batches];

const ROWS: i64 = 40_000;
const HOT: i64 = 800;
const CLIENTS: i64 = 4;

async fn transactions_in_random_order_never_deadlock_with_batches(db: Db) -> TestResult {
    db.run(&format!("CREATE TABLE t (id bigint PRIMARY KEY, a bigint, note text DEFAULT repeat('x', 60)); INSERT INTO t SELECT generate_series(1, {ROWS}); ANALYZE t")).await?;
    db.file(
        "plans/1_p.yaml",
        "backfill:\n  - {table: t, set: {a: id}, workers: 2, batch: {max_rows: 500}, throttle: {congestion: false}}\n",
    )?;
    db.phase(&["expand"]).await?.expect(0)?;
    let over = Arc::new(AtomicBool::new(false));
    let mut clients = tokio::task::JoinSet::new();
    for lane in 0..CLIENTS {
        clients.spawn(update(db.connect().await?, lane, Arc::clone(&over)));
    }
    let ended = db.phase(&["backfill"]).await?;
    over.store(true, Ordering::SeqCst);
    let mut transactions = 0;
    while let Some(ended) = clients.join_next().await {
        transactions += ended??;
    }
    ended.expect(0)?;
    check!(transactions > 0, "the application did nothing");
    same!(db.value("SELECT count(*) FROM t WHERE a IS DISTINCT FROM id").await?, "0", "rows are left");
    same!(db.value("SELECT out_of_step FROM phase.proof").await?, "0", "rows are out of step");
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    same!(db.value(deadlocks).await?, "0", "after {transactions} transactions");
    Ok(())
}

/// Updates hot rows of its own in random order, ten a transaction; a deadlock would fail it.
async fn update(client: Client, lane: i64, over: Arc<AtomicBool>) -> Result<u64, tokio_postgres::Error> {
    let mut transactions = 0;
    while !over.load(Ordering::SeqCst) {
        client.batch_execute("BEGIN").await?;
        for _ in 0..10 {
            let hot = rand::rng().random_range(0..HOT / CLIENTS) * CLIENTS + lane;
            let id = 1 + hot * (ROWS / HOT);
            client.execute("UPDATE t SET note = 'hot' WHERE id = $1", &[&id]).await?;
        }
        client.batch_execute("COMMIT").await?;
        transactions += 1;
    }
    Ok(transactions)
}
