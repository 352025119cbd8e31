//! Shows events as they happen: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::args::Global;
use crate::core::brief::brief;
use crate::core::failure::Blocker;
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
            Event::Watched { watch, .. } if watch.phase.is_empty() && watch.waiting_for.is_empty() => {}
            Event::Watched { watch, .. } => {
                let waits = watch.waiting_for.iter().map(|blocker| format!(", waits for {blocker}"));
                self.watched(format!("{}{}", watch.phase, waits.collect::<String>()));
            }
            Event::Progress(progress) => self.progress(progress),
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

/// A progress as one line: rows, rate and ETA.
fn plain(progress: &Progress) -> String {
    let rate = if progress.rows_per_s >= 1.0 {
        format!("{:.0} rows/s", progress.rows_per_s)
    } else {
        "– rows/s".into()
    };
    let rows = format!("{} of {} rows", progress.rows_done, progress.rows_total);
    match (progress.finished, progress.pass) {
        (true, 1) => format!("{rows}, {} written, {rate}", progress.rows_written),
        (true, _) => format!("{rows}, {} written, nothing skipped is left", progress.rows_written),
        (false, 2) => format!("{rows}, second look at rows that were locked"),
        (false, _) => format!("{rows}, {rate}, {}", eta(progress)),
    }
}

fn eta(progress: &Progress) -> String {
    #[allow(clippy::cast_precision_loss, reason = "an estimate for people")]
    let left = (progress.rows_total - progress.rows_done).max(0) as f64;
    if progress.rows_per_s < 1.0 {
        return "ETA unknown".into();
    }
    let seconds = (left / progress.rows_per_s).min(1e9);
    format!("ETA {}", brief(Duration::from_secs_f64(seconds)))
}
