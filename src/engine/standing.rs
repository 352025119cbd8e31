//! Looks whether the syncs of a plan still stand, before each step that builds on what they
//! keep in step, and refuses to go on where one does not.

use crate::core::failure::Failure;
use crate::core::state::State;
use crate::core::step::Action;
use crate::core::sync::standing::{Lost, describe, due, lost};
use crate::core::timeline::Item;
use crate::engine::error::RunError;
use crate::engine::{Fence, Store, Target};

/// The triggers of an item's syncs that do not stand as its steps made them.
///
/// # Errors
/// When the record or the catalog cannot be read.
pub async fn lost_of<S: Store, T: Target>(store: &S, target: &T, item: &Item) -> Result<Vec<Lost>, Failure> {
    if item.steps.iter().all(|step| step.syncs.is_empty()) {
        return Ok(Vec::new());
    }
    let due = due(&item.steps, &store.steps(&item.version).await?);
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let seen = target.sync_triggers(&due).await?;
    Ok(due.iter().zip(&seen).filter_map(|(due, seen)| lost(due, seen)).collect())
}

/// Refuses to go on where a sync does not stand. Proofs that were made are taken back: once
/// the sync is put back, every row is to be looked at again.
///
/// # Errors
/// When a trigger is lost, or the record or the catalog cannot be read.
pub async fn refuse_lost<S: Store, T: Target>(
    store: &S,
    target: &T,
    fence: &Fence,
    item: &Item,
    (state, goal): (State, State),
) -> Result<(), RunError> {
    let lost = lost_of(store, target, item).await?;
    if lost.is_empty() {
        return Ok(());
    }
    store.disprove(fence).await?;
    store.note(&item.version, None, "sync lost", &describe(&lost)).await?;
    let proves = item.steps.iter().any(|step| matches!(step.action, Action::Backfill(_)));
    Err(RunError::SyncLost { lost, state, goal, proves })
}

/// Says on the way back what the old shape may miss; nothing stands in the way of an abort.
///
/// # Errors
/// When the record or the catalog cannot be read.
pub async fn tell_lost<S: Store, T: Target>(store: &S, target: &T, item: &Item) -> Result<(), RunError> {
    let lost = lost_of(store, target, item).await?;
    if !lost.is_empty() {
        let said = describe(&lost);
        store.note(&item.version, None, "sync lost", &said).await?;
        tracing::warn!("{}: {said}", item.stem());
    }
    Ok(())
}
