//! The runner's lock: session-level, advisory, taken by polling on a session of
//! its own that stays in autocommit and speaks the simple protocol only.
//!
//! A blocked `pg_advisory_lock`, a transaction-level lock or an open portal
//! would each hold a snapshot that CREATE INDEX CONCURRENTLY waits for, and so
//! hang or deadlock the runner's own index build.

use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tokio_postgres::SimpleQueryMessage;

use crate::core::failure::Failure;
use crate::core::ident::Ident;
use crate::core::version::Version;
use crate::engine::stop::Stop;
use crate::pg::classify::failure;
use crate::pg::connect::Session;
use crate::pg::queries as q;
use crate::pg::store::PgStore;

/// How often a taken lock is tried again.
const POLL_EVERY: Duration = Duration::from_millis(100);

/// What a lock is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockKey {
    /// The order of the timeline: expand, rollback, baseline.
    Timeline,
    /// The metadata schema itself.
    Schema,
    /// One item.
    Item(Version),
}

impl LockKey {
    /// The name on record.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Timeline => "timeline",
            Self::Schema => "schema",
            Self::Item(version) => version.as_str(),
        }
    }

    /// The two halves of the advisory key. Different schemas and items get
    /// different keys but for a hash collision, which would only make two
    /// runners wait for each other.
    fn halves(&self, schema: &Ident) -> (i32, i32) {
        let object = match self {
            Self::Item(version) => version.number().to_string(),
            other => other.name().to_owned(),
        };
        (half(&format!("phase {}", schema.as_str())), half(&object))
    }
}

fn half(text: &str) -> i32 {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(4).fold(0_i32, |value, byte| (value << 8) | i32::from(*byte))
}

/// Who has a lock that we want.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Holder {
    /// What the lock is on.
    pub lock: String,
    /// The server process that holds it.
    pub backend_pid: Option<i32>,
    /// Its database user.
    pub user: Option<String>,
    /// Where it connects from.
    pub client: Option<String>,
    /// The process, as it put itself on record.
    pub process: Option<String>,
    /// Since when.
    pub since: Option<jiff::Timestamp>,
}

impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "another runner has the lock on {}", self.lock)?;
        let mut separator = ": ";
        let mut part = |f: &mut std::fmt::Formatter<'_>, text: String| {
            let written = write!(f, "{separator}{text}");
            separator = ", ";
            written
        };
        if let Some(process) = &self.process {
            part(f, process.clone())?;
        }
        if let Some(pid) = self.backend_pid {
            part(f, format!("backend pid {pid}"))?;
        }
        if let Some(user) = &self.user {
            part(f, format!("user {user}"))?;
        }
        if let Some(client) = &self.client {
            part(f, format!("from {client}"))?;
        }
        if let Some(since) = self.since {
            part(f, format!("since {since:.0}"))?;
        }
        Ok(())
    }
}

/// The session that holds the locks; they are gone when it is.
pub struct LockSession {
    session: Session,
    schema: Ident,
}

impl LockSession {
    /// Takes a session over for the locks of one metadata schema.
    #[must_use]
    pub const fn new(session: Session, schema: Ident) -> Self {
        Self { session, schema }
    }

    /// Takes a lock, polling for up to `wait`; false when somebody else kept it.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn acquire(&self, key: &LockKey, wait: Duration, stop: &Stop) -> Result<bool, Failure> {
        let deadline = Instant::now() + wait;
        loop {
            if self.try_once(key).await? {
                return Ok(true);
            }
            if Instant::now() >= deadline || stop.reason().is_some() {
                return Ok(false);
            }
            stop.sleep(POLL_EVERY).await;
        }
    }

    /// Gives a lock back.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn release(&self, key: &LockKey) -> Result<(), Failure> {
        let (class, object) = key.halves(&self.schema);
        let sql = format!("SELECT pg_advisory_unlock({class}, {object})");
        self.session.client.simple_query(&sql).await.map(|_| ()).map_err(|error| failure(&error))
    }

    async fn try_once(&self, key: &LockKey) -> Result<bool, Failure> {
        let (class, object) = key.halves(&self.schema);
        let sql = format!("SELECT pg_try_advisory_lock({class}, {object})");
        let answer = self.session.client.simple_query(&sql).await.map_err(|error| failure(&error))?;
        Ok(answer
            .iter()
            .any(|message| matches!(message, SimpleQueryMessage::Row(row) if row.get(0) == Some("t"))))
    }

    /// Who has a lock; asked over the record's session.
    pub async fn holder(&self, key: &LockKey, store: &PgStore) -> Holder {
        holder(key, &self.schema, store).await
    }
}

/// Who has a lock of a metadata schema; asked over the record's session.
pub(crate) async fn holder(key: &LockKey, schema: &Ident, store: &PgStore) -> Holder {
    let (class, object) = key.halves(schema);
    // pg_locks shows the halves as unsigned.
    let (class, object) = (i64::from(class.cast_unsigned()), i64::from(object.cast_unsigned()));
    let session = store.rows(q::LOCK_SESSION, &[&class, &object]).await.unwrap_or_default();
    let process = store.rows(q::LOCK_HOLDER, &[&key.name()]).await.unwrap_or_default();
    let (session, process) = (session.first(), process.first());
    Holder {
        lock: key.name().into(),
        backend_pid: session.map(|row| row.get("pid")),
        user: session.and_then(|row| row.get("usename")),
        client: session.and_then(|row| row.get("client")),
        process: process.map(|row| {
            let (os_user, host): (String, String) = (row.get("os_user"), row.get("host"));
            let (pid, command): (i32, String) = (row.get("pid"), row.get("command"));
            format!("phase {command} of {os_user}@{host} (pid {pid})")
        }),
        since: process.map(|row| row.get("taken_at")),
    }
}

impl PgStore {
    /// Records who took a lock.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub async fn lock_taken(&self, key: &LockKey) -> Result<(), Failure> {
        self.write(q::LOCK_TAKEN, &[&key.name(), &self.runner()]).await?;
        Ok(())
    }
}
