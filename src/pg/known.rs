//! Asks the catalog what recipes must know of their tables and types.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use tokio_postgres::{Client, Row};

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::QName;
use crate::core::plan::model::Placed;
use crate::core::recipe::{Change, Dependent, Enum, Hanging, Known, Table};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// What the catalog says of the tables and types of some changes; what is not there is left out.
///
/// # Errors
/// When the server cannot be asked.
pub async fn known(client: &Client, version: u32, changes: &[Placed<Change>]) -> Result<Known, Failure> {
    let mut known = Known { complete: true, version, ..Known::default() };
    let mut asked: Vec<QName> = changes.iter().flat_map(|change| change.value.tables()).cloned().collect();
    loop {
        let before = known.tables.len();
        let names: Vec<String> = asked.iter().map(ToString::to_string).collect();
        known.tables.extend(tables(client, &names).await?);
        known.enums.extend(seen::<Enum>(rows(client, q::ENUMS, &names).await?)?);
        // What is found may lead to more, which may not be there to be seen.
        asked = changes.iter().flat_map(|change| change.value.unknown(&known)).collect();
        if asked.is_empty() || known.tables.len() == before {
            return Ok(known);
        }
    }
}

/// What it says of some tables, with what hangs on them.
async fn tables(client: &Client, names: &[String]) -> Result<BTreeMap<String, Table>, Failure> {
    let mut found: BTreeMap<String, Table> = seen(rows(client, q::KNOWN, names).await?)?;
    for row in rows(client, q::HANGING, names).await? {
        if let Some(table) = of(&mut found, &row) {
            table.hanging.push(Hanging {
                column: row.get("column"),
                kind: row.get("kind"),
                called: row.get("called"),
                said: row.get("said"),
                relation: row.get("relation"),
                holds: row.get("holds"),
            });
        }
    }
    for row in rows(client, q::DEPENDENTS, names).await? {
        let dependent: Dependent =
            serde_json::from_value(row.get("seen")).map_err(|error| unreadable(&error))?;
        if let Some(table) = of(&mut found, &row) {
            table.dependents.push(dependent);
        }
    }
    Ok(found)
}

async fn rows(client: &Client, query: &str, names: &[String]) -> Result<Vec<Row>, Failure> {
    client.query(query, &[&names]).await.map_err(|error| failure(&error))
}

/// The table that a row is about.
fn of<'a>(found: &'a mut BTreeMap<String, Table>, row: &Row) -> Option<&'a mut Table> {
    let name: String = row.get("name");
    QName::parse(&name).ok().and_then(|name| found.get_mut(&name.plain()))
}

/// Rows of a name and what was seen of it, by the name as people write it.
fn seen<T: DeserializeOwned>(rows: Vec<Row>) -> Result<BTreeMap<String, T>, Failure> {
    let mut found = BTreeMap::new();
    for row in rows {
        let (name, seen): (String, serde_json::Value) = (row.get("name"), row.get("seen"));
        let one = serde_json::from_value(seen).map_err(|error| unreadable(&error))?;
        let name = QName::parse(&name).map_err(|error| unreadable(&error))?;
        found.insert(name.plain(), one);
    }
    Ok(found)
}

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(FailureKind::Other, format!("the catalog holds what cannot be read: {error}"))
}
