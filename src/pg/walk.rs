//! The session of one worker: binds and sends the statements of a walk.

use std::sync::Mutex;
use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

use crate::core::backfill::batch::{Form, Locking};
use crate::core::backfill::check::Look;
use crate::core::backfill::{Chunk, Key, Stripes, Tuning, Walk};
use crate::core::failure::Failure;
use crate::core::ident::Ident;
use crate::engine::backfill::ports::{Checked, Done, LEASE_S, Order, Walker};
use crate::pg::classify::failure;
use crate::pg::connect::{ConnectSettings, Session};
use crate::pg::prepared::Prepared;

/// How long a batch that tries waits for a row: shorter than anybody notices.
const TRY: Duration = Duration::from_millis(10);
/// How often the target a batch may take before the server ends it.
const PATIENCE: u32 = 10;
/// The least time that a batch has.
const LEAST: Duration = Duration::from_secs(2);
/// The most: far more than any batch should take, and what the server can count.
const MOST: Duration = Duration::from_secs(86_400);

/// What the session does with a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Manner {
    lock_timeout: Duration,
    /// Whether one plan does for all values. A range of pages is found one way only,
    /// and planning is a fifth of what a small batch costs; a range of keys, or a
    /// join, may get a plan that reads the whole table.
    one_plan: bool,
}

/// The session that batches run on, with their prepared statements.
pub struct PgWalker {
    session: Session,
    settings: ConnectSettings,
    metadata: Ident,
    statement_timeout: Duration,
    prepared: Prepared,
    manner: Mutex<Option<Manner>>,
}

/// How values read as text. Expressions mean what they mean to the application, so
/// time zone, dates, intervals and floats are the role's own; where the text of a key
/// depends on them, they are set so that it is exact, which leaves the time zone and
/// the order of days and months alone.
pub(super) const fn style(steady: bool) -> &'static str {
    if steady {
        "RESET DateStyle; RESET IntervalStyle; RESET extra_float_digits"
    } else {
        "SET DateStyle = 'ISO'; SET IntervalStyle = postgres; SET extra_float_digits = 1"
    }
}

impl PgWalker {
    /// Takes a session over.
    ///
    /// # Errors
    /// When the server does not take the settings.
    pub(crate) async fn new(
        session: Session,
        settings: ConnectSettings,
        metadata: Ident,
        tuning: &Tuning,
        steady: bool,
    ) -> Result<Self, Failure> {
        let timeout = tuning.target.saturating_mul(PATIENCE).clamp(LEAST, MOST);
        // Safe because a batch and its cursor are one transaction: a crash loses the last of both.
        let commit = if tuning.synchronous_commit { "on" } else { "off" };
        let mut set = format!(
            "{}; SET statement_timeout = {}; SET synchronous_commit = {commit}",
            style(steady),
            timeout.as_millis()
        );
        if tuning.fire_triggers == Some(false) {
            set += "; SET session_replication_role = replica";
        }
        session.client.batch_execute(&set).await.map_err(|error| failure(&error))?;
        Ok(Self {
            session,
            settings,
            metadata,
            statement_timeout: timeout,
            prepared: Prepared::default(),
            manner: Mutex::new(None),
        })
    }

    fn manner_of(&self, order: &Order<'_>) -> Manner {
        match order.locking {
            Locking::Try => Manner { lock_timeout: TRY, one_plan: order.chunk.walk == Walk::Pages },
            Locking::Skip | Locking::Wait => Manner {
                lock_timeout: order.limits.lock_timeout.min(self.statement_timeout),
                one_plan: false,
            },
        }
    }

    async fn set_manner(&self, wanted: Manner) -> Result<(), Failure> {
        if self.manner.lock().is_ok_and(|now| *now == Some(wanted)) {
            return Ok(());
        }
        let plans = if wanted.one_plan { "force_generic_plan" } else { "force_custom_plan" };
        let wait = wanted.lock_timeout.as_millis();
        let set = format!("SET lock_timeout = {wait}; SET plan_cache_mode = {plans}");
        self.session.client.batch_execute(&set).await.map_err(|error| failure(&error))?;
        if let Ok(mut now) = self.manner.lock() {
            *now = Some(wanted);
        }
        Ok(())
    }

