//! Owns what a statement does to the database: the rows of its changes, and
//! the locks that they come to.

use std::collections::{BTreeMap, BTreeSet};

use super::lock::Lock;
use super::outline;
use super::table::{Case, Row, Who, Work, row};
use super::world::World;
use crate::core::ident::QName;
use crate::core::sql::{Change, Statement};

/// What one change does.
#[derive(Debug, Clone)]
pub struct Effect {
    /// The row of the lock table; `None`: this program does not know it.
    pub row: Option<&'static Row>,
    /// The locks, each on one relation.
    pub locks: Vec<(QName, Lock)>,
    /// What is done while they are held.
    pub work: Work,
    /// Relations that are locked because a foreign key ties them to the one that is worked on:
    /// their files stay, whatever happens to that one.
    pub beside: BTreeSet<QName>,
}

impl Effect {
    /// What is done to one of the relations while the locks are held.
    #[must_use]
    pub fn work_on(&self, relation: &QName) -> Work {
        if !self.beside.contains(relation) {
            self.work
        } else if self.work.rewrites {
            // The key is made anew over the new type, and every row is looked up.
            Work::SCAN
        } else {
            Work::NONE
        }
    }
}

/// What each change of a statement does.
#[must_use]
pub fn effects(statement: &Statement, world: &World) -> Vec<Effect> {
    if let [change] = statement.changes.as_slice() {
        return vec![effect(&Case { change, world })];
    }
    let mut world = world.clone();
    let mut all = Vec::new();
    for change in &statement.changes {
        all.push(effect(&Case { change, world: &world }));
        // The column of ADD COLUMN … UNIQUE is there when its constraint is made.
        outline::apply(&mut world, change);
    }
    all
}

/// What one change does.
#[must_use]
pub fn effect(case: &Case<'_>) -> Effect {
    let row = row(case);
    let (mut locks, mut beside) = (Vec::new(), BTreeSet::new());
    for (who, lock) in row.map(|row| row.locks).unwrap_or_default() {
        let lock = match case.change {
            Change::LockTable { mode, .. } => Lock::numbered(*mode).unwrap_or(*lock),
            _ => *lock,
        };
        let relations = case.whom(*who);
        if *who == Who::Bound {
            beside.extend(relations.iter().filter(|relation| Some(*relation) != case.subject()).cloned());
        }
        locks.extend(relations.into_iter().map(|relation| (relation, lock)));
    }
    Effect { row, locks, work: row.map(|row| row.work).unwrap_or_default(), beside }
}

/// The strongest lock on each relation.
#[must_use]
pub fn strongest<'a>(effects: impl IntoIterator<Item = &'a Effect>) -> BTreeMap<QName, Lock> {
    let mut held: BTreeMap<QName, Lock> = BTreeMap::new();
    for (relation, lock) in effects.into_iter().flat_map(|effect| &effect.locks) {
        let entry = held.entry(relation.clone()).or_insert(*lock);
        *entry = (*entry).max(*lock);
    }
    held
}
