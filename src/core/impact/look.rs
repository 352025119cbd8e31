//! Owns one look at the server: who waits, behind whom, and who of them waits because of us.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Waiter;

/// A session that waits for a lock, in one look at the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub who: Waiter,
    /// The sessions that it waits for.
    pub behind: Vec<i32>,
    /// When it began to wait, in microseconds of the server's clock; `None`: the server does
    /// not say (before 14, and in the first moment).
    pub began: Option<i64>,
    /// How long that is ago.
    pub waited: Option<Duration>,
    /// Whether a query, a write or a row lock waits, not DDL.
    pub plain: bool,
}

/// What one look at the server found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// Every session that waits for a lock, ours among them.
    pub waiting: Vec<Waiting>,
    /// Whether a session of ours holds a lock that stands in anybody's way.
    pub holding: bool,
}

/// What follows from a look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pressure {
    /// The longest wait under way of a query or a write that we cause, at least.
    pub longest: Duration,
    /// Whether we hold our locks already, and do not wait for them.
    pub working: bool,
}

/// Who waits because of `ours`, directly or behind somebody who does, and since when.
pub(super) fn blocked<'a>(
    waiting: &'a [Waiting],
    ours: &[i32],
    since: impl Fn(&Waiting) -> Duration,
) -> BTreeMap<i32, (&'a Waiting, Duration)> {
    let mut because: BTreeMap<i32, (&Waiting, Duration)> = BTreeMap::new();
    loop {
        let before = because.len();
        for waiting in waiting {
            let pid = waiting.who.pid;
            if ours.contains(&pid) || because.contains_key(&pid) {
                continue;
            }
            let through = waiting.behind.iter().filter_map(|pid| because.get(pid)).map(|(_, since)| *since);
            if waiting.behind.iter().any(|pid| ours.contains(pid)) {
                because.insert(pid, (waiting, since(waiting)));
            } else if let Some(through) = through.min() {
                // Behind another, our part begins when that one began to wait for us.
                because.insert(pid, (waiting, since(waiting).max(through)));
            }
        }
        if because.len() == before {
            return because;
        }
    }
}
