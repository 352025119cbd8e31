//! Owns the prediction: what the lock table says of each piece of work of a leg, in
//! the database as it stands by then.

use crate::core::backfill::Backfill;
use crate::core::lint::partitioned::sent;
use crate::core::lint::{Inspected, Mentions, World, inspect_sql};
use crate::core::plan::model::BackfillWork;
use crate::core::record::{StepRecord, StepStatus};
use crate::core::sql::{SqlError, Statement, split};
use crate::core::step::{Action, IndexBuild, Step, Undo};

/// One piece of work of a leg: a step, or its undo.
#[derive(Debug, Clone)]
pub struct Piece<'a> {
    /// The step.
    pub step: &'a Step,
    /// Whether it is taken back.
    pub undo: bool,
    /// What runs.
    pub action: Action,
}

/// The work of a leg forward.
#[must_use]
pub fn forward<'a>(steps: &[&'a Step]) -> Vec<Piece<'a>> {
    steps.iter().map(|step| Piece { step, undo: false, action: step.action.clone() }).collect()
}

/// The work of the way back over the steps that are on record, newest first.
#[must_use]
pub fn back<'a>(steps: &'a [Step], recorded: &[StepRecord]) -> Vec<Piece<'a>> {
    let piece = |step: &'a Step| {
        let record = recorded.iter().find(|record| record.step == step.id)?;
        let action = match &step.undo {
            _ if record.status == StepStatus::Undone => None,
            Undo::Run(action) => Some(action.clone()),
            Undo::Recorded => {
                let kept = record.undo.as_deref().and_then(IndexBuild::from_json);
                kept.map(Action::BuildIndex)
            }
            Undo::Nothing | Undo::Irreversible(_) => None,
        };
        action.map(|action| Piece { step, undo: true, action })
    };
    steps.iter().rev().filter_map(piece).collect()
}

/// The names that the catalog must be asked about.
///
/// # Errors
/// When SQL does not parse.
pub fn mentions(pieces: &[Piece<'_>]) -> Result<Mentions, SqlError> {
    let read: Vec<Vec<Statement>> =
        pieces.iter().map(|piece| statements(&piece.action)).collect::<Result<_, _>>()?;
    Ok(Mentions::of(read.iter().flatten().flat_map(|statement| &statement.changes)))
}

/// What each statement of a piece is predicted to do; `world` is what stands after it.
///
/// # Errors
/// As [`mentions`].
pub fn predict(piece: &Piece<'_>, world: &mut World) -> Result<Vec<Inspected>, SqlError> {
    let sql = match &piece.action {
        Action::Backfill(backfill) => vec![batch(backfill)],
        Action::BuildIndex(_) | Action::DropIndex { .. } => sent(&piece.action, world)?,
        action => action.sql(),
    };
    inspect_sql(&sql, world)
}

fn statements(action: &Action) -> Result<Vec<Statement>, SqlError> {
    let sql = match action {
        Action::Backfill(backfill) => vec![batch(backfill)],
        other => other.sql(),
    };
    let read: Vec<Vec<Statement>> = sql.iter().map(|sql| split(sql)).collect::<Result<_, _>>()?;
    Ok(read.into_iter().flatten().collect())
}

/// The statement that takes the same locks as a batch.
fn batch(backfill: &Backfill) -> String {
    let table = &backfill.table;
    match &backfill.work {
        BackfillWork::Set(_) => format!("UPDATE {table} SET id = 1 WHERE id = 1"),
        BackfillWork::Copy { into, .. } => format!("INSERT INTO {into} SELECT FROM {table} WHERE id = 1"),
        BackfillWork::Delete => format!("DELETE FROM {table} WHERE id = 1"),
    }
}
