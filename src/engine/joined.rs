//! Looks for partitions that came, with rows, after the proof of a backfill: those rows were there before any trigger
//! saw them, and no pass has done them.

use std::time::Duration;

use crate::core::failure::Failure;
use crate::core::step::{Action, Limits};
use crate::core::timeline::Item;
use crate::engine::backfill::PROOF;
use crate::engine::backfill::ports::Which;
use crate::engine::error::RunError;
use crate::engine::{Fence, Store, Target};

/// The tables that came after the proofs of the item's backfills and hold rows that these have not done. A partition
/// that was made empty, and filled by applications since, has none: the sync came with it.
async fn joined<S: Store, T: Target>(
    store: &S,
    target: &T,
    item: &Item,
    limits: &Limits,
) -> Result<Vec<String>, Failure> {
    let limits = Limits { statement_timeout: Duration::ZERO, ..*limits };
    let mut joined = Vec::new();
    for step in &item.steps {
        let Action::Backfill(backfill) = &step.action else { continue };
        let which = Which { version: item.version.clone(), step: step.id.clone() };
        let known = store.leaves(&which, PROOF).await?;
        // Without a proof the gate is closed.
        if known.is_empty() {
            continue;
        }
        for leaf in target.table(backfill).await?.leaves {
            let name = leaf.table.to_string();
            if known.iter().any(|known| known.leaf == name) {
                continue;
            }
            let Some(sql) = backfill.untouched_sql(&leaf) else { continue };
            if target.fetch_value(&sql, &limits).await?.is_some_and(|found| found == "t" || found == "true") {
                joined.push(leaf.table.plain());
            }
        }
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
    limits: &Limits,
) -> Result<(), RunError> {
    let tables = joined(store, target, item, limits).await?;
    if tables.is_empty() {
        return Ok(());
    }
    let error = RunError::Joined { tables };
    store.disprove(fence).await?;
    store.note(&item.version, None, "proof void", &error.to_string()).await?;
    Err(error)
}
