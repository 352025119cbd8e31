//! `phase rollback`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::commands::show::{rollback_text, world_of};
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::cli::progress;
use crate::cli::work::{Worker, check_drift, report};
use crate::core::back::{first_refused, way};
use crate::core::lint::World;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::version::Version;
use crate::engine::stop::Stop;
use crate::pg::lock::LockKey;

/// Take SQL migrations back by their DOWN, newest first.
///
/// Plans are taken back with `phase abort`; --batch does both for all that the
/// last run of expand applied. Every way back is checked before the first step.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase rollback\n  phase rollback 3\n  phase rollback --to 20261101090000\n  phase rollback --batch"
)]
pub struct RollbackArgs {
    /// How many SQL migrations.
    #[arg(default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// All that are newer than this version, which stays.
    #[arg(long, value_name = "VERSION", conflicts_with = "count")]
    to: Option<String>,
    /// All that the last run of expand applied, plans included.
    #[arg(long, conflicts_with_all = ["count", "to"])]
    batch: bool,
    /// Print the SQL and touch nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// When one of them has no way back, or a step fails.
pub async fn run(global: &Global, args: &RollbackArgs, stop: Stop) -> Result<Output, CommandError> {
    let access = if args.dry_run { Access::Read } else { Access::Write };
    let desk = Desk::open(global, "rollback", access, stop).await?;
    let items = desk.items().await?;
    if !args.dry_run {
        desk.lock(&LockKey::Timeline).await?;
    }
    let records = desk.records().await?;
    for drift in check_drift(&items, &records, true)? {
        tracing::warn!("{}", drift.describe());
    }
    let todo = chosen(args, &records)?
        .into_iter()
        .map(|record| on_file(&items, record))
        .collect::<Result<Vec<_>, _>>()?;
    for item in &todo {
        refuse_early(item)?;
    }
    // The newest goes first: what stands on older ones must not lose them under it.
    let newer = |record: &Record| todo.iter().any(|item| item.version < record.version);
    let in_the_way = |record: &&Record| is_half_done(record) && (todo.is_empty() || newer(record));
    if let Some(half) = records.iter().find(in_the_way) {
        return Err(CommandError::NoPath {
            item: half.stem(),
            why: format!(
                "its UP was interrupted: finish it with phase expand --to {}, then roll it back",
                half.version
            ),
        });
    }
    if args.dry_run {
        // It ends as the real one would, and says what stands in the way of which.
        if let Some((item, why)) = first_refused(&todo, &records) {
            return Err(CommandError::NoPath { item: item.stem(), why });
        }
        return dry_run(&todo, world_of(&desk, &todo).await?);
    }
    let listener = progress::listener(global);
    let worker = Worker::new(&desk, &*listener);
    let mut moves = Vec::new();
    for item in todo {
        moves.push(worker.run(item, way(item), &[]).await?);
    }
    Ok(report(&moves, "nothing is applied that could be rolled back"))
}

/// Whether a SQL migration was begun and is not over.
fn is_half_done(record: &Record) -> bool {
    record.kind == Kind::Sql && record.state == State::Planned && record.goal == State::Completed
}

fn chosen<'a>(args: &RollbackArgs, records: &'a [Record]) -> Result<Vec<&'a Record>, CommandError> {
    let mut newest_first: Vec<&Record> = records.iter().rev().collect();
    if args.batch {
        let Some(batch) =
            records.iter().filter(|r| r.state != State::Aborted).filter_map(|record| record.batch).max()
        else {
            return Ok(Vec::new());
        };
        newest_first.retain(|record| record.batch == Some(batch) && record.state != State::Aborted);
        return Ok(newest_first);
    }
    // One that is on its way back already is taken up again.
    newest_first
        .retain(|record| record.kind == Kind::Sql && record.state == State::Completed && !record.baseline);
    match &args.to {
        None => newest_first.truncate(usize::try_from(args.count).unwrap_or(usize::MAX)),
        Some(text) => {
            let to = Version::parse(text)
                .ok_or_else(|| CommandError::Usage(format!("{text:?} is no version: 1 to 18 digits")))?;
            newest_first.retain(|record| record.version > to);
        }
    }
    Ok(newest_first)
}

fn on_file<'a>(items: &'a [Item], record: &Record) -> Result<&'a Item, CommandError> {
    items.iter().find(|item| item.version == record.version).ok_or_else(|| CommandError::NoPath {
        item: record.stem(),
        why: "its file is missing: bring it back from version control".into(),
    })
}

/// A way back that is missing is found before the first step of the first item.
fn refuse_early(item: &Item) -> Result<(), CommandError> {
    match &item.down {
        crate::core::timeline::Rollback::Refused(why) if item.kind == Kind::Sql => {
            Err(CommandError::NoPath { item: item.stem(), why: format!("{why}; nothing was rolled back") })
        }
        _ => Ok(()),
    }
}

fn dry_run(todo: &[&Item], mut world: World) -> Result<Output, CommandError> {
    let mut text = String::new();
    for item in todo {
        text += &format!("-- take {} back\n", item.stem());
        text += &rollback_text(item, &mut world)?;
    }
    Ok(Output::done(text.clone(), &serde_json::json!({"dry_run": text})))
}
