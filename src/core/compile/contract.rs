//! Compiles contract and purge: the old shape goes out of sight while `keep`
//! lasts, with its sync turned round, and is dropped by purge; without `keep`
//! contract drops it at once.

use super::bodies::refuse_read;
use super::in_step::InStep;
use super::{At, CompileError, Server, exchange, moved, succeed, transaction};
use crate::core::ident::{Ident, QName, do_block, literal, plain};
use crate::core::plan::model::{ExchangeSpec, Place, Plan, StepSpec};
use crate::core::step::{Allow, Phase, Step, Undo};
use crate::core::sync::Sync;
use crate::core::sync::standing::Change;

pub(super) fn steps(plan: &Plan, kept: &InStep, server: Server) -> Result<Vec<Step>, CompileError> {
    if plan.keep.is_some() { with_keep(plan, kept, server) } else { at_once(plan, kept, server) }
}

/// An old column that contract takes away, and what is accepted of that.
struct Dropped<'a> {
    table: &'a QName,
    column: &'a Ident,
    allow: &'a [Allow],
}

fn dropped(plan: &Plan) -> Vec<Dropped<'_>> {
    let drops = plan.contract.iter().filter_map(|spec| match &spec.value {
        StepSpec::DropColumn { table, column, allow } => Some(Dropped { table, column, allow }),
        _ => None,
    });
    drops.collect()
}

/// The name that hides a column or table; no application asks for it.
fn hidden(plan: &Plan, name: &Ident) -> Ident {
    Ident::shortened(&format!("_phase_{}_", plan.version), name.as_str())
}

/// The columns of `dropped` that a sync fills.
fn filled<'a>(sync: &Sync, dropped: &'a [Dropped<'a>]) -> Vec<&'a Dropped<'a>> {
    dropped.iter().filter(|drop| *drop.table == sync.spec().table && sync.fills(drop.column)).collect()
}

/// Whether a sync, by its place from 0, is taken over by the step that exchanges its columns.
fn exchanged(plan: &Plan, n: usize) -> bool {
    let takes = |exchange: &ExchangeSpec| exchange.pairs.iter().any(|pair| pair.sync == n + 1);
    plan.contract.iter().any(|spec| matches!(&spec.value, StepSpec::Exchange(exchange) if takes(exchange)))
}

fn at_once(plan: &Plan, kept: &InStep, server: Server) -> Result<Vec<Step>, CompileError> {
    let InStep { syncs, mirrors, moves } = kept;
    let dropped = dropped(plan);
    let mut steps = Vec::new();
    // A sync that fills a dropped column stays until the very transaction that
    // drops it: in between, a column that is NOT NULL would fail every INSERT.
    let (mut until_drop, at_first): (Vec<_>, Vec<_>) = syncs
        .iter()
        .enumerate()
        .partition(|(n, sync)| !filled(sync, &dropped).is_empty() || exchanged(plan, *n));
    for (n, sync) in at_first {
        let undo = if sync.spec().back.is_empty() {
            Undo::Run(transaction(sync.install()))
        } else {
            Undo::Irreversible(
                "without keep, the old columns have missed every write since the sync was removed".into(),
            )
        };
        let step = removal(n).step(remove_title(sync), transaction(sync.take_away()), undo);
        steps.push(Step { syncs: sync.removed(), ..step });
    }
    let mut gone_already: Vec<(&QName, &Ident)> = Vec::new();
    for (n, spec) in plan.contract.iter().enumerate() {
        let at = At { phase: Phase::Contract, id: format!("contract.{}", n + 1), place: spec.place };
        let gone = || {
            Undo::Irreversible(
                "without keep, contract drops at once and nothing is left to bring back".into(),
            )
        };
        match &spec.value {
            StepSpec::DropColumn { table, column, allow } => {
                if gone_already.contains(&(table, column)) {
                    continue;
                }
                let (mut sql, mut syncs) = (Vec::new(), Vec::new());
                let (mut columns, mut allow) = (vec![column], allow.clone());
                let fills = |sync: &Sync| sync.spec().table == *table && sync.fills(column);
                if let Some(found) = until_drop.iter().position(|(_, sync)| fills(sync)) {
                    let (_, sync) = until_drop.remove(found);
                    sql.extend(sync.take_away());
                    syncs.extend(sync.removed());
                    for drop in filled(sync, &dropped).into_iter().filter(|drop| drop.column != column) {
                        columns.push(drop.column);
                        allow.extend_from_slice(drop.allow);
                    }
                }
                sql.splice(0..0, refuse_read(table, &columns));
                sql.extend(columns.iter().map(|column| format!("ALTER TABLE {table} DROP COLUMN {column}")));
                let names: Vec<String> = columns.iter().map(|column| plain(column)).collect();
                gone_already.extend(columns.iter().map(|column| (table, *column)));
                let title = format!("drop {}.{}", table.plain(), names.join(", "));
                steps.push(Step { syncs, allow, ..at.step(title, transaction(sql), gone()) });
            }
            StepSpec::DropTable { table, allow } => {
                let title = format!("drop table {}", table.plain());
                let step = at.step(title, transaction(vec![format!("DROP TABLE {table}")]), gone());
                steps.push(Step { allow: allow.clone(), ..step });
            }
            StepSpec::Exchange(exchange) => steps.push(exchange::at_once(&at, exchange, syncs)),
            StepSpec::Succeed(spec) => {
                steps.push(succeed::at_once(&at, spec, mirrors, &|name| hidden(plan, name))?);
            }
            StepSpec::Moved(spec) => steps.push(moved::at_once(&at, spec, moves)?),
            StepSpec::Last(spec) => steps.push(at.step(&spec.title, transaction(spec.sql.clone()), gone())),
            other => steps.extend(super::step(&at, other, server)?),
        }
    }
    Ok(steps)
}

