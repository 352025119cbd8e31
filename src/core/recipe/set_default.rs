//! `set_default`: the value of a column that an INSERT leaves out, from expand on, because new code
//! leaves it out from its first statement on.
//!
//! Old code that leaves it out gets it as well. Where that is wrong, because it relies on another
//! default, `when: contract` sets it when old code is gone; new code must then write the column itself. So it is of
//! a column that a change before this one fills from others, until contract.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::{Draft, Sql};
use super::known::Column;
use super::reader::Reader;
use crate::core::ident::{Ident, QName, plain};

/// `set_default: {table, column, default, when}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column.
    column: String,
    /// The default, as SQL writes it.
    default: String,
    /// The phase that sets it; expand where nothing is said.
    when: Option<When>,
}

/// The phase that sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum When {
    /// Before new code is there.
    Expand,
    /// When old code is gone.
    Contract,
}

/// Another default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetDefault {
    table: QName,
    column: Ident,
    default: String,
    when: When,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<SetDefault> {
    let (table, column) = (reader.table("table", &raw.table), reader.ident("column", &raw.column));
    let default = reader.expression("default", &raw.default);
    let when = raw.when.unwrap_or(When::Expand);
    Some(SetDefault { table: table?, column: column?, default: default?, when })
}

impl SetDefault {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column, default, when } = self;
        draft.required(table);
        let known = draft.column(table, column);
        refuse_unfit(draft, table, &known);
        // A sync would take it for a value that somebody wrote.
        let filled = draft.is_filled(table, &draft.name_now(table, column));
        let when = if filled { When::Contract } else { *when };
        let name = match when {
            When::Expand => draft.name_now(table, column),
            When::Contract => column.clone(),
        };
        let alter = format!("ALTER TABLE {table} ALTER COLUMN {name}");
        let before = match &known.default {
            Some(before) => format!("{alter} SET DEFAULT {before}"),
            None => format!("{alter} DROP DEFAULT"),
        };
        let sql = Sql::new(format!("{alter} SET DEFAULT {default}"), before);
        match when {
            When::Expand => {
                if let Some(before) = &known.default {
                    draft.caution(format!(
                        "old code that leaves {}.{} out has had {before}, and gets {default} from expand on: \
                         when: contract is for code that relies on the old one",
                        table.plain(),
                        plain(column)
                    ));
                }
                draft.expand_sql(sql);
            }
            When::Contract => draft.contract_sql(sql),
        }
        if filled && self.when == When::Expand {
            draft.caution(format!(
                "{}.{} has its default from contract on: before that a sync fills it from what old code writes",
                table.plain(),
                plain(column)
            ));
        }
        draft.now_column(table, column, |known| known.default = Some(default.clone()));
    }
}

/// Refuses a column whose values are the server's own.
pub(super) fn refuse_unfit(draft: &mut Draft<'_>, table: &QName, known: &Column) {
    let name = format!(
        "{}.{}",
        table.plain(),
        Ident::exact(known.name.clone()).as_ref().map_or_else(|_| String::new(), plain)
    );
    if known.generated.is_some() {
        draft.refuse(format!("{name} is computed by the server, and has no default"));
    }
    if known.identity.is_some() {
        draft.refuse(format!("{name} is an identity column, whose sequence is its default"));
    }
}
