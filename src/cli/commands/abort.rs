//! `phase abort`.

use std::time::Duration;

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::progress;
use crate::cli::share::in_backfill;
use crate::cli::work::{Worker, check_drift, report};
use crate::core::decide::Wanted;
use crate::core::timeline::Item;
use crate::engine::stop::Stop;
use crate::pg::lock::LockKey;

/// Take a plan back to the old shape.
///
/// Every step that was done is taken back, newest first; after contract this
/// works while `keep` lasts. A step that cannot be taken back refuses before
/// anything is touched, with its reason. First roll the application back to
/// the version that knows the old shape only.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase abort users_display_name\n  phase abort users_display_name --undone expand.1"
)]
pub struct AbortArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
    /// A step whose undo fails and that you have taken back by hand: its undo is not run.
    #[arg(long, value_name = "STEP")]
    undone: Vec<String>,
}

/// Runs the command.
///
/// # Errors
/// When there is no way back, or a step fails on the way.
pub async fn run(global: &Global, args: &AbortArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "abort", Access::Write, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    check_drift(std::slice::from_ref(item), &desk.records().await?, true)?;
    let key = LockKey::Item(item.version.clone());
    for step in &args.undone {
        desk.lock(&key).await?;
        let undone = desk.store.step_undone(&item.version, step).await?;
        desk.unlock(&key).await?;
        if !undone {
            return Err(CommandError::Usage(format!(
                "{}: no abort of it has begun that has step {step} left to take back; phase show {} lists the steps",
                item.stem(),
                item.version
            )));
        }
    }
    let stopped = stop_backfill(&desk, item).await?;
    let listener = progress::listener(global);
    let moved = Worker::new(&desk, &*listener).run(item, Wanted::Abort, &[]).await;
    if stopped {
        desk.store.lift_hold(&item.version, &desk.actor).await?;
    }
    Ok(report(&[moved?], ""))
}

/// How long the workers of a backfill have to end their batches.
const STOPS_WITHIN: Duration = Duration::from_secs(30);

/// Asks whoever works on a backfill of the plan to stop, and waits until the
/// plan is free; whether that left a hold of ours.
async fn stop_backfill(desk: &Desk, item: &Item) -> Result<bool, CommandError> {
    let key = LockKey::Item(item.version.clone());
    let records = desk.records().await?;
    let running = records.iter().any(|record| record.version == item.version && in_backfill(record));
    if !running {
        return Ok(false);
    }
    let reason = format!("being aborted by {}", desk.actor);
    let ours = desk.store.hold_by(&item.version, &reason, &desk.actor).await?;
    let free = desk.lock_within(&key, STOPS_WITHIN).await;
    if free.is_ok() {
        desk.unlock(&key).await?;
    } else if ours {
        desk.store.lift_hold(&item.version, &desk.actor).await?;
    }
    free.map(|()| ours)
}
