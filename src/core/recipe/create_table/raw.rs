//! How a plan writes a new table.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CreateTable, Key, NewColumn, Unique};
use crate::core::ident::{Ident, QName, list};
use crate::core::recipe::add_column::RawIdentity;
use crate::core::recipe::reader::Reader;

/// `create_table: {table, columns, …}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::core::recipe) struct Raw {
    /// The table.
    table: String,
    /// Its columns, in order.
    columns: Vec<RawColumn>,
    /// The columns of its primary key, where it has more than one.
    #[serde(default)]
    primary_key: Vec<String>,
    /// Its unique keys.
    #[serde(default)]
    unique: Vec<RawUnique>,
    /// What its rows must obey.
    #[serde(default)]
    checks: Vec<RawCheck>,
    /// Its foreign keys.
    #[serde(default)]
    foreign_keys: Vec<RawForeignKey>,
    /// A comment on it.
    comment: Option<String>,
}

/// A column.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawColumn {
    /// Its name.
    name: String,
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// Whether it must have a value.
    #[serde(default)]
    not_null: bool,
    /// Its default.
    default: Option<String>,
    /// An expression that the server computes and stores.
    generated: Option<String>,
    /// Whether it gets numbers by itself.
    identity: Option<RawIdentity>,
    /// Its collation, where it is not that of its type.
    collation: Option<String>,
    /// Whether it is the primary key.
    #[serde(default)]
    primary_key: bool,
    /// A comment on it.
    comment: Option<String>,
}

/// A unique key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawUnique {
    /// Its columns.
    columns: Vec<String>,
    /// Its name; the server chooses one where there is none.
    name: Option<String>,
}

/// A check.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawCheck {
    /// What holds of every row.
    check: String,
    /// Its name; the server chooses one where there is none.
    name: Option<String>,
}

/// A foreign key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RawForeignKey {
    /// Its columns.
    columns: Vec<String>,
    /// The table that it refers to.
    references: String,
    /// The columns there; those of the primary key where none are named.
    #[serde(default)]
    to: Vec<String>,
    /// What becomes of rows here when one there is deleted.
    on_delete: Option<RawAction>,
    /// What becomes of rows here when a key there changes.
    on_update: Option<RawAction>,
    /// Its name; the server chooses one where there is none.
    name: Option<String>,
}

/// What becomes of rows that refer to one that goes.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RawAction {
    /// They hold it back, at the end of the statement.
    NoAction,
    /// They hold it back at once.
    Restrict,
    /// They go, or change, with it.
    Cascade,
    /// They refer to nothing any more.
    SetNull,
    /// They refer to what their columns' defaults say.
    SetDefault,
}

impl RawAction {
    const fn sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }
}

pub(in crate::core::recipe) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<CreateTable> {
    let table = reader.table("table", &raw.table);
    if raw.columns.is_empty() {
        reader.fault("columns: a table without any is of no use");
    }
    let keys: Vec<String> =
        raw.columns.iter().filter(|column| column.primary_key).map(|column| column.name.clone()).collect();
    let primary = match (keys.len(), raw.primary_key.is_empty()) {
        (_, true) => keys,
        (0, false) => raw.primary_key,
        _ => {
            reader.fault("primary_key stands beside its one column, or beside the table, not both");
            return None;
        }
    };
    let columns: Vec<_> = raw.columns.into_iter().map(|raw| column(raw, reader)).collect();
    let columns: Vec<NewColumn> = columns.into_iter().collect::<Option<_>>()?;
    let primary = among(reader, "primary_key", &primary, &columns)?;
    let (mut constraints, mut unique) = (Vec::new(), Vec::new());
    let first = primary.clone();
    if !primary.is_empty() {
        constraints.push(format!("PRIMARY KEY ({})", list(&primary)));
        unique.push(Unique { columns: primary, primary: true, name: None });
    }
    for raw in raw.unique {
        let of = among(reader, "unique", &raw.columns, &columns)?;
        constraints.push(format!("{}UNIQUE ({})", named(reader, raw.name.as_deref())?, list(&of)));
        let name = raw.name.as_deref().and_then(|name| Ident::parse(name).ok());
        unique.push(Unique { columns: of, primary: false, name });
    }
    for raw in raw.checks {
        let check = reader.expression("checks", &raw.check)?;
        constraints.push(format!("{}CHECK ({check})", named(reader, raw.name.as_deref())?));
    }
    let mut keys = Vec::new();
    for raw in raw.foreign_keys {
        let of = among(reader, "foreign_keys", &raw.columns, &columns)?;
        let references = reader.table("references", &raw.references)?;
        constraints.push(foreign_key(&raw, &of, &references, reader)?);
        let indexed = unique.iter().any(|key| {
            key.columns.get(..of.len()).is_some_and(|first| of.iter().all(|column| first.contains(column)))
        });
        let to: Option<Vec<Ident>> = raw.to.iter().map(|name| Ident::parse(name).ok()).collect();
        let cascades = |action: Option<RawAction>| matches!(action, Some(RawAction::Cascade));
        keys.push(Key {
            columns: of,
            references,
            to: to?,
            follows_delete: cascades(raw.on_delete),
            follows_update: cascades(raw.on_update),
            indexed,
        });
    }
    Some(CreateTable {
        table: table?,
        columns,
        constraints,
        keys,
        primary: first,
        unique,
        comment: raw.comment,
    })
}