fn with_keep(plan: &Plan, kept: &InStep, server: Server) -> Result<Vec<Step>, CompileError> {
    let InStep { syncs, mirrors, moves } = kept;
    let dropped = dropped(plan);
    let mut steps = Vec::new();
    let mut turned: Vec<(&Sync, Vec<(Ident, Ident)>)> = Vec::new();
    for (n, sync) in syncs.iter().enumerate().filter(|(n, _)| !exchanged(plan, *n)) {
        let kept: Vec<(Ident, Ident)> =
            filled(sync, &dropped).iter().map(|drop| (drop.column.clone(), drop.column.clone())).collect();
        let at = removal(n);
        if kept.is_empty() {
            let undo = if sync.spec().back.is_empty() {
                Undo::Run(transaction(sync.install()))
            } else {
                Undo::Irreversible(
                    "none of the columns that its sync fills is a drop_column of this plan, so nothing keeps them filled".into(),
                )
            };
            let step = at.step(remove_title(sync), transaction(sync.take_away()), undo);
            steps.push(Step { syncs: sync.removed(), ..step });
            continue;
        }
        let run = [sync.take_away(), sync.turn_round(&kept)].concat();
        let back = [sync.remove_turned(), sync.install()].concat();
        let title = format!(
            "turn the sync of {} round: only the new columns are written now",
            sync.spec().table.plain()
        );
        let step = at.step(title, transaction(run), Undo::Run(transaction(back)));
        steps.push(Step { syncs: [sync.removed(), sync.turned(&kept)].concat(), ..step });
        turned.push((sync, kept));
    }
    let (mut purges, mut last) = (Vec::new(), Vec::new());
    for (n, spec) in plan.contract.iter().enumerate() {
        let at = At { phase: Phase::Contract, id: format!("contract.{}", n + 1), place: spec.place };
        let purge = At { phase: Phase::Purge, id: format!("purge.{}", n + 1), place: spec.place };
        match &spec.value {
            StepSpec::DropColumn { table, column, allow } => {
                let to = hidden(plan, column);
                let Hiding { run, back, syncs } = hide_column(table, column, &to, &mut turned);
                let what = format!("{}.{}", table.plain(), plain(column));
                let title = format!("put {what} out of sight as {}", plain(&to));
                let step = at.step(title, transaction(run), Undo::Run(transaction(back)));
                steps.push(Step { syncs, ..step });
                purges.push((purge, what, table, to, allow));
            }
            StepSpec::Exchange(exchange) => {
                let hidden = |column: &Ident| hidden(plan, column);
                let (contract, then) =
                    exchange::kept((&at, &purge), exchange, syncs, &hidden, n, plan.version.as_str())?;
                steps.push(contract);
                last.push(then);
            }
            StepSpec::Succeed(spec) => {
                let (contract, then) =
                    succeed::kept((&at, &purge), spec, mirrors, &|name| hidden(plan, name))?;
                steps.push(contract);
                last.push(then);
            }
            StepSpec::Moved(spec) => {
                let (contract, then) = moved::kept((&at, &purge), spec, moves, &|name| hidden(plan, name))?;
                steps.push(contract);
                last.push(then);
            }
            StepSpec::Last(spec) => {
                last.push(purge.step(&spec.title, transaction(spec.sql.clone()), gone()));
            }
            StepSpec::DropTable { table, allow } => {
                let to = table.sibling(hidden(plan, &table.name));
                let (run, back) = (rename(table, &to.name), rename(&to, &table.name));
                steps.push(at.step(
                    format!("put table {} out of sight as {}", table.plain(), to.plain()),
                    transaction(vec![run]),
                    Undo::Run(transaction(vec![back])),
                ));
                let title = format!("drop what was table {}", table.plain());
                let step = purge.step(title, transaction(vec![format!("DROP TABLE {to}")]), gone());
                last.push(Step { allow: allow.clone(), ..step });
            }
            other => steps.extend(super::step(&at, other, server)?),
        }
    }
    for (at, what, table, to, allow) in purges {
        let (mut sql, syncs) = release(table, &to, &mut turned);
        sql.push(format!("ALTER TABLE {table} DROP COLUMN {to}"));
        let step = at.step(format!("drop what was {what}"), transaction(sql), gone());
        steps.push(Step { syncs, allow: allow.clone(), ..step });
    }
    steps.extend(last);
    Ok(steps)
}

