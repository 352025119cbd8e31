//! Owns the sheet that recipes write on: explicit steps of every phase, and what speaks against them.

mod before;
mod knows;
mod statement;
mod steps;

use std::collections::BTreeSet;

pub(super) use statement::Sql;

use super::known::Known;
use super::{Change, Written};
use crate::core::ident::{Ident, QName};
use crate::core::plan::fault::TOP;
use crate::core::plan::model::{BackfillSpec, ExchangeSpec, Gate, Place, Placed, Plan, StepSpec};
use crate::core::preflight;

/// What a plan's changes have come to so far.
pub struct Draft<'a> {
    /// The plan's version, for names that must be its own.
    version: &'a str,
    /// The plan's own backfills.
    own: &'a [Placed<BackfillSpec>],
    /// All changes of the plan.
    changes: &'a [Placed<Change>],
    /// The change that is being written.
    at: Place,
    /// What is known, as the changes before this one leave it.
    known: Known,
    /// Whether somebody must vouch for it before contract.
    vouched: bool,
    /// Whether contract keeps what it takes away for a while.
    keeps: bool,
    /// Whether the plan says when validate may begin.
    gated: bool,
    /// The tables that its own steps make.
    made: BTreeSet<Ident>,
    expand: Vec<Placed<StepSpec>>,
    backfill: Vec<Placed<BackfillSpec>>,
    validate: Vec<Placed<StepSpec>>,
    contract: Vec<Placed<StepSpec>>,
    refused: Vec<(Place, String)>,
    cautions: Vec<(Place, String)>,
    /// What changes before this one are about.
    about: Vec<QName>,
    /// Names of indexes and the like that changes before this one make.
    taken: Vec<QName>,
    /// Columns that changes before this one take away.
    gone: Vec<(QName, Ident)>,
    /// Names of the plan's own that relations have.
    relations: BTreeSet<Ident>,
    /// Tables that nothing after a change may be about, and why.
    closed: Vec<(QName, &'static str)>,
    /// What explicit steps before this change make or change.
    unseen: BTreeSet<QName>,
    /// Whether such a step may change anything.
    opaque: bool,
    /// Exchanges that wait for others, to be one with them.
    gathered: Option<Vec<ExchangeSpec>>,
}

impl<'a> Draft<'a> {
    pub(super) fn new(plan: &'a Plan, known: &Known) -> Self {
        Self {
            version: plan.version.as_str(),
            own: &plan.backfill,
            changes: &plan.change,
            at: TOP,
            known: known.clone(),
            vouched: !plan.gates.contract.deployed.is_empty() || plan.gates.contract.approvals.is_some(),
            keeps: plan.keep.is_some(),
            gated: plan.gates.validate != Gate::default(),
            made: preflight::made(plan),
            expand: Vec::new(),
            backfill: Vec::new(),
            validate: Vec::new(),
            contract: Vec::new(),
            refused: Vec::new(),
            cautions: Vec::new(),
            about: Vec::new(),
            taken: Vec::new(),
            gone: Vec::new(),
            relations: BTreeSet::new(),
            closed: Vec::new(),
            unseen: BTreeSet::new(),
            opaque: false,
            gathered: None,
        }
    }

    pub(super) fn turn_to(&mut self, at: Place) {
        self.at = at;
    }

    /// Steps of recipes stand before the plan's own.
    pub(super) fn finish(mut self, plan: &Plan) -> Written {
        // What the plan writes out itself comes after its changes.
        let own = crate::core::compile::of_plan(plan);
        for (table, why) in std::mem::take(&mut self.closed) {
            if own.contains(&table.plain()) {
                self.refuse(format!("{} {why}", table.plain()));
            }
        }
        let own = |mut first: Vec<Placed<StepSpec>>, then: &[Placed<StepSpec>]| {
            first.extend_from_slice(then);
            first
        };
        let mut backfill = self.backfill;
        backfill.extend_from_slice(&plan.backfill);
        let plan = Plan {
            change: Vec::new(),
            expand: own(self.expand, &plan.expand),
            backfill,
            validate: own(self.validate, &plan.validate),
            contract: own(self.contract, &plan.contract),
            ..plan.clone()
        };
        Written { plan, refused: self.refused, cautions: self.cautions }
    }

    /// Whether contract keeps what it takes away for a while.
    pub(super) const fn keeps(&self) -> bool {
        self.keeps
    }

    /// Whether somebody must vouch for it before contract: an application's version, or people.
    pub(super) const fn contract_is_gated(&self) -> bool {
        self.vouched
    }

    /// Says that something binds every writer from validate on, where no gate waits for those that keep to it.
    pub(super) fn binds(&mut self, what: &str) {
        if !self.gated {
            self.caution(format!(
                "from validate on {what} binds every writer, old code too: where that does not keep to it, a gate waits \
                 for the code that does (gates: {{validate: {{deployed: APP@VERSION}}}})"
            ));
        }
    }

    /// The plan's version.
    pub(super) const fn version(&self) -> &str {
        self.version
    }

    /// The server's version; the newest where it is not known.
    pub(super) const fn server(&self) -> u32 {
        if self.known.version == 0 {
            crate::core::compile::Server::NEWEST.version
        } else {
            self.known.version
        }
    }

    /// A name of the plan's own, that no application uses.
    pub(super) fn own_name(&self, what: &str) -> Ident {
        Ident::shortened(&format!("_phase_{}_", self.version), what)
    }

    /// As [`Draft::own_name`], of a relation: a number tells it from those that other changes of the plan have.
    pub(super) fn own_relation(&mut self, what: &str) -> Ident {
        let numbered = |n: usize| match n {
            1 => self.own_name(what),
            n => self.own_name(&format!("{what}_{n}")),
        };
        let name = (1..).map(numbered).find(|name| !self.relations.contains(name));
        let name = name.unwrap_or_else(|| self.own_name(what));
        self.relations.insert(name.clone());
        name
    }

    /// Says why the plan may not start.
    pub(super) fn refuse(&mut self, why: impl Into<String>) {
        self.refused.push((self.at, why.into()));
    }

    /// Says what to look at twice.
    pub(super) fn caution(&mut self, what: impl Into<String>) {
        self.cautions.push((self.at, what.into()));
    }
}
