//! Looks from another session who waits because of ours, as long as an attempt is under way.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio_postgres::Row;

use crate::core::failure::Failure;
use crate::core::impact::{Held, Look, Waiter, Waiting};
use crate::core::lint::Lock;
use crate::engine::gauge::Gauge;
use crate::pg::queries as q;
use crate::pg::sessions::Sessions;

/// A look at a server with many waiting sessions is dear, and holds up whoever asks for a
/// lock: the rest after it is so many times as long,
const REST: u32 = 4;
/// but at most so many times what was wished for: whose wait nobody sees, nobody ends.
const RARELY: u32 = 4;
/// A pause after a look that failed.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

impl Sessions {
    /// Looks until it is dropped.
    pub(super) async fn sample(&self, gauge: &Gauge) -> Infallible {
        loop {
            let care = gauge.under_way().await;
            let (sent, began) = (gauge.now(), Instant::now());
            let ours = self.backends();
            match self.look_around(&ours).await {
                Ok((look, held)) => {
                    gauge.locks(held);
                    if gauge.look(sent, &look, &ours) {
                        // Again and again while it lasts: between two statements a request is lost.
                        self.cancel().await;
                    }
                    tokio::time::sleep((began.elapsed() * REST).clamp(care.every, care.every * RARELY)).await;
                }
                Err(failure) => {
                    tracing::debug!("nobody could look who waits: {failure}");
                    tokio::time::sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    async fn look_around(&self, ours: &[i32]) -> Result<(Look, Vec<Held>), Failure> {
        let rows = self.watch().await?.rows(q::WAITING, &[&ours]).await?;
        let held: Vec<Held> = rows.iter().filter_map(held).collect();
        let waiting = rows.iter().filter(|row| row.get::<_, Option<String>>("relation").is_none());
        let look = Look { waiting: waiting.map(waits).collect(), holding: !held.is_empty() };
        Ok((look, held))
    }

    /// The locks that a session holds on what was there before its transaction.
    pub(super) async fn locks_of(&self, pid: i32) -> Result<Vec<Held>, Failure> {
        let metadata = self.metadata().as_str();
        let rows = self.watch().await?.rows(q::LOCKS_OF, &[&pid, &metadata]).await?;
        Ok(rows.iter().filter_map(held).collect())
    }
}

fn held(row: &Row) -> Option<Held> {
    let relation: Option<String> = row.get("relation");
    let lock = Lock::of_mode(row.get::<_, Option<&str>>("mode")?)?;
    Some(Held { relation: relation?, lock })
}

fn waits(row: &Row) -> Waiting {
    let waited: Option<f64> = row.get("waited_s");
    Waiting {
        who: Waiter {
            pid: row.get("pid"),
            user: row.get("usename"),
            application: row.get("application_name"),
        },
        behind: row.get("behind"),
        began: row.get("began"),
        waited: waited.and_then(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).ok()),
        plain: row.get("plain"),
    }
}
