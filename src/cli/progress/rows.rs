//! Writes how far a backfill is as one line, for people.

use std::time::Duration;

use crate::core::brief::{brief, count};
use crate::core::pace::Level;
use crate::engine::event::Progress;

/// A progress as one line: rows, rates, the time that is left, pace and why.
pub(super) fn plain(progress: &Progress) -> String {
    let bad = match progress.quarantined {
        0 => String::new(),
        bad => format!(", {bad} in quarantine"),
    };
    if progress.finished {
        let what = if progress.pass == 2 { "proven" } else { "walked" };
        let (rows, written) = (count(progress.rows_done), count(progress.rows_written));
        return format!("{what} {rows} rows, {written} written{bad}");
    }
    // How many there are is an estimate until the end: clients write, and statistics are old.
    let rows = format!("{} of about {} rows", count(progress.rows_done), count(progress.rows_total));
    let proof = if progress.pass == 2 { "proof: " } else { "" };
    let mut text = format!(
        "{proof}{rows}, {} rows/s (average {}), {}",
        rate(progress.rows_per_s),
        rate(progress.average),
        eta(progress)
    );
    if progress.batch_ms > 0.0 {
        text += &format!(", batches of {} in {:.0} ms", count(progress.batch_rows), progress.batch_ms);
    }
    if progress.workers > 1 {
        text += &format!(", {} workers", progress.workers);
    }
    if progress.wal_bytes >= 1.0 {
        text += &format!(", WAL {}", bytes(progress.wal_bytes));
    }
    if let Some(table) = progress.table_bytes {
        text += &format!(", table {}", bytes(table));
    }
    text += &bad;
    match progress.retries {
        0 => {}
        1 => text += ", 1 retry",
        retries => text += &format!(", {retries} retries"),
    }
    if progress.level != Level::Full {
        text +=
            &format!(", {}: {}", progress.level.name(), progress.why.as_deref().unwrap_or("no reason given"));
    }
    text
}

fn rate(rate: f64) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "a rate for people")]
    if rate >= 1.0 { count(rate.round() as i64) } else { "–".into() }
}

fn bytes(bytes: f64) -> String {
    indicatif::BinaryBytes(bytes as u64).to_string()
}

fn eta(progress: &Progress) -> String {
    match progress.eta {
        None => "ETA unknown".into(),
        Some((sooner, later)) if later.as_secs() <= sooner.as_secs() + sooner.as_secs() / 10 + 1 => {
            format!("ETA {}", brief(whole(later)))
        }
        Some((sooner, later)) => format!("ETA {} to {}", brief(whole(sooner)), brief(whole(later))),
    }
}

const fn whole(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_an_operator_asks() {
        let progress = Progress {
            pass: 1,
            rows_done: 1_234_567,
            rows_total: 2_000_000,
            rows_written: 1_200_000,
            rows_per_s: 41_000.4,
            average: 20_000.0,
            eta: Some((Duration::from_secs(18), Duration::from_secs(38))),
            level: Level::Slow,
            why: Some("replica lag 7s > 5s".into()),
            batch_rows: 4_100,
            batch_ms: 99.6,
            workers: 2,
            quarantined: 3,
            retries: 1,
            wal_bytes: 3.5 * 1024.0 * 1024.0,
            table_bytes: Some(2.25 * 1024.0 * 1024.0 * 1024.0),
            finished: false,
        };
        assert_eq!(
            plain(&progress),
            "1,234,567 of about 2,000,000 rows, 41,000 rows/s (average 20,000), ETA 18s to 38s, batches of 4,100 in 100 ms, \
             2 workers, WAL 3.50 MiB, table 2.25 GiB, 3 in quarantine, 1 retry, slow: replica lag 7s > 5s"
        );
        let over = Progress { rows_done: 10_063, rows_total: 10_063, finished: true, ..progress };
        assert_eq!(plain(&over), "walked 10,063 rows, 1,200,000 written, 3 in quarantine");
        assert_eq!([count(0), count(999), count(1_000), count(-12_345)], ["0", "999", "1,000", "-12,345"]);
    }
}
