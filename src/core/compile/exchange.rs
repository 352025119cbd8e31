//! Compiles the end of a rename or of a change of type: in one transaction one of two columns goes
//! out of sight, or for good, and the other takes the name; so do all pairs of columns that must
//! change places in the same moment.

use super::bodies::refuse_read;
use super::{At, CompileError, transaction};
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::model::{ExchangeSpec, Pair, SyncSpec};
use crate::core::step::{Step, Undo};
use crate::core::sync::Sync;
use crate::core::sync::standing::{Change, Keeps, Trigger};

/// The ordinals of syncs that keep what is out of sight, one thousand for each table of a step;
/// those of a plan count from 1.
const KEPT: usize = 1_000;

/// Without an undo window: those that go are dropped.
pub(super) fn at_once(at: &At, exchange: &ExchangeSpec, syncs: &[Sync]) -> Step {
    let ExchangeSpec { first, then, last, drop, pairs, .. } = exchange;
    let syncs = syncs_of(exchange, syncs);
    let run = [
        exchange.lock.clone(),
        lock(pairs),
        read(pairs),
        first.there.clone(),
        each(&syncs, |sync| sync.take_away()),
        drop.clone(),
        each(pairs, |Pair { table, gone, .. }| vec![format!("ALTER TABLE {table} DROP COLUMN {gone}")]),
        each(pairs, |Pair { table, stays, name, .. }| rename(table, stays, name)),
        then.there.clone(),
        last.there.clone(),
        each(pairs, finally),
    ];
    let why = "without keep, contract drops the other column at once";
    let step = at.step(exchange.title.clone(), transaction(run.concat()), Undo::Irreversible(why.into()));
    let allow = exchange.allow.clone();
    Step { syncs: each(&syncs, |sync| sync.removed()), allow, ..step }
}

/// With an undo window: those that go are kept in step under other names, so that abort finds
/// both as they were; then purge drops them.
pub(super) fn kept(
    (at, purge): (&At, &At),
    exchange: &ExchangeSpec,
    syncs: &[Sync],
    hidden: &dyn Fn(&Ident) -> Ident,
    n: usize,
    version: &str,
) -> Result<(Step, Step), CompileError> {
    let ExchangeSpec { first, hide, then, last, pairs, .. } = exchange;
    let syncs = syncs_of(exchange, syncs);
    let keepers = keepers(at, exchange, hidden, n, version)?;
    let there = [
        exchange.lock.clone(),
        lock(pairs),
        read(pairs),
        first.there.clone(),
        each(&syncs, |sync| sync.take_away()),
        hide.there.clone(),
        each(pairs, |Pair { table, gone, .. }| rename(table, gone, &hidden(gone))),
        each(pairs, |Pair { table, stays, name, .. }| rename(table, stays, name)),
        then.there.clone(),
        last.there.clone(),
        each(pairs, finally),
        each(&keepers, Sync::install),
    ];
    let back = [
        exchange.lock.clone(),
        lock(pairs),
        last.back.clone(),
        each(&keepers, Sync::remove),
        each(pairs, |pair| pair.finally.iter().flat_map(|to| rename(&pair.table, to, &pair.name)).collect()),
        then.back.clone(),
        each(pairs, |Pair { table, stays, name, .. }| rename(table, name, stays)),
        each(pairs, |Pair { table, gone, .. }| rename(table, &hidden(gone), gone)),
        hide.back.clone(),
        each(&syncs, |sync| sync.install()),
        first.back.clone(),
    ];
    let undo = Undo::Run(transaction(back.concat()));
    let contract = at.step(exchange.title.clone(), transaction(there.concat()), undo);
    let removed = each(&syncs, |sync| sync.removed());
    // A column that the plan has added, and that goes with it, has nothing to lose.
    let added: Vec<Ident> =
        syncs.iter().flat_map(|sync| &sync.spec().set).map(|(column, _)| hidden(column)).collect();
    let installed = each(&keepers, |keeper| only_old(keeper, &added));
    let contract = Step { syncs: [removed, installed].concat(), ..contract };
    let drop = [
        lock(pairs),
        each(&keepers, Sync::remove),
        exchange.drop.clone(),
        each(pairs, |Pair { table, gone, .. }| {
            vec![format!("ALTER TABLE {table} DROP COLUMN {}", hidden(gone))]
        }),
    ];
    let gone = Undo::Irreversible("it was dropped for good".into());
    let purge = purge.step(purge_title(pairs), transaction(drop.concat()), gone);
    let syncs = each(&keepers, Sync::removed);
    Ok((contract, Step { syncs, allow: exchange.allow.clone(), ..purge }))
}

