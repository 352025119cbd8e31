//! Owns the health signals: what each is, what its value means against its
//! limit, and the worst of them all.
//!
//! A value at its limit or above it means stop; from four fifths of it on, slow.
//! What stopped goes on, slowly, below four fifths, and what is slow is full
//! again below three fifths: without that gap a signal at its limit would switch
//! every second.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Level;

/// One signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// The time by which the slowest replica is behind, by the clock of the log.
    ReplicaLag,
    /// The log that the slowest replica has not replayed.
    ReplicaBytes,
    /// The log that the laziest replication slot keeps.
    SlotWal,
    /// The log that may still be written before a slot is lost.
    FreeWal,
    /// The log that is written, all sessions together.
    WalRate,
    /// Log files that wait for the archiver.
    ArchiveBacklog,
    /// Sessions that run a statement.
    ActiveSessions,
    /// Sessions that wait for a lock of a batch.
    LockWaiters,
    /// The age of the oldest transaction.
    OldestTransaction,
    /// An autovacuum against wraparound on the table.
    WraparoundVacuum,
    /// The share of dead rows in the table.
    Bloat,
    /// Checkpoints that the amount of log forces.
    Checkpoints,
    /// A query that must give true.
    Query,
    /// An address that must answer with 200.
    Http,
    /// A command that must succeed.
    Command,
}

/// What a value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesPerSecond,
    /// Things.
    Count,
    /// A share, 0 to 1.
    Share,
    /// Things a minute.
    PerMinute,
    /// It holds, or it does not.
    Flag,
}

impl Signal {
    /// Every signal.
    pub const ALL: [Self; 15] = [
        Self::ReplicaLag,
        Self::ReplicaBytes,
        Self::SlotWal,
        Self::FreeWal,
        Self::WalRate,
        Self::ArchiveBacklog,
        Self::ActiveSessions,
        Self::LockWaiters,
        Self::OldestTransaction,
        Self::WraparoundVacuum,
        Self::Bloat,
        Self::Checkpoints,
        Self::Query,
        Self::Http,
        Self::Command,
    ];

    /// The key in a plan's `throttle`, and for `tune --limit`.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::ReplicaLag => "replica_lag",
            Self::ReplicaBytes => "replica_bytes",
            Self::SlotWal => "slot_wal",
            Self::FreeWal => "free_wal",
            Self::WalRate => "wal_rate",
            Self::ArchiveBacklog => "archive_backlog",
            Self::ActiveSessions => "active_sessions",
            Self::LockWaiters => "lock_waiters",
            Self::OldestTransaction => "oldest_transaction",
            Self::WraparoundVacuum => "wraparound_vacuum",
            Self::Bloat => "bloat",
            Self::Checkpoints => "checkpoints",
            Self::Query => "query",
            Self::Http => "http",
            Self::Command => "command",
        }
    }

    /// Reads the key.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.key() == key)
    }

    /// What its value counts.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::ReplicaLag | Self::OldestTransaction => Unit::Seconds,
            Self::ReplicaBytes | Self::SlotWal | Self::FreeWal => Unit::Bytes,
            Self::WalRate => Unit::BytesPerSecond,
            Self::ArchiveBacklog | Self::ActiveSessions | Self::LockWaiters => Unit::Count,
            Self::Bloat => Unit::Share,
            Self::Checkpoints => Unit::PerMinute,
            Self::WraparoundVacuum | Self::Query | Self::Http | Self::Command => Unit::Flag,
        }
    }

    /// Its name in a sentence.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::ReplicaBytes => "replica lag".into(),
            Self::SlotWal => "WAL kept by a slot".into(),
            Self::FreeWal => "WAL left before a slot is lost".into(),
            Self::WalRate => "WAL rate".into(),
            Self::WraparoundVacuum => "an autovacuum against wraparound is on the table".into(),
            Self::Bloat => "dead rows".into(),
            Self::Checkpoints => "forced checkpoints".into(),
            Self::Query => "the query of throttle".into(),
            Self::Http => "the address of throttle".into(),
            Self::Command => "the command of throttle".into(),
            other => other.key().replace('_', " "),
        }
    }

    /// Whether less is worse.
    const fn falls(self) -> bool {
        matches!(self, Self::FreeWal)
    }
}

/// A limit or a value, as people read it.
#[must_use]
pub fn shown(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Seconds if value < 10.0 => format!("{value:.1}s"),
        Unit::Seconds => crate::core::brief::brief(Duration::from_secs_f64(value.clamp(0.0, 1e9))),
        Unit::Bytes => bytes(value),
        Unit::BytesPerSecond => format!("{}/s", bytes(value)),
        Unit::Count => format!("{value:.0}"),
        Unit::Share => format!("{:.0}%", value * 100.0),
        Unit::PerMinute => format!("{value:.1} a minute"),
        Unit::Flag => if value > 0.0 { "yes" } else { "no" }.into(),
    }
}

/// Bytes in PostgreSQL's units, powers of 1024.
fn bytes(value: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (value, 0);
    while value >= 1024.0 && unit + 1 < units.len() {
        (value, unit) = (value / 1024.0, unit + 1);
    }
    if value >= 100.0 || unit == 0 {
        format!("{value:.0}{}", units[unit])
    } else {
        format!("{value:.1}{}", units[unit])
    }
}

/// What was measured of a signal.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The signal.
    pub signal: Signal,
    /// Its value.
    pub value: Value,
}

/// A value that was measured.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// In the signal's unit; of a flag, above 0 where it says stop.
    Known(f64),
    /// The same with what was said about it.
    Said(f64, String),
    /// It could not be had; why.
    Unknown(String),
}

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

/// The clock of the log: how far behind a replica is in time, from where the
/// log stood at which second.
///
/// `replay_lag` of the server is no clock: it stands still while replay is
/// paused and nothing is written, and is null when the replica has caught up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogClock {
    /// Seconds and positions, both rising.
    seen: std::collections::VecDeque<(f64, f64)>,
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

    #[test]
    fn values_read_well() {
        let shown: Vec<String> = [
            shown(Unit::Seconds, 7.25),
            shown(Unit::Seconds, 90.0),
            shown(Unit::Bytes, 52_428_800.0),
            shown(Unit::BytesPerSecond, 1_500.0),
            shown(Unit::Share, 0.254),
        ]
        .into();
        assert_eq!(shown, ["7.2s", "1m 30s", "50.0MB", "1.5kB/s", "25%"]);
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
