//! Owns what a backfill is: the table, the work on its rows, and the SQL of one batch.

use std::time::Duration;

use crate::core::ident::{Ident, QName};
use crate::core::plan::model::BackfillWork;

/// A backfill entry, compiled.
#[derive(Debug, Clone, PartialEq)]
pub struct Backfill {
    /// The table that is walked.
    pub table: QName,
    /// What happens to its rows.
    pub work: BackfillWork,
    /// Which rows are left to do, as the plan says.
    pub filter: Option<String>,
    /// The key to walk; `None`: the primary key.
    pub key: Option<Vec<Ident>>,
    /// Keys a batch.
    pub rows: u32,
    /// Sleep between batches.
    pub pause: Duration,
}

impl Backfill {
    /// What it does, as one statement for people; batches run it range by range.
    #[must_use]
    pub fn outline(&self) -> String {
        String::new()
    }
}
