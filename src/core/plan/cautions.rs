//! Lists what a plan may do and its author may not have meant: said by `check`
//! and before the plan starts, never a reason to refuse it.

use super::model::{BackfillWork, Place, Plan, StepSpec};
use crate::core::ident::{Ident, QName, plain};

impl Plan {
    /// What to look at twice, with its place.
    #[must_use]
    pub fn cautions(&self) -> Vec<(Place, String)> {
        let drops = self.contract.iter().filter_map(|spec| match &spec.value {
            StepSpec::DropColumn { table, column, .. } if !self.fills(table, column) => Some((
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
        drops.filter(|_| self.keep.is_some()).chain(self.left_null()).collect()
    }

    /// Columns that are to be NOT NULL and that only a backfill fills: rows that come after it fill them, or fail.
    fn left_null(&self) -> impl Iterator<Item = (Place, String)> + '_ {
        self.validate.iter().filter_map(|spec| match &spec.value {
            StepSpec::NotNull { table, column } if self.backfills(table, column) && !self.syncs(table, column) => Some((
                spec.place,
                format!(
                    "no sync of this plan fills {0}.{1} (sync: {{table: {0}, set: {{{1}: …}}}}): rows that come after the \
                     backfill stop validate, unless a default or the application fills it",
                    table.plain(),
                    plain(column)
                ),
            )),
            _ => None,
        })
    }

    fn backfills(&self, table: &QName, column: &Ident) -> bool {
        self.backfill.iter().any(|spec| match &spec.value.work {
            BackfillWork::Set(columns) => {
                spec.value.table == *table && columns.iter().any(|(name, _)| name == column)
            }
            BackfillWork::Copy { .. } | BackfillWork::Delete => false,
        })
    }

    fn syncs(&self, table: &QName, column: &Ident) -> bool {
        self.expand.iter().any(|spec| match &spec.value {
            StepSpec::Sync(sync) => sync.table == *table && sync.set.iter().any(|(name, _)| name == column),
            _ => false,
        })
    }

    fn fills(&self, table: &QName, column: &Ident) -> bool {
        self.expand.iter().any(|spec| match &spec.value {
            StepSpec::Sync(sync) => sync.table == *table && sync.back.iter().any(|(name, _)| name == column),
            _ => false,
        })
    }
}
