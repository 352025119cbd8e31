//! One worker: leases chunks and walks each, window by window.

use std::time::{Duration, Instant};

use super::PROOF;
use super::crew::{Crew, CrewEnd};
use super::ports::{Done, Order, Said, Walker};
use super::rhythm::at_server;
use crate::core::backfill::batch::{Locking, Take};
use crate::core::backfill::{Chunk, Key, Leaf, Stripes, Walk};
use crate::core::pace::Level;
use crate::core::pace::density::Density;
use crate::core::pace::progress::Rate;
use crate::core::pace::rest::Stretch;
use crate::core::pace::servo::{Servo, fleeting};
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

/// The window under way; all zero where somebody else cut it.
#[derive(Debug, Clone, Copy, Default)]
struct Open {
    /// Rows a batch that it was cut for.
    cut_for: i64,
    /// Its pages, or its keys.
    size: i64,
    /// Rows that were written in it.
    written: i64,
}

impl Open {
    const fn of(cut_for: i64, size: i64) -> Self {
        Self { cut_for, size, written: 0 }
    }
}

/// One worker.
pub(super) struct Worker<'a, S: Store, T: Target> {
    pub(super) crew: &'a Crew<'a, S, T>,
    pub(super) walker: T::Walker,
    pub(super) id: i64,
    pub(super) index: u32,
    pub(super) servo: Servo,
    pub(super) looks: Servo,
    choice: StripeChoice,
    leaf: Option<String>,
    density: Density,
    window: Open,
    /// Windows left that pass locked rows over.
    pub(super) wary: u32,
    pub(super) rate: Rate,
    pub(super) since: Instant,
    pub(super) rows: i64,
    batches: u64,
    pub(super) attempts: u32,
    pub(super) waiting: Option<Instant>,
    pub(super) last_ms: f64,
    /// The chunk and the place in it where nothing more can be done.
    pub(super) settled: Option<(i32, Option<Key>)>,
    /// How often rows of the window under way slipped away.
    pub(super) slipped: u32,
    /// How often it failed on data that no row of it explains.
    pub(super) baffled: u32,
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
            window: Open::default(),
            wary: 0,
            rate: Rate::default(),
            since: Instant::now(),
            rows: 0,
            batches: 0,
            attempts: 0,
            waiting: None,
            last_ms: 0.0,
            settled: None,
            slipped: 0,
            baffled: 0,
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
        self.window = Open::default();
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
        // A window that is far too large by now is opened again, smaller. What was done in it is looked
        // at once more, stripe by stripe, which is dearer than what is left of short batches.
        let stale = self.window.cut_for > rows * 2 && !fleeting(at_server(self.last_ms));
        if chunk.until.is_none() || stale {
            let order = self.order(leaf, chunk, Take::Stripe, rows);
            self.window = Open::of(rows, order.size);
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
        let (mut written, mut ms) = (0, 0.0);
        let next = self
            .went(leaf, chunk, done, |worker, chunk, done| {
                (written, ms) = (done.written, done.ms);
                worker.did(chunk, done);
                if let Some((rows, size)) = cuts {
                    worker.window = Open::of(rows, size);
                }
            })
            .await?;
        if matches!(next, Next::Go) && !chunk.finished {
            self.rest(Stretch::wrote(took, ms, written, crew.pace().us_per_row)).await;
        }
        Ok(next)
    }

    /// Learns from a batch that committed.
    fn did(&mut self, chunk: &mut Chunk, done: Done) {
        let cut = chunk.stripes;
        self.baffled = 0;
        let window_ended = done.chunk.cursor != chunk.cursor || done.chunk.finished;
        self.took(done.written, done.ms);
        self.choice.report(done.written, done.hot);
        self.window.written += done.written;
        if window_ended {
            if self.window.size > 0 {
                self.density.learn(self.window.size, self.window.written);
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
        let brakes = crew.tuning().brakes();
        let why: Vec<String> = pace.why.into_iter().chain(brakes).collect();
        crew.say(Said {
            id: self.id,
            level: if why.is_empty() { pace.level } else { pace.level.max(Level::Slow) },
            why: (!why.is_empty()).then(|| why.join("; ")),
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

/// Batches of a worker at which a test may kill the process.
const CRASHES: u64 = 3;
