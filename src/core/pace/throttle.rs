//! Owns the limits of a backfill: which signals are watched, and how a limit is
//! written.

use std::collections::BTreeMap;
use std::time::Duration;

use super::signal::{Signal, Unit, shown};

/// What is watched, and how far it may go.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttle {
    /// The limit of each signal that is watched, in the signal's unit.
    pub limits: BTreeMap<Signal, f64>,
    /// A query that must give true.
    pub query: Option<String>,
    /// An address that must answer with 200.
    pub http: Option<String>,
    /// A command that must succeed.
    pub command: Option<String>,
    /// Whether delays decide how much of the time is worked.
    pub congestion: bool,
    /// Whether a signal that cannot be had says stop.
    pub unknown_stops: bool,
    /// Whether the program may run VACUUM on the table itself.
    pub vacuum: bool,
}

impl Default for Throttle {
    /// What holds where a plan says nothing: replicas at most ten seconds behind,
    /// nobody waiting for us, no autovacuum against wraparound beside us, and no
    /// congestion.
    fn default() -> Self {
        let limits =
            [(Signal::ReplicaLag, 10.0), (Signal::LockWaiters, 0.0), (Signal::WraparoundVacuum, 1.0)];
        Self {
            limits: limits.into(),
            query: None,
            http: None,
            command: None,
            congestion: true,
            unknown_stops: false,
            vacuum: false,
        }
    }
}

impl Throttle {
    /// The same with limits that an operator changed; what cannot be read was
    /// refused when it was said.
    #[must_use]
    pub fn with(mut self, limits: &BTreeMap<String, String>) -> Self {
        for (key, text) in limits {
            match (Signal::from_key(key), key.as_str()) {
                (Some(signal), _) => match limit(signal, text) {
                    Ok(Some(limit)) => _ = self.limits.insert(signal, limit),
                    Ok(None) => _ = self.limits.remove(&signal),
                    Err(_) => {}
                },
                (None, "congestion") => self.congestion = text != "off",
                (None, _) => {}
            }
        }
        self
    }
}

impl Throttle {
    /// What is watched and how far it may go, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let limit = |(signal, limit): (&Signal, &f64)| match signal.unit() {
            Unit::Flag => signal.key().to_owned(),
            unit => format!("{} {}", signal.key(), shown(unit, *limit)),
        };
        let mut watched: Vec<String> = self.limits.iter().map(limit).collect();
        for (key, there) in [
            ("congestion", self.congestion),
            ("query", self.query.is_some()),
            ("http", self.http.is_some()),
            ("command", self.command.is_some()),
        ] {
            watched.extend(there.then(|| key.to_owned()));
        }
        if watched.is_empty() { "nothing".into() } else { watched.join(", ") }
    }
}

/// Reads a limit as plans and `tune --limit` write it; `None`: off.
///
/// # Errors
/// Says how it is written.
pub fn limit(signal: Signal, text: &str) -> Result<Option<f64>, String> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("off") {
        return Ok(None);
    }
    let key = signal.key();
    let number = |text: &str| text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
    let value = match signal.unit() {
        Unit::Seconds => {
            humantime::parse_duration(text).map(|span| span.as_secs_f64()).map_err(|_| "5s or 1m")
        }
        Unit::Bytes => size(text).ok_or("500MB"),
        Unit::BytesPerSecond => text.strip_suffix("/s").and_then(size).ok_or("50MB/s"),
        Unit::Count => text.parse::<u32>().map(f64::from).map_err(|_| "40"),
        Unit::Share => text
            .strip_suffix('%')
            .and_then(number)
            .map(|value| value / 100.0)
            .filter(|share| *share <= 1.0)
            .ok_or("20%"),
        Unit::PerMinute => number(text).ok_or("2"),
        Unit::Flag => match text {
            "stop" | "true" => Ok(1.0),
            _ => Err("stop"),
        },
    };
    value
        .map(Some)
        .map_err(|example| format!("{key}: {text:?} is no limit for it: write it like {example}, or off"))
}

/// Reads `50MB`, in bytes; units are PostgreSQL's, powers of 1024.
#[must_use]
pub fn size(text: &str) -> Option<f64> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let shift = match text[digits..].trim() {
        "B" => 0,
        "kB" => 10,
        "MB" => 20,
        "GB" => 30,
        "TB" => 40,
        _ => return None,
    };
    #[allow(clippy::cast_precision_loss, reason = "a power of two")]
    Some(number * (1_u64 << shift) as f64)
}

/// A service level that the plan must not hurt.
#[derive(Debug, Clone, PartialEq)]
pub struct Slo {
    /// A query whose value must not pass `max`.
    pub query: Option<String>,
    /// The bound of the query's value.
    pub max: f64,
    /// An address that must answer with 200.
    pub http: Option<String>,
    /// A command that must succeed.
    pub command: Option<String>,
    /// How long it may be violated before a hold is placed.
    pub grace: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_written_in_their_own_units() {
        for (signal, text, value) in [
            (Signal::ReplicaLag, "5s", Some(5.0)),
            (Signal::WalRate, "50MB/s", Some(52_428_800.0)),
            (Signal::SlotWal, "1.5GB", Some(1_610_612_736.0)),
            (Signal::ActiveSessions, "40", Some(40.0)),
            (Signal::Bloat, "20%", Some(0.2)),
            (Signal::WraparoundVacuum, "off", None),
        ] {
            assert_eq!(limit(signal, text), Ok(value), "{text}");
        }
        for (signal, text) in [
            (Signal::ReplicaLag, "5"),
            (Signal::WalRate, "50MB"),
            (Signal::ActiveSessions, "-1"),
            (Signal::Bloat, "200%"),
            (Signal::SlotWal, "many"),
            (Signal::Checkpoints, "NaN"),
        ] {
            assert!(limit(signal, text).is_err(), "{text}");
        }
    }
}
