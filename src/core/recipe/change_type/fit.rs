//! Refuses by name what a column of another type cannot take along.

use super::ChangeType;
use crate::core::ident::plain;
use crate::core::recipe::dependents::refuse_hanging;
use crate::core::recipe::draft::Draft;
use crate::core::recipe::known::{Column, Table, range};
use crate::core::sql::read_type;

impl ChangeType {
    pub(super) fn refuse_unfit(&self, draft: &mut Draft<'_>, known: &Table, column: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(&self.column));
        let of_it = |columns: &[String]| columns.iter().any(|name| name == self.column.as_str());
        if column.until_contract.is_some() && self.total {
            draft.refuse(format!(
                "{name} gets its name in this plan: take two plans, one after the other (phase purge PLAN --now ends the window of \
                 the first one)"
            ));
        } else if column.until_contract.is_some() {
            draft.refuse(format!(
                "{name} gets its name in this plan: put that rename_column right beside this, or say the name here, \
                 change_type: {{table: {}, column: {}, to: {}, …}}",
                self.table.plain(),
                column.until_contract.as_deref().unwrap_or_default(),
                plain(&self.column)
            ));
        }
        if column.exchanged {
            draft.refuse(format!("{name} gets another type in this plan already"));
        }
        if column.generated.is_some() {
            draft.refuse(format!(
                "{name} is computed by the server: add a column with the expression in the new type"
            ));
        }
        if column.inherited || known.inherited {
            draft.refuse(format!("{name} is inherited, and no trigger sees the rows of all those tables"));
        }
        if of_it(&known.partition_key) {
            draft.refuse(format!("{name} is part of the partition key, which nothing can replace"));
        }
        let integer = |kind: &str| range(kind).is_some();
        let widens = integer(&column.kind) && read_type(&self.kind).is_ok_and(|kind| integer(kind.base()));
        if column.identity.is_some() || column.sequence.is_some() {
            let helps = if widens
                && known.constraints.iter().any(|key| key.kind == "p" && of_it(&key.columns))
            {
                "widen_key hands that over"
            } else if column.identity.is_some() {
                "of a column that is no key nothing hands that over: steps of your own do it"
            } else {
                "let it go before (ALTER SEQUENCE … OWNED BY NONE), and give it to the column again when the plan is completed"
            };
            draft.refuse(format!("{name} has numbers of its own sequence: {helps}"));
        }
        for key in known.constraints.iter().filter(|key| key.kind == "p" && of_it(&key.columns)) {
            draft.refuse(format!("{name} is part of the primary key {}: widen_key is for those", key.name));
        }
        for key in known.referenced_by.iter().filter(|key| of_it(&key.columns)) {
            draft.refuse(format!(
                "foreign key {} of {} refers to {name}: {}",
                key.name,
                key.table,
                if widens {
                    "widen_key takes those along"
                } else {
                    "drop it in a plan before this one, and add it in one after"
                }
            ));
        }
        refuse_hanging(draft, &self.table, known, &self.column);
    }
}
