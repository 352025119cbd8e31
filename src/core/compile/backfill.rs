//! Compiles backfill entries.

use super::{At, CompileError, placed};
use crate::core::backfill::{Backfill, InStep, Tuning};
use crate::core::ident::{Ident, plain};
use crate::core::plan::model::{BackfillSpec, BackfillWork, Plan, StepSpec, Triggers};
use crate::core::sql;
use crate::core::step::{Action, Phase, Step, Undo};

pub(super) fn steps(plan: &Plan) -> Result<Vec<Step>, CompileError> {
    plan.backfill
        .iter()
        .enumerate()
        .map(|(n, entry)| {
            let (spec, place) = placed(entry);
            let at = At { phase: Phase::Backfill, id: format!("backfill.{}", n + 1), place };
            step(&at, plan, spec)
        })
        .collect()
}

fn step(at: &At, plan: &Plan, spec: &BackfillSpec) -> Result<Step, CompileError> {
    check(at, spec)?;
    let backfill = Backfill {
        table: spec.table.clone(),
        work: spec.work.clone(),
        filter: spec.filter.clone(),
        key: spec.key.clone(),
        syncs: syncs(plan, spec),
        tuning: tuning(plan, spec),
    };
    let table = spec.table.plain();
    let (title, undo) = match &spec.work {
        BackfillWork::Set(columns) => (format!("fill {} of {table}", columns_of(columns)), Undo::Nothing),
        BackfillWork::Copy { into, .. } => {
            (format!("copy rows of {table} into {}", into.plain()), Undo::Nothing)
        }
        BackfillWork::Delete => (
            format!("delete rows of {table}"),
            Undo::Irreversible("rows that were deleted cannot be brought back".into()),
        ),
    };
    Ok(at.step(title, Action::Backfill(Box::new(backfill)), undo))
}

/// The plan's syncs of the columns that this entry sets.
fn syncs(plan: &Plan, spec: &BackfillSpec) -> Vec<InStep> {
    let BackfillWork::Set(set) = &spec.work else { return Vec::new() };
    let of_table = plan.expand.iter().filter_map(|step| match &step.value {
        StepSpec::Sync(sync) if sync.table == spec.table => Some(sync),
        _ => None,
    });
    of_table
        .map(|sync| InStep {
            columns: sync.set.iter().map(|(column, _)| column.clone()).collect(),
            back: sync.back.clone(),
        })
        .filter(|sync| set.iter().any(|(column, _)| sync.columns.contains(column)))
        .collect()
}

fn tuning(plan: &Plan, spec: &BackfillSpec) -> Tuning {
    let (batch, defaults) = (&spec.batch, Tuning::default());
    Tuning {
        rows: batch.rows,
        min_rows: batch.min_rows.unwrap_or(defaults.min_rows),
        max_rows: batch.max_rows.unwrap_or(defaults.max_rows),
        target: batch.target.as_ref().map_or(defaults.target, |target| target.value),
        pause: batch.pause.unwrap_or(defaults.pause),
        workers: spec.workers.as_ref().map_or(defaults.workers, |workers| workers.value),
        stripes: batch.stripes.unwrap_or(defaults.stripes),
        max_quarantine: spec.max_quarantine.unwrap_or(defaults.max_quarantine),
        synchronous_commit: batch.synchronous_commit.unwrap_or(defaults.synchronous_commit),
        fire_triggers: spec.triggers.map(|triggers| triggers == Triggers::Fire),
        nice: spec.throttle.nice.unwrap_or(defaults.nice),
        rate: spec.throttle.rate,
        throttle: spec.throttle.watch.clone(),
        window: spec.window.clone(),
        slo: plan.slo.clone(),
    }
}

/// What the plan's author wrote must be expressions and nothing more, so that
/// it can stand inside a batch.
fn check(at: &At, spec: &BackfillSpec) -> Result<(), CompileError> {
    let columns: &[(Ident, String)] = match &spec.work {
        BackfillWork::Set(columns) | BackfillWork::Copy { columns, .. } => columns,
        BackfillWork::Delete => &[],
    };
    for (column, expr) in columns {
        if spec.filter.is_none()
            && let Ok(Some(what)) = sql::changes_every_time(expr)
        {
            return Err(at.error(format!(
                "{}: {what} gives another value every time, so nobody could say which rows are done: add where, such as {} IS NULL",
                plain(column),
                plain(column)
            )));
        }
        sql::check_expression(expr).map_err(|error| at.error(format!("{}: {error}", plain(column))))?;
    }
    if let Some(filter) = &spec.filter {
        sql::check_predicate(filter).map_err(|error| at.error(format!("where: {error}")))?;
    }
    Ok(())
}

fn columns_of(columns: &[(Ident, String)]) -> String {
    columns.iter().map(|(column, _)| plain(column)).collect::<Vec<_>>().join(", ")
}
