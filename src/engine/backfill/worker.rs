//! One worker: leases chunks, and walks each window by window.

use std::time::{Duration, Instant};

use super::PROOF;
use super::crew::{Crew, CrewEnd};
use super::ports::{Done, Order, Said, Walker};
use crate::core::backfill::batch::{Locking, Take};
use crate::core::backfill::{Chunk, Key, Leaf, Stripes, Walk};
use crate::core::failure::{Failure, FailureKind};
use crate::core::pace::Level;
use crate::core::pace::progress::Rate;
use crate::core::pace::servo::{BatchEnd, Servo};
use crate::core::pace::stripes::StripeChoice;
use crate::core::retry;
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::{Store, Target, crash};

/// How often a worker without a chunk asks for one.
const ASK_EVERY: Duration = Duration::from_millis(200);
/// How often a worker that stands still looks whether it may go on.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Windows that pass locked rows over after one met a lock: there is somebody else.
const WARY: u32 = 50;
/// How much more a look at rows takes at a time than work on them: reading is that much cheaper.
const LOOKS: i64 = 10;

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
    looks: Servo,
    choice: StripeChoice,
    leaf: Option<String>,
    /// Windows left that pass locked rows over.
    wary: u32,
    rate: Rate,
    since: Instant,
    rows: i64,
    batches: u64,
    attempts: u32,
    waiting: Option<Instant>,
    last_ms: f64,
    /// Rows a batch that the window under way was cut for.
    cut_for: i64,
    /// The chunk and the place in it where nothing more can be done.
    settled: Option<(i32, Option<Key>)>,
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
                let place = (chunk.pass, chunk.number, chunk.epoch);
                let result = Box::pin(self.chunk(chunk.clone())).await;
                // What is not given back is free when its lease ends.
                let _ = store.release(crew.which, &Chunk { epoch: place.2, ..chunk }).await;
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
            let allowed = backfill.may_stripe() && crew.tuning().stripes;
            self.choice = StripeChoice::new(allowed, backfill.remainders(leaf));
            self.leaf = Some(chunk.leaf.clone());
        }
        self.cut_for = 0;
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
            self.cut_for = rows;
            let opened = crew.execution.interruptible_by(&self.walker, self.walker.open(&order)).await;
            return self.went(leaf, chunk, opened, |_, chunk, opened| *chunk = opened).await;
        }
        let bad = crew.bad(&chunk.leaf);
        let order = Order { quarantine: &bad, ..self.order(leaf, chunk, Take::Stripe, rows) };
        if chunk.stripe + 1 >= chunk.stripes.count {
            self.cut_for = rows;
        }
        let began = Instant::now();
        let done = crew.execution.interruptible_by(&self.walker, self.walker.batch(&order)).await;
        let took = began.elapsed();
        let next = self.went(leaf, chunk, done, |worker, chunk, done| worker.did(chunk, done)).await?;
        if matches!(next, Next::Go) && !chunk.finished {
            self.rest(took).await;
        }
        Ok(next)
    }

    /// Learns from a batch that committed.
    fn did(&mut self, chunk: &mut Chunk, done: Done) {
        let cut = chunk.stripes;
        let window_ended = done.chunk.cursor != chunk.cursor || done.chunk.finished;
        self.took(done.written, done.ms);
        self.choice.report(done.written, done.hot);
        if window_ended {
            self.choice.window_ended(cut);
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

    /// What a batch aims for: where there are rests between batches, they are
    /// shorter as well, because one long batch hurts more than many short ones.
    fn target(&self) -> Duration {
        let (target, share) = (self.crew.tuning().target, self.crew.pace().share);
        target.mul_f64((share * share).clamp(0.0, 1.0)).max(SHORTEST.min(target))
    }

    pub(super) fn took(&mut self, written: i64, ms: f64) {
        let tuning = self.crew.tuning();
        let at_server = Duration::from_secs_f64((ms / 1_000.0).max(0.0));
        self.servo.learn(tuning.bounds(), self.target(), BatchEnd::Took { written, at_server });
        if written >= ENOUGH {
            #[allow(clippy::cast_precision_loss, reason = "an average")]
            self.crew.cost(per_row(ms, written as f64));
        }
        (self.attempts, self.waiting, self.last_ms) = (0, None, ms);
        self.rows += written;
        self.rate.learn(self.since.elapsed().as_secs_f64(), self.rows);
    }

    /// One window of the proof; what is left in it is done first.
    async fn look(&mut self, leaf: &Leaf, chunk: &mut Chunk) -> Result<Next, RunError> {
        let crew = self.crew;
        let tuning = crew.tuning();
        let rows = self.window_of_looks();
        let bad = crew.bad(&chunk.leaf);
        let order = Order { quarantine: &bad, ..self.order(leaf, chunk, Take::Rest, rows) };
        let began = Instant::now();
        let settled = self.settled.take().is_some_and(|at| at == (chunk.number, chunk.cursor.clone()));
        let checked = crew.execution.interruptible_by(&self.walker, self.walker.check(&order, settled)).await;
        let took = began.elapsed();
        let mut remaining = 0;
        let next = self
            .went(leaf, chunk, checked, |worker, chunk, checked| {
                let at_server = Duration::from_secs_f64((checked.ms / 1_000.0).max(0.0));
                let end = BatchEnd::Took { written: rows, at_server };
                worker.looks.learn(tuning.bounds(), worker.target(), end);
                #[allow(clippy::cast_precision_loss, reason = "an average")]
                if checked.seen >= ENOUGH {
                    worker.crew.cost(per_row(checked.ms, checked.seen as f64));
                }
                (worker.attempts, worker.waiting, worker.last_ms) = (0, None, checked.ms);
                remaining = checked.remaining;
                worker.crew.held(checked.hold.as_ref());
                *chunk = checked.chunk;
                worker.say(Some(chunk));
            })
            .await?;
        if remaining > 0 && !settled && matches!(next, Next::Go) {
            return self.rest_of_window(leaf, chunk, remaining).await;
        }
        self.rest(took).await;
        Ok(next)
    }

    /// Rows that one look takes.
    pub(super) fn window_of_looks(&self) -> i64 {
        i64::from(self.looks.rows(self.crew.tuning().bounds())) * LOOKS
    }

    /// What the work passed over in a window: all that is free, then row by row.
    async fn rest_of_window(
        &mut self,
        leaf: &Leaf,
        chunk: &mut Chunk,
        remaining: i64,
    ) -> Result<Next, RunError> {
        let crew = self.crew;
        let mut locking = Locking::Skip;
        let mut batches = 0;
        while batches <= remaining {
            if crew.ended() {
                return Ok(Next::Leave);
            }
            let bad = crew.bad(&chunk.leaf);
            let take = if crew.repair { Take::OutOfStep } else { Take::Rest };
            let order = Order { quarantine: &bad, locking, ..self.order(leaf, chunk, take, 1) };
            let done = crew.execution.interruptible_by(&self.walker, self.walker.batch(&order)).await;
            let mut written = None;
            let next = self
                .went(leaf, chunk, done, |worker, chunk, done| {
                    written = Some(done.written);
                    worker.crew.held(done.hold.as_ref());
                    // The end of the window is the look's, not the batch's.
                    *chunk = done.chunk;
                })
                .await?;
            if matches!(next, Next::Leave) {
                return Ok(next);
            }
            match written {
                // A lock was in the way, or a row went into quarantine: the same again.
                None => continue,
                Some(0) if locking == Locking::Wait => break,
                Some(_) => batches += 1,
            }
            locking = Locking::Wait;
        }
        self.settled = Some((chunk.number, chunk.cursor.clone()));
        Ok(Next::Go)
    }

    /// Takes a result in, or what a failure means.
    pub(super) async fn went<R>(
        &mut self,
        leaf: &Leaf,
        chunk: &mut Chunk,
        result: Result<Option<R>, Failure>,
        take: impl FnOnce(&mut Self, &mut Chunk, R),
    ) -> Result<Next, RunError> {
        let crew = self.crew;
        match result {
            Ok(Some(result)) => {
                take(self, chunk, result);
                Ok(Next::Go)
            }
            Ok(None) => self.lost(chunk).await,
            Err(failure) if failure.kind == FailureKind::Cancelled && crew.ended() => Ok(Next::Leave),
            Err(failure) if Crew::<S, T>::passing(failure.kind) => self.in_the_way(failure).await,
            Err(failure) if failure.kind == FailureKind::Data => self.pick(leaf, chunk, failure).await,
            Err(failure) => Err(crew
                .current
                .failed(Failure { message: format!("{}\n{}", failure.message, place_of(chunk)), ..failure })),
        }
    }

    /// The fence did not hold: the chunk is somebody else's, the walk is further
    /// than we knew, or the table was rewritten.
    async fn lost(&mut self, chunk: &mut Chunk) -> Result<Next, RunError> {
        let crew = self.crew;
        match crew.execution.store.chunk(crew.which, chunk).await? {
            Some(now) if now != *chunk => {
                *chunk = now;
                Ok(Next::Go)
            }
            Some(_) => {
                crew.end(CrewEnd::Changed);
                Ok(Next::Leave)
            }
            None => Ok(Next::Leave),
        }
    }

    /// Somebody is in the way: smaller batches, passing locked rows over, later.
    pub(super) async fn in_the_way(&mut self, failure: Failure) -> Result<Next, RunError> {
        let crew = self.crew;
        let tuning = crew.tuning();
        if failure.kind == FailureKind::LockTimeout && self.wary == 0 && crew.backfill.may_try() {
            // Expected: nothing was waited for but a few milliseconds.
            self.wary = WARY;
            return Ok(Next::Go);
        }
        self.servo.learn(tuning.bounds(), self.target(), BatchEnd::Contended);
        self.wary = WARY;
        self.attempts += 1;
        let waited = self.waiting.get_or_insert_with(Instant::now).elapsed();
        crew.execution.store.retried(crew.which, &failure.message).await?;
        let limit = crew.execution.limits.lock_wait_max;
        let Some(pause) = retry::pause(self.attempts, waited, limit, rand::random()) else {
            return Err(crew.current.failed(failure));
        };
        crew.execution.listener.on(&Event::Retry {
            id: crew.which.step.clone(),
            attempt: self.attempts,
            pause,
            why: failure.message,
            blockers: failure.blockers,
        });
        crew.execution.stop.sleep(pause).await;
        Ok(Next::Go)
    }

    /// Rests after a batch, as the pace and the settings have it.
    async fn rest(&self, took: Duration) {
        let (tuning, pace) = (self.crew.tuning(), self.crew.pace());
        let share = (pace.share * (1.0 - tuning.nice)).clamp(0.01, 1.0);
        let mut rest = took.mul_f64(1.0 / share - 1.0) + tuning.pause;
        if let Some(rate) = tuning.rate {
            let each = f64::from(rate) / f64::from(tuning.workers.max(1));
            let rows = f64::from(self.servo.rows(tuning.bounds()));
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
        let window = rows * i64::from(next.count);
        let size = match chunk.walk {
            Walk::Key => window,
            Walk::Pages => {
                let per_page = (leaf.estimate / leaf.pages.max(1)).max(1);
                (window / per_page).max(1)
            }
        };
        let wary = self.wary > 0 || crew.pace().level != Level::Full;
        Order {
            which: crew.which,
            backfill: crew.backfill,
            leaf,
            chunk,
            take,
            locking: if wary || !crew.backfill.may_try() { Locking::Skip } else { Locking::Try },
            size,
            next,
            repair: crew.repair,
            quarantine: &[],
            listed: &[],
            limits: &crew.execution.limits,
        }
    }

    fn say(&self, chunk: Option<&Chunk>) {
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

/// What a row took, in microseconds, without what every batch takes.
fn per_row(ms: f64, rows: f64) -> f64 {
    /// Planning, fence and cursor of a batch, in microseconds.
    const FIXED: f64 = 600.0;
    let us = ms * 1_000.0;
    (us - FIXED).max(us * 0.2) / rows
}

/// Rows of a batch that says something about what a row costs.
const ENOUGH: i64 = 20;
/// The shortest batch that is aimed for: below, its fixed cost would be most of it.
const SHORTEST: Duration = Duration::from_millis(2);
/// Batches of a worker at which a test may kill the process.
const CRASHES: u64 = 3;

fn place_of(chunk: &Chunk) -> String {
    let leaf = &chunk.leaf;
    match (&chunk.cursor, chunk.walk) {
        (Some(cursor), Walk::Key) => {
            format!(
                "The batch of {leaf} after key ({}) was rolled back; what came before it is kept.",
                cursor.join(", ")
            )
        }
        (Some(cursor), Walk::Pages) => {
            format!(
                "The batch of {leaf} at page {} was rolled back; what came before it is kept.",
                cursor.join(", ")
            )
        }
        (None, _) => format!("The first batch of {leaf} was rolled back; no row of it was changed."),
    }
}
