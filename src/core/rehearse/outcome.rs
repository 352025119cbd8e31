//! Owns what the history keeps of a rehearsal, for whoever asks later whether there was one.

use serde::{Deserialize, Serialize};

use super::report::Report;
use super::size::Rows;

/// The name of the event in the history.
pub const EVENT: &str = "rehearse";

/// The outcome of a rehearsal, as the history keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether it went well.
    pub passed: bool,
    /// SHA-256 of the plan that was rehearsed: another plan was not.
    pub checksum: String,
    /// `server_version_num` of the server that it ran on.
    pub server: u32,
    /// Whether it ran on a clone of the target, and not on a scratch database.
    pub clone: bool,
    /// The table of the plan with the most rows.
    pub largest: Option<String>,
    /// Its rows at the start.
    pub rows: i64,
    /// Every table of the plan with its sizes; none in notes of older versions.
    #[serde(default)]
    pub tables: Vec<Rows>,
    /// Ways back that were tried.
    pub round_trips: usize,
}

impl Outcome {
    /// What is kept of a report.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let largest = report.stage.rows.iter().max_by_key(|rows| rows.rows);
        Self {
            passed: report.ok,
            checksum: report.checksum.clone(),
            server: report.stage.version,
            clone: report.stage.clone,
            largest: largest.map(|rows| rows.table.clone()),
            rows: largest.map_or(0, |rows| rows.rows),
            tables: report.stage.rows.clone(),
            round_trips: report.round_trips.len(),
        }
    }

    /// The sizes of the tables that it ran on, as far as they were kept.
    #[must_use]
    pub fn sizes(&self) -> Vec<Rows> {
        let largest = |table: &String| Rows {
            table: table.clone(),
            rows: self.rows,
            bytes: None,
            target_rows: None,
            target_bytes: None,
        };
        if self.tables.is_empty() { self.largest.iter().map(largest).collect() } else { self.tables.clone() }
    }

    /// The text that the history keeps.
    #[must_use]
    pub fn detail(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what the history has kept.
    #[must_use]
    pub fn read(detail: &str) -> Option<Self> {
        serde_json::from_str(detail).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_can_be_read_again() {
        let outcome = Outcome {
            passed: true,
            checksum: "ab".into(),
            server: 150_018,
            clone: false,
            largest: Some("users".into()),
            rows: 7,
            tables: vec![Rows {
                table: "users".into(),
                rows: 7,
                bytes: Some(8_192),
                target_rows: Some(9),
                target_bytes: None,
            }],
            round_trips: 4,
        };
        assert_eq!(Outcome::read(&outcome.detail()), Some(outcome.clone()));
        let older = outcome.detail().replace(",\"tables\":[{", ",\"other\":[{");
        assert_eq!(Outcome::read(&older).map(|older| older.sizes().len()), Some(1));
        assert_eq!(Outcome::read("lifted: why"), None);
    }
}
