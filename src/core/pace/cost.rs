//! Owns what a row costs: read from what batches took, and what a batch would have
//! taken where nobody is in the way.

/// Rows of a batch that says something about what a row costs.
const ENOUGH: i64 = 20;
/// Fence and cursor of a batch by the server's own clock, in microseconds (PostgreSQL 15,
/// batches of 20 to 150 rows on an idle server: 30 to 100).
const FIXED: f64 = 100.0;
/// What a batch costs the server outside of its own clock, in microseconds: its start, its
/// commit and its answer (the same batches took 250 to 300 more than the clock said).
/// Longer waits for an answer are the network's, or our own.
pub const ANSWER: f64 = 300.0;
/// The least that a batch counts for, of the time that it took: rows that cost more than
/// others did (they have to be read from disk) look like somebody in the way.
const LEAST: f64 = 0.5;

/// What a row of a batch took by the server's clock, in microseconds, without what every
/// batch takes; nothing where it wrote too few to say.
#[must_use]
pub fn per_row(us: f64, rows: i64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "an average")]
    (rows >= ENOUGH).then(|| (us - FIXED).max(us * 0.2) / rows as f64)
}

/// The part of a batch's whole time that was work, at what a row costs where nobody is in the
/// way: the rest of it was waiting for others, and calls for no rest. Without that, a
/// backfill on a busy server would work less the longer it has to wait, without end.
#[must_use]
pub fn worth(us: f64, rows: i64, us_per_row: Option<f64>) -> f64 {
    foreseen(us, rows, us_per_row, FIXED + ANSWER)
}

/// The part of a batch's time by the server's clock that was work, as [`worth`] has it.
#[must_use]
pub fn work(us: f64, rows: i64, us_per_row: Option<f64>) -> f64 {
    foreseen(us, rows, us_per_row, FIXED)
}

fn foreseen(us: f64, rows: i64, us_per_row: Option<f64>, fixed: f64) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "an average")]
    match us_per_row {
        Some(each) if rows >= ENOUGH => (fixed + each * rows as f64).clamp(us * LEAST, us),
        _ => us,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_no_work_but_half_of_the_time_always_counts() {
        let each = per_row(1_100.0, 100);
        assert_eq!(each, Some(10.0));
        assert!((worth(1_400.0, 100, each) - 1_400.0).abs() < 1e-9);
        assert!((worth(2_200.0, 100, each) - 1_400.0).abs() < 1e-9, "800 us were spent waiting");
        assert!((worth(9_000.0, 100, each) - 4_500.0).abs() < 1e-9, "it may be dear rows as well");
        assert!((worth(1_000.0, 100, each) - 1_000.0).abs() < 1e-9);
        assert!((work(2_000.0, 100, each) - 1_100.0).abs() < 1e-9, "by the server's clock");
        assert!((worth(9_000.0, 3, each) - 9_000.0).abs() < 1e-9, "it says nothing");
        assert_eq!(per_row(9_000.0, 3), None);
    }
}
