//! Owns the gates before the phases.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use regex::{Regex, RegexBuilder};

use super::{Place, Placed};
use crate::core::pace::window::Window;

/// What must hold before each transition may start.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gates {
    /// Before planned becomes expanded.
    pub expand: Gate,
    /// Before expanded becomes backfilled.
    pub backfill: Gate,
    /// Before backfilled becomes validated.
    pub validate: Gate,
    /// Before validated becomes contracted.
    pub contract: Gate,
    /// Before contracted becomes completed, besides `keep`.
    pub purge: Gate,
}

/// One gate; an empty one is open.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gate {
    /// Application versions that must be live.
    pub deployed: Vec<AppVersion>,
    /// How versions are compared.
    pub compare: Compare,
    /// Applications of which nobody older may be connected.
    pub observed: Vec<Observed>,
    /// How long the state before must have lasted.
    pub soak: Option<Duration>,
    /// What that is counted from.
    pub soak_since: Since,
    /// How many people must have approved.
    pub approvals: Option<u32>,
    /// Queries that must give true.
    pub query: Vec<String>,
    /// Addresses that must answer.
    pub http: Vec<HttpCheck>,
    /// Programs that must end well.
    pub command: Vec<CommandCheck>,
    /// When it may open.
    pub window: Option<Window>,
    /// Days when it does not.
    pub freeze: Vec<Freeze>,
    /// How old the proof of the backfills may be.
    pub proof_max_age: Option<Duration>,
    /// Where it stands; nowhere, where the plan says nothing of it.
    pub place: Option<Place>,
    /// Evidence that nothing uses the old shape.
    pub unused: Option<Placed<Unused>>,
}

/// How versions are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Compare {
    /// As semantic versions; others are the same only where they are equal.
    #[default]
    Semantic,
    /// As texts.
    Lexical,
}

/// That nobody older than a version of an application is connected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The application.
    pub app: String,
    /// The oldest version that may be connected.
    pub min_version: String,
    /// For how long nobody older may have been seen.
    pub span: Duration,
    /// How an `application_name` is read.
    pub pattern: Pattern,
    /// Database users of the application: a session of theirs that says no version counts as too old.
    pub users: Vec<String>,
}

/// How an `application_name` is read: a regular expression with the groups `app` and `version`.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// The convention: `web@2.4.0` or `web/2.4.0`, with `v` before the version or not, and whatever after a space.
const CONVENTION: &str = r"^(?<app>[^@/\s]+)[@/]v?(?<version>\S+)";

/// The largest that a pattern may become in memory, in bytes.
const MAX_PATTERN: usize = 1 << 20;

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let pattern = RegexBuilder::new(text).size_limit(MAX_PATTERN).build();
        let pattern = pattern.map_err(|error| {
            let said = error.to_string();
            let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("{text:?} is no regular expression: {last}")
        })?;
        let has = |group: &str| pattern.capture_names().flatten().any(|name| name == group);
        if has("app") && has("version") {
            Ok(Self(pattern))
        } else {
            Err(format!(
                "{text:?} has no groups app and version: write it like ^(?<app>[a-z]+)-(?<version>[0-9.]+)$"
            ))
        }
    }

    /// The application and the version that a name says.
    #[must_use]
    pub fn read<'a>(&self, name: &'a str) -> Option<(&'a str, &'a str)> {
        let found = self.0.captures(name)?;
        Some((found.name("app")?.as_str(), found.name("version")?.as_str()))
    }
}

impl Default for Pattern {
    #[allow(clippy::expect_used, reason = "a constant, that a test reads")]
    fn default() -> Self {
        Self::parse(CONVENTION).expect("the convention is a pattern")
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

/// What a soak is counted from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Since {
    /// When the state was reached.
    #[default]
    State,
    /// When the last marker came that the gate asks for, if that was later.
    Marker,
}

/// A request that must be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    /// The address.
    pub url: String,
    /// The status of the answer.
    pub status: u16,
    /// What the answer's body must contain.
    pub contains: Option<String>,
    /// Headers of the request; `$NAME` in a value is that variable of the environment.
    pub headers: Vec<(String, String)>,
    /// How long it may take.
    pub timeout: Duration,
}

/// A program that must end with exit code 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandCheck {
    /// The command line, for the shell.
    pub run: String,
    /// How long it may take.
    pub timeout: Duration,
}

/// Days when a gate does not open.
#[derive(Debug, Clone, PartialEq)]
pub struct Freeze {
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// Whose days.
    pub zone: TimeZone,
    /// As it is written.
    pub text: String,
}

impl Freeze {
    /// Reads a day, or the first and the last of several, such as `2026-12-20..2027-01-03`.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str, zone: &str) -> Result<Self, String> {
        let wrong =
            || format!("{text:?} is no day and no span of days: write it like 2026-12-20..2027-01-03");
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        let day = |text: &str| text.trim().parse::<Date>().map_err(|_| wrong());
        let (first, last) = (day(first)?, day(last)?);
        if last < first {
            return Err(format!("{text:?} ends before it begins"));
        }
        let zone = TimeZone::get(zone).map_err(|_| format!("{zone} is no time zone"))?;
        Ok(Self { first, last, zone, text: text.into() })
    }
}

/// What must be unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unused {
    /// `true`: all that the plan drops.
    WhatThePlanDrops,
    /// Columns, as `table.column`.
    Columns(Vec<String>),
}

/// `web@2.4.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppVersion {
    /// The application.
    pub app: String,
    /// Its version.
    pub version: String,
}

impl AppVersion {
    /// Reads `web@2.4.0`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (app, version) = text.split_once('@')?;
        let whole = !app.is_empty() && !version.is_empty();
        whole.then(|| Self { app: app.into(), version: version.into() })
    }

    /// Whether it is what a printed plan has in the place of an application or a version that nobody knew.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.app == "APP" || self.version == "VERSION"
    }
}

impl Gates {
    /// Gates that wait for an application whose name nobody has written yet, with their place: nobody can
    /// open them, and once the plan has started nobody can edit them.
    #[must_use]
    pub fn unnamed(&self) -> Vec<(Place, String)> {
        let Self { expand, backfill, validate, contract, purge } = self;
        let gates = [
            ("expand", expand),
            ("backfill", backfill),
            ("validate", validate),
            ("contract", contract),
            ("purge", purge),
        ];
        let unnamed = |(name, gate): (&str, &Gate)| {
            let AppVersion { app, version } = gate.deployed.iter().find(|app| app.is_placeholder())?;
            Some((
                gate.place?,
                format!(
                    "the gate of {name} waits for {app}@{version}, which no phase deployed takes: write the application's \
                     name and version there; a plan that has started cannot be edited any more"
                ),
            ))
        };
        gates.into_iter().filter_map(unnamed).collect()
    }
}
