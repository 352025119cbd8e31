//! Asks the catalog what recipes must know of their tables.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::QName;
use crate::core::plan::model::Placed;
use crate::core::recipe::{Change, Dependent, Hanging, Known, Table};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// What the catalog says of the tables of some changes; what is not there is left out.
///
/// # Errors
/// When the server cannot be asked.
pub async fn known(client: &Client, version: u32, changes: &[Placed<Change>]) -> Result<Known, Failure> {
    let mut known = Known { complete: true, version, tables: BTreeMap::new() };
    let mut asked: Vec<QName> = changes.iter().flat_map(|change| change.value.tables()).cloned().collect();
    loop {
        let before = known.tables.len();
        known.tables.extend(of(client, &asked).await?);
        // What is found may lead to more, which may not be there to be seen.
        asked = changes.iter().flat_map(|change| change.value.unknown(&known)).collect();
        if asked.is_empty() || known.tables.len() == before {
            return Ok(known);
        }
    }
}

/// What it says of some tables.
async fn of(client: &Client, tables: &[QName]) -> Result<BTreeMap<String, Table>, Failure> {
    let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let rows = client.query(q::KNOWN, &[&names]).await.map_err(|error| failure(&error))?;
    let unreadable = |error: &dyn std::fmt::Display| {
        Failure::new(FailureKind::Other, format!("the catalog holds what cannot be read: {error}"))
    };
    let mut found: BTreeMap<String, Table> = BTreeMap::new();
    for row in rows {
        let (name, seen): (String, serde_json::Value) = (row.get("name"), row.get("seen"));
        let table: Table = serde_json::from_value(seen).map_err(|error| unreadable(&error))?;
        let name = QName::parse(&name).map_err(|error| unreadable(&error))?;
        found.insert(name.plain(), table);
    }
    for row in client.query(q::HANGING, &[&names]).await.map_err(|error| failure(&error))? {
        let name: String = row.get("name");
        let table = QName::parse(&name).ok().and_then(|name| found.get_mut(&name.plain()));
        if let Some(table) = table {
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
    for row in client.query(q::DEPENDENTS, &[&names]).await.map_err(|error| failure(&error))? {
        let (name, seen): (String, serde_json::Value) = (row.get("name"), row.get("seen"));
        let dependent: Dependent = serde_json::from_value(seen).map_err(|error| unreadable(&error))?;
        let table = QName::parse(&name).ok().and_then(|name| found.get_mut(&name.plain()));
        if let Some(table) = table {
            table.dependents.push(dependent);
        }
    }
    Ok(found)
}
