//! Owns the gauge of one step: where what the step does and what another session sees
//! of it meet, and how long others may wait for it.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::core::failure::{Failure, FailureKind};
use crate::core::impact::{Held, Impact, Look, Meter, Pressure};

/// How often to look beside a transaction that takes locks.
pub const CLOSELY: Duration = Duration::from_millis(25);
/// How often beside what stands in nobody's way, or for a moment only.
pub const LOOSELY: Duration = Duration::from_millis(100);

/// What an attempt may do to others, and how closely it is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Care {
    /// How long a query or a write may wait because of it before it is ended; `None`: it is not.
    pub limit: Option<Duration>,
    /// How often somebody looks.
    pub every: Duration,
}

/// The gauge of one step.
#[derive(Debug)]
pub struct Gauge {
    began: Instant,
    meter: Mutex<Meter>,
    care: watch::Sender<Option<Care>>,
    cut: Mutex<Option<Cut>>,
}

/// An attempt under way.
#[must_use]
pub(crate) struct UnderWay<'a>(&'a Gauge);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.care.send_replace(None);
        self.0.with(|meter| meter.end(self.0.now()));
    }
}

/// Why an attempt was ended by us.
#[derive(Debug, Clone, Copy)]
struct Cut {
    waited: Duration,
    working: bool,
}

impl Default for Gauge {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            meter: Mutex::default(),
            care: watch::Sender::new(None),
            cut: Mutex::default(),
        }
    }
}

impl Gauge {
    /// Runs an attempt under care: what is seen while it runs counts as its impact. A
    /// failure that is our own doing, because others had waited long enough, says so.
    ///
    /// # Errors
    /// Those of the attempt.
    pub async fn attempt<R>(
        &self,
        care: Care,
        work: impl Future<Output = Result<R, Failure>>,
    ) -> Result<R, Failure> {
        let under_way = self.enter(care);
        let result = work.await;
        drop(under_way);
        let cut = self.cut.lock().ok().and_then(|mut cut| cut.take());
        result.map_err(|failure| match (failure.kind, cut) {
            (FailureKind::Cancelled, Some(cut)) => Failure { blockers: failure.blockers, ..cut.failure() },
            _ => failure,
        })
    }

    /// An attempt begins; it lasts as long as what this gives.
    pub(crate) fn enter(&self, care: Care) -> UnderWay<'_> {
        self.with(|meter| meter.begin(self.now()));
        self.care.send_replace(Some(care));
        UnderWay(self)
    }

    /// Resolves while an attempt is under way: how closely to look.
    pub async fn under_way(&self) -> Care {
        let mut care = self.care.subscribe();
        match care.wait_for(Option::is_some).await.map(|care| *care) {
            Ok(Some(care)) => care,
            // The sender lives as long as the gauge.
            _ => std::future::pending().await,
        }
    }

    /// The time of the gauge.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Takes a look in that was sent at `sent` and is answered now; whether the attempt
    /// is to be ended, because others have waited for it as long as they may.
    #[must_use]
    pub fn look(&self, sent: Duration, look: &Look, ours: &[i32]) -> bool {
        let now = self.now();
        let pressure = self.with(|meter| meter.look(sent, now, look, ours)).unwrap_or_default();
        let limit = self.care.borrow().and_then(|care| care.limit);
        let over = limit.is_some_and(|limit| pressure.longest > limit);
        if over && let Ok(mut cut) = self.cut.lock() {
            let Pressure { longest, working } = pressure;
            *cut = Some(Cut { waited: longest, working });
        }
        over
    }

    /// Takes in which locks the attempt holds.
    pub fn locks(&self, held: Vec<Held>) {
        self.with(|meter| meter.locks(held));
    }

    /// What is known by now.
    #[must_use]
    pub fn impact(&self) -> Impact {
        self.with(|meter| meter.impact()).unwrap_or_default()
    }

    fn with<R>(&self, work: impl FnOnce(&mut Meter) -> R) -> Option<R> {
        self.meter.lock().ok().map(|mut meter| work(&mut meter))
    }
}

impl Cut {
    fn failure(self) -> Failure {
        let what = if self.working { "it held its locks" } else { "it waited for its locks" };
        let message = format!(
            "ended by phase: {what} while a statement of another session had waited for it for {}, as long as \
             lock_timeout allows; nothing of it was kept",
            humantime::format_duration(Duration::from_millis(
                u64::try_from(self.waited.as_millis()).unwrap_or(u64::MAX)
            ))
        );
        Failure::new(FailureKind::Held, message)
    }
}
