//! Moves one item: load, decide, execute, record.

use std::time::Instant;

use crate::core::decide::{Decision, Snapshot, Wanted, decide};
use crate::core::gate::{Facts, Force, Verdict};
use crate::core::record::{Hold, Kind, Record, StepRecord, StepStatus};
use crate::core::state::State;
use crate::core::step::{Limits, Phase, Step};
use crate::core::timeline::{Item, Rollback};
use crate::core::transition::{Transition, Work};
use crate::engine::current::Direction;
use crate::engine::error::RunError;
use crate::engine::event::{Event, Listener};
use crate::engine::execute::{Ended, Execution};
use crate::engine::joined::{refuse_joined, refuse_unkept};
use crate::engine::outside::Outside;
use crate::engine::standing::{refuse_lost, tell_lost};
use crate::engine::stop::Stop;
use crate::engine::{Fence, Store, Target, crash};

/// How moving an item ended.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A state was reached.
    Reached(State),
    /// It is where it was asked to be.
    AtGoal(State),
    /// Something must hold first; every reason.
    Waiting(Vec<String>),
    /// A stop sign.
    Held(Hold),
    /// There is no way; why.
    NoPath(String),
    /// It stopped at a safe place; why.
    WorkLeft(String),
}

/// What moving one item needs.
pub struct Mover<'a, S, T> {
    /// The record.
    pub store: &'a S,
    /// The database.
    pub target: &'a T,
    /// The item.
    pub item: &'a Item,
    /// Under which epoch.
    pub fence: &'a Fence,
    /// Who wants to know.
    pub listener: &'a dyn Listener,
    /// The request to stop.
    pub stop: &'a Stop,
    /// Every item on file.
    pub files: &'a [Item],
    /// Older items that are still pending, by name.
    pub pending_before: &'a [String],
    /// The run of expand that this belongs to.
    pub batch: Option<i64>,
    /// Whether an operator said to purge before the window ends.
    pub purge_early: bool,
    /// What a gate asks outside of the database.
    pub outside: &'a dyn Outside,
    /// Conditions of gates that an operator said to pass by.
    pub forces: &'a [Force],
}

