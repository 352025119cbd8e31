//! Owns the decision whether an item may go back: a plan by abort, a SQL migration by its DOWN.

use crate::core::conflict;
use crate::core::decide::{Decision, Wanted};
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::step::{Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};
use crate::core::transition::Transition;

/// How an item is asked to go back.
#[must_use]
pub const fn way(item: &Item) -> Wanted {
    match item.kind {
        Kind::Plan => Wanted::Abort,
        Kind::Sql => Wanted::RollBack,
    }
}

/// Decides whether an item may go back; `wanted` says by which command.
pub fn back(item: &Item, record: &Record, records: &[Record], wanted: Wanted) -> Decision {
    match wanted {
        Wanted::RollBack => roll_back(item, record, records),
        Wanted::Abort | Wanted::Forward(_) => abort(item, record, records),
    }
}

/// The first of some items that may not go back, one after the other, and why: each sees those
/// before it as gone.
#[must_use]
pub fn first_refused<'a>(items: &[&'a Item], records: &[Record]) -> Option<(&'a Item, String)> {
    let mut records = records.to_vec();
    for item in items {
        let Some(at) = records.iter().position(|record| record.version == item.version) else { continue };
        let gone = match back(item, &records[at], &records, way(item)) {
            Decision::Run(row, _) => row.to,
            Decision::NoPath(why) => return Some((item, why)),
            Decision::Wait(_) | Decision::Held(_) | Decision::AtGoal => continue,
        };
        if let Some(record) = records.get_mut(at) {
            (record.state, record.goal) = (gone, gone);
        }
    }
    None
}

fn abort(item: &Item, record: &Record, records: &[Record]) -> Decision {
    if record.state == State::Aborted {
        return Decision::AtGoal;
    }
    if item.kind == Kind::Sql {
        return Decision::NoPath("it is a SQL migration: take it back with phase rollback".into());
    }
    let Some(row) = Transition::find(record.state, State::Aborted) else {
        return Decision::NoPath(format!("it is {}: {}", record.state, record.state.guarantee()));
    };
    let purged = |step: &&Step| step.phase == Phase::Purge && record.touched.contains(&step.id);
    if record.goal == State::Completed && item.steps.iter().any(|step| purged(&step)) {
        return Decision::NoPath(
            "its purge has begun, and what it dropped is gone: finish it with phase purge".into(),
        );
    }
    let mut against = conflict::dependents(item, records);
    against.extend(
        irreversible(item, record).map(|(step, why)| format!("step {} cannot be taken back: {why}", step.id)),
    );
    if against.is_empty() { Decision::Run(row, Vec::new()) } else { Decision::NoPath(against.join("\n")) }
}

fn irreversible<'a>(item: &'a Item, record: &'a Record) -> impl Iterator<Item = (&'a Step, &'a str)> {
    item.steps.iter().filter(|step| record.touched.contains(&step.id)).filter_map(|step| match &step.undo {
        Undo::Irreversible(why) => Some((step, why.as_str())),
        _ => None,
    })
}

fn roll_back(item: &Item, record: &Record, records: &[Record]) -> Decision {
    if item.kind == Kind::Plan {
        return Decision::NoPath("it is a plan: take it back with phase abort".into());
    }
    if record.state == State::Planned {
        return if record.goal == State::Planned {
            Decision::AtGoal
        } else {
            Decision::NoPath("its UP was interrupted: finish it with phase expand, then roll it back".into())
        };
    }
    if record.baseline {
        return Decision::NoPath(
            "it was recorded as done, by phase baseline or phase import, and never ran here".into(),
        );
    }
    let mut against: Vec<String> =
        records.iter().filter(|other| builds_on(item, other)).map(built_on).collect();
    if let Rollback::Refused(why) = &item.down {
        against.push(why.clone());
    }
    match Transition::find(record.state, State::Planned) {
        Some(row) if against.is_empty() => Decision::Run(row, Vec::new()),
        Some(_) => Decision::NoPath(against.join("\n")),
        None => Decision::NoPath(format!("nothing leads back from {}", record.state)),
    }
}

/// Whether a plan that has done something builds on a SQL migration: it says
/// so, or it is newer and touches the same table.
fn builds_on(item: &Item, other: &Record) -> bool {
    let shares = || conflict::shared_table(item, &other.tables).is_some();
    let active =
        (other.in_flight() && !other.left_nothing()) || (other.state == State::Completed && !other.baseline);
    other.kind == Kind::Plan
        && active
        && (other.depends_on.contains(&item.version) || (other.version > item.version && shares()))
}

fn built_on(other: &Record) -> String {
    let (stem, state) = (other.stem(), other.state);
    if state == State::Completed {
        format!(
            "{stem} builds on it and is completed, which nothing takes back: write a new SQL migration instead"
        )
    } else {
        format!("{stem} builds on it and is {state}: first run phase abort {}", other.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::testing::item;

    fn done(item: &Item) -> Record {
        let state = if item.kind == Kind::Sql { State::Completed } else { State::Expanded };
        Record { state, goal: state, ..Record::planned(item) }
    }

    #[test]
    fn each_sees_those_before_it_as_gone() {
        let below = item("1_a", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;\n");
        let plan = item(
            "2_b",
            "expand:\n  - {sql: ALTER TABLE a ADD COLUMN c int, undo: ALTER TABLE a DROP COLUMN c}\n",
        );
        let records = [done(&below), done(&plan)];
        assert!(first_refused(&[&plan, &below], &records).is_none());
        let refused = first_refused(&[&below], &records).map(|(item, why)| (item.stem(), why));
        assert_eq!(
            refused,
            Some(("1_a".into(), "2_b builds on it and is expanded: first run phase abort 2".into()))
        );
    }
}
