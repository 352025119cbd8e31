//! Judges an item: every statement by its rows of the lock table and by the
//! rules, in the database as it stands by then.

use super::effect::{Effect, effects};
use super::fill::{fill, safe_way};
use super::finding::{Finding, Level};
use super::inspect::{Inspected, statements, taken};
use super::outline::apply;
use super::rules::{Objection, RULES, Scene};
use super::table::{Case, Row, SETTING, Safe};
use super::world::World;
use crate::core::backfill::Backfill;
use crate::core::compile::Server;
use crate::core::ident::QName;
use crate::core::plan::model::{BackfillWork, Place};
use crate::core::sql::{Change, Demand, SqlError, Statement, deep, first_words, split};
use crate::core::step::{Action, Phase, Step};
use crate::core::timeline::Item;

/// Up to this size a table is small: what reads or writes all of it is a matter
/// of moments. 10 MB are about 1,300 pages, which one core reads and writes
/// within 50 ms.
pub const SMALL_TABLE_BYTES: f64 = 10_485_760.0;

/// What there is to say against an item, in the order of its steps.
///
/// # Errors
/// When its SQL cannot be read.
pub fn judge(item: &Item, world: World, small: f64) -> Result<Vec<Finding>, SqlError> {
    deep(|| judged(item, world, small))?
}

fn judged(item: &Item, mut world: World, small: f64) -> Result<Vec<Finding>, SqlError> {
    let steps = || Phase::ALL.into_iter().flat_map(|phase| item.steps_of(phase));
    let read: Vec<(&Step, Vec<Statement>)> =
        steps().map(|step| Ok((step, statements(step)?))).collect::<Result<_, SqlError>>()?;
    let changes: Vec<Change> =
        read.iter().flat_map(|(_, statements)| statements).flat_map(|of| of.changes.clone()).collect();
    let (mut findings, mut passed) = (Vec::new(), 0);
    for (step, statements) in read {
        if let Action::Backfill(backfill) = &step.action {
            filled(&mut world, backfill);
        }
        let mut before: Vec<Inspected> = Vec::new();
        for (n, statement) in statements.into_iter().enumerate() {
            passed += statement.changes.len();
            let inspected = Inspected { effects: effects(&statement, &world), statement };
            // What the program writes itself is safe by construction.
            if !step.statements.is_empty() {
                let hot = |relation: &QName| hot(&world, relation, small);
                let scene = Scene {
                    step,
                    inspected: &inspected,
                    before: &before,
                    later: changes.get(passed..).unwrap_or_default(),
                    world: &world,
                    hot: &hot,
                };
                let place = step.statements.get(n).copied().or(step.place);
                findings.extend(look(&scene, small).into_iter().map(|(rule, level, objection)| {
                    finding(item, step, &inspected, place, rule, level, objection)
                }));
            }
            inspected.statement.changes.iter().for_each(|change| apply(&mut world, change));
            before.push(inspected);
        }
    }
    Ok(findings)
}

/// A table that a backfill has filled is new no longer, and nobody knows how big it is.
fn filled(world: &mut World, backfill: &Backfill) {
    let into = match &backfill.work {
        BackfillWork::Copy { into, .. } => into,
        BackfillWork::Set(_) | BackfillWork::Delete => &backfill.table,
    };
    if let Some(table) = world.tables.get_mut(into).filter(|table| table.made) {
        (table.made, table.rows, table.bytes) = (false, None, None);
    }
}

/// Whether the application feels a lock on a relation: not where the plan has
/// made it, or where it is known to be small. A name that is not found may be one that
/// an earlier statement gave, or that another search_path finds.
#[allow(clippy::cast_precision_loss, reason = "a size to the byte is not needed")]
fn hot(world: &World, relation: &QName, small: f64) -> bool {
    match world.table(relation) {
        Some(table) if table.made => false,
        Some(table) => table.bytes.is_none_or(|bytes| bytes as f64 > small),
        None => match world.indexes.get(relation) {
            Some(table) => world.table(table).is_none_or(|_| hot(world, table, small)),
            None => true,
        },
    }
}

type Found = (&'static str, Level, Objection);

fn look(scene: &Scene<'_>, small: f64) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (effect, change) in scene.inspected.effects.iter().zip(&scene.inspected.statement.changes) {
        let case = Case { change, world: scene.world };
        let Some(row) = effect.row else { continue };
        let Some(hazard) = row.hazard else { continue };
        let felt = felt(&case, effect, &|name| hot(scene.world, name, small));
        if felt && !found.iter().any(|(rule, ..)| *rule == row.id) {
            let safe = safe_way(row, &case, &scene.inspected.statement.changes);
            found.push((row.id, Level::Error, Objection { why: hazard.why.into(), safe: Some(safe) }));
        }
    }
    found.extend(RULES.iter().filter_map(|rule| Some((rule.id, rule.level, (rule.check)(scene)?))));
    found
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

/// The safe way of a row in the names of its own example, where it is a plan.
pub(super) fn filled_example(row: &Row) -> Option<String> {
    let Safe::Plan(text) = row.hazard?.safe else { return None };
    let statement = split(row.example.sql).ok()?.pop()?;
    let world = World::offline(Server::NEWEST.version);
    let meets = |change: &&Change| {
        let mut world = world.clone();
        let read = |sql: &str| split(sql).unwrap_or_default();
        for before in read(SETTING).into_iter().chain(read(row.example.setup)) {
            before.changes.iter().for_each(|change| apply(&mut world, change));
        }
        super::table::row(&Case { change, world: &world }).is_some_and(|found| found.id == row.id)
    };
    let change = statement.changes.iter().find(meets).or_else(|| statement.changes.first())?;
    Some(fill(text, &Case { change, world: &world }, &statement.changes))
}

fn finding(
    item: &Item,
    step: &Step,
    inspected: &Inspected,
    place: Option<Place>,
    rule: &'static str,
    level: Level,
    objection: Objection,
) -> Finding {
    let place = place.unwrap_or(Place { line: 1, column: 1 });
    let allowed = step.allow.iter().find(|allow| allow.rule == rule).map(|allow| allow.reason.clone());
    Finding {
        rule,
        level,
        file: step.file_of(item),
        line: place.line,
        column: place.column,
        step: step.id.clone(),
        statement: first_words(&inspected.statement.text),
        locks: taken(std::slice::from_ref(inspected)),
        why: objection.why,
        safe: objection.safe,
        allowed,
    }
}
