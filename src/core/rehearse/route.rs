//! Owns the way of a rehearsal: which states it goes to, from where it goes back,
//! and what it passes by that a real run waits for.

use serde::Serialize;

use crate::core::backfill::Tuning;
use crate::core::conflict::shared_table;
use crate::core::pace::throttle::Throttle;
use crate::core::plan::model::{AppVersion, Gate, Gates};
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::step::{Action, Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};
use crate::core::transition::{TRANSITIONS, Work};

/// From where a rehearsal goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UndoFrom {
    /// From every state that has a way back, one after the other.
    Every,
    /// From the last state that has a way back.
    Last,
}

/// One leg of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leg {
    /// Forward to a state.
    Forward(State),
    /// Back to the start.
    Back,
}

/// A state that nothing leads back from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OneWay {
    /// The state.
    pub state: State,
    /// Why.
    pub why: String,
}

/// The way of a rehearsal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The legs, in order.
    pub legs: Vec<Leg>,
    /// States without a way back that are not the end.
    pub one_way: Vec<OneWay>,
}

/// The way of an item: forward and back, forward again, and to the end, unless what
/// cannot be taken back is to be spared.
#[must_use]
pub fn route(item: &Item, undo: UndoFrom, to_the_end: bool) -> Route {
    let mut legs = Vec::new();
    let (mut one_way, mut last) = (Vec::new(), None);
    for state in rests(item) {
        match no_way_back(item, state) {
            None => {
                if undo == UndoFrom::Every {
                    legs.extend([Leg::Forward(state), Leg::Back]);
                }
                last = Some(state);
            }
            Some(why) => one_way.push(OneWay { state, why }),
        }
    }
    if let (Some(last), UndoFrom::Last) = (last, undo) {
        legs.extend([Leg::Forward(last), Leg::Back]);
    }
    if to_the_end {
        legs.push(Leg::Forward(State::Completed));
    } else if let Some(last) = last.filter(|_| undo == UndoFrom::Last) {
        // Forward once more is what shows that the way back left nothing in the way.
        legs.extend([Leg::Forward(last), Leg::Back]);
    }
    Route { legs, one_way }
}

/// The states that an item rests in between its start and what only drops leftovers.
fn rests(item: &Item) -> Vec<State> {
    match (item.kind, item.keep) {
        (Kind::Sql, _) => vec![State::Completed],
        (Kind::Plan, Some(_)) => {
            vec![State::Expanded, State::Backfilled, State::Validated, State::Contracted]
        }
        // Without keep, contract goes through to the end.
        (Kind::Plan, None) => vec![State::Expanded, State::Backfilled, State::Validated],
    }
}

/// The states that a leg forward rests in on its way, its end included.
#[must_use]
pub fn stops(item: &Item, to: State) -> Vec<State> {
    rests(item).into_iter().filter(|state| *state < to).chain([to]).collect()
}

fn no_way_back(item: &Item, state: State) -> Option<String> {
    if item.kind == Kind::Sql {
        return match &item.down {
            Rollback::Refused(why) => Some(why.clone()),
            Rollback::Steps(_) => None,
        };
    }
    let done = |step: &&Step| steps_until(state).contains(&step.phase);
    item.steps.iter().filter(done).find_map(|step| match &step.undo {
        Undo::Irreversible(why) => Some(format!("step {} cannot be taken back: {why}", step.id)),
        _ => None,
    })
}

/// The phases that lead from planned to a state.
#[must_use]
pub fn steps_until(state: State) -> Vec<Phase> {
    let row = |phase: &Phase| {
        TRANSITIONS
            .iter()
            .any(|row| row.work == Work::Run(*phase) && row.to <= state && row.to != State::Aborted)
    };
    Phase::ALL.into_iter().filter(row).collect()
}

/// The steps of a leg forward, in order.
#[must_use]
pub fn forward_steps(item: &Item, to: State) -> Vec<&Step> {
    match item.kind {
        Kind::Sql => item.steps.iter().collect(),
        Kind::Plan => item.steps.iter().filter(|step| steps_until(to).contains(&step.phase)).collect(),
    }
}

/// What a real run waits for before a phase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passed {
    /// The phase.
    pub phase: Phase,
    /// Each thing that is passed by, in words.
    pub what: Vec<String>,
}

