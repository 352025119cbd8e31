//! Makes one database like another, as far as a rehearsal needs it: roles and settings,
//! a dump of the schema, a sample of rows.

mod globals;
mod kin;
mod load;
mod sample;

use tokio_postgres::Client;

use crate::core::failure::Failure;
use crate::core::ident::{Ident, QName};
use crate::pg::classify::failure;
use crate::pg::connect::Session;

pub use globals::Globals;
pub use kin::{Kin, kin};
pub use load::load;
pub use sample::sample;

/// Makes an empty database, whatever the server's template holds.
///
/// # Errors
/// When the server refuses.
pub async fn create_database(session: &Session, name: &Ident) -> Result<(), Failure> {
    run(&session.client, &format!("CREATE DATABASE {name} TEMPLATE template0")).await
}

/// What the rows of a table come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// How many there are.
    pub rows: i64,
    /// A sum over their texts, in no order.
    pub hash: String,
}

/// Counts the rows of a table and sums them up; `None`: it is not there. It reads all of them.
///
/// # Errors
/// When the server does not answer.
pub async fn sum(session: &Session, table: &QName) -> Result<Option<Sum>, Failure> {
    let there = session
        .client
        .query_one(
            "SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass($1)::oid AND relkind IN ('r', 'p'))",
            &[&table.to_string()],
        )
        .await;
    if !there.map_err(|error| failure(&error))?.get::<_, bool>(0) {
        return Ok(None);
    }
    let sql = format!(
        "SELECT count(*) AS rows, coalesce(sum(hashtextextended(one::text, 0)::numeric), 0)::text AS hash FROM {table} one"
    );
    let row = session.client.query_one(&sql, &[]).await.map_err(|error| failure(&error))?;
    Ok(Some(Sum { rows: row.get("rows"), hash: row.get("hash") }))
}

async fn run(client: &Client, sql: &str) -> Result<(), Failure> {
    client.batch_execute(sql).await.map_err(|error| failure(&error))
}

/// What the server said, in one line.
fn said(error: &tokio_postgres::Error) -> String {
    failure(error).message.lines().next().unwrap_or_default().to_owned()
}
