//! Looks over the shoulder of the sessions that run steps: which locks they take,
//! what they write anew, and what the server says meanwhile.
//!
//! [`PgTarget`](crate::pg::target::PgTarget) calls it where it has one. It costs a look at the catalog
//! after each statement and makes concurrent commands wait, so it is for databases
//! that nobody else works on.

mod looks;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OnceCell;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::{Ident, QName};
use crate::core::lint::{Lock, Mentions};
use crate::core::rehearse::{Look, Sighting, sighting};
use crate::core::sql::{Kind, split};
use crate::pg::classify::failure;
use crate::pg::connect::{ConnectSettings, Session, SessionRole, connect};
use crate::pg::queries as q;
use looks::{Spans, merge, strongest, with_locks};

pub use looks::look;

/// How often the locks of another session are looked at; a server tells nobody when they change.
const LOOK_EVERY: Duration = Duration::from_millis(1);
/// How often those of workers are; what a shorter batch takes besides may be missed.
const FOLLOW_EVERY: Duration = Duration::from_millis(1);

/// What is seen of one step after the other.
pub struct Trace {
    settings: ConnectSettings,
    metadata: Ident,
    watch: OnceCell<Session>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    sightings: Vec<Sighting>,
    before: Look,
    since: Option<Instant>,
    /// Whether the next statement is the first of its transaction.
    begins: bool,
    followed: Option<Followed>,
}

/// Sessions of workers whose locks are looked at again and again.
struct Followed {
    before: Look,
    pids: Arc<Mutex<Vec<i32>>>,
    held: Arc<Mutex<BTreeMap<u32, Lock>>>,
    task: JoinHandle<()>,
}

impl Trace {
    /// Nothing is seen yet; `metadata` is the schema of the record, which is not looked at.
    #[must_use]
    pub fn new(settings: ConnectSettings, metadata: Ident) -> Self {
        Self { settings, metadata, watch: OnceCell::const_new(), seen: Mutex::default() }
    }

    /// What was seen since the last call, statement by statement.
    pub fn take(&self) -> Vec<Sighting> {
        let mut seen = self.seen();
        let mut sightings = std::mem::take(&mut seen.sightings);
        if let Some(followed) = seen.followed.take() {
            followed.task.abort();
            let held = locked(&followed.held);
            sightings.push(sighting(
                &followed.before,
                &with_locks(&followed.before, &held),
                &[],
                Duration::ZERO,
            ));
        }
        sightings
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        locked(&self.seen)
    }

    /// The session is about to run the statements of a transaction; what an earlier
    /// attempt did was rolled back, and counts no more.
    pub(super) async fn begin(&self, session: &Session) -> Result<(), Failure> {
        self.seen().sightings.clear();
        self.begin_part(session).await
    }

    /// The session is about to run one of several transactions of a step.
    pub(super) async fn begin_part(&self, session: &Session) -> Result<(), Failure> {
        let said = session.client.batch_execute("SET LOCAL client_min_messages = debug1").await;
        said.map_err(|error| failure(&error))?;
        let before = self.look(&session.client, session.pid).await?;
        session.notices.keep();
        let mut seen = self.seen();
        seen.before = before;
        (seen.since, seen.begins) = (Some(Instant::now()), true);
        Ok(())
    }

    /// The session has run one more of them.
    pub(super) async fn after_statement(&self, session: &Session) -> Result<(), Failure> {
        let took = self.seen().since.map(|since| since.elapsed()).unwrap_or_default();
        let after = self.look(&session.client, session.pid).await?;
        let mut seen = self.seen();
        let begins = std::mem::take(&mut seen.begins);
        let sighting = sighting(&seen.before, &after, &session.notices.take(), took);
        seen.sightings.push(Sighting { begins, ..sighting });
        // The look is no part of the next statement's time.
        (seen.before, seen.since) = (after, Some(Instant::now()));
        Ok(())
    }

