//! Owns the clock of the log, which tells how late a replica is.

use std::collections::{BTreeMap, VecDeque};

/// The clock of the log: how far behind a replica is in time, from where the
/// log stood at which second, and how long it will take to catch up.
///
/// `replay_lag` of the server is no clock: it stands still while replay is
/// paused and nothing is written, and is null when the replica has caught up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogClock {
    /// Seconds and positions, both rising.
    seen: VecDeque<(f64, f64)>,
    /// What each replica has replayed of late, by the process that feeds it: names repeat.
    replays: BTreeMap<i32, VecDeque<(f64, f64)>>,
}

/// Seconds of the log that the clock remembers.
const REMEMBERED: f64 = 3_600.0;
/// Seconds over which the speed of replay is measured: it comes in bursts.
const SPEED_OVER: f64 = 3.0;
/// Bytes that say something about how long catching up will take: a segment. Below,
/// a moment's backlog over an idle second's speed would look like seconds.
const ENOUGH: f64 = 16_777_216.0;

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

    /// How late a replica is, in seconds: how long ago the log passed what it has
    /// replayed, or how long it will take to replay what is written by now, whichever
    /// is longer. What is in the pipe cannot be taken back, so a replica that got slow
    /// is late before it shows.
    pub fn lag(&mut self, sender: i32, at: f64, replayed: f64) -> f64 {
        let since = self.seen.iter().find(|(_, position)| *position > replayed);
        let since = since.map_or(0.0, |(then, _)| (at - then).max(0.0));
        let written = self.seen.back().map_or(replayed, |(_, position)| *position);
        // A replica that connects anew is fed by another process.
        self.replays
            .retain(|_, replays| replays.back().is_some_and(|(then, _)| at - then <= SPEED_OVER * 10.0));
        let replays = self.replays.entry(sender).or_default();
        replays.push_back((at, replayed));
        while replays.len() > 2 && replays.get(1).is_some_and(|(then, _)| at - then >= SPEED_OVER) {
            replays.pop_front();
        }
        let (from, before) = replays.front().copied().unwrap_or((at, replayed));
        let (seconds, bytes, backlog) = (at - from, replayed - before, written - replayed);
        // Too short a time, or a replay that stands still, gives no speed.
        let ahead = if backlog >= ENOUGH && seconds >= SPEED_OVER * 0.5 && bytes > 0.0 {
            backlog * seconds / bytes
        } else {
            0.0
        };
        since.max(ahead)
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
        assert!((clock.lag(1, 9.0, 450.0) - 4.0).abs() < 1e-9);
        // Nothing more is written; the replica catches up, or it does not.
        clock.learn(100.0, 900.0);
        assert!(clock.lag(1, 100.0, 900.0).abs() < 1e-9);
        assert!((clock.lag(1, 100.0, 800.0) - 91.0).abs() < 1e-9);
    }

    #[test]
    fn a_replica_that_got_slow_is_late_before_it_shows() {
        let mut clock = LogClock::default();
        let (mut written, mut replayed, mut lags) = (0.0, 0.0, Vec::new());
        for second in 0..10 {
            let at = f64::from(second);
            clock.learn(at, written);
            lags.push(clock.lag(1, at, replayed));
            written += 40e6;
            // From second 4 on it replays a tenth of what comes.
            replayed = if second < 4 { written } else { replayed + 4e6 };
        }
        assert!(lags[..5].iter().all(|lag| *lag < 1e-9), "{lags:?}");
        assert!(lags[6] > 2.0 && lags[7] > 10.0, "{lags:?}");
    }

    #[test]
    fn a_replica_that_applies_late_is_as_late_as_that() {
        let mut clock = LogClock::default();
        for second in 0..20 {
            let at = f64::from(second);
            clock.learn(at, at * 40e6);
            let lag = clock.lag(1, at, (at - 3.0).max(0.0) * 40e6);
            assert!(second < 8 || (2.0..4.5).contains(&lag), "{second}: {lag}");
        }
    }

    #[test]
    fn little_traffic_never_looks_like_seconds() {
        let mut clock = LogClock::default();
        for second in 0..20 {
            let at = f64::from(second);
            clock.learn(at, at * 200.0 + 150.0);
            assert!(clock.lag(1, at, at * 200.0) < 1.0);
        }
    }
}