/// What keeps the columns that are out of sight in step: one sync a table.
fn keepers(
    at: &At,
    exchange: &ExchangeSpec,
    hidden: &dyn Fn(&Ident) -> Ident,
    n: usize,
    version: &str,
) -> Result<Vec<Sync>, CompileError> {
    let of_table = |(k, pairs): (usize, &[Pair])| {
        let table = pairs.first().map(|pair| pair.table.clone())?;
        let set = pairs.iter().map(|pair| (hidden(&pair.gone), pair.kept.clone())).collect();
        let spec = SyncSpec { table, set, back: Vec::new() };
        let made = Sync::new(&spec, version, KEPT * (k + 1) + n);
        Some(made.map_err(|error| at.error(error.to_string())))
    };
    exchange.pairs.chunk_by(|a, b| a.table == b.table).enumerate().filter_map(of_table).collect()
}

/// A last look whether a trigger of the application reads what has another name after it.
fn read(pairs: &[Pair]) -> Vec<String> {
    let of_table = |pairs: &[Pair]| {
        let table = pairs.first().map(|pair| &pair.table)?;
        let names = pairs.iter().flat_map(|pair| [&pair.gone, &pair.stays]);
        let stays = |name: &&Ident| pairs.iter().any(|pair| in_the_end(pair) == *name);
        refuse_read(table, &names.filter(|name| !stays(name)).collect::<Vec<_>>())
    };
    pairs.chunk_by(|a, b| a.table == b.table).filter_map(of_table).collect()
}

/// All tables at once, where there are several: those that refer to others come first, as when a
/// client writes a row of them. What an exchange locks by itself it has by then.
fn lock(pairs: &[Pair]) -> Vec<String> {
    let mut tables: Vec<String> = pairs.iter().rev().map(|pair| pair.table.to_string()).collect();
    tables.dedup();
    match tables.as_slice() {
        [] | [_] => Vec::new(),
        tables => vec![format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "))],
    }
}

fn purge_title(pairs: &[Pair]) -> String {
    let names: Vec<String> =
        pairs.iter().map(|pair| format!("{}.{}", pair.table.plain(), plain(in_the_end(pair)))).collect();
    match names.as_slice() {
        [name] => format!("drop the column that {name} has taken the place of"),
        names => format!("drop the columns that {} have taken the place of", names.join(", ")),
    }
}

fn each<T, U>(of: &[T], what: impl Fn(&T) -> Vec<U>) -> Vec<U> {
    of.iter().flat_map(what).collect()
}

/// Nothing, where it has the name already.
fn rename(table: &QName, from: &Ident, to: &Ident) -> Vec<String> {
    if from == to { Vec::new() } else { vec![format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}")] }
}

/// Everything hangs on the column by now, and follows it to its last name.
fn finally(pair: &Pair) -> Vec<String> {
    pair.finally.iter().flat_map(|to| rename(&pair.table, &pair.name, to)).collect()
}

fn in_the_end(pair: &Pair) -> &Ident {
    pair.finally.as_ref().unwrap_or(&pair.name)
}

/// The syncs that keep the pairs in step until then, each once.
fn syncs_of<'a>(exchange: &ExchangeSpec, syncs: &'a [Sync]) -> Vec<&'a Sync> {
    let mut numbers: Vec<usize> = exchange.pairs.iter().map(|pair| pair.sync).collect();
    numbers.dedup();
    numbers.into_iter().filter_map(|n| n.checked_sub(1).and_then(|n| syncs.get(n))).collect()
}

/// What is out of sight is there for an abort alone.
fn only_old(keeper: &Sync, added: &[Ident]) -> Vec<Change> {
    let kept: Vec<_> =
        keeper.spec().set.iter().filter(|(column, _)| !added.contains(column)).cloned().collect();
    let one = |change| match change {
        Change::Put(trigger) => Change::Put(Trigger { keeps: Keeps::Old, kept: kept.clone(), ..trigger }),
        taken @ Change::Taken(_) => taken,
    };
    keeper.installed().into_iter().map(one).collect()
}
