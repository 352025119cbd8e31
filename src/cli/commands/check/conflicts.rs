//! Looks for conflicts among the items that are checked, by what is known of
//! where they stand.

use crate::core::conflict::{Conflict, Grade, Standing, among};
use crate::core::record::Record;
use crate::core::sql::SqlError;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::version::Version;

/// How to say that an item is over, where nobody has asked the record.
const OVER: &str = "where that one is over, phase check --online knows, and --since VERSION leaves it out";

/// How many pairs are named that matter only where both are open, when nobody knows.
const NAMED: usize = 3;

/// Conflicts without a record: up to `since` everything is over, what comes after it is
/// open; without it nobody knows.
///
/// # Errors
/// When SQL of an item cannot be read.
pub(super) fn offline(items: &[Item], since: Option<&Version>) -> Result<Vec<Conflict>, SqlError> {
    let found = among(items, &|item| match since {
        Some(since) if item.version <= *since => Standing::Over,
        Some(_) => Standing::Open,
        None => Standing::Unknown,
    })?;
    let told = |conflict: Conflict| Conflict { message: format!("{}; {OVER}", conflict.message), ..conflict };
    Ok(found.into_iter().map(told).collect())
}

/// Conflicts by the record.
///
/// # Errors
/// As [`offline`].
pub(super) fn online(items: &[Item], records: &[Record]) -> Result<Vec<Conflict>, SqlError> {
    among(items, &|item| match records.iter().find(|record| record.version == item.version) {
        Some(record) if over(record) => Standing::Over,
        _ => Standing::Open,
    })
}

/// Whether nothing of an item runs any more.
pub(super) const fn over(record: &Record) -> bool {
    record.baseline || matches!(record.state, State::Completed | State::Aborted)
}

/// The conflicts to show, and how many pairs of older files are left out: of those
/// that are none where one of the two is over, the newest stand for all.
pub(super) fn shown(conflicts: &[Conflict]) -> (Vec<&Conflict>, usize) {
    let errors = conflicts.iter().filter(|conflict| conflict.level == Grade::Error);
    let warnings: Vec<&Conflict> =
        conflicts.iter().filter(|conflict| conflict.level == Grade::Warning).collect();
    let left = warnings.len().saturating_sub(NAMED);
    (errors.chain(warnings.into_iter().take(NAMED)).collect(), left)
}

/// What is said of the pairs that are left out.
pub(super) fn rest(left: usize, online: bool) -> String {
    if online {
        return format!(
            "{left} more pairs of open files share tables, where each waits for the other's locks: --json has them"
        );
    }
    format!(
        "{left} more pairs of files touch the same columns, which is a conflict only where both are open: \
         phase check --online knows, and --since VERSION leaves out what is over"
    )
}
