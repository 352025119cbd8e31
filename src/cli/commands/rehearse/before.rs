//! Brings a database to where the rehearsal of an item can begin.

use crate::cli::desk::Desk;
use crate::cli::exit::{Code, CommandError};
use crate::cli::work::Worker;
use crate::core::decide::Wanted;
use crate::core::record::Record;
use crate::core::rehearse::{reaches_out, rehearsed, wanted_before};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::event::Listener;

/// Older items that are to be brought forward first, and how far.
///
/// # Errors
/// When the record cannot be read.
pub(super) async fn older<'a>(
    desk: &Desk,
    items: &'a [Item],
    item: &Item,
) -> Result<Vec<(&'a Item, State)>, CommandError> {
    let records = desk.records().await?;
    let wanted = |older: &'a Item| {
        let record = records.iter().find(|record| record.version == older.version);
        wanted_before(item, older, record).map(|state| (older, state))
    };
    Ok(items.iter().filter(|older| older.version < item.version).filter_map(wanted).collect())
}

/// Refuses what would reach out of the database, before any of it runs.
///
/// # Errors
/// When there is such a statement.
pub(super) fn refuse_outside<'a>(
    items: impl IntoIterator<Item = &'a Item>,
    clone: bool,
) -> Result<(), CommandError> {
    let mut found = Vec::new();
    for item in items {
        found.extend(reaches_out(item, clone)?);
    }
    if found.is_empty() {
        return Ok(());
    }
    Err(CommandError::Usage(format!(
        "{}\nA rehearsal would do this in earnest, as production does: --outside lets it",
        found.join("\n")
    )))
}

/// Brings older items as far as the machine would demand; which, and how far.
///
/// # Errors
/// When one of them cannot be brought there.
pub(super) async fn bring_forward(
    desk: &Desk,
    wanted: &[(&Item, State)],
    item: &Item,
    listener: &dyn Listener,
) -> Result<Vec<String>, CommandError> {
    let mut brought = Vec::new();
    for (older, state) in wanted {
        desk.store.lift_hold(&older.version, &desk.actor).await?;
        // What came before it may have made the tables that its recipes are about.
        let items = desk.items().await?;
        let anew = items.iter().find(|item| item.version == older.version);
        let open = rehearsed(anew.unwrap_or(older));
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
        let moved = match Box::pin(worker.run(&open, Wanted::Forward(*state), &[])).await {
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
