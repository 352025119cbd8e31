//! `phase backfill`, `validate`, `contract` and `purge`: one phase, every plan that is due.

use std::time::Duration;

use clap::Args;

use crate::cli::again::reconnecting;
use crate::cli::args::{Global, duration};
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::force::ForceArgs;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::progress;
use crate::cli::waits::waits_for;
use crate::cli::work::{Moved, Worker, check_drift, contained, moved, report};
use crate::core::decide::Wanted;
use crate::core::drift::{Drift, drift};
use crate::core::gate::Force;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::step::Phase;
use crate::core::timeline::Item;
use crate::core::transition::{TRANSITIONS, Transition, Work};
use crate::engine::stop::Stop;

/// Carry existing rows over, batch by batch, for every plan that is due.
///
/// Made for a scheduler: what is done is kept, exit code 5 says that work is
/// left, and the next run goes on where this one stopped. Several may run at
/// once, on any machine: they share the work.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  phase backfill --max-duration 2h\n  phase backfill orders_currency")]
pub struct BackfillArgs {
    /// The plans; without any, all that are expanded.
    plans: Vec<String>,
    /// Stop after this long, at the end of a batch, with exit code 5 when work is left.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    max_duration: Option<Duration>,
    /// While it is paused or out of its window, wait in the place of exit code 5.
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    force: ForceArgs,
}

/// Build indexes and prove constraints and assertions, for every plan that is due.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  phase validate\n  phase validate orders_currency --repair")]
pub struct ValidateArgs {
    /// The plans; without any, all that are backfilled.
    plans: Vec<String>,
    /// First prove the backfills of these plans once more: look at every row, and fill those
    /// that are left.
    #[arg(long, requires = "plans")]
    prove: bool,
    /// The same, and set rows that are out of step to what the plan says.
    #[arg(long, requires = "plans")]
    repair: bool,
    #[command(flatten)]
    force: ForceArgs,
}

/// Take the old shape out of the application's sight, for every plan that is due.
///
/// Refused with every reason while a gate is closed (exit code 3). With `keep`,
/// abort can bring the old shape back until purge.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  phase contract\n  phase contract users_display_name")]
pub struct ContractArgs {
    /// The plans; without any, all that are validated.
    plans: Vec<String>,
    #[command(flatten)]
    force: ForceArgs,
}

/// Drop for good what contract kept, for every plan whose window is over.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  phase purge\n  phase purge users_display_name --now")]
pub struct PurgeArgs {
    /// The plans; without any, all that are contracted.
    plans: Vec<String>,
    /// Do not wait for the end of the undo window; there is no way back then.
    #[arg(long, requires = "plans")]
    now: bool,
    #[command(flatten)]
    force: ForceArgs,
}

/// Runs `phase backfill`.
///
/// # Errors
/// When files and record differ, or the server cannot be reached.
pub async fn backfill(global: &Global, args: &BackfillArgs, stop: Stop) -> Result<Output, CommandError> {
    let due = Due {
        budget: args.max_duration,
        wait: args.wait,
        ..Due::of(Phase::Backfill, &args.plans, &args.force)?
    };
    Box::pin(run(global, &due, stop)).await
}

/// Runs `phase validate`.
///
/// # Errors
/// As [`backfill`].
pub async fn validate(global: &Global, args: &ValidateArgs, stop: Stop) -> Result<Output, CommandError> {
    if args.prove || args.repair {
        // As a backfill, it waits for a server that is away for a while, and begins again.
        let proving = async || Box::pin(prove(global, args, stop.clone())).await;
        let left = reconnecting(&stop, || true, proving).await?;
        if let Some(left) = left {
            return Ok(left);
        }
    }
    let due = Due::of(Phase::Validate, &args.plans, &args.force)?;
    Box::pin(run(global, &due, stop)).await
}

/// Proves the backfills of some plans once more; what is left, if something is.
async fn prove(global: &Global, args: &ValidateArgs, stop: Stop) -> Result<Option<Output>, CommandError> {
    let desk = Desk::open(global, "validate", Access::Write, stop).await?;
    let items = desk.about(&args.plans).await?.items;
    let listener = progress::listener(global);
    let worker = Worker::new(&desk, &*listener);
    for plan in &args.plans {
        let item = find(&items, plan)?;
        if let Some(moved) = worker.prove(item, args.repair).await? {
            return Ok(Some(report(&[moved], "")));
        }
    }
    Ok(None)
}

/// Runs `phase contract`.
///
/// # Errors
/// As [`backfill`].
pub async fn contract(global: &Global, args: &ContractArgs, stop: Stop) -> Result<Output, CommandError> {
    let due = Due::of(Phase::Contract, &args.plans, &args.force)?;
    Box::pin(run(global, &due, stop)).await
}

/// Runs `phase purge`.
///
/// # Errors
/// As [`backfill`].
pub async fn purge(global: &Global, args: &PurgeArgs, stop: Stop) -> Result<Output, CommandError> {
    let due = Due { early: args.now, ..Due::of(Phase::Purge, &args.plans, &args.force)? };
    Box::pin(run(global, &due, stop)).await
}

