//! Looks for partitions that came after the proof of a backfill: nobody has looked at their rows.

use crate::core::failure::Failure;
use crate::core::step::Action;
use crate::core::timeline::Item;
use crate::engine::backfill::PROOF;
use crate::engine::backfill::ports::Which;
use crate::engine::error::RunError;
use crate::engine::{Fence, Store, Target};

/// The tables that hold rows of what the item's backfills walk, and that their proofs know nothing of.
///
/// # Errors
/// When the record or the catalog cannot be read.
async fn joined<S: Store, T: Target>(store: &S, target: &T, item: &Item) -> Result<Vec<String>, Failure> {
    let mut joined = Vec::new();
    for step in &item.steps {
        let Action::Backfill(backfill) = &step.action else { continue };
        let which = Which { version: item.version.clone(), step: step.id.clone() };
        let known = store.leaves(&which, PROOF).await?;
        // Without a proof the gate is closed.
        if known.is_empty() {
            continue;
        }
        let leaves = target.table(backfill).await?.leaves;
        let unknown =
            leaves.iter().filter(|leaf| !known.iter().any(|known| known.leaf == leaf.table.to_string()));
        joined.extend(unknown.map(|leaf| leaf.table.plain()));
    }
    joined.sort();
    joined.dedup();
    Ok(joined)
}

/// Refuses to go on to contract where there are such. Proofs that were made are taken back, so that the next one
/// looks at every row.
///
/// # Errors
/// When there are, or the record or the catalog cannot be read.
pub(super) async fn refuse_joined<S: Store, T: Target>(
    store: &S,
    target: &T,
    fence: &Fence,
    item: &Item,
) -> Result<(), RunError> {
    let tables = joined(store, target, item).await?;
    if tables.is_empty() {
        return Ok(());
    }
    let error = RunError::Joined { tables };
    store.disprove(fence).await?;
    store.note(&item.version, None, "proof void", &error.to_string()).await?;
    Err(error)
}
