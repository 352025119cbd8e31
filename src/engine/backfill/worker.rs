//! One worker: leases chunks and walks each, window by window.

use std::time::{Duration, Instant};

use super::PROOF;
use super::crew::{Crew, CrewEnd};
use super::ports::{Done, Order, Said, Walker};
use crate::core::backfill::batch::{Locking, Take};
use crate::core::backfill::{Chunk, Key, Leaf, Stripes, Walk};
use crate::core::pace::Level;
use crate::core::pace::density::Density;
use crate::core::pace::progress::Rate;
use crate::core::pace::servo::{BatchEnd, Servo};
use crate::core::pace::stripes::StripeChoice;
use crate::engine::error::RunError;
use crate::engine::{Store, Target, crash};

/// How often a worker without a chunk asks for one.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// How often a worker that stands still looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Why a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quit {
    /// The crew ended.
    Ended,
    /// Fewer workers are wanted now.
    NotWanted,
}

/// What becomes of a chunk.
pub(super) enum Next {
    /// It goes on.
    Go,
    /// It is finished, or somebody else has it.
    Leave,
}

/// One worker.
pub(super) struct Worker<'a, S: Store, T: Target> {
    pub(super) crew: &'a Crew<'a, S, T>,
    pub(super) walker: T::Walker,
    id: i64,
    index: u32,
    pub(super) servo: Servo,
    pub(super) looks: Servo,
    choice: StripeChoice,
    leaf: Option<String>,
    density: Density,
    /// Pages of the window under way, and rows that were written in it.
    window: (i64, i64),
    /// Windows left that pass locked rows over.
    pub(super) wary: u32,
    rate: Rate,
    since: Instant,
    rows: i64,
    batches: u64,
    pub(super) attempts: u32,
    pub(super) waiting: Option<Instant>,
    last_ms: f64,
    /// Rows a batch that the window under way was cut for.
    cut_for: i64,
    /// The chunk and the place in it where nothing more can be done.
    pub(super) settled: Option<(i32, Option<Key>)>,
    /// How often rows of the window under way slipped away.
    pub(super) slipped: u32,
}

impl<'a, S: Store, T: Target> Worker<'a, S, T> {
    pub(super) fn new(crew: &'a Crew<'a, S, T>, walker: T::Walker, id: i64, index: u32) -> Self {
        Self {
            crew,
            walker,
            id,
            index,
            servo: Servo::default(),
            looks: Servo::default(),
            choice: StripeChoice::new(false, false),
            leaf: None,
            density: Density::new(0, 0),
            window: (0, 0),
            wary: 0,
            rate: Rate::default(),
            since: Instant::now(),
            rows: 0,
            batches: 0,
            attempts: 0,
            waiting: None,
            last_ms: 0.0,
            cut_for: 0,
            settled: None,
            slipped: 0,
        }
    }

    /// Works until the crew ends, or fewer are wanted.
    pub(super) async fn work(mut self) -> Result<Quit, RunError> {
        let crew = self.crew;
        let store = crew.execution.store;
        loop {
            if crew.ended() {
                return Ok(Quit::Ended);
            }
            if !crew.wants(self.index) {
                return Ok(Quit::NotWanted);
            }
            self.say(None);
            if let Some(chunk) = store.lease(crew.which, self.id, self.walker.backend()).await? {
                let result = Box::pin(self.chunk(chunk.clone())).await;
                // What is not given back is free when its lease ends.
                let _ = store.release(crew.which, &chunk).await;
                result?;
                continue;
            }
            match store.standing(crew.which).await? {
                Some(standing) if standing.open && standing.left > 0 && standing.hold.is_none() => {
                    crew.execution.stop.sleep(ASK_EVERY).await;
                }
                Some(standing) => {
                    crew.held(standing.hold.as_ref());
                    crew.end(CrewEnd::PassDone);
                }
                None => crew.end(CrewEnd::Changed),
            }
        }
    }

