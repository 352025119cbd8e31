//! Owns the decision what happens next: a snapshot in, one value out.

use crate::core::conflict;
use crate::core::gate::{self, Facts};
use crate::core::record::{Hold, Kind, Record};
use crate::core::state::State;
use crate::core::step::{Action, Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};
use crate::core::transition::{Transition, Work};

/// What somebody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Forward until this state; it is at its goal when it is there or past it.
    Forward(State),
    /// Back to the old shape.
    Abort,
    /// A SQL migration's DOWN.
    RollBack,
}

/// Everything that a decision looks at.
#[derive(Debug, Clone, Copy)]
pub struct Snapshot<'a> {
    /// The item on file.
    pub item: &'a Item,
    /// The same on record.
    pub record: &'a Record,
    /// Every item on record.
    pub records: &'a [Record],
    /// Every item on file.
    pub files: &'a [Item],
    /// The facts for its next gate.
    pub facts: &'a Facts,
    /// Older items that are still pending, by name.
    pub pending_before: &'a [String],
    /// Whether an operator said to drop what contract kept before its window ends.
    pub purge_early: bool,
}

/// What happens next.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Enter this row.
    Run(&'static Transition),
    /// Not yet; every reason, one sentence each.
    Wait(Vec<String>),
    /// An operator or the program said stop.
    Held(Hold),
    /// It is where it was asked to be.
    AtGoal,
    /// There is no way from here; why.
    NoPath(String),
}

/// Decides what happens next.
pub fn decide(snapshot: &Snapshot<'_>, wanted: Wanted) -> Decision {
    let record = snapshot.record;
    match wanted {
        Wanted::Abort => abort(snapshot),
        Wanted::RollBack => roll_back(snapshot),
        Wanted::Forward(_) if record.state != record.goal => resume(snapshot),
        Wanted::Forward(to) => forward(snapshot, to),
    }
}

/// What was begun is ended first: the same row again, its gate was open.
fn resume(snapshot: &Snapshot<'_>) -> Decision {
    let record = snapshot.record;
    let Some(row) = Transition::find(record.state, record.goal) else {
        return Decision::NoPath(format!("no transition leads from {} to {}", record.state, record.goal));
    };
    match row.work {
        Work::Undo => Decision::NoPath("it is being aborted: finish that with phase abort".into()),
        Work::RollBack => Decision::NoPath("it is being rolled back: finish that with phase rollback".into()),
        Work::Run(phase) => {
            // A proof that was made since then may have found what validate must not build on.
            let reasons =
                if phase == Phase::Validate { unproven(snapshot.item, snapshot.facts) } else { Vec::new() };
            held_or(snapshot, if reasons.is_empty() { Decision::Run(row) } else { Decision::Wait(reasons) })
        }
        Work::Apply => held_or(snapshot, Decision::Run(row)),
    }
}

fn forward(snapshot: &Snapshot<'_>, to: State) -> Decision {
    let Snapshot { item, record, .. } = *snapshot;
    if record.state == State::Aborted {
        return Decision::NoPath("it was aborted: write the change as a new version".into());
    }
    if record.state >= to || record.state == State::Completed {
        return Decision::AtGoal;
    }
    let row = match item.kind {
        Kind::Sql => Transition::find(record.state, State::Completed),
        Kind::Plan => Transition::forward(record.state),
    };
    let Some(row) = row else {
        return Decision::NoPath(format!("nothing leads on from {}", record.state));
    };
    let reasons = closed(snapshot, row);
    held_or(snapshot, if reasons.is_empty() { Decision::Run(row) } else { Decision::Wait(reasons) })
}

/// Every reason why a row may not be entered yet.
fn closed(snapshot: &Snapshot<'_>, row: &Transition) -> Vec<String> {
    let Snapshot { item, facts, records, files, .. } = *snapshot;
    let mut reasons = Vec::new();
    if row.from == State::Planned {
        reasons.extend(snapshot.pending_before.iter().map(|stem| {
            format!("{stem} comes first in the timeline and is still planned: run phase expand")
        }));
    }
    reasons.extend(conflict::reasons(item, row.to, records, files));
    if let Work::Run(phase) = row.work {
        if matches!(phase, Phase::Validate | Phase::Contract) {
            reasons.extend(unproven(item, facts));
        }
        // A constraint or an assertion would fail on them, and leave a half of itself behind.
        let judges = phase == Phase::Validate && item.steps.iter().any(|step| step.phase == phase);
        if judges || phase == Phase::Contract {
            reasons.extend(gate::quarantined(item.version.as_str(), facts));
        }
        reasons.extend(gate::reasons(item.gate(phase), facts));
        let kept = item.keep.filter(|_| phase == Phase::Purge && !snapshot.purge_early);
        reasons.extend(kept.and_then(|keep| gate::not_elapsed("keep", keep, facts)));
    }
    reasons
}

/// Every reason why the backfills of an item have no proof that counts.
#[must_use]
pub fn unproven(item: &Item, facts: &Facts) -> Vec<String> {
    let backfills = item.steps.iter().filter_map(|step| match &step.action {
        Action::Backfill(backfill) => Some((step.id.as_str(), backfill.astray_outline())),
        _ => None,
    });
    gate::unproven(item.version.as_str(), backfills, facts)
}

fn abort(snapshot: &Snapshot<'_>) -> Decision {
    let Snapshot { item, record, records, .. } = *snapshot;
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
        irreversible(snapshot).map(|(step, why)| format!("step {} cannot be taken back: {why}", step.id)),
    );
    if against.is_empty() { Decision::Run(row) } else { Decision::NoPath(against.join("\n")) }
}

fn irreversible<'a>(snapshot: &Snapshot<'a>) -> impl Iterator<Item = (&'a Step, &'a str)> {
    let Snapshot { item, record, .. } = *snapshot;
    item.steps.iter().filter(|step| record.touched.contains(&step.id)).filter_map(|step| match &step.undo {
        Undo::Irreversible(why) => Some((step, why.as_str())),
        _ => None,
    })
}

fn roll_back(snapshot: &Snapshot<'_>) -> Decision {
    let Snapshot { item, record, records, .. } = *snapshot;
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
        return Decision::NoPath("it was recorded by phase baseline and never ran here".into());
    }
    let mut against: Vec<String> =
        records.iter().filter(|other| builds_on(item, other)).map(built_on).collect();
    if let Rollback::Refused(why) = &item.down {
        against.push(why.clone());
    }
    match Transition::find(record.state, State::Planned) {
        Some(row) if against.is_empty() => Decision::Run(row),
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

fn held_or(snapshot: &Snapshot<'_>, otherwise: Decision) -> Decision {
    snapshot.record.hold.clone().map_or(otherwise, Decision::Held)
}
