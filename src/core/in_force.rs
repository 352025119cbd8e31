//! Owns what a plan that stands half way has in force already: constraints that refuse new
//! rows, and that nobody has proven for the rows that are there.

use serde::Serialize;

use crate::core::ident::{Ident, QName, plain};
use crate::core::record::{Record, StepRecord, StepStatus};
use crate::core::sql::{Alter, Change, Demand, NewConstraint, split};
use crate::core::state::State;
use crate::core::step::Step;
use crate::core::timeline::Item;

/// A constraint in force that is not proven.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InForce {
    /// The step that put it in force.
    pub step: String,
    /// The table.
    pub table: String,
    /// The column that takes no new null, where that is all that it demands.
    pub column: Option<String>,
    /// The constraint.
    pub constraint: String,
    /// What it demands, as SQL.
    pub demand: String,
    /// The command that proves it, once the rows are mended; null on the way back.
    pub goes_on: Option<String>,
    /// The command that takes it away.
    pub taken_away: String,
}

/// What is in force and not proven, by what is on record: added by a step that stands, of the same phase as the one
/// that proves it, which does not. Between two phases it is as the plan wants it.
#[must_use]
pub fn in_force(item: &Item, record: &Record, recorded: &[StepRecord]) -> Vec<InForce> {
    let status = |id: &str| recorded.iter().find(|known| known.step == id).map(|known| known.status);
    // An undo that did not commit changed nothing.
    let stands = |step: &Step| matches!(status(&step.id), Some(StepStatus::Done | StepStatus::Undoing));
    let mut found = Vec::new();
    for (n, step) in item.steps.iter().enumerate().filter(|(_, step)| stands(step)) {
        let later = item.steps[n + 1..].iter().filter(|later| later.phase == step.phase);
        let unproven: Vec<Change> = later.filter(|later| !stands(later)).flat_map(changes).collect();
        for change in changes(step) {
            let Change::Alter { table, what: Alter::AddConstraint(added), .. } = change else { continue };
            let Some(name) = added.name.as_ref().filter(|_| added.not_valid) else { continue };
            if unproven.iter().any(|change| proves(change, &table, name)) {
                found.push(InForce {
                    step: step.id.clone(),
                    table: table.plain(),
                    column: no_null(&added).map(plain),
                    constraint: plain(name),
                    demand: added.definition.clone(),
                    goes_on: (record.goal != State::Aborted)
                        .then(|| format!("phase advance {}", item.version)),
                    taken_away: format!("phase abort {}", item.version),
                });
            }
        }
    }
    found
}

/// What the statements of a step change; nothing of what the program cannot read.
fn changes(step: &Step) -> Vec<Change> {
    let statements = step.action.sql().into_iter().filter_map(|sql| split(&sql).ok()).flatten();
    statements.flat_map(|statement| statement.changes).collect()
}

fn proves(change: &Change, of: &QName, name: &Ident) -> bool {
    matches!(change, Change::Alter { table, what: Alter::Validate(proven), .. } if table == of && proven == name)
}

/// The column of NOT NULL, said as such or as CHECK.
fn no_null(added: &NewConstraint) -> Option<&Ident> {
    match &added.demand {
        Demand::NotNull => added.columns.first(),
        Demand::Check { proves, .. } => {
            // The server's spelling quotes what is a keyword; ours, whatever is not plain.
            let says = |name: &str| added.definition == format!("CHECK ({name} IS NOT NULL)");
            proves.first().filter(|column| says(&plain(column)) || says(&column.to_string()))
        }
        _ => None,
    }
}

impl InForce {
    /// What it is and what helps, for people.
    #[must_use]
    pub fn describe(&self) -> String {
        let Self { step, table, column, constraint, demand, goes_on, taken_away } = self;
        let (what, rows) = match column {
            Some(column) => (
                format!(
                    "{table}.{column} takes no new null since {step} (constraint {constraint}, not proven)"
                ),
                "has one",
            ),
            None => (
                format!(
                    "{table} takes no row against {demand} since {step} (constraint {constraint}, not proven)"
                ),
                "is against it",
            ),
        };
        let on = goes_on.as_ref().map(|command| format!("once no row {rows}, {command} goes on; "));
        format!(
            "{what}: statements that write one fail; {}{taken_away} takes it away",
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
            assert_eq!((found[0].table.as_str(), found[0].column.as_deref()), ("t", Some("a")));
            let said = found[0].describe();
            assert!(said.contains("phase advance 1 goes on; phase abort 1 takes it away"), "{said}");
        }
        let back = of(&[(first, Undoing), (second, Undone)], State::Aborted);
        assert_eq!(back.iter().map(|one| one.goes_on.clone()).collect::<Vec<_>>(), [None]);
    }

    #[test]
    fn a_check_for_null_names_its_column() {
        let of = |sql: &str| {
            let changes = split(sql).unwrap().into_iter().flat_map(|statement| statement.changes);
            let added = changes.filter_map(|change| match change {
                Change::Alter { what: Alter::AddConstraint(added), .. } => Some(added),
                _ => None,
            });
            added.map(|added| no_null(&added).map(plain)).collect::<Vec<_>>()
        };
        for name in ["old", "\"order\"", "\"A b\""] {
            let sql = format!("ALTER TABLE t ADD CONSTRAINT c CHECK ({name} IS NOT NULL) NOT VALID");
            assert_eq!(
                of(&sql),
                [Some(name.to_owned()).map(|name| plain(&Ident::parse(&name).unwrap()))],
                "{sql}"
            );
        }
        let more = "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL AND a > 0) NOT VALID";
        assert_eq!(of(more), [None]);
    }

    #[test]
    fn so_is_one_of_another_kind_that_is_proven_in_the_same_phase() {
        let of = |yaml: &str, done: &str| {
            let item = testing::item("1_p", yaml);
            let step = StepRecord {
                step: done.to_owned(),
                status: StepStatus::Done,
                attempts: 1,
                finished_at: None,
                duration_ms: None,
                undo: None,
                error: None,
            };
            let record = Record { goal: State::Validated, ..Record::planned(&item) };
            let found = in_force(&item, &record, &[step]);
            found.iter().map(InForce::describe).collect::<Vec<_>>()
        };
        let two = "  - {sql: ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID, undo: ALTER TABLE t DROP CONSTRAINT c}\n";
        let proof = "validate:\n  - {sql: ALTER TABLE t VALIDATE CONSTRAINT c, undo: SELECT 1}\n";
        let same = format!("validate:\n{two}{}", proof.trim_start_matches("validate:\n"));
        let said = "t takes no row against CHECK (n > 0) since validate.1 (constraint c, not proven): statements that \
                    write one fail; once no row is against it, phase advance 1 goes on; phase abort 1 takes it away";
        assert_eq!(of(&same, "validate.1"), [said]);
        // Between two phases it is as the plan wants it, and without a proof as well.
        assert_eq!(of(&format!("expand:\n{two}{proof}"), "expand.1"), [""; 0]);
        assert_eq!(of(&format!("validate:\n{two}"), "validate.1"), [""; 0]);
    }
}
