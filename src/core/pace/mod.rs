//! Owns the pace of a backfill: how large a batch is, how much of the time is
//! worked, and when it stands still. Everything here is a pure function of what
//! was measured.

pub mod board;
pub mod congestion;
pub mod cost;
pub mod density;
pub mod log_clock;
pub mod progress;
pub mod rest;
pub mod servo;
pub mod signal;
pub mod stripes;
pub mod throttle;
pub mod traffic;
pub mod window;

use serde::Serialize;

/// How fast a backfill may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As fast as its settings let it.
    Full,
    /// With rests in between.
    Slow,
    /// Not at all.
    Stop,
}

impl Level {
    /// Reads the name on record; what is not known there is no reason to stop.
    #[must_use]
    pub fn from_name(name: &str) -> Self {
        match name {
            "stop" => Self::Stop,
            "slow" => Self::Slow,
            _ => Self::Full,
        }
    }

    /// The name, as the record and `status` have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Slow => "slow",
            Self::Stop => "stop",
        }
    }
}

/// What holds for the next second.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// The worst of all signals.
    pub level: Level,
    /// The share of time to work, above 0 to 1; nothing is done at [`Level::Stop`].
    pub share: f64,
    /// Why it is not full.
    pub why: Option<String>,
    /// What a row costs where nobody is in the way, in microseconds, as far as that is known.
    pub us_per_row: Option<f64>,
}

impl Pace {
    /// What the server has room for, where no signal says otherwise.
    #[must_use]
    pub fn within(room: &congestion::Congestion) -> Self {
        let (share, why) = room.share();
        let level = if share < 1.0 { Level::Slow } else { Level::Full };
        Self { level, share, why: why.map(str::to_owned), us_per_row: room.us_per_row() }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self { level: Level::Full, share: 1.0, why: None, us_per_row: None }
    }
}
