//! Finds how the rows of the two tables belong together: by the foreign key of the one that gets the columns.

use super::MoveColumns;
use crate::core::ident::{Ident, plain};
use crate::core::recipe::create_table::Owner;
use crate::core::recipe::draft::Draft;
use crate::core::recipe::known::Table;

impl MoveColumns {
    /// How rows belong together: by the foreign key of the table that gets the columns.
    pub(super) fn key_of(&self, draft: &mut Draft<'_>, known: &Table) -> Vec<(Ident, Ident)> {
        let Self { table, to, .. } = self;
        let assumed = || {
            let id = Ident::exact("id").ok().map(|id| vec![(id.clone(), id)]);
            self.key.clone().or(id).unwrap_or_default()
        };
        let Some(made) = draft.creates(to) else {
            if draft.knows_all() {
                draft.refuse(format!(
                    "{} is not made by a create_table of this plan: what the rows of a table that is there already should \
                     have in the columns nobody could tell, so make a table for them",
                    to.plain()
                ));
            }
            return assumed();
        };
        if draft.table(to).is_none() {
            draft.refuse(format!("put the create_table of {} before it", to.plain()));
        }
        let primary = known.indexes.iter().find(|index| index.constraint.as_deref() == Some("p"));
        let primary: Option<Vec<Ident>> = primary
            .map(|index| index.keys.iter().filter_map(|name| Ident::exact(name.clone()).ok()).collect());
        let mut found = made.owners(table);
        let with_names = |owner: &Owner| -> Vec<(Ident, Ident)> {
            let there = match (owner.to.is_empty(), &primary) {
                (false, _) => owner.to.clone(),
                (true, Some(primary)) => primary.clone(),
                (true, None) => owner.columns.clone(),
            };
            there.into_iter().zip(owner.columns.iter().cloned()).collect()
        };
        if let Some(wanted) = &self.key {
            found.retain(|owner| {
                let pairs = with_names(owner);
                pairs.len() == wanted.len() && wanted.iter().all(|pair| pairs.contains(pair))
            });
        }
        let [owner] = found.as_slice() else {
            draft.refuse(format!(
                "{0} needs one foreign key to {1}, over its primary key or a unique one, that says which rows belong together; \
                 where there are several, key says which: key: {{column of {1}: column of {0}}}",
                to.plain(),
                table.plain()
            ));
            return assumed();
        };
        let key = with_names(owner);
        if !owner.follows_delete {
            draft.refuse(format!(
                "the foreign key of {} to {} is not on_delete: cascade: old code, which does not know its rows, could delete none of {}",
                to.plain(),
                table.plain(),
                table.plain()
            ));
        }
        if !owner.follows_update {
            draft.caution(format!(
                "a statement that changes the key of a row of {} fails from expand on, unless the foreign key of {} is on_update: cascade",
                table.plain(),
                to.plain()
            ));
        }
        for (_, column) in key.iter().filter(|(_, column)| !made.never_null(column)) {
            draft.refuse(format!("{}.{} must be NOT NULL: rows are found by it", to.plain(), plain(column)));
        }
        for column in made.wanted().into_iter().filter(|column| key.iter().all(|(_, of)| of != *column)) {
            draft.refuse(format!(
                "{}.{} is NOT NULL and has no default, so that rows which old code makes could not come there",
                to.plain(),
                plain(column)
            ));
        }
        if self
            .columns
            .iter()
            .any(|(old, new)| key.iter().any(|(of_old, of_new)| of_old == old || of_new == new))
        {
            draft.refuse("a column of the key is in both tables and does not move");
        }
        key
    }
}
