//! Sets the pace of a crew: measures the server's health once a second, judges
//! it, and says what holds for the next one.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::crew::{Crew, CrewEnd};
use super::ports::Monitor;
use crate::core::brief::brief;
use crate::core::failure::Failure;
use crate::core::pace::board::{Board, Verdict};
use crate::core::pace::congestion::{Congestion, Second};
use crate::core::pace::signal::{Reading, Signal, Value};
use crate::core::pace::throttle::{Slo, Throttle};
use crate::core::pace::traffic::Traffic;
use crate::core::pace::{Level, Pace};
use crate::engine::error::RunError;
use crate::engine::{Store, Target};

/// Canaries of a second.
const CANARIES: u32 = 8;
/// How long after one canary the next one flies.
const CANARY_EVERY: Duration = Duration::from_millis(110);
/// How often congestion is put on record.
const CONGESTED_AGAIN: Duration = Duration::from_secs(600);
/// The share of time to work where a signal says slow.
const SLOW_SHARE: f64 = 0.25;

/// What is remembered from one crew to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// What is known about the server's room.
    pub(super) congestion: Congestion,
    /// Signals that were reported as unknown.
    told: BTreeSet<Signal>,
}

/// What the pace of one crew remembers.
struct Pacer {
    board: Board,
    began: Instant,
    /// Since when the service level is violated.
    violated: Option<Instant>,
    /// What was put on record last.
    recorded: (Level, Option<Signal>),
    /// When congestion was put on record last: it comes and goes by the second.
    congested: Option<Instant>,
    /// What others do.
    traffic: Traffic,
}

