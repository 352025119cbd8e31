//! Judges an item: every statement by its rows of the lock table and by the
//! rules, in the database as it stands by then.

use std::collections::BTreeSet;

use super::answer::Asked;
use super::effect::effects;
use super::finding::{Finding, Level};
use super::inspect::{Inspected, statements, statements_of, taken};
use super::look::{Found, Way, hot, look, look_at_ours};
use super::outline::{apply, stands};
use super::passage::{filled, into};
use super::rules::Scene;
use super::world::{Table, World};
use crate::core::ident::QName;
use crate::core::plan::model::Place;
use crate::core::record::{StepRecord, StepStatus};
use crate::core::sql::{Alter, Change, Object, SqlError, Statement, deep, first_words};
use crate::core::step::{Action, Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};

/// What there is to say against an item, in the order of its steps, each with its way back.
///
/// # Errors
/// When its SQL cannot be read.
pub fn judge(item: &Item, world: World, small: f64) -> Result<Vec<Finding>, SqlError> {
    judge_rest(item, world, small, &|_| false)
}

/// As [`judge`], of the steps that are not `done`: the catalog has what those did.
///
/// # Errors
/// As [`judge`].
pub fn judge_rest(
    item: &Item,
    world: World,
    small: f64,
    done: &(dyn Fn(&str) -> bool + Sync),
) -> Result<Vec<Finding>, SqlError> {
    deep(|| {
        let (complete, version) = (world.complete, world.version);
        let mut judge = judged(item, world, small, done)?;
        if complete && !judge.idle().is_empty() {
            // What only shows without a catalog is accepted for those who have none.
            judge.used.extend(judged(item, World::offline(version), small, done)?.used);
        }
        judge.unused();
        Ok(judge.findings)
    })?
}

/// Whether a step is judged no more: it is done, or a detach that has begun and is to come to an
/// end, because what is half done locks more than the rest of it.
#[must_use]
pub fn is_settled(item: &Item, recorded: &[StepRecord], step: &str) -> bool {
    let detach =
        || item.steps.iter().any(|known| known.id == step && matches!(known.action, Action::Detach(_)));
    match recorded.iter().find(|known| known.step == step).map(|known| known.status) {
        Some(StepStatus::Done) => true,
        Some(StepStatus::Started) => detach(),
        _ => false,
    }
}

/// Whether a step has statements that are judged: those of the plan's author, and drops.
#[must_use]
pub fn is_judged(step: &Step) -> bool {
    let drops = |change: &Change| {
        matches!(
            change,
            Change::Drop { of: Object::Table, .. } | Change::Alter { what: Alter::DropColumn(_), .. }
        )
    };
    !step.statements.is_empty()
        || statements(step).is_ok_and(|read| read.iter().flat_map(|of| &of.changes).any(drops))
}

fn judged<'a>(
    item: &'a Item,
    mut world: World,
    small: f64,
    done: &dyn Fn(&str) -> bool,
) -> Result<Judge<'a>, SqlError> {
    let steps = || Phase::ALL.into_iter().flat_map(|phase| item.steps_of(phase));
    let read: Vec<(&Step, Vec<Statement>)> =
        steps().map(|step| Ok((step, statements(step)?))).collect::<Result<_, SqlError>>()?;
    let changes: Vec<Change> =
        read.iter().flat_map(|(_, statements)| statements).flat_map(|of| of.changes.clone()).collect();
    let mut judge = Judge {
        item,
        small,
        version: world.version,
        statements: read.iter().map(|(_, statements)| statements.len()).sum(),
        complete: world.complete,
        findings: Vec::new(),
        used: BTreeSet::new(),
    };
    let mut passed = 0;
    for (step, statements) in read {
        if let Action::Backfill(backfill) = &step.action {
            filled(&mut world, into(backfill));
        }
        let rest = changes.get(passed..).unwrap_or_default();
        passed += statements.iter().map(|statement| statement.changes.len()).sum::<usize>();
        if done(&step.id) {
            let changes = statements.iter().flat_map(|statement| &statement.changes);
            changes.for_each(|change| stands(&mut world, change));
            continue;
        }
        let forth = Script {
            step,
            action: &step.action,
            places: &step.statements,
            way: Way::Forth,
            changes: rest,
            plan: &changes,
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
            let back = Script { step, action, places, way: Way::Undo, changes: &changes, plan: &changes };
            judge.script(&back, statements, &mut world);
        }
    }
    judge.down(world)?;
    Ok(judge)
}

