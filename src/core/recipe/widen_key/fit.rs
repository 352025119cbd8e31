//! Refuses by name what a wider key cannot take along.

use super::WidenKey;
use super::family::{Family, Member};
use crate::core::ident::{Ident, plain};
use crate::core::recipe::Change;
use crate::core::recipe::dependents::refuse_hanging;
use crate::core::recipe::draft::Draft;
use crate::core::recipe::known::{Column, Constraint, range};

impl WidenKey {
    pub(super) fn refuse_unfit(&self, draft: &mut Draft<'_>, family: &Family, column: &Column) {
        let name = format!("{}.{}", self.table.plain(), plain(&self.column));
        let Some(root) = family.members.first().filter(|root| !root.known.columns.is_empty()) else { return };
        match (range(&column.kind), range(self.kind)) {
            (Some((_, old)), Some((_, new))) if old < new => {}
            (Some(_), _) => draft.refuse(format!("{name} is {} already", column.kind)),
            (None, _) => {
                draft.refuse(format!("{name} is {}, and no integer: change_type is for those", column.kind));
            }
        }
        let key = |known: &Constraint| known.kind == "p" && known.columns.contains(&column.name);
        if !root.known.constraints.iter().any(key) {
            draft.refuse(format!("{name} is no part of a primary key: change_type is for those"));
        }
        for table in &family.unknown {
            draft.refuse(format!("{} refers to {name}, and cannot be looked at: where this plan gives a table another name, take two plans", table.plain()));
        }
        for member in &family.members {
            refuse_table(draft, member);
            refuse_referred(draft, member);
            member.columns.iter().for_each(|column| refuse_column(draft, member, column));
        }
        for link in &family.links {
            let of = family.members.get(link.child).map(|child| child.table.plain()).unwrap_or_default();
            if link.constraint.definition.contains(" SET DEFAULT") {
                draft.refuse(format!(
                    "foreign key {} of {of} sets a default, which the second column has none of until contract",
                    link.constraint.name
                ));
            }
        }
    }
}

fn refuse_table(draft: &mut Draft<'_>, member: &Member) {
    let Member { table, known, .. } = member;
    if known.kind == "p" || known.partition {
        draft.refuse(format!(
            "{} is partitioned, or a partition: a primary key cannot take over an index there",
            table.plain()
        ));
    }
    if known.inherited || member.columns.iter().any(|column| column.inherited) {
        draft.refuse(format!(
            "{} is inherited, and no trigger sees the rows of all those tables",
            table.plain()
        ));
    }
}

/// A foreign key of the same plan would hold on to the old columns when contract lets them go.
fn refuse_referred(draft: &mut Draft<'_>, member: &Member) {
    let columns: Vec<Ident> = member.names().collect();
    let refers = |change: &&Change| match change {
        Change::AddForeignKey(key) => key.refers_to(&member.table, &columns),
        Change::CreateTable(table) => table.refers_to(&member.table, &columns),
        _ => false,
    };
    let found = draft.changes_of(&member.table).find(refers).map(Change::name);
    if let Some(found) = found {
        draft.refuse(format!(
            "{found} of this plan refers to {0} by {1}, which gets another type in it: add that foreign key in a plan after \
             this one (phase purge PLAN --now ends the window of this one)",
            member.table.plain(),
            columns.iter().map(plain).collect::<Vec<_>>().join(", ")
        ));
    }
}

fn refuse_column(draft: &mut Draft<'_>, member: &Member, column: &Column) {
    let name = format!("{}.{}", member.table.plain(), column.name);
    if column.until_contract.is_some() || column.exchanged {
        draft.refuse(format!("a change before is about {name} already: take two plans"));
    }
    if column.generated.is_some() {
        draft.refuse(format!("{name} is computed by the server, and nothing can keep a second one in step"));
    }
    if let Ok(column) = Ident::exact(column.name.clone()) {
        refuse_hanging(draft, &member.table, &member.known, &column);
    }
    let draws =
        column.numbers.is_none() && column.default.as_deref().is_some_and(|text| text.contains("nextval("));
    if draws {
        draft.caution(format!(
            "the default of {name} draws from a sequence that does not belong to it: see to it that it counts on by \
             itself (ALTER SEQUENCE … AS bigint)"
        ));
    }
}
