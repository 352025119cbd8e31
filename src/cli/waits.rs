//! Owns what `backfill --wait` waits for.

use jiff::Timestamp;

use crate::cli::desk::Desk;
use crate::cli::exit::CommandError;
use crate::core::step::{Action, Step};
use crate::core::timeline::Item;

/// What a backfill that waits has to wait for: a hold that somebody lifts, or its window.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn waits_for(desk: &Desk, item: &Item) -> Result<Option<String>, CommandError> {
    let records = desk.records().await?;
    let Some(record) = records.iter().find(|record| record.version == item.version) else { return Ok(None) };
    if let Some(hold) = &record.hold {
        return Ok(Some(format!(
            "it is paused by {} since {:.0}: {}; phase resume {}",
            hold.by, hold.since, hold.reason, item.version
        )));
    }
    let progress = desk.store.progress(&item.version).await?;
    let over = |step: &Step| progress.iter().any(|(id, total)| *id == step.id && total.over());
    let next = item.steps.iter().filter(|step| !over(step)).find_map(|step| match &step.action {
        Action::Backfill(backfill) => Some(backfill.tuning.window.as_ref()),
        _ => None,
    });
    Ok(next.flatten().and_then(|window| window.closed(Timestamp::now())))
}
