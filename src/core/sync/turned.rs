//! Writes the trigger function and the WHEN clause of a sync that was turned
//! round: only the old columns, hidden by now, are filled.

use std::collections::BTreeSet;

use super::{Computed, Sync, changed};
use crate::core::ident::Ident;

fn kept<'a>(
    sync: &'a Sync,
    columns: &'a [(Ident, Ident)],
) -> impl Iterator<Item = (&'a Computed, &'a Ident)> {
    columns.iter().filter_map(|(old, now)| {
        sync.back.iter().find(|computed| computed.column == *old).map(|computed| (computed, now))
    })
}

/// When an UPDATE needs the function: an input of an old column changed.
pub(super) fn condition(sync: &Sync, columns: &[(Ident, Ident)]) -> Option<String> {
    let inputs: BTreeSet<&Ident> = kept(sync, columns).flat_map(|(computed, _)| &computed.inputs).collect();
    let conditions: Vec<String> = inputs.into_iter().map(changed).collect();
    (!conditions.is_empty()).then(|| conditions.join("\n  OR "))
}

/// The old columns that it fills, under the names that they have now, each with its expression.
pub(super) fn filled(sync: &Sync, columns: &[(Ident, Ident)]) -> Vec<(Ident, String)> {
    let expr =
        |old: &Ident| sync.spec.back.iter().find(|(column, _)| column == old).map(|(_, expr)| expr.clone());
    columns.iter().filter_map(|(old, now)| Some((now.clone(), expr(old)?))).collect()
}

/// The body: each old column from the new ones, under the name that it has now.
pub(super) fn body(sync: &Sync, columns: &[(Ident, Ident)]) -> String {
    let fill: String = kept(sync, columns)
        .map(|(computed, now)| format!("  NEW.{now} := {};\n", computed.over_new))
        .collect();
    format!("BEGIN\n{fill}  RETURN NEW;\nEND")
}
