//! Refuses what gives another value each time it is looked at, where columns are kept in step both ways.

use super::draft::Draft;
use crate::core::ident::{Ident, QName, plain};
use crate::core::sql::{read_default, restless};

/// The triggers look at the expression once more than the backfill does: its value would look like that of
/// new code, and `back` would overwrite the old column with it.
pub(super) fn refuse(draft: &mut Draft<'_>, table: &QName, column: &Ident, using: &str) {
    let calls = read_default(using).map(|read| read.calls).unwrap_or_default();
    for call in calls.iter().filter(|call| restless(call)) {
        draft.refuse(format!(
            "using of {}.{} calls {}(), which gives another value each time, so that no trigger could tell what the \
             backfill writes from a write of new code, for which back overwrites the old column: take add_column with a default or \
             from, or a column in which the values stand already",
            table.plain(),
            plain(column),
            call.plain()
        ));
    }
}
