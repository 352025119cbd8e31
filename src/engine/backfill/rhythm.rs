//! The rhythm of a worker: what it learns from its batches, and how long it rests
//! between them.

use std::time::Duration;

use super::worker::Worker;
use crate::core::pace::servo::BatchEnd;
use crate::engine::{Store, Target};

/// Rows of a batch that says something about what a row costs.
const ENOUGH: i64 = 20;
/// The shortest batch that is aimed for: some hundred and fifty rows, of whose cost a
/// tenth is the batch's own. Chosen for short bursts, on few and noisy measurements: which
/// of 1.5 and 3 ms an application feels less has not been settled.
const SHORTEST: Duration = Duration::from_micros(1_500);

impl<S: Store, T: Target> Worker<'_, S, T> {
    /// Nothing is in the way, and so many rows took so long.
    pub(super) fn went_through(&mut self, rows: i64, ms: f64) {
        (self.attempts, self.waiting, self.last_ms) = (0, None, ms);
        #[allow(clippy::cast_precision_loss, reason = "an average")]
        self.crew.cost(ms, (rows >= ENOUGH).then(|| per_row(ms, rows as f64)));
    }

    /// What a batch aims for: where there are rests between batches, they are
    /// shorter as well, because one long batch hurts more than many short ones.
    pub(super) fn target(&self) -> Duration {
        let (target, share) = (self.crew.tuning().target, self.crew.pace().share);
        target.mul_f64((share * share).clamp(0.0, 1.0)).max(SHORTEST.min(target))
    }

    /// Learns from a batch that wrote rows.
    pub(super) fn took(&mut self, written: i64, ms: f64) {
        let end = BatchEnd::Took { written, at_server: at_server(ms) };
        self.servo.learn(self.crew.tuning().bounds(), self.target(), end);
        self.went_through(written, ms);
        self.rows += written;
        self.rate.learn(self.since.elapsed().as_secs_f64(), self.rows);
    }

    /// Rests after a batch of so many rows, as the pace and the settings have it.
    pub(super) async fn rest(&self, took: Duration, rows: i64) {
        let (tuning, pace) = (self.crew.tuning(), self.crew.pace());
        let share = (pace.share * (1.0 - tuning.nice)).clamp(0.01, 1.0);
        let mut rest = took.mul_f64(1.0 / share - 1.0) + tuning.pause;
        if let Some(rate) = tuning.rate {
            let each = f64::from(rate) / f64::from(tuning.workers.max(1));
            #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
            let rows = rows as f64;
            rest = rest.max(Duration::from_secs_f64((rows / each).min(60.0)).saturating_sub(took));
        }
        if rest.is_zero() {
            return;
        }
        tokio::select! {
            () = self.crew.news() => {}
            () = self.crew.execution.stop.sleep(rest) => {}
        }
    }
}

/// A time at the server.
pub(super) fn at_server(ms: f64) -> Duration {
    Duration::from_secs_f64((ms / 1_000.0).max(0.0))
}

/// What a row took, in microseconds, without what every batch takes.
fn per_row(ms: f64, rows: f64) -> f64 {
    /// Planning, fence and cursor of a batch, in microseconds.
    const FIXED: f64 = 600.0;
    let us = ms * 1_000.0;
    (us - FIXED).max(us * 0.2) / rows
}
