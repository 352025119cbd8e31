//! Runs one step, or its undo, by its kind, and records the outcome.

use std::time::{Duration, Instant};

use crate::core::failure::{Failure, FailureKind};
use crate::core::record::{StepRecord, StepStatus};
use crate::core::retry;
use crate::core::sql::redact;
use crate::core::step::{Action, IndexBuild, Limits, Statements, Step, Undo};
use crate::engine::backfill::ports::Walker;
use crate::engine::error::RunError;
use crate::engine::event::{Event, Listener};
use crate::engine::stop::Stop;
use crate::engine::{Fence, StepWrite, Store, Target, crash};

/// How a step ended.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is done and on record.
    Done,
    /// It stopped at a safe place; why. What is left is left for the next run.
    WorkLeft(String),
}

/// How trying something again and again ended.
#[must_use]
pub(crate) enum Tried<R> {
    /// It went through.
    Done(R),
    /// Somebody asked to stop; why.
    WorkLeft(String),
}

impl From<Tried<()>> for Ended {
    fn from(tried: Tried<()>) -> Self {
        match tried {
            Tried::Done(()) => Self::Done,
            Tried::WorkLeft(why) => Self::WorkLeft(why),
        }
    }
}

/// Forward, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Runs the step.
    Do,
    /// Takes it back.
    Undo,
}

/// What running steps of one item needs.
pub struct Execution<'a, S, T> {
    /// The record.
    pub store: &'a S,
    /// The database.
    pub target: &'a T,
    /// Under which epoch.
    pub fence: &'a Fence,
    /// The item's limits.
    pub limits: Limits,
    /// Who wants to know.
    pub listener: &'a dyn Listener,
    /// The request to stop.
    pub stop: &'a Stop,
}

/// One step on its way.
pub(crate) struct Current<'a> {
    pub(crate) step: &'a Step,
    pub(crate) position: usize,
    pub(crate) direction: Direction,
    pub(crate) record: Option<&'a StepRecord>,
}

