//! Owns the report of a rehearsal: all that came of it, as one value.

use serde::Serialize;

use super::compare::{Compared, LockLine, Verdict};
use super::predict::Piece;
use super::route::{OneWay, Passed};
use crate::core::record::Kind;
use crate::core::shape::Difference;
use crate::core::state::State;
use crate::core::step::Phase;

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
    /// Whether nothing was worse than predicted, every step ran and every way back led back.
    pub ok: bool,
    /// The server that it ran on, and where it began.
    pub stage: Stage,
    /// What a real run waits for and the rehearsal did not.
    pub passed: Vec<Passed>,
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
    /// The tables of the item with their rows at the start.
    pub rows: Vec<Rows>,
    /// Objects that each look at the shape has compared.
    pub objects: usize,
}

/// How many rows a table had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rows {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: i64,
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
}

fn join(into: &mut Vec<String>, from: Vec<String>) {
    for one in from {
        if !into.contains(&one) {
            into.push(one);
        }
    }
}

impl Report {
    /// Puts the steps into the order in which they run, and settles whether it went well.
    pub fn settle(&mut self, order: &[String]) {
        let place = |step: &StepReport| order.iter().position(|id| *id == step.id).unwrap_or(order.len());
        let (mut forward, mut back): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.steps).into_iter().partition(|step| !step.undo);
        forward.sort_by_key(place);
        back.sort_by_key(|step| std::cmp::Reverse(place(step)));
        self.steps = forward.into_iter().chain(back).collect();
        self.ok = self.failure.is_none()
            && self.steps.iter().all(|step| step.verdict != Verdict::Worse)
            && self.round_trips.iter().chain(&self.again).all(|trip| trip.equal);
    }
}
