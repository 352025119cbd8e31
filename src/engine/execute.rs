//! Runs one step, or its undo, by its kind, and records the outcome.

use std::time::{Duration, Instant};

use crate::core::detach::Detach;
use crate::core::failure::FailureKind;
use crate::core::kill::KillBlockers;
use crate::core::record::{StepRecord, StepStatus};
use crate::core::sql::redact;
use crate::core::step::{Action, Limits, Statements, Step};
use crate::engine::attempt::Tried;
use crate::engine::current::{Current, Direction};
use crate::engine::detach::Settled;
use crate::engine::error::RunError;
use crate::engine::event::{Event, Listener};
use crate::engine::gauge::{Care, LOOSELY};
use crate::engine::stop::Stop;
use crate::engine::{Fence, Store, Target, crash};

/// How a step ended.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It is done and on record.
    Done,
    /// It stopped at a safe place; why. What is left is left for the next run.
    WorkLeft(String),
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
    /// Whose sessions may be ended when they are in the way.
    pub kill: Option<&'a KillBlockers>,
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
        let current = Current::new(step, position, direction, record);
        let (action, half_done) = (current.work()?, current.half_done());
        if action.is_none() && half_done.is_none() {
            return self.nothing_to_do(&current).await;
        }
        if let Some(why) = self.stop.reason() {
            return Ok(Ended::WorkLeft(why.into()));
        }
        let began = Instant::now();
        let undo = direction == Direction::Undo;
        self.listener.on(&Event::StepStarted { id: step.id.clone(), title: step.title.clone(), undo });
        crash::point(&format!("before {} {direction:?}", step.id));
        let ended = match self.measured(&current, self.either_way(&current, half_done, action.as_ref())).await
        {
            Ok(ended) => ended,
            Err(error) => {
                let written = || action.iter().flat_map(Action::sql).collect::<Vec<_>>().join(";\n");
                let sql = current.sent.get().cloned().unwrap_or_else(written);
                // A transaction that ended by an error of its own left nothing.
                let whole = matches!(action, Some(Action::Transaction(_) | Action::Assert { .. }));
                let rolled_back = whole && half_done.is_none() && error.is_certain();
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

    /// Runs work of a step while another session looks who waits because of it, and puts
    /// on record what it did to them.
    pub(crate) async fn measured<R>(&self, current: &Current<'_>, work: impl Future<Output = R>) -> R {
        let undo = current.direction == Direction::Undo;
        let id = &current.step.id;
        let backend = self.target.backend().await.ok();
        let number = self.store.impact_begins(&self.fence.version, id, undo, backend).await;
        if let Ok(number) = number {
            current.said.on_record(number);
        }
        let result = tokio::select! {
            result = work => result,
            never = self.target.sample(&current.gauge) => match never {},
        };
        let impact = current.gauge.impact();
        let kept = match number {
            Ok(number) => self.store.impact_ends(number, &impact).await,
            Err(failure) => Err(failure),
        };
        // What is not on record is shown as not known, and the step itself is as it is.
        if let Err(failure) = kept {
            tracing::warn!(step = %id, "what it did to others could not be put on record: {failure}");
        }
        self.listener.on(&Event::Impact { id: id.clone(), impact });
        result
    }

    async fn nothing_to_do(&self, current: &Current<'_>) -> Result<Ended, RunError> {
        let open = current.direction == Direction::Undo
            && current.record.is_some_and(|record| record.status != StepStatus::Undone);
        if open {
            self.store.step_finished(self.fence, &current.write(true, None, "")).await?;
        }
        Ok(Ended::Done)
    }

    /// The work of a step; what was left half done first comes to its end.
    async fn either_way(
        &self,
        current: &Current<'_>,
        half_done: Option<&Detach>,
        action: Option<&Action>,
    ) -> Result<Ended, RunError> {
        let settled = match half_done {
            Some(detach) => self.settle(current, detach).await?,
            None => Settled::Apart,
        };
        match (settled, action) {
            (Settled::WorkLeft(why), _) => Ok(Ended::WorkLeft(why)),
            (Settled::Apart, Some(action)) => self.by_kind(current, action).await,
            (Settled::Apart, None) | (Settled::Attached | Settled::Gone, _) => {
                self.nothing_to_do(current).await
            }
        }
    }

    async fn by_kind(&self, current: &Current<'_>, action: &Action) -> Result<Ended, RunError> {
        match action {
            Action::Transaction(statements) => self.transaction(current, statements).await,
            Action::Autocommit { sql, repeatable } => self.autocommit(current, sql, *repeatable).await,
            Action::BuildIndex(build) => self.build_index(current, build).await,
            Action::DropIndex { index, if_exists } => self.drop_index(current, index, *if_exists).await,
            Action::Detach(detach) => self.detach(current, detach).await,
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
        let moment = self.locks(current, &Action::Transaction(statements.clone())).await?;
        let run = async |limits: Limits| {
            self.target.run_transaction(self.fence, statements, &write, &limits, &current.gauge).await
        };
        self.with_care(current, moment, run).await
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
        // What is not repeatable is not taken back whole when it is cancelled either.
        let limit = Some(self.limits.lock_timeout).filter(|_| repeatable);
        let care = Care { limit, every: LOOSELY };
        let mut again = current.begun();
        let attempt = async || {
            if std::mem::replace(&mut again, true) {
                self.clear_leftovers(current, sql).await?;
            }
            current.gauge.attempt(care, self.target.run_alone(sql, &|_| {})).await.map(Tried::Done)
        };
        let tried = self.retrying(current, attempt).await;
        if !matches!(tried, Ok(Tried::Done(())))
            && let Err(failure) = self.clear_leftovers(current, sql).await
        {
            tracing::warn!(step = %current.step.id, "what it left could not be looked up: {failure}");
        }
        let ended: Ended = tried?.into();
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
        let care = Care { limit: None, every: LOOSELY };
        let asked = current.gauge.attempt(care, self.target.fetch_value(sql, &unhurried));
        let value = match self.interruptible(asked).await {
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
