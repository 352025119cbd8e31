//! Walks the steps of an item in order, and tells what each statement locks
//! in the database as it stands by then.

use std::collections::BTreeMap;

use serde::Serialize;

use super::effect::{Effect, effects, strongest};
use super::lock::Lock;
use super::mentions::Mentions;
use super::outline::apply;
use super::partitioned::sent;
use super::world::World;
use crate::core::ident::{Ident, QName};
use crate::core::sql::{Alter, Change, SqlError, Statement, split};
use crate::core::step::{Action, Step, Undo};

/// A statement of a step and what it does.
#[derive(Debug, Clone)]
pub struct Inspected {
    /// The statement.
    pub statement: Statement,
    /// What each of its changes does.
    pub effects: Vec<Effect>,
}

/// A lock that a step takes, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// The relation.
    pub relation: String,
    /// The strongest lock on it.
    pub lock: Lock,
    /// Whether the application's queries wait behind it.
    pub blocks_reads: bool,
    /// Whether the application's writes wait behind it.
    pub blocks_writes: bool,
    /// What the server does while it is held.
    pub work: &'static str,
}

/// The statements of a step.
///
/// # Errors
/// When they do not parse; such a step is refused before it is one.
pub fn statements(step: &Step) -> Result<Vec<Statement>, SqlError> {
    statements_of(&step.action)
}

/// The columns to which a step gives a default.
///
/// # Errors
/// As [`statements`].
pub fn defaults(step: &Step) -> Result<Vec<(QName, Ident)>, SqlError> {
    // Most steps have none, and need not be read for it.
    if !step.action.sql().iter().any(|sql| sql.to_ascii_lowercase().contains("default")) {
        return Ok(Vec::new());
    }
    let given = |change: Change| match change {
        Change::Alter { table, what: Alter::Default { column, dropped: false }, .. } => Some((table, column)),
        _ => None,
    };
    Ok(statements(step)?.into_iter().flat_map(|statement| statement.changes).filter_map(given).collect())
}

/// The statements of an action.
pub(super) fn statements_of(action: &Action) -> Result<Vec<Statement>, SqlError> {
    let sql = match action {
        Action::Backfill(_) | Action::Assert { .. } => Vec::new(),
        action => action.sql(),
    };
    let read: Vec<Vec<Statement>> = sql.iter().map(|sql| split(sql)).collect::<Result<_, _>>()?;
    Ok(read.into_iter().flatten().collect())
}

/// The names that the catalog must be asked about for these steps and their undo.
///
/// # Errors
/// As [`statements`].
pub fn mentions<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Result<Mentions, SqlError> {
    let mut changes: Vec<Change> = Vec::new();
    for step in steps {
        changes.extend(statements(step)?.into_iter().flat_map(|statement| statement.changes));
        if let Undo::Run(action) = &step.undo {
            changes.extend(statements_of(action)?.into_iter().flat_map(|statement| statement.changes));
        }
    }
    Ok(Mentions::of(&changes))
}

/// What each statement of a step does; `world` is what stands after it.
///
/// # Errors
/// As [`statements`].
pub fn inspect(step: &Step, world: &mut World) -> Result<Vec<Inspected>, SqlError> {
    inspect_sql(&sent(&step.action, world)?, world)
}

/// What each statement of some SQL does; `world` is what stands after it.
///
/// # Errors
/// When it does not parse.
pub fn inspect_sql(sql: &[String], world: &mut World) -> Result<Vec<Inspected>, SqlError> {
    let read: Vec<Vec<Statement>> = sql.iter().map(|sql| split(sql)).collect::<Result<_, _>>()?;
    let look = |statement: Statement| {
        let effects = effects(&statement, world);
        statement.changes.iter().for_each(|change| apply(world, change));
        Inspected { statement, effects }
    };
    Ok(read.into_iter().flatten().map(look).collect())
}

/// The strongest lock on each relation, over all statements of a step.
#[must_use]
pub fn taken(inspected: &[Inspected]) -> Vec<Taken> {
    let effects = || inspected.iter().flat_map(|inspected| &inspected.effects);
    let mut work: BTreeMap<_, super::table::Work> = BTreeMap::new();
    for effect in effects() {
        for (relation, _) in &effect.locks {
            let (entry, here) = (work.entry(relation.clone()).or_default(), effect.work_on(relation));
            entry.rewrites |= here.rewrites;
            entry.scans |= here.scans;
            entry.builds |= here.builds;
        }
    }
    let taken = strongest(effects()).into_iter().map(|(relation, lock)| Taken {
        relation: relation.plain(),
        lock,
        blocks_reads: lock.blocks_reads(),
        blocks_writes: lock.blocks_writes(),
        work: work.get(&relation).copied().unwrap_or_default().words(),
    });
    taken.collect()
}

impl Taken {
    /// Whether the server does more under it than to change the catalog.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.work != super::table::Work::default().words()
    }

    /// One line for people.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{} on {}: {}, {}", self.lock.name(), self.relation, self.work, self.lock.leaves())
    }
}
