//! The database that is changed: runs steps, answers probes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::OnceCell;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::core::backfill::{Backfill, Position, Shape, TypedColumn};
use crate::core::failure::{Blocker, Failure, FailureKind};
use crate::core::gate::QueryFact;
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::index::{Found, Probe};
use crate::core::plan::model::BackfillWork;
use crate::core::preflight::{Key, Requirement};
use crate::core::step::{Limits, Statements};
use crate::engine::{Batch, BatchDone, Fence, StepWrite, Target, Watch, crash};
use crate::pg::classify::failure;
use crate::pg::connect::{ConnectError, ConnectSettings, Session, SessionRole, connect};
use crate::pg::queries as q;
use crate::pg::store::finish_step;
use crate::pg::walk;

/// How long a statement runs before somebody looks what it waits for.
const LOOK_AFTER: Duration = Duration::from_millis(200);
/// How often somebody looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The database that is changed, over sessions that are opened when they are needed.
pub struct PgTarget {
    settings: ConnectSettings,
    metadata: Ident,
    runner: i64,
    work: OnceCell<Session>,
    watch: OnceCell<Session>,
    pub(crate) walker: OnceCell<walk::Walker>,
    running: Mutex<Option<tokio_postgres::CancelToken>>,
}

impl PgTarget {
    /// A target whose steps are recorded in `metadata` in the name of `runner`.
    #[must_use]
    pub fn new(settings: ConnectSettings, metadata: Ident, runner: i64) -> Self {
        Self {
            settings,
            metadata,
            runner,
            work: OnceCell::new(),
            watch: OnceCell::new(),
            walker: OnceCell::new(),
            running: Mutex::new(None),
        }
    }

    pub(crate) const fn metadata(&self) -> &Ident {
        &self.metadata
    }

    pub(crate) async fn open(&self, role: SessionRole) -> Result<Session, Failure> {
        let lost = |error: ConnectError| Failure::new(FailureKind::ConnectionLost, error.to_string());
        let mut session = connect(&self.settings, role).await.map_err(lost)?;
        if matches!(role, SessionRole::Work | SessionRole::Backfill) {
            session.keep_out(&self.metadata).await?;
        }
        Ok(session)
    }

    pub(crate) async fn work(&self) -> Result<&Client, Failure> {
        Ok(&self.work.get_or_try_init(|| self.open(SessionRole::Work)).await?.client)
    }

    async fn watcher(&self) -> Result<&Client, Failure> {
        Ok(&self.watch.get_or_try_init(|| self.open(SessionRole::Watch)).await?.client)
    }

    /// Names the session that runs something, so that it can be cancelled.
    pub(crate) fn cancellable(&self, client: &Client) {
        if let Ok(mut running) = self.running.lock() {
            *running = Some(client.cancel_token());
        }
    }

    async fn send_transaction(
        &self,
        session: &Session,
        fence: &Fence,
        statements: &Statements,
        step: &StepWrite<'_>,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let client = &session.client;
        let run =
            |sql: String| async move { client.batch_execute(&sql).await.map_err(|error| failure(&error)) };
        let statement_timeout = if statements.unhurried { Duration::ZERO } else { limits.statement_timeout };
        let metadata = self.metadata.to_string();
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
        for (n, sql) in statements.sql.iter().enumerate() {
            // A newline, so that a comment at the end ends.
            run(format!("{sql}\n")).await.map_err(|failure| in_statement(failure, n, &statements.sql))?;
        }
        // What the statements set for the session must not reach the record.
        run(format!("RESET ROLE; SET LOCAL search_path = {metadata}")).await?;
        finish_step(client, fence, step, self.runner).await?;
        crash::point(&format!("before commit of {}", step.id));
        run("COMMIT".into()).await.map_err(after_commit)
    }

