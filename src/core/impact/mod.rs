//! Owns what a step did to everybody else: who waited because of it and for how
//! long, and which locks it held for how long. Every figure is a bound: a wait is
//! never told shorter than it was, and the time nobody looked is told with it.

mod look;
mod meter;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::core::brief::brief_at_most;
use crate::core::lint::Lock;

pub use look::{Look, Pressure, Waiting};
pub use meter::Meter;

/// What a step did to everybody else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Impact {
    /// How often it was sent.
    pub attempts: u32,
    /// Sessions that were seen waiting because of it, directly or behind one that did.
    pub waiters: u32,
    /// The longest of their waits, at most, in milliseconds.
    pub longest_wait_ms: u64,
    /// Whose that was.
    pub longest: Option<Waiter>,
    /// The longest time for which one attempt held a lock that stands in the way of
    /// other DDL or of the application, at most, in milliseconds; `None`: it held none.
    pub held_ms: Option<u64>,
    /// The locks, the strongest of each relation.
    pub locks: Vec<Held>,
    /// How often somebody looked.
    pub looks: u64,
    /// The longest time between two looks while an attempt was under way, in
    /// milliseconds: a wait that was shorter may not have been seen.
    pub gap_ms: u64,
}

impl Impact {
    /// Who waited because of it, in a few words.
    #[must_use]
    pub fn waits(&self) -> String {
        let longest = brief_at_most(Duration::from_millis(self.longest_wait_ms));
        let gap = brief_at_most(Duration::from_millis(self.gap_ms));
        match (self.waiters, self.looks) {
            (0, 0) => format!("over within {gap}, before anybody looked who waits for it"),
            (0, _) => format!("nobody was seen waiting for it (what waits less than {gap} may be missed)"),
            (1, _) => format!("1 session waited for it, at most {longest}{}", self.whose()),
            (waiters, _) => {
                format!("{waiters} sessions waited for it, the longest at most {longest}{}", self.whose())
            }
        }
    }

    fn whose(&self) -> String {
        let Some(who) = &self.longest else { return String::new() };
        let named = [("user", &who.user), ("application", &who.application)];
        let known = named.iter().filter_map(|(what, name)| {
            name.as_ref().filter(|name| !name.is_empty()).map(|name| format!(", {what} {name}"))
        });
        format!(" (pid {}{})", who.pid, known.collect::<String>())
    }

    /// The whole of it, a line each.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let attempts =
            if self.attempts == 1 { String::new() } else { format!("{} attempts, ", self.attempts) };
        let mut lines = vec![format!("{attempts}{}", self.waits())];
        if let Some(held) = self.held_ms {
            let locks: Vec<String> =
                self.locks.iter().map(|held| format!("{} on {}", held.lock.name(), held.relation)).collect();
            let held = brief_at_most(Duration::from_millis(held));
            lines.push(format!("held at most {held}: {}", locks.join(", ")));
        }
        lines
    }
}

/// A lock that was held.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Held {
    /// The relation, as the server writes it.
    pub relation: String,
    /// The lock.
    pub lock: Lock,
}

/// A session that waited; its query is nobody's business but its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiter {
    /// The backend.
    pub pid: i32,
    /// Its user; `None` where our role may not see it.
    pub user: Option<String>,
    /// Its `application_name`.
    pub application: Option<String>,
}
