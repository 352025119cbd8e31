//! Owns the report as Markdown that fits a comment on a pull request.

use std::fmt::Write;

use super::compare::Verdict;
use super::report::{Report, StepReport};
use super::text::{lock_words, time};
use crate::core::lint::Finding;

/// The most that a comment holds; GitHub takes 65,536 characters.
const MOST_CHARS: usize = 60_000;

/// The report for a pull request.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let sign = if report.ok { "✅" } else { "❌" };
    let mut text = format!(
        "### {sign} phase rehearse: {}\n\n**{}**\n\nOn {}; start: {}.\n",
        cell(&format!("{}_{}", report.version, report.name)),
        cell(&report.headline()),
        cell(&report.stage.server),
        cell(&report.stage.start)
    );
    for rows in &report.stage.rows {
        let _ = write!(text, "\n- {}", cell(&rows.line()));
    }
    if let Some(small) = report.too_small() {
        let _ = write!(text, "\n\n⚠️ {}", cell(&small));
    }
    text += "\n";
    table(&mut text, report, |step| !step.undo, "Forward");
    text += "\n";
    for finding in report.refused() {
        let Finding { file, line, column, step, .. } = finding;
        let place = cell(&format!("{file}:{line}:{column}: {step}"));
        let _ = writeln!(text, "- **refused by the linter**, {place}: {}", cell(&finding.headline()));
    }
    for trip in &report.round_trips {
        let outcome = if trip.equal { "equal" } else { "**not equal**" };
        let _ = writeln!(text, "- undo from {}: {outcome}", trip.state);
        for difference in &trip.differences {
            let _ = writeln!(text, "  - {}", cell(&difference.describe()));
        }
    }
    for trip in &report.again {
        let outcome = if trip.equal { "equal" } else { "**not equal**" };
        let _ = writeln!(text, "- {} a second time: {outcome}", trip.state);
        for difference in &trip.differences {
            let _ = writeln!(text, "  - {}", cell(&difference.describe()));
        }
    }
    for one in &report.one_way {
        let _ = writeln!(text, "- no way back from {}: {}", one.state, cell(&one.why));
    }
    for step in &report.steps {
        for fault in &step.faults {
            let undo = if step.undo { "undo of " } else { "" };
            let _ = writeln!(text, "- worse than predicted, {undo}{}: {}", step.id, cell(fault));
        }
    }
    if let Some(failure) = &report.failure {
        let _ = write!(text, "\n```text\n{}\n```\n", failure.replace("```", "'''"));
    }
    if report.steps.iter().any(|step| step.undo) {
        text += "\n<details><summary>Undo, step by step</summary>\n";
        table(&mut text, report, |step| step.undo, "");
        text += "\n</details>\n";
    }
    let mut notes: Vec<String> = report.stage.notes.clone();
    notes.extend(report.stage.brought.iter().map(|brought| format!("before it: {brought}")));
    notes.extend(
        report
            .passed
            .iter()
            .map(|passed| format!("passed by for {}: {}", passed.phase, passed.what.join(", "))),
    );
    notes.extend(
        report
            .round_trips
            .iter()
            .flat_map(|trip| trip.rows.iter().map(move |rows| format!("undo from {}: {rows}", trip.state))),
    );
    notes.extend(report.findings.iter().filter(|finding| !finding.refuses()).map(|finding| {
        let accepted = finding.allowed.as_ref().map_or_else(String::new, |why| format!(" (accepted: {why})"));
        format!("{}: {}{accepted}", finding.step, finding.headline())
    }));
    notes.extend(report.uncovered.iter().map(|what| format!("not rehearsed: {what}")));
    notes.extend(report.left.iter().map(|what| format!("left behind: {what}")));
    notes.extend(report.steps.iter().flat_map(|step| {
        let undo = if step.undo { "undo of " } else { "" };
        step.notes.iter().map(move |note| format!("{undo}{}: {note}", step.id))
    }));
    if !notes.is_empty() {
        text += "\n<details><summary>Notes</summary>\n\n";
        for note in notes {
            let _ = writeln!(text, "- {}", cell(&note));
        }
        text += "\n</details>\n";
    }
    shortened(text)
}

fn table(text: &mut String, report: &Report, wanted: impl Fn(&StepReport) -> bool, title: &str) {
    if !title.is_empty() {
        let _ = write!(text, "\n#### {title}\n");
    }
    *text += "\n| step | locks | work | time | |\n|---|---|---|---|---|\n";
    for step in report.steps.iter().filter(|step| wanted(step)) {
        let locks: Vec<String> = step.locks.iter().map(|line| cell(&lock_words(line))).collect();
        let locks = if locks.is_empty() { "none in the way".into() } else { locks.join("<br>") };
        let verdict = match step.verdict {
            Verdict::AsPredicted => "as predicted",
            Verdict::Opaque => "opaque: locks as seen",
            Verdict::Worse => "**worse than predicted**",
        };
        let refused: Vec<&str> = report.refused_of(step).map(|finding| finding.rule).collect();
        let refused = match refused.as_slice() {
            [] => String::new(),
            rules => format!("<br>**refused: {}**", rules.join(", ")),
        };
        let _ = writeln!(
            text,
            "| `{}` {} | {locks} | {} | {} | {verdict}{refused} |",
            step.id,
            cell(&step.title),
            cell(&step.work()),
            time(step.took_ms)
        );
    }
}

/// What a pull request is told of a rehearsal that could not begin, or could not go on.
#[must_use]
pub fn not_rehearsed(asked: &str, why: &str) -> String {
    let lines: String = why.lines().map(|line| format!("> {}\n", cell(line))).collect();
    shortened(format!(
        "### ❌ phase rehearse: {}\n\n**FAILED: nothing was rehearsed**\n\n{lines}",
        cell(asked)
    ))
}

/// Text that keeps to its place in a line or a table.
fn cell(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('`', "'")
        .replace('*', "\\*")
        .replace('_', "\\_")
        .replace('@', "@\u{200b}")
}

fn shortened(text: String) -> String {
    if text.chars().count() <= MOST_CHARS {
        return text;
    }
    let kept: String = text.chars().take(MOST_CHARS).collect();
    let end = kept.rfind('\n').unwrap_or(kept.len());
    format!("{}\n\n… cut off here; phase rehearse --json has all of it.\n", &kept[..end])
}
