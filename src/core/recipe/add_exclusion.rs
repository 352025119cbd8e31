//! `add_exclusion`: an EXCLUDE constraint, in force from validate on, which no server can add while
//! the table is in use: it builds an index, and nobody reads or writes the table until that is done.
//!
//! So the linter refuses it on a table that is neither small nor made by the plan. Who takes the
//! outage on purpose says why; without one, the way is a new table that has it, and `copy`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::constraint::{self, Deferrable, Kind};
use super::draft::{Draft, Sql};
use super::known::Index;
use super::reader::Reader;
use crate::core::ident::{Ident, QName, plain};
use crate::core::sql::{check_predicate, closed, expression_columns};

/// From this version on a partitioned table can have one.
const PARTITIONED: u32 = 170_000;

/// `add_exclusion: {table, name, using, elements, where}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// Its name.
    name: String,
    /// The access method of its index; gist, where nothing is said.
    using: Option<String>,
    /// What no two rows may have, all of it.
    elements: Vec<RawElement>,
    /// The rows that it is about.
    #[serde(rename = "where")]
    filter: Option<String>,
    /// When it is checked, if that may wait until COMMIT.
    deferrable: Option<Deferrable>,
    /// Why the table may stand still while the index is built, where it is not small.
    outage: Option<String>,
}

/// One part of what no two rows may have.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawElement {
    /// An expression over the row, most often a column.
    value: String,
    /// The operator that compares it.
    with: String,
    /// The operator class.
    opclass: Option<String>,
}

/// An EXCLUDE constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddExclusion {
    table: QName,
    name: Ident,
    using: Ident,
    /// Expression, and what stands behind it.
    elements: Vec<(String, String)>,
    filter: Option<String>,
    columns: Vec<Ident>,
    when: &'static str,
    outage: Option<String>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<AddExclusion> {
    let (table, name) = (reader.table("table", &raw.table), reader.ident("name", &raw.name));
    let using = reader.ident("using", raw.using.as_deref().unwrap_or("gist"));
    let mut elements = Vec::new();
    let mut columns = Vec::new();
    for element in &raw.elements {
        let value = reader.expression("elements: value", &element.value)?;
        columns.extend(reader.faults.take(reader.at, "elements: value", expression_columns(&value))?);
        let class = match &element.opclass {
            None => String::new(),
            Some(class) => format!(" {}", reader.table("elements: opclass", class)?),
        };
        if element.with.is_empty() || !element.with.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c)) {
            reader.fault(format!("elements: with: {:?} is no operator", element.with));
            return None;
        }
        elements.push((value, format!("{class} WITH {}", element.with)));
    }
    if elements.is_empty() {
        reader.fault("elements is empty");
    }
    let filter = match &raw.filter {
        None => None,
        Some(filter) => {
            let read = check_predicate(filter).map(|()| closed(filter.trim()));
            Some(reader.faults.take(reader.at, "where", read)?)
        }
    };
    let when = Deferrable::words(raw.deferrable);
    let Raw { outage, .. } = raw;
    Some(AddExclusion { table: table?, name: name?, using: using?, elements, filter, columns, when, outage })
}

impl AddExclusion {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, using, columns, when, .. } = self;
        let known = draft.required(table).unwrap_or_default();
        for column in columns {
            draft.column(table, column);
        }
        if known.kind == "p" && draft.server() < PARTITIONED {
            draft.refuse(format!(
                "{} is partitioned: before PostgreSQL 17 it can have no EXCLUDE",
                table.plain()
            ));
        }
        let name = constraint::name(draft, table, Some(&self.name), columns, Kind::Exclusion);
        draft.binds(&format!("EXCLUDE {} of {}", plain(&name), table.plain()));
        let elements: Vec<String> = self
            .elements
            .iter()
            .map(|(value, rest)| format!("({}){rest}", draft.expression_now(table, value)))
            .collect();
        let filter = self
            .filter
            .as_ref()
            .map_or_else(String::new, |filter| format!(" WHERE ({})", draft.expression_now(table, filter)));
        let definition = format!("EXCLUDE USING {using} ({}){filter}{when}", elements.join(", "));
        let sql = Sql::new(
            format!("ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"),
            format!("ALTER TABLE {table} DROP CONSTRAINT {name}"),
        );
        draft.validate_sql(match &self.outage {
            Some(why) => sql.allow("add-exclusion", why),
            None => sql,
        });
        let constraint = constraint::known(&name, "x", definition, columns);
        let index = Index {
            name: name.as_str().into(),
            columns: columns.iter().map(|column| column.as_str().to_owned()).collect(),
            constraint: Some("x".into()),
            valid: true,
            ..Index::default()
        };
        draft.now(table, |table| {
            table.constraints.push(constraint);
            table.indexes.push(index);
        });
    }
}
