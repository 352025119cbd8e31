//! Owns the sizes of a rehearsal: how large each table was, how large it is where the plan is
//! for, and what its times are worth by that.

use serde::{Deserialize, Serialize};

use super::report::{Report, StepReport};
use crate::core::brief::{bytes, count};
use crate::core::conflict::same_table;
use crate::core::footprint::SearchPath;

/// A rehearsal is on data of production's size from this share of its rows on: a scan of
/// half of a table tells what one of all of it takes.
pub const SHARE: f64 = 0.5;

/// How large a table was in the rehearsal, and how large it is where the plan is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rows {
    /// The table.
    pub table: String,
    /// Its rows at the start, counted.
    pub rows: i64,
    /// Its size at the start without its indexes, in bytes.
    pub bytes: Option<u64>,
    /// The rows of the target's table by its statistics; `None`: not known.
    pub target_rows: Option<u64>,
    /// The size of the target's table without its indexes, in bytes; `None`: not known.
    pub target_bytes: Option<u64>,
}

impl Rows {
    /// How much of a table of so many rows, or else so many bytes, this was; `None`: not known.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "a share")]
    pub fn share(&self, rows: Option<u64>, size: Option<u64>) -> Option<f64> {
        match (rows, self.bytes, size) {
            (Some(0), ..) => Some(1.0),
            (Some(rows), ..) => Some(self.rows as f64 / rows as f64),
            // One that was never analyzed has a size all the same, if only that of its pages.
            (None, Some(here), Some(there)) => Some(here.max(1) as f64 / there.max(1) as f64),
            (None, ..) => None,
        }
    }

    /// Whether it was too small to tell what the target's table will take; not where that is not known.
    #[must_use]
    pub fn falls_short(&self) -> bool {
        self.share(self.target_rows, self.target_bytes).is_some_and(|share| share < SHARE)
    }

    /// What it is here and there, for people.
    #[must_use]
    pub fn words(&self) -> String {
        let here = count(self.rows) + " " + if self.rows == 1 { "row" } else { "rows" };
        match there(self.target_rows, self.target_bytes) {
            Some(there) => format!("{here}{}; the target has {there}", in_brackets(self.bytes)),
            None => format!("{here}{}", in_brackets(self.bytes)),
        }
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        format!("{}: {}", self.table, self.words())
    }
}

/// The size of a table by its statistics, for people; `None`: nothing is known.
#[must_use]
pub fn there(rows: Option<u64>, size: Option<u64>) -> Option<String> {
    let about = |rows: u64| format!("about {}", count(i64::try_from(rows).unwrap_or(i64::MAX)));
    match (rows, size) {
        (Some(rows), size) => Some(about(rows) + &in_brackets(size)),
        (None, Some(size)) => Some(written(size)),
        (None, None) => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a size for people")]
fn written(size: u64) -> String {
    bytes(size as f64)
}

fn in_brackets(size: Option<u64>) -> String {
    size.map_or_else(String::new, |size| format!(" ({})", written(size)))
}

impl Report {
    /// What the times are worth, where they are not those of the target; of several tables
    /// by the one that falls short most.
    pub(super) fn too_small(&self) -> Option<String> {
        let share = |rows: &Rows| rows.share(rows.target_rows, rows.target_bytes).unwrap_or(1.0);
        let worst = self.stage.rows.iter().filter(|rows| rows.falls_short());
        let worst = worst.min_by(|a, b| share(a).total_cmp(&share(b)))?;
        let there = there(worst.target_rows, worst.target_bytes)?;
        Some(format!(
            "its times are those of {} rows of {}, where the target has {there}: on a clone of it (--on URL) they are \
             its own",
            count(worst.rows),
            worst.table
        ))
    }

    /// On how much data a step ran: the largest of its tables.
    pub(super) fn data_of(&self, step: &StepReport) -> Option<&Rows> {
        let meant = |rows: &&Rows| {
            step.locks.iter().any(|line| same_table(&SearchPath::default(), &line.relation, &rows.table))
        };
        self.stage
            .rows
            .iter()
            .filter(meant)
            .max_by_key(|rows| (rows.target_rows, rows.target_bytes, rows.rows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: Rows = Rows {
        table: String::new(),
        rows: 1_000,
        bytes: Some(81_920),
        target_rows: Some(12_000_000),
        target_bytes: Some(1_932_735_283),
    };

    #[test]
    fn both_sizes_stand_side_by_side() {
        assert_eq!(USERS.words(), "1,000 rows (80.0kB); the target has about 12,000,000 (1.8GB)");
        let unknown = Rows { target_rows: None, target_bytes: None, ..USERS };
        assert_eq!(unknown.words(), "1,000 rows (80.0kB)");
        assert!(USERS.falls_short() && !unknown.falls_short());
    }

    #[test]
    fn rows_tell_and_where_nobody_counted_them_bytes() {
        assert!(!Rows { target_rows: Some(2_000), ..USERS }.falls_short());
        assert!(Rows { target_rows: Some(2_001), ..USERS }.falls_short());
        let never_analyzed = Rows { target_rows: None, ..USERS };
        assert_eq!(never_analyzed.words(), "1,000 rows (80.0kB); the target has 1.8GB");
        assert!(never_analyzed.falls_short());
        assert!(!Rows { target_bytes: Some(100_000), ..never_analyzed }.falls_short());
        // An empty table is as large as an empty table.
        assert!(!Rows { rows: 0, target_rows: Some(0), ..USERS }.falls_short());
    }
}
