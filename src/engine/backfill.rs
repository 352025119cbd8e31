//! Runs a backfill batch after batch: two passes, each batch and its cursor in
//! one statement, the pace between them.

use std::time::{Duration, Instant};

use crate::core::backfill::{Backfill, Position, Shape};
use crate::core::failure::Failure;
use crate::engine::error::RunError;
use crate::engine::event::{Event, Progress};
use crate::engine::execute::{Current, Ended, Execution, Tried};
use crate::engine::{Batch, BatchDone, Store, Target, crash};

impl<S: Store, T: Target> Execution<'_, S, T> {
    pub(crate) async fn backfill(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
    ) -> Result<Ended, RunError> {
        let sql = backfill.outline();
        let failed = |failure| current.failed(failure);
        let shape = self.target.shape(backfill).await.map_err(failed)?;
        self.store.step_started(self.fence, &current.write(false, None, &sql)).await?;
        crash::point(&format!("inside {}", current.step.id));
        let id = current.step.id.as_str();
        let mut position = self.target.claim_range(self.fence, id, backfill, &shape).await.map_err(failed)?;
        if let left @ Ended::WorkLeft(_) = self.walk(current, backfill, &shape, &mut position).await? {
            return Ok(left);
        }
        if position.pass == 1 && backfill.takes_locks() {
            self.target.second_pass(self.fence, id).await.map_err(failed)?;
            crash::point(&format!("second pass of {id}"));
            position = Position { pass: 2, cursor: None, finished: false, ..position };
            if let left @ Ended::WorkLeft(_) = self.walk(current, backfill, &shape, &mut position).await? {
                return Ok(left);
            }
        }
        self.store.step_finished(self.fence, &current.write(true, None, &sql)).await?;
        Ok(Ended::Done)
    }

    /// Walks one pass to its end.
    async fn walk(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
        shape: &Shape,
        position: &mut Position,
    ) -> Result<Ended, RunError> {
        let mut rate = Rate::from(position);
        self.listener.on(&Event::Progress(rate.progress(position)));
        while !position.finished {
            if let Some(why) = self.stop.reason() {
                return Ok(Ended::WorkLeft(why.into()));
            }
            let done = match self.batch(current, backfill, shape, position).await? {
                Tried::Done(done) => done,
                Tried::WorkLeft(why) => return Ok(Ended::WorkLeft(why)),
            };
            *position = done.position;
            self.listener.on(&Event::Progress(rate.progress(position)));
            crash::point(&format!("batch {} of {}", position.batches, current.step.id));
            if let Some(reason) = done.hold {
                return Ok(Ended::WorkLeft(format!("it is paused: {reason}")));
            }
            if !position.finished && !backfill.pause.is_zero() {
                self.stop.sleep(backfill.pause).await;
            }
        }
        Ok(Ended::Done)
    }

    /// One batch, tried again while locks or conflicts are in the way.
    async fn batch(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
        shape: &Shape,
        position: &Position,
    ) -> Result<Tried<BatchDone>, RunError> {
        let batch = Batch { step: &current.step.id, backfill, shape, position, limits: &self.limits };
        self.retrying(current, || self.target.batch(self.fence, &batch)).await.map_err(|error| match error {
            RunError::Step { step, title, failure } => {
                let message = format!("{}\n{}", failure.message, place_of(position));
                RunError::Step { step, title, failure: Failure { message, ..failure } }
            }
            other => other,
        })
    }
}

fn place_of(position: &Position) -> String {
    match &position.cursor {
        Some(cursor) => format!(
            "The batch after key ({}) was rolled back; what came before it is kept.",
            cursor.join(", ")
        ),
        None => "The first batch was rolled back; no row was changed.".into(),
    }
}

/// Rows a second since this run began.
struct Rate {
    since: Instant,
    rows_before: i64,
}

impl Rate {
    fn from(position: &Position) -> Self {
        Self { since: Instant::now(), rows_before: position.rows_seen }
    }

    fn progress(&mut self, position: &Position) -> Progress {
        let seconds = self.since.elapsed().max(Duration::from_millis(1)).as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
        let rows = (position.rows_seen - self.rows_before) as f64;
        let rows_total =
            if position.finished { position.rows_seen } else { position.rows_total.max(position.rows_seen) };
        Progress {
            pass: position.pass,
            rows_done: position.rows_seen,
            rows_total,
            rows_written: position.rows_written,
            rows_per_s: rows / seconds,
            finished: position.finished,
        }
    }
}
