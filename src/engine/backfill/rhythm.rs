//! The rhythm of a worker: what it learns from its batches, and how long it rests
//! between them.

use std::time::{Duration, Instant};

use super::worker::Worker;
use crate::core::pace::rest::Stretch;
use crate::core::pace::servo::{BatchEnd, fleeting};
use crate::core::pace::{Level, cost};
use crate::engine::{Store, Target};

/// The shortest batch that is aimed for: some hundred rows, of whose cost a third is the
/// batch's own. Beside pgbench on two cores, with the share fixed at 0.13, the 99th percentile
/// of an application rose by about 40% with batches of 1.5 ms and by about 15% with 1 ms and
/// with 0.7 ms, whose bursts were the shortest of the three.
const SHORTEST: Duration = Duration::from_micros(700);

/// A rest that is longer shows in the rate.
const A_WHILE: Duration = Duration::from_secs(1);

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
        // A short batch that waited for a processor is no larger than it should be.
        let target = self.target();
        let worked = if fleeting(target) {
            cost::work(ms * 1e3, written, self.crew.pace().us_per_row) / 1e3
        } else {
            ms
        };
        let end = BatchEnd::Took { written, at_server: at_server(worked) };
        self.servo.learn(self.crew.tuning().bounds(), target, end);
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

/// A time at the server.
pub(super) fn at_server(ms: f64) -> Duration {
    Duration::from_secs_f64((ms / 1_000.0).max(0.0))
}
