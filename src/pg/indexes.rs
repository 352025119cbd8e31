//! Asks the catalog about indexes: what has a name, how it is built again, and what it counts
//! as one key.

use tokio_postgres::{Client, Row};

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::{Ident, QName};
use crate::core::index::{Found, Probe, UniqueKeys};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// What has the name of an index; `table` is the one that it should be on.
pub(super) async fn probe_index(
    client: &Client,
    index: &QName,
    table: Option<&QName>,
) -> Result<Probe, Failure> {
    let (whole, name, table) = (index.to_string(), index.name.as_str(), table.map(ToString::to_string));
    let row =
        client.query_opt(q::INDEX_PROBE, &[&whole, &name, &table]).await.map_err(|error| failure(&error))?;
    let Some(row) = row else { return Ok(Probe::Absent) };
    if !row.get::<_, bool>("ours") {
        let (name, kind): (String, String) = (row.get("name"), row.get("kind"));
        return Ok(Probe::Taken(format!("{name} (relkind {kind}), which is no index of this table")));
    }
    Ok(Probe::Found(Found {
        valid: row.get("valid"),
        definition: row.get("definition"),
        partitioned: row.get::<_, &str>("kind") == "I",
        builder: row.get("builder"),
    }))
}

/// What a unique index counts as one key; `None`: there is no such index.
pub(super) async fn unique_keys(client: &Client, index: &QName) -> Result<Option<UniqueKeys>, Failure> {
    let row = client.query_opt(q::INDEX_DUPLICATES, &[&index.to_string()]).await;
    Ok(row.map_err(|error| failure(&error))?.map(|row| UniqueKeys {
        relation: row.get("relation"),
        keys: row.get("keys"),
        predicate: row.get("predicate"),
        nulls_too: row.get("nulls_too"),
    }))
}

/// What builds an index again, as JSON for the record.
pub(super) async fn index_definition(client: &Client, index: &QName) -> Result<Option<String>, Failure> {
    let row = client.query_opt(q::INDEX_DEFINITION, &[&index.to_string()]).await;
    Ok(row.map_err(|error| failure(&error))?.map(|row| row.get("definition")))
}

/// Whether a partition has an index that is attached to one of the partitioned table.
pub(super) async fn attached(client: &Client, partition: &QName, to: &QName) -> Result<bool, Failure> {
    let row = client.query_one(q::INDEX_ATTACHED, &[&partition.to_string(), &to.to_string()]).await;
    Ok(row.map_err(|error| failure(&error))?.get("attached"))
}

/// Indexes that a REINDEX CONCURRENTLY left that came to no end.
pub(super) async fn leftovers(client: &Client, of: &QName) -> Result<Vec<QName>, Failure> {
    let rows = client.query(q::INDEX_LEFTOVERS, &[&of.to_string()]).await.map_err(|error| failure(&error))?;
    rows.iter().map(relation).collect()
}

/// The table of an index.
pub(super) async fn table_of_index(client: &Client, index: &QName) -> Result<Option<QName>, Failure> {
    let row =
        client.query_opt(q::INDEX_TABLE, &[&index.to_string()]).await.map_err(|error| failure(&error))?;
    row.as_ref().map(relation).transpose()
}

/// A relation by its columns `nspname` and `relname`.
pub(super) fn relation(row: &Row) -> Result<QName, Failure> {
    let name = |column: &str| {
        let name = Ident::exact(row.get::<_, String>(column));
        name.map_err(|error| Failure::new(FailureKind::Other, error.to_string()))
    };
    Ok(QName { schema: Some(name("nspname")?), name: name("relname")? })
}
