//! Owns what a plan that stands half way has in force already: constraints that refuse new
//! rows, and that nobody has proven for the rows that are there.

use serde::Serialize;

use crate::core::ident::{Ident, QName, plain};
use crate::core::record::{Record, StepRecord, StepStatus};
use crate::core::state::State;
use crate::core::timeline::Item;

/// What a step refuses from its end on, until the step after it has proven the rows that are there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoNull {
    /// The table.
    pub table: QName,
    /// The column.
    pub column: Ident,
    /// The constraint that does it.
    pub constraint: Ident,
}

/// A constraint in force that is not proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// The step that put it in force.
    pub step: String,
    /// The table.
    pub table: String,
    /// The column that takes no new null.
    pub column: String,
    /// The constraint.
    pub constraint: String,
    /// The command that proves it, once the rows are mended; null on the way back.
    pub goes_on: Option<String>,
    /// The command that takes it away.
    pub taken_away: String,
}

/// What is in force and not proven, by what is on record.
#[must_use]
pub fn in_force(item: &Item, record: &Record, recorded: &[StepRecord]) -> Vec<InForce> {
    let status = |id: &str| recorded.iter().find(|known| known.step == id).map(|known| known.status);
    // An undo that did not commit changed nothing.
    let stands = |id: &str| matches!(status(id), Some(StepStatus::Done | StepStatus::Undoing));
    let version = &item.version;
    let pairs = item.steps.windows(2).filter_map(|pair| match pair {
        [step, proof] => Some((step, proof, step.no_null.as_ref()?)),
        _ => None,
    });
    pairs
        .filter(|(step, proof, _)| stands(&step.id) && !stands(&proof.id))
        .map(|(step, _, no_null)| InForce {
            step: step.id.clone(),
            table: no_null.table.plain(),
            column: plain(&no_null.column),
            constraint: plain(&no_null.constraint),
            goes_on: (record.goal != State::Aborted).then(|| format!("phase advance {version}")),
            taken_away: format!("phase abort {version}"),
        })
        .collect()
}

impl InForce {
    /// What it is and what helps, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { step, table, column, constraint, goes_on, taken_away } = self;
        let on = goes_on.as_ref().map(|command| format!("once no row has one, {command} goes on; "));
        format!(
            "{table}.{column} takes no new null since {step} (constraint {constraint}, not proven): statements that write \
             one fail; {}{taken_away} takes it away",
            on.unwrap_or_default()
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::testing;

    #[test]
    fn a_constraint_is_in_force_between_its_step_and_its_proof() {
        let item = testing::item("1_p", "validate:\n  - not_null: {table: t, column: a}\n");
        let record = |goal| Record { goal, ..Record::planned(&item) };
        let of = |steps: &[(&str, StepStatus)], goal| {
            let recorded: Vec<StepRecord> = steps
                .iter()
                .map(|(step, status)| StepRecord {
                    step: (*step).to_owned(),
                    status: *status,
                    attempts: 1,
                    finished_at: None,
                    duration_ms: None,
                    undo: None,
                    error: None,
                })
                .collect();
            in_force(&item, &record(goal), &recorded)
        };
        use StepStatus::{Done, Started, Undoing, Undone};
        let (first, second) = ("validate.1.1", "validate.1.2");
        for none in [&[][..], &[(first, Started)], &[(first, Done), (second, Done)], &[(first, Undone)]] {
            assert_eq!(of(none, State::Validated), [], "{none:?}");
        }
        for one in [&[(first, Done)][..], &[(first, Done), (second, Started)]] {
            let found = of(one, State::Validated);
            assert_eq!(found.len(), 1, "{one:?}");
            assert_eq!((found[0].table.as_str(), found[0].column.as_str()), ("t", "a"));
            let said = found[0].describe();
            assert!(said.contains("phase advance 1 goes on; phase abort 1 takes it away"), "{said}");
        }
        let back = of(&[(first, Undoing), (second, Undone)], State::Aborted);
        assert_eq!(back.iter().map(|one| one.goes_on.clone()).collect::<Vec<_>>(), [None]);
    }
}
