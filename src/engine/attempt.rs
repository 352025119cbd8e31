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

/// How often an attempt is ended because others waited for it, before it is clear that
/// the next one would be as well.
const HELD_AT_MOST: u32 = 5;

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
    pub(crate) async fn retrying<R>(
        &self,
        current: &Current<'_>,
        mut attempt: impl AsyncFnMut() -> Result<Tried<R>, Failure>,
    ) -> Result<Tried<R>, RunError> {
        let began = Instant::now();
        let (mut attempts, mut held) = (0_u32, 0_u32);
        loop {
            attempts += 1;
            let failure = match self.interruptible(attempt()).await {
                Ok(tried) => return Ok(tried),
                Err(failure) => failure,
            };
            if let (FailureKind::Cancelled, Some(why)) = (failure.kind, self.stop.reason()) {
                return Ok(Tried::WorkLeft(why.into()));
            }
            held += u32::from(failure.kind == FailureKind::Held);
            if held >= HELD_AT_MOST {
                return Err(current.failed(too_long(failure, held)));
            }
            if !failure.kind.retryable() {
                return Err(current.failed(failure));
            }
            let waited = began.elapsed();
            let Some(pause) = retry::pause(attempts, waited, self.limits.lock_wait_max, rand::random())
            else {
                if failure.kind == FailureKind::Held {
                    return Err(current.failed(too_long(failure, held)));
                }
                return Err(RunError::NoLock {
                    step: current.step.id.clone(),
                    title: current.step.title.clone(),
                    waited: Duration::from_secs(waited.as_secs()),
                    blockers: failure.blockers,
                });
            };
            let why = failure.message.lines().next().unwrap_or_default();
            self.says(current, Some(format!("attempt {attempts}: {why}; it is tried again"))).await;
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

fn too_long(failure: Failure, times: u32) -> Failure {
    let message = format!(
        "{}\nThat was attempt {times} that ended so. What to do: take it apart, so that what takes long runs under a lock that \
         lets others through (phase show tells the locks, docs/locks.md the ways), run it when less is going on, or let others \
         wait longer, with settings: {{lock_timeout: …}} in the plan or in phase.yaml",
        failure.message
    );
    Failure { message, ..failure }
}
