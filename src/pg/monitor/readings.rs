//! Reads the health signals, each by a query of its own: what one of them may
//! not see does not blind the others.

use super::{Log, PgMonitor, first_value};
use crate::core::failure::Failure;
use crate::core::pace::signal::{Signal, Value};
use crate::core::pace::throttle::Throttle;
use crate::outside::probe;
use crate::pg::queries as q;

/// Since this version checkpoints have a view of their own.
const CHECKPOINTER_SINCE: u32 = 170_000;

type Read = Result<Value, Failure>;

impl PgMonitor {
    pub(super) async fn read(
        &mut self,
        signal: Signal,
        throttle: &Throttle,
        ours: &[i32],
        log: Option<&Log>,
    ) -> Read {
        match signal {
            Signal::ReplicaLag | Signal::ReplicaBytes => self.replica(signal, log).await,
            Signal::SlotWal | Signal::FreeWal => self.slots(signal).await,
            Signal::WalRate => Ok(self.wal_rate(log)),
            Signal::ArchiveBacklog => self.archiver(log).await,
            Signal::ActiveSessions => {
                let row = self.one(q::SIGNAL_SESSIONS, &[&ours]).await?;
                Ok(visible(row.get("hidden"), row.get::<_, i64>("active")))
            }
            Signal::LockWaiters => Ok(number(self.rows(q::SIGNAL_WAITERS, &[&ours]).await?.len())),
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
        let rows = self.rows(q::SIGNAL_REPLICAS, &[]).await?;
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
                _ => self.clock.lag(row.get("pid"), log.at, replayed),
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
