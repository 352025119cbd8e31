//! Writes what `phase show` tells of an item: every step's SQL, mode, locks, undo and outcome.

use serde::Serialize;

use super::{Notes, Seen, Ways};
use crate::cli::output::Output;
use crate::core::lint::Taken;
use crate::core::record::{Kind, Record, StepRecord, StepStatus};
use crate::core::state::State;
use crate::core::step::{Action, Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};
use crate::pg::history::ImpactEvent;

#[derive(Serialize)]
struct Document {
    version: String,
    name: String,
    kind: Kind,
    title: String,
    state: State,
    steps: Vec<Shown>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    phase: Phase,
    title: String,
    mode: &'static str,
    sql: Vec<String>,
    locks: Vec<Taken>,
    undo: Option<Vec<String>>,
    irreversible: Option<String>,
    status: Option<StepStatus>,
    attempts: Option<i32>,
    duration_ms: Option<i64>,
    error: Option<String>,
    /// How a backfill goes about it.
    pace: Vec<String>,
    notes: Vec<String>,
    /// What each of its runs did to others, the oldest first.
    impact: Vec<ImpactEvent>,
}

pub(super) fn page(
    item: &Item,
    record: Option<&Record>,
    recorded: &[StepRecord],
    impacts: &[ImpactEvent],
    notes: &Notes,
    ways: &Ways<'_>,
) -> Output {
    let state = record.map_or(State::Planned, |record| record.state);
    let mut text = format!("{}: {}\n{state}. {}\n", item.stem(), item.title, state.guarantee());
    if let Some(keep) = item.keep {
        text += &format!("keep: {} after contract\n", humantime::format_duration(keep));
    }
    let mut shown = Vec::new();
    for phase in Phase::ALL {
        let mut steps = ways.forth.iter().filter(|(step, _)| step.phase == phase).peekable();
        if steps.peek().is_some() {
            text += &format!("\n{phase}\n");
        }
        for (step, seen) in steps {
            let record = recorded.iter().find(|record| record.step == step.id);
            let notes = notes.get(&step.id).map_or(&[][..], Vec::as_slice);
            text += &step_text(step, record, seen);
            text.extend(notes.iter().map(|note| format!("    note: {note}\n")));
            let runs: Vec<&ImpactEvent> = impacts.iter().filter(|run| run.step == step.id).collect();
            text.extend(runs.iter().map(|run| impact_text(run)));
            shown.push(Shown {
                impact: runs.into_iter().cloned().collect(),
                ..entry(step, record, notes, seen)
            });
        }
    }
    if item.kind == Kind::Sql {
        text += &match &item.down {
            Rollback::Refused(why) => format!("\nrollback: refused, {why}\n"),
            Rollback::Steps(_) => {
                let steps = ways.back.iter().map(|(step, seen)| step_text(step, None, seen));
                steps.fold("\nrollback\n".to_owned(), |all, step| all + &step)
            }
        };
    }
    let document = Document {
        version: item.version.to_string(),
        name: item.name.clone(),
        kind: item.kind,
        title: item.title.clone(),
        state,
        steps: shown,
    };
    Output::done(text, &document)
}

fn step_text(step: &Step, record: Option<&StepRecord>, seen: &Seen) -> String {
    let mark = match record.map(|record| record.status) {
        Some(StepStatus::Done) => "✓",
        Some(StepStatus::Started | StepStatus::Undoing) => "…",
        Some(StepStatus::Undone) => "↶",
        None => " ",
    };
    let mut text = format!("{mark} {}  {}  ({})\n", step.id, step.title, seen.sent.mode);
    for sql in &seen.sent.sql {
        text += &format!("      {};\n", indented(sql));
    }
    text.extend(seen.locks.iter().map(|taken| format!("    lock: {}\n", taken.line())));
    text.extend(pace(step).iter().map(|line| format!("    {line}\n")));
    match &step.undo {
        Undo::Nothing => {}
        Undo::Run(_) => {
            for sql in seen.undo.iter().flat_map(|undo| &undo.sql) {
                text += &format!("    undo: {};\n", indented(sql));
            }
        }
        Undo::Recorded => {
            text += "    undo: builds it again as it was; its definition is kept when it is dropped\n";
        }
        Undo::Irreversible(why) => text += &format!("    no undo: {why}\n"),
    }
    if let Some(error) = record.and_then(|record| record.error.as_ref()) {
        text += &format!("    last attempt failed: {}\n", indented(error));
    }
    text
}

/// How a backfill goes about it, as its plan says; `phase tune` tells what holds now.
fn pace(step: &Step) -> Vec<String> {
    match &step.action {
        Action::Backfill(backfill) => backfill.tuning.describe(),
        _ => Vec::new(),
    }
}

fn indented(sql: &str) -> String {
    sql.trim().replace('\n', "\n      ")
}

fn entry(step: &Step, record: Option<&StepRecord>, notes: &[String], seen: &Seen) -> Shown {
    Shown {
        id: step.id.clone(),
        phase: step.phase,
        title: step.title.clone(),
        mode: seen.sent.mode,
        sql: seen.sent.sql.clone(),
        locks: seen.locks.clone(),
        undo: seen.undo.as_ref().map(|undo| undo.sql.clone()),
        irreversible: match &step.undo {
            Undo::Irreversible(why) => Some(why.clone()),
            _ => None,
        },
        status: record.map(|record| record.status),
        attempts: record.map(|record| record.attempts),
        duration_ms: record.and_then(|record| record.duration_ms),
        error: record.and_then(|record| record.error.clone()),
        pace: pace(step),
        notes: notes.to_vec(),
        impact: Vec::new(),
    }
}

fn impact_text(run: &ImpactEvent) -> String {
    let what = if run.undo { "impact of its undo" } else { "impact" };
    match &run.impact {
        Some(impact) => format!("    {what}: {}\n", impact.lines().join("; ")),
        None => format!("    {what}: not known: it goes on, or its process ended before it could say\n"),
    }
}
