//! Owns the size of a batch: a servo that holds its time at the server near a target.
//!
//! The law, after each batch of `n` rows that took `t` where `T` was wanted:
//!
//! - `n · T/t`, but at most half as much again: a batch that was quick may have met
//!   rows that were in memory, and the next one rows that are not;
//! - at once as small as `T/t` says, down to a tenth, when it was slow: a long
//!   batch is locks held and an application that waits;
//! - half, when a lock or a deadlock was in the way: there is somebody else, and
//!   what is lost with a batch is lost time;
//! - where batches are far shorter than a scheduler's turn, a single slow one is forgiven, and
//!   the size follows the others by a quarter of what they say: whoever waits for a processor
//!   is slow as well, and each row of a batch that is too small costs more;
//! - larger only when the batch wrote at least half of what it was sized for: where
//!   little is to do, time says nothing about the cost of a row.
//!
//! The asymmetry (slow up, fast down) is that of congestion control since TCP;
//! the bound of 1.5 is the one that spirit's chunk sizer uses.

use std::time::Duration;

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BatchEnd {
    /// It committed.
    Took {
        /// Rows that it wrote.
        written: i64,
        /// Its time at the server.
        at_server: Duration,
    },
    /// A lock, a deadlock or a time limit ended it; it was rolled back.
    Contended,
}

/// What the size may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// The most that one batch may grow.
const GROWTH: f64 = 1.5;
/// The most that one batch may shrink.
const SHRINK: f64 = 0.1;
/// The longest batch that is [`fleeting`].
const FLEETING: Duration = Duration::from_millis(5);
/// A batch that takes that many times its target is slow.
const SLOW: f64 = 2.0;
/// The part of what a short batch says that is followed, as a power of it.
const DAMPED: f64 = 0.25;
/// Within this share of the target nothing changes: below it is noise.
const CALM: f64 = 0.1;
/// The first size: a few milliseconds on any server.
const START: f64 = 100.0;

/// Whether a batch is so short that it is slow whenever others have the processors: Linux and
/// hypervisors hand them out for 1 to 10 ms at a time.
#[must_use]
pub fn fleeting(batch: Duration) -> bool {
    batch <= FLEETING
}

/// The size of the next batch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Servo {
    rows: f64,
    /// Whether the batch before was slow.
    slow: bool,
}

impl Default for Servo {
    fn default() -> Self {
        Self { rows: START, slow: false }
    }
}

