//! Sends one concurrent command, tells how far it is and what it waits for, and waits
//! where another session is at the same index.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::core::failure::{Blocker, Failure, FailureKind};
use crate::core::quiet::Seen;
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::execute::{Ended, Execution};
use crate::engine::gauge::{Care, LOOSELY};
use crate::engine::says::of_them;
use crate::engine::{Store, Target, Watch};

/// How long to wait before looking again at a build of another session.
const BUSY_PAUSE: Duration = Duration::from_millis(500);

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Sends a concurrent command alone. A deadlock leaves an invalid index, so
    /// a retry must go through the probe again: the caller's loop does.
    pub(super) async fn send(
        &self,
        current: &Current<'_>,
        sql: &str,
        busy: &mut Busy,
    ) -> Result<Ended, RunError> {
        // It stands in nobody's way but other DDL's, and ending it throws its work away.
        let care = Care { limit: None, every: LOOSELY };
        let sent = current.gauge.attempt(care, self.send_watched(current, sql));
        match self.interruptible(sent).await {
            Ok(()) => Ok(Ended::Done),
            Err(failure) => match (failure.kind, self.stop.reason()) {
                (FailureKind::Cancelled, Some(why)) => Ok(Ended::WorkLeft(why.into())),
                _ if failure.kind.retryable() && !busy.spent() => {
                    self.rest(current, busy, failure.message, failure.blockers).await;
                    Ok(Ended::Done)
                }
                _ => Err(current.failed(failure)),
            },
        }
    }

    /// Sends one command alone, and tells what is seen of it.
    pub(crate) async fn send_watched(&self, current: &Current<'_>, sql: &str) -> Result<(), Failure> {
        let (tell, told) = mpsc::unbounded_channel();
        let watch = move |watch: Watch| {
            // Whoever listens ends with the statement.
            let _ = tell.send(watch);
        };
        tokio::select! {
            sent = self.target.run_alone(sql, &watch) => sent,
            never = self.beside(current, told) => match never {},
        }
    }

    /// Tells what is seen of a concurrent command, and ends whom it waits for where the plan allows.
    async fn beside(&self, current: &Current<'_>, mut told: mpsc::UnboundedReceiver<Watch>) -> Infallible {
        let (began, mut seen, mut ended) = (Instant::now(), Seen::default(), BTreeSet::new());
        while let Some(watch) = told.recv().await {
            let at = began.elapsed();
            seen.now(at, &watch.waiting_for);
            self.says(current, watch.doing()).await;
            let ending = self.end_blockers(current, &watch.waiting_for, at, &seen, &mut ended).await;
            if let Err(failure) = ending {
                tracing::warn!(step = %current.step.id, "who is in the way could not be ended: {failure}");
            }
            self.listener.on(&Event::Watched { id: current.step.id.clone(), watch });
        }
        std::future::pending().await
    }

    async fn rest(&self, current: &Current<'_>, busy: &mut Busy, why: String, blockers: Vec<Blocker>) {
        busy.attempts += 1;
        self.says(current, Some(format!("{}; it is tried again", why.lines().next().unwrap_or_default())))
            .await;
        self.listener.on(&Event::Retry {
            id: current.step.id.clone(),
            attempt: busy.attempts,
            pause: BUSY_PAUSE,
            why,
            blockers,
        });
        self.stop.sleep(BUSY_PAUSE).await;
    }

    pub(super) async fn wait_for_builder(
        &self,
        current: &Current<'_>,
        pid: i32,
        busy: &mut Busy,
    ) -> Result<Ended, RunError> {
        let blocker = self.target.session(pid).await.unwrap_or_else(|_| Blocker::of_pid(pid));
        if busy.spent() {
            return Err(RunError::NoLock {
                step: current.step.id.clone(),
                title: current.step.title.clone(),
                waited: busy.limit,
                blockers: vec![blocker],
            });
        }
        let why =
            format!("another session is building this index: {}", of_them(std::slice::from_ref(&blocker)));
        self.rest(current, busy, why, vec![blocker]).await;
        Ok(self.stop.reason().map_or(Ended::Done, |why| Ended::WorkLeft(why.into())))
    }
}

/// How long, and how often, others have been in the way.
pub(super) struct Busy {
    since: Instant,
    limit: Duration,
    attempts: u32,
}

impl Busy {
    pub(super) fn new(limit: Duration) -> Self {
        Self { since: Instant::now(), limit, attempts: 0 }
    }

    fn spent(&self) -> bool {
        self.since.elapsed() >= self.limit
    }
}