impl<S: Store, T: Target> Mover<'_, S, T> {
    /// Makes one move, or says why none is made.
    ///
    /// # Errors
    /// When a step fails or the record cannot be kept; the goal stays on
    /// record, and the next run takes the work up where this one stopped.
    pub async fn advance(&self, wanted: Wanted) -> Result<Outcome, RunError> {
        let records = self.store.records().await?;
        let Some(record) = records.iter().find(|record| record.version == self.item.version) else {
            return Ok(Outcome::NoPath("it is not on record".into()));
        };
        let steps = self.store.steps(&self.item.version).await?;
        // What is where it was asked to be asks nobody.
        let facts = match wanted {
            Wanted::Forward(to) if record.state < to => {
                facts(self.store, self.target, self.outside, self.item, record).await?
            }
            Wanted::Forward(_) | Wanted::Abort | Wanted::RollBack => self.store.facts(record).await?,
        };
        let snapshot = Snapshot {
            item: self.item,
            record,
            records: &records,
            files: self.files,
            facts: &facts,
            pending_before: self.pending_before,
            purge_early: self.purge_early,
            forces: self.forces,
        };
        match decide(&snapshot, wanted) {
            Decision::Run(row, verdicts) => self.enter(row, record, &steps, &verdicts).await,
            Decision::Wait(reasons) => {
                // What was lost is worse than what it waits for, and may be the cause of that.
                if Transition::forward(record.state).is_some_and(guarded) {
                    self.sync_stands((record.state, record.goal)).await?;
                }
                Ok(Outcome::Waiting(reasons))
            }
            Decision::Held(hold) => Ok(Outcome::Held(hold)),
            Decision::AtGoal => Ok(Outcome::AtGoal(record.state)),
            Decision::NoPath(why) => Ok(Outcome::NoPath(why)),
        }
    }

    async fn enter(
        &self,
        row: &'static Transition,
        record: &Record,
        steps: &[StepRecord],
        verdicts: &[Verdict],
    ) -> Result<Outcome, RunError> {
        let began = Instant::now();
        let again = record.goal == row.to && record.state != row.to;
        self.listener.on(&Event::Entered { item: self.item.stem(), row, again });
        if guarded(row) {
            self.sync_stands((record.state, record.goal)).await?;
        }
        if row.to == State::Contracted && !again {
            refuse_joined(self.store, self.target, self.fence, self.item).await?;
        }
        if row.work == Work::Undo && record.state == State::Contracted && !again {
            refuse_unkept(self.store, self.target, self.item, steps).await?;
        }
        crash::point(&format!("before goal {}", row.to));
        // An attempt that was rolled back whole leaves the file free to be mended: the new text counts.
        if !again || record.checksum.as_ref() != Some(&self.item.checksum) || record.known != self.item.known
        {
            self.store.set_goal(self.fence, self.item, record, row.to, verdicts).await?;
        }
        crash::point(&format!("after goal {}", row.to));
        let ended = match self.work(row, steps).await {
            Ok(ended) => ended,
            Err(error) => {
                if row.work == Work::Undo && !again && error.is_certain() {
                    self.stays(record, row).await?;
                }
                // What the next connection takes up is no failure.
                if !error.lost_in_backfill() {
                    self.record_error(&error).await;
                }
                return Err(error);
            }
        };
        if let Ended::WorkLeft(why) = ended {
            self.record_stop(row).await;
            return Ok(Outcome::WorkLeft(why));
        }
        crash::point(&format!("before state {}", row.to));
        let took = began.elapsed();
        self.store.set_state(self.fence, row.from, row.to, self.batch, took).await?;
        crash::point(&format!("after state {}", row.to));
        self.listener.on(&Event::Reached { item: self.item.stem(), state: row.to, took });
        Ok(Outcome::Reached(row.to))
    }

    /// An abort that failed before it took anything back leaves a contracted item as it was: its rows may
    /// not fit the old shape any more, and then there is no way but on.
    async fn stays(&self, before: &Record, row: &'static Transition) -> Result<(), RunError> {
        let touched = |step: &StepRecord| matches!(step.status, StepStatus::Undoing | StepStatus::Undone);
        let at_rest = before.state == State::Contracted && before.goal == before.state;
        if at_rest && !self.store.steps(&self.item.version).await?.iter().any(touched) {
            let aborting = Record { goal: row.to, ..before.clone() };
            self.store.set_goal(self.fence, self.item, &aborting, before.state, &[]).await?;
            self.listener.on(&Event::Stays { item: self.item.stem(), state: before.state });
        }
        Ok(())
    }

    /// Before anything is begun: refuses to go on over a sync that is lost, and puts that on record.
    async fn sync_stands(&self, states: (State, State)) -> Result<(), RunError> {
        let stands = self.sync_still_stands(states).await;
        if let Err(error @ RunError::SyncLost { .. }) = &stands {
            self.record_error(error).await;
        }
        stands
    }

    async fn sync_still_stands(&self, states: (State, State)) -> Result<(), RunError> {
        refuse_lost(self.store, self.target, self.fence, self.item, states).await
    }

    /// Puts on record that somebody asked to stop.
    async fn record_stop(&self, row: &Transition) {
        let Some(why) = self.stop.reason() else { return };
        let detail = format!("on the way from {} to {}: {why}", row.from, row.to);
        if let Err(failure) = self.store.note(&self.item.version, None, "stopped", &detail).await {
            tracing::warn!("the stop could not be put on record: {failure}");
        }
    }

    async fn record_error(&self, error: &RunError) {
        let message = error.to_string();
        if let Err(failure) = self.store.set_error(self.fence, &message).await {
            tracing::warn!("the error could not be put on record: {failure}");
        }
        if matches!(error, RunError::Ambiguous { .. })
            && let Err(failure) = self.store.place_hold(&self.item.version, &message).await
        {
            tracing::warn!("the hold could not be placed: {failure}");
        }
    }

    async fn work(&self, row: &Transition, recorded: &[StepRecord]) -> Result<Ended, RunError> {
        let steps = &self.item.steps;
        match row.work {
            Work::Run(phase) => {
                let steps = in_order(steps, |step| step.phase == phase);
                let check = guarded(row).then_some((row.from, row.to));
                let ended = self.run(steps, Direction::Do, recorded, check).await?;
                if ended == Ended::Done
                    && let Some(states) = check
                {
                    self.sync_still_stands(states).await?;
                }
                Ok(ended)
            }
            Work::Apply => self.run(in_order(steps, |_| true), Direction::Do, recorded, None).await,
            Work::RollBack => match &self.item.down {
                Rollback::Steps(down) => {
                    let after = steps.len();
                    let down = down.iter().enumerate().map(|(n, step)| (after + n, step)).collect();
                    self.run(down, Direction::Do, recorded, None).await
                }
                Rollback::Refused(why) => Ok(Ended::WorkLeft(why.clone())),
            },
            Work::Undo => {
                // Whoever helps with a backfill stops at the end of its batch.
                self.store.revoke(self.fence).await?;
                tell_lost(self.store, self.target, self.item).await?;
                let mut back = in_order(steps, |_| true);
                back.reverse();
                let ended = self.run(back, Direction::Undo, recorded, None).await?;
                if ended == Ended::Done {
                    self.store.forget_backfills(self.fence).await?;
                }
                Ok(ended)
            }
        }
    }

    async fn run(
        &self,
        steps: Vec<(usize, &Step)>,
        direction: Direction,
        recorded: &[StepRecord],
        guarded: Option<(State, State)>,
    ) -> Result<Ended, RunError> {
        let execution = Execution {
            store: self.store,
            target: self.target,
            fence: self.fence,
            limits: self.item.limits,
            listener: self.listener,
            stop: self.stop,
            kill: self.item.kill_blockers.as_ref(),
        };
        for (position, step) in steps {
            if direction == Direction::Do
                && let Some(hold) = self.store.hold(&self.item.version).await?
            {
                return Ok(Ended::WorkLeft(format!("it is paused: {}", hold.reason)));
            }
            if let Some(states) = guarded {
                self.sync_still_stands(states).await?;
            }
            let record = recorded.iter().find(|record| record.step == step.id);
            if let left @ Ended::WorkLeft(_) = execution.run(step, position, direction, record).await? {
                return Ok(left);
            }
        }
        Ok(Ended::Done)
    }
}