/// What the rehearsal of an item passes by.
#[must_use]
pub fn passed(item: &Item) -> Vec<Passed> {
    let mut found = Vec::new();
    for phase in Phase::ALL {
        let mut what = conditions(item.gate(phase));
        if let Some(keep) = item.keep.filter(|_| phase == Phase::Purge) {
            what.push(format!("keep {}", humantime::format_duration(keep)));
        }
        if phase == Phase::Backfill {
            what.extend(item.steps.iter().filter_map(brakes));
        }
        if !what.is_empty() {
            found.push(Passed { phase, what });
        }
    }
    found
}

fn conditions(gate: &Gate) -> Vec<String> {
    let deployed =
        gate.deployed.iter().map(|AppVersion { app, version }| format!("deployed {app}@{version}"));
    let mut what: Vec<String> = deployed.collect();
    what.extend(gate.soak.map(|soak| format!("soak {}", humantime::format_duration(soak))));
    what.extend(gate.approvals.map(|count| format!("approvals {count}")));
    what.extend(gate.query.iter().map(|sql| format!("query `{}`", sql.trim())));
    what.extend(gate.unused.as_ref().map(|_| "unused".to_owned()));
    what
}

fn brakes(step: &Step) -> Option<String> {
    let Action::Backfill(backfill) = &step.action else { return None };
    let Tuning { window, throttle, slo, pause, nice, rate, .. } = &backfill.tuning;
    let mut what = Vec::new();
    what.extend(window.as_ref().map(|_| "window"));
    what.extend((*throttle != Throttle::default()).then_some("throttle"));
    what.extend(slo.as_ref().map(|_| "slo"));
    what.extend((!pause.is_zero()).then_some("pause"));
    what.extend((*nice > 0.0 || rate.is_some()).then_some("rate"));
    (!what.is_empty()).then(|| format!("{} of {}", what.join(", "), step.id))
}

/// The item as it is rehearsed: every gate open, and nothing that a backfill waits for.
#[must_use]
pub fn rehearsed(item: &Item) -> Item {
    // Whoever is in the way there is ours.
    let mut item = Item { gates: Gates::default(), kill_blockers: None, ..item.clone() };
    for step in &mut item.steps {
        if let Action::Backfill(backfill) = &mut step.action {
            let tuning = &mut backfill.tuning;
            tuning.throttle = Throttle::default();
            (tuning.window, tuning.slo, tuning.rate) = (None, None, None);
            tuning.pause = std::time::Duration::ZERO;
            tuning.nice = 0.0;
        }
    }
    item
}

/// How far an older item must be before another can be rehearsed; `None`: it is left as it is.
#[must_use]
pub fn wanted_before(item: &Item, older: &Item, record: Option<&Record>) -> Option<State> {
    let state = record.map_or(State::Planned, |record| record.state);
    let over = matches!(state, State::Completed | State::Aborted);
    let shares = || shared_table(item, &older.tables).is_some();
    if over {
        None
    } else if older.kind == Kind::Sql || item.depends_on.contains(&older.version) || shares() {
        Some(State::Completed)
    } else if state == State::Planned {
        Some(State::Expanded)
    } else {
        None
    }
}

/// The state that a leg ends in.
#[must_use]
pub fn end_of(item: &Item, leg: Leg) -> State {
    match (leg, item.kind) {
        (Leg::Forward(state), _) => state,
        (Leg::Back, Kind::Plan) => State::Aborted,
        (Leg::Back, Kind::Sql) => State::Planned,
    }
}

/// The steps that a route leaves out because nothing leads back from them.
#[must_use]
pub fn spared<'a>(item: &'a Item, route: &Route) -> Vec<&'a Step> {
    let furthest = route.legs.iter().filter_map(|leg| match leg {
        Leg::Forward(state) => Some(*state),
        Leg::Back => None,
    });
    match furthest.max() {
        None => item.steps.iter().collect(),
        Some(state) => {
            let run = forward_steps(item, state);
            item.steps.iter().filter(|step| !run.iter().any(|other| other.id == step.id)).collect()
        }
    }
}

#[cfg(test)]
mod tests;