impl Current<'_> {
    /// Whether an earlier attempt in this direction is on record without an outcome.
    pub(crate) fn begun(&self) -> bool {
        let open = match self.direction {
            Direction::Do => [StepStatus::Started, StepStatus::Started],
            // An undo must also cope with a step that was only started.
            Direction::Undo => [StepStatus::Undoing, StepStatus::Started],
        };
        self.record.is_some_and(|record| open.contains(&record.status))
    }

    pub(crate) const fn write<'w>(
        &'w self,
        finished: bool,
        undo: Option<&'w str>,
        sql: &'w str,
    ) -> StepWrite<'w> {
        let status = match (self.direction, finished) {
            (Direction::Do, false) => StepStatus::Started,
            (Direction::Do, true) => StepStatus::Done,
            (Direction::Undo, false) => StepStatus::Undoing,
            (Direction::Undo, true) => StepStatus::Undone,
        };
        StepWrite { id: self.step.id.as_str(), position: self.position, status, undo, sql }
    }

    pub(crate) fn refused(&self, why: impl Into<String>) -> RunError {
        RunError::Refused { step: self.step.id.clone(), title: self.step.title.clone(), why: why.into() }
    }

    /// What fails the record's session in the middle of a step fails the step.
    pub(crate) fn of_step(&self, error: RunError) -> RunError {
        match error {
            RunError::Store(failure) => self.failed(failure),
            other => other,
        }
    }

    pub(crate) fn failed(&self, failure: Failure) -> RunError {
        RunError::Step { step: self.step.id.clone(), title: self.step.title.clone(), failure }
    }
}

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Runs a step, or its undo, unless the record says that it is done.
    ///
    /// # Errors
    /// When the step fails, is refused, or cannot be put on record.
    pub async fn run(
        &self,
        step: &Step,
        position: usize,
        direction: Direction,
        record: Option<&StepRecord>,
    ) -> Result<Ended, RunError> {
        let current = Current { step, position, direction, record };
        let Some(action) = current.work()? else { return self.nothing_to_do(&current).await };
        if let Some(why) = self.stop.reason() {
            return Ok(Ended::WorkLeft(why.into()));
        }
        let began = Instant::now();
        let undo = direction == Direction::Undo;
        self.listener.on(&Event::StepStarted { id: step.id.clone(), title: step.title.clone(), undo });
        crash::point(&format!("before {} {direction:?}", step.id));
        let ended = match self.by_kind(&current, &action).await {
            Ok(ended) => ended,
            Err(error) => {
                let sql = action.sql().join(";\n");
                // A transaction that ended by an error of its own left nothing.
                let rolled_back =
                    matches!(action, Action::Transaction(_) | Action::Assert { .. }) && error.is_certain();
                let _ = self
                    .store
                    .step_failed(
                        self.fence,
                        &current.write(false, None, &sql),
                        &error.to_string(),
                        rolled_back,
                    )
                    .await;
                return Err(error);
            }
        };
        crash::point(&format!("after {} {direction:?}", step.id));
        if ended == Ended::Done {
            self.listener.on(&Event::StepDone { id: step.id.clone(), took: began.elapsed() });
        }
        Ok(ended)
    }

    async fn nothing_to_do(&self, current: &Current<'_>) -> Result<Ended, RunError> {
        let open = current.direction == Direction::Undo
            && current.record.is_some_and(|record| record.status != StepStatus::Undone);
        if open {
            self.store.step_finished(self.fence, &current.write(true, None, "")).await?;
        }
        Ok(Ended::Done)
    }

    async fn by_kind(&self, current: &Current<'_>, action: &Action) -> Result<Ended, RunError> {
        match action {
            Action::Transaction(statements) => self.transaction(current, statements).await,
            Action::Autocommit { sql, repeatable } => self.autocommit(current, sql, *repeatable).await,
            Action::BuildIndex(build) => self.build_index(current, build).await,
            Action::DropIndex { index } => self.drop_index(current, index).await,
            Action::Assert { name, sql, expect } => self.assert(current, name, sql, expect).await,
            Action::Backfill(backfill) => {
                let ended = Box::pin(self.backfill(current, backfill)).await;
                ended.map_err(|error| current.of_step(error))
            }
        }
    }

    async fn transaction(&self, current: &Current<'_>, statements: &Statements) -> Result<Ended, RunError> {
        let sql = statements.sql.join(";\n");
        self.store.step_started(self.fence, &current.write(false, None, &sql)).await?;
        crash::point(&format!("inside {}", current.step.id));
        let write = current.write(true, None, &sql);
        let run = || self.target.run_transaction(self.fence, statements, &write, &self.limits);
        Ok(self.retrying(current, run).await?.into())
    }

    /// Runs `attempt` until it goes through, with backoff while locks are in the way.
    pub(crate) async fn retrying<R, F: Future<Output = Result<R, Failure>>>(
        &self,
        current: &Current<'_>,
        mut attempt: impl FnMut() -> F,
    ) -> Result<Tried<R>, RunError> {
        let began = Instant::now();
        let mut attempts = 0_u32;
        loop {
            attempts += 1;
            let failure = match self.interruptible(attempt()).await {
                Ok(result) => return Ok(Tried::Done(result)),
                Err(failure) => failure,
            };
            if let (FailureKind::Cancelled, Some(why)) = (failure.kind, self.stop.reason()) {
                return Ok(Tried::WorkLeft(why.into()));
            }
            if !failure.kind.retryable() {
                return Err(current.failed(failure));
            }
            let waited = began.elapsed();
            let Some(pause) = retry::pause(attempts, waited, self.limits.lock_wait_max, rand::random())
            else {
                return Err(RunError::NoLock {
                    step: current.step.id.clone(),
                    title: current.step.title.clone(),
                    waited: Duration::from_secs(waited.as_secs()),
                    blockers: failure.blockers,
                });
            };
            self.listener.on(&Event::Retry {
                id: current.step.id.clone(),
                attempt: attempts,
                pause,
                why: failure.message,
                blockers: failure.blockers,
            });
            self.stop.sleep(pause).await;
            if let Some(why) = self.stop.reason() {
                return Ok(Tried::WorkLeft(why.into()));
            }
        }
    }

    /// Awaits `work`; when somebody asks to stop, has the server cancel it first.
    pub(crate) async fn interruptible<R>(&self, work: impl Future<Output = R>) -> R {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            () = self.stop.interrupted() => {}
        }
        self.target.cancel().await;
        work.await
    }

    /// The same for a statement of a worker.
    pub(crate) async fn interruptible_by<R>(&self, walker: &impl Walker, work: impl Future<Output = R>) -> R {
        let mut work = std::pin::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            () = self.stop.interrupted() => {}
        }
        walker.cancel().await;
        work.await
    }

    async fn autocommit(
        &self,
        current: &Current<'_>,
        sql: &str,
        repeatable: bool,
    ) -> Result<Ended, RunError> {
        if current.begun() && !repeatable {
            return Err(RunError::Ambiguous { step: current.step.id.clone(), sql: redact(sql) });
        }
        self.store.step_started(self.fence, &current.write(false, None, sql)).await?;
        crash::point(&format!("inside {}", current.step.id));
        let ended: Ended = self.retrying(current, || self.target.run_alone(sql, &|_| {})).await?.into();
        crash::point(&format!("ran {}", current.step.id));
        if ended == Ended::Done {
            self.store.step_finished(self.fence, &current.write(true, None, sql)).await?;
        }
        Ok(ended)
    }

    async fn assert(
        &self,
        current: &Current<'_>,
        name: &str,
        sql: &str,
        expect: &str,
    ) -> Result<Ended, RunError> {
        self.store.step_started(self.fence, &current.write(false, None, sql)).await?;
        let unhurried = Limits { statement_timeout: Duration::ZERO, ..self.limits };
        let value = match self.interruptible(self.target.fetch_value(sql, &unhurried)).await {
            Ok(value) => value.unwrap_or_else(|| "null".into()),
            Err(failure) => match (failure.kind, self.stop.reason()) {
                (FailureKind::Cancelled, Some(why)) => return Ok(Ended::WorkLeft(why.into())),
                _ => return Err(current.failed(failure)),
            },
        };
        if value != expect {
            return Err(current.refused(format!("{name}: expected {expect}, the query gives {value}: {sql}")));
        }
        self.store.step_finished(self.fence, &current.write(true, None, sql)).await?;
        Ok(Ended::Done)
    }
}

