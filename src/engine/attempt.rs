//! Tries what locks are in the way of, and lets somebody who asks to stop cut in.

use std::time::{Duration, Instant};

use crate::core::failure::{Failure, FailureKind};
use crate::core::retry;
use crate::engine::backfill::ports::Walker;
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::execute::{Ended, Execution};
use crate::engine::{Store, Target};

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

impl<S: Store, T: Target> Execution<'_, S, T> {
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
}
