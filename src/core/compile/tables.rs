//! Lists the tables that a plan or a SQL migration touches.

use std::collections::BTreeSet;

use super::sql;
use crate::core::ident::QName;
use crate::core::migration::SqlMigration;
use crate::core::plan::model::{BackfillWork, Plan, StepSpec, UndoSpec};

/// The tables of a plan, as [`QName::plain`] writes them, sorted.
#[must_use]
pub fn of_plan(plan: &Plan) -> Vec<String> {
    let mut tables = BTreeSet::new();
    for spec in plan.expand.iter().chain(&plan.validate).chain(&plan.contract) {
        match &spec.value {
            StepSpec::Sql(spec) => {
                tables.extend(sql::tables(&spec.text));
                if let Some(UndoSpec::Sql(undo, _)) = &spec.undo {
                    tables.extend(sql::tables(undo));
                }
            }
            StepSpec::Index(spec) => _ = tables.insert(spec.table.clone()),
            StepSpec::Exchange(spec) => tables.extend(spec.pairs.iter().map(|pair| pair.table.clone())),
            StepSpec::Sync(spec) => _ = tables.insert(spec.table.clone()),
            StepSpec::NotNull { table, .. }
            | StepSpec::DropColumn { table, .. }
            | StepSpec::DropTable { table, .. } => {
                _ = tables.insert(table.clone());
            }
            StepSpec::Mirror(spec) => tables.extend([spec.from.clone(), spec.to.clone()]),
            StepSpec::Move(spec) => tables.extend([spec.from.clone(), spec.to.clone()]),
            StepSpec::DropIndex(_)
            | StepSpec::Assert(_)
            | StepSpec::Succeed(_)
            | StepSpec::Moved(_)
            | StepSpec::Last(_) => {}
        }
    }
    for entry in &plan.backfill {
        tables.insert(entry.value.table.clone());
        if let BackfillWork::Copy { into, .. } = &entry.value.work {
            tables.insert(into.clone());
        }
    }
    plain(&tables)
}

/// The tables of a SQL migration, likewise.
#[must_use]
pub fn of_migration(migration: &SqlMigration) -> Vec<String> {
    plain(&sql::tables(&migration.up).into_iter().collect())
}

fn plain(tables: &BTreeSet<QName>) -> Vec<String> {
    tables.iter().map(QName::plain).collect()
}
