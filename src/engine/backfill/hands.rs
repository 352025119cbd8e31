//! The hands of a crew: a place for each worker, held while that many are wanted, and
//! what their ends mean for all.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::crew::{Crew, CrewEnd};
use super::ports::Walker;
use super::worker::{Quit, Worker};
use crate::core::backfill::tuning::MAX_WORKERS;
use crate::core::failure::Failure;
use crate::core::pace::progress::Rate;
use crate::engine::error::RunError;
use crate::engine::{Store, Target};

/// How often a worker that got no session asks for one.
const SESSION_AGAIN: Duration = Duration::from_secs(5);

impl<S: Store, T: Target> Crew<'_, S, T> {
    /// Works until the pass is done, or something stops it.
    pub(super) async fn run(&self) -> Result<CrewEnd, RunError> {
        self.learn_bad().await?;
        // What an operator changed holds from the first batch on.
        self.beat(&mut Rate::default(), Instant::now()).await?;
        let mut hands: FuturesUnordered<_> =
            (0..MAX_WORKERS).map(|index| Box::pin(self.hand(index))).collect();
        let mut beats = Box::pin(self.beats());
        let mut paces = Box::pin(self.paces());
        let mut paced = false;
        let mut fault = None;
        loop {
            let result = tokio::select! {
                ended = hands.next() => match ended {
                    None => break,
                    Some(result) => result,
                },
                // After a fault nobody beats any more; the hands end by themselves.
                beat = &mut beats, if fault.is_none() => beat,
                pace = &mut paces, if fault.is_none() && !paced => {
                    paced = true;
                    pace
                }
            };
            if let Err(error) = result {
                fault.get_or_insert(error);
                self.end(CrewEnd::Changed);
            }
        }
        match fault {
            Some(error) => Err(error),
            None => {
                // The last word, after the last batch.
                self.beat(&mut Rate::default(), Instant::now()).await?;
                Ok(self.end.borrow().clone().unwrap_or(CrewEnd::PassDone))
            }
        }
    }

    /// One place for a worker: it has one while that many are wanted.
    async fn hand(&self, index: u32) -> Result<(), RunError> {
        let (mut end, mut tuning) = (self.end.subscribe(), self.tuning.subscribe());
        let mut looked = self.looked.subscribe();
        loop {
            while !self.wants(index) || !*looked.borrow() {
                if self.ended() {
                    return Ok(());
                }
                tokio::select! {
                    _ = end.changed() => {}
                    _ = tuning.changed() => {}
                    _ = looked.changed() => {}
                }
            }
            if self.ended() {
                return Ok(());
            }
            let failed = |failure: Failure| self.current.failed(failure);
            let settings = self.tuning();
            let walker = match self.open(self.execution.target.walker(&settings, self.table)).await {
                Ok(walker) => walker,
                // Where others are at work, one that has no session yet waits for it.
                Err(failure) if failure.kind.reconnects() && !self.backends().is_empty() => {
                    let first = failure.message.lines().next().unwrap_or_default();
                    tracing::warn!("worker {} has no session: {first}", index + 1);
                    self.execution.stop.sleep(SESSION_AGAIN).await;
                    continue;
                }
                Err(failure) => return Err(failed(failure)),
            };
            let backend = walker.backend();
            let id = self.execution.store.worker_add(self.which, backend).await?;
            self.with_backends(|backends| backends.push(backend));
            let quit = Box::pin(Worker::new(self, walker, id, index).work()).await;
            self.forget(id);
            self.with_backends(|backends| backends.retain(|other| *other != backend));
            // The row goes by itself, later, where the connection is gone.
            let _ = self.execution.store.worker_gone(id).await;
            if quit? == Quit::Ended {
                return Ok(());
            }
        }
    }
}