/// Whether what a row does builds on what the syncs keep in step. Purge only drops what they filled.
fn guarded(row: &Transition) -> bool {
    matches!(row.work, Work::Run(phase) if phase != Phase::Purge)
}

fn in_order(steps: &[Step], wanted: impl Fn(&Step) -> bool) -> Vec<(usize, &Step)> {
    steps.iter().enumerate().filter(|(_, step)| wanted(step)).collect()
}

/// The phase whose gate stands in front of an item.
#[must_use]
pub fn next_phase(item: &Item, record: &Record) -> Option<Phase> {
    let row = Transition::forward(record.state).filter(|_| item.kind == Kind::Plan)?;
    match row.work {
        Work::Run(phase) => Some(phase),
        Work::Undo | Work::Apply | Work::RollBack => None,
    }
}

/// Collects the facts for an item's next gate.
///
/// # Errors
/// When the record cannot be read; a check of the gate that fails is a fact.
pub async fn facts<S: Store, T: Target>(
    store: &S,
    target: &T,
    outside: &dyn Outside,
    item: &Item,
    record: &Record,
) -> Result<Facts, RunError> {
    let mut facts = store.facts(record).await?;
    facts.by_whom = item.by_whom.clone();
    let limits: Limits = item.limits;
    // What was begun goes on without its gate.
    if let Some(phase) = next_phase(item, record).filter(|_| record.state == record.goal) {
        let gate = item.gate(phase);
        if let Some(longest) = gate.observed.iter().map(|one| one.span).max() {
            (facts.looks, facts.sightings) = store.sessions(longest).await?;
        }
        for sql in &gate.query {
            facts.queries.push(target.ask(sql, &limits).await);
        }
        for check in &gate.http {
            facts.addresses.push(outside.http(check).await);
        }
        for check in &gate.command {
            facts.commands.push(outside.command(check).await);
        }
    }
    Ok(facts)
}
