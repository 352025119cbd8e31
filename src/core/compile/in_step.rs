//! Owns what a plan keeps in step from expand on, each under its ordinal among those of its kind.

use super::{At, CompileError, moved, succeed, transaction};
use crate::core::plan::model::{Placed, Plan, StepSpec};
use crate::core::step::{Step, Undo};
use crate::core::sync::Sync;
use crate::core::sync::mirror::Mirror;
use crate::core::sync::moved::Move;

/// The syncs, mirrors and moves of a plan, in order.
pub(super) struct InStep {
    pub(super) syncs: Vec<Sync>,
    pub(super) mirrors: Vec<Mirror>,
    pub(super) moves: Vec<Move>,
}

impl InStep {
    pub(super) fn of(plan: &Plan) -> Result<Self, CompileError> {
        let mut kept = Self { syncs: Vec::new(), mirrors: Vec::new(), moves: Vec::new() };
        let version = plan.version.as_str();
        for Placed { value, place } in &plan.expand {
            match value {
                StepSpec::Sync(spec) => {
                    let sync = Sync::new(spec, version, kept.syncs.len() + 1);
                    kept.syncs.push(sync.map_err(|error| CompileError::at(*place, error.to_string()))?);
                }
                StepSpec::Mirror(spec) => {
                    kept.mirrors.push(Mirror::new(spec, version, kept.mirrors.len() + 1));
                }
                StepSpec::Move(spec) => kept.moves.push(Move::new(spec, version, kept.moves.len() + 1)),
                _ => {}
            }
        }
        Ok(kept)
    }

    /// Those that expand begins, one after the other.
    pub(super) fn begin(&self) -> Begin<'_> {
        Begin { syncs: self.syncs.iter(), mirrors: self.mirrors.iter(), moves: self.moves.iter() }
    }
}

/// What is to begin yet.
pub(super) struct Begin<'a> {
    syncs: std::slice::Iter<'a, Sync>,
    mirrors: std::slice::Iter<'a, Mirror>,
    moves: std::slice::Iter<'a, Move>,
}

impl Begin<'_> {
    /// The step of the next one, where `spec` keeps something in step.
    pub(super) fn step(&mut self, at: &At, spec: &StepSpec) -> Option<Step> {
        match spec {
            StepSpec::Sync(_) => self.syncs.next().map(|sync| install(at, sync)),
            StepSpec::Mirror(_) => self.mirrors.next().map(|mirror| succeed::install(at, mirror)),
            StepSpec::Move(_) => self.moves.next().map(|moved| moved::install(at, moved)),
            _ => None,
        }
    }
}

fn install(at: &At, sync: &Sync) -> Step {
    let title = format!("keep the columns of {} in step", sync.spec().table.plain());
    let step = at.step(title, transaction(sync.install()), Undo::Run(transaction(sync.remove())));
    Step { syncs: sync.installed(), ..step }
}
