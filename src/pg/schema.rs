//! The metadata schema: whether it is there, and its upgrade by its own versioned SQL.

use tokio_postgres::Client;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::{Ident, literal};
use crate::pg::classify::failure;
use crate::pg::queries::SCHEMA;

/// The version of the metadata schema that this program writes.
#[must_use]
pub fn newest() -> i32 {
    SCHEMA.last().map_or(0, |(version, _)| *version)
}

/// The version of the metadata schema on the server; `None`: it is not there.
///
/// # Errors
/// When the server cannot be asked, or the schema is newer than this program.
pub async fn version(client: &Client, schema: &Ident) -> Result<Option<i32>, Failure> {
    let table = literal(&format!("{schema}.schema_migration"));
    let there = client.query_one(&format!("SELECT to_regclass({table}) IS NOT NULL AS there"), &[]).await;
    if !there.map_err(|error| failure(&error))?.get::<_, bool>("there") {
        return Ok(None);
    }
    let sql = format!("SELECT coalesce(max(version), 0) AS version FROM {schema}.schema_migration");
    let version: i32 = client.query_one(&sql, &[]).await.map_err(|error| failure(&error))?.get("version");
    if version > newest() {
        return Err(Failure::new(
            FailureKind::Other,
            format!(
                "the metadata schema {schema} is at version {version}, and this phase knows {} at most: use a newer phase",
                newest()
            ),
        ));
    }
    Ok(Some(version))
}

/// Creates or upgrades the metadata schema, all in one transaction. The caller
/// has the lock on it.
///
/// # Errors
/// When a statement fails; nothing is changed then.
pub async fn upgrade(client: &Client, schema: &Ident) -> Result<(), Failure> {
    let before = version(client, schema).await?.unwrap_or(0);
    let mut sql = format!("BEGIN; CREATE SCHEMA IF NOT EXISTS {schema};\n");
    if before == 0 {
        sql += &format!(
            "COMMENT ON SCHEMA {schema} IS 'The record of phase: what ran, who ran it, how far it is.';\n"
        );
    }
    sql += &format!("SET LOCAL search_path = {schema};\n");
    for (version, upgrade) in SCHEMA.iter().filter(|(version, _)| *version > before) {
        sql += &format!("{upgrade}\nINSERT INTO schema_migration (version) VALUES ({version});\n");
    }
    sql += "COMMIT";
    if let Err(error) = client.batch_execute(&sql).await {
        let _ = client.batch_execute("ROLLBACK").await;
        return Err(failure(&error));
    }
    Ok(())
}

/// Removes the metadata schema, and all that is on record with it.
///
/// # Errors
/// When the server refuses.
pub async fn remove(client: &Client, schema: &Ident) -> Result<(), Failure> {
    let drop = format!("SET client_min_messages = error; DROP SCHEMA IF EXISTS {schema} CASCADE");
    client.batch_execute(&drop).await.map_err(|error| failure(&error))
}

/// Sets a session's `search_path` to the metadata schema.
///
/// # Errors
/// When the server does not answer.
pub async fn enter(client: &Client, schema: &Ident) -> Result<(), Failure> {
    client.batch_execute(&format!("SET search_path = {schema}")).await.map_err(|error| failure(&error))
}
