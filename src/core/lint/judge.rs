//! Judges an item: every statement by its rows of the lock table and by the
//! rules, in the database as it stands by then.

use std::collections::BTreeSet;

use super::effect::{Effect, effects};
use super::fill::{fill, merged, safe_way};
use super::finding::{Finding, Level};
use super::inspect::{Inspected, statements, statements_of, taken};
use super::outline::apply;
use super::passage::{filled, into};
use super::rules::{Objection, RULES, Scene};
use super::table::{Case, Row, SETTING, Safe};
use super::world::World;
use crate::core::compile::Server;
use crate::core::ident::QName;
use crate::core::plan::model::Place;
use crate::core::sql::{Change, Demand, Object, SqlError, Statement, deep, first_words, split};
use crate::core::step::{Action, Allow, Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};

/// Up to this size a table is small: what reads or writes all of it is a matter
/// of moments. 10 MB are about 1,300 pages, which one core reads and writes
/// within 50 ms.
pub const SMALL_TABLE_BYTES: f64 = 10_485_760.0;

/// Rules that only the catalog brings to light: without it, nobody knows whether what
/// accepts one of them is still of use.
pub(super) const NEED_CATALOG: &[&str] = &[
    "add-column-domain",
    "add-foreign-key-partitioned",
    "add-unique-partitioned",
    "alter-type-check",
    "alter-type-index",
    "alter-type-timestamptz",
    "attach-partition-default",
    "attach-partition-foreign-key",
    "attach-partition-index",
    "create-index-partitioned",
    "create-partition-default",
    "foreign-key-index",
];

/// What there is to say against an item, in the order of its steps, each with its way back.
///
/// # Errors
/// When its SQL cannot be read.
pub fn judge(item: &Item, world: World, small: f64) -> Result<Vec<Finding>, SqlError> {
    deep(|| {
        let (complete, version) = (world.complete, world.version);
        let mut judge = judged(item, world, small)?;
        if complete && !judge.idle().is_empty() {
            // What only shows without a catalog is accepted for those who have none.
            judge.used.extend(judged(item, World::offline(version), small)?.used);
        }
        judge.unused();
        Ok(judge.findings)
    })?
}

fn judged(item: &Item, mut world: World, small: f64) -> Result<Judge<'_>, SqlError> {
    let steps = || Phase::ALL.into_iter().flat_map(|phase| item.steps_of(phase));
    let read: Vec<(&Step, Vec<Statement>)> =
        steps().map(|step| Ok((step, statements(step)?))).collect::<Result<_, SqlError>>()?;
    let changes: Vec<Change> =
        read.iter().flat_map(|(_, statements)| statements).flat_map(|of| of.changes.clone()).collect();
    let mut judge =
        Judge { item, small, complete: world.complete, findings: Vec::new(), used: BTreeSet::new() };
    let mut passed = 0;
    for (step, statements) in read {
        if let Action::Backfill(backfill) = &step.action {
            filled(&mut world, into(backfill));
        }
        let rest = changes.get(passed..).unwrap_or_default();
        passed += statements.iter().map(|statement| statement.changes.len()).sum::<usize>();
        let forth = Script {
            step,
            action: &step.action,
            places: &step.statements,
            file: step.file.as_deref(),
            way: Way::Forth,
            changes: rest,
        };
        judge.script(&forth, statements, &mut world);
        if let Some((action, statements)) = undo(step)? {
            let mut world = world.clone();
            let fills = steps().filter_map(|step| match &step.action {
                Action::Backfill(backfill) => Some(backfill),
                _ => None,
            });
            fills.for_each(|backfill| filled(&mut world, into(backfill)));
            let places = &step.undo_statements;
            let changes = changes_of(&statements);
            let back = Script { step, action, places, file: None, way: Way::Undo, changes: &changes };
            judge.script(&back, statements, &mut world);
        }
    }
    judge.down(world)?;
    Ok(judge)
}

/// Where a script stands between the old shape and the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// It makes the new shape.
    Forth,
    /// It takes a step back when a plan is aborted.
    Undo,
    /// It takes a SQL migration back.
    Down,
}

/// The statements of one step, or of its way back.
struct Script<'a> {
    step: &'a Step,
    action: &'a Action,
    places: &'a [Place],
    file: Option<&'a str>,
    way: Way,
    /// What it changes, and what comes after it.
    changes: &'a [Change],
}

struct Judge<'a> {
    item: &'a Item,
    small: f64,
    /// Whether the catalog was asked.
    complete: bool,
    findings: Vec<Finding>,
    /// The rule and the place of every acceptance that accepts something.
    used: BTreeSet<(String, Option<Place>)>,
}

