//! Runs statements of a step in a transaction: with its record, as one of several, or reading only.

use std::time::Duration;

use tokio_postgres::SimpleQueryMessage;

use super::PgTarget;
use crate::core::failure::{Failure, FailureKind};
use crate::core::sql::redact;
use crate::core::step::{Limits, Statements};
use crate::engine::gauge::Gauge;
use crate::engine::{Fence, StepWrite, crash};
use crate::pg::classify::failure;
use crate::pg::connect::Session;
use crate::pg::queries as q;
use crate::pg::store::finish_step;

impl PgTarget {
    /// Runs the statements of a step and puts it on record, in one transaction.
    pub(super) async fn with_record(
        &self,
        fence: &Fence,
        statements: &Statements,
        step: &StepWrite<'_>,
        limits: &Limits,
        gauge: &Gauge,
    ) -> Result<(), Failure> {
        let session = self.sessions.work().await?;
        self.sessions.running(&session.client);
        let work = Box::pin(self.send_transaction(session, fence, statements, step, limits, gauge));
        let result = self.sessions.watched(session.pid, &|_| {}, work).await;
        self.clean(session, result.is_err()).await;
        result
    }

    async fn send_transaction(
        &self,
        session: &Session,
        fence: &Fence,
        statements: &Statements,
        step: &StepWrite<'_>,
        limits: &Limits,
        gauge: &Gauge,
    ) -> Result<(), Failure> {
        // Opened before any lock is taken: a new session takes its time.
        self.sessions.watch().await?;
        let client = &session.client;
        let run =
            |sql: String| async move { client.batch_execute(&sql).await.map_err(|error| failure(&error)) };
        let statement_timeout = if statements.unhurried { Duration::ZERO } else { limits.statement_timeout };
        let metadata = self.sessions.metadata().to_string();
        run(format!(
            "BEGIN; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}; SET LOCAL search_path = {metadata}",
            limits.lock_timeout.as_millis(),
            statement_timeout.as_millis(),
        ))
        .await?;
        let fenced = client.query(q::FENCE, &[&fence.version.as_str(), &fence.epoch]).await;
        if fenced.map_err(|error| failure(&error))?.is_empty() {
            return Err(Failure::fenced());
        }
        run(format!("SET LOCAL search_path TO {}", session.path())).await?;
        if let Some(trace) = &self.trace {
            trace.begin(session).await?;
        }
        for (n, sql) in statements.sql.iter().enumerate() {
            // A newline, so that a comment at the end ends.
            run(format!("{sql}\n")).await.map_err(|failure| in_statement(failure, n, &statements.sql))?;
            if let Some(trace) = &self.trace {
                trace.after_statement(session).await?;
            }
        }
        gauge.locks(self.sessions.locks_of(session.pid).await.unwrap_or_default());
        // What the statements set for the session must not reach the record.
        run(format!("RESET ROLE; SET LOCAL search_path = {metadata}")).await?;
        finish_step(client, fence, step, self.runner).await?;
        crash::point(&format!("before commit of {}", step.id));
        run("COMMIT".into()).await.map_err(after_commit)
    }

    /// Runs one of several statements of a step in a transaction of its own.
    pub(super) async fn without_record(
        &self,
        sql: &str,
        limits: &Limits,
        gauge: &Gauge,
    ) -> Result<(), Failure> {
        let session = self.sessions.work().await?;
        self.sessions.watch().await?;
        self.sessions.running(&session.client);
        let begin = format!(
            "BEGIN; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
            limits.lock_timeout.as_millis(),
            limits.statement_timeout.as_millis()
        );
        let work = async {
            let run = |sql: String| async move {
                session.client.batch_execute(&sql).await.map_err(|error| failure(&error))
            };
            run(begin).await?;
            if let Some(trace) = &self.trace {
                trace.begin_part(session).await?;
            }
            run(format!("{sql}\n")).await?;
            if let Some(trace) = &self.trace {
                trace.after_statement(session).await?;
            }
            gauge.locks(self.sessions.locks_of(session.pid).await.unwrap_or_default());
            run("COMMIT".into()).await.map_err(after_commit)
        };
        let result = self.sessions.watched(session.pid, &|_| {}, Box::pin(work)).await;
        self.clean(session, result.is_err()).await;
        result
    }

    /// Asks for one value, in a transaction that writes nothing.
    pub(super) async fn read_only(&self, sql: &str, limits: &Limits) -> Result<Option<String>, Failure> {
        let session = self.sessions.work().await?;
        self.sessions.running(&session.client);
        let begin = format!(
            "BEGIN READ ONLY; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
            limits.lock_timeout.as_millis(),
            limits.statement_timeout.as_millis(),
        );
        let value = async {
            session.client.batch_execute(&begin).await.map_err(|error| failure(&error))?;
            if let Some(trace) = &self.trace {
                trace.begin(session).await?;
            }
            let messages = session.client.simple_query(&format!("{sql}\n")).await;
            let messages = messages.map_err(|error| failure(&error))?;
            if let Some(trace) = &self.trace {
                trace.after_statement(session).await?;
            }
            Ok(messages)
        };
        let messages: Result<_, Failure> = value.await;
        self.clean(session, true).await;
        let messages = messages?;
        let first = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.try_get(0).ok().flatten().map(str::to_owned)),
            _ => None,
        });
        Ok(first.flatten())
    }

    /// Takes back what statements set for the session, and ends their transaction where
    /// one may be open: without one, a ROLLBACK is a warning in the server's log.
    async fn clean(&self, session: &Session, open: bool) {
        self.sessions.settled().await;
        if open && let Err(error) = session.client.batch_execute("ROLLBACK").await {
            tracing::debug!("rollback: {error}");
        }
        if let Err(error) = session.reset().await {
            tracing::debug!("reset: {error}");
        }
    }
}

fn in_statement(mut failure: Failure, n: usize, statements: &[String]) -> Failure {
    if let Some(sql) = statements.get(n).filter(|_| statements.len() > 1) {
        let first: String =
            redact(sql).split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect();
        failure.message =
            format!("{}\nin statement {} of {}: {first}", failure.message, n + 1, statements.len());
    }
    failure
}

fn after_commit(mut failure: Failure) -> Failure {
    if failure.kind == FailureKind::ConnectionLost {
        failure.message = format!(
            "{}\nThe connection ended during COMMIT. The step and its record commit together: \
             the next run looks it up and goes on from there.",
            failure.message
        );
    }
    failure
}
