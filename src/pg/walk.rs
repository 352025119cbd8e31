//! Walks a backfill's table: claims its range and sends its batches.

use std::collections::HashMap;
use std::sync::Mutex;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use crate::core::backfill::{Backfill, Position, Shape};
use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::Ident;
use crate::engine::{Batch, BatchDone, Fence};
use crate::pg::classify::failure;
use crate::pg::connect::{Session, SessionRole};
use crate::pg::queries as q;
use crate::pg::schema;
use crate::pg::sessions::Sessions;

/// The session that batches run on, with their prepared statements.
pub(crate) struct Walker {
    session: Session,
    record: Session,
    prepared: Mutex<HashMap<String, Statement>>,
}

impl Walker {
    /// Opens the sessions for batches and for their record.
    pub(crate) async fn open(sessions: &Sessions) -> Result<Self, Failure> {
        let session = sessions.open(SessionRole::Backfill).await?;
        let record = sessions.open(SessionRole::Control).await?;
        schema::enter(&record.client, sessions.metadata()).await?;
        Ok(Self { session, record, prepared: Mutex::new(HashMap::new()) })
    }

    /// The session that batches run on.
    pub(crate) const fn client(&self) -> &Client {
        &self.session.client
    }

    /// Takes the range for this epoch; where the walk is.
    pub(crate) async fn claim(
        &self,
        fence: &Fence,
        step: &str,
        backfill: &Backfill,
        shape: &Shape,
    ) -> Result<Position, Failure> {
        let version = fence.version.as_str();
        let begun = self.record.client.query_opt(q::RANGE_EXISTS, &[&version, &step]).await;
        let upper: Option<Vec<String>> = if begun.map_err(|error| failure(&error))?.is_some() {
            None
        } else {
            let row = self.session.client.query_opt(&backfill.upper_sql(shape), &[]).await;
            row.map_err(|error| failure(&error))?.map(|row| row.get("upper"))
        };
        let empty = upper.is_none();
        let params: [&(dyn ToSql + Sync); 6] =
            [&version, &fence.epoch, &step, &upper, &shape.estimate, &empty];
        let row =
            self.record.client.query_opt(q::RANGE_CLAIM, &params).await.map_err(|error| failure(&error))?;
        let row = row.ok_or_else(Failure::fenced)?;
        Ok(Position {
            pass: row.get("pass"),
            cursor: row.get("cursor"),
            upper: row.get("upper"),
            finished: row.get("finished"),
            rows_seen: row.get("rows_seen"),
            rows_written: row.get("rows_written"),
            rows_total: row.get("rows_total"),
            batches: row.get("batches"),
        })
    }

    /// Goes over to the second pass.
    pub(crate) async fn second_pass(&self, fence: &Fence, step: &str) -> Result<(), Failure> {
        let params: [&(dyn ToSql + Sync); 3] = [&fence.version.as_str(), &step, &fence.epoch];
        match self
            .record
            .client
            .execute(q::RANGE_NEXT_PASS, &params)
            .await
            .map_err(|error| failure(&error))?
        {
            0 => Err(Failure::fenced()),
            _ => Ok(()),
        }
    }

    /// One batch: fence, rows and cursor in one statement.
    pub(crate) async fn batch(
        &self,
        fence: &Fence,
        batch: &Batch<'_>,
        metadata: &Ident,
    ) -> Result<BatchDone, Failure> {
        let statement = self.prepare(batch, metadata).await?;
        let rows = batch.backfill.window(batch.variant());
        let position = batch.position;
        let params: [&(dyn ToSql + Sync); 6] =
            [&fence.version.as_str(), &batch.step, &fence.epoch, &rows, &position.cursor, &position.upper];
        let row = self.client().query_opt(&statement, &params).await.map_err(|error| failure(&error))?;
        let row = row.ok_or_else(Failure::fenced)?;
        let position = Position {
            cursor: row.get("cursor"),
            finished: row.get("finished"),
            rows_seen: row.get("rows_seen"),
            rows_written: row.get("rows_written"),
            batches: row.get("batches"),
            ..position.clone()
        };
        Ok(BatchDone { position, hold: row.get("hold") })
    }

    /// Prepares a batch statement once, and sets the limits that it runs under.
    async fn prepare(&self, batch: &Batch<'_>, metadata: &Ident) -> Result<Statement, Failure> {
        // The text itself is the key: nothing else tells two batches apart for sure.
        let sql = batch.backfill.batch_sql(batch.shape, batch.variant(), metadata);
        let known = self.prepared.lock().ok().and_then(|prepared| prepared.get(&sql).cloned());
        if let Some(statement) = known {
            return Ok(statement);
        }
        let client = self.client();
        let set = format!(
            "SET lock_timeout = {}; SET statement_timeout = {}",
            batch.limits.lock_timeout.as_millis(),
            batch.limits.statement_timeout.as_millis()
        );
        client.batch_execute(&set).await.map_err(|error| failure(&error))?;
        tracing::debug!(step = batch.step, %sql, "batch statement");
        let statement = client.prepare(&sql).await.map_err(|error| failure(&error))?;
        let mut prepared = self
            .prepared
            .lock()
            .map_err(|_| Failure::new(FailureKind::Other, "a batch statement was given up half prepared"))?;
        prepared.insert(sql, statement.clone());
        Ok(statement)
    }
}
