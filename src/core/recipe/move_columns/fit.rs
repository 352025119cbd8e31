//! Refuses by name what cannot move along, and cautions about what stays behind.

use super::MoveColumns;
use crate::core::ident::{Ident, plain};
use crate::core::recipe::draft::Draft;
use crate::core::recipe::known::{Column, Table};

impl MoveColumns {
    pub(super) fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table) {
        let table = self.table.plain();
        if !matches!(known.kind.as_str(), "r" | "") || known.partition {
            draft.refuse(format!(
                "{table} is partitioned, a partition, or no table: its columns cannot move by this recipe"
            ));
        }
        if known.inherited {
            draft.refuse(format!("other tables inherit from {table}, whose rows no trigger of it sees"));
        }
        if known.row_security {
            draft.refuse(format!(
                "{table} has row security, which the triggers and the new table would pass by: move its columns by hand"
            ));
        }
        for rule in &known.rules {
            draft.refuse(format!(
                "rule {rule} of {table} may write other rows than those that the triggers see"
            ));
        }
        if !known.triggers.is_empty() {
            let names: Vec<&str> = known.triggers.iter().map(|trigger| trigger.name.as_str()).collect();
            draft.caution(format!(
                "triggers of {table} fire as well for what new code writes in {}: {}",
                self.to.plain(),
                names.join(", ")
            ));
        }
    }

    pub(super) fn refuse_column(&self, draft: &mut Draft<'_>, known: &Table, old: &Ident, column: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(old));
        if column.until_contract.is_some() || column.exchanged {
            draft.refuse(format!("{name} is changed by this plan already: move it in another"));
        }
        if column.generated.is_some() || column.identity.is_some() || column.sequence.is_some() {
            draft.refuse(format!(
                "{name} is filled by the server, so that nothing can keep it equal to a column of another table"
            ));
        }
        if column.inherited {
            draft.refuse(format!("{name} is inherited: move it in the table that it comes from"));
        }
        if column.not_null && column.default.is_none() {
            draft.refuse(format!(
                "{name} is NOT NULL and has no default, so that new code, which does not know it, could not insert: give it a \
                 default before, by set_default in a plan of its own, or let it be null"
            ));
        }
        for trigger in &known.triggers {
            if trigger.columns.iter().any(|of| of == old.as_str()) {
                draft.refuse(format!(
                    "trigger {} is about {name}: drop it first, and make one of {}",
                    trigger.name,
                    self.to.plain()
                ));
            }
        }
        for index in known.indexes_of(old).filter(|index| index.replica_identity) {
            draft.refuse(format!("index {} over {name} is the replica identity of the table", index.name));
        }
        let held = known.holds_column(old);
        if !held.is_empty() {
            draft.refuse(format!(
                "{} depend on {name}: drop or replace them in a plan of its own before this one",
                held.join(", ")
            ));
        }
        let of_it = |columns: &[String]| columns.iter().any(|of| of == old.as_str());
        let stands = known.indexes_of(old).next().is_some()
            || known.constraints.iter().any(|one| one.kind != "n" && of_it(&one.columns));
        if stands {
            draft.caution(format!(
                "what stands over {name} holds new code as well until purge, and nothing of it goes to {}: add_index, add_unique, \
                 add_check, add_foreign_key after this change make there what it needs",
                self.to.plain()
            ));
        }
    }
}
