//! Asks the catalog about partitions: which there are, and how one stands to its table.

use tokio_postgres::{Client, Row};

use crate::core::detach::{Detach, Standing};
use crate::core::failure::Failure;
use crate::core::ident::QName;
use crate::core::index::Branch;
use crate::pg::classify::failure;
use crate::pg::indexes::relation;
use crate::pg::queries as q;

/// The relations of a partitioned table, itself first; none for any other table.
pub(super) async fn partitions(client: &Client, table: &QName) -> Result<Vec<Branch>, Failure> {
    let rows = client.query(q::PARTITIONS, &[&table.to_string()]).await.map_err(|error| failure(&error))?;
    let oids: Vec<u32> = rows.iter().map(|row| row.get("oid")).collect();
    let branch = |row: &Row| {
        let parent: Option<u32> = row.get("parent");
        Ok(Branch {
            table: if parent.is_none() { table.clone() } else { relation(row)? },
            parent: parent.and_then(|parent| oids.iter().position(|oid| *oid == parent)),
            partitioned: row.get("partitioned"),
            foreign: row.get("is_foreign"),
        })
    };
    rows.iter().map(branch).collect()
}

/// How a table stands to the one whose partition it should be.
pub(super) async fn standing(client: &Client, detach: &Detach) -> Result<Standing, Failure> {
    let names = [detach.table.to_string(), detach.partition.to_string()];
    let row = client.query_one(q::STANDING, &[&names[0], &names[1]]).await;
    let row = row.map_err(|error| failure(&error))?;
    if !row.get::<_, bool>("parent") {
        return Ok(Standing::Absent);
    }
    if !row.get::<_, bool>("child") {
        return Ok(Standing::Gone { pending: row.get("any_pending") });
    }
    Ok(match (row.get("attached"), row.get("pending")) {
        (false, _) => Standing::Apart,
        (_, true) => Standing::Pending,
        _ => Standing::Attached,
    })
}
