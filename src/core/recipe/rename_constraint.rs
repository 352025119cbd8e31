//! `rename_constraint`: in contract, because only ON CONFLICT ON CONSTRAINT and a program that reads
//! the names in errors ask for a name, and a constraint has one at a time.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::reader::Reader;
use crate::core::ident::{Ident, QName, plain};

/// `rename_constraint: {table, from, to}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The constraint's name now.
    from: String,
    /// Its name at the end.
    to: String,
}

/// Another name for a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenameConstraint {
    table: QName,
    from: Ident,
    to: Ident,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<RenameConstraint> {
    let (table, from, to) = reader.renamed(&raw.table, &raw.from, &raw.to)?;
    Some(RenameConstraint { table, from, to })
}

impl RenameConstraint {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, from, to } = self;
        self.refuse_unfit(draft);
        let rename =
            |from: &Ident, to: &Ident| format!("ALTER TABLE {table} RENAME CONSTRAINT {from} TO {to}");
        draft.contract_sql(Sql::new(rename(from, to), rename(to, from)));
        draft.now(table, |known| {
            let same = |name: &str| name == from.as_str();
            known
                .indexes
                .iter_mut()
                .filter(|index| same(&index.name) && index.constraint.is_some())
                .for_each(|index| {
                    to.as_str().clone_into(&mut index.name);
                });
            let Some(found) = known.constraints.iter_mut().find(|known| same(&known.name)) else { return };
            let mut gone = found.clone();
            to.as_str().clone_into(&mut found.name);
            gone.until_contract = true;
            known.constraints.push(gone);
        });
    }

    fn refuse_unfit(&self, draft: &mut Draft<'_>) {
        let Self { table, from, to } = self;
        let Some(known) = draft.required(table) else { return };
        match known.constraint(from).filter(|found| !found.until_contract) {
            None => draft.refuse(format!("table {} has no constraint {}", table.plain(), plain(from))),
            Some(found) if found.inherited => {
                draft.refuse(format!(
                    "{} of {} comes from a table above: rename it there",
                    plain(from),
                    table.plain()
                ));
            }
            Some(_) => {}
        }
        if known.constraints.iter().any(|known| known.name == to.as_str() && !known.until_contract) {
            draft.refuse(format!("table {} has a constraint {} already", table.plain(), plain(to)));
        }
    }
}
