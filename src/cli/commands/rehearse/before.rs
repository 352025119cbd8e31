//! Brings a database to where the rehearsal of an item can begin.

use crate::cli::desk::Desk;
use crate::cli::exit::{Code, CommandError};
use crate::cli::work::Worker;
use crate::core::decide::Wanted;
use crate::core::record::Record;
use crate::core::rehearse::{rehearsed, wanted_before};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::event::Listener;

/// Brings older items as far as the machine would demand; which, and how far.
///
/// # Errors
/// When one of them cannot be brought there.
pub(super) async fn bring_forward(
    desk: &Desk,
    items: &[Item],
    item: &Item,
    listener: &dyn Listener,
) -> Result<Vec<String>, CommandError> {
    let mut brought = Vec::new();
    for older in items.iter().filter(|older| older.version < item.version) {
        let records = desk.records().await?;
        let record = records.iter().find(|record| record.version == older.version);
        let Some(state) = wanted_before(item, older, record) else { continue };
        desk.store.lift_hold(&older.version, &desk.actor).await?;
        let open = rehearsed(older);
        let mut worker = Worker::new(desk, listener);
        (worker.purge_early, worker.rehearsal) = (true, true);
        let before = |why: String| CommandError::NoPath {
            item: older.stem(),
            why: format!(
                "it comes before {} and could not be brought to {state}: {why}; what the target has without a record \
                 of it is put on record by phase baseline",
                item.stem()
            ),
        };
        let moved = match Box::pin(worker.run(&open, Wanted::Forward(state), &[])).await {
            Err(error @ (CommandError::Run { .. } | CommandError::NoPath { .. })) => {
                return Err(before(error.to_string()));
            }
            moved => moved?,
        };
        if moved.code != Code::Done {
            return Err(before(moved.reasons.join("; ")));
        }
        brought.push(format!("{}: {}", older.stem(), moved.state));
    }
    Ok(brought)
}

/// Takes back what has been done of the plan already, so that all of it is rehearsed;
/// the state that it was in.
///
/// # Errors
/// When nothing leads back.
pub(super) async fn take_back(
    desk: &Desk,
    item: &Item,
    listener: &dyn Listener,
) -> Result<Option<State>, CommandError> {
    let records = desk.records().await?;
    let known = |record: &&Record| record.version == item.version;
    let Some(record) = records.iter().find(known) else { return Ok(None) };
    let no_way = |why: String| CommandError::NoPath { item: item.stem(), why };
    if record.state == State::Completed {
        return Err(no_way(
            "it is completed there: nothing of it is left to rehearse; --from-files rehearses it from the start"
                .into(),
        ));
    }
    desk.store.lift_hold(&item.version, &desk.actor).await?;
    let begun = record.state != State::Planned || record.goal != State::Planned;
    if begun && record.state != State::Aborted {
        let mut worker = Worker::new(desk, listener);
        worker.rehearsal = true;
        let moved = Box::pin(worker.run(item, Wanted::Abort, &[])).await?;
        if moved.code != Code::Done {
            return Err(no_way(format!("it could not be taken back: {}", moved.reasons.join("; "))));
        }
    }
    desk.store.again(&item.version).await?;
    Ok(begun.then_some(record.state))
}
