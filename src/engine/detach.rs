//! Detaches a partition while its table is in use: what an interruption leaves between the
//! two transactions of DETACH PARTITION CONCURRENTLY is finalized, by the next run or on the way back.

use crate::core::detach::{Detach, Standing, ToDetach, gone, half_done, to_detach};
use crate::core::failure::{Failure, FailureKind};
use crate::core::step::{Action, Limits};
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::execute::{Ended, Execution};
use crate::engine::{Store, Target, crash};

/// What a detach that was begun must come to before it is taken back.
#[must_use]
pub(crate) enum Settled {
    /// It stands apart: its undo has something to take back.
    Apart,
    /// It was never detached.
    Attached,
    /// Somebody took it away: there is nothing that could be taken back.
    Gone,
    /// Somebody asked to stop; why.
    WorkLeft(String),
}

impl<S: Store, T: Target> Execution<'_, S, T> {
    pub(crate) async fn detach(&self, current: &Current<'_>, detach: &Detach) -> Result<Ended, RunError> {
        let begun = current.begun();
        if let ToDetach::Refuse(why) = to_detach(detach, self.standing(current, detach).await?, begun) {
            return Err(current.refused(why));
        }
        self.store.step_started(self.fence, &current.write(false, None, &detach.sql)).await?;
        crash::point(&format!("inside {}", current.step.id));
        let ended = self.apart(current, detach).await?;
        crash::point(&format!("ran {}", current.step.id));
        if ended == Ended::Done {
            self.store.step_finished(self.fence, &current.write(true, None, &detach.sql)).await?;
        }
        Ok(ended)
    }

    /// Ends what was begun, so that it can be taken back.
    pub(crate) async fn settle(&self, current: &Current<'_>, detach: &Detach) -> Result<Settled, RunError> {
        match self.standing(current, detach).await? {
            Standing::Attached => Ok(Settled::Attached),
            Standing::Apart | Standing::Absent | Standing::Gone { pending: true } => Ok(Settled::Apart),
            Standing::Gone { pending: false } => {
                let why = format!("{}; nothing of it can be attached again", gone(detach));
                self.gone(current, &why).await?;
                Ok(Settled::Gone)
            }
            Standing::Pending => Ok(match self.apart(current, detach).await? {
                Ended::Done => Settled::Apart,
                Ended::WorkLeft(why) => Settled::WorkLeft(why),
            }),
        }
    }

    /// Sends whichever half is missing, in quiet moments, until it stands apart.
    async fn apart(&self, current: &Current<'_>, detach: &Detach) -> Result<Ended, RunError> {
        let moment = self.locks(current, &Action::Detach(detach.clone())).await?;
        let run = async |_: Limits| match to_detach(detach, self.target.standing(detach).await?, true) {
            ToDetach::Done => Ok(()),
            ToDetach::Gone(why) => self.gone(current, &why).await,
            ToDetach::Refuse(why) => Err(Failure::new(FailureKind::Catalog, why)),
            ToDetach::Detach => self.send_watched(current, &detach.sql).await,
            ToDetach::Finalize => {
                let sql = detach.finalize_sql();
                self.store.note(&self.fence.version, Some(&current.step.id), "finalize", &sql).await?;
                self.send_watched(current, &sql).await
            }
        };
        let ended = self.with_care(current, moment, run).await;
        if ended != Ok(Ended::Done) && self.target.standing(detach).await == Ok(Standing::Pending) {
            let why = half_done(detach);
            self.store.note(&self.fence.version, Some(&current.step.id), "half done", &why).await?;
            tracing::warn!(step = %current.step.id, "{why}");
        }
        ended
    }

    /// Says in the history that a partition was taken away meanwhile.
    async fn gone(&self, current: &Current<'_>, why: &str) -> Result<(), Failure> {
        tracing::warn!(step = %current.step.id, "{why}");
        self.store.note(&self.fence.version, Some(&current.step.id), "gone", why).await
    }

    async fn standing(&self, current: &Current<'_>, detach: &Detach) -> Result<Standing, RunError> {
        self.target.standing(detach).await.map_err(|failure| current.failed(failure))
    }
}
