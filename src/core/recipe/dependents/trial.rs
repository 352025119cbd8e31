//! Tries an exchange in a subtransaction that never stays: what cannot be made over the new types
//! fails there, before anything hangs on the plan.

use super::super::draft::Draft;
use super::super::known::Dependent;
use super::Target;
use crate::core::ident::{Ident, do_block, literal};

/// The statement that tries it.
pub(super) fn trial<'a>(
    draft: &Draft<'_>,
    targets: &[&Target<'_>],
    away: impl Iterator<Item = &'a Dependent>,
    found: &[&Dependent],
) -> String {
    let drops = away.map(|one| one.drop.clone());
    let (renamed, _) = renames(draft, targets);
    // The primary key is over the old columns there, for whatever the server could group by it.
    let makes = found.iter().filter(|one| !one.keyed).flat_map(|one| {
        one.make.iter().cloned().chain(one.indexes.iter().map(|index| index.definition.clone()))
    });
    let statements: String = drops
        .chain(renamed)
        .chain(makes)
        .map(|statement| format!("    EXECUTE {};\n", literal(&statement)))
        .collect();
    do_block(&format!(
        "BEGIN\n  BEGIN\n{statements}    RAISE SQLSTATE 'PH000';\n  EXCEPTION WHEN SQLSTATE 'PH000' THEN\n    NULL;\n  END;\nEND"
    ))
}

/// What gives the new columns the names of the old ones, and what takes that back.
pub(super) fn renames(draft: &Draft<'_>, targets: &[&Target<'_>]) -> (Vec<String>, Vec<String>) {
    let (mut there, mut back) = (Vec::new(), Vec::new());
    for target in targets {
        let table = target.table;
        let column = |from: &Ident, to: &Ident| format!("ALTER TABLE {table} RENAME COLUMN {from} TO {to}");
        for (from, to) in &target.pairs {
            let was = draft.own_name(&format!("was_{}", from.as_str()));
            there.extend([column(from, &was), column(to, from)]);
            back.extend([column(from, to), column(&was, from)]);
        }
    }
    (there, back)
}
