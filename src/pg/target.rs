//! The database that is changed: runs steps, and asks for what they need to know.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::types::ToSql;

use crate::core::backfill::{Backfill, Key, Leaf, Table, Tuning};
use crate::core::detach::{Detach, Standing};
use crate::core::failure::{Blocker, Failure, FailureKind};
use crate::core::gate::QueryFact;
use crate::core::ident::{Ident, QName};
use crate::core::index::{Branch, Probe, UniqueKeys};
use crate::core::lint::{Mentions, World};
use crate::core::preflight::Requirement;
use crate::core::quiet::Holder;
use crate::core::sql::redact;
use crate::core::step::{Limits, Statements};
use crate::core::version::Version;
use crate::engine::backfill::ports::BadRow;
use crate::engine::gauge::Gauge;
use crate::engine::{Fence, StepWrite, Target, Watch, crash};
use crate::pg::classify::failure;
use crate::pg::connect::{ConnectSettings, Session, SessionRole};
use crate::pg::monitor::PgMonitor;
use crate::pg::queries as q;
use crate::pg::sessions::Sessions;
use crate::pg::store::finish_step;
use crate::pg::trace::Trace;
use crate::pg::traffic::traffic;
use crate::pg::walk::{PgWalker, style};
use crate::pg::world::world;
use crate::pg::{catalog, indexes, partitions};

/// What came of a row in quarantine that was tried once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retried {
    /// It is done now.
    Mended,
    /// The row under its key is right already; the proof is taken back, because it may be another one.
    Right,
    /// None is under its key; the proof is taken back.
    Gone,
}

/// The database that is changed, over sessions that are opened when they are needed.
pub struct PgTarget {
    sessions: Sessions,
    runner: i64,
    trace: Option<Arc<Trace>>,
}

