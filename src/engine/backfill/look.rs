//! The proof of a chunk, one window after another; what is left in a window is
//! done before it is passed.

use std::time::Instant;

use super::ports::{Order, Walker};
use super::rhythm::at_server;
use super::worker::{Next, Worker};
use crate::core::backfill::batch::{Locking, Take};
use crate::core::backfill::{Chunk, Leaf};
use crate::core::pace::rest::Stretch;
use crate::core::pace::servo::BatchEnd;
use crate::engine::error::RunError;
use crate::engine::{Store, Target};

/// How much more a look at rows takes at a time than work on them: reading is that much cheaper.
const LOOKS: i64 = 10;

/// How often a window is looked at again whose rows others change all the time.
const SLIPS: u32 = 20;

impl<S: Store, T: Target> Worker<'_, S, T> {
    /// One window of the proof; what is left in it is done first.
    pub(super) async fn look(&mut self, leaf: &Leaf, chunk: &mut Chunk) -> Result<Next, RunError> {
        let crew = self.crew;
        let rows = self.window_of_looks();
        let bad = crew.bad(&chunk.leaf);
        let order = Order { quarantine: &bad, ..self.order(leaf, chunk, Take::Rest, rows) };
        let began = Instant::now();
        let settled = self.settled.take().is_some_and(|at| at == (chunk.number, chunk.cursor.clone()));
        let checked = crew.execution.interruptible_by(&self.walker, self.walker.check(&order, settled)).await;
        let took = began.elapsed();
        let (mut remaining, mut seen, mut ms) = (0, 0, 0.0);
        let next = self
            .went(leaf, chunk, checked, |worker, chunk, checked| {
                let end = BatchEnd::Took { written: rows, at_server: at_server(checked.ms) };
                worker.looks.learn(worker.crew.tuning().bounds(), worker.target(), end);
                worker.went_through(checked.seen, checked.ms);
                worker.baffled = 0;
                (remaining, seen, ms) = (checked.remaining, checked.seen, checked.ms);
                worker.crew.held(checked.hold.as_ref());
                *chunk = checked.chunk;
                worker.say(Some(chunk));
            })
            .await?;
        if remaining > 0 && !settled && matches!(next, Next::Go) {
            return self.rest_of_window(leaf, chunk, remaining).await;
        }
        self.slipped = 0;
        // Rows that are only read weigh less under `rate` as well.
        self.rest(Stretch::looked(took, ms, seen / LOOKS)).await;
        Ok(next)
    }

    /// Rows that one look takes.
    pub(super) fn window_of_looks(&self) -> i64 {
        i64::from(self.looks.rows(self.crew.tuning().bounds())) * LOOKS
    }

    /// What the work passed over in a window: all that is free, then row by row.
    async fn rest_of_window(
        &mut self,
        leaf: &Leaf,
        chunk: &mut Chunk,
        remaining: i64,
    ) -> Result<Next, RunError> {
        let crew = self.crew;
        let mut locking = Locking::Skip;
        let (mut batches, mut done_rows) = (0, 0);
        while batches <= remaining {
            if crew.ended() {
                return Ok(Next::Leave);
            }
            let bad = crew.bad(&chunk.leaf);
            let take = if crew.repair { Take::OutOfStep } else { Take::Rest };
            let order = Order { quarantine: &bad, locking, ..self.order(leaf, chunk, take, 1) };
            let done = crew.execution.interruptible_by(&self.walker, self.walker.batch(&order)).await;
            let mut written = None;
            let next = self
                .went(leaf, chunk, done, |worker, chunk, done| {
                    written = Some(done.written);
                    worker.crew.held(done.hold.as_ref());
                    // The end of the window is the look's, not the batch's.
                    *chunk = done.chunk;
                })
                .await?;
            if matches!(next, Next::Leave) {
                return Ok(next);
            }
            match written {
                // A lock was in the way, or a row went into quarantine: the same again.
                None => continue,
                Some(0) if locking == Locking::Wait => break,
                Some(rows) => (batches, done_rows) = (batches + 1, done_rows + rows),
            }
            locking = Locking::Wait;
        }
        // Somebody changed rows between our look and our lock: look again.
        if done_rows < remaining && self.slipped < SLIPS {
            self.slipped += 1;
            return Ok(Next::Go);
        }
        self.slipped = 0;
        self.settled = Some((chunk.number, chunk.cursor.clone()));
        Ok(Next::Go)
    }
}
