//! Builds and drops indexes concurrently: probe, send alone, probe again, record.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::core::failure::{Blocker, Failure, FailureKind};
use crate::core::ident::QName;
use crate::core::index::{Probe, ToBuild, ToDrop, to_build, to_drop};
use crate::core::quiet::Seen;
use crate::core::step::{IndexBuild, drop_index_sql};
use crate::engine::current::{Current, Direction};
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::execute::{Ended, Execution};
use crate::engine::gauge::{Care, LOOSELY};
use crate::engine::{Store, Target, Watch, crash};

/// How long to wait before looking again at a build of another session.
const BUSY_PAUSE: Duration = Duration::from_millis(500);

impl<S: Store, T: Target> Execution<'_, S, T> {
    pub(crate) async fn build_index(
        &self,
        current: &Current<'_>,
        build: &IndexBuild,
    ) -> Result<Ended, RunError> {
        let index = build.index();
        let mut begun = current.begun();
        let mut busy = Busy::new(self.limits.lock_wait_max);
        loop {
            let probe = self.probe(current, &index, Some(&build.table)).await?;
            match to_build(&probe, begun, build.unique) {
                ToBuild::Done => break,
                ToBuild::Refuse(why) => return Err(current.refused(why)),
                ToBuild::Busy(pid) => match self.wait_for_builder(current, pid, &mut busy).await? {
                    Ended::Done => {}
                    left @ Ended::WorkLeft(_) => return Ok(left),
                },
                ToBuild::DropFirst => {
                    self.start(current, &mut begun, &build.create).await?;
                    if let left @ Ended::WorkLeft(_) =
                        self.send(current, &drop_index_sql(&index), &busy).await?
                    {
                        return Ok(left);
                    }
                }
                ToBuild::Build => {
                    self.start(current, &mut begun, &build.create).await?;
                    match self.send(current, &build.create, &busy).await {
                        Ok(Ended::Done) => {}
                        Ok(left @ Ended::WorkLeft(_)) => {
                            self.clean_up(current, &index, build).await;
                            return Ok(left);
                        }
                        Err(error) => {
                            self.clean_up(current, &index, build).await;
                            return Err(error);
                        }
                    }
                }
            }
            if let Some(why) = self.stop.reason() {
                return Ok(Ended::WorkLeft(why.into()));
            }
        }
        crash::point(&format!("ran {}", current.step.id));
        self.store.step_finished(self.fence, &current.write(true, None, &build.create)).await?;
        Ok(Ended::Done)
    }

    pub(crate) async fn drop_index(&self, current: &Current<'_>, index: &QName) -> Result<Ended, RunError> {
        let sql = drop_index_sql(index);
        let mut begun = current.begun();
        let mut busy = Busy::new(self.limits.lock_wait_max);
        loop {
            let probe = self.probe(current, index, None).await?;
            // An undo drops what a build made; that it is gone already is as good.
            let wanted_gone = begun || current.direction == Direction::Undo;
            match to_drop(&probe, wanted_gone) {
                ToDrop::Done => break,
                ToDrop::Refuse(why) => return Err(current.refused(why)),
                ToDrop::Busy(pid) => match self.wait_for_builder(current, pid, &mut busy).await? {
                    Ended::Done => {}
                    left @ Ended::WorkLeft(_) => return Ok(left),
                },
                ToDrop::Drop => {
                    if !begun {
                        let definition =
                            self.target.index_definition(index).await.map_err(|e| current.failed(e))?;
                        let write = current.write(false, definition.as_deref(), &sql);
                        self.store.step_started(self.fence, &write).await?;
                        crash::point(&format!("inside {}", current.step.id));
                        begun = true;
                    }
                    if let left @ Ended::WorkLeft(_) = self.send(current, &sql, &busy).await? {
                        return Ok(left);
                    }
                }
            }
        }
        crash::point(&format!("ran {}", current.step.id));
        self.store.step_finished(self.fence, &current.write(true, None, &sql)).await?;
        Ok(Ended::Done)
    }

    async fn probe(
        &self,
        current: &Current<'_>,
        index: &QName,
        table: Option<&QName>,
    ) -> Result<Probe, RunError> {
        self.target.probe_index(index, table).await.map_err(|failure| current.failed(failure))
    }

    async fn start(&self, current: &Current<'_>, begun: &mut bool, sql: &str) -> Result<(), RunError> {
        if !*begun {
            self.store.step_started(self.fence, &current.write(false, None, sql)).await?;
            crash::point(&format!("inside {}", current.step.id));
            *begun = true;
        }
        Ok(())
    }

    /// Sends a concurrent command alone. A deadlock leaves an invalid index, so
    /// a retry must go through the probe again: the caller's loop does.
    async fn send(&self, current: &Current<'_>, sql: &str, busy: &Busy) -> Result<Ended, RunError> {
        let (tell, told) = mpsc::unbounded_channel();
        let watch = move |watch: Watch| {
            // Whoever listens ends with the statement.
            let _ = tell.send(watch);
        };
        // It stands in nobody's way but other DDL's, and ending it throws its work away.
        let care = Care { limit: None, every: LOOSELY };
        let sent = current.gauge.attempt(care, self.target.run_alone(sql, &watch));
        let sent = tokio::select! {
            sent = self.interruptible(sent) => sent,
            never = self.beside(current, told) => match never {},
        };
        match sent {
            Ok(()) => Ok(Ended::Done),
            Err(failure) => match (failure.kind, self.stop.reason()) {
                (FailureKind::Cancelled, Some(why)) => Ok(Ended::WorkLeft(why.into())),
                _ if failure.kind.retryable() && !busy.spent() => {
                    self.retry_event(current, &failure);
                    self.stop.sleep(BUSY_PAUSE).await;
                    Ok(Ended::Done)
                }
                _ => Err(current.failed(failure)),
            },
        }
    }

    /// Tells what is seen of a concurrent command, and ends whom it waits for where the plan allows.
    async fn beside(&self, current: &Current<'_>, mut told: mpsc::UnboundedReceiver<Watch>) -> Infallible {
        let (began, mut seen, mut ended) = (Instant::now(), Seen::default(), BTreeSet::new());
        while let Some(watch) = told.recv().await {
            let at = began.elapsed();
            seen.now(at, &watch.waiting_for);
            let ending = self.end_blockers(current, &watch.waiting_for, at, &seen, &mut ended).await;
            if let Err(failure) = ending {
                tracing::warn!(step = %current.step.id, "who is in the way could not be ended: {failure}");
            }
            self.listener.on(&Event::Watched { id: current.step.id.clone(), watch });
        }
        std::future::pending().await
    }

    fn retry_event(&self, current: &Current<'_>, failure: &Failure) {
        self.listener.on(&Event::Retry {
            id: current.step.id.clone(),
            attempt: 1,
            pause: BUSY_PAUSE,
            why: failure.message.clone(),
            blockers: failure.blockers.clone(),
        });
    }

    /// Leaves no invalid index behind a build that failed. What cannot be
    /// dropped now is found and dropped by the next run's probe.
    async fn clean_up(&self, current: &Current<'_>, index: &QName, build: &IndexBuild) {
        let probe = self.target.probe_index(index, Some(&build.table)).await;
        if let Ok(probe) = probe
            && to_build(&probe, true, build.unique) == ToBuild::DropFirst
        {
            let dropped = self.target.run_alone(&drop_index_sql(index), &|_| {}).await;
            if let Err(failure) = dropped {
                tracing::warn!(step = %current.step.id, "the invalid index {} is still there: {failure}", index.plain());
            }
        }
    }

    async fn wait_for_builder(
        &self,
        current: &Current<'_>,
        pid: i32,
        busy: &mut Busy,
    ) -> Result<Ended, RunError> {
        let blocker = Blocker::of_pid(pid);
        if busy.spent() {
            return Err(RunError::NoLock {
                step: current.step.id.clone(),
                title: current.step.title.clone(),
                waited: busy.limit,
                blockers: vec![blocker],
            });
        }
        self.listener.on(&Event::Retry {
            id: current.step.id.clone(),
            attempt: 1,
            pause: BUSY_PAUSE,
            why: "another session is building this index".into(),
            blockers: vec![blocker],
        });
        self.stop.sleep(BUSY_PAUSE).await;
        Ok(self.stop.reason().map_or(Ended::Done, |why| Ended::WorkLeft(why.into())))
    }
}

/// How long another session's build has been waited for.
struct Busy {
    since: Instant,
    limit: Duration,
}

impl Busy {
    fn new(limit: Duration) -> Self {
        Self { since: Instant::now(), limit }
    }

    fn spent(&self) -> bool {
        self.since.elapsed() >= self.limit
    }
}
