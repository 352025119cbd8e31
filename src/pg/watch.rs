//! Looks what a statement waits for while it runs.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::core::failure::{Blocker, Failure};
use crate::engine::Watch;
use crate::pg::classify::failure;
use crate::pg::obstacles::blocker;
use crate::pg::queries as q;
use crate::pg::sessions::Sessions;

/// How long a statement runs before somebody looks what it waits for.
const LOOK_AFTER: Duration = Duration::from_millis(200);
/// How often somebody looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Sessions {
    /// Runs `work` on the session of backend `pid` and, once it takes its time,
    /// looks again and again what it waits for.
    pub(super) async fn watched<R>(
        &self,
        pid: i32,
        on: &(dyn Fn(Watch) + Send + Sync),
        work: impl Future<Output = Result<R, Failure>>,
    ) -> Result<R, Failure> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let look = async {
            tokio::time::sleep(LOOK_AFTER).await;
            // Ends with the work that it stands beside.
            loop {
                if let Ok(watch) = self.look(pid).await {
                    if let Ok(mut seen) = seen.lock()
                        && !watch.waiting_for.is_empty()
                    {
                        seen.clone_from(&watch.waiting_for);
                    }
                    on(watch);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let result = tokio::select! {
            result = work => result,
            never = look => never,
        };
        result.map_err(|mut failure| {
            if failure.kind.retryable()
                && let Ok(seen) = seen.lock()
            {
                failure.blockers.clone_from(&seen);
            }
            failure
        })
    }

    async fn look(&self, pid: i32) -> Result<Watch, Failure> {
        let watching = self.watch().await?;
        let client = watching.client();
        let blockers = client.query(q::BLOCKERS, &[&pid]).await.map_err(|error| failure(&error))?;
        let progress = client.query_opt(q::INDEX_PROGRESS, &[&pid]).await.map_err(|error| failure(&error))?;
        let waiting_for =
            blockers.iter().map(|row| Blocker { age_s: row.get("age_s"), ..blocker(row) }).collect();
        Ok(match progress {
            Some(row) => {
                let unit = match row.get("unit") {
                    "lockers" => "transactions waited for",
                    "tuples" => "rows",
                    _ => "blocks",
                };
                Watch {
                    phase: row.get("phase"),
                    done: row.get("done"),
                    total: row.get("total"),
                    unit,
                    waiting_for,
                }
            }
            None => Watch { phase: String::new(), done: 0, total: 0, unit: "", waiting_for },
        })
    }
}
