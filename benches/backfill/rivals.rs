//! What people do without a tool: one UPDATE, or the usual script.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::Outcome;
use crate::lab::EXPRESSION;

/// Rows a batch of the script.
const BATCH: u64 = 1_000;
/// The pause that careful people put between its batches.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// One UPDATE of the whole table; seconds.
pub(crate) async fn one_update(client: &Client) -> Outcome<f64> {
    let began = Instant::now();
    client.batch_execute(&format!("UPDATE item SET cents = {EXPRESSION}")).await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The script until it is done, or its time is up; rows and seconds.
pub(crate) async fn script(client: &Client, pause: Duration, at_most: Duration) -> Outcome<(f64, f64)> {
    let sql = format!(
        "UPDATE item SET cents = {EXPRESSION} WHERE id IN (SELECT id FROM item WHERE cents IS NULL LIMIT {BATCH})"
    );
    let (began, mut rows) = (Instant::now(), 0_u64);
    while began.elapsed() < at_most {
        let done = client.execute(&sql, &[]).await?;
        rows += done;
        if done < BATCH {
            break;
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
    }
    Ok((rows as f64, began.elapsed().as_secs_f64()))
}