impl PgTarget {
    /// What the catalog tells of the relations that some statements name, and how busy those up
    /// to a size are.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn world_in_use(&self, mentions: &Mentions, small: f64) -> Result<World, Failure> {
        let session = self.sessions.work().await?;
        let mut known = world(&session.client, session.version(), mentions).await?;
        traffic(&session.client, &mut known, small).await?;
        Ok(known)
    }

    /// A target whose steps are recorded in `metadata` in the name of `runner`.
    #[must_use]
    pub fn new(settings: ConnectSettings, metadata: Ident, runner: i64) -> Self {
        Self { sessions: Sessions::new(settings, metadata), runner, trace: None }
    }

    /// Lets a rehearsal look at whatever steps do from now on.
    pub fn observe(&mut self, trace: Arc<Trace>) {
        self.trace = Some(trace);
    }

    /// Why a table, or the key that a backfill needs, cannot be used; `None`
    /// where it can.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn missing(&self, requirement: &Requirement) -> Result<Option<String>, Failure> {
        catalog::missing(&self.sessions.work().await?.client, requirement).await
    }

    /// What is worth knowing about the table of a backfill, one sentence each.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn notes(&self, backfill: &Backfill) -> Result<Vec<String>, Failure> {
        let client = &self.sessions.work().await?.client;
        let (triggers, room) = catalog::surroundings(client, backfill, self.sessions.metadata()).await?;
        Ok(backfill.notes(&triggers, &room))
    }

    /// Tries a row in quarantine once more; `None`: it is not in quarantine any more.
    ///
    /// # Errors
    /// When it fails again.
    pub async fn retry(
        &self,
        version: &Version,
        backfill: &Backfill,
        leaf: &Leaf,
        row: &BadRow,
        limits: &Limits,
    ) -> Result<Option<Retried>, Failure> {
        let client = self.sessions.texts().await?;
        let set = format!(
            "{}; SET lock_timeout = {}; SET statement_timeout = {}",
            style(leaf.steady()),
            limits.lock_timeout.as_millis(),
            limits.statement_timeout.as_millis()
        );
        client.batch_execute(&set).await.map_err(|error| failure(&error))?;
        let sql = backfill.retry_sql(leaf, self.sessions.metadata());
        let listed = serde_json::json!([row.key]);
        let params: [&(dyn ToSql + Sync); 5] = [&version.as_str(), &row.step, &row.leaf, &row.key, &listed];
        let written = client.query_opt(&sql, &params).await.map_err(|error| failure(&error))?;
        Ok(written.map(|row| match (row.get::<_, i64>("written"), row.get::<_, bool>("there")) {
            (0, true) => Retried::Right,
            (0, false) => Retried::Gone,
            _ => Retried::Mended,
        }))
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

    async fn read_only(&self, sql: &str, limits: &Limits) -> Result<Option<String>, Failure> {
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

impl Target for PgTarget {
    type Walker = PgWalker;
    type Monitor = PgMonitor;

    async fn run_transaction(
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

    async fn run_alone(&self, sql: &str, watch: &(dyn Fn(Watch) + Send + Sync)) -> Result<(), Failure> {
        let session = self.sessions.work().await?;
        self.sessions.running(&session.client);
        // Simple protocol and autocommit: nothing else may share its transaction.
        let work = async {
            let sent = session.client.batch_execute(&format!("{sql}\n")).await;
            sent.map_err(|error| failure(&error))
        };
        let result = match &self.trace {
            Some(trace) => {
                let work = self.sessions.watched(session.pid, watch, work);
                Box::pin(trace.alone(session, sql, work)).await
            }
            None => self.sessions.watched(session.pid, watch, work).await,
        };
        self.sessions.settled().await;
        if let Err(error) = session.reset().await {
            tracing::debug!("reset: {error}");
        }
        result
    }

    async fn run_quickly(&self, sql: &str, limits: &Limits, gauge: &Gauge) -> Result<(), Failure> {
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

    async fn sample(&self, gauge: &Gauge) -> Infallible {
        self.sessions.sample(gauge).await
    }

    async fn world(&self, mentions: &Mentions) -> Result<World, Failure> {
        let session = self.sessions.work().await?;
        world(&session.client, session.version(), mentions).await
    }

    async fn holders(&self, relations: &[QName]) -> Result<(Vec<Holder>, Duration), Failure> {
        self.sessions.holders(relations).await
    }

    async fn end_session(&self, who: &Blocker, only: &[String]) -> Result<bool, Failure> {
        self.sessions.end_session(who, only).await
    }

    async fn session(&self, pid: i32) -> Result<Blocker, Failure> {
        self.sessions.session(pid).await
    }

    async fn probe_index(&self, index: &QName, table: Option<&QName>) -> Result<Probe, Failure> {
        indexes::probe_index(&self.sessions.work().await?.client, index, table).await
    }

    async fn partitions(&self, table: &QName) -> Result<Vec<Branch>, Failure> {
        partitions::partitions(&self.sessions.work().await?.client, table).await
    }

    async fn attached(&self, partition: &QName, to: &QName) -> Result<bool, Failure> {
        indexes::attached(&self.sessions.work().await?.client, partition, to).await
    }

    async fn leftovers(&self, of: &QName) -> Result<Vec<QName>, Failure> {
        indexes::leftovers(&self.sessions.work().await?.client, of).await
    }

    async fn table_of_index(&self, index: &QName) -> Result<Option<QName>, Failure> {
        indexes::table_of_index(&self.sessions.work().await?.client, index).await
    }

    async fn standing(&self, detach: &Detach) -> Result<Standing, Failure> {
        partitions::standing(&self.sessions.work().await?.client, detach).await
    }

    async fn unique_keys(&self, index: &QName) -> Result<Option<UniqueKeys>, Failure> {
        indexes::unique_keys(&self.sessions.work().await?.client, index).await
    }

    async fn index_definition(&self, index: &QName) -> Result<Option<String>, Failure> {
        indexes::index_definition(&self.sessions.work().await?.client, index).await
    }

    async fn fetch_value(&self, sql: &str, limits: &Limits) -> Result<Option<String>, Failure> {
        self.read_only(sql, limits).await
    }

    async fn ask(&self, sql: &str, limits: &Limits) -> QueryFact {
        match self.read_only(sql, limits).await {
            Ok(Some(value)) if value == "t" => QueryFact::True,
            Ok(value) => QueryFact::Other(value.unwrap_or_else(|| "null".into())),
            Err(failure) => QueryFact::Failed(failure.message),
        }
    }

    async fn table(&self, backfill: &Backfill) -> Result<Table, Failure> {
        let session = self.sessions.work().await?;
        catalog::table(&session.client, backfill, session.version()).await
    }

    async fn keys(&self, sql: &str) -> Result<Vec<Key>, Failure> {
        let client = self.sessions.texts().await?;
        client.batch_execute(style(false)).await.map_err(|error| failure(&error))?;
        let rows = client.query(sql, &[]).await.map_err(|error| failure(&error))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    async fn monitor(&self, table: &Table) -> Result<PgMonitor, Failure> {
        let session = self.sessions.open(SessionRole::Watch).await?;
        PgMonitor::new(session, table.leaves.iter().map(|leaf| leaf.oid).collect()).await
    }

    async fn walker(&self, tuning: &Tuning, table: &Table) -> Result<PgWalker, Failure> {
        let session = self.sessions.open(SessionRole::Backfill).await?;
        if let Some(trace) = &self.trace {
            let tables: Vec<QName> = table.leaves.iter().map(|leaf| leaf.table.clone()).collect();
            trace.follow(session.pid, &tables).await?;
        }
        let (settings, metadata) = (self.sessions.settings().clone(), self.sessions.metadata().clone());
        let steady = table.leaves.iter().all(Leaf::steady);
        PgWalker::new(session, settings, metadata, tuning, steady).await
    }

    async fn cancel(&self) {
        self.sessions.cancel().await;
    }
}
