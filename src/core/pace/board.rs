//! Owns what values of signals mean against their limits.
//!
//! A value at its limit or above it means stop; from four fifths of it on, slow.
//! What stopped goes on, slowly, below four fifths, and what is slow is full
//! again below three fifths: without that gap a signal at its limit would switch
//! every second.

use std::collections::BTreeMap;

use super::Level;
use super::signal::{Reading, Signal, Unit, Value, shown};

/// What holds for a signal, and why it is not full.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The signal.
    pub signal: Signal,
    /// Its level.
    pub level: Level,
    /// Why.
    pub why: String,
}

/// Below this share of the limit, what stopped goes on slowly; from it on, what was full is slow.
const SLOW: f64 = 0.8;
/// Below this share, what was slow is full again.
const CALM: f64 = 0.6;
/// Seconds after which a signal that stopped answering lets a little through.
const BLIND: f64 = 60.0;

/// The memory that hysteresis needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Board {
    gauges: BTreeMap<Signal, Gauge>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Gauge {
    level: Level,
    /// Whether it was ever known.
    known: bool,
    /// Since when it is not, in seconds on the caller's clock.
    blind_since: Option<f64>,
}

impl Board {
    /// Judges what was measured `at` seconds on any steady clock.
    ///
    /// A signal that was never known says full, or stop where `unknown_stops`;
    /// one that was and answers no more says stop, and slow after a minute: it
    /// must not read as good, nor hold the work for ever.
    pub fn judge(
        &mut self,
        at: f64,
        readings: &[Reading],
        limit: impl Fn(Signal) -> Option<f64>,
        unknown_stops: bool,
    ) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        for Reading { signal, value } in readings {
            let Some(limit) = limit(*signal) else { continue };
            let before = self.gauges.get(signal).copied().unwrap_or(Gauge {
                level: Level::Full,
                known: false,
                blind_since: None,
            });
            let (gauge, why) = match value {
                Value::Unknown(why) => blind(before, at, unknown_stops, &signal.words(), why),
                Value::Known(value) => known(before, *signal, *value, limit, None),
                Value::Said(value, said) => known(before, *signal, *value, limit, Some(said)),
            };
            self.gauges.insert(*signal, gauge);
            verdicts.push(Verdict { signal: *signal, level: gauge.level, why });
        }
        verdicts
    }
}

fn known(before: Gauge, signal: Signal, value: f64, limit: f64, said: Option<&String>) -> (Gauge, String) {
    let ratio = match (signal.unit(), signal.falls()) {
        (Unit::Flag, _) => value,
        (_, true) => limit / value.max(1.0),
        (_, false) if limit <= 0.0 => {
            if value > 0.0 {
                f64::INFINITY
            } else {
                0.0
            }
        }
        (_, false) => value / limit,
    };
    let level = match (before.level, ratio) {
        (_, ratio) if ratio >= 1.0 => Level::Stop,
        (Level::Stop, ratio) if ratio >= SLOW => Level::Stop,
        (Level::Full, ratio) if ratio >= SLOW => Level::Slow,
        (Level::Slow | Level::Stop, ratio) if ratio >= CALM => Level::Slow,
        _ => Level::Full,
    };
    let sign = match (signal.falls(), value >= limit) {
        (false, true) => {
            if value > limit {
                ">"
            } else {
                "="
            }
        }
        (false, false) | (true, true) => "of",
        (true, false) => "<",
    };
    let why = match (signal.unit(), said) {
        (_, Some(said)) => said.clone(),
        (Unit::Flag, None) => signal.words(),
        (unit, None) => format!("{} {} {sign} {}", signal.words(), shown(unit, value), shown(unit, limit)),
    };
    (Gauge { level, known: true, blind_since: None }, why)
}

fn blind(before: Gauge, at: f64, unknown_stops: bool, words: &str, why: &str) -> (Gauge, String) {
    let since = before.blind_since.unwrap_or(at);
    let level = match (before.known, unknown_stops) {
        (false, false) => Level::Full,
        (false, true) => Level::Stop,
        (true, _) if at - since >= BLIND => Level::Slow,
        (true, _) => Level::Stop,
    };
    (Gauge { level, blind_since: Some(since), ..before }, format!("{words} is unknown: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(board: &mut Board, at: f64, value: Value) -> Level {
        let reading = Reading { signal: Signal::ReplicaLag, value };
        board.judge(at, &[reading], |_| Some(5.0), false)[0].level
    }

    #[test]
    fn levels_have_a_gap_between_coming_and_going() {
        let mut board = Board::default();
        let levels: Vec<Level> = [1.0, 4.1, 5.0, 4.5, 3.9, 3.5, 2.9, 4.5, 3.5, 2.0]
            .iter()
            .map(|value| judge(&mut board, 0.0, Value::Known(*value)))
            .collect();
        use Level::{Full, Slow, Stop};
        assert_eq!(levels, [Full, Slow, Stop, Stop, Slow, Slow, Full, Slow, Slow, Full]);
    }

    #[test]
    fn a_limit_of_nothing_lets_nothing_pass() {
        let mut board = Board::default();
        let reading = |value| [Reading { signal: Signal::LockWaiters, value: Value::Known(value) }];
        assert_eq!(board.judge(0.0, &reading(0.0), |_| Some(0.0), false)[0].level, Level::Full);
        let stopped = &board.judge(1.0, &reading(2.0), |_| Some(0.0), false)[0];
        assert_eq!((stopped.level, stopped.why.as_str()), (Level::Stop, "lock waiters 2 > 0"));
    }

    #[test]
    fn what_answers_no_more_is_not_good() {
        let mut board = Board::default();
        let lost = || Value::Unknown("no replica is connected".into());
        assert_eq!(judge(&mut board, 0.0, lost()), Level::Full);
        assert_eq!(judge(&mut board, 1.0, Value::Known(0.0)), Level::Full);
        assert_eq!(judge(&mut board, 2.0, lost()), Level::Stop);
        assert_eq!(judge(&mut board, 61.0, lost()), Level::Stop);
        assert_eq!(judge(&mut board, 62.0, lost()), Level::Slow);
        assert_eq!(judge(&mut board, 63.0, Value::Known(0.0)), Level::Full);
    }

    proptest! {
        #[test]
        fn the_level_never_jumps_from_stop_to_full_above_the_calm(values in proptest::collection::vec(0.0..10.0_f64, 1..50)) {
            let mut board = Board::default();
            let mut before = Level::Full;
            for value in values {
                let level = judge(&mut board, 0.0, Value::Known(value));
                prop_assert!(value < 5.0 || level == Level::Stop);
                prop_assert!(!(before == Level::Stop && level == Level::Full && value >= 3.0));
                before = level;
            }
        }
    }
}
