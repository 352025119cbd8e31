//! Shows events as they happen: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::args::Global;
use crate::core::brief::brief;
use crate::core::failure::Blocker;
use crate::core::pace::Level;
use crate::engine::event::{Event, Listener, Progress};

/// How often a backfill says how far it is where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The listener that a command needs.
pub(super) fn listener(global: &Global) -> Box<dyn Listener> {
    if global.quiet || global.json {
        Box::new(crate::engine::event::Silent)
    } else {
        Box::new(Terminal::new(std::io::stderr().is_terminal()))
    }
}

/// Writes to stderr.
struct Terminal {
    bar: ProgressBar,
    live: bool,
    last_line: Mutex<Option<Instant>>,
    last_watch: Mutex<String>,
}

impl Terminal {
    fn new(live: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { bar, live, last_line: Mutex::new(None), last_watch: Mutex::new(String::new()) }
    }

    fn line(&self, text: &str) {
        if self.live {
            self.bar.suspend(|| write_line(text));
        } else {
            write_line(text);
        }
    }

    fn progress(&self, progress: &Progress) {
        if self.live {
            self.draw(progress);
        } else if self.due(progress.finished) {
            write_line(&format!("    {}", plain(progress)));
        }
    }

    fn draw(&self, progress: &Progress) {
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("    {bar:30} {percent:>3}%  {msg}");
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        self.bar.set_length(u64::try_from(progress.rows_total).unwrap_or(0));
        self.bar.set_position(u64::try_from(progress.rows_done).unwrap_or(0));
        self.bar.set_message(plain(progress));
        if progress.finished {
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
            write_line(&format!("    {}", plain(progress)));
        }
    }

    /// Whether it is time for another line.
    fn due(&self, finished: bool) -> bool {
        let Ok(mut last) = self.last_line.lock() else { return false };
        let due = finished || last.is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if due {
            *last = (!finished).then(Instant::now);
        }
        due
    }

    /// Says what a concurrent command does whenever that changes.
    fn watched(&self, text: String) {
        let Ok(mut last) = self.last_watch.lock() else { return };
        if *last != text {
            self.line(&format!("    {text}"));
            *last = text;
        }
    }
}

impl Listener for Terminal {
    fn on(&self, event: &Event) {
        match event {
            Event::Entered { item, row, again } => {
                let again = if *again { " (taken up again)" } else { "" };
                self.line(&format!("{item}: {} → {}{again}. {}", row.from, row.to, row.sentence));
            }
            Event::StepStarted { id, title, undo } => {
                let undo = if *undo { "undo: " } else { "" };
                self.line(&format!("  {id}  {undo}{title}"));
            }
            Event::StepDone { id, took } => {
                if *took >= Duration::from_secs(1) {
                    self.line(&format!("  {id}  done in {}", brief(*took)));
                }
            }
            Event::Reached { item, state, took } => {
                self.line(&format!("{item}: {state} after {}", brief(*took)));
            }
            Event::Retry { id, attempt, pause, why, blockers } => {
                let why = why.lines().next().unwrap_or_default();
                self.line(&format!("  {id}  attempt {attempt}: {why}; again in {}", brief(*pause)));
                self.in_the_way(blockers);
            }
            Event::InTheWay { id, blockers } => {
                self.line(&format!("  {id}  waits for a quiet moment before it asks for its locks"));
                self.in_the_way(blockers);
            }
            Event::Ended { id, who, ended } => {
                let what =
                    if *ended { "ended (kill_blockers)" } else { "not ended: it is over, or may not be" };
                self.line(&format!("  {id}  {what}: {who}"));
            }
            Event::Impact { impact, .. } if impact.waiters == 0 => {}
            Event::Impact { id, impact } => self.line(&format!("  {id}  {}", impact.waits())),
            Event::Watched { watch, .. } if watch.phase.is_empty() && watch.waiting_for.is_empty() => {}
            Event::Watched { watch, .. } => {
                let waits = watch.waiting_for.iter().map(|blocker| format!(", waits for {blocker}"));
                self.watched(format!("{}{}", watch.phase, waits.collect::<String>()));
            }
            Event::Progress(progress) => self.progress(progress),
            // A proof that only confirms says nothing that the line before it does not.
            Event::Proven { proof, .. } if proof.written == 0 && proof.out_of_step == 0 => {}
            Event::Proven { id, proof } => {
                self.line(&format!(
                    "  {id}  the proof wrote {} rows that were left or out of step; {} are out of step",
                    count(proof.written),
                    count(proof.out_of_step)
                ));
            }
            Event::Quarantined { leaf, key, why } => {
                let why = why.lines().next().unwrap_or_default();
                self.line(&format!("    into quarantine: {leaf} ({}): {why}", key.join(", ")));
            }
        }
    }
}

impl Terminal {
    fn in_the_way(&self, blockers: &[Blocker]) {
        for blocker in blockers {
            self.line(&format!("    in the way: {blocker}"));
        }
    }
}

fn write_line(text: &str) {
    use std::io::Write;
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// A progress as one line: rows, rates, the time that is left, pace and why.
fn plain(progress: &Progress) -> String {
    let rows = format!("{} of {} rows", count(progress.rows_done), count(progress.rows_total));
    let bad = match progress.quarantined {
        0 => String::new(),
        bad => format!(", {bad} in quarantine"),
    };
    if progress.finished {
        let what = if progress.pass == 2 { "proven" } else { "walked" };
        return format!("{what} {rows}, {} written{bad}", count(progress.rows_written));
    }
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

/// A number with its thousands apart.
fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
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
            "1,234,567 of 2,000,000 rows, 41,000 rows/s (average 20,000), ETA 18s to 38s, batches of 4,100 in 100 ms, \
             2 workers, WAL 3.50 MiB, table 2.25 GiB, 3 in quarantine, 1 retry, slow: replica lag 7s > 5s"
        );
        assert_eq!([count(0), count(999), count(1_000), count(-12_345)], ["0", "999", "1,000", "-12,345"]);
    }
}
