//! `add_check`: a CHECK in force from validate on, when every row is proven to keep to it.
//!
//! It binds every writer from the moment on at which it is there, NOT VALID or not, so it is not
//! there in expand, where only old code runs: a gate on validate is for the version that keeps to it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::constraint::{self, Kind};
use super::draft::{Draft, Sql};
use super::reader::Reader;
use crate::core::ident::{Ident, QName, plain};
use crate::core::sql::expression_columns;

/// `add_check: {table, check, name}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// What must hold for every row: an expression over it.
    check: String,
    /// Its name; without, the one that PostgreSQL would choose.
    name: Option<String>,
}

/// A CHECK.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheck {
    table: QName,
    check: String,
    columns: Vec<Ident>,
    name: Option<Ident>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<AddCheck> {
    let table = reader.table("table", &raw.table);
    let name = constraint::given_name(reader, raw.name.as_deref());
    let check = reader.expression("check", &raw.check)?;
    let columns = reader.faults.take(reader.at, "check", expression_columns(&check));
    Some(AddCheck { table: table?, check, columns: columns?, name: name? })
}

impl AddCheck {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, check, columns, name } = self;
        draft.required(table);
        for column in columns {
            draft.column(table, column);
        }
        // Only where it is about one column is that part of the name.
        let named = if columns.len() == 1 { columns.as_slice() } else { &[] };
        let name = constraint::name(draft, table, name.as_ref(), named, Kind::Check);
        let check = draft.expression_now(table, check);
        let alter = format!("ALTER TABLE {table}");
        let definition = format!("CHECK ({check})");
        draft.binds(&format!("CHECK {} of {}", plain(&name), table.plain()));
        draft.validate_sql(Sql::new(
            format!("{alter} ADD CONSTRAINT {name} {definition} NOT VALID"),
            format!("{alter} DROP CONSTRAINT {name}"),
        ));
        draft.validate_sql(Sql::proof(format!("{alter} VALIDATE CONSTRAINT {name}")));
        let known = constraint::known(&name, "c", definition, columns);
        draft.now(table, |table| table.constraints.push(known));
    }
}
