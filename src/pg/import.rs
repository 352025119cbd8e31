//! Reads the tables of other migration tools; it never writes one.

use serde_json::Value;
use tokio_postgres::{Client, Row};

use crate::core::failure::Failure;
use crate::core::ident::{Ident, QName};
use crate::core::import::detect::{Found, Table, names};
use crate::core::import::{History, Tool};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// The tables that may be some tool's: those of the usual names, and one of another.
///
/// # Errors
/// When the server cannot be asked.
pub async fn tables(client: &Client, own: &Ident, other: Option<&str>) -> Result<Vec<Table>, Failure> {
    let wanted: Vec<&str> = names().into_iter().chain(other).collect();
    let rows =
        client.query(q::IMPORT_TABLES, &[&wanted, &own.as_str()]).await.map_err(|error| failure(&error))?;
    let named = |row: &Row| (row.get::<_, String>("schema"), row.get::<_, String>("name"));
    let all: Vec<(String, String)> = rows.iter().map(named).collect();
    let table = |row: &Row| {
        let (schema, name) = named(row);
        let beside =
            all.iter().filter(|(other, of)| *other == schema && *of != name).map(|(_, of)| of.clone());
        Table { beside: beside.collect(), columns: row.get("columns"), schema, name }
    };
    Ok(rows.iter().map(table).collect())
}

/// What a tool has on record, and what it keeps beside that, as of one moment.
///
/// # Errors
/// When a table may not be read.
pub async fn history(client: &Client, found: &Found) -> Result<History, Failure> {
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
    client.batch_execute(begin).await.map_err(|error| failure(&error))?;
    let read = read(client, found).await;
    client.batch_execute("ROLLBACK").await.map_err(|error| failure(&error))?;
    read
}

async fn read(client: &Client, found: &Found) -> Result<History, Failure> {
    let table = named(&found.schema, &found.name)?;
    let rows = rows(client, &table, found.tool).await?;
    let beside = match found.tool.beside(&found.name) {
        Some(name) => {
            let beside = named(&found.schema, &name)?;
            let sql = "SELECT pg_catalog.to_regclass($1) IS NOT NULL AS there";
            let there =
                client.query_one(sql, &[&beside.to_string()]).await.map_err(|error| failure(&error))?;
            if there.get("there") { self::rows(client, &beside, found.tool).await? } else { Vec::new() }
        }
        None => Vec::new(),
    };
    Ok(History { table: table.plain(), rows, beside })
}

/// Every row of a table, as JSON.
async fn rows(client: &Client, table: &QName, tool: Tool) -> Result<Vec<Value>, Failure> {
    let sql = format!("SELECT pg_catalog.to_jsonb(history) - $1::text[] AS of FROM {table} AS history");
    let rows = client.query(&sql, &[&tool.unread()]).await.map_err(|error| failure(&error))?;
    Ok(rows.iter().map(|row| row.get("of")).collect())
}

fn named(schema: &str, name: &str) -> Result<QName, Failure> {
    let ident = |text: &str| {
        Ident::exact(text)
            .map_err(|error| Failure::new(crate::core::failure::FailureKind::Other, error.to_string()))
    };
    Ok(QName { schema: Some(ident(schema)?), name: ident(name)? })
}
