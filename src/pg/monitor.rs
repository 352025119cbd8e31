//! Measures the health signals, each by a query of its own on a session of its
//! own: what one of them may not see does not blind the others.

use std::time::{Duration, Instant};

use tokio_postgres::types::{Oid, ToSql};
use tokio_postgres::{Client, Row};

use crate::core::failure::Failure;
use crate::core::pace::log_clock::LogClock;
use crate::core::pace::signal::{Reading, Signal, Unit, Value, shown};
use crate::core::pace::throttle::{Slo, Throttle};
use crate::core::pace::traffic::Counters;
use crate::engine::backfill::ports::Monitor;
use crate::pg::classify::failure;
use crate::pg::connect::Session;
use crate::pg::queries as q;
use crate::probe;

/// How long a signal's query may take; what takes longer is unknown.
const QUERY_MS: u64 = 900;
/// Since this version checkpoints have a view of their own.
const CHECKPOINTER_SINCE: u32 = 170_000;

/// The session that looks at the server's health.
pub struct PgMonitor {
    session: Session,
    tables: Vec<Oid>,
    began: Instant,
    clock: LogClock,
    log: Option<(f64, f64)>,
    checkpoints: Option<(f64, i64)>,
    replicas: bool,
}

type Read = Result<Value, Failure>;

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

    async fn one(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Row, Failure> {
        self.session.client.query_one(sql, params).await.map_err(|error| failure(&error))
    }

    async fn read(&mut self, signal: Signal, throttle: &Throttle, ours: &[i32], log: Option<&Log>) -> Read {
        match signal {
            Signal::ReplicaLag | Signal::ReplicaBytes => self.replica(signal, log).await,
            Signal::SlotWal | Signal::FreeWal => self.slots(signal).await,
            Signal::WalRate => Ok(self.wal_rate(log)),
            Signal::ArchiveBacklog => self.archiver(log).await,
            Signal::ActiveSessions => {
                let row = self.one(q::SIGNAL_SESSIONS, &[&ours]).await?;
                Ok(visible(row.get("hidden"), row.get::<_, i64>("active")))
            }
            Signal::LockWaiters => {
                let rows = self.session.client.query(q::SIGNAL_WAITERS, &[&ours]).await;
                Ok(number(rows.map_err(|error| failure(&error))?.len()))
            }
            Signal::OldestTransaction => {
                let row = self.one(q::SIGNAL_TRANSACTIONS, &[&ours]).await?;
                let (hidden, age): (i64, f64) = (row.get("hidden"), row.get("age"));
                Ok(if hidden > 0 { Value::Unknown(hidden_from_us(hidden)) } else { Value::Known(age) })
            }
            Signal::WraparoundVacuum => {
                let at_work: bool = self.one(q::SIGNAL_WRAPAROUND, &[&self.tables]).await?.get("at_work");
                Ok(Value::Known(f64::from(u8::from(at_work))))
            }
            Signal::Bloat => Ok(Value::Known(self.one(q::SIGNAL_BLOAT, &[&self.tables]).await?.get("dead"))),
            Signal::Checkpoints => self.checkpoints().await,
            Signal::Query => self.ask(throttle.query.as_deref().unwrap_or("SELECT true")).await,
            Signal::Http => Ok(probe::http(throttle.http.as_deref().unwrap_or_default()).await),
            Signal::Command => Ok(probe::command(throttle.command.as_deref().unwrap_or_default()).await),
        }
    }

    async fn replica(&mut self, signal: Signal, log: Option<&Log>) -> Read {
        let Some(log) = log else { return Ok(Value::Unknown("where the log stands cannot be seen".into())) };
        let rows =
            self.session.client.query(q::SIGNAL_REPLICAS, &[]).await.map_err(|error| failure(&error))?;
        if rows.is_empty() {
            // A replica that was there and is gone is not one that keeps up.
            return Ok(if self.replicas {
                Value::Unknown("the replica that was connected is gone".into())
            } else {
                Value::Known(0.0)
            });
        }
        self.replicas = true;
        let mut worst = 0.0_f64;
        for row in &rows {
            let name: String = row.get("name");
            let Some(replayed) = row.get::<_, Option<f64>>("replayed") else {
                return Ok(Value::Unknown(format!(
                    "our role may not see how far {name} is: grant pg_monitor"
                )));
            };
            let behind = match signal {
                Signal::ReplicaBytes => (log.written - replayed).max(0.0),
                _ => self.clock.lag(log.at, replayed),
            };
            worst = worst.max(behind);
        }
        Ok(Value::Known(worst))
    }

    async fn slots(&self, signal: Signal) -> Read {
        let row = self.one(q::SIGNAL_SLOTS, &[]).await?;
        let value: Option<f64> = row.get(if signal == Signal::SlotWal { "kept" } else { "free" });
        Ok(match (signal, value, row.get::<_, Option<bool>>("lost")) {
            (Signal::FreeWal, _, Some(true)) => Value::Known(0.0),
            (Signal::FreeWal, None, _) => Value::Known(f64::MAX),
            (_, value, _) => Value::Known(value.unwrap_or(0.0)),
        })
    }

    fn wal_rate(&mut self, log: Option<&Log>) -> Value {
        let Some(log) = log else { return Value::Unknown("where the log stands cannot be seen".into()) };
        let before = self.log.replace((log.at, log.written));
        match before {
            Some((at, written)) if log.at > at => {
                Value::Known((log.written - written).max(0.0) / (log.at - at))
            }
            _ => Value::Known(0.0),
        }
    }

    async fn archiver(&self, log: Option<&Log>) -> Read {
        let row = self.one(q::SIGNAL_ARCHIVER, &[]).await?;
        if !row.get::<_, bool>("archiving") {
            return Ok(Value::Known(0.0));
        }
        let last: Option<String> = row.get("last_archived_wal");
        let files = |name: &str, segment: f64| {
            let part = |from: usize| {
                name.get(from..from + 8).and_then(|hex| u32::from_str_radix(hex, 16).ok()).map(f64::from)
            };
            Some(part(8)? * (4_294_967_296.0 / segment) + part(16)?)
        };
        Ok(match (log, last) {
            (Some(log), Some(last)) => match (files(&log.file, log.segment), files(&last, log.segment)) {
                (Some(now), Some(archived)) => Value::Known((now - archived - 1.0).max(0.0)),
                _ => Value::Unknown("the names of log files cannot be read".into()),
            },
            _ => Value::Unknown("nothing was archived yet".into()),
        })
    }

    async fn checkpoints(&mut self) -> Read {
        let sql = if self.session.version() >= CHECKPOINTER_SINCE {
            q::SIGNAL_CHECKPOINTS_17
        } else {
            q::SIGNAL_CHECKPOINTS
        };
        let requested: i64 = self.one(sql, &[]).await?.get("requested");
        let now = self.now();
        // A rate over the time since the first look, a minute at the least.
        let (since, first) = *self.checkpoints.get_or_insert((now, requested));
        #[allow(clippy::cast_precision_loss, reason = "a rate")]
        let more = (requested - first).max(0) as f64;
        if now - since > 300.0 {
            self.checkpoints = Some((now, requested));
        }
        Ok(Value::Known(more / ((now - since) / 60.0).max(1.0)))
    }

    /// A query of the plan's author, read only: true goes.
    async fn ask(&self, sql: &str) -> Read {
        let value = first_value(&self.session.client, sql).await?;
        Ok(match value.as_deref() {
            Some("t") => Value::Known(0.0),
            other => {
                Value::Said(1.0, format!("the query of throttle gives {}, not true", other.unwrap_or("null")))
            }
        })
    }
}

