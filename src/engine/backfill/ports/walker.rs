//! The port to the session of one worker: what is sent, and what comes of it.

use super::Which;
use crate::core::backfill::batch::{Locking, Take};
use crate::core::backfill::{Backfill, Chunk, Key, Leaf, Stripes};
use crate::core::failure::Failure;
use crate::core::step::Limits;

/// A statement that is to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Which backfill.
    pub which: &'a Which,
    /// What it is.
    pub backfill: &'a Backfill,
    /// The leaf.
    pub leaf: &'a Leaf,
    /// The chunk, and where the walk in it is.
    pub chunk: &'a Chunk,
    /// Which rows.
    pub take: Take,
    /// How locks are met.
    pub locking: Locking,
    /// Keys or pages of the next window.
    pub size: i64,
    /// How the next window is cut.
    pub next: Stripes,
    /// Whether rows out of step count as left.
    pub repair: bool,
    /// Rows in quarantine.
    pub quarantine: &'a [Key],
    /// The rows to take, for [`Take::Listed`].
    pub listed: &'a [Key],
    /// The time limits.
    pub limits: &'a Limits,
}

/// What a batch did.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// Where the walk is now.
    pub chunk: Chunk,
    /// Rows that it wrote.
    pub written: i64,
    /// Of those, rows that stayed on their page.
    pub hot: i64,
    /// Its time at the server, in milliseconds.
    pub ms: f64,
    /// The reason of a hold that stands.
    pub hold: Option<String>,
}

/// What a look at a window found.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// Where the walk is now; it moved only where nothing is left.
    pub chunk: Chunk,
    /// Rows that are left.
    pub remaining: i64,
    /// Rows out of step.
    pub astray: i64,
    /// Rows that were looked at.
    pub seen: i64,
    /// Its time at the server, in milliseconds.
    pub ms: f64,
    /// The reason of a hold that stands.
    pub hold: Option<String>,
}

/// The session of one worker. Each call gives `None` when the fence did not hold.
pub trait Walker: Send + Sync {
    /// The server process.
    fn backend(&self) -> i32;
    /// Opens a window.
    fn open(&self, order: &Order<'_>) -> impl Future<Output = Result<Option<Chunk>, Failure>> + Send;
    /// Sends a batch.
    fn batch(&self, order: &Order<'_>) -> impl Future<Output = Result<Option<Done>, Failure>> + Send;
    /// Looks at a window; `settled`: all that could be done in it was done.
    fn check(
        &self,
        order: &Order<'_>,
        settled: bool,
    ) -> impl Future<Output = Result<Option<Checked>, Failure>> + Send;
    /// What tells the rows of the window apart.
    fn identities(&self, order: &Order<'_>) -> impl Future<Output = Result<Vec<Key>, Failure>> + Send;
    /// Tries the proof's look on the rows that are listed, and changes nothing.
    fn weigh(&self, order: &Order<'_>) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Asks the server to cancel what runs now.
    fn cancel(&self) -> impl Future<Output = ()> + Send;
}
