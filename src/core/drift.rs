//! Owns drift: what the record says that the files do not.

use serde::Serialize;

use crate::core::compile;
use crate::core::migration::SqlMigration;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::step::Step;
use crate::core::timeline::Item;

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
                 Put the file back as it was; then go on with it, or take it back (phase abort, phase rollback), \
                 and write the change as a new version."
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
    (*checksum != item.checksum && !only_the_rest_differs(item, record)).then(|| Drift::Edited {
        item: item.stem(),
        diff: diff(record.source.as_deref().unwrap_or_default(), &item.source),
    })
}

/// Whether a SQL migration whose UP is not done yet differs only in statements
/// that have not run: those may be mended, or it could never be finished.
fn only_the_rest_differs(item: &Item, record: &Record) -> bool {
    if record.kind != Kind::Sql || record.state != State::Planned {
        return false;
    }
    let source = record.source.as_deref().unwrap_or_default();
    let before = SqlMigration::parse(&item.file, item.version.clone(), &item.name, source);
    let Some((steps, _)) = before.ok().and_then(|before| compile::migration(&before).ok()) else {
        return false;
    };
    record.touched.iter().all(|id| {
        let action =
            |steps: &[Step]| steps.iter().find(|step| step.id == *id).map(|step| step.action.clone());
        action(&steps).is_some() && action(&steps) == action(&item.steps)
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
