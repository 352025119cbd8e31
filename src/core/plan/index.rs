//! Owns the definition of an index: how a plan writes it, and its CREATE INDEX.

use schemars::JsonSchema;
use serde::Deserialize;

use super::fault::Faults;
use super::model::{IndexSpec, Place};
use super::yaml::Pairs;
use crate::core::ident::{Ident, QName, list, literal, plain};

/// An index.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawIndex {
    /// The table.
    pub(in crate::core) table: String,
    /// Columns or expressions, each as SQL.
    columns: Vec<String>,
    /// Its name; as PostgreSQL would choose it, where nothing is said.
    pub(in crate::core) name: Option<String>,
    /// Whether no two rows may have the same key.
    #[serde(default)]
    unique: bool,
    /// The access method; btree, where nothing is said.
    method: Option<String>,
    /// Which rows it has, where it does not have them all.
    #[serde(rename = "where")]
    predicate: Option<String>,
    /// Columns that it carries along.
    #[serde(default)]
    include: Vec<String>,
    /// Storage parameters.
    with: Option<Pairs>,
}

/// Reads an index.
pub(in crate::core) fn read(raw: RawIndex, at: Place, faults: &mut Faults<'_>) -> Option<IndexSpec> {
    if raw.columns.is_empty() {
        faults.add(at, "index: columns is empty");
    }
    let table = faults.take(at, "table", QName::parse(&raw.table));
    let mut ident = |what: &str, text: &str| faults.take(at, what, Ident::parse(text));
    let method = raw.method.map(|method| ident("method", &method));
    let include: Vec<_> = raw.include.iter().map(|name| ident("include", name)).collect();
    let with = raw.with.map(|pairs| pairs.0).unwrap_or_default();
    let with: Vec<_> = with.into_iter().map(|(name, value)| Some((ident("column", &name)?, value))).collect();
    let name = match raw.name {
        Some(name) => ident("name", &name),
        None => table.as_ref().map(|table| derived_name(table, &raw.columns)),
    };
    Some(IndexSpec {
        table: table?,
        columns: raw.columns,
        name: name?,
        unique: raw.unique,
        method: method.map_or(Some(None), |method| method.map(Some))?,
        predicate: raw.predicate,
        include: include.into_iter().collect::<Option<_>>()?,
        with: with.into_iter().collect::<Option<_>>()?,
    })
}

/// `<table>_<columns>_idx`, an expression being `expr`.
fn derived_name(table: &QName, columns: &[String]) -> Ident {
    let words = columns.iter().map(|column| {
        let first = column.split_whitespace().next().unwrap_or_default();
        Ident::parse(first)
            .map_or_else(|_| "expr".to_owned(), |name| plain(&name).trim_matches('"').to_owned())
    });
    Ident::shortened("", &format!("{}_{}_idx", table.name.as_str(), words.collect::<Vec<_>>().join("_")))
}

impl IndexSpec {
    /// Its CREATE INDEX, concurrently.
    #[must_use]
    pub fn create(&self) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let mut sql = format!("CREATE {unique}INDEX CONCURRENTLY {} ON {}", self.name, self.table);
        if let Some(method) = &self.method {
            sql += &format!(" USING {method}");
        }
        sql += &format!(" ({})", self.columns.join(", "));
        if !self.include.is_empty() {
            sql += &format!(" INCLUDE ({})", list(&self.include));
        }
        if !self.with.is_empty() {
            let with: Vec<String> =
                self.with.iter().map(|(name, value)| format!("{name} = {}", literal(value))).collect();
            sql += &format!(" WITH ({})", with.join(", "));
        }
        if let Some(predicate) = &self.predicate {
            sql += &format!(" WHERE {predicate}");
        }
        sql
    }
}
