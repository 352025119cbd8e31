//! The port to what is on record of backfills.

use super::Which;
use crate::core::backfill::cut::Cut;
use crate::core::backfill::tuning::Tune;
use crate::core::backfill::{Chunk, Key, Leaf, Stripes, Walk};
use crate::core::failure::Failure;
use crate::core::pace::Level;
use crate::core::version::Version;
use crate::engine::Fence;

/// How long a lease lasts without a sign of life, in seconds: longer than any
/// batch, short enough that nobody waits long for a worker that is gone.
pub const LEASE_S: f64 = 30.0;

/// How a backfill stands on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Chunks of the present pass that are not finished.
    pub left: i64,
    /// Whether the item is on its way to backfilled.
    pub open: bool,
    /// The reason of a hold that stands.
    pub hold: Option<String>,
}

/// How a worker is, as it says once a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The worker.
    pub id: i64,
    /// Its pace.
    pub level: Level,
    /// Why it is not full.
    pub why: Option<String>,
    /// The chunk that it is at.
    pub chunk: Option<i32>,
    /// Rows that a batch is sized for.
    pub batch_rows: i64,
    /// What the last batch took at the server, in milliseconds.
    pub batch_ms: f64,
    /// Rows a second over the last seconds.
    pub rows_per_s: f64,
    /// How windows are cut.
    pub stripes: Stripes,
    /// The share of updates that stayed on their page.
    pub hot_share: Option<f64>,
}

/// What workers learn once a second.
#[derive(Debug, Clone, PartialEq)]
pub struct Pulse {
    /// The reason of a hold that stands.
    pub hold: Option<String>,
    /// What an operator changed.
    pub tune: Tune,
    /// The server's clock.
    pub now: jiff::Timestamp,
    /// How far all workers together are.
    pub total: Total,
}

/// How far a backfill is, all workers together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Total {
    /// 1: the work; 2: the proof.
    pub pass: i32,
    /// Whether every chunk of the pass is finished.
    pub finished: bool,
    /// Rows walked in the pass.
    pub rows_seen: i64,
    /// Rows to walk; never below `rows_seen`.
    pub rows_total: i64,
    /// Rows written.
    pub rows_written: i64,
    /// Rows in quarantine.
    pub quarantined: i64,
    /// Batches that were tried again.
    pub retries: i64,
    /// WAL that the server wrote since the start, in bytes.
    pub wal_bytes: f64,
    /// Workers that were heard of lately.
    pub workers: i64,
    /// From the start of the pass to its last batch, in seconds.
    pub seconds: f64,
}

impl Total {
    /// Whether nothing is left, the proof included.
    #[must_use]
    pub const fn over(&self) -> bool {
        self.pass == 2 && self.finished
    }
}

/// A row in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BadRow {
    /// The step.
    pub step: String,
    /// The table or partition.
    pub leaf: String,
    /// Its key as text; its place where it has no key.
    pub key: Key,
    /// The code of the error.
    pub sqlstate: String,
    /// What the server said.
    pub error: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it was put there.
    pub first_at: jiff::Timestamp,
    /// When it was tried last.
    pub last_at: jiff::Timestamp,
}

/// A leaf that a pass has chunks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name on record.
    pub leaf: String,
    /// The storage that the chunks were cut from.
    pub filenode: Option<i64>,
    /// Rows walked in it.
    pub rows: i64,
}

/// What a proof has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Rows that were looked at.
    pub rows: i64,
    /// Rows that were written on the way: left over by the work, or repaired.
    pub written: i64,
    /// Rows that are out of step all the same.
    pub out_of_step: i64,
}

/// What is on record of backfills.
pub trait Ledger: Sync {
    /// Begins a backfill or takes one up; the pass that it is in.
    fn open(
        &self,
        fence: &Fence,
        step: &str,
        signature: &str,
    ) -> impl Future<Output = Result<i32, Failure>> + Send;
    /// The leaves that a pass has chunks of.
    fn leaves(&self, which: &Which, pass: i32) -> impl Future<Output = Result<Vec<Known>, Failure>> + Send;
    /// Puts the chunks of a leaf on record, in the place of those that it had.
    fn cut(
        &self,
        fence: &Fence,
        step: &str,
        leaf: &Leaf,
        walk: Walk,
        cuts: &[Cut],
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Takes the chunks of a leaf that is gone from the record.
    fn drop_leaf(
        &self,
        fence: &Fence,
        step: &str,
        leaf: &str,
    ) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Leases a chunk; `None`: there is none to be had now.
    fn lease(
        &self,
        which: &Which,
        worker: i64,
        backend: i32,
    ) -> impl Future<Output = Result<Option<Chunk>, Failure>> + Send;
    /// A chunk on lease, as it is on record; `None`: the lease is lost.
    fn chunk(
        &self,
        which: &Which,
        chunk: &Chunk,
    ) -> impl Future<Output = Result<Option<Chunk>, Failure>> + Send;
    /// Gives a chunk back.
    fn release(&self, which: &Which, chunk: &Chunk) -> impl Future<Output = Result<(), Failure>> + Send;
    /// How a backfill stands; `None`: it has not begun.
    fn standing(&self, which: &Which) -> impl Future<Output = Result<Option<Standing>, Failure>> + Send;
    /// Goes over to the proof.
    fn prove(&self, fence: &Fence, step: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Puts the proof on record; `None`: it has to begin again, or the fence does not hold.
    fn proven(
        &self,
        fence: &Fence,
        step: &str,
    ) -> impl Future<Output = Result<Option<Proof>, Failure>> + Send;
    /// Takes the proof from the beginning again.
    fn again(&self, fence: &Fence, step: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Takes the proofs of the item back: a row may have been written around its sync.
    fn disprove(&self, fence: &Fence) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Ends every lease of the item.
    fn revoke(&self, fence: &Fence) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Puts a worker on record.
    fn worker_add(&self, which: &Which, backend: i32) -> impl Future<Output = Result<i64, Failure>> + Send;
    /// Takes a worker from the record.
    fn worker_gone(&self, id: i64) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Says how workers are, renews their leases, and learns what there is to know.
    fn beat(&self, which: &Which, workers: &[Said]) -> impl Future<Output = Result<Pulse, Failure>> + Send;
    /// Says in the history that the pace changed.
    fn paced(&self, which: &Which, detail: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Counts a batch that is tried again.
    fn retried(&self, which: &Which, why: &str) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Puts a row into quarantine; how many there are now.
    fn quarantine(
        &self,
        which: &Which,
        chunk: &Chunk,
        key: &Key,
        failure: &Failure,
    ) -> impl Future<Output = Result<i64, Failure>> + Send;
    /// The rows of a step in quarantine.
    fn quarantined(
        &self,
        version: &Version,
        step: Option<&str>,
    ) -> impl Future<Output = Result<Vec<BadRow>, Failure>> + Send;
}
