//! Checks against the record and the catalog: what is over is not judged again, and what has
//! started cannot be edited any more.

use std::collections::BTreeSet;

use super::{CheckArgs, Checked, conflicts, named};
use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::preflight;
use crate::cli::project::Project;
use crate::core::compile::Server;
use crate::core::drift::{Drift, drift};
use crate::core::lint::{self, Passage, is_settled, judge_rest};
use crate::core::preflight::Made;
use crate::core::record::Record;
use crate::core::sql::deep;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::version::Version;
use crate::engine::Store;
use crate::engine::stop::Stop;

/// The same against the record: what stops work on the timeline stops here.
pub(super) async fn online(global: &Global, args: &CheckArgs, stop: Stop) -> Result<Checked, CommandError> {
    let desk = Desk::open(global, "check", Access::Read, stop).await?;
    let server = Server { version: desk.server.version };
    let (items, wanted) = items(&desk, args).await?;
    let asked = |item: &Item| wanted.contains(&item.version);
    let records = desk.records().await?;
    let stems: BTreeSet<String> = items.iter().filter(|item| asked(item)).map(Item::stem).collect();
    let mut drifts = drift(&items, &records);
    if !args.files.is_empty() {
        drifts.retain(|drift| match drift {
            Drift::Edited { item, .. } | Drift::OutOfOrder { item, .. } => stems.contains(item),
            Drift::Missing { .. } => false,
        });
    }
    if !drifts.is_empty() {
        return Err(CommandError::Drift(drifts));
    }
    let record = |item: &Item| records.iter().find(|record| record.version == item.version);
    let open = |item: &&Item| !record(item).is_some_and(conflicts::over);
    missing(&desk, items.iter().filter(open), &asked, &records).await?;
    let steps = || items.iter().filter(open).flat_map(Item::steps_both_ways);
    let known = desk.target.world_in_use(&lint::mentions(steps())?, desk.config.small_table).await?;
    let (mut before, mut findings) = (Passage::default(), Vec::new());
    for item in items.iter().filter(open) {
        if asked(item) {
            let mut world = known.clone();
            // What comes before it will have run by then.
            before.over(&mut world);
            let steps = match record(item) {
                Some(record) if record.started() => desk.store.steps(&item.version).await?,
                _ => Vec::new(),
            };
            let done = |id: &str| is_settled(item, &steps, id);
            findings.extend(judge_rest(item, world, desk.config.small_table, &done)?);
        }
        deep(|| before.add(item))??;
    }
    let mut conflicts = conflicts::online(&items, &records)?;
    conflicts.retain(|conflict| stems.contains(&conflict.item) || stems.contains(&conflict.with));
    let settled =
        |item: &&Item| record(item).is_some_and(|record| record.started() || conflicts::over(record));
    let settled = items.iter().filter(settled).map(|item| item.version.clone()).collect();
    let items: Vec<Item> = items.into_iter().filter(|item| wanted.contains(&item.version)).collect();
    let sources = items.iter().map(|item| (item.file.clone(), item.source.clone())).collect();
    Ok(Checked { items, findings, conflicts, sources, settled, server })
}

/// Refuses what expand would refuse: tables, columns and keys that are not there, of items that have
/// not started. What comes before one will have run by then.
async fn missing(
    desk: &Desk,
    open: impl Iterator<Item = &Item>,
    asked: impl Fn(&Item) -> bool,
    records: &[Record],
) -> Result<(), CommandError> {
    let begun = |item: &Item| {
        let record = records.iter().find(|record| record.version == item.version);
        record.is_some_and(|record| record.state != State::Planned || record.goal != State::Planned)
    };
    let (mut made, mut faults) = (Made::default(), Vec::new());
    for item in open {
        if asked(item) && !begun(item) {
            faults.extend(preflight::missing(desk, item, &made).await?);
        }
        made.add(item)?;
    }
    if faults.is_empty() { Ok(()) } else { Err(CommandError::Preflight(faults.join("\n"))) }
}

/// Every item of the project, with the files that are named, and the versions that are asked about.
async fn items(desk: &Desk, args: &CheckArgs) -> Result<(Vec<Item>, BTreeSet<Version>), CommandError> {
    let mut items = desk.items().await?;
    if args.files.is_empty() {
        let all = items.iter().map(|item| item.version.clone()).collect();
        return Ok((items, all));
    }
    let paths = named(&args.files, &Project::paths(&desk.config)?)?;
    let asked = desk.items_of(&Project::of(&paths, &desk.config)?).await?;
    let wanted: BTreeSet<Version> = asked.iter().map(|item| item.version.clone()).collect();
    items.retain(|item| !wanted.contains(&item.version));
    items.extend(asked);
    items.sort_by(|a, b| a.version.cmp(&b.version));
    Ok((items, wanted))
}
