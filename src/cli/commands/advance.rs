//! `phase advance`.

use std::cell::Cell;
use std::time::Duration;

use clap::Args;

use crate::cli::again::reconnecting;
use crate::cli::args::Global;
use crate::cli::commands::show::{steps_text, world_of};
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::force::ForceArgs;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::progress;
use crate::cli::readable::Readable;
use crate::cli::work::{Moved, Worker, check_drift, pending_before, report};
use crate::core::decide::Wanted;
use crate::core::lint::World;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::transition::Transition;
use crate::engine::stop::Stop;
use crate::pg::lock::LockKey;

/// How often --wait looks again whether the gate is open.
const WAIT_EVERY: Duration = Duration::from_secs(2);

/// Move a plan on: its next transition, or as many as --to takes.
///
/// What an earlier run began and did not end is taken up where it stopped;
/// nothing is done twice. Without PLAN it takes the only one that has work left.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase advance users_display_name\n  phase advance users_display_name --to validated\n  phase advance users_display_name --dry-run"
)]
pub struct AdvanceArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: Option<String>,
    /// Go on until this state: expanded, backfilled, validated, contracted or completed.
    #[arg(long, value_name = "STATE", value_parser = state)]
    to: Option<State>,
    /// Wait until gates open, in the place of exit code 3.
    #[arg(long)]
    wait: bool,
    /// Print the SQL of the next transition and touch nothing.
    #[arg(long)]
    dry_run: bool,
    /// Start it even though a newer one is applied already.
    #[arg(long)]
    out_of_order: bool,
    #[command(flatten)]
    force: ForceArgs,
}

fn state(text: &str) -> Result<State, String> {
    State::from_name(text)
        .filter(|state| !matches!(state, State::Planned | State::Aborted))
        .ok_or_else(|| "one of expanded, backfilled, validated, contracted, completed".into())
}

/// Runs the command.
///
/// # Errors
/// When the plan cannot be moved, or a step fails.
pub async fn run(global: &Global, args: &AdvanceArgs, stop: Stop) -> Result<Output, CommandError> {
    let goal = Cell::new(None);
    let backfilling = || goal.get() == Some(State::Backfilled);
    reconnecting(&stop, backfilling, async || once(global, args, stop.clone(), &goal).await).await
}

/// One connection's worth of it; `goal` is what the first one was on its way to.
async fn once(
    global: &Global,
    args: &AdvanceArgs,
    stop: Stop,
    goal: &Cell<Option<State>>,
) -> Result<Output, CommandError> {
    let access = if args.dry_run { Access::Read } else { Access::Write };
    let desk = Desk::open(global, "advance", access, stop).await?;
    let files = desk.about(args.plan.as_slice()).await?;
    let items = &files.items;
    let records = desk.records().await?;
    let item = match &args.plan {
        Some(plan) => find(items, plan)?,
        None => match the_only(items, &records)? {
            Some(item) => item,
            None => return Ok(report(&[], "nothing has work left: phase new NAME writes a plan")),
        },
    };
    let at = records.iter().find(|record| record.version == item.version);
    let state = at.map_or(State::Planned, |record| record.state);
    check_drift(std::slice::from_ref(item), &records, args.out_of_order)?;
    let to = args.to.or(goal.get()).or_else(|| next(item, state)).unwrap_or(State::Completed);
    goal.set(Some(to));
    if args.dry_run {
        return dry_run(item, state, to, world_of(&desk, &[item]).await?);
    }
    if state == State::Planned {
        desk.lock(&LockKey::Timeline).await?;
    }
    let listener = progress::listener(global);
    let mut worker = Worker::new(&desk, &*listener);
    worker.forces = args.force.forces(args.plan.as_slice())?;
    let mut said = Vec::new();
    loop {
        let before =
            if args.out_of_order { Vec::new() } else { pending(item, &files, &desk.records().await?) };
        let moved: Moved = worker.run(item, Wanted::Forward(to), &before).await?;
        if !args.wait || moved.code != Code::Waiting || desk.stop.reason().is_some() {
            return Ok(report(&[moved], ""));
        }
        if said != moved.reasons {
            said.clone_from(&moved.reasons);
            tracing::warn!("{} waits: {}", item.stem(), said.join("; "));
        }
        desk.stop.sleep(WAIT_EVERY).await;
    }
}

/// Items and broken files that are still pending and older than `item`, by name.
fn pending(item: &Item, files: &Readable, records: &[Record]) -> Vec<String> {
    let mut before = pending_before(item, &files.items, records);
    before.extend(files.broken_before(item, records));
    before
}

/// The state that the next transition of an item leads to.
fn next(item: &Item, state: State) -> Option<State> {
    match item.kind {
        Kind::Sql => (state == State::Planned).then_some(State::Completed),
        Kind::Plan => Transition::forward(state).map(|row| row.to),
    }
}

fn the_only<'a>(items: &'a [Item], records: &[Record]) -> Result<Option<&'a Item>, CommandError> {
    let open: Vec<&Item> = items
        .iter()
        .filter(|item| {
            let state =
                records.iter().find(|r| r.version == item.version).map_or(State::Planned, |r| r.state);
            !matches!(state, State::Completed | State::Aborted)
        })
        .collect();
    match open.as_slice() {
        [only] => Ok(Some(only)),
        [] => Ok(None),
        several => {
            let names = several.iter().map(|item| item.stem()).collect::<Vec<_>>().join(", ");
            Err(CommandError::Usage(format!("say which one: {names}")))
        }
    }
}

fn dry_run(item: &Item, state: State, to: State, mut world: World) -> Result<Output, CommandError> {
    let mut text = String::new();
    let mut at = state;
    while at < to {
        let row = match item.kind {
            Kind::Sql => Transition::find(at, State::Completed),
            Kind::Plan => Transition::forward(at),
        };
        let Some(row) = row else { break };
        text += &format!("-- {} {} → {}: {}\n", item.stem(), row.from, row.to, row.sentence);
        text += &steps_text(item, row, &mut world)?;
        at = row.to;
    }
    if text.is_empty() {
        text = format!("-- {}: {state} already", item.stem());
    }
    Ok(Output::done(text.clone(), &serde_json::json!({"dry_run": text})))
}