    /// Walks a chunk until it is finished, lost, or the crew ends.
    async fn chunk(&mut self, mut chunk: Chunk) -> Result<(), RunError> {
        let crew = self.crew;
        let Some(leaf) = crew.table.leaf(&chunk.leaf) else {
            crew.end(CrewEnd::Changed);
            return Ok(());
        };
        let backfill = crew.backfill;
        // What was learnt of a leaf holds for all of its chunks.
        if self.leaf.as_ref() != Some(&chunk.leaf) {
            let allowed = backfill.sets() && crew.tuning().stripes;
            self.choice = StripeChoice::new(allowed, backfill.remainders(leaf));
            self.density = Density::new(leaf.estimate, leaf.pages);
            self.leaf = Some(chunk.leaf.clone());
        }
        // A window that somebody else cut says nothing about pages.
        (self.cut_for, self.window) = (0, (0, 0));
        while !chunk.finished && !crew.ended() && crew.wants(self.index) {
            if !self.may_go().await {
                continue;
            }
            let next = if chunk.pass == PROOF {
                self.look(leaf, &mut chunk).await?
            } else {
                self.stripe(leaf, &mut chunk).await?
            };
            if matches!(next, Next::Leave) {
                break;
            }
        }
        Ok(())
    }

    /// Waits while the pace says stop; whether it may go on now.
    async fn may_go(&mut self) -> bool {
        if self.crew.pace().level != Level::Stop {
            return true;
        }
        self.say(None);
        tokio::select! {
            () = self.crew.news() => {}
            () = self.crew.execution.stop.sleep(LOOK_EVERY) => {}
        }
        false
    }

    /// One stripe of a window, the window opened first where there is none.
    async fn stripe(&mut self, leaf: &Leaf, chunk: &mut Chunk) -> Result<Next, RunError> {
        let crew = self.crew;
        let rows = i64::from(self.servo.rows(crew.tuning().bounds()));
        // A window that is far too large by now is opened again, smaller: what was done in it is passed over.
        let stale = self.cut_for > rows * 2;
        if chunk.until.is_none() || stale {
            let order = self.order(leaf, chunk, Take::Stripe, rows);
            (self.cut_for, self.window) = (rows, (order.size, 0));
            let opened = crew.execution.interruptible_by(&self.walker, self.walker.open(&order)).await;
            return self.went(leaf, chunk, opened, |_, chunk, opened| *chunk = opened).await;
        }
        let bad = crew.bad(&chunk.leaf);
        let order = Order { quarantine: &bad, ..self.order(leaf, chunk, Take::Stripe, rows) };
        // The last stripe of a window cuts the next one.
        let cuts = (chunk.stripe + 1 >= chunk.stripes.count).then_some((rows, order.size));
        let began = Instant::now();
        let done = crew.execution.interruptible_by(&self.walker, self.walker.batch(&order)).await;
        let took = began.elapsed();
        let mut written = 0;
        let next = self
            .went(leaf, chunk, done, |worker, chunk, done| {
                written = done.written;
                worker.did(chunk, done);
                if let Some((rows, size)) = cuts {
                    (worker.cut_for, worker.window) = (rows, (size, 0));
                }
            })
            .await?;
        if matches!(next, Next::Go) && !chunk.finished {
            self.rest(took, written).await;
        }
        Ok(next)
    }

    /// Learns from a batch that committed.
    fn did(&mut self, chunk: &mut Chunk, done: Done) {
        let cut = chunk.stripes;
        let window_ended = done.chunk.cursor != chunk.cursor || done.chunk.finished;
        self.took(done.written, done.ms);
        self.choice.report(done.written, done.hot);
        self.window.1 += done.written;
        if window_ended {
            if self.window.0 > 0 {
                self.density.learn(self.window.0, self.window.1);
            }
            self.choice.window_ended(cut, self.crew.total.borrow().workers > 1);
            self.wary = self.wary.saturating_sub(1);
        }
        self.crew.held(done.hold.as_ref());
        *chunk = done.chunk;
        self.say(Some(chunk));
        self.batches += 1;
        if self.batches <= CRASHES {
            crash::point(&format!("batch {} of {}", self.batches, self.crew.which.step));
        }
    }

    /// Nothing is in the way, and so many rows took so long.
    pub(super) fn went_through(&mut self, rows: i64, ms: f64) {
        (self.attempts, self.waiting, self.last_ms) = (0, None, ms);
        #[allow(clippy::cast_precision_loss, reason = "an average")]
        self.crew.cost(ms, (rows >= ENOUGH).then(|| per_row(ms, rows as f64)));
    }

