//! Lists what a plan may do and its author may not have meant: said by `check`
//! and before the plan starts, never a reason to refuse it.

use super::model::{Place, Plan, StepSpec};
use crate::core::ident::{Ident, QName, plain};

impl Plan {
    /// What to look at twice, with its place.
    #[must_use]
    pub fn cautions(&self) -> Vec<(Place, String)> {
        let drops = self.contract.iter().filter_map(|spec| match &spec.value {
            StepSpec::DropColumn { table, column } if !self.fills(table, column) => Some((
                spec.place,
                format!(
                    "no sync of this plan fills {0}.{1} (back: {{{1}: …}}): rows that new code writes have nothing there, \
                     and abort brings the column back as it was left",
                    table.plain(),
                    plain(column)
                ),
            )),
            _ => None,
        });
        // Without keep nothing is brought back anyway.
        drops.filter(|_| self.keep.is_some()).collect()
    }

    fn fills(&self, table: &QName, column: &Ident) -> bool {
        self.expand.iter().any(|spec| match &spec.value {
            StepSpec::Sync(sync) => sync.table == *table && sync.back.iter().any(|(name, _)| name == column),
            _ => false,
        })
    }
}