/// The statements of one step, or of its way back.
struct Script<'a> {
    step: &'a Step,
    action: &'a Action,
    places: &'a [Place],
    way: Way,
    /// What it changes, and what comes after it.
    changes: &'a [Change],
    /// All that this way changes.
    plan: &'a [Change],
}

pub(super) struct Judge<'a> {
    pub(super) item: &'a Item,
    small: f64,
    version: u32,
    /// How many statements it has, without those of its way back.
    statements: usize,
    /// Whether the catalog was asked.
    pub(super) complete: bool,
    pub(super) findings: Vec<Finding>,
    /// The rule and the place of every acceptance that accepts something.
    pub(super) used: BTreeSet<(String, Option<Place>)>,
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
            let later = script.changes.get(passed..).unwrap_or_default();
            if let Some(place) = script.places.get(n).or(script.places.last()) {
                self.statement(script, &inspected, &before, later, *place, world);
            } else if let (Way::Forth, Some(place)) = (script.way, script.step.place) {
                self.ours(script, &inspected, &before, later, place, world);
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
            let plan = script.plan;
            look(&Scene { step, action, inspected, before, later, plan, world, hot: &hot }, small, script.way)
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
            if taken_care_of(script.step, found.0, place) {
                continue;
            }
            let busy = self.busy(inspected, world);
            self.findings.push(self.finding(script, inspected, place, found, busy.as_deref()));
        }
    }

    /// Judges a statement that the program writes itself, for what the author of the plan cannot
    /// have seen in it.
    fn ours(
        &mut self,
        script: &Script<'_>,
        inspected: &Inspected,
        before: &[Inspected],
        later: &[Change],
        place: Place,
        world: &World,
    ) {
        let hot = |relation: &QName| hot(world, relation, self.small);
        let Script { step, action, plan, .. } = *script;
        let found = look_at_ours(&Scene { step, action, inspected, before, later, plan, world, hot: &hot });
        for found in found {
            let used = step.allow.iter().filter(|allow| allow.covers(found.0, place));
            self.used.extend(used.map(|allow| (allow.rule.clone(), allow.place)));
            if taken_care_of(step, found.0, place) {
                continue;
            }
            let finding = self.finding(script, inspected, place, found, None);
            // People know the step, not the name that is out of sight.
            self.findings.push(Finding { statement: script.step.title.clone(), ..finding });
        }
    }

    /// What to add where a lock is felt on a table only because that is busy.
    #[allow(clippy::cast_precision_loss, reason = "a size to the byte is not needed")]
    fn busy(&self, inspected: &Inspected, world: &World) -> Option<String> {
        let small = |table: &&Table| table.bytes.is_some_and(|bytes| bytes as f64 <= self.small);
        let mut locked = inspected.effects.iter().flat_map(|effect| &effect.locks);
        locked.find_map(|(name, _)| {
            let table = world.table(name).filter(small).filter(|table| table.busy())?;
            let traffic = table.traffic?.words();
            Some(format!("; {} is small, but in use all the time: {traffic}", name.plain()))
        })
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
                way: Way::Down,
                changes: &changes,
                plan: &changes,
            };
            self.script(&script, read, &mut world);
        }
        Ok(())
    }

    fn finding(
        &self,
        script: &Script<'_>,
        inspected: &Inspected,
        place: Place,
        (rule, level, objection): Found,
        busy: Option<&str>,
    ) -> Finding {
        let asked = Asked {
            item: self.item,
            rule,
            way: script.way,
            alone: self.statements == 1,
            version: self.version,
        };
        let allowed = script.step.allow.iter().find(|allow| allow.covers(rule, place));
        let when = match script.way {
            Way::Forth => "",
            Way::Undo => "on abort: ",
            Way::Down => "on rollback: ",
        };
        Finding {
            rule,
            level,
            file: match script.way {
                Way::Undo => self.item.file.clone(),
                Way::Forth | Way::Down => script.step.file_of(self.item),
            },
            line: place.line,
            column: place.column,
            step: script.step.id.clone(),
            statement: first_words(&inspected.statement.text),
            locks: taken(std::slice::from_ref(inspected)),
            why: format!(
                "{when}{}{}",
                objection.why,
                busy.filter(|_| level == Level::Error).unwrap_or_default()
            ),
            safe: objection.safe.map(|safe| asked.answer(safe)),
            allowed: allowed.map(|allow| allow.reason.clone()),
            back: script.way != Way::Forth,
        }
    }
}

/// Whether the recipe that wrote a step has taken care of a finding: nobody else accepts one without a place.
fn taken_care_of(step: &Step, rule: &str, place: Place) -> bool {
    step.allow.iter().any(|allow| allow.place.is_none() && allow.covers(rule, place))
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
