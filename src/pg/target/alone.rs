//! Runs a statement of a step outside of any transaction.

use super::PgTarget;
use crate::core::failure::Failure;
use crate::engine::Watch;
use crate::pg::classify::failure;

impl PgTarget {
    /// Runs a statement that no transaction may hold.
    pub(super) async fn outside(
        &self,
        sql: &str,
        watch: &(dyn Fn(Watch) + Send + Sync),
    ) -> Result<(), Failure> {
        let session = self.sessions.work().await?;
        self.sessions.running(&session.client);
        // Simple protocol and autocommit: nothing else may share its transaction.
        let work = async {
            let sent = session.client.batch_execute(&format!("{sql}\n")).await;
            sent.map_err(|error| failure(&error))
        };
        let result = match &self.trace {
            Some(trace) => {
                let work = self.sessions.watched(session.pid, watch, work);
                Box::pin(trace.alone(session, sql, work)).await
            }
            None => self.sessions.watched(session.pid, watch, work).await,
        };
        self.sessions.settled().await;
        if let Err(error) = session.reset().await {
            tracing::debug!("reset: {error}");
        }
        result
    }
}
