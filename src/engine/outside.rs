//! Owns the port to what is neither the record nor the database: addresses and programs that a gate asks.

use futures_util::future::BoxFuture;

use crate::core::gate::Asked;
use crate::core::plan::model::{CommandCheck, HttpCheck};

/// Asks what a gate asks outside of the database; each check ends within its own timeout.
pub trait Outside: Send + Sync {
    /// Sends a request and looks at the answer.
    fn http<'a>(&'a self, check: &'a HttpCheck) -> BoxFuture<'a, Asked>;
    /// Runs a program and looks at how it ends.
    fn command<'a>(&'a self, check: &'a CommandCheck) -> BoxFuture<'a, Asked>;
}
