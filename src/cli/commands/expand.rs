//! `phase expand`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::commands::show::{steps_text, world_of};
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::output::Output;
use crate::cli::progress;
use crate::cli::work::{Worker, check_drift, report};
use crate::core::decide::Wanted;
use crate::core::lint::World;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::transition::Transition;
use crate::core::version::Version;
use crate::engine::stop::Stop;
use crate::pg::lock::LockKey;

/// Bring everything pending to where new code may ship.
///
/// Plans go to expanded, SQL migrations are applied, all in one timeline by
/// version. Made for a deploy hook: however many start together, each step
/// runs once, and a non-zero exit must stop the deploy.
#[derive(Debug, Default, Args)]
#[command(
    after_help = "Examples:\n  phase expand --lock-wait 5m\n  phase expand --to 20261121093000\n  phase expand --dry-run"
)]
pub struct ExpandArgs {
    /// Go no further than this version.
    #[arg(long, value_name = "VERSION")]
    to: Option<String>,
    /// Print the SQL and touch nothing.
    #[arg(long)]
    dry_run: bool,
    /// Also run files that are older than the newest applied one.
    #[arg(long)]
    out_of_order: bool,
}

/// Runs the command.
///
/// # Errors
/// When files and record differ, another runner is at work, or a step fails.
pub async fn run(global: &Global, args: &ExpandArgs, stop: Stop) -> Result<Output, CommandError> {
    let upto = args.to.as_deref().map(|text| {
        Version::parse(text)
            .ok_or_else(|| CommandError::Usage(format!("{text:?} is no version: 1 to 18 digits")))
    });
    let upto = upto.transpose()?;
    let access = if args.dry_run { Access::Read } else { Access::Write };
    let config = global.config()?;
    if !config.plans.is_dir() && !config.migrations.is_dir() {
        // A deploy hook in the wrong folder must not pass as "nothing is pending".
        return Err(CommandError::Usage(format!(
            "there is neither {} nor {} here: run it in the project's folder (-C DIR), or make one with phase init",
            config.plans.display(),
            config.migrations.display()
        )));
    }
    let desk = Desk::open(global, "expand", access, stop).await?;
    let items = desk.items().await?;
    if let Some(upto) = upto.as_ref().filter(|upto| !items.iter().any(|item| item.version == **upto)) {
        return Err(CommandError::Usage(format!("no file has version {upto}")));
    }
    if args.dry_run {
        let records = desk.records().await?;
        warn(check_drift(&items, &records, args.out_of_order)?);
        let todo = pending(&items, &records, upto.as_ref());
        return dry_run(&todo, world_of(&desk, &todo).await?);
    }
    desk.lock(&LockKey::Timeline).await?;
    // What was pending is looked up under the lock: whoever had it before may have done it.
    let records = desk.records().await?;
    warn(check_drift(&items, &records, args.out_of_order)?);
    let todo = pending(&items, &records, upto.as_ref());
    let listener = progress::listener(global);
    let mut worker = Worker::new(&desk, &*listener);
    let mut moves = Vec::new();
    for item in todo {
        if worker.batch.is_none() {
            worker.batch = Some(desk.store.next_batch().await?);
        }
        let moved = worker.run(item, Wanted::Forward(goal(item)), &[]).await?;
        let stops = moved.code != Code::Done;
        moves.push(moved);
        if stops {
            break;
        }
    }
    Ok(report(&moves, "nothing is pending"))
}

const fn goal(item: &Item) -> State {
    match item.kind {
        Kind::Plan => State::Expanded,
        Kind::Sql => State::Completed,
    }
}

/// Items that have not reached what expand brings them to, oldest first.
fn pending<'a>(items: &'a [Item], records: &[Record], upto: Option<&Version>) -> Vec<&'a Item> {
    let state =
        |item: &Item| records.iter().find(|r| r.version == item.version).map_or(State::Planned, |r| r.state);
    items
        .iter()
        .filter(|item| state(item) == State::Planned && upto.is_none_or(|upto| item.version <= *upto))
        .collect()
}

fn warn(drifts: Vec<crate::core::drift::Drift>) {
    for drift in drifts {
        tracing::warn!("{}", drift.describe());
    }
}

fn dry_run(todo: &[&Item], mut world: World) -> Result<Output, CommandError> {
    let mut text = String::new();
    for item in todo {
        let Some(row) = Transition::find(State::Planned, goal(item)) else { continue };
        text += &format!("-- {} {} → {}: {}\n", item.stem(), row.from, row.to, row.sentence);
        text += &steps_text(item, row, &mut world)?;
    }
    if text.is_empty() {
        text = "-- nothing is pending".into();
    }
    let names: Vec<String> = todo.iter().map(|item| item.stem()).collect();
    Ok(Output::done(text.clone(), &serde_json::json!({"pending": names, "sql": text})))
}
