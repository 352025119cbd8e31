//! The rhythm of a worker: what it learns from its batches, and how long it rests
//! between them.

use std::time::{Duration, Instant};

use super::worker::Worker;
use crate::core::backfill::Tuning;
use crate::core::pace::servo::BatchEnd;
use crate::core::pace::{Level, Pace, cost};
use crate::engine::{Store, Target};

/// The shortest batch that is aimed for: some hundred rows, of whose cost a third is the
/// batch's own. Beside pgbench on two cores, the 99th percentile of an application rose by 40% with
/// batches of 1.5 ms, by 15% with 1 ms and by less than that with 0.7 ms; how large the share
/// is that they take, between 0.08 and 0.16, could not be told.
const SHORTEST: Duration = Duration::from_micros(700);

/// A rest that is longer shows in the rate.
const A_WHILE: Duration = Duration::from_secs(1);

/// A stretch of work.
pub(super) struct Stretch {
    /// How long it was.
    whole: Duration,
    /// How long the server was at it.
    took: Duration,
    /// What it counts for.
    worth: Duration,
    /// Rows that count under `rate`.
    rows: i64,
}

impl Stretch {
    /// Rows that were only looked at, and count for so many; `ms` is the server's time.
    pub(super) fn looked(whole: Duration, ms: f64, rows: i64) -> Self {
        let took = within_reason(whole, ms);
        Self { whole, took, worth: took, rows }
    }

    /// A batch that wrote rows; `ms` is the server's time.
    pub(super) fn wrote(whole: Duration, ms: f64, rows: i64, us_per_row: Option<f64>) -> Self {
        let took = within_reason(whole, ms);
        let worth = cost::worth(took.as_secs_f64() * 1e6, rows, us_per_row);
        Self { whole, took, worth: Duration::from_secs_f64(worth / 1e6), rows }
    }

    /// The rest that it calls for.
    fn rest(&self, tuning: &Tuning, pace: &Pace) -> Duration {
        let Self { whole, took, worth, rows } = *self;
        let rest = worth.mul_f64(1.0 / pace.share.clamp(0.01, 1.0) - 1.0);
        let nice = tuning.nice.clamp(0.0, 0.99);
        let rest = rest + (took + rest).mul_f64(nice / (1.0 - nice)) + tuning.pause;
        let Some(rate) = tuning.rate else { return rest };
        let each = f64::from(rate) / f64::from(tuning.workers.max(1));
        #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
        let due = Duration::from_secs_f64((rows as f64 / each).min(60.0));
        rest.max(due.saturating_sub(whole))
    }
}

impl<S: Store, T: Target> Worker<'_, S, T> {
    /// Nothing is in the way, and so many rows took so long.
    pub(super) fn went_through(&mut self, rows: i64, ms: f64) {
        (self.attempts, self.waiting, self.last_ms) = (0, None, ms);
        self.crew.cost(ms, cost::per_row(ms * 1e3, rows));
    }

    /// What a batch aims for: where there are rests between batches, they are far
    /// shorter as well, because one long batch hurts more than many short ones. With the
    /// third power of the share, they stay short up to a quarter of the time.
    pub(super) fn target(&self) -> Duration {
        let (target, share) = (self.crew.tuning().target, self.crew.pace().share);
        target.mul_f64(share.powi(3).clamp(0.0, 1.0)).max(SHORTEST.min(target))
    }

    /// Learns from a batch that wrote rows.
    pub(super) fn took(&mut self, written: i64, ms: f64) {
        let end = BatchEnd::Took { written, at_server: at_server(ms) };
        self.servo.learn(self.crew.tuning().bounds(), self.target(), end);
        self.went_through(written, ms);
        self.rows += written;
        self.rate.learn(self.since.elapsed().as_secs_f64(), self.rows);
    }

    /// Rests after a stretch of work, as the pace and the settings have it at each moment.
    pub(super) async fn rest(&mut self, stretch: Stretch) {
        let (crew, began) = (self.crew, Instant::now());
        while !crew.ended() && crew.wants(self.index) && crew.pace().level != Level::Stop {
            let left = stretch.rest(&crew.tuning(), &crew.pace()).saturating_sub(began.elapsed());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = crew.news() => {}
                () = crew.execution.stop.sleep(left.min(A_WHILE)) => {}
            }
            if began.elapsed() >= A_WHILE {
                self.rate.learn(self.since.elapsed().as_secs_f64(), self.rows);
                crew.slowed(self.id, self.rate.now());
            }
        }
    }
}

/// How long a server was at it that said so many milliseconds by its own clock.
fn within_reason(whole: Duration, ms: f64) -> Duration {
    whole.min(at_server(ms + cost::ANSWER / 1e3))
}

/// A time at the server.
pub(super) fn at_server(ms: f64) -> Duration {
    Duration::from_secs_f64((ms / 1_000.0).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_was_stopped_during_a_batch_does_not_rest_for_that() {
        let pace = Pace { share: 0.1, ..Pace::default() };
        let tuning = Tuning::default();
        let rest = |took, ms| Stretch::wrote(took, ms, 100, None).rest(&tuning, &pace).as_secs_f64();
        let usual = rest(Duration::from_millis(2), 1.7);
        assert!((usual - 0.018).abs() < 0.001, "{usual}");
        let stopped = rest(Duration::from_secs(60), 1.7);
        assert!((stopped - usual).abs() < 0.001, "{stopped}");
        let slow = rest(Duration::from_secs(60), 60_000.0);
        assert!((slow - 540.0).abs() < 0.1, "it worked all the time: {slow}");
    }
}
