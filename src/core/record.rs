//! Owns the record: what the store says about one item, as a value.

use jiff::Timestamp;
use serde::Serialize;

use crate::core::recipe::Known;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::version::Version;

/// What kind of file an item came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A phase plan.
    Plan,
    /// A SQL migration.
    Sql,
}

impl Kind {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Sql => "sql",
        }
    }
}

/// One item on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The version.
    pub version: Version,
    /// The name.
    pub name: String,
    /// The kind of file.
    pub kind: Kind,
    /// The guarantee that holds now.
    pub state: State,
    /// The state that it is on its way to; equal to `state` at rest.
    pub goal: State,
    /// When the state was reached.
    pub state_since: Timestamp,
    /// The fencing epoch.
    pub epoch: i64,
    /// The file's text when it started.
    pub source: Option<String>,
    /// Its checksum.
    pub checksum: Option<String>,
    /// Tables that it touches.
    pub tables: Vec<String>,
    /// What its recipes knew of their tables when it started.
    pub known: Option<Known>,
    /// Versions that it builds on.
    pub depends_on: Vec<Version>,
    /// The run of expand that applied it.
    pub batch: Option<i64>,
    /// Recorded as done without having been run.
    pub baseline: bool,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// Steps that were done, or may have been, in order.
    pub touched: Vec<String>,
    /// The hold that stands on it.
    pub hold: Option<Hold>,
}

/// A stop sign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// Why.
    pub reason: String,
    /// Who placed it.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
}

/// Where a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    /// Sent; the outcome is not on record.
    Started,
    /// Done.
    Done,
    /// Its undo was sent; the outcome is not on record.
    Undoing,
    /// Taken back.
    Undone,
}

impl StepStatus {
    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// Reads a stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Started, Self::Done, Self::Undoing, Self::Undone]
            .into_iter()
            .find(|status| status.name() == name)
    }
}

/// One step on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// The step's id.
    pub step: String,
    /// Where it is.
    pub status: StepStatus,
    /// How often it was started.
    pub attempts: i32,
    /// When it was done or undone.
    pub finished_at: Option<Timestamp>,
    /// How long the last attempt took, in milliseconds.
    pub duration_ms: Option<i64>,
    /// The undo that was captured when it ran (JSON).
    pub undo: Option<String>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl Record {
    /// Of an item of which nothing is on record yet.
    #[must_use]
    pub fn planned(item: &Item) -> Self {
        Self {
            version: item.version.clone(),
            name: item.name.clone(),
            kind: item.kind,
            state: State::Planned,
            goal: State::Planned,
            state_since: Timestamp::UNIX_EPOCH,
            epoch: 0,
            source: None,
            checksum: None,
            tables: item.tables.clone(),
            known: None,
            depends_on: item.depends_on.clone(),
            batch: None,
            baseline: false,
            error: None,
            touched: Vec::new(),
            hold: None,
        }
    }

    /// `<version>_<name>`.
    #[must_use]
    pub fn stem(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }

    /// Whether anything of it may have reached the database, so that its file
    /// must stay as it was. An attempt that was rolled back whole is none.
    #[must_use]
    pub fn started(&self) -> bool {
        match self.state {
            State::Aborted => false,
            State::Planned => !self.touched.is_empty(),
            _ => true,
        }
    }

    /// Whether it counts as applied for the order of the timeline.
    #[must_use]
    pub const fn applied(&self) -> bool {
        self.state.in_flight() || matches!(self.state, State::Completed)
    }

    /// Whether an attempt at it was given up and nothing of it has reached the database. One that
    /// a runner is at work on is none: what failed before is forgotten when an attempt begins.
    #[must_use]
    pub fn left_nothing(&self) -> bool {
        self.state == State::Planned
            && self.goal != State::Planned
            && self.touched.is_empty()
            && self.error.is_some()
    }

    /// Whether it stands between its start and its end.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.state.in_flight() || self.state != self.goal
    }
}
