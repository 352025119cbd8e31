//! One step on its way: its direction, what is on record of it, and so the work that is left.

use std::sync::OnceLock;

use crate::core::detach::Detach;
use crate::core::failure::Failure;
use crate::core::record::{StepRecord, StepStatus};
use crate::core::sql::redact;
use crate::core::step::{Action, IndexBuild, Step, Undo};
use crate::engine::StepWrite;
use crate::engine::error::RunError;
use crate::engine::gauge::Gauge;
use crate::engine::says::Said;

/// Forward, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Runs the step.
    Do,
    /// Takes it back.
    Undo,
}

/// One step on its way.
pub(crate) struct Current<'a> {
    pub(crate) step: &'a Step,
    pub(crate) position: usize,
    pub(crate) direction: Direction,
    pub(crate) record: Option<&'a StepRecord>,
    /// What it does to others.
    pub(crate) gauge: Gauge,
    /// What it has said of itself.
    pub(crate) said: Said,
    /// What is sent for it, where that is not what stands in the plan.
    pub(crate) sent: OnceLock<String>,
}

impl<'a> Current<'a> {
    pub(crate) fn new(
        step: &'a Step,
        position: usize,
        direction: Direction,
        record: Option<&'a StepRecord>,
    ) -> Self {
        let (gauge, said, sent) = (Gauge::default(), Said::default(), OnceLock::new());
        Self { step, position, direction, record, gauge, said, sent }
    }
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

    /// A detach that was begun and must come to an end before it is taken back.
    pub(crate) fn half_done(&self) -> Option<&Detach> {
        match &self.step.action {
            Action::Detach(detach) if self.direction == Direction::Undo && self.begun() => Some(detach),
            _ => None,
        }
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

    /// What is done, in the direction in which it is done.
    pub(crate) fn title(&self) -> String {
        match self.direction {
            Direction::Do => self.step.title.clone(),
            Direction::Undo => format!("undo of: {}", self.step.title),
        }
    }

    pub(crate) fn refused(&self, why: impl Into<String>) -> RunError {
        RunError::Refused { step: self.step.id.clone(), title: self.title(), why: why.into() }
    }

    /// What fails the record's session in the middle of a step fails the step.
    pub(crate) fn of_step(&self, error: RunError) -> RunError {
        match error {
            RunError::Store(failure) => self.failed(failure),
            other => other,
        }
    }

    pub(crate) fn failed(&self, failure: Failure) -> RunError {
        RunError::Step { step: self.step.id.clone(), title: self.title(), failure }
    }

    /// The work of this direction; `None` when the record says that it is done,
    /// or when there is none.
    pub(crate) fn work(&self) -> Result<Option<Action>, RunError> {
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
