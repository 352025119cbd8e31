//! Owns the report of a rehearsal: all that came of it, as one value.

use std::time::Duration;

use serde::Serialize;

use super::compare::{Compared, LockLine, Verdict};
use super::hold::too_long;
use super::predict::Piece;
use super::route::{OneWay, Passed};
use super::size::Rows;
use crate::core::lint::Finding;
use crate::core::record::Kind;
use crate::core::shape::Difference;
use crate::core::state::State;
use crate::core::step::{OUTSIDE, Phase};

/// All that came of a rehearsal.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The version.
    pub version: String,
    /// The name.
    pub name: String,
    /// plan or sql.
    pub kind: Kind,
    /// One sentence for people.
    pub title: String,
    /// SHA-256 of what was rehearsed.
    pub checksum: String,
    /// Whether it went as predicted, and the linter refuses nothing.
    pub ok: bool,
    /// The server that it ran on, and where it began.
    pub stage: Stage,
    /// What a real run waits for and the rehearsal did not.
    pub passed: Vec<Passed>,
    /// What the linter has against it, by the schema that it meets here and the sizes of the target.
    pub findings: Vec<Finding>,
    /// Each step, and each undo, once.
    pub steps: Vec<StepReport>,
    /// Every way back.
    pub round_trips: Vec<RoundTrip>,
    /// Every state that was reached a second time.
    pub again: Vec<RoundTrip>,
    /// States that nothing leads back from.
    pub one_way: Vec<OneWay>,
    /// Why it ended early.
    pub failure: Option<String>,
    /// What was not rehearsed, and why, one sentence each.
    pub uncovered: Vec<String>,
    /// What is left of it, one sentence each.
    pub left: Vec<String>,
}

/// Where a rehearsal took place.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    /// The server, in words.
    pub server: String,
    /// `server_version_num`.
    pub version: u32,
    /// Whether it was a clone that somebody named, and not a scratch database.
    pub clone: bool,
    /// What the starting point was made of, in words.
    pub start: String,
    /// Older items that were brought forward, each with its state.
    pub brought: Vec<String>,
    /// What is not as on the target, one sentence each.
    pub notes: Vec<String>,
    /// The tables of the item with their sizes at the start, here and at the target.
    pub rows: Vec<Rows>,
    /// Objects that each look at the shape has compared.
    pub objects: usize,
}

/// What came of a step, over all of its runs.
#[derive(Debug, Clone, Serialize)]
pub struct StepReport {
    /// The step.
    pub id: String,
    /// Its phase.
    pub phase: Phase,
    /// Whether it is its undo.
    pub undo: bool,
    /// What it does.
    pub title: String,
    /// How it meets transactions.
    pub mode: &'static str,
    /// How often it ran.
    pub runs: u32,
    /// The longest of these, in milliseconds.
    pub took_ms: f64,
    /// How what was seen stands to what was predicted.
    pub verdict: Verdict,
    /// Locks that stand in anybody's way.
    pub locks: Vec<LockLine>,
    /// Tables that were written anew.
    pub rewritten: Vec<String>,
    /// What was read from end to end.
    pub scanned: Vec<String>,
    /// Indexes that were built.
    pub built: Vec<String>,
    /// What is worse than predicted.
    pub faults: Vec<String>,
    /// What else is worth knowing.
    pub notes: Vec<String>,
}

/// A state that was reached on another way than before, compared object by object.
#[derive(Debug, Clone, Serialize)]
pub struct RoundTrip {
    /// The state that was left, or reached again.
    pub state: State,
    /// Whether the schema is the same.
    pub equal: bool,
    /// Where it is not.
    pub differences: Vec<Difference>,
    /// Tables of the item whose rows are not what they were, one sentence each: a fault of
    /// no undo where a backfill deletes, or a trigger notes the time.
    pub rows: Vec<String>,
}

