//! Compiles backfill entries.

use std::time::Duration;

use super::{At, CompileError, placed};
use crate::core::backfill::Backfill;
use crate::core::ident::{Ident, plain};
use crate::core::plan::model::{BackfillSpec, BackfillWork, Plan};
use crate::core::sql;
use crate::core::step::{Action, Phase, Step, Undo};

/// Keys a batch where the plan says nothing: between 100 and 20,000 the size
/// hardly changes the speed, and a short transaction holds its locks shortly.
const ROWS: u32 = 1_000;
/// Sleep between batches where the plan says nothing: room for the application.
const PAUSE: Duration = Duration::from_millis(5);

pub(super) fn steps(plan: &Plan) -> Result<Vec<Step>, CompileError> {
    plan.backfill
        .iter()
        .enumerate()
        .map(|(n, entry)| {
            let (spec, place) = placed(entry);
            let at = At { phase: Phase::Backfill, id: format!("backfill.{}", n + 1), place };
            step(&at, spec)
        })
        .collect()
}

fn step(at: &At, spec: &BackfillSpec) -> Result<Step, CompileError> {
    check(at, spec)?;
    let batch = &spec.batch;
    let rows =
        batch.rows.unwrap_or(ROWS).clamp(batch.min_rows.unwrap_or(1), batch.max_rows.unwrap_or(u32::MAX));
    let backfill = Backfill {
        table: spec.table.clone(),
        work: spec.work.clone(),
        filter: spec.filter.clone(),
        key: spec.key.clone(),
        rows,
        pause: batch.pause.unwrap_or(PAUSE),
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

/// What the plan's author wrote must be expressions and nothing more, so that
/// it can stand inside a batch.
fn check(at: &At, spec: &BackfillSpec) -> Result<(), CompileError> {
    let columns: &[(Ident, String)] = match &spec.work {
        BackfillWork::Set(columns) | BackfillWork::Copy { columns, .. } => columns,
        BackfillWork::Delete => &[],
    };
    for (column, expr) in columns {
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
