//! Owns the rules that look at more than one row of the lock table: the phase,
//! the transaction, the server, the table.

mod build_14;
mod foreign_key_index;
mod held_lock;
mod json;
mod narrower;
mod no_timeout;
mod old_shape;
mod scan_in_contract;
mod statistics;
mod unknown_type;
mod unused_allow;

use super::finding::Level;
use super::inspect::Inspected;
use super::table::Case;
use super::world::World;
use crate::core::sql::Change;
use crate::core::step::{Action, Phase, Step};

/// A statement where it stands.
pub(super) struct Scene<'a> {
    /// Its step.
    pub(super) step: &'a Step,
    /// The work that it is a statement of: the step's, or that of its undo.
    pub(super) action: &'a Action,
    /// The statement and what it does.
    pub(super) inspected: &'a Inspected,
    /// The statements before it in the same transaction.
    pub(super) before: &'a [Inspected],
    /// What comes after it, in this step and in later ones.
    pub(super) later: &'a [Change],
    /// The database before it.
    pub(super) world: &'a World,
    /// Whether a relation is one that the application feels.
    pub(super) hot: &'a dyn Fn(&crate::core::ident::QName) -> bool,
}

/// A rule.
pub(super) struct Rule {
    /// Its stable name.
    pub(super) id: &'static str,
    /// What it asks for.
    pub(super) title: &'static str,
    /// Why.
    pub(super) why: &'static str,
    /// How bad it is.
    pub(super) level: Level,
    /// Whether it is asked of the way back as well.
    pub(super) back: bool,
    /// Why the statement hurts and what to write instead; `None`: it does not.
    pub(super) check: fn(&Scene<'_>) -> Option<Objection>,
    /// A plan against the tables of the lock table's examples that it objects to.
    pub(super) bad: &'static str,
    /// One that it does not; empty where only another server helps.
    pub(super) good: &'static str,
}

/// What a rule objects.
pub(super) struct Objection {
    /// Why it hurts.
    pub(super) why: String,
    /// What to write instead.
    pub(super) safe: Option<String>,
}

/// Every rule.
pub(super) const RULES: &[Rule] = &[
    old_shape::RULE,
    narrower::RULE,
    held_lock::RULE,
    scan_in_contract::RULE,
    no_timeout::RULE,
    build_14::RULE,
    foreign_key_index::RULE,
    json::RULE,
    statistics::RULE,
    unknown_type::RULE,
    unused_allow::RULE,
];

impl Objection {
    fn new(why: impl Into<String>, safe: impl Into<String>) -> Option<Self> {
        Some(Self { why: why.into(), safe: Some(safe.into()) })
    }
}

impl<'a> Scene<'a> {
    /// Each change of the statement against the database.
    fn cases(&self) -> impl Iterator<Item = Case<'a>> {
        let world = self.world;
        self.inspected.statement.changes.iter().map(move |change| Case { change, world })
    }

    fn phase(&self) -> Phase {
        self.step.phase
    }
}
