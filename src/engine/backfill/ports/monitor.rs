//! The port to the server's health.

use std::time::Duration;

use crate::core::failure::Failure;
use crate::core::pace::signal::Reading;
use crate::core::pace::throttle::{Slo, Throttle};
use crate::core::pace::traffic::Counters;

/// Looks at the server's health, on a session of its own.
pub trait Monitor: Send {
    /// Measures every signal that has a limit; `ours` are the server processes of the workers.
    fn sample(
        &mut self,
        throttle: &Throttle,
        ours: &[i32],
    ) -> impl Future<Output = Result<Vec<Reading>, Failure>> + Send;
    /// The round trip of a query that does nothing; `None` where it was cut short.
    fn canary(&self) -> impl Future<Output = Result<Option<Duration>, Failure>> + Send;
    /// What all sessions together did so far; `None` where that cannot be had now.
    fn traffic(&self) -> impl Future<Output = Result<Option<Counters>, Failure>> + Send;
    /// How large the tables are with their indexes, in bytes; `None` where that cannot be had now.
    fn size(&self) -> impl Future<Output = Result<Option<f64>, Failure>> + Send;
    /// How a service level is violated, if it is.
    fn violated(&mut self, slo: &Slo) -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// Vacuums a table.
    fn vacuum(&self, table: &str) -> impl Future<Output = Result<(), Failure>> + Send;
}
