//! `phase show`.

use std::collections::BTreeMap;

use clap::Args;
use serde::Serialize;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::core::compile::Server;
use crate::core::lint::{Taken, World, inspect, mentions, taken};
use crate::core::record::{Kind, Record, StepRecord, StepStatus};
use crate::core::sql::SqlError;
use crate::core::state::State;
use crate::core::step::{Action, Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};
use crate::core::transition::{Transition, Work};
use crate::engine::stop::Stop;
use crate::engine::{Store, Target};
use crate::pg::history::ImpactEvent;

/// Show what a plan does: every step's SQL, transaction mode, locks and undo, and
/// how far it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase show users_display_name\n  phase show plans/20261121093000_users_display_name.yaml --offline"
)]
pub struct ShowArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
    /// Without a server: as the newest PostgreSQL would get it.
    #[arg(long)]
    offline: bool,
}

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

/// Runs the command.
///
/// # Errors
/// When the plan is not there or not right.
pub async fn run(global: &Global, args: &ShowArgs, stop: Stop) -> Result<Output, CommandError> {
    if args.offline {
        let items = Project::load(&global.config()?)?.items(Server::NEWEST)?;
        let item = find(&items, &args.plan)?;
        let locks = locks(item, World::offline(Server::NEWEST.version))?;
        return Ok(page(item, None, &[], &[], &Notes::new(), &locks));
    }
    let desk = Desk::open(global, "show", Access::Read, stop).await?;
    let items = desk.items()?;
    let item = find(&items, &args.plan)?;
    let records = desk.records().await?;
    let record = records.iter().find(|record| record.version == item.version);
    let steps = if desk.recorded() { desk.store.steps(&item.version).await? } else { Vec::new() };
    let world = desk.target.world(&mentions(&item.steps)?).await?;
    let impacts = if desk.recorded() { desk.store.impacts(Some(&item.version)).await? } else { Vec::new() };
    Ok(page(item, record, &steps, &impacts, &notes(&desk, item).await?, &locks(item, world)?))
}

/// The locks of each step, by step, in the order in which they come.
type Locks = BTreeMap<String, Vec<Taken>>;

fn locks(item: &Item, mut world: World) -> Result<Locks, SqlError> {
    let mut locks = Locks::new();
    for step in Phase::ALL.into_iter().flat_map(|phase| item.steps_of(phase)) {
        locks.insert(step.id.clone(), taken(&inspect(step, &mut world)?));
    }
    Ok(locks)
}

/// What is worth knowing about each step's table, by step.
type Notes = BTreeMap<String, Vec<String>>;

async fn notes(desk: &Desk, item: &Item) -> Result<Notes, CommandError> {
    let mut notes = Notes::new();
    for step in &item.steps {
        if let Action::Backfill(backfill) = &step.action {
            notes.insert(step.id.clone(), desk.target.notes(backfill).await?);
        }
    }
    Ok(notes)
}

fn page(
    item: &Item,
    record: Option<&Record>,
    recorded: &[StepRecord],
    impacts: &[ImpactEvent],
    notes: &Notes,
    locks: &Locks,
) -> Output {
    let state = record.map_or(State::Planned, |record| record.state);
    let mut text = format!("{}: {}\n{state}. {}\n", item.stem(), item.title, state.guarantee());
    if let Some(keep) = item.keep {
        text += &format!("keep: {} after contract\n", humantime::format_duration(keep));
    }
    let mut shown = Vec::new();
    for phase in Phase::ALL {
        let mut steps = item.steps_of(phase).peekable();
        if steps.peek().is_some() {
            text += &format!("\n{phase}\n");
        }
        for step in steps {
            let record = recorded.iter().find(|record| record.step == step.id);
            let notes = notes.get(&step.id).map_or(&[][..], Vec::as_slice);
            let locks = locks.get(&step.id).map_or(&[][..], Vec::as_slice);
            text += &step_text(step, record, locks);
            text.extend(notes.iter().map(|note| format!("    note: {note}\n")));
            let runs: Vec<&ImpactEvent> = impacts.iter().filter(|run| run.step == step.id).collect();
            text.extend(runs.iter().map(|run| impact_text(run)));
            shown.push(Shown {
                impact: runs.into_iter().cloned().collect(),
                ..entry(step, record, notes, locks)
            });
        }
    }
    if item.kind == Kind::Sql {
        text += &match &item.down {
            Rollback::Refused(why) => format!("\nrollback: refused, {why}\n"),
            Rollback::Steps(steps) => {
                steps.iter().fold("\nrollback\n".to_owned(), |all, step| all + &step_text(step, None, &[]))
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

fn step_text(step: &Step, record: Option<&StepRecord>, locks: &[Taken]) -> String {
    let mark = match record.map(|record| record.status) {
        Some(StepStatus::Done) => "✓",
        Some(StepStatus::Started | StepStatus::Undoing) => "…",
        Some(StepStatus::Undone) => "↶",
        None => " ",
    };
    let mut text = format!("{mark} {}  {}  ({})\n", step.id, step.title, step.action.mode());
    for sql in step.action.sql() {
        text += &format!("      {};\n", indented(&sql));
    }
    text.extend(locks.iter().map(|taken| format!("    lock: {}\n", taken.line())));
    text.extend(pace(step).iter().map(|line| format!("    {line}\n")));
    match &step.undo {
        Undo::Nothing => {}
        Undo::Run(action) => {
            for sql in action.sql() {
                text += &format!("    undo: {};\n", indented(&sql));
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

fn entry(step: &Step, record: Option<&StepRecord>, notes: &[String], locks: &[Taken]) -> Shown {
    Shown {
        id: step.id.clone(),
        phase: step.phase,
        title: step.title.clone(),
        mode: step.action.mode(),
        sql: step.action.sql(),
        locks: locks.to_vec(),
        undo: match &step.undo {
            Undo::Run(action) => Some(action.sql()),
            _ => None,
        },
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

/// The SQL of the steps of one transition, for a dry run.
#[must_use]
pub fn steps_text(item: &Item, row: &Transition) -> String {
    let wanted = |step: &&Step| match row.work {
        Work::Run(phase) => step.phase == phase,
        Work::Apply => true,
        Work::Undo | Work::RollBack => false,
    };
    let mut text = String::new();
    for step in item.steps.iter().filter(wanted) {
        text += &format!("-- {} {} ({})\n", step.id, step.title, step.action.mode());
        for sql in step.action.sql() {
            text += &format!("{};\n", sql.trim_end());
        }
    }
    text
}