impl Servo {
    /// Rows of the next batch.
    #[must_use]
    pub fn rows(&self, bounds: Bounds) -> u32 {
        let (min, max) = (f64::from(bounds.min), f64::from(bounds.max.max(bounds.min)));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range of u32"
        )]
        let rows = self.rows.clamp(min.max(1.0), max.max(1.0)).round() as u32;
        rows
    }

    /// Learns from a batch.
    pub fn learn(&mut self, bounds: Bounds, target: Duration, end: BatchEnd) {
        let now = f64::from(self.rows(bounds));
        self.rows = match end {
            BatchEnd::Contended => now * 0.5,
            BatchEnd::Took { written, at_server } => {
                let ratio = target.as_secs_f64() / at_server.as_secs_f64().max(1e-6);
                #[allow(clippy::cast_precision_loss, reason = "a share")]
                let full = written as f64 * 2.0 >= now;
                let (fleeting, slow) = (fleeting(target), ratio < 1.0 / SLOW);
                let slow_before = std::mem::replace(&mut self.slow, slow);
                let followed = if fleeting { DAMPED } else { 1.0 };
                match ratio {
                    _ if fleeting && slow && !slow_before => now,
                    ratio if (ratio - 1.0).abs() <= CALM => now,
                    ratio if ratio > 1.0 && !full => now,
                    ratio => now * ratio.powf(followed).clamp(SHRINK, GROWTH),
                }
            }
        }
        .clamp(f64::from(bounds.min.max(1)), f64::from(bounds.max.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { min: 10, max: 20_000 };
    const TARGET: Duration = Duration::from_millis(100);

    /// A server that takes `fixed` and then `per_row` for each row.
    fn run(servo: &mut Servo, batches: usize, fixed: Duration, per_row: Duration) -> Vec<Duration> {
        let one = |servo: &mut Servo| {
            let rows = servo.rows(BOUNDS);
            let at_server = fixed + per_row * rows;
            servo.learn(BOUNDS, TARGET, BatchEnd::Took { written: i64::from(rows), at_server });
            at_server
        };
        (0..batches).map(|_| one(servo)).collect()
    }

    proptest! {
        #[test]
        fn it_settles_at_the_target_on_any_server(per_row_us in 6_u64..5_000, fixed_us in 0_u64..20_000) {
            let mut servo = Servo::default();
            let times = run(&mut servo, 40, Duration::from_micros(fixed_us), Duration::from_micros(per_row_us));
            let last = times[39];
            let at_a_bound = servo.rows(BOUNDS) == BOUNDS.max || servo.rows(BOUNDS) == BOUNDS.min;
            prop_assert!(at_a_bound || (last >= TARGET * 8 / 10 && last <= TARGET * 12 / 10), "{last:?}");
        }

        #[test]
        fn it_stays_within_its_bounds(ends in proptest::collection::vec((any::<bool>(), 0_i64..30_000, 0_u64..10_000_000), 0..60)) {
            let mut servo = Servo::default();
            for (contended, written, us) in ends {
                let end = if contended { BatchEnd::Contended } else { BatchEnd::Took { written, at_server: Duration::from_micros(us) } };
                let before = servo.rows(BOUNDS);
                servo.learn(BOUNDS, TARGET, end);
                let after = servo.rows(BOUNDS);
                prop_assert!((BOUNDS.min..=BOUNDS.max).contains(&after));
                prop_assert!(f64::from(after) <= f64::from(before) * GROWTH + 1.0);
            }
        }
    }

    #[test]
    fn one_slow_batch_shrinks_the_next_at_once() {
        let mut servo = Servo::default();
        run(&mut servo, 40, Duration::ZERO, Duration::from_micros(20));
        let before = servo.rows(BOUNDS);
        run(&mut servo, 1, Duration::ZERO, Duration::from_micros(200));
        assert!(servo.rows(BOUNDS) <= before / 9, "{before} -> {}", servo.rows(BOUNDS));
    }

    #[test]
    fn short_batches_keep_their_size_where_one_in_five_waits_for_a_processor() {
        let (mut servo, target) = (Servo::default(), Duration::from_micros(700));
        let mut rows = Vec::new();
        for n in 0..200 {
            let waited = if n % 5 == 0 { 5_000 } else { 0 };
            let now = servo.rows(BOUNDS);
            let at_server = Duration::from_micros(100 + 5 * u64::from(now) + waited);
            servo.learn(BOUNDS, target, BatchEnd::Took { written: i64::from(now), at_server });
            rows.push(now);
        }
        assert!(rows[20..].iter().all(|rows| (100..=140).contains(rows)), "{rows:?}");
        // Rows that are dearer are no accident.
        for _ in 0..15 {
            let at_server = Duration::from_micros(100 + 50 * u64::from(servo.rows(BOUNDS)));
            let written = i64::from(servo.rows(BOUNDS));
            servo.learn(BOUNDS, target, BatchEnd::Took { written, at_server });
        }
        assert!(servo.rows(BOUNDS) <= 16, "{}", servo.rows(BOUNDS));
    }

    #[test]
    fn batches_that_write_little_do_not_grow() {
        let mut servo = Servo::default();
        for _ in 0..100 {
            servo.learn(BOUNDS, TARGET, BatchEnd::Took { written: 0, at_server: Duration::from_micros(300) });
        }
        assert_eq!(servo.rows(BOUNDS), 100);
    }
}
