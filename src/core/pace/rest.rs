//! Owns how long a worker rests after a stretch of work.

use std::time::Duration;

use super::{Pace, cost};
use crate::core::backfill::Tuning;

/// A stretch of work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
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
    #[must_use]
    pub fn looked(whole: Duration, ms: f64, rows: i64) -> Self {
        let took = at_the_server(whole, ms);
        Self { whole, took, worth: took, rows }
    }

    /// A batch that wrote rows; `ms` is the server's time.
    #[must_use]
    pub fn wrote(whole: Duration, ms: f64, rows: i64, us_per_row: Option<f64>) -> Self {
        let took = at_the_server(whole, ms);
        let worth = cost::worth(took.as_secs_f64() * 1e6, rows, us_per_row);
        Self { whole, took, worth: Duration::from_secs_f64(worth / 1e6), rows }
    }

    /// The rest that it calls for.
    #[must_use]
    pub fn rest(&self, tuning: &Tuning, pace: &Pace) -> Duration {
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

/// How long a server was at it that said so many milliseconds by its own clock.
fn at_the_server(whole: Duration, ms: f64) -> Duration {
    whole.min(Duration::from_secs_f64(((ms + cost::ANSWER / 1e3) / 1e3).max(0.0)))
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