    /// Runs `work` on the session of backend `pid` and, once it takes its time,
    /// looks again and again what it waits for.
    async fn watched<R>(
        &self,
        pid: i32,
        on: &(dyn Fn(Watch) + Send + Sync),
        work: impl Future<Output = Result<R, Failure>>,
    ) -> Result<R, Failure> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let look = async {
            tokio::time::sleep(LOOK_AFTER).await;
            loop {
                if let Ok(watch) = self.look(pid).await {
                    if let Ok(mut seen) = seen.lock()
                        && !watch.waiting_for.is_empty()
                    {
                        seen.clone_from(&watch.waiting_for);
                    }
                    on(watch);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        let result = tokio::select! {
            result = work => result,
            () = look => unreachable_watch(),
        };
        result.map_err(|mut failure| {
            if failure.kind.retryable()
                && let Ok(seen) = seen.lock()
            {
                failure.blockers.clone_from(&seen);
            }
            failure
        })
    }

    async fn look(&self, pid: i32) -> Result<Watch, Failure> {
        let client = self.watcher().await?;
        let blockers = client.query(q::BLOCKERS, &[&pid]).await.map_err(|error| failure(&error))?;
        let progress = client.query_opt(q::INDEX_PROGRESS, &[&pid]).await.map_err(|error| failure(&error))?;
        let waiting_for = blockers
            .iter()
            .map(|row| Blocker {
                pid: row.get("pid"),
                user: row.get("usename"),
                application: row.get("application_name"),
                state: row.get("state"),
                age_s: row.get("age_s"),
                query: row.get("query"),
            })
            .collect();
        Ok(match progress {
            Some(row) => {
                Watch { phase: row.get("phase"), done: row.get("done"), total: row.get("total"), waiting_for }
            }
            None => Watch { phase: String::new(), done: 0, total: 0, waiting_for },
        })
    }

    /// Ends a transaction that failed and takes back what its statements set for the session.
    async fn clean(&self, session: &Session) {
        if let Err(error) = session.client.batch_execute("ROLLBACK").await {
            tracing::debug!("rollback: {error}");
        }
        if let Err(error) = session.reset().await {
            tracing::debug!("reset: {error}");
        }
    }

    async fn read_only(&self, sql: &str, limits: &Limits) -> Result<Option<String>, Failure> {
        let session = self.work.get_or_try_init(|| self.open(SessionRole::Work)).await?;
        self.cancellable(&session.client);
        let begin = format!(
            "BEGIN READ ONLY; SET LOCAL lock_timeout = {}; SET LOCAL statement_timeout = {}",
            limits.lock_timeout.as_millis(),
            limits.statement_timeout.as_millis(),
        );
        let value = async {
            session.client.batch_execute(&begin).await?;
            session.client.simple_query(&format!("{sql}\n")).await
        };
        let messages = value.await;
        self.clean(session).await;
        let messages = messages.map_err(|error| failure(&error))?;
        let first = messages.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row.try_get(0).ok().flatten().map(str::to_owned)),
            _ => None,
        });
        Ok(first.flatten())
    }
}

/// The watch never ends by itself; the work it stands beside does.
fn unreachable_watch<R>() -> Result<R, Failure> {
    Err(Failure::new(FailureKind::Other, "the watch ended before the statement that it watched"))
}

