//! Owns the health signals: what each is called, counts and reads like.

use std::time::Duration;

use crate::core::brief::bytes;

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
    pub(super) const fn falls(self) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
