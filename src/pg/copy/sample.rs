//! Carries a sample of rows over, with the rows that their foreign keys refer to.

use std::pin::pin;

use futures_util::{SinkExt, TryStreamExt};
use tokio_postgres::{Client, Row};

use super::run;
use crate::core::failure::Failure;
use crate::core::ident::{Ident, QName, literal};
use crate::pg::classify::failure;
use crate::pg::connect::Session;
use crate::pg::queries as q;

/// How many keys are asked for at once.
const KEYS: usize = 1_000;

/// A foreign key, in the words of SQL.
struct Reference {
    child: String,
    parent: String,
    columns: Vec<String>,
    referred: Vec<String>,
}

/// Carries up to `rows` rows of each table over, and whatever rows those refer to,
/// all as of one moment. Tables that one of the two databases does not have are left
/// out. Triggers do not fire.
///
/// # Errors
/// When rows cannot be read, or not be written.
pub async fn sample(
    from: &Session,
    to: &Session,
    tables: &[QName],
    rows: u32,
    metadata: &Ident,
) -> Result<(), Failure> {
    let (from, to) = (&from.client, &to.client);
    run(from, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    run(to, "BEGIN; SET LOCAL session_replication_role = replica").await?;
    let firing = to.query(q::COPY_FIRING, &[&metadata.as_str()]).await.map_err(|error| failure(&error))?;
    for trigger in &firing {
        run(to, trigger.get("stop")).await?;
    }
    let mut filled = Vec::new();
    for table in tables.iter().map(ToString::to_string) {
        if there(from, &table).await? && there(to, &table).await? {
            copy(from, to, &table, &format!("LIMIT {rows}")).await?;
            filled.push(table);
        }
    }
    let references = to.query(q::COPY_REFERENCES, &[&metadata.as_str()]).await;
    let references: Vec<Reference> =
        references.map_err(|error| failure(&error))?.iter().map(reference).collect();
    // Rows that are brought may refer to others in turn.
    let mut found = true;
    while found {
        found = false;
        for reference in &references {
            let keys = missing(to, reference).await?;
            if !keys.is_empty() {
                let wanted = format!("WHERE ({}) IN ({})", reference.referred.join(", "), keys.join(", "));
                // What is not there either is not proven there either.
                found |= copy(from, to, &reference.parent, &wanted).await? > 0;
                filled.push(reference.parent.clone());
            }
        }
    }
    filled.sort();
    filled.dedup();
    for table in &filled {
        set_sequences(to, table).await?;
    }
    for trigger in &firing {
        run(to, trigger.get("again")).await?;
    }
    run(to, "COMMIT; ANALYZE").await?;
    run(from, "ROLLBACK").await
}

fn reference(row: &Row) -> Reference {
    Reference {
        child: row.get("child"),
        parent: row.get("parent"),
        columns: row.get("columns"),
        referred: row.get("referred"),
    }
}

async fn there(client: &Client, table: &str) -> Result<bool, Failure> {
    let row = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await;
    Ok(row.map_err(|error| failure(&error))?.get(0))
}

/// The rows of a table that `which` lets through; how many there were.
async fn copy(from: &Client, to: &Client, table: &str, which: &str) -> Result<u64, Failure> {
    let columns = to.query(q::COPY_COLUMNS, &[&table]).await.map_err(|error| failure(&error))?;
    let columns: Vec<String> = columns.iter().map(|row| row.get("name")).collect();
    let columns = columns.join(", ");
    let read = format!("COPY (SELECT {columns} FROM {table} {which}) TO STDOUT");
    let write = format!("COPY {table} ({columns}) FROM STDIN");
    let copied = async {
        let mut rows = pin!(from.copy_out(&read).await?);
        let mut sink = pin!(to.copy_in(&write).await?);
        while let Some(row) = rows.try_next().await? {
            sink.send(row).await?;
        }
        sink.as_mut().finish().await
    };
    copied.await.map_err(|error| failure(&error))
}

/// Keys that rows refer to and that are not there, as SQL writes a list of rows.
async fn missing(client: &Client, reference: &Reference) -> Result<Vec<String>, Failure> {
    let Reference { child, parent, columns, referred } = reference;
    let texts: Vec<String> = columns.iter().map(|column| format!("c.{column}::text")).collect();
    let known: Vec<String> = columns.iter().map(|column| format!("c.{column} IS NOT NULL")).collect();
    let same: Vec<String> =
        columns.iter().zip(referred).map(|(column, key)| format!("p.{key} = c.{column}")).collect();
    let sql = format!(
        "SELECT DISTINCT ARRAY[{}] AS key FROM {child} c WHERE {} AND NOT EXISTS (SELECT FROM {parent} p WHERE {}) LIMIT {KEYS}",
        texts.join(", "),
        known.join(" AND "),
        same.join(" AND ")
    );
    let rows = client.query(&sql, &[]).await.map_err(|error| failure(&error))?;
    let key = |row: &Row| {
        let parts: Vec<String> = row.get("key");
        format!("({})", parts.iter().map(|part| literal(part)).collect::<Vec<_>>().join(", "))
    };
    Ok(rows.iter().map(key).collect())
}

/// Puts the sequences of a table behind the rows that it has now.
async fn set_sequences(client: &Client, table: &str) -> Result<(), Failure> {
    let columns = client.query(q::COPY_COLUMNS, &[&table]).await.map_err(|error| failure(&error))?;
    for column in columns {
        if let (name, Some(sequence)) =
            (column.get::<_, String>("name"), column.get::<_, Option<String>>("sequence"))
        {
            let set = format!(
                "SELECT setval({}, max({name})) FROM {table} HAVING max({name}) > 0",
                literal(&sequence)
            );
            run(client, &set).await?;
        }
    }
    Ok(())
}