    /// What a batch aims for: where there are rests between batches, they are
    /// shorter as well, because one long batch hurts more than many short ones.
    pub(super) fn target(&self) -> Duration {
        let (target, share) = (self.crew.tuning().target, self.crew.pace().share);
        target.mul_f64((share * share).clamp(0.0, 1.0)).max(SHORTEST.min(target))
    }

    /// Learns from a batch that wrote rows.
    pub(super) fn took(&mut self, written: i64, ms: f64) {
        let end = BatchEnd::Took { written, at_server: at_server(ms) };
        self.servo.learn(self.crew.tuning().bounds(), self.target(), end);
        self.went_through(written, ms);
        self.rows += written;
        self.rate.learn(self.since.elapsed().as_secs_f64(), self.rows);
    }

    /// Rests after a batch of so many rows, as the pace and the settings have it.
    pub(super) async fn rest(&self, took: Duration, rows: i64) {
        let (tuning, pace) = (self.crew.tuning(), self.crew.pace());
        let share = (pace.share * (1.0 - tuning.nice)).clamp(0.01, 1.0);
        let mut rest = took.mul_f64(1.0 / share - 1.0) + tuning.pause;
        if let Some(rate) = tuning.rate {
            let each = f64::from(rate) / f64::from(tuning.workers.max(1));
            #[allow(clippy::cast_precision_loss, reason = "a count of rows")]
            let rows = rows as f64;
            rest = rest.max(Duration::from_secs_f64((rows / each).min(60.0)).saturating_sub(took));
        }
        if rest.is_zero() {
            return;
        }
        tokio::select! {
            () = self.crew.news() => {}
            () = self.crew.execution.stop.sleep(rest) => {}
        }
    }

    pub(super) fn order<'o>(&self, leaf: &'o Leaf, chunk: &'o Chunk, take: Take, rows: i64) -> Order<'o>
    where
        'a: 'o,
    {
        let crew = self.crew;
        let next = if chunk.pass == PROOF { Stripes::OFF } else { self.choice.stripes() };
        let window = if chunk.pass == PROOF { rows } else { self.choice.window(rows) };
        let size = match chunk.walk {
            Walk::Key => window,
            Walk::Pages => self.density.pages(window),
        };
        let wary = self.wary > 0;
        Order {
            which: crew.which,
            backfill: crew.backfill,
            leaf,
            chunk,
            take,
            locking: if wary || !crew.backfill.sets() { Locking::Skip } else { Locking::Try },
            size,
            next,
            repair: crew.repair,
            quarantine: &[],
            listed: &[],
            limits: &crew.execution.limits,
        }
    }

    pub(super) fn say(&self, chunk: Option<&Chunk>) {
        let (crew, pace) = (self.crew, self.crew.pace());
        crew.say(Said {
            id: self.id,
            level: pace.level,
            why: pace.why,
            chunk: chunk.map(|chunk| chunk.number),
            batch_rows: match chunk {
                Some(chunk) if chunk.pass == PROOF => self.window_of_looks(),
                _ => i64::from(self.servo.rows(crew.tuning().bounds())),
            },
            batch_ms: self.last_ms,
            rows_per_s: self.rate.now(),
            stripes: self.choice.stripes(),
            hot_share: self.choice.hot_share(),
        });
    }
}

/// A time at the server.
pub(super) fn at_server(ms: f64) -> Duration {
    Duration::from_secs_f64((ms / 1_000.0).max(0.0))
}

/// What a row took, in microseconds, without what every batch takes.
fn per_row(ms: f64, rows: f64) -> f64 {
    /// Planning, fence and cursor of a batch, in microseconds.
    const FIXED: f64 = 600.0;
    let us = ms * 1_000.0;
    (us - FIXED).max(us * 0.2) / rows
}

/// Rows of a batch that says something about what a row costs.
const ENOUGH: i64 = 20;
/// The shortest batch that is aimed for: some hundred and fifty rows, of whose cost a
/// tenth is the batch's own. Chosen for short bursts, on few and noisy measurements: which
/// of 1.5 and 3 ms an application feels less has not been settled.
const SHORTEST: Duration = Duration::from_micros(1_500);
/// Batches of a worker at which a test may kill the process.
const CRASHES: u64 = 3;
