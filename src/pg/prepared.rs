//! Owns statements that a session prepares once and runs again and again: parsing and
//! planning them each time would cost the server several times what they do.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Row, Statement};

use crate::core::failure::Failure;
use crate::pg::classify::failure;

/// The prepared statements of one session, by their text.
#[derive(Default)]
pub(crate) struct Prepared {
    known: Mutex<HashMap<String, Statement>>,
}

type Params<'a> = [&'a (dyn ToSql + Sync)];

impl Prepared {
    /// The rows of a statement.
    ///
    /// # Errors
    /// When it fails, or the server does not answer.
    pub(crate) async fn rows(
        &self,
        client: &Client,
        sql: &str,
        params: &Params<'_>,
    ) -> Result<Vec<Row>, Failure> {
        let ran = client.query(&self.statement(client, sql).await?, params).await;
        match ran {
            Err(error) if self.lost(sql, &error) => {
                let again = self.statement(client, sql).await?;
                client.query(&again, params).await.map_err(|error| failure(&error))
            }
            ran => ran.map_err(|error| failure(&error)),
        }
    }

    /// The statement, prepared now if it was not before.
    async fn statement(&self, client: &Client, sql: &str) -> Result<Statement, Failure> {
        let known = self.known.lock().ok().and_then(|known| known.get(sql).cloned());
        if let Some(statement) = known {
            return Ok(statement);
        }
        tracing::debug!(%sql, "prepared");
        let statement = client.prepare(sql).await.map_err(|error| failure(&error))?;
        if let Ok(mut known) = self.known.lock() {
            known.insert(sql.to_owned(), statement.clone());
        }
        Ok(statement)
    }

    /// Whether the server no longer knows a statement, or would answer it in another form,
    /// and so has not run it: it is forgotten here as well.
    fn lost(&self, sql: &str, error: &Error) -> bool {
        let lost = matches!(
            error.code(),
            Some(&SqlState::INVALID_SQL_STATEMENT_NAME | &SqlState::FEATURE_NOT_SUPPORTED)
        );
        lost && self.known.lock().is_ok_and(|mut known| known.remove(sql).is_some())
    }
}
