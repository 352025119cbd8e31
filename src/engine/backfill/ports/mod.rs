//! The ports of a backfill: [`Ledger`] for what is on record of it, [`Walker`] for
//! the session of one worker, [`Monitor`] for the health of the server.

mod ledger;
mod monitor;
mod walker;

use crate::core::version::Version;

pub use ledger::{BadRow, Known, LEASE_S, Ledger, Proof, Pulse, Said, Standing, Total};
pub use monitor::Monitor;
pub use walker::{Checked, Done, Order, Walker};

/// Which backfill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Which {
    /// The item.
    pub version: Version,
    /// The step.
    pub step: String,
}
