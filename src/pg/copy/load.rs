//! Runs a dump of pg_dump without psql.

use tokio_postgres::error::SqlState;

use super::said;
use crate::core::failure::{Failure, FailureKind};
use crate::core::sql::{Change, SqlError, deep, first_words, split};
use crate::pg::connect::Session;

/// How many statements that could not be carried over are named.
const NAMED: usize = 10;

/// Runs a dump, statement by statement. What could not be made is said, one
/// sentence each: an extension that is not at hand is no reason to copy nothing.
///
/// # Errors
/// When the dump does not parse.
pub async fn load(session: &Session, dump: &str) -> Result<Vec<String>, Failure> {
    // Of psql, not of SQL.
    let of_psql = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
    let text = dump.lines().filter(|line| !of_psql(line)).collect::<Vec<_>>().join("\n");
    let broken =
        |error: SqlError| Failure::new(FailureKind::Other, format!("the dump cannot be read: {error}"));
    let statements = deep(|| split(&text)).and_then(|read| read).map_err(broken)?;
    let mut notes = Vec::new();
    if statements.iter().any(|statement| reaches_out(&statement.text)) {
        notes.push(
            "user mappings and subscriptions are left out, so that nothing reaches another server: what needs a foreign \
             table fails here"
                .into(),
        );
    }
    for statement in statements.into_iter().filter(|statement| !reaches_out(&statement.text)) {
        let Err(error) = session.client.batch_execute(&statement.text).await else { continue };
        // A newer pg_dump sets what an older server does not know; `public` is there already.
        let setting = statement.changes.iter().any(|change| matches!(change, Change::Set { .. }));
        if !setting && error.code() != Some(&SqlState::DUPLICATE_SCHEMA) {
            notes.push(format!("not carried over: {}: {}", first_words(&statement.text), said(&error)));
        }
    }
    if notes.len() > NAMED {
        let more = notes.len() - NAMED;
        notes.truncate(NAMED);
        notes.push(format!("not carried over: {more} more statements"));
    }
    Ok(notes)
}

/// Whether a statement of a dump, as pg_dump writes it, makes the copy talk to other
/// servers: those that the target talks to are not ours to write to.
fn reaches_out(statement: &str) -> bool {
    ["CREATE USER MAPPING ", "CREATE SUBSCRIPTION ", "ALTER SUBSCRIPTION ", "COMMENT ON SUBSCRIPTION "]
        .iter()
        .any(|head| statement.starts_with(head))
}
