//! Owns the report as text for people.

use std::fmt::Write;

use super::compare::{LockLine, Verdict};
use super::report::{Report, RoundTrip, StepReport};
use super::size::Rows;
use crate::core::lint::{Finding, Level, Lock};

/// The most differences that are listed of one comparison.
const LISTED: usize = 40;

impl Report {
    /// The result in a few words.
    #[must_use]
    pub fn headline(&self) -> String {
        let worse = self.steps.iter().filter(|step| step.verdict == Verdict::Worse).count();
        let unequal = self.round_trips.iter().chain(&self.again).filter(|trip| !trip.equal).count();
        let mut parts = Vec::new();
        if let Some(failure) = &self.failure {
            parts.push(failure.lines().next().unwrap_or_default().to_owned());
        }
        let refused = self.refused().count();
        if refused > 0 {
            parts.push(format!("the linter refuses {}", counted(refused, "statement")));
        }
        if worse > 0 {
            parts.push(format!("{worse} of {} worse than predicted", counted(self.steps.len(), "step")));
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
            let _ = writeln!(text, "  {}", rows.line());
        }
        if let Some(small) = self.too_small() {
            let _ = writeln!(text, "  note: {small}");
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
                text += &step_text(step, self.data_of(step));
                for finding in self.refused_of(step) {
                    let _ = writeln!(text, "    refused: {}", finding.rule);
                }
            }
        }
        text += &findings_text(self);
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

impl StepReport {
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

/// A lock in words: what was seen, and what was predicted where that differs.
pub(super) fn lock_words(line: &LockLine) -> String {
    let name = |lock: Option<Lock>| lock.map_or("none", Lock::name);
    let seen = format!("{} on {}", name(line.seen), line.relation);
    let seen = match line.held_ms {
        Some(held) => format!("{seen}, held {}", time(held)),
        None => seen,
    };
    match line.predicted {
        predicted if predicted == line.seen => seen,
        predicted if line.milder() => format!("{seen} (milder than predicted: {})", name(predicted)),
        predicted => format!("{seen} (predicted: {})", name(predicted)),
    }
}

/// A time for people.
pub(super) fn time(ms: f64) -> String {
    if ms < 10.0 {
        format!("{ms:.1} ms")
    } else if ms < 10_000.0 {
        format!("{ms:.0} ms")
    } else {
        format!("{:.1} s", ms / 1_000.0)
    }
}

fn step_text(step: &StepReport, data: Option<&Rows>) -> String {
    let times = if step.runs > 1 { format!(" at most, {} runs", step.runs) } else { String::new() };
    let data = data.map_or_else(String::new, |rows| format!(" on {}", rows.words()));
    let mut text = format!(
        "  {}  {}\n    {}, {}{times}{data}\n",
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

/// What the linter has against the plan: in full what it refuses, the rest in a line each.
fn findings_text(report: &Report) -> String {
    if report.findings.is_empty() {
        return String::new();
    }
    let mut text = "\nthe linter\n".to_owned();
    for finding in &report.findings {
        let word = match (&finding.allowed, finding.level) {
            (Some(_), _) => "accepted",
            (None, Level::Error) => "refused",
            (None, Level::Warning) => "warning",
        };
        let Finding { file, line, column, step, .. } = finding;
        let _ = writeln!(text, "  {word}: {file}:{line}:{column}: {step}: {}", finding.headline());
        if finding.refuses() {
            text.extend(finding.details().lines().map(|line| format!("  {line}\n")));
        }
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
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
