//! Compiles columns that move to another table, and the end of it: in one transaction the old ones
//! go out of sight, filled from the new ones, or for good.

use super::bodies::refuse_read;
use super::{At, CompileError, transaction};
use crate::core::ident::{Ident, plain};
use crate::core::plan::model::MovedSpec;
use crate::core::step::{Step, Undo};
use crate::core::sync::moved::Move;

/// Keeps the columns of both tables equal from expand on.
pub(super) fn install(at: &At, moved: &Move) -> Step {
    let (from, to) = (&moved.spec().from, &moved.spec().to);
    let title = format!("keep columns of {} and {} in step", from.plain(), to.plain());
    let lock = || vec![moved.lock()];
    let run = [lock(), moved.install()].concat();
    let back = [lock(), moved.remove()].concat();
    let step = at.step(title, transaction(run), Undo::Run(transaction(back)));
    Step { syncs: moved.installed(), ..step }
}

fn found<'a>(at: &At, spec: &MovedSpec, moves: &'a [Move]) -> Result<&'a Move, CompileError> {
    let moved = spec.moved.checked_sub(1).and_then(|n| moves.get(n));
    moved.ok_or_else(|| at.error("nothing keeps these columns in step"))
}

/// A last look whether a trigger of the application reads what goes.
fn read(moved: &Move) -> Vec<String> {
    let columns: Vec<&Ident> = moved.spec().columns.iter().map(|(old, _)| old).collect();
    refuse_read(&moved.spec().from, &columns).into_iter().collect()
}

/// `table.a, b`.
fn names(moved: &Move) -> String {
    let names: Vec<String> = moved.spec().columns.iter().map(|(old, _)| plain(old)).collect();
    format!("{}.{}", moved.spec().from.plain(), names.join(", "))
}

/// Without an undo window: the old columns are dropped.
pub(super) fn at_once(at: &At, spec: &MovedSpec, moves: &[Move]) -> Result<Step, CompileError> {
    let moved = found(at, spec, moves)?;
    let from = &moved.spec().from;
    let drop = moved.spec().columns.iter().map(|(old, _)| format!("ALTER TABLE {from} DROP COLUMN {old}"));
    let run = [vec![moved.lock()], read(moved), moved.take_away(), spec.then.there.clone(), drop.collect()];
    let why = "without keep, contract drops the old columns at once";
    let title = format!("drop {}", names(moved));
    let step = at.step(title, transaction(run.concat()), Undo::Irreversible(why.into()));
    Ok(Step { syncs: moved.removed(), allow: spec.allow.clone(), ..step })
}

/// With an undo window: the old columns are filled from the new ones under other names; then purge drops them.
pub(super) fn kept(
    (at, purge): (&At, &At),
    spec: &MovedSpec,
    moves: &[Move],
    hidden: &dyn Fn(&Ident) -> Ident,
) -> Result<(Step, Step), CompileError> {
    let moved = found(at, spec, moves)?;
    let turned = moved.turned(hidden);
    let from = &moved.spec().from;
    let lock = || vec![moved.lock()];
    let renames = |back: bool| -> Vec<String> {
        let one = |(old, _): &(Ident, Ident)| {
            let (a, b) = if back { (hidden(old), old.clone()) } else { (old.clone(), hidden(old)) };
            format!("ALTER TABLE {from} RENAME COLUMN {a} TO {b}")
        };
        moved.spec().columns.iter().map(one).collect()
    };
    let there =
        [lock(), read(moved), moved.take_away(), renames(false), spec.then.there.clone(), turned.install()]
            .concat();
    let back = [lock(), turned.remove(), spec.then.back.clone(), renames(true), moved.install()].concat();
    let title = format!("put {} out of sight", names(moved));
    let contract = at.step(title, transaction(there), Undo::Run(transaction(back)));
    let contract = Step { syncs: [moved.removed(), turned.installed()].concat(), ..contract };
    let drop = turned.spec().columns.iter().map(|(old, _)| format!("ALTER TABLE {from} DROP COLUMN {old}"));
    let drop = [lock(), turned.remove(), drop.collect()].concat();
    let gone = Undo::Irreversible("they were dropped for good".into());
    let purge = purge.step(format!("drop what was {}", names(moved)), transaction(drop), gone);
    Ok((contract, Step { syncs: turned.removed(), allow: spec.allow.clone(), ..purge }))
}
