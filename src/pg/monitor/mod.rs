//! The session that looks at the server's health: beside the signals the canary,
//! what others do, the size of the table, a service level, and VACUUM.

mod readings;

use std::time::{Duration, Instant};

use tokio_postgres::types::{Oid, ToSql};
use tokio_postgres::{Client, Row};

use crate::core::failure::{Failure, FailureKind};
use crate::core::pace::log_clock::LogClock;
use crate::core::pace::signal::{Reading, Signal, Unit, Value, shown};
use crate::core::pace::throttle::{Slo, Throttle};
use crate::core::pace::traffic::Counters;
use crate::engine::backfill::ports::Monitor;
use crate::outside::probe;
use crate::pg::classify::failure;
use crate::pg::connect::Session;
use crate::pg::prepared::Prepared;
use crate::pg::queries as q;

/// How long a signal's query may take; what takes longer is unknown.
const QUERY_MS: u64 = 900;

/// The session that looks at the server's health.
pub struct PgMonitor {
    session: Session,
    prepared: Prepared,
    tables: Vec<Oid>,
    began: Instant,
    clock: LogClock,
    log: Option<(f64, f64)>,
    checkpoints: Option<(f64, i64)>,
    replicas: bool,
}

/// The limits of a look at the server.
fn limits() -> String {
    format!("SET statement_timeout = {QUERY_MS}; SET lock_timeout = 100")
}

impl PgMonitor {
    /// Takes a session over; `tables` are the leaves of the backfill.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn new(session: Session, tables: Vec<Oid>) -> Result<Self, Failure> {
        session.client.batch_execute(&limits()).await.map_err(|error| failure(&error))?;
        Ok(Self {
            session,
            prepared: Prepared::default(),
            tables,
            began: Instant::now(),
            clock: LogClock::default(),
            log: None,
            checkpoints: None,
            replicas: false,
        })
    }

    fn now(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        self.prepared.rows(&self.session.client, sql, params).await
    }

    async fn one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, Failure> {
        let row = self.rows(sql, params).await?.into_iter().next();
        row.ok_or_else(|| Failure::new(FailureKind::Other, "the server gave no answer"))
    }
}

/// Where the log stands.
struct Log {
    at: f64,
    written: f64,
    file: String,
    segment: f64,
}

/// What was asked; nothing where the question failed but the session lives: it was
/// cancelled, or took longer than [`QUERY_MS`], or somebody rewrites the table.
fn if_told<V>(answer: Result<V, Failure>) -> Result<Option<V>, Failure> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind.reconnects() => Err(error),
        Err(error) => {
            tracing::debug!("not measured: {}", error.message);
            Ok(None)
        }
    }
}

async fn first_value(client: &Client, sql: &str) -> Result<Option<String>, Failure> {
    let sql = format!("BEGIN READ ONLY; {sql}\n; COMMIT");
    let answer = client.simple_query(&sql).await;
    if answer.is_err() {
        let _ = client.batch_execute("ROLLBACK").await;
    }
    let answer = answer.map_err(|error| failure(&error))?;
    Ok(answer
        .iter()
        .find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0).map(str::to_owned)),
            _ => None,
        })
        .flatten())
}

impl Monitor for PgMonitor {
    async fn sample(&mut self, throttle: &Throttle, ours: &[i32]) -> Result<Vec<Reading>, Failure> {
        let wants_log = [Signal::ReplicaLag, Signal::ReplicaBytes, Signal::WalRate, Signal::ArchiveBacklog];
        let mut log = None;
        if wants_log.iter().any(|signal| throttle.limits.contains_key(signal)) {
            log = if_told(self.one(q::SIGNAL_POSITION, &[]).await)?.map(|row| {
                let segment: i64 = row.get("segment");
                #[allow(clippy::cast_precision_loss, reason = "a power of two")]
                let segment = segment as f64;
                Log { at: self.now(), written: row.get("written"), file: row.get("file"), segment }
            });
        }
        if let Some(log) = &log {
            self.clock.learn(log.at, log.written);
        }
        let mut readings = Vec::new();
        for signal in throttle.limits.keys().copied() {
            let value = match self.read(signal, throttle, ours, log.as_ref()).await {
                Ok(value) => value,
                Err(error) if error.kind.reconnects() => return Err(error),
                Err(error) => Value::Unknown(error.message.lines().next().unwrap_or_default().into()),
            };
            readings.push(Reading { signal, value });
        }
        Ok(readings)
    }

    async fn canary(&self) -> Result<Option<Duration>, Failure> {
        let began = Instant::now();
        let flown = self.session.client.simple_query("SELECT 1").await.map_err(|error| failure(&error));
        Ok(if_told(flown)?.map(|_| began.elapsed()))
    }

    async fn traffic(&self) -> Result<Option<Counters>, Failure> {
        let row = if_told(self.one(q::SIGNAL_TRAFFIC, &[]).await)?;
        Ok(row.map(|row| Counters { transactions: row.get("transactions"), active_ms: row.get("active_ms") }))
    }

    async fn size(&self) -> Result<Option<f64>, Failure> {
        Ok(if_told(self.one(q::SIGNAL_SIZE, &[&self.tables]).await)?.and_then(|row| row.get("bytes")))
    }

    async fn violated(&mut self, slo: &Slo) -> Result<Option<String>, Failure> {
        if let Some(sql) = &slo.query {
            return Ok(match first_value(&self.session.client, sql).await {
                Err(error) if error.kind.reconnects() => return Err(error),
                Err(error) => Some(format!("the slo's query failed: {}", error.message)),
                Ok(value) => match value.as_deref().map(str::parse::<f64>) {
                    Some(Ok(value)) if value <= slo.max => None,
                    Some(Ok(value)) => Some(format!("the slo's query gives {value} > {}", slo.max)),
                    _ => Some(format!(
                        "the slo's query gives {}, no number",
                        value.as_deref().unwrap_or("null")
                    )),
                },
            });
        }
        let said = match (&slo.http, &slo.command) {
            (Some(address), _) => probe::http(address).await,
            (None, Some(command)) => probe::command(command).await,
            (None, None) => return Ok(None),
        };
        Ok(match said {
            Value::Known(0.0) => None,
            Value::Known(value) => Some(format!("the slo's probe says {}", shown(Unit::Count, value))),
            Value::Said(_, why) | Value::Unknown(why) => Some(why),
        })
    }

    async fn vacuum(&self, table: &str) -> Result<(), Failure> {
        let client = &self.session.client;
        let run = async |sql: &str| client.batch_execute(sql).await.map_err(|error| failure(&error));
        run("SET statement_timeout = 0; SET lock_timeout = 1000").await?;
        let vacuumed = run(&format!("VACUUM (TRUNCATE off) {table}")).await;
        run(&limits()).await?;
        vacuumed
    }
}
