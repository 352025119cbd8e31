//! Owns how a backfill goes about it: the plan's settings, and what an operator
//! changes of them while it runs.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::pace::servo::Bounds;
use crate::core::pace::throttle::{Slo, Throttle};
use crate::core::pace::window::Window;

/// The time at the server that a batch aims for: short enough that nobody minds
/// waiting for it, long enough that the round trip does not count.
pub const TARGET: Duration = Duration::from_millis(100);
/// What may be aimed for: a shorter batch is all overhead, a longer one holds its locks
/// for longer than an application waits.
pub const TARGETS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
/// The least rows that the servo chooses.
pub const MIN_ROWS: u32 = 10;
/// The most rows that the servo chooses: beyond, size hardly changes the speed.
pub const MAX_ROWS: u32 = 20_000;
/// Rows in quarantine that stop a backfill: more is a mistake in the plan.
pub const MAX_QUARANTINE: u32 = 1_000;
/// The most workers of one process.
pub const MAX_WORKERS: u32 = 64;

/// How a backfill goes about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tuning {
    /// A fixed number of rows a batch; `None`: the servo chooses.
    pub rows: Option<u32>,
    /// The least that the servo chooses.
    pub min_rows: u32,
    /// The most that the servo chooses.
    pub max_rows: u32,
    /// The time at the server that a batch aims for.
    pub target: Duration,
    /// Sleep after each batch.
    pub pause: Duration,
    /// Workers of one process.
    pub workers: u32,
    /// The share of time to sleep, 0 to below 1.
    pub nice: f64,
    /// The most rows a second, of all workers of one process.
    pub rate: Option<u32>,
    /// Whether windows may be cut into stripes.
    pub stripes: bool,
    /// Rows in quarantine that stop it.
    pub max_quarantine: u32,
    /// Whether batches wait until their commit is on disk.
    pub synchronous_commit: bool,
    /// Whether the table's own triggers fire; `None`: as they do, nobody said anything.
    pub fire_triggers: Option<bool>,
    /// What is watched.
    pub throttle: Throttle,
    /// When it may run.
    pub window: Option<Window>,
    /// A service level that it must not hurt.
    pub slo: Option<Slo>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            rows: None,
            min_rows: MIN_ROWS,
            max_rows: MAX_ROWS,
            target: TARGET,
            pause: Duration::ZERO,
            workers: 1,
            nice: 0.0,
            rate: None,
            stripes: true,
            max_quarantine: MAX_QUARANTINE,
            synchronous_commit: false,
            fire_triggers: None,
            throttle: Throttle::default(),
            window: None,
            slo: None,
        }
    }
}

/// What an operator changed; what is `None` stays as the plan has it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Tune {
    /// A fixed number of rows a batch; 0: the servo chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u32>,
    /// The time at the server that a batch aims for, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_ms: Option<u64>,
    /// Workers of one process; 0: none, it only waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<u32>,
    /// The most rows a second; 0: no such limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// The share of time to sleep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nice: Option<f64>,
    /// Rows in quarantine that stop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_quarantine: Option<u32>,
    /// Limits of signals, as a plan writes them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, String>,
}

impl Tune {
    /// This change on top of an earlier one.
    #[must_use]
    pub fn over(self, earlier: &Self) -> Self {
        Self {
            rows: self.rows.or(earlier.rows),
            target_ms: self.target_ms.or(earlier.target_ms),
            workers: self.workers.or(earlier.workers),
            rate: self.rate.or(earlier.rate),
            nice: self.nice.or(earlier.nice),
            max_quarantine: self.max_quarantine.or(earlier.max_quarantine),
            limits: earlier.limits.iter().map(|(k, v)| (k.clone(), v.clone())).chain(self.limits).collect(),
        }
    }
}

impl Tuning {
    /// These settings with what an operator changed.
    #[must_use]
    pub fn with(&self, tune: &Tune) -> Self {
        let none_if_zero = |value: u32| (value > 0).then_some(value);
        Self {
            rows: tune.rows.map_or(self.rows, none_if_zero),
            target: tune.target_ms.map_or(self.target, |ms| Duration::from_millis(ms.max(1))),
            workers: tune.workers.unwrap_or(self.workers).min(MAX_WORKERS),
            rate: tune.rate.map_or(self.rate, none_if_zero),
            nice: tune.nice.unwrap_or(self.nice).clamp(0.0, 0.99),
            max_quarantine: tune.max_quarantine.unwrap_or(self.max_quarantine),
            throttle: self.throttle.clone().with(&tune.limits),
            ..self.clone()
        }
    }

    /// The fixed brakes, for people; nothing where there are none.
    #[must_use]
    pub fn brakes(&self) -> Option<String> {
        let rate = self.rate.map(|rate| format!("rate {rate} rows/s"));
        let nice = (self.nice > 0.0).then(|| format!("nice {}", self.nice));
        let brakes: Vec<String> = [rate, nice].into_iter().flatten().collect();
        (!brakes.is_empty()).then(|| brakes.join(", "))
    }

    /// How it goes about it, one line each for people: batches, brakes, limits, window.
    #[must_use]
    pub fn describe(&self) -> Vec<String> {
        let span = humantime::format_duration;
        let bounds = self.bounds();
        let mut batches = match self.rows {
            Some(rows) => format!("batches of {rows} rows"),
            None => format!("batches of {} to {} rows, {} each", bounds.min, bounds.max, span(self.target)),
        };
        if !self.pause.is_zero() {
            batches += &format!(", {} after each", span(self.pause));
        }
        let workers = match self.workers {
            1 => "1 worker a process".into(),
            n => format!("{n} workers a process"),
        };
        let rate =
            self.rate.map_or_else(|| "no limit of rows/s".into(), |rate| format!("{rate} rows/s at most"));
        let mut lines = vec![format!("{batches}, {workers}, {rate}, nice {}", self.nice)];
        lines.push(format!("slows down for {}", self.throttle.describe()));
        lines.extend(self.window.as_ref().map(|window| format!("runs only {}", window.text())));
        lines.extend(
            self.slo
                .as_ref()
                .map(|slo| format!("is put on hold when its slo is violated for {}", span(slo.grace))),
        );
        lines.push(format!("stops at more than {} rows in quarantine", self.max_quarantine));
        lines
    }

    /// What the size of a batch may be.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        match self.rows {
            Some(rows) => Bounds { min: rows, max: rows },
            None => Bounds { min: self.min_rows.min(self.max_rows), max: self.max_rows },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_read_well() {
        let lines = Tuning { workers: 2, pause: Duration::from_millis(5), ..Tuning::default() }.describe();
        assert_eq!(
            lines,
            [
                "batches of 10 to 20000 rows, 100ms each, 5ms after each, 2 workers a process, no limit of rows/s, nice 0",
                "slows down for replica_lag 10s, lock_waiters 0, wraparound_vacuum, congestion",
                "stops at more than 1000 rows in quarantine",
            ]
        );
    }

    #[test]
    fn what_an_operator_says_last_counts_and_the_rest_stays() {
        let plan = Tuning { rows: Some(500), rate: Some(10), ..Tuning::default() };
        let first = Tune { rows: Some(0), workers: Some(3), ..Tune::default() };
        let both = Tune { workers: Some(4), rate: Some(0), ..Tune::default() }.over(&first);
        let now = plan.with(&both);
        assert_eq!((now.rows, now.workers, now.rate, now.target), (None, 4, None, TARGET));
        assert_eq!(plan.with(&Tune::default()), plan);
        assert_eq!(now.bounds(), Bounds { min: MIN_ROWS, max: MAX_ROWS });
    }
}
