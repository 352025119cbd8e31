//! Owns the states: what each one guarantees, and the name it is stored under.

use std::fmt;

use serde::Serialize;

/// A guarantee that holds now. States are at rest: there is no "-ing" state
/// and no "failed" one; work under way is `state != goal`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing of it has been done.
    Planned,
    /// The new shape stands beside the old, and both are written.
    Expanded,
    /// Every row that was there before has the new shape too.
    Backfilled,
    /// The new shape is proven: constraints hold, indexes are valid.
    Validated,
    /// The old shape is out of the application's sight.
    Contracted,
    /// The old shape is gone for good.
    Completed,
    /// The old shape is back, and nothing of the new one is left.
    Aborted,
}

impl State {
    /// Every state, in the order of a plan's life.
    pub const ALL: [Self; 7] = [
        Self::Planned,
        Self::Expanded,
        Self::Backfilled,
        Self::Validated,
        Self::Contracted,
        Self::Completed,
        Self::Aborted,
    ];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Expanded => "expanded",
            Self::Backfilled => "backfilled",
            Self::Validated => "validated",
            Self::Contracted => "contracted",
            Self::Completed => "completed",
            Self::Aborted => "aborted",
        }
    }

    /// What holds in this state, in one sentence.
    #[must_use]
    pub const fn guarantee(self) -> &'static str {
        match self {
            Self::Planned => "Nothing of it has been done.",
            Self::Expanded => "The new shape stands beside the old, and every write reaches both.",
            Self::Backfilled => "Every row that was there before has the new shape too.",
            Self::Validated => "The new shape is proven: constraints hold and indexes are valid.",
            Self::Contracted => {
                "The old shape is out of the application's sight; abort can still bring it back while keep lasts."
            }
            Self::Completed => "The old shape is gone for good.",
            Self::Aborted => "The old shape is back, and nothing of the new one is left.",
        }
    }

    /// True from the first change to the database until the old shape is gone
    /// or back.
    #[must_use]
    pub const fn in_flight(self) -> bool {
        matches!(self, Self::Expanded | Self::Backfilled | Self::Validated | Self::Contracted)
    }

    /// Reads a stored or typed name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
