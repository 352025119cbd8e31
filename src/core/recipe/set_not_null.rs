//! `set_not_null`: a column that must have a value, from validate on: old code is bound like new
//! code then, so a gate on validate is for the version that never leaves it null.
//!
//! Nothing is refused before: expand leaves the column as it is, and the rows that have nothing in
//! it may be filled meanwhile.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::reader::Reader;
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::model::StepSpec;

/// `set_not_null: {table, column, fill}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column.
    column: String,
    /// What the rows get that have nothing in it: an expression over the row.
    fill: Option<String>,
}

/// A column that must have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetNotNull {
    table: QName,
    column: Ident,
    fill: Option<String>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<SetNotNull> {
    let (table, column) = (reader.table("table", &raw.table), reader.ident("column", &raw.column));
    let fill = reader.maybe("fill", raw.fill.as_deref());
    Some(SetNotNull { table: table?, column: column?, fill: fill? })
}

impl SetNotNull {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column, fill } = self;
        let name = format!("{}.{}", table.plain(), plain(column));
        if draft.column(table, column).not_null {
            draft.refuse(format!("{name} is NOT NULL already"));
        }
        let now = draft.name_now(table, column);
        if let Some(fill) = fill {
            let fill = draft.expression_now(table, fill);
            // A row that the expression gives nothing for would be left to do for ever.
            let left = format!("{now} IS NULL AND ({fill}) IS NOT NULL");
            draft.fill(table, vec![(now.clone(), fill)], Some(left));
        }
        draft.binds(&format!("NOT NULL of {name}"));
        draft.validate(StepSpec::NotNull { table: table.clone(), column: now });
        draft.now_column(table, column, |known| known.not_null = true);
    }
}