impl Judge<'_> {
    /// Judges each statement of a script; `world` is what stands after it.
    fn script(&mut self, script: &Script<'_>, statements: Vec<Statement>, world: &mut World) {
        if script.way != Way::Forth {
            spare_dropped(world, &statements);
        }
        let (mut before, mut passed): (Vec<Inspected>, usize) = (Vec::new(), 0);
        for (n, statement) in statements.into_iter().enumerate() {
            passed += statement.changes.len();
            let inspected = Inspected { effects: effects(&statement, world), statement };
            // What the program writes itself is safe by construction.
            if let Some(place) = script.places.get(n).or(script.places.last()) {
                let later = script.changes.get(passed..).unwrap_or_default();
                self.statement(script, &inspected, &before, later, *place, world);
            }
            inspected.statement.changes.iter().for_each(|change| apply(world, change));
            before.push(inspected);
        }
    }

    fn statement(
        &mut self,
        script: &Script<'_>,
        inspected: &Inspected,
        before: &[Inspected],
        later: &[Change],
        place: Place,
        world: &World,
    ) {
        let look = |small: f64| {
            let hot = |relation: &QName| hot(world, relation, small);
            let Script { step, action, .. } = *script;
            look(&Scene { step, action, inspected, before, later, world, hot: &hot }, small, script.way)
        };
        let allow = &script.step.allow;
        if !allow.is_empty() {
            // How big a table is today says nothing of what is accepted for good.
            for (rule, ..) in look(-1.0) {
                let used = allow.iter().filter(|allow| allow.covers(rule, place));
                self.used.extend(used.map(|allow| (allow.rule.clone(), allow.place)));
            }
        }
        for found in look(self.small) {
            self.findings.push(self.finding(script, inspected, place, found));
        }
    }

    /// Judges the way back of a SQL migration: by then the application may have filled what it made.
    fn down(&mut self, mut world: World) -> Result<(), SqlError> {
        let Rollback::Steps(steps) = &self.item.down else { return Ok(()) };
        for table in world.tables.values_mut().filter(|table| table.made) {
            (table.made, table.rows, table.bytes) = (false, None, None);
        }
        for step in steps {
            let read = statements(step)?;
            let changes = changes_of(&read);
            let script = Script {
                step,
                action: &step.action,
                places: &step.statements,
                file: None,
                way: Way::Down,
                changes: &changes,
            };
            self.script(&script, read, &mut world);
        }
        Ok(())
    }

    /// What is accepted and is not there, each with its step.
    fn idle(&self) -> Vec<(&Step, &Allow)> {
        let known = super::lesson::names();
        let mut seen = BTreeSet::new();
        let all =
            self.item.steps_both_ways().flat_map(|step| step.allow.iter().map(move |allow| (step, allow)));
        all.filter(|(_, allow)| {
            let key = (allow.rule.clone(), allow.place);
            let blind = !self.complete && NEED_CATALOG.contains(&allow.rule.as_str());
            known.contains(&allow.rule.as_str()) && !blind && !self.used.contains(&key) && seen.insert(key)
        })
        .collect()
    }

    fn unused(&mut self) {
        let report = |(step, allow): (&Step, &Allow)| {
            let place = allow.place.or(step.place).unwrap_or(Place { line: 1, column: 1 });
            Finding {
                rule: "unused-allow",
                level: Level::Warning,
                file: self.item.file.clone(),
                line: place.line,
                column: place.column,
                step: step.id.clone(),
                statement: format!("allow {}", allow.rule),
                locks: Vec::new(),
                why: format!(
                    "nothing here meets {} any more; left there, it would accept the next finding unseen",
                    allow.rule
                ),
                safe: Some("take it out".into()),
                allowed: None,
            }
        };
        let found: Vec<Finding> = self.idle().into_iter().map(report).collect();
        self.findings.extend(found);
    }

    fn finding(
        &self,
        script: &Script<'_>,
        inspected: &Inspected,
        place: Place,
        (rule, level, objection): Found,
    ) -> Finding {
        let allowed = script.step.allow.iter().find(|allow| allow.covers(rule, place));
        let when = match script.way {
            Way::Forth => "",
            Way::Undo => "on abort: ",
            Way::Down => "on rollback: ",
        };
        Finding {
            rule,
            level,
            file: self.item.file_or(script.file),
            line: place.line,
            column: place.column,
            step: script.step.id.clone(),
            statement: first_words(&inspected.statement.text),
            locks: taken(std::slice::from_ref(inspected)),
            why: format!("{when}{}", objection.why),
            safe: objection.safe,
            allowed: allowed.map(|allow| allow.reason.clone()),
        }
    }
}

fn changes_of(statements: &[Statement]) -> Vec<Change> {
    statements.iter().flat_map(|statement| statement.changes.clone()).collect()
}

/// The work that takes a step back, where a plan's author wrote it.
fn undo(step: &Step) -> Result<Option<(&Action, Vec<Statement>)>, SqlError> {
    match &step.undo {
        Undo::Run(action) if !step.undo_statements.is_empty() => Ok(Some((action, statements_of(action)?))),
        _ => Ok(None),
    }
}

/// Nobody misses a table that the same script drops.
fn spare_dropped(world: &mut World, statements: &[Statement]) {
    for change in statements.iter().flat_map(|statement| &statement.changes) {
        if let Change::Drop { of: Object::Table | Object::MatView, names, .. } = change {
            names.iter().for_each(|name| world.table_mut(name).made = true);
        }
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

fn look(scene: &Scene<'_>, small: f64, way: Way) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    // Of several changes that meet one row, each has its part in the safe way.
    let mut ways: Vec<Vec<String>> = Vec::new();
    for (effect, change) in scene.inspected.effects.iter().zip(&scene.inspected.statement.changes) {
        let case = Case { change, world: scene.world };
        let Some(row) = effect.row else { continue };
        let Some(hazard) = row.hazard else { continue };
        if !felt(&case, effect, &|name| hot(scene.world, name, small)) {
            continue;
        }
        let safe = safe_way(row, &case, &scene.inspected.statement.changes);
        match found.iter().position(|(rule, ..)| *rule == row.id) {
            Some(known) => ways[known].push(safe),
            None => {
                found.push((row.id, Level::Error, Objection { why: hazard.why.into(), safe: None }));
                ways.push(vec![safe]);
            }
        }
    }
    for ((_, _, objection), ways) in found.iter_mut().zip(&ways) {
        objection.safe = Some(merged(ways));
    }
    let asked = RULES.iter().filter(|rule| way == Way::Forth || rule.back);
    found.extend(asked.filter_map(|rule| Some((rule.id, rule.level, (rule.check)(scene)?))));
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