impl<S: Store, T: Target> Crew<'_, S, T> {
    /// Sets the pace until the crew ends.
    pub(super) async fn paces(&self) -> Result<(), RunError> {
        let failed = |failure: Failure| self.current.failed(failure);
        let mut monitor = self.open(self.execution.target.monitor(self.table)).await.map_err(failed)?;
        let mut pacer = Pacer {
            board: Board::default(),
            began: Instant::now(),
            violated: None,
            recorded: (Level::Full, None),
            congested: None,
            traffic: Traffic::default(),
        };
        let mut rtts = Vec::new();
        loop {
            let tuning = self.tuning();
            let readings = monitor.sample(&tuning.throttle, &self.backends()).await.map_err(failed)?;
            let verdicts = self.judge(&mut pacer, &tuning.throttle, &readings);
            let costs = self.take_costs();
            let counters = monitor.traffic().await.map_err(failed)?;
            let others = pacer.traffic.learn(pacer.began.elapsed().as_secs_f64(), counters, costs.own);
            // What workers elsewhere do is not what an application does.
            let others = others.filter(|_| !self.has_company());
            let second = Second { us_per_row: median(costs.rows), rtt_us: median(rtts), others };
            tracing::debug!(?second, "a second");
            let pace = self.pace_of(&tuning.throttle, &verdicts, second);
            self.record_pace(&mut pacer, &verdicts, &pace).await?;
            self.set_pace(pace);
            self.looked.send_replace(true);
            let bytes = monitor.size().await.map_err(failed)?;
            if let Ok(mut size) = self.size.lock() {
                *size = bytes.or(*size);
            }
            if let Some(slo) = &tuning.slo {
                let violated = monitor.violated(slo).await.map_err(failed)?;
                self.keep_slo(&mut pacer, slo, violated).await?;
            }
            let dead = verdicts
                .iter()
                .any(|verdict| verdict.signal == Signal::Bloat && verdict.level == Level::Stop);
            if dead && tuning.throttle.vacuum {
                for leaf in &self.table.leaves {
                    match monitor.vacuum(&leaf.table.to_string()).await {
                        Err(failure) if failure.kind.reconnects() => return Err(failed(failure)),
                        // Somebody else is at it, or our role may not: the next second tries again.
                        Err(failure) => tracing::warn!("VACUUM {}: {}", leaf.table.plain(), failure.message),
                        Ok(()) => {}
                    }
                }
            }
            rtts = Vec::new();
            for _ in 0..CANARIES {
                if self.ended() {
                    return Ok(());
                }
                let flown = monitor.canary().await.map_err(failed)?;
                rtts.extend(flown.map(|took| took.as_secs_f64() * 1e6));
                self.execution.stop.sleep(CANARY_EVERY).await;
            }
        }
    }

    /// Whether other processes work at this backfill too.
    fn has_company(&self) -> bool {
        let ours = self.backends().len();
        usize::try_from(self.total.borrow().workers).is_ok_and(|workers| workers > ours)
    }

    fn judge(&self, pacer: &mut Pacer, throttle: &Throttle, readings: &[Reading]) -> Vec<Verdict> {
        let at = pacer.began.elapsed().as_secs_f64();
        let limit = |signal| throttle.limits.get(&signal).copied();
        let verdicts = pacer.board.judge(at, readings, limit, throttle.unknown_stops);
        for Reading { signal, value } in readings {
            if let Value::Unknown(why) = value
                && let Some(verdict) = verdicts.iter().find(|verdict| verdict.signal == *signal)
                && self.memory.lock().is_ok_and(|mut memory| memory.told.insert(*signal))
            {
                let means = match verdict.level {
                    Level::Full => "go",
                    Level::Slow => "go slowly",
                    Level::Stop => "stop",
                };
                tracing::warn!("{} is unknown, which means {means}: {why}", signal.words());
            }
        }
        verdicts
    }

    /// What holds for the next second.
    fn pace_of(&self, throttle: &Throttle, verdicts: &[Verdict], second: Second) -> Pace {
        let mut pace = Pace::default();
        if throttle.congestion
            && let Ok(mut memory) = self.memory.lock()
        {
            // A second without work says nothing about what work does.
            if second.us_per_row.is_some() {
                memory.congestion.learn(second);
            }
            pace = Pace::within(&memory.congestion);
        }
        match worst(verdicts) {
            None => pace,
            Some(worst) => Pace {
                level: pace.level.max(worst.level),
                share: pace.share.min(SLOW_SHARE),
                why: Some(reasons(verdicts, worst.level)),
                ..pace
            },
        }
    }

    /// Puts a change of the pace on record, with its reason.
    async fn record_pace(
        &self,
        pacer: &mut Pacer,
        verdicts: &[Verdict],
        pace: &Pace,
    ) -> Result<(), RunError> {
        let worst = worst(verdicts);
        let now = worst.map_or((Level::Full, None), |verdict| (verdict.level, Some(verdict.signal)));
        if now == pacer.recorded {
            return if worst.is_none() { self.record_congestion(pacer, pace).await } else { Ok(()) };
        }
        pacer.recorded = now;
        let why = worst.map_or_else(
            || "every signal is within its limit".to_owned(),
            |verdict| reasons(verdicts, verdict.level),
        );
        let detail = format!("{}: {why}", now.0.name());
        tracing::debug!(step = %self.which.step, level = pace.level.name(), "{detail}");
        Ok(self.execution.store.paced(self.which, &detail).await?)
    }

    /// Puts congestion on record, from time to time.
    async fn record_congestion(&self, pacer: &mut Pacer, pace: &Pace) -> Result<(), RunError> {
        let fresh = pacer.congested.is_some_and(|at| at.elapsed() < CONGESTED_AGAIN);
        let memory = self.memory.lock().ok();
        let risen = memory.and_then(|memory| memory.congestion.risen().map(str::to_owned));
        match risen {
            Some(why) if pace.level == Level::Slow && !fresh => {
                pacer.congested = Some(Instant::now());
                Ok(self.execution.store.paced(self.which, &format!("slow: {why}")).await?)
            }
            _ => Ok(()),
        }
    }

    /// Holds the plan when its service level has been violated for longer than its grace.
    async fn keep_slo(&self, pacer: &mut Pacer, slo: &Slo, violated: Option<String>) -> Result<(), RunError> {
        let Some(why) = violated else {
            pacer.violated = None;
            return Ok(());
        };
        let since = *pacer.violated.get_or_insert_with(Instant::now);
        if since.elapsed() < slo.grace {
            return Ok(());
        }
        let reason = format!("{why}, for longer than {}", brief(slo.grace));
        self.execution.store.place_hold(&self.which.version, &reason).await?;
        self.end(CrewEnd::Halted(format!("it is paused: {reason}")));
        Ok(())
    }
}

/// Why it is at a level: every signal that says so.
fn reasons(verdicts: &[Verdict], level: Level) -> String {
    let at_level = verdicts.iter().filter(|verdict| verdict.level == level);
    at_level.map(|verdict| verdict.why.as_str()).collect::<Vec<_>>().join("; ")
}

/// The worst verdict that is not full.
fn worst(verdicts: &[Verdict]) -> Option<&Verdict> {
    verdicts.iter().filter(|verdict| verdict.level != Level::Full).max_by_key(|verdict| verdict.level)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