impl Current<'_> {
    /// The work of this direction; `None` when the record says that it is done,
    /// or when there is none.
    fn work(&self) -> Result<Option<Action>, RunError> {
        let status = self.record.map(|record| record.status);
        match (self.direction, status) {
            (Direction::Do, Some(StepStatus::Done)) => Ok(None),
            (Direction::Do, _) => Ok(Some(self.step.action.clone())),
            (Direction::Undo, None | Some(StepStatus::Undone)) => Ok(None),
            (Direction::Undo, Some(status)) => self.undo(status),
        }
    }

    fn undo(&self, status: StepStatus) -> Result<Option<Action>, RunError> {
        // A transaction that is on record as started only did not commit.
        if status == StepStatus::Started
            && matches!(self.step.action, Action::Transaction(_) | Action::Assert { .. })
        {
            return Ok(None);
        }
        match &self.step.undo {
            Undo::Nothing => Ok(None),
            Undo::Run(_)
                if status == StepStatus::Started && matches!(self.step.action, Action::Autocommit { .. }) =>
            {
                Err(RunError::Ambiguous {
                    step: self.step.id.clone(),
                    sql: redact(&self.step.action.sql().join("; ")),
                })
            }
            Undo::Run(action) => Ok(Some(action.clone())),
            Undo::Irreversible(why) => Err(self.refused(format!("it cannot be taken back: {why}"))),
            Undo::Recorded => match self.record.and_then(|record| record.undo.as_deref()) {
                None => Ok(None),
                Some(json) => IndexBuild::from_json(json)
                    .map(|build| Some(Action::BuildIndex(build)))
                    .ok_or_else(|| self.refused("the undo on record cannot be read")),
            },
        }
    }
}