/// Statements that take a hidden column out of the sync that fills it, or remove
/// the sync with its last column; the same transaction drops the column, so
/// that no INSERT meets it unfilled.
fn release(
    table: &QName,
    hidden: &Ident,
    turned: &mut [(&Sync, Vec<(Ident, Ident)>)],
) -> (Vec<String>, Vec<Change>) {
    let (mut sql, mut syncs) = (Vec::new(), Vec::new());
    for (sync, columns) in turned.iter_mut().filter(|(sync, _)| sync.spec().table == *table) {
        let before = columns.len();
        columns.retain(|(_, now)| now != hidden);
        if columns.is_empty() && before > 0 {
            sql.extend(sync.remove_turned());
            syncs.extend(sync.turned_removed());
        } else if columns.len() < before {
            sql.extend(sync.turn_round(columns));
            syncs.extend(sync.turned(columns));
        }
    }
    (sql, syncs)
}

/// How a column is hidden.
struct Hiding {
    run: Vec<String>,
    back: Vec<String>,
    syncs: Vec<Change>,
}

/// Statements that hide a column, and that bring it back. The sync that fills
/// it follows the name in the same transaction, so no write meets the one
/// without the other.
fn hide_column(
    table: &QName,
    column: &Ident,
    to: &Ident,
    turned: &mut [(&Sync, Vec<(Ident, Ident)>)],
) -> Hiding {
    let mut syncs = Vec::new();
    let mut run = vec![format!("ALTER TABLE {table} RENAME COLUMN {column} TO {to}")];
    let mut back = vec![format!("ALTER TABLE {table} RENAME COLUMN {to} TO {column}")];
    let mut filled = false;
    let follows = turned.iter_mut().filter(|(sync, _)| sync.spec().table == *table);
    for (sync, columns) in follows {
        let before = columns.clone();
        for (old, now) in columns.iter_mut() {
            if old == column {
                now.clone_from(to);
            }
        }
        if *columns != before {
            run.extend(sync.turn_round(columns));
            back.extend(sync.turn_round(&before));
            syncs.extend(sync.turned(columns));
            filled = true;
        }
    }
    if !filled {
        run.insert(0, refuse_unfilled(table, column));
    }
    run.splice(0..0, refuse_read(table, &[column]));
    Hiding { run, back, syncs }
}

/// A column that must have a value and that nothing fills any more would fail
/// every INSERT of an application that does not know it.
fn refuse_unfilled(table: &QName, column: &Ident) -> String {
    let body = format!(
        "BEGIN\n  IF EXISTS (SELECT FROM pg_catalog.pg_attribute WHERE attrelid = {}::regclass AND attname = {}\n    \
         AND attnotnull AND NOT atthasdef AND attidentity = '') THEN\n    \
         RAISE EXCEPTION 'column % is NOT NULL, has no default and no sync fills it: out of sight it would fail every INSERT', {}\n      \
         USING HINT = 'Fill it by back: in a sync, or drop its NOT NULL in expand.';\n  END IF;\nEND",
        literal(&table.to_string()),
        literal(column.as_str()),
        literal(&plain(column)),
    );
    do_block(&body)
}

fn rename(table: &QName, to: &Ident) -> String {
    format!("ALTER TABLE {table} RENAME TO {to}")
}

/// The place of what the program adds itself: the file as a whole.
const TOP: Place = Place { line: 1, column: 1 };

fn removal(n: usize) -> At {
    At { phase: Phase::Contract, id: format!("contract.sync.{}", n + 1), place: TOP }
}

fn remove_title(sync: &Sync) -> String {
    format!("remove the sync of {}", sync.spec().table.plain())
}

fn gone() -> Undo {
    Undo::Irreversible("it was dropped for good".into())
}
