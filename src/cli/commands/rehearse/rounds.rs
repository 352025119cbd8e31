//! Walks the legs of a rehearsal through the real engine, and compares what was seen
//! with what was predicted.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ear::{Ear, Ran};
use crate::cli::desk::Desk;
use crate::cli::exit::{Code, CommandError};
use crate::cli::work::Worker;
use crate::core::decide::Wanted;
use crate::core::lint::Inspected;
use crate::core::record::Kind;
use crate::core::rehearse::{
    Leg, Piece, Report, RoundTrip, StepReport, back, compare, end_of, forward, forward_steps, mentions,
    predict,
};
use crate::core::shape::Shape;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::Store;
use crate::engine::event::Listener;
use crate::pg::connect::Session;
use crate::pg::shape::shape;
use crate::pg::trace::Trace;

/// A rehearsal on its way.
pub(super) struct Rounds<'a> {
    pub(super) desk: &'a Desk,
    /// With its gates open.
    pub(super) item: &'a Item,
    pub(super) trace: Arc<Trace>,
    pub(super) listener: &'a dyn Listener,
    /// Looks at the catalog.
    pub(super) session: &'a Session,
}

/// Why a leg did not reach its end.
pub(super) enum Broken {
    /// What was rehearsed did not work.
    Failed(String),
    /// It could not be rehearsed.
    Error(CommandError),
}

impl From<CommandError> for Broken {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Run { .. } | CommandError::NoPath { .. } | CommandError::Preflight(_) => {
                let hints = error.to_string();
                Self::Failed(hints)
            }
            other => Self::Error(other),
        }
    }
}

impl Rounds<'_> {
    /// Walks every leg; what came of it stands in the report.
    ///
    /// # Errors
    /// When the rehearsal itself cannot go on; that a step fails is a result.
    pub(super) async fn walk(&self, legs: &[Leg], report: &mut Report) -> Result<(), CommandError> {
        let before = self.shape().await?;
        report.stage.objects = before.len();
        let mut reached: BTreeMap<State, Shape> = BTreeMap::new();
        let mut at = State::Planned;
        for leg in legs {
            match self.leg(*leg, report).await {
                Ok(()) => {}
                Err(Broken::Error(error)) => return Err(error),
                Err(Broken::Failed(why)) => {
                    report.failure = Some(why);
                    return self.after_failure(*leg, &before, report).await;
                }
            }
            let shape = self.shape().await?;
            match leg {
                Leg::Forward(state) => {
                    at = *state;
                    match reached.get(state) {
                        Some(first) => report.again.push(RoundTrip::of(*state, first.diff(&shape))),
                        None => {
                            reached.insert(*state, shape);
                        }
                    }
                }
                Leg::Back => report.round_trips.push(RoundTrip::of(at, before.diff(&shape))),
            }
        }
        Ok(())
    }

    /// What began and failed must be able to go back as well.
    async fn after_failure(&self, leg: Leg, before: &Shape, report: &mut Report) -> Result<(), CommandError> {
        let Leg::Forward(_) = leg else { return Ok(()) };
        let state = self.state().await?;
        if self.item.kind == Kind::Sql {
            return Ok(());
        }
        match self.leg(Leg::Back, report).await {
            Ok(()) => {
                let differences = before.diff(&self.shape().await?);
                report.round_trips.push(RoundTrip::of(state, differences));
            }
            Err(Broken::Failed(why)) => {
                report.uncovered.push(format!("the way back after the failure: {why}"));
            }
            Err(Broken::Error(error)) => return Err(error),
        }
        Ok(())
    }

    async fn state(&self) -> Result<State, CommandError> {
        let records = self.desk.records().await?;
        let record = records.iter().find(|record| record.version == self.item.version);
        Ok(record.map_or(State::Planned, |record| record.state))
    }

    async fn shape(&self) -> Result<Shape, CommandError> {
        Ok(shape(&self.session.client, &self.desk.config.schema).await?)
    }

    async fn leg(&self, leg: Leg, report: &mut Report) -> Result<(), Broken> {
        let expected = self.expected(leg).await?;
        let ear = Ear::new(self.listener, Arc::clone(&self.trace));
        let mut worker = Worker::new(self.desk, &ear);
        (worker.purge_early, worker.rehearsal) = (true, true);
        let wanted = match (leg, self.item.kind) {
            (Leg::Forward(state), _) => Wanted::Forward(state),
            (Leg::Back, Kind::Plan) => Wanted::Abort,
            (Leg::Back, Kind::Sql) => Wanted::RollBack,
        };
        let moved = Box::pin(worker.run(self.item, wanted, &[])).await;
        for ran in ear.take() {
            judge(&expected, &ran, report);
        }
        let moved = moved?;
        if moved.code != Code::Done || moved.state != end_of(self.item, leg) {
            return Err(Broken::Failed(format!(
                "{}: it is {} and goes no further: {}",
                self.item.stem(),
                moved.state,
                moved.reasons.join("; ")
            )));
        }
        if leg == Leg::Back && self.item.kind == Kind::Plan {
            self.desk.store.again(&self.item.version).await.map_err(CommandError::from)?;
        }
        Ok(())
    }

    /// The work of a leg, and what the lock table says of it.
    async fn expected(&self, leg: Leg) -> Result<Vec<(Piece<'_>, Vec<Inspected>)>, CommandError> {
        let pieces = match (leg, self.item.kind) {
            (Leg::Forward(state), _) => forward(&forward_steps(self.item, state)),
            (Leg::Back, Kind::Plan) => {
                let recorded = self.desk.store.steps(&self.item.version).await?;
                back(&self.item.steps, &recorded)
            }
            (Leg::Back, Kind::Sql) => match &self.item.down {
                crate::core::timeline::Rollback::Steps(steps) => {
                    let mut pieces = forward(&steps.iter().collect::<Vec<_>>());
                    pieces.iter_mut().for_each(|piece| piece.undo = true);
                    pieces
                }
                crate::core::timeline::Rollback::Refused(_) => Vec::new(),
            },
        };
        let mut world = self.desk.target.world(&mentions(&pieces)?).await?;
        let mut expected = Vec::new();
        for piece in pieces {
            let predicted = predict(&piece, &mut world)?;
            expected.push((piece, predicted));
        }
        Ok(expected)
    }
}

/// Compares one step with its prediction, and adds it to the report.
fn judge(expected: &[(Piece<'_>, Vec<Inspected>)], ran: &Ran, report: &mut Report) {
    let Some((piece, predicted)) = expected.iter().find(|(piece, _)| piece.step.id == ran.id) else { return };
    let own = piece.step.statements.is_empty();
    let compared = compare(predicted, &ran.seen, own);
    let took_ms = ran.took.as_secs_f64() * 1_000.0;
    let undo = ran.undo || piece.undo;
    let known = report.steps.iter_mut().find(|known| known.id == ran.id && known.undo == undo);
    if let Some(known) = known {
        known.add(took_ms, compared);
        return;
    }
    let mut first = StepReport::new(piece, undo);
    first.add(took_ms, compared);
    report.steps.push(first);
}
