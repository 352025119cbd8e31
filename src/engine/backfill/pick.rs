//! Picks the rows out that a batch fails on: halves the batch until single rows
//! are left, puts those into quarantine, and lets the rest go on.

use super::PROOF;
use super::crew::{Crew, CrewEnd};
use super::ports::{Order, Walker};
use super::worker::{Next, Worker};
use crate::core::backfill::batch::{Locking, Take};
use crate::core::backfill::{Chunk, Key, Leaf};
use crate::core::failure::{Failure, FailureKind};
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::{Store, Target};

/// How often a window is tried again that fails on data, while no row of it does by itself.
const BAFFLED: u32 = 5;

impl<S: Store, T: Target> Worker<'_, S, T> {
    /// The rows of the window one part after another; afterwards the batch may
    /// be sent again.
    pub(super) async fn pick(
        &mut self,
        leaf: &Leaf,
        chunk: &mut Chunk,
        failure: Failure,
    ) -> Result<Next, RunError> {
        let crew = self.crew;
        tracing::debug!(step = %crew.which.step, "a batch failed on its data: {}", failure.message);
        if chunk.pass == PROOF {
            // The look that failed had no end on record yet.
            let order = self.order(leaf, chunk, Take::Rest, self.window_of_looks());
            match self.walker.open(&order).await.map_err(|failure| crew.current.failed(failure))? {
                Some(opened) => *chunk = opened,
                None => return Ok(Next::Leave),
            }
        }
        let bad = crew.bad(&chunk.leaf);
        let all = Order { quarantine: &bad, ..self.order(leaf, chunk, Take::Stripe, 1) };
        let keys = self.walker.identities(&all).await.map_err(|failure| crew.current.failed(failure))?;
        let mut parts: Vec<Vec<Key>> = if keys.is_empty() { Vec::new() } else { vec![keys] };
        let mut found = 0;
        while let Some(part) = parts.pop() {
            if crew.ended() {
                return Ok(Next::Leave);
            }
            let bad = crew.bad(&chunk.leaf);
            let base = self.order(leaf, chunk, Take::Listed, 1);
            let order = Order { quarantine: &bad, listed: &part, locking: Locking::Skip, ..base };
            let batch = crew.execution.interruptible_by(&self.walker, self.walker.batch(&order)).await;
            // The proof looks at rows that are done as well, and one of those may be what it fails on.
            let result = match batch {
                Ok(Some(done)) if chunk.pass == PROOF => {
                    let weighed = self.walker.weigh(&order);
                    crew.execution.interruptible_by(&self.walker, weighed).await.map(|()| Some(done))
                }
                batch => batch,
            };
            match result {
                Ok(Some(done)) => self.took(done.written, done.ms),
                Ok(None) => return Ok(Next::Leave),
                Err(failure) if failure.kind == FailureKind::Data => match part.as_slice() {
                    [only] => {
                        found += 1;
                        if self.isolate(chunk, only, &failure).await? {
                            return Ok(Next::Leave);
                        }
                    }
                    several => {
                        let (first, second) = several.split_at(several.len() / 2);
                        parts.push(second.to_vec());
                        parts.push(first.to_vec());
                    }
                },
                Err(failure) if Crew::<S, T>::passing(failure.kind) => {
                    if crew.ended() {
                        return Ok(Next::Leave);
                    }
                    parts.push(part);
                    let _ = self.in_the_way(failure).await?;
                }
                Err(failure) => return Err(crew.current.failed(failure)),
            }
        }
        if found == 0 {
            // No row by itself fails: what made the batch fail is gone, or is not of one row.
            self.baffled += 1;
            if self.baffled > BAFFLED {
                return Err(crew.current.failed(failure));
            }
            return self.in_the_way(failure).await;
        }
        Ok(Next::Go)
    }

    /// Puts a row into quarantine; whether that is one too many.
    async fn isolate(&self, chunk: &Chunk, key: &Key, failure: &Failure) -> Result<bool, RunError> {
        let crew = self.crew;
        let rows = crew.execution.store.quarantine(crew.which, chunk, key, failure).await?;
        crew.add_bad(&chunk.leaf, key);
        crew.execution.listener.on(&Event::Quarantined {
            leaf: chunk.leaf.clone(),
            key: key.clone(),
            why: failure.message.clone(),
        });
        let most = i64::from(crew.tuning().max_quarantine);
        if rows <= most {
            return Ok(false);
        }
        let reason = format!(
            "{rows} rows of {} are in quarantine, more than the {most} that the plan allows (max_quarantine): \
             phase quarantine {version} lists them; mend them, phase retry-bad {version}, or allow more with \
             phase tune {version} --max-quarantine N; then phase resume {version}",
            crew.which.step,
            version = crew.which.version
        );
        crew.execution.store.place_hold(&crew.which.version, &reason).await?;
        crew.end(CrewEnd::Halted(format!("it is paused: {reason}")));
        Ok(true)
    }
}
