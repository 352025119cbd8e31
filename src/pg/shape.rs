//! Reads the shape of a database from its catalog.

use tokio_postgres::{Client, Row};

use crate::core::failure::Failure;
use crate::core::ident::Ident;
use crate::core::shape::{Object, Shape};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// Every object of the database, all seen at one moment; `metadata` is the schema
/// of the record, which is no part of it. The session must be in no transaction.
///
/// # Errors
/// When the catalog cannot be read.
pub async fn shape(client: &Client, metadata: &Ident) -> Result<Shape, Failure> {
    // Without a path every name is printed in full, whoever asks.
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL search_path = ''";
    client.batch_execute(begin).await.map_err(|error| failure(&error))?;
    let read = read(client, metadata).await;
    client.batch_execute("ROLLBACK").await.map_err(|error| failure(&error))?;
    read
}

async fn read(client: &Client, metadata: &Ident) -> Result<Shape, Failure> {
    let schemas = client.query(q::SHAPE_SCHEMAS, &[&metadata.as_str()]).await;
    let schemas = schemas.map_err(|error| failure(&error))?;
    let ids: Vec<u32> = schemas.iter().map(|row| row.get("id")).collect();
    let mut objects: Vec<Object> = schemas.iter().map(object).collect();
    for sql in q::SHAPE_OF_SCHEMAS {
        let rows = client.query(*sql, &[&ids]).await.map_err(|error| failure(&error))?;
        objects.extend(rows.iter().map(object));
    }
    Ok(objects.into_iter().collect())
}

fn object(row: &Row) -> Object {
    let text = |name: &str| row.get::<_, Option<String>>(name).unwrap_or_default();
    Object { kind: text("kind"), identity: text("identity"), definition: text("definition") }
}
