//! Owns what there is to say against one statement, on its way or on the way back.

use super::answer::{REST, is_plan};
use super::effect::Effect;
use super::fill::{fill, merged, safe_way};
use super::finding::Level;
use super::rules::{Objection, RULES, Rule, Scene};
use super::table::Case;
use super::world::World;
use crate::core::ident::QName;
use crate::core::sql::{Alter, Change, Demand, NewColumn};

/// Up to this size a table is small: what reads or writes all of it is a matter
/// of moments. 10 MB are about 1,300 pages, which one core reads and writes
/// within 50 ms.
pub const SMALL_TABLE_BYTES: f64 = 10_485_760.0;

/// Where a script stands between the old shape and the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It makes the new shape.
    Forth,
    /// It takes a step back when a plan is aborted.
    Undo,
    /// It takes a SQL migration back.
    Down,
}

/// Whether the application feels a lock on a relation: not where the plan has
/// made it, or where it is known to be small and not to be busy. A name that is not found may be one that
/// an earlier statement gave, or that another search_path finds.
#[allow(clippy::cast_precision_loss, reason = "a size to the byte is not needed")]
pub(super) fn hot(world: &World, relation: &QName, small: f64) -> bool {
    match world.table(relation) {
        Some(table) if table.made => false,
        Some(table) => table.busy() || table.bytes.is_none_or(|bytes| bytes as f64 > small),
        None => match world.indexes.get(relation) {
            Some(table) => world.table(table).is_none_or(|_| hot(world, table, small)),
            None => true,
        },
    }
}

/// A rule, how bad it is, and what it objects.
pub(super) type Found = (&'static str, Level, Objection);

/// What the rows of the lock table and the rules have against a statement.
pub(super) fn look(scene: &Scene<'_>, small: f64, way: Way) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    // Of several changes that meet one row, each has its part in the safe way.
    let mut ways: Vec<Vec<(usize, String)>> = Vec::new();
    let effects = scene.inspected.effects.iter().zip(&scene.inspected.statement.changes);
    for (n, (effect, change)) in effects.enumerate() {
        let case = Case { change, world: scene.world };
        let Some(row) = effect.row else { continue };
        let Some(hazard) = row.hazard else { continue };
        if !felt(&case, effect, &|name| hot(scene.world, name, small)) {
            continue;
        }
        let changes = &scene.inspected.statement.changes;
        let safe = match hazard.back.filter(|_| way != Way::Forth) {
            Some(statement) => fill(statement, &case, changes),
            None => safe_way(row, &case, changes),
        };
        match found.iter().position(|(rule, ..)| *rule == row.id) {
            Some(known) => ways[known].push((n, safe)),
            None => {
                found.push((
                    row.id,
                    Level::Error,
                    Objection { why: hazard.why.into(), safe: None, level: None },
                ));
                ways.push(vec![(n, safe)]);
            }
        }
    }
    for ((_, _, objection), ways) in found.iter_mut().zip(ways) {
        let (met, ways): (Vec<usize>, Vec<String>) = ways.into_iter().unzip();
        let rest = if leaves_out(&scene.inspected.statement.changes, &met) { REST } else { "" };
        let safe = merged(&ways);
        objection.safe = Some(if is_plan(&safe) { safe + rest } else { safe });
    }
    let asked = RULES.iter().filter(|rule| way == Way::Forth || rule.back);
    found.extend(asked.filter_map(|rule| met(rule, scene)));
    found
}

/// Whether the safe way of some changes of a statement says less than the statement.
fn leaves_out(changes: &[Change], met: &[usize]) -> bool {
    let inline = met.iter().any(|n| {
        matches!(changes.get(*n), Some(Change::Alter { what: Alter::AddConstraint(added), .. }) if added.inline.is_some())
    });
    changes.iter().enumerate().any(|(n, change)| match change {
        // A column comes with the constraint that stands in its definition.
        Change::Alter { what: Alter::AddColumn(column), .. } if inline && !met.contains(&n) => {
            !is_plain(column)
        }
        Change::Drop { names, .. } => names.len() > 1,
        _ => !met.contains(&n),
    })
}

/// Whether a column is a name and a type, and nothing else.
fn is_plain(column: &NewColumn) -> bool {
    let said = column.not_null || column.identity || column.perhaps;
    !said && column.default.is_none() && column.collation.is_none() && column.generated.is_none()
}

/// What the rules have against a statement that the program writes itself: by its locks it is
/// safe by construction.
pub(super) fn look_at_ours(scene: &Scene<'_>) -> Vec<Found> {
    RULES.iter().filter(|rule| rule.ours).filter_map(|rule| met(rule, scene)).collect()
}

fn met(rule: &Rule, scene: &Scene<'_>) -> Option<Found> {
    let objection = (rule.check)(scene)?;
    Some((rule.id, objection.level.unwrap_or(rule.level), objection))
}

/// Whether the application feels a change: by a lock that its writes wait for,
/// or, where there is none, by what happens to the rows.
fn felt(case: &Case<'_>, effect: &Effect, hot: &dyn Fn(&QName) -> bool) -> bool {
    let named = case.named();
    if named.is_empty() && effect.locks.is_empty() {
        // What cannot be seen through may touch anything; a domain without a column does not.
        return !(case.world.complete && matches!(case.change, Change::Domain { .. }));
    }
    // The rows that a foreign key looks up are those of the table that gets it.
    let foreign = case.added().is_some_and(|added| matches!(added.demand, Demand::Foreign { .. }));
    if foreign && effect.work.grows() {
        return named.into_iter().any(hot);
    }
    let mut blocked = effect.locks.iter().filter(|(_, lock)| lock.blocks_writes()).peekable();
    if blocked.peek().is_some() {
        return blocked.any(|(name, _)| hot(name));
    }
    named.into_iter().any(hot)
}
