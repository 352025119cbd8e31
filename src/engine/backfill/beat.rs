//! The beat of a crew: once a second it says how the workers are, and learns
//! what there is to know.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::crew::{Crew, CrewEnd};
use crate::core::pace::progress::{Rate, eta};
use crate::engine::error::RunError;
use crate::engine::event::{Event, Progress};
use crate::engine::{Store, Target};

/// How often workers say how they are.
const BEAT: Duration = Duration::from_secs(1);

impl<S: Store, T: Target> Crew<'_, S, T> {
    pub(super) async fn beats(&self) -> Result<(), RunError> {
        let (mut rate, since) = (Rate::default(), Instant::now());
        loop {
            let before = self.tuning();
            self.beat(&mut rate, since).await?;
            if self.ended() {
                // The hands end the crew; nobody waits for another beat.
                std::future::pending::<()>().await;
            }
            // What changed shows on record soon.
            let next = if before == self.tuning() { BEAT } else { BEAT / 5 };
            self.execution.stop.sleep(next).await;
        }
    }

    pub(super) async fn beat(&self, rate: &mut Rate, since: Instant) -> Result<(), RunError> {
        let said = self.said.lock().map(|said| said.clone()).unwrap_or_default();
        let pulse = self.execution.store.beat(self.which, &said).await?;
        self.held(pulse.hold.as_ref());
        if let Some(window) = &self.backfill.tuning.window
            && let Some(why) = window.closed(pulse.now)
        {
            self.end(CrewEnd::Halted(why));
        }
        if pulse.total.finished {
            self.end(CrewEnd::PassDone);
        }
        self.tuning.send_if_modified(|tuning| {
            let now = self.backfill.tuning.with(&pulse.tune);
            let changed = **tuning != now;
            *tuning = Arc::new(now);
            changed
        });
        // What retry-bad took out of quarantine is to be done and looked at again.
        if usize::try_from(pulse.total.quarantined).is_ok_and(|rows| rows < self.known_bad()) {
            self.learn_bad().await?;
        }
        let before = self.total.send_replace(pulse.total.clone());
        if before.pass != pulse.total.pass {
            *rate = Rate::default();
        }
        rate.learn(since.elapsed().as_secs_f64(), pulse.total.rows_seen);
        self.tell(rate);
        Ok(())
    }

    fn tell(&self, rate: &Rate) {
        let (total, pace) = (self.total.borrow().clone(), self.pace());
        // The end is told once.
        if total.finished && self.told_end.swap(true, Ordering::Relaxed) {
            return;
        }
        let said = self.said.lock().map(|said| said.clone()).unwrap_or_default();
        let slowest = said.iter().map(|said| said.batch_ms).fold(0.0, f64::max);
        let left = total.rows_total - total.rows_seen;
        self.execution.listener.on(&Event::Progress(Progress {
            pass: total.pass,
            rows_done: total.rows_seen,
            rows_total: total.rows_total,
            rows_written: total.rows_written,
            rows_per_s: rate.now(),
            average: rate.average(),
            eta: eta(left, rate.now(), rate.average()),
            level: pace.level,
            why: pace.why,
            batch_rows: said.iter().map(|said| said.batch_rows).max().unwrap_or(0),
            batch_ms: slowest,
            workers: total.workers,
            quarantined: total.quarantined,
            retries: total.retries,
            wal_bytes: total.wal_bytes,
            table_bytes: self.size.lock().map_or(None, |size| *size),
            finished: total.finished,
        }));
    }
}
