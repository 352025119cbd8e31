//! Owns the item of the timeline: a plan or a SQL migration, compiled.

use std::time::Duration;

use crate::core::footprint::SearchPath;
use crate::core::gate::ByWhom;
use crate::core::kill::KillBlockers;
use crate::core::migration::Down;
use crate::core::plan::model::{AppVersion, Gate, Gates};
use crate::core::preflight::Requirement;
use crate::core::recipe::Known;
use crate::core::record::Kind;
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
    /// Where its names without a schema are looked up.
    pub path: SearchPath,
    /// The limits of its statements.
    pub limits: Limits,
    /// Whose sessions may be ended when they are in its way.
    pub kill_blockers: Option<KillBlockers>,
    /// Whose approvals count.
    pub by_whom: ByWhom,
    /// What it asks for and this version cannot do: it may not start.
    pub unsupported: Vec<String>,
    /// Why its recipes cannot be carried out on the tables as they are.
    pub refused: Vec<String>,
    /// What its recipes know of their tables; `None` where it has none.
    pub known: Option<Known>,
    /// What to look at twice before it starts.
    pub cautions: Vec<String>,
    /// Which versions of applications need it, and in which state.
    pub needed_by: Vec<(AppVersion, State)>,
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

    /// Every step, and those of the way back of a SQL migration.
    pub fn steps_both_ways(&self) -> impl Iterator<Item = &Step> {
        let down = match &self.down {
            Rollback::Steps(steps) => steps.as_slice(),
            Rollback::Refused(_) => &[],
        };
        self.steps.iter().chain(down)
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

impl Item {
    /// A file that the item names relative to itself, or its own.
    #[must_use]
    pub fn file_or(&self, named: Option<&str>) -> String {
        let folder = self.file.rsplit_once('/').map(|(folder, _)| folder);
        match (named, folder) {
            (None, _) => self.file.clone(),
            (Some(file), None) => file.to_owned(),
            (Some(file), Some(folder)) => format!("{folder}/{file}"),
        }
    }
}

impl Step {
    /// The file that its SQL stands in; one that a plan names is relative to the plan.
    #[must_use]
    pub fn file_of(&self, item: &Item) -> String {
        item.file_or(self.file.as_deref())
    }
}
