//! `drop_default`: an INSERT must give the column, or leaves it null: in contract, because old code
//! may rely on the default until it is gone.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::reader::Reader;
use super::set_default::refuse_unfit;
use crate::core::ident::{Ident, QName, plain};

/// `drop_default: {table, column}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column.
    column: String,
}

/// A column without a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropDefault {
    table: QName,
    column: Ident,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<DropDefault> {
    let (table, column) = (reader.table("table", &raw.table), reader.ident("column", &raw.column));
    Some(DropDefault { table: table?, column: column? })
}

impl DropDefault {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column } = self;
        let name = format!("{}.{}", table.plain(), plain(column));
        draft.required(table);
        let known = draft.column(table, column);
        refuse_unfit(draft, table, &known);
        let before = match (&known.default, draft.table(table)) {
            (Some(before), _) => before.clone(),
            (None, Some(_)) => {
                draft.refuse(format!("{name} has no default"));
                return;
            }
            // It is not known; such a plan is never run.
            (None, None) => Ident::shortened("", &format!("default of {name}")).to_string(),
        };
        let alter = format!("ALTER TABLE {table} ALTER COLUMN {column}");
        draft
            .contract_sql(Sql::new(format!("{alter} DROP DEFAULT"), format!("{alter} SET DEFAULT {before}")));
        draft.now_column(table, column, |known| known.default = None);
    }
}