fn column(raw: RawColumn, reader: &mut Reader<'_, '_>) -> Option<NewColumn> {
    let (name, kind) = (reader.ident("name", &raw.name), reader.type_name("type", &raw.kind));
    let default = reader.maybe("default", raw.default.as_deref())?;
    let generated = reader.maybe("generated", raw.generated.as_deref())?;
    let mut rest = String::new();
    let filled = default.is_some() || generated.is_some() || raw.identity.is_some();
    if let Some(collation) = raw.collation.as_deref() {
        rest += &format!(" COLLATE {}", reader.table("collation", collation)?);
    }
    if raw.not_null {
        rest += " NOT NULL";
    }
    rest += &match (default, generated, raw.identity) {
        (None, None, None) => String::new(),
        (Some(default), None, None) => format!(" DEFAULT ({default})"),
        (None, Some(expr), None) => format!(" GENERATED ALWAYS AS ({expr}) STORED"),
        (None, None, Some(who)) => format!(" GENERATED {} AS IDENTITY", who.sql()),
        _ => {
            reader.fault("a column has one of default, generated and identity");
            return None;
        }
    };
    let not_null = raw.not_null || raw.primary_key || raw.identity.is_some();
    Some(NewColumn { name: name?, kind: kind?, not_null, rest, filled, comment: raw.comment })
}

fn foreign_key(
    raw: &RawForeignKey,
    of: &[Ident],
    references: &QName,
    reader: &mut Reader<'_, '_>,
) -> Option<String> {
    let mut sql =
        format!("{}FOREIGN KEY ({}) REFERENCES {references}", named(reader, raw.name.as_deref())?, list(of));
    if !raw.to.is_empty() {
        let to: Vec<_> = raw.to.iter().map(|name| reader.ident("to", name)).collect();
        sql += &format!(" ({})", list(&to.into_iter().collect::<Option<Vec<_>>>()?));
    }
    for (on, action) in [("DELETE", raw.on_delete), ("UPDATE", raw.on_update)] {
        if let Some(action) = action {
            sql += &format!(" ON {on} {}", action.sql());
        }
    }
    Some(sql)
}

fn named(reader: &mut Reader<'_, '_>, name: Option<&str>) -> Option<String> {
    match name {
        None => Some(String::new()),
        Some(name) => reader.ident("name", name).map(|name| format!("CONSTRAINT {name} ")),
    }
}

/// Columns of the table, by their names.
fn among(
    reader: &mut Reader<'_, '_>,
    what: &str,
    names: &[String],
    columns: &[NewColumn],
) -> Option<Vec<Ident>> {
    let mut found = Vec::new();
    for name in names {
        let name = reader.ident(what, name)?;
        if !columns.iter().any(|column| column.name == name) {
            reader.fault(format!("{what}: the table has no column {}", crate::core::ident::plain(&name)));
            return None;
        }
        found.push(name);
    }
    if names.is_empty() && what != "primary_key" {
        reader.fault(format!("{what}: columns is empty"));
        return None;
    }
    Some(found)
}
