//! Owns what a plan takes for granted about the database, so that it can be
//! looked up before anything runs.

use std::collections::BTreeSet;

use crate::core::ident::{Ident, QName};
use crate::core::plan::model::{BackfillWork, Place, Plan, StepSpec, Triggers};
use crate::core::sql;

/// Something that must be there before a plan starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// Where the plan asks for it.
    pub place: Place,
    /// The table that must exist.
    pub table: QName,
    /// The key that it must have: a unique index over exactly these columns.
    pub key: Option<Vec<Ident>>,
    /// The column that must be able to be null: an undo will make it so again.
    pub nullable: Option<Ident>,
    /// Whether the role must be able to leave the table's triggers out.
    pub skips_triggers: bool,
}

impl Requirement {
    fn table(place: Place, table: &QName) -> Self {
        Self { place, table: table.clone(), key: None, nullable: None, skips_triggers: false }
    }
}

/// Lists what a plan requires; tables that it creates itself are left out.
#[must_use]
pub fn requirements(plan: &Plan) -> Vec<Requirement> {
    let made = made(plan);
    let steps = plan.expand.iter().chain(&plan.validate).chain(&plan.contract);
    let mut found: Vec<Requirement> = steps
        .filter_map(|step| {
            let nullable = match &step.value {
                StepSpec::NotNull { column, .. } => Some(column.clone()),
                _ => None,
            };
            let table = match &step.value {
                StepSpec::Index(spec) => &spec.table,
                StepSpec::Sync(spec) => &spec.table,
                StepSpec::NotNull { table, .. }
                | StepSpec::DropColumn { table, .. }
                | StepSpec::DropTable { table } => table,
                StepSpec::Sql(_) | StepSpec::DropIndex(_) | StepSpec::Assert(_) => return None,
            };
            Some(Requirement { nullable, ..Requirement::table(step.place, table) })
        })
        .collect();
    for entry in &plan.backfill {
        let key = entry.value.key.clone();
        let skips_triggers = entry.value.triggers == Some(Triggers::Skip);
        found.push(Requirement {
            key,
            skips_triggers,
            ..Requirement::table(entry.place, &entry.value.table)
        });
        if let BackfillWork::Copy { into, .. } = &entry.value.work {
            found.push(Requirement::table(entry.place, into));
        }
    }
    found.retain(|requirement| !made.contains(&requirement.table.name));
    found.sort_by_key(|requirement| requirement.place);
    found
}

/// Names of tables that the plan's own SQL creates or renames.
fn made(plan: &Plan) -> BTreeSet<Ident> {
    let texts = plan.expand.iter().filter_map(|step| match &step.value {
        StepSpec::Sql(spec) => Some(spec.text.as_str()),
        _ => None,
    });
    texts.flat_map(|text| sql::made_tables(text).unwrap_or_default()).map(|table| table.name).collect()
}
