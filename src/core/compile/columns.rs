//! Lists the columns that a plan's sync and backfill read or write, and those
//! that its contract takes away.

use crate::core::ident::{Ident, QName};
use crate::core::plan::model::{BackfillWork, Plan, StepSpec};
use crate::core::sql::expression_columns;

/// A column of a table.
pub type Column = (QName, Ident);

/// The columns that the plan's triggers and batches name, sorted.
#[must_use]
pub fn used(plan: &Plan) -> Vec<Column> {
    let mut found = Vec::new();
    let mut add = |table: &QName, pairs: &[(Ident, String)]| {
        for (column, expr) in pairs {
            let read = expression_columns(expr).unwrap_or_default();
            found.extend(read.into_iter().chain([column.clone()]).map(|column| (table.clone(), column)));
        }
    };
    for step in &plan.expand {
        if let StepSpec::Sync(sync) = &step.value {
            add(&sync.table, &sync.set);
            add(&sync.table, &sync.back);
        }
    }
    for entry in &plan.backfill {
        if let BackfillWork::Set(set) = &entry.value.work {
            add(&entry.value.table, set);
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The columns that contract takes out of sight, or drops.
#[must_use]
pub fn dropped(plan: &Plan) -> Vec<Column> {
    let drops = plan.contract.iter().filter_map(|step| match &step.value {
        StepSpec::DropColumn { table, column } => Some((table.clone(), column.clone())),
        _ => None,
    });
    drops.collect()
}
