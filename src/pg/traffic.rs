//! Asks the server's statistics how busy the small tables of a plan are.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::Client;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::QName;
use crate::core::lint::{Look, World};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// The time between two looks: a session tells the statistics what it did within a second.
const BETWEEN: Duration = Duration::from_secs(2);

/// Adds to what is known of a database how busy its tables up to a size are. Where the average
/// does not tell, a second look follows the first.
///
/// # Errors
/// When the server cannot be asked.
pub(super) async fn traffic(client: &Client, world: &mut World, small: f64) -> Result<(), Failure> {
    #[allow(clippy::cast_precision_loss, reason = "a size to the byte is not needed")]
    let of_interest = world
        .tables
        .iter()
        .filter(|(_, table)| !table.made && table.bytes.is_some_and(|bytes| bytes as f64 <= small))
        .map(|(name, _)| name.clone());
    let names: Vec<QName> = of_interest.collect();
    if names.is_empty() {
        return Ok(());
    }
    let first = looks(client, &names).await?;
    let mut open = Vec::new();
    for (name, look) in &first {
        match look.average() {
            Some(average) => world.table_mut(name).traffic = Some(average),
            None => open.push(name.clone()),
        }
    }
    if open.is_empty() {
        return Ok(());
    }
    tokio::time::sleep(BETWEEN).await;
    for (name, second) in looks(client, &open).await? {
        if let Some(first) = first.get(&name) {
            world.table_mut(&name).traffic = Some(first.until(&second));
        }
    }
    Ok(())
}

async fn looks(client: &Client, names: &[QName]) -> Result<BTreeMap<QName, Look>, Failure> {
    let asked: Vec<String> = names.iter().map(ToString::to_string).collect();
    let rows = client.query(q::TRAFFIC, &[&asked]).await.map_err(|error| failure(&error))?;
    let mut found = BTreeMap::new();
    for row in rows {
        let name = QName::parse(row.get("name")).map_err(|error| {
            Failure::new(FailureKind::Other, format!("the catalog holds what cannot be read: {error}"))
        })?;
        let count = |column: &str| u64::try_from(row.get::<_, i64>(column)).unwrap_or(0);
        let look = Look {
            scans: count("scans"),
            writes: count("writes"),
            since_reset: row.get("since_reset"),
            uptime: row.get("uptime"),
            at: row.get("at"),
        };
        found.insert(name, look);
    }
    Ok(found)
}
