//! Owns the clock of the log, which tells how late a replica is.

use std::collections::VecDeque;

/// The clock of the log: how far behind a replica is in time, from where the
/// log stood at which second.
///
/// `replay_lag` of the server is no clock: it stands still while replay is
/// paused and nothing is written, and is null when the replica has caught up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogClock {
    /// Seconds and positions, both rising.
    seen: VecDeque<(f64, f64)>,
}

/// Seconds of the log that the clock remembers.
const REMEMBERED: f64 = 3_600.0;

impl LogClock {
    /// Learns where the log stands, in bytes, `at` seconds on any steady clock.
    pub fn learn(&mut self, at: f64, position: f64) {
        // Where nothing is written, time does not put a replica behind.
        if self.seen.back().is_none_or(|(_, last)| position > *last) {
            self.seen.push_back((at, position));
        }
        while self.seen.len() > 1 && self.seen.front().is_some_and(|(then, _)| at - then > REMEMBERED) {
            self.seen.pop_front();
        }
    }

    /// How long ago the log passed what a replica has replayed, in seconds.
    #[must_use]
    pub fn lag(&self, at: f64, replayed: f64) -> f64 {
        self.seen
            .iter()
            .find(|(_, position)| *position > replayed)
            .map_or(0.0, |(then, _)| (at - then).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_the_log_knows_an_idle_server_from_a_late_replica() {
        let mut clock = LogClock::default();
        for second in 0..10 {
            clock.learn(f64::from(second), f64::from(second) * 100.0);
        }
        assert!((clock.lag(9.0, 450.0) - 4.0).abs() < 1e-9);
        // Nothing more is written; the replica catches up, or it does not.
        clock.learn(100.0, 900.0);
        assert!(clock.lag(100.0, 900.0).abs() < 1e-9);
        assert!((clock.lag(100.0, 800.0) - 91.0).abs() < 1e-9);
    }
}
