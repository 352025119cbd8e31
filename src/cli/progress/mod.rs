//! Shows events as they happen: a bar on a terminal, plain lines elsewhere.

mod build;
mod rows;

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::args::Global;
use crate::core::brief::{brief, count};
use crate::core::failure::Blocker;
use crate::engine::Watch;
use crate::engine::event::{Event, Listener, Progress};
use rows::plain;

/// How often a backfill or a build says how far it is where there is no terminal.
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
        self.show(progress.rows_total, progress.rows_done, plain(progress));
        if progress.finished {
            self.hide();
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

    /// Says what a concurrent command does whenever that changes, and how far it is.
    fn watched(&self, watch: &Watch) {
        let Ok(mut last) = self.last_watch.lock() else { return };
        let doing = watch.doing().unwrap_or_default();
        let changed = *last != doing;
        if changed {
            self.line(&format!("    {}", build::doing(watch)));
            *last = doing;
        }
        let Some(done) = build::done(watch) else { return self.hide() };
        if self.live {
            self.show(watch.total, watch.done, done);
        } else if !changed && self.due(false) {
            write_line(&format!("    {done}"));
        }
    }

    fn show(&self, total: i64, done: i64, message: String) {
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("    {bar:30} {percent:>3}%  {msg}");
            self.bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        }
        self.bar.set_length(u64::try_from(total).unwrap_or(0));
        self.bar.set_position(u64::try_from(done).unwrap_or(0));
        self.bar.set_message(message);
    }

    fn hide(&self) {
        if !self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::hidden());
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
                self.hide();
                if *took >= Duration::from_secs(1) {
                    self.line(&format!("  {id}  done in {}", brief(*took)));
                }
            }
            Event::Reached { item, state, took } => {
                self.line(&format!("{item}: {state} after {}", brief(*took)));
            }
            Event::Stays { item, state } => {
                self.line(&format!("{item}: nothing was taken back; it is {state} as before"));
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
            Event::Ending { id, who } => self.line(&format!("  {id}  ends (kill_blockers) {who}")),
            Event::NotEnded { id, who } => {
                self.line(&format!("  {id}  was not ended, because it is over or may not be: {who}"));
            }
            Event::Part { id, part, what } => self.line(&format!("  {id}  {part}: {what}")),
            Event::Impact { impact, .. } if impact.waiters == 0 => {}
            Event::Impact { id, impact } => self.line(&format!("  {id}  {}", impact.waits())),
            Event::Watched { watch, .. } if watch.phase.is_empty() && watch.waiting_for.is_empty() => {}
            Event::Watched { watch, .. } => self.watched(watch),
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
