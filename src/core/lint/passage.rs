//! Carries what is known of a database over whole items: what comes before an item
//! on the timeline will have run by then.

use super::inspect::statements;
use super::outline::apply;
use super::world::World;
use crate::core::backfill::Backfill;
use crate::core::ident::QName;
use crate::core::plan::model::BackfillWork;
use crate::core::sql::{Change, SqlError};
use crate::core::step::{Action, Phase};
use crate::core::timeline::Item;

/// What some items do to a database, in the order of the timeline.
#[derive(Debug, Clone, Default)]
pub struct Passage(Vec<Passed>);

#[derive(Debug, Clone)]
enum Passed {
    Changed(Box<Change>),
    Filled(QName),
}

impl Passage {
    /// Adds all that an item does.
    ///
    /// # Errors
    /// When its SQL cannot be read.
    pub fn add(&mut self, item: &Item) -> Result<(), SqlError> {
        for step in Phase::ALL.into_iter().flat_map(|phase| item.steps_of(phase)) {
            if let Action::Backfill(backfill) = &step.action {
                self.0.push(Passed::Filled(into(backfill).clone()));
            }
            let changes = statements(step)?.into_iter().flat_map(|statement| statement.changes);
            self.0.extend(changes.map(|change| Passed::Changed(Box::new(change))));
        }
        Ok(())
    }

    /// What is known afterwards.
    pub fn over(&self, world: &mut World) {
        for passed in &self.0 {
            match passed {
                Passed::Changed(change) => apply(world, change),
                Passed::Filled(table) => filled(world, table),
            }
        }
    }
}

/// The table that a backfill fills.
pub(super) fn into(backfill: &Backfill) -> &QName {
    match &backfill.work {
        BackfillWork::Copy { into, .. } => into,
        BackfillWork::Set(_) | BackfillWork::Delete => &backfill.table,
    }
}

/// A table that a backfill has filled is new no longer, and nobody knows how big it is.
pub(super) fn filled(world: &mut World, table: &QName) {
    if let Some(table) = world.tables.get_mut(table).filter(|table| table.made) {
        (table.made, table.rows, table.bytes) = (false, None, None);
    }
}