/// Which plans are due for which phase.
struct Due<'a> {
    phase: Phase,
    plans: &'a [String],
    budget: Option<Duration>,
    early: bool,
    wait: bool,
    forces: Vec<Force>,
}

/// How often --wait looks whether it may go on.
const WAIT_EVERY: Duration = Duration::from_millis(500);

impl<'p> Due<'p> {
    fn of(phase: Phase, plans: &'p [String], force: &ForceArgs) -> Result<Self, CommandError> {
        Ok(Self { phase, plans, budget: None, early: false, wait: false, forces: force.forces(plans)? })
    }

    fn row(&self) -> Option<&'static Transition> {
        TRANSITIONS.iter().find(|row| row.work == Work::Run(self.phase))
    }

    fn items<'a>(
        &self,
        items: &'a [Item],
        records: &[Record],
        from: State,
    ) -> Result<Vec<&'a Item>, CommandError> {
        if !self.plans.is_empty() {
            return self.plans.iter().map(|plan| Ok(find(items, plan)?)).collect();
        }
        let state = |item: &Item| records.iter().find(|r| r.version == item.version).map(|r| r.state);
        // Without keep, contract goes through to the end: one that was cut off in between is due as well.
        let cut_off = |item: &Item| {
            self.phase == Phase::Contract && item.keep.is_none() && state(item) == Some(State::Contracted)
        };
        let due = |item: &&Item| item.kind == Kind::Plan && (state(item) == Some(from) || cut_off(item));
        Ok(items.iter().filter(due).collect())
    }
}

async fn run(global: &Global, due: &Due<'_>, stop: Stop) -> Result<Output, CommandError> {
    let Some(row) = due.row() else {
        return Err(CommandError::Usage("no transition runs this phase".into()));
    };
    let stop = stop.within(due.budget);
    let mut moves = Vec::new();
    let backfilling = || due.phase == Phase::Backfill;
    reconnecting(&stop, backfilling, async || once(global, due, row, stop.clone(), &mut moves).await).await?;
    Ok(report(&moves, &format!("no plan is {}: nothing to {}", row.from, due.phase)))
}

/// Every plan that is due and not in `moves` yet.
async fn once(
    global: &Global,
    due: &Due<'_>,
    row: &'static Transition,
    stop: Stop,
    moves: &mut Vec<Moved>,
) -> Result<(), CommandError> {
    let desk = Desk::open(global, due.phase.name(), Access::Write, stop).await?;
    let files = desk.about(due.plans).await?;
    let items = &files.items;
    let records = desk.records().await?;
    let wanted = due.items(items, &records, row.from)?;
    let concerned: Vec<Item> = match due.plans {
        [] => items.clone(),
        _ => wanted.iter().copied().cloned().collect(),
    };
    check_drift(&concerned, &records, true)?;
    let (due_and_gone, rest): (Vec<_>, Vec<_>) = drift(items, &records)
        .into_iter()
        .filter(|drift| !files.explains(drift))
        .partition(|drift| matches!(drift, Drift::Missing { state, .. } if *state == row.from));
    if due.plans.is_empty() && !due_and_gone.is_empty() {
        return Err(CommandError::Drift(due_and_gone));
    }
    for drift in rest {
        tracing::warn!("{}", drift.describe());
    }
    let listener = progress::listener(global);
    let mut worker = Worker::new(&desk, &*listener);
    worker.purge_early = due.early;
    worker.forces.clone_from(&due.forces);
    for item in wanted {
        if moves.iter().any(|moved: &Moved| moved.version == item.version.as_str()) {
            continue;
        }
        let state = records.iter().find(|r| r.version == item.version).map_or(State::Planned, |r| r.state);
        if item.kind == Kind::Plan && state < row.from {
            moves.push(too_early(item, state, row));
            continue;
        }
        let through = state == State::Contracted && item.keep.is_none();
        let to = if through { State::Completed } else { row.to };
        let mut told = String::new();
        loop {
            if due.wait
                && let Some(why) = waits_for(&desk, item).await?
            {
                if let Some(end) = desk.stop.reason() {
                    let reasons = vec![why, end.to_owned()];
                    moves.push(moved(item, state, state, "work_left", reasons, Code::WorkLeft));
                    break;
                }
                if told != why {
                    tracing::warn!("{}: waiting: {why}", item.stem());
                    told = why;
                }
                desk.stop.sleep(WAIT_EVERY).await;
                continue;
            }
            let moved = contained(item, state, worker.run(item, Wanted::Forward(to), &[]).await)?;
            if !due.wait || moved.code != Code::WorkLeft || desk.stop.reason().is_some() {
                moves.push(moved);
                break;
            }
            tracing::debug!("{}: {}", item.stem(), moved.reasons.join("; "));
            desk.stop.sleep(WAIT_EVERY).await;
        }
    }
    Ok(())
}

fn too_early(item: &Item, state: State, row: &Transition) -> Moved {
    Moved {
        version: item.version.to_string(),
        name: item.name.clone(),
        kind: item.kind,
        from: state,
        state,
        outcome: "waiting",
        reasons: vec![format!(
            "it is {state}; {} follows {}: phase advance {}",
            row.command(),
            row.from,
            item.version
        )],
        code: Code::Waiting,
    }
}