    /// Runs a command that shares its transaction with nobody, and looks at its locks
    /// from another session. That one is in its way until it waits, so that there is
    /// something to see, however quick it would be.
    pub(super) async fn alone<R>(
        &self,
        session: &Session,
        sql: &str,
        work: impl Future<Output = Result<R, Failure>>,
    ) -> Result<R, Failure> {
        let said = session.client.batch_execute("SET client_min_messages = debug1").await;
        said.map_err(|error| failure(&error))?;
        let watch = self.watch().await?;
        let before = self.look(&watch.client, session.pid).await?;
        let mut in_the_way = self.stand_in_the_way(watch, sql).await?;
        let mut at_the_end = self.read_what_is_detached(sql).await?;
        session.notices.keep();
        let (mut held, mut spans, mut since) = (BTreeMap::new(), Spans::default(), Instant::now());
        let result = {
            let looking = async {
                loop {
                    let seen = looks::locks(&watch.client, &[session.pid]).await?;
                    strongest(&mut held, seen.all());
                    // The end of a session is the end of its locks.
                    if seen.waits.is_some()
                        && let Some(other) = in_the_way.take()
                    {
                        drop(other);
                        (since, spans) = (Instant::now(), Spans::default());
                    }
                    if seen.waits == Some(Lock::AccessExclusive) {
                        drop(at_the_end.take());
                    }
                    spans.now(Instant::now(), &seen);
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            };
            tokio::select! {
                result = work => result,
                stopped = looking => stopped,
            }
        };
        let (took, longest) = (since.elapsed(), spans.end(Instant::now()));
        let after = self.look(&watch.client, session.pid).await?;
        let sighting = sighting(&before, &with_locks(&after, &held), &session.notices.take(), took);
        let name = |id: &u32| before.relations.get(id).map(|relation| relation.name.clone());
        let spans = longest.iter().filter_map(|(id, span)| Some((name(id)?, *span))).collect();
        self.seen().sightings.push(Sighting { begins: true, spans: Some(spans), ..sighting });
        result
    }

    /// Looks at the locks of a worker's session from now on; the first batch on one of
    /// the tables has to wait for a moment, so that there is something to see.
    pub(super) async fn follow(&self, pid: i32, tables: &[QName]) -> Result<(), Failure> {
        if let Some(followed) = &self.seen().followed {
            locked(&followed.pids).push(pid);
            return Ok(());
        }
        let session = self.open().await?;
        let before = self.look(&session.client, pid).await?;
        let (pids, held) = (Arc::new(Mutex::new(vec![pid])), Arc::new(Mutex::new(BTreeMap::new())));
        let (of, into) = (Arc::clone(&pids), Arc::clone(&held));
        let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
        let mut in_the_way = self.in_the_way_of(&tables, "SHARE").await?;
        let task = tokio::spawn(async move {
            loop {
                let pids = locked(&of).clone();
                let mut now = BTreeMap::new();
                let Ok(waits) = merge(&mut now, &session.client, &pids).await else { return };
                if waits.is_some() {
                    drop(in_the_way.take());
                }
                strongest(&mut locked(&into), now);
                tokio::time::sleep(FOLLOW_EVERY).await;
            }
        });
        self.seen().followed = Some(Followed { before, pids, held, task });
        Ok(())
    }

    async fn open(&self) -> Result<Session, Failure> {
        let lost = |error: crate::pg::connect::ConnectError| {
            Failure::new(FailureKind::ConnectionLost, error.to_string())
        };
        connect(&self.settings, SessionRole::Watch).await.map_err(lost)
    }

    async fn watch(&self) -> Result<&Session, Failure> {
        self.watch.get_or_try_init(|| self.open()).await
    }

    async fn look(&self, client: &Client, pid: i32) -> Result<Look, Failure> {
        look(client, pid, &self.metadata).await
    }

    /// A session with a lock that whatever works on the tables of `sql` must wait for.
    async fn stand_in_the_way(&self, watch: &Session, sql: &str) -> Result<Option<Session>, Failure> {
        let statements = split(sql).unwrap_or_default();
        let mentions = Mentions::of(statements.iter().flat_map(|statement| &statement.changes));
        let names: Vec<String> = mentions.relations.iter().map(ToString::to_string).collect();
        let rows = watch.client.query(q::REHEARSE_TABLES, &[&names]).await;
        let rows = rows.map_err(|error| failure(&error))?;
        let tables: Vec<String> = rows.iter().map(|row| row.get("name")).collect();
        self.in_the_way_of(&tables, "SHARE UPDATE EXCLUSIVE").await
    }

    /// A session that reads a partition by its name, which the second transaction of a
    /// concurrent detach must wait for, and nothing before it.
    async fn read_what_is_detached(&self, sql: &str) -> Result<Option<Session>, Failure> {
        let statements = split(sql).unwrap_or_default();
        let partition = statements.iter().find_map(|statement| match &statement.kind {
            Kind::Detach { partition, .. } => Some(partition.to_string()),
            _ => None,
        });
        self.in_the_way_of(partition.as_slice(), "ACCESS SHARE").await
    }

    async fn in_the_way_of(&self, tables: &[String], mode: &str) -> Result<Option<Session>, Failure> {
        if tables.is_empty() {
            return Ok(None);
        }
        let other = self.open().await?;
        let lock =
            format!("BEGIN; SET LOCAL lock_timeout = '1s'; LOCK TABLE {} IN {mode} MODE", tables.join(", "));
        match other.client.batch_execute(&lock).await {
            Ok(()) => Ok(Some(other)),
            // On a clone others may be at work, or the right may be missing: then less is seen.
            Err(error) => {
                tracing::warn!("short commands may pass unseen: {}", failure(&error).message);
                Ok(None)
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
