//! Owns the decision what happens next: a snapshot in, one value out.

use std::time::Duration;

use crate::core::back::back;
use crate::core::conflict;
use crate::core::gate::{self, Condition, Facts, Force, Verdict};
use crate::core::record::{Hold, Kind, Record};
use crate::core::state::State;
use crate::core::step::{Action, Phase};
use crate::core::timeline::Item;
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
    /// Conditions of the gate that an operator said to pass by.
    pub forces: &'a [Force],
}

/// What happens next.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Enter this row, as the conditions of its gate were judged.
    Run(&'static Transition, Vec<Verdict>),
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
        Wanted::Abort | Wanted::RollBack => back(snapshot.item, record, snapshot.records, wanted),
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
            let proof =
                Some(phase).filter(|phase| *phase == Phase::Validate).and_then(|_| proof(snapshot, None));
            let verdicts: Vec<Verdict> = proof.into_iter().collect();
            held_or(snapshot, open_or(row, gate::reasons(&verdicts), verdicts))
        }
        Work::Apply => held_or(snapshot, Decision::Run(row, Vec::new())),
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
    let verdicts = judge(snapshot, row);
    held_or(snapshot, open_or(row, closed(snapshot, row, &verdicts), verdicts))
}

fn open_or(row: &'static Transition, reasons: Vec<String>, verdicts: Vec<Verdict>) -> Decision {
    if reasons.is_empty() { Decision::Run(row, verdicts) } else { Decision::Wait(reasons) }
}

/// Judges the conditions of the gate before a row.
#[must_use]
pub fn judge(snapshot: &Snapshot<'_>, row: &Transition) -> Vec<Verdict> {
    let Snapshot { item, facts, forces, .. } = *snapshot;
    let Work::Run(phase) = row.work else { return Vec::new() };
    let gate = item.gate(phase);
    let mut verdicts = Vec::new();
    if matches!(phase, Phase::Validate | Phase::Contract) {
        verdicts.extend(proof(snapshot, gate.proof_max_age));
    }
    verdicts.extend(gate::verdicts(gate, facts));
    for verdict in &mut verdicts {
        verdict.pass_by(forces);
    }
    verdicts
}

/// Every reason why a row may not be entered yet.
fn closed(snapshot: &Snapshot<'_>, row: &Transition, verdicts: &[Verdict]) -> Vec<String> {
    let Snapshot { item, facts, records, files, .. } = *snapshot;
    let mut reasons = Vec::new();
    if row.from == State::Planned {
        reasons.extend(snapshot.pending_before.iter().map(|stem| first(stem, item, records, files)));
    }
    reasons.extend(conflict::reasons(item, row.to, records, files));
    if let Work::Run(phase) = row.work {
        let (proof, others): (Vec<Verdict>, Vec<Verdict>) =
            verdicts.iter().cloned().partition(|verdict| verdict.gate == Condition::Proof);
        reasons.extend(gate::reasons(&proof));
        // A constraint or an assertion would fail on them, and leave a half of itself behind.
        let judges = phase == Phase::Validate && item.steps.iter().any(|step| step.phase == phase);
        if judges || phase == Phase::Contract {
            reasons.extend(gate::quarantined(item.version.as_str(), facts));
        }
        reasons.extend(gate::reasons(&others));
        let kept = item.keep.filter(|_| phase == Phase::Purge && !snapshot.purge_early);
        reasons.extend(kept.and_then(|keep| gate::not_elapsed("keep", keep, facts.state_since, facts.now)));
    }
    reasons
}

/// That an older item comes first; where that one waits itself, for what, and the ways past it.
fn first(stem: &str, item: &Item, records: &[Record], files: &[Item]) -> String {
    let older = files.iter().find(|file| file.stem() == stem);
    let waits =
        older.map(|older| conflict::reasons(older, State::Expanded, records, files)).unwrap_or_default();
    let said = format!("{stem} comes first in the timeline and is still planned");
    if waits.is_empty() {
        return format!("{said}: run phase expand");
    }
    let verb = match item.kind {
        Kind::Plan => format!("phase advance {} --out-of-order", item.version),
        Kind::Sql => "phase expand --out-of-order".into(),
    };
    format!(
        "{said}, and waits itself: {}; until then start this one before it ({verb}; that one needs --out-of-order then as \
         well), or give the file of that one a later version",
        waits.join("; ")
    )
}

/// Whether the backfills of an item have a proof that counts; `None`: it has none.
fn proof(snapshot: &Snapshot<'_>, max_age: Option<Duration>) -> Option<Verdict> {
    let Snapshot { item, facts, .. } = *snapshot;
    let backfills = item.steps.iter().filter_map(|step| match &step.action {
        Action::Backfill(backfill) => Some((step.id.as_str(), backfill.astray_outline())),
        _ => None,
    });
    gate::proof(item.version.as_str(), backfills, max_age, facts)
}

fn held_or(snapshot: &Snapshot<'_>, otherwise: Decision) -> Decision {
    snapshot.record.hold.clone().map_or(otherwise, Decision::Held)
}
