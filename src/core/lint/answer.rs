//! Owns the form in which a safe way is printed: the plan that it is, SQL migrations where
//! SQL alone can say it, and words where nothing can be pasted.

use std::collections::BTreeSet;

use super::fill::written;
use super::inspect::statements;
use super::look::Way;
use crate::core::compile::{self, Server};
use crate::core::ident::Ident;
use crate::core::plan::model::Gates;
use crate::core::plan::{Source, parse};
use crate::core::record::Kind;
use crate::core::sql::{Alter, Change, Demand};
use crate::core::step::{Action, Phase, Step, Undo};
use crate::core::timeline::Item;

/// What an undo or a DOWN hears where only a plan would be safe.
const NO_WAY_BACK: &str = "no statement does this on the way back while the application runs: let the way forth leave \
                           what is here as it is until contract, so that there is less to take back, or say \
                           irreversible and why";

/// Stands under a plan that does not do all that its statement does.
pub(super) const REST: &str =
    "# what else the statement says is not in here: keep it beside this, or in a step of its own\n";

/// Where a safe way is asked for.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    /// The item that a statement of is objected to.
    pub(super) item: &'a Item,
    /// The rule that objects.
    pub(super) rule: &'static str,
    /// The way that the statement is on.
    pub(super) way: Way,
    /// Whether it is all that the item does.
    pub(super) alone: bool,
    /// The server's version.
    pub(super) version: u32,
}

impl Asked<'_> {
    /// The safe way as it can stand where it is asked for.
    pub(super) fn answer(&self, safe: String) -> String {
        match (self.way, self.item.kind, is_plan(&safe)) {
            (Way::Undo | Way::Down, _, true) => NO_WAY_BACK.into(),
            (Way::Forth, Kind::Sql, true) => self.migrations(&safe).unwrap_or_else(|| self.plan(&safe)),
            (Way::Forth, Kind::Sql, false) => self.words(safe),
            _ => safe,
        }
    }

    /// The plan, with the name that its file must have.
    fn plan(&self, safe: &str) -> String {
        format!("# {}:\n{safe}", self.place(safe.ends_with(REST)))
    }

    /// What becomes of the SQL migration where only a plan will do.
    fn place(&self, partial: bool) -> String {
        let Self { item, alone, .. } = self;
        if *alone && !partial {
            format!(
                "SQL alone cannot do this safely: a plan can, {}.yaml among the plans, in the place of {}",
                item.stem(),
                item.file
            )
        } else {
            format!(
                "SQL alone cannot do this safely: take the statement out of {} into a plan of its own, with a later \
                 version (phase new NAME)",
                item.file
            )
        }
    }

    /// Words that are meant for a plan tell what that is.
    fn words(&self, safe: String) -> String {
        if self.rule == "work-under-lock" {
            return "give it a SQL migration of its own, with a later version".into();
        }
        let of_plans = ["validate", "contract", "backfill", "sync"];
        let mut words = safe.split(|c: char| !c.is_ascii_alphanumeric());
        if words.any(|word| of_plans.contains(&word)) {
            format!("{safe}. {}", self.place(false))
        } else {
            safe
        }
    }

    /// The SQL migrations that do what a plan does, where it needs no more than SQL before contract,
    /// and waits for nobody.
    fn migrations(&self, text: &str) -> Option<String> {
        let Self { item, alone, version, .. } = *self;
        // What is only said in a comment is to be written by hand.
        if text.lines().any(|line| line.trim_start().starts_with('#')) {
            return None;
        }
        let source = Source { file: &item.file, version: &item.version, name: &item.name, text };
        let plan = parse(&source, &|_| Err("no file is named here".into())).ok()?;
        if plan.gates != Gates::default() {
            return None;
        }
        let steps = compile::plan(&plan, Server { version }).ok()?;
        if steps.is_empty() || !steps.iter().all(in_sql) {
            return None;
        }
        // Where a statement cannot run in a transaction, all of its file run one by one.
        let one_by_one = steps.iter().any(|step| !matches!(step.action, Action::Transaction(_)));
        let files: Vec<&[Step]> = if one_by_one { vec![&steps] } else { steps.chunks(1).collect() };
        let first = if self.rule == "foreign-key-index" {
            "-- beside it, a SQL migration of its own:".into()
        } else if alone {
            format!("-- {}, in the place of what is there:", item.file)
        } else {
            format!("-- a SQL migration of its own, with a later version, taken out of {}:", item.file)
        };
        let next = "-- then another one, with a later version still:".to_owned();
        let headers = std::iter::once(first).chain(std::iter::repeat(next));
        Some(headers.zip(files).map(|(header, steps)| format!("{header}\n{}", file(steps))).collect())
    }
}

/// Whether a safe way is phases of a plan.
pub(super) fn is_plan(safe: &str) -> bool {
    let first = safe.lines().next().unwrap_or_default();
    Phase::ALL.iter().any(|phase| first.strip_suffix(':') == Some(phase.name()))
}

/// Whether a step is SQL that may run as soon as its file is there: nothing that waits for
/// code to ship, for rows to be carried over, or for another step to be known of.
fn in_sql(step: &Step) -> bool {
    match step.action {
        // A query gets along without an index.
        Action::BuildIndex(_) | Action::DropIndex { .. } => true,
        Action::Transaction(_) | Action::Autocommit { .. } | Action::Detach(_) => {
            !step.statements.is_empty() && step.phase < Phase::Contract
        }
        Action::Assert { .. } | Action::Backfill(_) => false,
    }
}

/// A SQL migration of these steps.
fn file(steps: &[Step]) -> String {
    let up: String = steps.iter().flat_map(|step| sql(&step.action)).map(|sql| sql + ";\n").collect();
    let recorded = steps.iter().any(|step| matches!(step.undo, Undo::Recorded));
    let taken: BTreeSet<Ident> = steps.iter().flat_map(taken_over).collect();
    let back = steps.iter().rev().filter_map(|step| match &step.undo {
        // It goes with its constraint.
        Undo::Run(Action::DropIndex { index, .. }) if taken.contains(&index.name) => None,
        Undo::Run(action) => Some(sql(action)),
        _ => None,
    });
    let down: String = back.flatten().map(|sql| sql + ";\n").collect();
    let down = match (recorded, down.is_empty()) {
        (true, _) => "-- irreversible: or the CREATE INDEX CONCURRENTLY that builds it again, here\n".into(),
        (false, true) => "SELECT 1;   -- there is nothing to take back\n".into(),
        (false, false) => down,
    };
    format!("-- UP\n{up}-- DOWN\n{down}")
}

/// The indexes that a step makes those of a constraint.
fn taken_over(step: &Step) -> Vec<Ident> {
    let changes = statements(step).unwrap_or_default().into_iter().flat_map(|statement| statement.changes);
    let demands = changes.filter_map(|change| match change {
        Change::Alter { what: Alter::AddConstraint(added), .. } => Some(added.demand),
        _ => None,
    });
    let taken = demands.filter_map(|demand| match demand {
        Demand::UsingIndex { index, .. } => Some(index),
        _ => None,
    });
    taken.collect()
}

/// The statements of an action, as a person would write them.
fn sql(action: &Action) -> Vec<String> {
    match action {
        Action::DropIndex { index, .. } => {
            vec![format!("DROP INDEX CONCURRENTLY IF EXISTS {}", written(index))]
        }
        _ => action.sql(),
    }
}
