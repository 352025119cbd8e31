//! `phase status`.

mod entry;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::readable::{Broken, Readable};
use crate::core::drift::{Drift, drift};
use crate::engine::stop::Stop;
use entry::{Entry, bare, entry};
use text::text;

/// Show where everything stands, what waits and why, and the next command.
///
/// Files that cannot be read are named beside what can be shown, with exit code 2.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase status\n  phase status users_display_name\n  phase status --watch\n  phase status --json\n  phase status --exit-code && ship"
)]
pub struct StatusArgs {
    /// The plan: version, name, prefix of either, or path; without it, all of them.
    plan: Option<String>,
    /// Exit with the code that tells the state: 0 at rest, 1 failed, 3 waiting, 5 work left, 6 drift.
    #[arg(long)]
    exit_code: bool,
    /// Show it again every second, until interrupted; with --json, one document a line.
    #[arg(long, conflicts_with = "exit_code")]
    watch: bool,
}

/// How often `--watch` looks.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// The JSON document; its shape is a promise, docs/cli.md describes it.
#[derive(Serialize)]
struct Document {
    plans: Vec<Entry>,
    drift: Vec<Drift>,
    /// The files that cannot be read.
    broken: Vec<Broken>,
}

/// Runs the command.
///
/// # Errors
/// When the files or the record cannot be read.
pub async fn run(global: &Global, args: &StatusArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "status", Access::Read, stop).await?;
    while args.watch && desk.stop.reason().is_none() {
        let shown = show_again(&look(&desk, args).await?, global.json);
        desk.stop.sleep(WATCH_EVERY).await;
        // A reader that went away (`| head`) ends it as well.
        if shown.is_err() {
            break;
        }
    }
    if args.watch { Ok(Output::nothing()) } else { look(&desk, args).await }
}

/// One look at everything.
async fn look(desk: &Desk, args: &StatusArgs) -> Result<Output, CommandError> {
    let mut files = desk.readable().await?;
    if let Some(plan) = &args.plan {
        // One plan is shown whatever the other files say.
        files = files.about(std::slice::from_ref(plan))?;
        files.warn();
    }
    let Readable { items, broken } = &files;
    let records = desk.records().await?;
    let wanted = args.plan.as_deref().map(|plan| find(items, plan)).transpose()?;
    let mut entries = BTreeMap::new();
    for item in items.iter().filter(|item| wanted.is_none_or(|wanted| wanted.version == item.version)) {
        entries.insert(item.version.clone(), entry(desk, item, items, &records).await?);
    }
    // What is on record without a file still stands somewhere.
    let orphans =
        records.iter().filter(|r| wanted.is_none() && !items.iter().any(|item| item.version == r.version));
    // A file that was put on record and taken away before it did anything left nothing.
    let orphans = orphans.filter(|r| r.in_flight() || r.applied() || r.started());
    for record in orphans {
        let mut entry = bare(record);
        // Whose file is there is not left over.
        entry.left &= !files.has_broken(&record.version);
        entries.insert(record.version.clone(), entry);
    }
    let entries: Vec<Entry> = entries.into_values().collect();
    let mut drifts = drift(items, &records);
    drifts.retain(|drift| !files.explains(drift));
    let broken = if args.plan.is_some() { Vec::new() } else { broken.clone() };
    let code = match args.exit_code {
        _ if !broken.is_empty() => Code::Usage,
        true => code(&entries, &drifts),
        false => Code::Done,
    };
    let text = text(&entries, &drifts, &broken);
    Ok(Output::done(text, &Document { plans: entries, drift: drifts, broken }).with_code(code))
}

/// Writes a look over the one before on a terminal, and after it elsewhere.
fn show_again(look: &Output, json: bool) -> std::io::Result<()> {
    use std::io::{IsTerminal, Write};
    let mut out = anstream::stdout();
    if json {
        writeln!(out, "{}", look.json)?;
    } else if std::io::stdout().is_terminal() {
        // Home, the text, and nothing after it: clearing first would flicker.
        let text = look.text.trim_end().replace('\n', "\x1b[K\n");
        writeln!(out, "\x1b[H{text}\x1b[K\n\x1b[J")?;
    } else {
        writeln!(out, "{}\n", look.text.trim_end())?;
    }
    out.flush()
}

fn code(entries: &[Entry], drifts: &[Drift]) -> Code {
    let one = |entry: &Entry| match entry {
        Entry { left: true, .. } => Code::Done,
        Entry { sync_lost, .. } if !sync_lost.is_empty() => Code::Drift,
        Entry { error: Some(_), .. } => Code::Failed,
        Entry { hold: Some(_), .. } => Code::WorkLeft,
        Entry { next: Some(next), .. } if !next.waiting.is_empty() => Code::Waiting,
        Entry { next: Some(_), .. } => Code::WorkLeft,
        Entry { next: None, .. } => Code::Done,
    };
    let drifted = (!drifts.is_empty()).then_some(Code::Drift);
    drifted.unwrap_or_else(|| Code::worst(entries.iter().map(one)))
}
