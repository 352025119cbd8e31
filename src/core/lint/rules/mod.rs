//! Owns the rules that look at more than one row of the lock table: the phase,
//! the transaction, the server, the table.

mod build_14;
mod dependents;
mod foreign_key_index;
mod held_lock;
mod json;
mod narrower;
mod no_timeout;
mod old_shape;
mod scan_in_contract;
mod statistics;
mod takes_along;
mod unknown_type;
mod unused_allow;

pub(super) use dependents::holders;

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
    /// Everything that the plan or the file changes on its way.
    pub(super) plan: &'a [Change],
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
    /// Whether it is asked of what the program writes itself as well.
    pub(super) ours: bool,
    /// Why the statement hurts and what to write instead; `None`: it does not.
    pub(super) check: fn(&Scene<'_>) -> Option<Objection>,
    /// What stands before the examples, beside the tables of the lock table's examples.
    pub(super) setup: &'static str,
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
    /// How bad it is, where that is not what the rule says.
    pub(super) level: Option<Level>,
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
    dependents::RULE,
    takes_along::RULE,
    unknown_type::RULE,
    unused_allow::RULE,
];

impl Objection {
    fn new(why: impl Into<String>, safe: impl Into<String>) -> Option<Self> {
        Some(Self { why: why.into(), safe: Some(safe.into()), level: None })
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
