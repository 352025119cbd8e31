//! Compiles the end of a rename: in one transaction the column that stands in goes out of sight,
//! and the column itself takes its name, with everything that hangs on it.

use super::{At, CompileError, transaction};
use crate::core::ident::{Ident, plain};
use crate::core::plan::model::{RenameSpec, SyncSpec};
use crate::core::step::{Step, Undo};
use crate::core::sync::Sync;
use crate::core::sync::standing::{Change, Keeps, Trigger};

/// The ordinal of the sync that keeps what is out of sight; those of the plan count from 1.
const KEPT: usize = 0;

/// Without an undo window: the column that stands in is dropped.
pub(super) fn at_once(at: &At, rename: &RenameSpec, sync: Option<&Sync>) -> Step {
    let RenameSpec { table, from, to, .. } = rename;
    let mut sql = rename.first.clone();
    sql.extend(sync.map(Sync::remove).unwrap_or_default());
    sql.push(format!("ALTER TABLE {table} DROP COLUMN {to}"));
    sql.push(format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}"));
    let why = "without keep, contract drops the column that stood in at once";
    let step = at.step(title(rename), transaction(sql), Undo::Irreversible(why.into()));
    Step { syncs: sync.map(Sync::removed).unwrap_or_default(), ..step }
}

/// With an undo window: the column that stood in is kept in step under another name, so that
/// abort finds both as they were; then purge drops it.
pub(super) fn kept(
    (at, purge): (&At, &At),
    rename: &RenameSpec,
    sync: Option<&Sync>,
    hidden: Ident,
    version: &str,
) -> Result<(Step, Step), CompileError> {
    let RenameSpec { table, from, to, first, then } = rename;
    let spec = SyncSpec { table: table.clone(), set: vec![(hidden.clone(), to.to_string())], back: Vec::new() };
    let keeper = Sync::new(&spec, version, KEPT).map_err(|error| at.error(error.to_string()))?;
    let name = |from: &Ident, to: &Ident| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
    let there = [
        first.clone(),
        sync.map(Sync::remove).unwrap_or_default(),
        vec![name(to, &hidden), name(from, to)],
        keeper.install(),
    ];
    let back = [
        keeper.remove(),
        vec![name(to, from), name(&hidden, to)],
        sync.map(Sync::install).unwrap_or_default(),
        then.clone(),
    ];
    let contract = at.step(title(rename), transaction(there.concat()), Undo::Run(transaction(back.concat())));
    let removed = sync.map(Sync::removed).unwrap_or_default();
    let contract = Step { syncs: [removed, only_old(keeper.installed())].concat(), ..contract };
    let drop = [keeper.remove(), vec![format!("ALTER TABLE {table} DROP COLUMN {hidden}")]];
    let what = format!("drop the column that stood in for {}.{}", table.plain(), plain(to));
    let gone = Undo::Irreversible("it was dropped for good".into());
    let purge = purge.step(what, transaction(drop.concat()), gone);
    Ok((contract, Step { syncs: keeper.removed(), ..purge }))
}

/// What is out of sight is there for an abort alone.
fn only_old(changes: Vec<Change>) -> Vec<Change> {
    let one = |change| match change {
        Change::Put(trigger) => Change::Put(Trigger { keeps: Keeps::Old, ..trigger }),
        taken @ Change::Taken(_) => taken,
    };
    changes.into_iter().map(one).collect()
}

fn title(rename: &RenameSpec) -> String {
    let RenameSpec { table, from, to, .. } = rename;
    format!("give {}.{} the name {}", table.plain(), plain(from), plain(to))
}
