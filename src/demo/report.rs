//! Owns the report at the end of the demo.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::core::brief::brief;

/// What the demo saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The server's major version.
    pub server: u32,
    /// Rows that each table was filled with.
    pub rows: u64,
    /// Statements of the old version.
    pub old_statements: u64,
    /// Statements of the new version.
    pub new_statements: u64,
    /// Statements that failed, or read something else than was written.
    pub failed_statements: u64,
    /// The first of them.
    pub first_failures: Vec<String>,
    /// Acknowledged writes and filled rows that the oracle looked up.
    pub checked_writes: u64,
    /// Those that were not there.
    pub lost_writes: u64,
    /// The longest statement of any client, in milliseconds.
    pub longest_ms: f64,
    /// The 99th percentile, in milliseconds.
    pub p99_ms: f64,
    /// Rows that the backfills wrote.
    pub backfilled_rows: i64,
    /// How many a second, pauses included.
    pub backfill_rows_per_s: f64,
    /// Each phase and how long its command took, in milliseconds.
    pub phases: Vec<(String, u64)>,
}

impl Report {
    /// Whether nothing failed and nothing was lost.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.failed_statements == 0 && self.lost_writes == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |label: &str, value: String| writeln!(f, "  {label:<26} {value}");
        line("server", format!("PostgreSQL {}", self.server))?;
        line("rows in each table", self.rows.to_string())?;
        line("statements of web 1.9.0", self.old_statements.to_string())?;
        line("statements of web 2.0.0", self.new_statements.to_string())?;
        line("failed statements", self.failed_statements.to_string())?;
        line("writes checked", self.checked_writes.to_string())?;
        line("lost writes", self.lost_writes.to_string())?;
        line("longest statement", format!("{:.1} ms (p99 {:.1} ms)", self.longest_ms, self.p99_ms))?;
        line(
            "rows backfilled",
            format!("{} at {:.0} rows/s", self.backfilled_rows, self.backfill_rows_per_s),
        )?;
        for (phase, ms) in &self.phases {
            line(phase, brief(Duration::from_millis(*ms)))?;
        }
        for failure in &self.first_failures {
            line("failure", failure.clone())?;
        }
        Ok(())
    }
}