impl RoundTrip {
    /// The outcome of a comparison.
    #[must_use]
    pub fn of(state: State, differences: Vec<Difference>, rows: Vec<String>) -> Self {
        Self { state, equal: differences.is_empty(), differences, rows }
    }
}

impl StepReport {
    /// A step that has not run yet.
    #[must_use]
    pub fn new(piece: &Piece<'_>, undo: bool) -> Self {
        Self {
            id: piece.step.id.clone(),
            phase: piece.step.phase,
            undo,
            title: piece.step.title.clone(),
            mode: piece.action.mode(),
            runs: 0,
            took_ms: 0.0,
            verdict: Verdict::AsPredicted,
            locks: Vec::new(),
            rewritten: Vec::new(),
            scanned: Vec::new(),
            built: Vec::new(),
            faults: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds what another run of the same step has shown.
    pub fn add(&mut self, took_ms: f64, compared: Compared) {
        self.runs += 1;
        self.took_ms = self.took_ms.max(took_ms);
        self.verdict = self.verdict.max(compared.verdict);
        for line in compared.locks {
            match self.locks.iter_mut().find(|known| known.relation == line.relation) {
                Some(known) => {
                    known.predicted = known.predicted.max(line.predicted);
                    known.seen = known.seen.max(line.seen);
                    known.held_ms = longer(known.held_ms, line.held_ms);
                }
                None => self.locks.push(line),
            }
        }
        join(&mut self.rewritten, compared.rewritten);
        join(&mut self.scanned, compared.scanned);
        join(&mut self.built, compared.built);
        join(&mut self.faults, compared.faults);
        join(&mut self.notes, compared.notes);
    }

    /// Says of every lock that was held longer than `limit` what comes of it where others wait.
    fn weigh_holds(&mut self, limit: Duration) {
        for line in &self.locks {
            let held = line.held_ms.map(|held| Duration::from_secs_f64(held / 1_000.0));
            if let (Some(held), Some(lock)) = (held.filter(|held| *held > limit), line.seen) {
                let alone = self.mode == OUTSIDE;
                self.faults.push(too_long(&line.relation, lock, [held, limit], alone));
                self.verdict = Verdict::Worse;
            }
        }
    }
}

/// The longer of two times, as far as they are known.
fn longer(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    [a, b].into_iter().flatten().reduce(f64::max)
}

fn join(into: &mut Vec<String>, from: Vec<String>) {
    for one in from {
        if !into.contains(&one) {
            into.push(one);
        }
    }
}

impl Report {
    /// Puts the steps into the order in which they run, weighs how long they held their locks
    /// against lock_timeout, and settles whether it went well.
    pub fn settle(&mut self, order: &[String], lock_timeout: Duration) {
        let place = |step: &StepReport| order.iter().position(|id| *id == step.id).unwrap_or(order.len());
        let (mut forward, mut back): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.steps).into_iter().partition(|step| !step.undo);
        forward.sort_by_key(place);
        back.sort_by_key(|step| std::cmp::Reverse(place(step)));
        self.steps = forward.into_iter().chain(back).collect();
        self.steps.iter_mut().for_each(|step| step.weigh_holds(lock_timeout));
        self.ok = self.went_well() && self.refused().next().is_none();
    }

    /// Whether every step ran, nothing was worse than predicted and every way back led back.
    #[must_use]
    pub fn went_well(&self) -> bool {
        self.failure.is_none()
            && self.steps.iter().all(|step| step.verdict != Verdict::Worse)
            && self.round_trips.iter().chain(&self.again).all(|trip| trip.equal)
    }

    /// What the linter refuses, and so does whoever runs the plan.
    pub fn refused(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.refuses())
    }

    /// What it refuses of one step, or of its way back.
    pub(super) fn refused_of<'a>(&'a self, step: &'a StepReport) -> impl Iterator<Item = &'a Finding> {
        self.refused().filter(|finding| finding.step == step.id && finding.back == step.undo)
    }
}