fn in_statement(mut failure: Failure, n: usize, statements: &[String]) -> Failure {
    if let Some(sql) = statements.get(n).filter(|_| statements.len() > 1) {
        let first: String = sql.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(120).collect();
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

impl PgTarget {
    /// Why a table, or the key that a backfill needs, cannot be used; `None`
    /// where it can.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn missing(&self, requirement: &Requirement) -> Result<Option<String>, Failure> {
        let client = self.work().await?;
        let (table, name) = (requirement.table.to_string(), requirement.table.name.as_str());
        let row =
            client.query_one(q::TABLE_EXISTS, &[&table, &name]).await.map_err(|error| failure(&error))?;
        if !row.get::<_, Option<bool>>("found").unwrap_or(false) {
            let near = row
                .get::<_, Option<String>>("near")
                .map_or_else(String::new, |near| format!("; there is {near}"));
            return Ok(Some(format!("there is no table {}{near}", requirement.table.plain())));
        }
        let key = match &requirement.key {
            None => return Ok(None),
            Some(Key::Primary) => None,
            Some(Key::Columns(columns)) => Some(columns.as_slice()),
        };
        let found = self.key_columns(&requirement.table, key).await?;
        Ok(found.is_empty().then(|| no_key(&requirement.table, key)))
    }

    async fn key_columns(&self, table: &QName, key: Option<&[Ident]>) -> Result<Vec<TypedColumn>, Failure> {
        let key: Option<Vec<&str>> = key.map(|key| key.iter().map(Ident::as_str).collect());
        let rows = self.work().await?.query(q::KEY_COLUMNS, &[&table.to_string(), &key]).await;
        rows.map_err(|error| failure(&error))?.iter().map(typed).collect()
    }
}

impl Target for PgTarget {
    async fn run_transaction(
        &self,
        fence: &Fence,
        statements: &Statements,
        step: &StepWrite<'_>,
        limits: &Limits,
    ) -> Result<(), Failure> {
        let session = self.work.get_or_try_init(|| self.open(SessionRole::Work)).await?;
        self.cancellable(&session.client);
        let work = self.send_transaction(session, fence, statements, step, limits);
        let result = self.watched(session.pid, &|_| {}, work).await;
        self.clean(session).await;
        result
    }

    async fn run_alone(&self, sql: &str, watch: &(dyn Fn(Watch) + Send + Sync)) -> Result<(), Failure> {
        let session = self.work.get_or_try_init(|| self.open(SessionRole::Work)).await?;
        self.cancellable(&session.client);
        // Simple protocol and autocommit: nothing else may share its transaction.
        let work = async {
            let sent = session.client.batch_execute(&format!("{sql}\n")).await;
            sent.map_err(|error| failure(&error))
        };
        let result = self.watched(session.pid, watch, work).await;
        if let Err(error) = session.reset().await {
            tracing::debug!("reset: {error}");
        }
        result
    }

    async fn probe_index(&self, index: &QName, table: Option<&QName>) -> Result<Probe, Failure> {
        let client = self.work().await?;
        let (whole, name, table) = (index.to_string(), index.name.as_str(), table.map(ToString::to_string));
        let row = client
            .query_opt(q::INDEX_PROBE, &[&whole, &name, &table])
            .await
            .map_err(|error| failure(&error))?;
        let Some(row) = row else { return Ok(Probe::Absent) };
        if !row.get::<_, bool>("ours") {
            let (name, kind): (String, String) = (row.get("name"), row.get("kind"));
            return Ok(Probe::Taken(format!("{name} (relkind {kind}), which is no index of this table")));
        }
        Ok(Probe::Found(Found {
            valid: row.get("valid"),
            definition: row.get("definition"),
            unique: row.get("is_unique"),
            builder: row.get("builder"),
        }))
    }

    async fn index_definition(&self, index: &QName) -> Result<Option<String>, Failure> {
        let client = self.work().await?;
        let row = client.query_opt(q::INDEX_DEFINITION, &[&index.to_string()]).await;
        Ok(row.map_err(|error| failure(&error))?.map(|row| row.get("definition")))
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

    async fn shape(&self, backfill: &Backfill) -> Result<Shape, Failure> {
        let client = self.work().await?;
        let table = backfill.table.to_string();
        let key = self.key_columns(&backfill.table, backfill.key.as_deref()).await?;
        if key.is_empty() {
            return Err(Failure::new(FailureKind::Catalog, no_key(&backfill.table, backfill.key.as_deref())));
        }
        let columns = client.query(q::TABLE_COLUMNS, &[&table]).await.map_err(|error| failure(&error))?;
        let columns = columns.iter().map(typed).collect::<Result<Vec<_>, _>>()?;
        let targets = match &backfill.work {
            BackfillWork::Set(set) => set
                .iter()
                .map(|(name, _)| {
                    columns.iter().find(|column| column.name == *name).cloned().ok_or_else(|| {
                        let what = format!("table {} has no column {name}", backfill.table.plain());
                        Failure::new(FailureKind::Catalog, what)
                    })
                })
                .collect::<Result<Vec<_>, _>>()?,
            BackfillWork::Copy { .. } | BackfillWork::Delete => Vec::new(),
        };
        let estimate = client.query_one(q::TABLE_ROWS, &[&table]).await.map_err(|error| failure(&error))?;
        Ok(Shape { key, targets, estimate: estimate.get("estimate") })
    }

    async fn claim_range(
        &self,
        fence: &Fence,
        step: &str,
        backfill: &Backfill,
        shape: &Shape,
    ) -> Result<Position, Failure> {
        walk::claim(self, fence, step, backfill, shape).await
    }

    async fn second_pass(&self, fence: &Fence, step: &str) -> Result<(), Failure> {
        walk::second_pass(self, fence, step).await
    }

    async fn batch(&self, fence: &Fence, batch: &Batch<'_>) -> Result<BatchDone, Failure> {
        walk::batch(self, fence, batch).await
    }

    async fn cancel(&self) {
        let token = self.running.lock().ok().and_then(|running| running.clone());
        if let Some(token) = token
            && let Err(error) = self.settings.cancel(&token).await
        {
            tracing::debug!("cancel: {error}");
        }
    }
}

fn typed(row: &tokio_postgres::Row) -> Result<TypedColumn, Failure> {
    let name = Ident::exact(row.get::<_, String>("attname"));
    let name = name.map_err(|error| Failure::new(FailureKind::Catalog, error.to_string()))?;
    Ok(TypedColumn { name, type_name: row.get("type_name") })
}

/// Why there is no key to walk, and what helps.
fn no_key(table: &QName, key: Option<&[Ident]>) -> String {
    let table = table.plain();
    match key {
        None => format!(
            "table {table} has no primary key to walk: give it one, or name a unique NOT NULL key with key: [column, …]"
        ),
        Some(key) => {
            let key = key.iter().map(plain).collect::<Vec<_>>().join(", ");
            format!(
                "table {table} has no unique index over exactly ({key}), every column NOT NULL: build one, or name another key"
            )
        }
    }
}

/// Sets a session's `search_path` to one schema.
pub(crate) fn search_path(schema: &Ident) -> String {
    format!("SELECT set_config('search_path', {}, false)", literal(&schema.to_string()))
}