/// Where the log stands.
struct Log {
    at: f64,
    written: f64,
    file: String,
    segment: f64,
}

#[allow(clippy::cast_precision_loss, reason = "a count for people")]
fn number(count: usize) -> Value {
    Value::Known(count as f64)
}

#[allow(clippy::cast_precision_loss, reason = "a count for people")]
fn visible(hidden: i64, value: i64) -> Value {
    if hidden > 0 { Value::Unknown(hidden_from_us(hidden)) } else { Value::Known(value as f64) }
}

fn hidden_from_us(sessions: i64) -> String {
    format!("our role may not see {sessions} sessions of others: grant pg_read_all_stats, or pg_monitor")
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
            match self.one(q::SIGNAL_POSITION, &[]).await {
                Ok(row) => {
                    let segment: i64 = row.get("segment");
                    #[allow(clippy::cast_precision_loss, reason = "a power of two")]
                    let seen = Log {
                        at: self.now(),
                        written: row.get("written"),
                        file: row.get("file"),
                        segment: segment as f64,
                    };
                    self.clock.learn(seen.at, seen.written);
                    log = Some(seen);
                }
                Err(error) if error.kind.reconnects() => return Err(error),
                Err(_) => {}
            }
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

    async fn canary(&self) -> Result<Duration, Failure> {
        let began = Instant::now();
        self.session.client.simple_query("SELECT 1").await.map_err(|error| failure(&error))?;
        Ok(began.elapsed())
    }

    async fn traffic(&self) -> Result<Counters, Failure> {
        let row = self.one(q::SIGNAL_TRAFFIC, &[]).await?;
        Ok(Counters { transactions: row.get("transactions"), active_ms: row.get("active_ms") })
    }

    async fn size(&self) -> Result<Option<f64>, Failure> {
        match self.one(q::SIGNAL_SIZE, &[&self.tables]).await {
            Ok(row) => Ok(row.get("bytes")),
            Err(error) if error.kind.reconnects() => Err(error),
            // Somebody rewrites the table, or waits to.
            Err(_) => Ok(None),
        }
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
