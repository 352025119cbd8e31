//! `status` as text for people.

use comfy_table::{Table, presets};

use super::entry::{Backfill, Entry};
use crate::cli::readable::{Broken, faults};
use crate::core::drift::Drift;
use crate::core::pace::Level;
use crate::core::state::State;
use crate::core::sync::standing::describe;

pub(super) fn text(entries: &[Entry], drifts: &[Drift], broken: &[Broken]) -> String {
    let broken: String = faults(broken).iter().map(|why| format!("\nbroken: {why}\n")).collect();
    if entries.is_empty() && !broken.is_empty() {
        return broken.trim_start().into();
    }
    if entries.is_empty() {
        return "no plans and no SQL migrations yet: phase new NAME".into();
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(["VERSION", "NAME", "KIND", "STATE", "NEXT"]);
    for entry in entries {
        let state = if entry.state == entry.goal {
            entry.state.to_string()
        } else {
            format!("{} → {}", entry.state, entry.goal)
        };
        let next = entry.next.as_ref().map_or_else(|| "–".to_owned(), |next| next.command.clone());
        table.add_row([entry.version.clone(), entry.name.clone(), entry.kind.name().into(), state, next]);
    }
    let lines = table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
    let notes: String = entries.iter().map(notes).collect();
    let drifts: String = drifts.iter().map(|drift| format!("\ndrift: {}\n", drift.describe())).collect();
    format!("{lines}\n{notes}{drifts}{broken}")
}

/// What else there is to say of one item.
fn notes(entry: &Entry) -> String {
    let mut text = String::new();
    if let Some(hold) = &entry.hold {
        text += &format!("  held by {} since {:.0}: {}\n", hold.by, hold.since, hold.reason);
    }
    if let Some(runner) = &entry.runner {
        text += &format!("  at work: {runner}\n");
    }
    if !entry.sync_lost.is_empty() {
        text += &format!("  {}\n", describe(&entry.sync_lost));
    }
    text.extend(entry.in_force.iter().map(|constraint| format!("  in force: {}\n", constraint.describe())));
    if let Some(error) = &entry.error {
        text += &format!("  last attempt failed: {}\n", error.replace('\n', "\n    "));
    }
    if entry.left {
        text += "  its file is gone, and nothing of it has run: it holds nothing back, and there is nothing to do\n";
    }
    if let Some(done) =
        entry.backfill.as_ref().filter(|done| entry.state < State::Backfilled || done.quarantined > 0)
    {
        text += &backfill_text(done, entry.hold.is_some());
    }
    for reason in entry.next.iter().flat_map(|next| &next.waiting) {
        text += &format!("  waits: {reason}\n");
    }
    if text.is_empty() { text } else { format!("\n{}_{}\n{text}", entry.version, entry.name) }
}

fn backfill_text(done: &Backfill, held: bool) -> String {
    let what = if done.pass == "proof" { "proof" } else { "backfill" };
    let of = if done.finished { String::new() } else { format!(" of about {}", done.rows_total) };
    let mut text = format!(
        "  {what} ({}): {}{of} rows, {} written, {} rows/s",
        done.step, done.rows_done, done.rows_written, done.rows_per_s
    );
    text += &match (done.eta_sooner_s, done.eta_s) {
        (Some(sooner), Some(later)) if later > sooner => format!(", ETA {sooner}s to {later}s"),
        (_, Some(later)) => format!(", ETA {later}s"),
        _ => String::new(),
    };
    text.push('\n');
    // A hold is told above, once.
    if done.pace != Level::Full && !held {
        text +=
            &format!("  pace: {}: {}\n", done.pace.name(), done.why.as_deref().unwrap_or("no reason given"));
    }
    if done.quarantined > 0 {
        let rows = if done.quarantined == 1 {
            "row; phase quarantine lists it"
        } else {
            "rows; phase quarantine lists them"
        };
        text += &format!("  in quarantine: {} {rows}\n", done.quarantined);
    }
    if done.at_work.is_empty() && !done.finished && done.pace != Level::Stop {
        text += "  no worker is at it\n";
    }
    for worker in &done.at_work {
        text += &format!("  worker {worker}\n");
    }
    text
}
