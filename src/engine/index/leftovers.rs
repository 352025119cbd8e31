//! Drops what a REINDEX CONCURRENTLY of ours left that came to no end: an index that is
//! not valid, and that every write keeps up all the same.

use std::pin::pin;
use std::time::Duration;

use crate::core::failure::Failure;
use crate::core::ident::QName;
use crate::core::sql::{Change, split};
use crate::core::step::drop_index_sql;
use crate::engine::current::Current;
use crate::engine::event::Event;
use crate::engine::execute::Execution;
use crate::engine::gauge::{Care, LOOSELY};
use crate::engine::{Store, Target, Watch};

/// How long somebody who asked to stop waits until an invalid index is dropped.
const PATIENCE: Duration = Duration::from_secs(3);

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Drops what is left of an earlier attempt at a statement, put on record first. What
    /// cannot be dropped now is met by the next attempt.
    ///
    /// # Errors
    /// When the server cannot be asked, or the record cannot be written.
    pub(crate) async fn clear_leftovers(&self, current: &Current<'_>, sql: &str) -> Result<(), Failure> {
        let Some(rebuilt) = rebuilt(sql) else { return Ok(()) };
        let left = self.target.leftovers(&rebuilt).await?;
        for index in left {
            let id = &current.step.id;
            let detail =
                format!("drops {}, which an attempt at {} left invalid", index.plain(), rebuilt.plain());
            self.store.note(&self.fence.version, Some(id), "leftover", &detail).await?;
            self.drop_leftover(current, &index).await;
        }
        Ok(())
    }

    /// Drops an index that is not valid. It may wait for old transactions, and so may whoever
    /// asked to stop, but not for long: what is still there is met by the next run.
    pub(super) async fn drop_leftover(&self, current: &Current<'_>, index: &QName) {
        let id = &current.step.id;
        let what = format!("dropping the invalid index {}", index.plain());
        let watch = |watch: Watch| {
            let watch = Watch { phase: what.clone(), ..watch };
            self.listener.on(&Event::Watched { id: id.clone(), watch });
        };
        let (care, sql) = (Care { limit: None, every: LOOSELY }, drop_index_sql(index));
        let mut dropped = pin!(current.gauge.attempt(care, self.target.run_alone(&sql, &watch)));
        let patience = async {
            self.stop.interrupted().await;
            tokio::time::sleep(PATIENCE).await;
        };
        let dropped = tokio::select! {
            dropped = &mut dropped => dropped,
            () = patience => {
                self.target.cancel().await;
                dropped.await
            }
        };
        if let Err(failure) = dropped {
            tracing::warn!(
                step = %id,
                "the invalid index {} is still there, and every write keeps it up; the next run drops it: {failure}",
                index.plain()
            );
        }
    }
}

/// The table or index that a statement builds anew concurrently; `None` for any other.
fn rebuilt(sql: &str) -> Option<QName> {
    let statements = split(sql).ok()?;
    statements.iter().flat_map(|statement| &statement.changes).find_map(|change| match change {
        Change::Reindex { name, concurrently: true, .. } => Some(name.clone()),
        _ => None,
    })
}
