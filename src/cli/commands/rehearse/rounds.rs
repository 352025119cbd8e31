//! Walks the legs of a rehearsal through the real engine, and compares what was seen
//! with what was predicted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ear::{Ear, Ran};
use crate::cli::desk::Desk;
use crate::cli::exit::{Code, CommandError};
use crate::cli::work::Worker;
use crate::core::decide::Wanted;
use crate::core::ident::QName;
use crate::core::lint::Inspected;
use crate::core::record::Kind;
use crate::core::rehearse::{
    Leg, LockLine, Piece, Report, RoundTrip, StepReport, back, compare, end_of, forward, forward_steps,
    labels, mentions, predict, stops, without_labels,
};
use crate::core::shape::{Difference, Shape};
use crate::core::state::State;
use crate::core::step::Phase;
use crate::core::timeline::Item;
use crate::engine::event::Listener;
use crate::engine::{Store, Target};
use crate::pg::connect::Session;
use crate::pg::copy::{Sum, sum};
use crate::pg::shape::shape;
use crate::pg::trace::{Trace, look};

/// A rehearsal on its way.
pub(super) struct Rounds<'a> {
    pub(super) desk: &'a Desk,
    /// With its gates open.
    pub(super) item: &'a Item,
    pub(super) trace: Arc<Trace>,
    pub(super) listener: &'a dyn Listener,
    /// Looks at the catalog.
    pub(super) session: &'a Session,
    /// The relations that stood before the first step.
    pub(super) stood: BTreeSet<String>,
}

/// The relations of a database, as the report writes them.
///
/// # Errors
/// When the server does not answer.
pub(super) async fn relations(session: &Session, desk: &Desk) -> Result<BTreeSet<String>, CommandError> {
    let look = look(&session.client, session.pid, &desk.config.schema).await?;
    Ok(look.relations.values().map(|relation| relation.name.plain()).collect())
}

/// A database at a moment.
struct Mark {
    shape: Shape,
    sums: BTreeMap<String, Sum>,
}

impl Mark {
    /// Tables whose rows are not what they were, one sentence each.
    fn changed(&self, after: &BTreeMap<String, Sum>) -> Vec<String> {
        let changed = |(table, was): (&String, &Sum)| {
            let is = after.get(table)?;
            if is.rows != was.rows {
                Some(format!("{table} had {} rows and has {}", was.rows, is.rows))
            } else if is.hash != was.hash {
                Some(format!("rows of {table} have other values than before"))
            } else {
                None
            }
        };
        self.sums.iter().filter_map(changed).collect()
    }
}

/// Keeps the comparison of a state that was reached once more; of several the first that differs.
fn again(report: &mut Report, state: State, differences: Vec<Difference>) {
    let trip = RoundTrip::of(state, differences, Vec::new());
    match report.again.iter_mut().find(|known| known.state == state) {
        Some(known) if known.equal => *known = trip,
        Some(_) => {}
        None => report.again.push(trip),
    }
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
                Self::Failed(error.to_string())
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
        let before = Mark { shape: self.shape().await?, sums: self.sums().await? };
        report.stage.objects = before.shape.len();
        let mut reached = BTreeMap::new();
        let mut at = State::Planned;
        for leg in legs {
            let walked = match leg {
                Leg::Forward(to) => self.forward(*to, &mut reached, report).await,
                Leg::Back => self.back(at, &before, report).await,
            };
            match (walked, leg) {
                (Ok(()), Leg::Forward(to)) => at = *to,
                (Ok(()), Leg::Back) => {}
                (Err(Broken::Error(error)), _) => return Err(error),
                (Err(Broken::Failed(why)), leg) => {
                    report.failure = Some(why);
                    if matches!(leg, Leg::Forward(_)) && self.item.kind == Kind::Plan {
                        self.back_from_failure(&before, report).await?;
                    }
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// What began and failed must be able to go back as well.
    async fn back_from_failure(&self, before: &Mark, report: &mut Report) -> Result<(), CommandError> {
        let records = self.desk.records().await?;
        let record = records.iter().find(|record| record.version == self.item.version);
        match self.back(record.map_or(State::Planned, |record| record.state), before, report).await {
            Ok(()) => Ok(()),
            Err(Broken::Failed(why)) => {
                report.uncovered.push(format!("the way back after the failure: {why}"));
                Ok(())
            }
            Err(Broken::Error(error)) => Err(error),
        }
    }

    /// Forward, with a look at the schema in every state on the way.
    async fn forward(
        &self,
        to: State,
        reached: &mut BTreeMap<State, Shape>,
        report: &mut Report,
    ) -> Result<(), Broken> {
        let expected = self.expected(Leg::Forward(to)).await?;
        for state in stops(self.item, to) {
            self.run(Leg::Forward(state), &expected, report).await?;
            let shape = self.shape().await?;
            match reached.get(&state) {
                Some(first) => again(report, state, first.diff(&shape)),
                None => {
                    reached.insert(state, shape);
                }
            }
        }
        Ok(())
    }

    /// Back to the start.
    async fn back(&self, from: State, before: &Mark, report: &mut Report) -> Result<(), Broken> {
        let expected = self.expected(Leg::Back).await?;
        self.run(Leg::Back, &expected, report).await?;
        if self.item.kind == Kind::Plan {
            self.desk.store.again(&self.item.version).await.map_err(CommandError::from)?;
        }
        let differences = before.shape.diff(&self.shape().await?);
        let labels = labels(self.item).map_err(CommandError::from)?;
        let (differences, stay) = without_labels(differences, &labels);
        let notes = [before.changed(&self.sums().await?), stay].concat();
        report.round_trips.push(RoundTrip::of(from, differences, notes));
        Ok(())
    }

    async fn shape(&self) -> Result<Shape, CommandError> {
        Ok(shape(&self.session.client, &self.desk.config.schema).await?)
    }

    async fn sums(&self) -> Result<BTreeMap<String, Sum>, CommandError> {
        let mut sums = BTreeMap::new();
        for table in &self.item.tables {
            if let Ok(name) = QName::parse(table)
                && let Some(sum) = sum(self.session, &name).await?
            {
                sums.insert(table.clone(), sum);
            }
        }
        Ok(sums)
    }

    async fn run(
        &self,
        leg: Leg,
        expected: &[(Piece<'_>, Vec<Inspected>)],
        report: &mut Report,
    ) -> Result<(), Broken> {
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
            self.judge(expected, &ran, report);
        }
        let moved = moved?;
        if moved.code == Code::Done && moved.state == end_of(self.item, leg) {
            return Ok(());
        }
        Err(Broken::Failed(format!(
            "{}: it is {} and goes no further: {}",
            self.item.stem(),
            moved.state,
            moved.reasons.join("; ")
        )))
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

    /// Compares one step with its prediction, and adds it to the report.
    fn judge(&self, expected: &[(Piece<'_>, Vec<Inspected>)], ran: &Ran, report: &mut Report) {
        let Some((piece, predicted)) = expected.iter().find(|(piece, _)| piece.step.id == ran.id) else {
            return;
        };
        let own = piece.step.statements.is_empty();
        let mut compared = compare(predicted, &ran.seen, own);
        // No code knows yet what expand has made.
        let unknown = |line: &&mut LockLine| !self.stood.contains(&line.relation);
        if piece.step.phase == Phase::Expand {
            compared.locks.iter_mut().filter(unknown).for_each(|line| line.held_ms = None);
        }
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
}
