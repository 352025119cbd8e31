//! Ends what runners left at work that are gone themselves, before anybody takes their place.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::core::failure::{Failure, FailureKind};
use crate::core::version::Version;
use crate::pg::queries as q;
use crate::pg::store::PgStore;

/// How long a backend may take to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often somebody looks; a server tells nobody.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl PgStore {
    /// Ends the statements of an item's earlier runners that go on without them, each put on
    /// record: what such a one did after this look, nobody would know. The caller has the lock
    /// of the item.
    ///
    /// # Errors
    /// When one does not end, or our role may not end it.
    pub async fn end_orphans(&self, version: &Version) -> Result<(), Failure> {
        let (began, mut told) = (Instant::now(), BTreeSet::new());
        loop {
            let rows = self.rows(q::ORPHANS, &[&version.as_str(), &self.runner()]).await?;
            let Some(first) = rows.first() else { return Ok(()) };
            let named = |row: &tokio_postgres::Row| (row.get::<_, i32>("pid"), row.get::<_, String>("step"));
            for (pid, step) in rows.iter().map(named) {
                if told.insert(pid) {
                    let detail = format!(
                        "ends backend {pid} of an earlier run, which was still at {step} without its client"
                    );
                    self.write(
                        q::NOTE,
                        &[&version.as_str(), &"orphan", &Some(&step), &detail, &self.runner()],
                    )
                    .await?;
                    tracing::warn!(%step, "{detail}");
                }
            }
            if began.elapsed() > PATIENCE {
                let (pid, step) = named(first);
                return Err(Failure::new(
                    FailureKind::Other,
                    format!(
                        "backend {pid} of an earlier run is still at {step} and does not end: nothing is begun beside it; \
                         end it (SELECT pg_terminate_backend({pid})), then run this again"
                    ),
                ));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
