//! Owns the timeline: plans and SQL migrations in one order, and what the
//! record says that the files do not.

use std::time::Duration;

use serde::Serialize;

use crate::core::migration::Down;
use crate::core::plan::model::{Gate, Gates};
use crate::core::preflight::Requirement;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::step::{Limits, Phase, Step};
use crate::core::version::Version;

/// One file of the timeline, compiled: what can be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The version; sorts the timeline.
    pub version: Version,
    /// The name, from the file's name.
    pub name: String,
    /// One sentence for people.
    pub title: String,
    /// What kind of file it is.
    pub kind: Kind,
    /// The file, for messages.
    pub file: String,
    /// The file's text, with the SQL files that it pulls in.
    pub source: String,
    /// SHA-256 of the source.
    pub checksum: String,
    /// The steps of every phase, in order.
    pub steps: Vec<Step>,
    /// The way back of a SQL migration.
    pub down: Rollback,
    /// The gates.
    pub gates: Gates,
    /// The undo window after contract.
    pub keep: Option<Duration>,
    /// Items that this one builds on.
    pub depends_on: Vec<Version>,
    /// Tables that it touches, as `plain()` writes them.
    pub tables: Vec<String>,
    /// The limits of its statements.
    pub limits: Limits,
    /// What it asks for and this version cannot do: it may not start.
    pub unsupported: Vec<String>,
    /// What must be there before it starts.
    pub requires: Vec<Requirement>,
}

/// How a SQL migration is taken back.
#[derive(Debug, Clone, PartialEq)]
pub enum Rollback {
    /// By these steps.
    Steps(Vec<Step>),
    /// Not at all, and why.
    Refused(String),
}

impl Rollback {
    /// Why a DOWN section gives no way back; `None` where it does.
    #[must_use]
    pub fn refusal(down: &Down) -> Option<String> {
        match down {
            Down::Sql(_) => None,
            Down::Empty => Some("its DOWN section is empty".into()),
            Down::Irreversible(why) => Some(format!("its DOWN section says that it is irreversible: {why}")),
        }
    }
}

impl Item {
    /// `<version>_<name>`.
    #[must_use]
    pub fn stem(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }

    /// The steps of one phase, in order.
    pub fn steps_of(&self, phase: Phase) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.phase == phase)
    }

    /// The gate in front of a phase.
    #[must_use]
    pub const fn gate(&self, phase: Phase) -> &Gate {
        match phase {
            Phase::Expand => &self.gates.expand,
            Phase::Backfill => &self.gates.backfill,
            Phase::Validate => &self.gates.validate,
            Phase::Contract => &self.gates.contract,
            Phase::Purge => &self.gates.purge,
        }
    }
}

/// A difference between the files and the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "drift")]
pub enum Drift {
    /// A file was edited after it started.
    Edited {
        /// `<version>_<name>`.
        item: String,
        /// The first lines that differ, as a unified diff.
        diff: String,
    },
    /// The record has an item whose file is gone.
    Missing {
        /// `<version>_<name>`.
        item: String,
        /// The state on record.
        state: State,
    },
    /// A pending file is older than the newest one that was applied.
    OutOfOrder {
        /// `<version>_<name>`.
        item: String,
        /// The newest applied one.
        newest: String,
    },
}

impl Drift {
    /// Whether work on the timeline must stop until a person has looked.
    #[must_use]
    pub const fn stops(&self) -> bool {
        matches!(self, Self::Edited { .. } | Self::OutOfOrder { .. })
    }

    /// What it is and what helps, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Edited { item, diff } => format!(
                "{item} was edited after it had started; what ran is on record and differs:\n{diff}\n\
                 Put the file back as it was, and write the change as a new version."
            ),
            Self::Missing { item, state } => {
                format!(
                    "{item} is {state} on record, but its file is missing: bring it back from version control."
                )
            }
            Self::OutOfOrder { item, newest } => format!(
                "{item} is older than {newest}, which is applied already: give it a newer version, \
                 or run it all the same with --out-of-order."
            ),
        }
    }
}

/// Compares the files with the record, in timeline order.
#[must_use]
pub fn drift(items: &[Item], records: &[Record]) -> Vec<Drift> {
    let mut found = Vec::new();
    let newest = records.iter().filter(|r| r.applied()).max_by(|a, b| a.version.cmp(&b.version));
    for item in items {
        match records.iter().find(|record| record.version == item.version) {
            Some(record) if record.started() => found.extend(edited(item, record)),
            Some(record) if record.state == State::Aborted => {}
            _ => found.extend(
                newest
                    .filter(|newest| newest.version > item.version)
                    .map(|newest| Drift::OutOfOrder { item: item.stem(), newest: newest.stem() }),
            ),
        }
    }
    let on_file = |record: &&Record| items.iter().any(|item| item.version == record.version);
    found.extend(
        records
            .iter()
            .filter(|r| r.started() && !on_file(r))
            .map(|record| Drift::Missing { item: record.stem(), state: record.state }),
    );
    found
}

fn edited(item: &Item, record: &Record) -> Option<Drift> {
    let checksum = record.checksum.as_ref()?;
    (*checksum != item.checksum).then(|| Drift::Edited {
        item: item.stem(),
        diff: diff(record.source.as_deref().unwrap_or_default(), &item.source),
    })
}

/// The most lines of a difference that a message shows.
const DIFF_LINES: usize = 12;

fn diff(old: &str, new: &str) -> String {
    let text = similar::TextDiff::from_lines(old, new);
    let whole = text.unified_diff().context_radius(1).header("on record", "file").to_string();
    let mut lines: Vec<&str> = whole.lines().take(DIFF_LINES).collect();
    if whole.lines().count() > DIFF_LINES {
        lines.push("...");
    }
    lines.join("\n")
}
