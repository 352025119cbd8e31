//! Owns the report of a rehearsal, and the text of it for people.

use std::fmt::Write;

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

    /// What the server did, in words.
    #[must_use]
    pub fn work(&self) -> String {
        let list = |what: &str, names: &[String]| {
            (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
        };
        let parts = [
            list("writes anew", &self.rewritten),
            list("reads every row of", &self.scanned),
            list("builds", &self.built),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        match (parts.is_empty(), self.mode) {
            (false, _) => parts.join("; "),
            (true, "read only") => "reads only".into(),
            (true, "one transaction a batch") => "writes rows, batch by batch".into(),
            (true, _) => "changes the catalog only".into(),
        }
    }
}

fn join(into: &mut Vec<String>, from: Vec<String>) {
    for one in from {
        if !into.contains(&one) {
            into.push(one);
        }
    }
}

/// A lock in words: what was seen, and what was predicted where that differs.
#[must_use]
pub(super) fn lock_words(line: &LockLine) -> String {
    let name = |lock: Option<crate::core::lint::Lock>| lock.map_or("none", crate::core::lint::Lock::name);
    match (line.predicted, line.seen) {
        (predicted, seen) if predicted == seen => format!("{} on {}", name(seen), line.relation),
        (predicted, seen) => {
            format!("{} on {} (predicted: {})", name(seen), line.relation, name(predicted))
        }
    }
}

/// A time for people.
#[must_use]
pub fn time(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 10_000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1_000.0)
    }
}

/// The most differences that are listed of one comparison.
const LISTED: usize = 40;

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

    /// The result in a few words.
    #[must_use]
    pub fn headline(&self) -> String {
        let worse = self.steps.iter().filter(|step| step.verdict == Verdict::Worse).count();
        let unequal = self.round_trips.iter().chain(&self.again).filter(|trip| !trip.equal).count();
        let mut parts = Vec::new();
        if let Some(failure) = &self.failure {
            parts.push(failure.lines().next().unwrap_or_default().to_owned());
        }
        if worse > 0 {
            parts.push(format!("{worse} of {} did more than predicted", counted(self.steps.len(), "step")));
        }
        if unequal > 0 {
            parts.push(format!("{} left a difference", counted(unequal, "comparison")));
        }
        if parts.is_empty() {
            let opaque = self.steps.iter().filter(|step| step.verdict == Verdict::Opaque).count();
            parts.push(format!("{} as predicted", counted(self.steps.len() - opaque, "step")));
            if opaque > 0 {
                parts.push(format!("{opaque} opaque"));
            }
            parts.push(format!("{} equal", counted(self.round_trips.len(), "round trip")));
        }
        format!("{}: {}", if self.ok { "passed" } else { "FAILED" }, parts.join(", "))
    }

    /// All of it for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{}_{}: {}\n", self.version, self.name, self.title);
        let _ = writeln!(text, "rehearsed on {}; start: {}", self.stage.server, self.stage.start);
        for rows in &self.stage.rows {
            let _ = writeln!(text, "  {}: {} rows", rows.table, rows.rows);
        }
        for brought in &self.stage.brought {
            let _ = writeln!(text, "  before it: {brought}");
        }
        for note in &self.stage.notes {
            let _ = writeln!(text, "  note: {note}");
        }
        for passed in &self.passed {
            let _ = writeln!(text, "  passed by for {}: {}", passed.phase, passed.what.join(", "));
        }
        for (undo, title) in [(false, "forward"), (true, "undo")] {
            if self.steps.iter().any(|step| step.undo == undo) {
                let _ = writeln!(text, "\n{title}");
            }
            for step in self.steps.iter().filter(|step| step.undo == undo) {
                text += &step_text(step);
            }
        }
        if !self.round_trips.is_empty() || !self.one_way.is_empty() {
            text += "\nround trips\n";
        }
        for trip in &self.round_trips {
            text += &trip_text(&format!("undo from {}", trip.state), trip, self.stage.objects);
        }
        for trip in &self.again {
            text += &trip_text(&format!("{} again", trip.state), trip, self.stage.objects);
        }
        for one in &self.one_way {
            let _ = writeln!(text, "  no way back from {}: {}", one.state, one.why);
        }
        for (title, lines) in [("not rehearsed", &self.uncovered), ("left behind", &self.left)] {
            if !lines.is_empty() {
                let _ = writeln!(text, "\n{title}");
            }
            for line in lines {
                let _ = writeln!(text, "  - {line}");
            }
        }
        if let Some(failure) = &self.failure {
            let _ = writeln!(text, "\nit ended early: {}", failure.replace('\n', "\n  "));
        }
        let _ = writeln!(text, "\n{}", self.headline());
        text
    }
}

fn step_text(step: &StepReport) -> String {
    let times = if step.runs > 1 { format!(" at most, {} runs", step.runs) } else { String::new() };
    let mut text = format!(
        "  {}  {}\n    {}, {}{times}\n",
        step.id,
        step.title,
        step.verdict.words(),
        time(step.took_ms)
    );
    for line in &step.locks {
        let _ = writeln!(text, "    lock: {}", lock_words(line));
    }
    if step.locks.is_empty() {
        text += "    lock: none that stands in a query's way\n";
    }
    let _ = writeln!(text, "    work: {}", step.work());
    for fault in &step.faults {
        let _ = writeln!(text, "    worse: {fault}");
    }
    for note in &step.notes {
        let _ = writeln!(text, "    note: {note}");
    }
    text
}

fn trip_text(what: &str, trip: &RoundTrip, objects: usize) -> String {
    let mut text = if trip.equal {
        format!("  {what}: equal, {objects} objects compared\n")
    } else {
        format!("  {what}: NOT equal\n")
    };
    for rows in &trip.rows {
        let _ = writeln!(text, "    note: {rows}");
    }
    for difference in trip.differences.iter().take(LISTED) {
        let _ = writeln!(text, "    {}", difference.describe());
    }
    if trip.differences.len() > LISTED {
        let _ = writeln!(text, "    … and {} more", trip.differences.len() - LISTED);
    }
    text
}

/// A number and its noun.
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
