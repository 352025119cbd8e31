//! Asks the catalog about the triggers of syncs.

use tokio_postgres::Client;

use crate::core::failure::Failure;
use crate::core::sync::standing::{Due, Seen};
use crate::pg::classify::failure;
use crate::pg::queries as q;

/// What there is of each trigger, on its table and the partitions of that.
pub(super) async fn triggers(client: &Client, due: &[Due]) -> Result<Vec<Vec<Seen>>, Failure> {
    let texts = |of: fn(&Due) -> String| due.iter().map(of).collect::<Vec<_>>();
    let tables = texts(|due| due.trigger.table.to_string());
    let names = texts(|due| due.trigger.name.as_str().to_owned());
    let functions = texts(|due| due.trigger.function.to_string());
    let rows = client.query(q::SYNC_TRIGGERS, &[&tables, &names, &functions]).await;
    let mut seen = vec![Vec::new(); due.len()];
    for row in rows.map_err(|error| failure(&error))? {
        let n = usize::try_from(row.get::<_, i64>("n")).unwrap_or_default();
        let Some(of_one) = n.checked_sub(1).and_then(|n| seen.get_mut(n)) else { continue };
        of_one.push(Seen {
            relation: row.get("relation"),
            enabled: row.get("enabled"),
            bits: row.get::<_, Option<i16>>("bits").unwrap_or_default(),
            of_columns: row.get::<_, Option<bool>>("of_columns").unwrap_or_default(),
            function: row.get("function"),
            body: row.get::<_, Option<String>>("body").unwrap_or_default(),
            later: row.get("later"),
        });
    }
    Ok(seen)
}
