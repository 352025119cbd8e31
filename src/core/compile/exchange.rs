//! Compiles the end of a rename or of a change of type: in one transaction one of two columns goes
//! out of sight, or for good, and the other takes the name.

use super::{At, CompileError, transaction};
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::model::{ExchangeSpec, SyncSpec};
use crate::core::step::{Step, Undo};
use crate::core::sync::Sync;
use crate::core::sync::standing::{Change, Keeps, Trigger};

/// The ordinals of syncs that keep what is out of sight; those of a plan count from 1.
const KEPT: usize = 1_000;

/// Without an undo window: the one that goes is dropped.
pub(super) fn at_once(at: &At, exchange: &ExchangeSpec, syncs: &[Sync]) -> Step {
    let ExchangeSpec { table, gone, stays, name, first, then, .. } = exchange;
    let sync = sync_of(exchange, syncs);
    let run = [
        first.there.clone(),
        sync.map(Sync::take_away).unwrap_or_default(),
        vec![format!("ALTER TABLE {table} DROP COLUMN {gone}")],
        rename(table, stays, name),
        then.there.clone(),
    ];
    let why = "without keep, contract drops the other column at once";
    let step = at.step(exchange.title.clone(), transaction(run.concat()), Undo::Irreversible(why.into()));
    let allow = exchange.allow.clone();
    Step { syncs: sync.map(Sync::removed).unwrap_or_default(), allow, ..step }
}

/// With an undo window: the one that goes is kept in step under another name, so that abort finds
/// both as they were; then purge drops it.
pub(super) fn kept(
    (at, purge): (&At, &At),
    exchange: &ExchangeSpec,
    syncs: &[Sync],
    hidden: &Ident,
    n: usize,
    version: &str,
) -> Result<(Step, Step), CompileError> {
    let ExchangeSpec { table, gone, stays, name, first, hide, then, .. } = exchange;
    let sync = sync_of(exchange, syncs);
    let set = vec![(hidden.clone(), exchange.kept.clone())];
    let spec = SyncSpec { table: table.clone(), set, back: Vec::new() };
    let keeper = Sync::new(&spec, version, KEPT + n).map_err(|error| at.error(error.to_string()))?;
    let there = [
        first.there.clone(),
        sync.map(Sync::take_away).unwrap_or_default(),
        hide.there.clone(),
        rename(table, gone, hidden),
        rename(table, stays, name),
        then.there.clone(),
        keeper.install(),
    ];
    let back = [
        keeper.remove(),
        then.back.clone(),
        rename(table, name, stays),
        rename(table, hidden, gone),
        hide.back.clone(),
        sync.map(Sync::install).unwrap_or_default(),
        first.back.clone(),
    ];
    let undo = Undo::Run(transaction(back.concat()));
    let contract = at.step(exchange.title.clone(), transaction(there.concat()), undo);
    let removed = sync.map(Sync::removed).unwrap_or_default();
    let contract = Step { syncs: [removed, only_old(keeper.installed())].concat(), ..contract };
    let drop = [keeper.remove(), vec![format!("ALTER TABLE {table} DROP COLUMN {hidden}")]];
    let what = format!("drop the column that {}.{} has taken the place of", table.plain(), plain(name));
    let gone = Undo::Irreversible("it was dropped for good".into());
    let purge = purge.step(what, transaction(drop.concat()), gone);
    Ok((contract, Step { syncs: keeper.removed(), allow: exchange.allow.clone(), ..purge }))
}

/// Nothing, where it has the name already.
fn rename(table: &QName, from: &Ident, to: &Ident) -> Vec<String> {
    if from == to { Vec::new() } else { vec![format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}")] }
}

fn sync_of<'a>(exchange: &ExchangeSpec, syncs: &'a [Sync]) -> Option<&'a Sync> {
    exchange.sync.checked_sub(1).and_then(|n| syncs.get(n))
}

/// What is out of sight is there for an abort alone.
fn only_old(changes: Vec<Change>) -> Vec<Change> {
    let one = |change| match change {
        Change::Put(trigger) => Change::Put(Trigger { keeps: Keeps::Old, ..trigger }),
        taken @ Change::Taken(_) => taken,
    };
    changes.into_iter().map(one).collect()
}
