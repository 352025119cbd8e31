//! What a statement of a worker that did not go through means for what comes next.

use std::time::Instant;

use super::crew::{Crew, CrewEnd};
use super::worker::{Next, Worker};
use crate::core::backfill::{Chunk, Leaf, Walk};
use crate::core::failure::{Failure, FailureKind};
use crate::core::pace::servo::BatchEnd;
use crate::core::retry;
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::{Store, Target};

/// Windows that pass locked rows over after one met a lock: there is somebody else.
const WARY: u32 = 50;

impl<S: Store, T: Target> Worker<'_, S, T> {
    /// Takes a result in, or what a failure means.
    pub(super) async fn went<R>(
        &mut self,
        leaf: &Leaf,
        chunk: &mut Chunk,
        result: Result<Option<R>, Failure>,
        take: impl FnOnce(&mut Self, &mut Chunk, R),
    ) -> Result<Next, RunError> {
        let crew = self.crew;
        match result {
            Ok(Some(result)) => {
                take(self, chunk, result);
                Ok(Next::Go)
            }
            Ok(None) => self.lost(chunk).await,
            Err(failure) if failure.kind == FailureKind::Cancelled && crew.ended() => Ok(Next::Leave),
            Err(failure) if Crew::<S, T>::passing(failure.kind) => self.in_the_way(failure).await,
            Err(failure) if failure.kind == FailureKind::Data => self.pick(leaf, chunk, failure).await,
            Err(failure) => Err(crew
                .current
                .failed(Failure { message: format!("{}\n{}", failure.message, place_of(chunk)), ..failure })),
        }
    }

    /// The fence did not hold: the chunk is somebody else's, the walk is further
    /// than we knew, or the table was rewritten.
    async fn lost(&mut self, chunk: &mut Chunk) -> Result<Next, RunError> {
        let crew = self.crew;
        match crew.execution.store.chunk(crew.which, chunk).await? {
            Some(now) if now != *chunk => {
                *chunk = now;
                Ok(Next::Go)
            }
            Some(_) => {
                crew.end(CrewEnd::Changed);
                Ok(Next::Leave)
            }
            None => Ok(Next::Leave),
        }
    }

    /// Somebody is in the way: smaller batches, passing locked rows over, later.
    pub(super) async fn in_the_way(&mut self, failure: Failure) -> Result<Next, RunError> {
        let crew = self.crew;
        let tuning = crew.tuning();
        if failure.kind == FailureKind::LockTimeout && self.wary == 0 && crew.backfill.sets() {
            // Expected: nothing was waited for but a few milliseconds.
            self.wary = WARY;
            return Ok(Next::Go);
        }
        self.servo.learn(tuning.bounds(), self.target(), BatchEnd::Contended);
        self.wary = WARY;
        self.attempts += 1;
        let waited = self.waiting.get_or_insert_with(Instant::now).elapsed();
        crew.execution.store.retried(crew.which, &failure.message).await?;
        let limit = crew.execution.limits.lock_wait_max;
        let Some(pause) = retry::pause(self.attempts, waited, limit, rand::random()) else {
            return Err(crew.current.failed(failure));
        };
        crew.execution.listener.on(&Event::Retry {
            id: crew.which.step.clone(),
            attempt: self.attempts,
            pause,
            why: failure.message,
            blockers: failure.blockers,
        });
        crew.execution.stop.sleep(pause).await;
        Ok(Next::Go)
    }
}

fn place_of(chunk: &Chunk) -> String {
    let leaf = &chunk.leaf;
    match (&chunk.cursor, chunk.walk) {
        (Some(cursor), Walk::Key) => {
            format!(
                "The batch of {leaf} after key ({}) was rolled back; what came before it is kept.",
                cursor.join(", ")
            )
        }
        (Some(cursor), Walk::Pages) => {
            format!(
                "The batch of {leaf} at page {} was rolled back; what came before it is kept.",
                cursor.join(", ")
            )
        }
        (None, _) => format!("The first batch of {leaf} was rolled back; no row of it was changed."),
    }
}