    async fn send(&self, sql: String, order: &Order<'_>) -> Result<Vec<Row>, Failure> {
        self.set_manner(self.manner_of(order)).await?;
        let Order { which, chunk, leaf, next, .. } = *order;
        let (bad, listed) = (serde_json::json!(order.quarantine), serde_json::json!(order.listed));
        let params: [&(dyn ToSql + Sync); 16] = [
            &which.version.as_str(),
            &which.step,
            &chunk.pass,
            &chunk.number,
            &chunk.epoch,
            &chunk.cursor,
            &chunk.until,
            &chunk.upper,
            &order.size,
            &chunk.stripe,
            &LEASE_S,
            &bad,
            &listed,
            &leaf.oid,
            &next.name(),
            &next.count,
        ];
        self.prepared.rows(&self.session.client, &sql, &params).await
    }
}

/// Which statement an order needs.
fn form(order: &Order<'_>) -> Form {
    let chunk = order.chunk;
    Form {
        walk: chunk.walk,
        take: order.take,
        locking: order.locking,
        after: chunk.cursor.is_some(),
        stripes: chunk.stripes,
        first: chunk.stripe == 0,
        last: chunk.stripe + 1 >= chunk.stripes.count,
        quarantine: !order.quarantine.is_empty(),
    }
}

/// The chunk as a statement left it.
fn moved(chunk: &Chunk, row: &Row) -> Chunk {
    Chunk {
        cursor: row.get("cursor"),
        until: row.get("window_end"),
        stripe: row.get("stripe"),
        stripes: Stripes::from_record(row.get("stripe_by"), row.get("stripes")),
        finished: row.get("finished"),
        ..chunk.clone()
    }
}

impl Walker for PgWalker {
    fn backend(&self) -> i32 {
        self.session.pid
    }

    async fn open(&self, order: &Order<'_>) -> Result<Option<Chunk>, Failure> {
        let chunk = order.chunk;
        let sql = order.backfill.open_sql(order.leaf, chunk.walk, chunk.cursor.is_some(), &self.metadata);
        let rows = self.send(sql, order).await?;
        Ok(rows.first().map(|row| moved(chunk, row)))
    }

    async fn batch(&self, order: &Order<'_>) -> Result<Option<Done>, Failure> {
        let sql = order.backfill.batch_sql(order.leaf, form(order), &self.metadata);
        let rows = self.send(sql, order).await?;
        Ok(rows.first().map(|row| Done {
            chunk: moved(order.chunk, row),
            written: row.get("written"),
            hot: row.get("hot"),
            ms: row.get("ms"),
            hold: row.get("hold"),
        }))
    }

    async fn check(&self, order: &Order<'_>, settled: bool) -> Result<Option<Checked>, Failure> {
        let form = form(order);
        let look = Look {
            walk: form.walk,
            after: form.after,
            quarantine: form.quarantine,
            settled,
            repair: order.repair,
        };
        let sql = order.backfill.check_sql(order.leaf, look, &self.metadata);
        let rows = self.send(sql, order).await?;
        Ok(rows.first().map(|row| Checked {
            chunk: moved(order.chunk, row),
            remaining: row.get("remaining"),
            astray: row.get("astray"),
            seen: row.get("seen"),
            ms: row.get("ms"),
            hold: row.get("hold"),
        }))
    }

    async fn identities(&self, order: &Order<'_>) -> Result<Vec<Key>, Failure> {
        let sql = order.backfill.identities_sql(order.leaf, form(order));
        Ok(self.send(sql, order).await?.iter().map(|row| row.get("row")).collect())
    }

    async fn weigh(&self, order: &Order<'_>) -> Result<(), Failure> {
        let sql = order.backfill.weigh_sql(order.leaf, form(order));
        self.send(sql, order).await.map(|_| ())
    }

    async fn cancel(&self) {
        if let Err(error) = self.settings.cancel(&self.session.client.cancel_token()).await {
            tracing::debug!("cancel: {error}");
        }
    }
}
