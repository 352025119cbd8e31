//! `phase status`.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use comfy_table::{Table, presets};
use jiff::Timestamp;
use serde::Serialize;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::output::Output;
use crate::cli::project::find;
use crate::cli::work::pending_before;
use crate::core::decide::{Decision, Snapshot, Wanted, decide};
use crate::core::drift::{Drift, drift};
use crate::core::gate::Facts;
use crate::core::pace::Level;
use crate::core::pace::progress::eta;
use crate::core::record::{Hold, Kind, Record};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::core::transition::Transition;
use crate::engine::advance::facts;
use crate::engine::backfill::ports::Total;
use crate::engine::stop::Stop;
use crate::pg::backfills::WorkerSeen;

/// Show where everything stands, what waits and why, and the next command.
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
}

#[derive(Serialize)]
struct Entry {
    version: String,
    name: String,
    kind: Kind,
    state: State,
    goal: State,
    since: Option<Timestamp>,
    hold: Option<Hold>,
    next: Option<Next>,
    backfill: Option<Backfill>,
    error: Option<String>,
}

#[derive(Serialize)]
struct Next {
    to: State,
    waiting: Vec<String>,
    command: String,
}

#[derive(Serialize)]
struct Backfill {
    step: String,
    pass: &'static str,
    finished: bool,
    rows_done: i64,
    rows_total: i64,
    rows_written: i64,
    rows_per_s: i64,
    eta_s: Option<u64>,
    eta_sooner_s: Option<u64>,
    quarantined: i64,
    retries: i64,
    wal_bytes: f64,
    workers: u32,
    pace: Level,
    why: Option<String>,
    at_work: Vec<WorkerSeen>,
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
    let items = desk.items()?;
    let records = desk.records().await?;
    let wanted = args.plan.as_deref().map(|plan| find(&items, plan)).transpose()?;
    let mut entries = BTreeMap::new();
    for item in items.iter().filter(|item| wanted.is_none_or(|wanted| wanted.version == item.version)) {
        entries.insert(item.version.clone(), entry(desk, item, &items, &records).await?);
    }
    // What is on record without a file still stands somewhere.
    let orphans =
        records.iter().filter(|r| wanted.is_none() && !items.iter().any(|item| item.version == r.version));
    // A file that was put on record and taken away before it did anything left nothing.
    let orphans = orphans.filter(|r| r.in_flight() || r.applied() || r.started());
    for record in orphans {
        entries.insert(record.version.clone(), bare(record));
    }
    let entries: Vec<Entry> = entries.into_values().collect();
    let drifts = drift(&items, &records);
    let code = if args.exit_code { code(&entries, &drifts) } else { Code::Done };
    let text = text(&entries, &drifts);
    Ok(Output::done(text, &Document { plans: entries, drift: drifts }).with_code(code))
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

async fn entry(desk: &Desk, item: &Item, items: &[Item], records: &[Record]) -> Result<Entry, CommandError> {
    let on_record = records.iter().find(|record| record.version == item.version);
    let blank = planned(item);
    let record = on_record.unwrap_or(&blank);
    let facts = if desk.recorded() {
        facts(&desk.store, &desk.target, item, record).await.map_err(|error| CommandError::Run {
            item: item.stem(),
            wanted: None,
            error: Box::new(error),
        })?
    } else {
        Facts {
            now: Timestamp::now(),
            state_since: Timestamp::now(),
            markers: Vec::new(),
            approvals: Vec::new(),
            queries: Vec::new(),
            backfills: Vec::new(),
        }
    };
    let before = pending_before(item, items, records);
    let snapshot =
        Snapshot { item, record, records, facts: &facts, pending_before: &before, purge_early: false };
    let (progress, workers) = if on_record.is_some() {
        (desk.store.progress(&item.version).await?, desk.store.workers(&item.version).await?)
    } else {
        (Vec::new(), Vec::new())
    };
    Ok(Entry {
        version: item.version.to_string(),
        name: item.name.clone(),
        kind: item.kind,
        state: record.state,
        goal: record.goal,
        since: on_record.map(|record| record.state_since),
        hold: record.hold.clone(),
        next: next(&snapshot),
        backfill: backfill(&progress, &workers, record.hold.as_ref()),
        error: record.error.clone(),
    })
}

fn planned(item: &Item) -> Record {
    Record {
        version: item.version.clone(),
        name: item.name.clone(),
        kind: item.kind,
        state: State::Planned,
        goal: State::Planned,
        state_since: Timestamp::UNIX_EPOCH,
        epoch: 0,
        source: None,
        checksum: None,
        tables: item.tables.clone(),
        depends_on: item.depends_on.clone(),
        batch: None,
        baseline: false,
        error: None,
        touched: Vec::new(),
        hold: None,
    }
}

fn bare(record: &Record) -> Entry {
    Entry {
        version: record.version.to_string(),
        name: record.name.clone(),
        kind: record.kind,
        state: record.state,
        goal: record.goal,
        since: Some(record.state_since),
        hold: record.hold.clone(),
        next: None,
        backfill: None,
        error: record.error.clone(),
    }
}

fn next(snapshot: &Snapshot<'_>) -> Option<Next> {
    let Snapshot { item, record, .. } = *snapshot;
    let version = &item.version;
    if record.state != record.goal && record.goal < record.state {
        return Some(Next { to: record.goal, waiting: Vec::new(), command: "phase rollback".into() });
    }
    if record.state != record.goal && record.goal == State::Aborted {
        return Some(Next {
            to: State::Aborted,
            waiting: Vec::new(),
            command: format!("phase abort {version}"),
        });
    }
    let row = match item.kind {
        Kind::Sql => Transition::find(record.state, State::Completed),
        Kind::Plan => Transition::forward(record.state),
    }?;
    let waiting = match decide(snapshot, Wanted::Forward(row.to)) {
        Decision::Wait(reasons) => reasons,
        Decision::NoPath(why) => vec![why],
        Decision::Run(_) | Decision::Held(_) | Decision::AtGoal => Vec::new(),
    };
    let command = match record.hold {
        Some(_) => format!("phase resume {version}"),
        None => {
            format!("phase {} {version}", if row.from == State::Planned { "advance" } else { row.command() })
        }
    };
    Some(Next { to: row.to, waiting, command })
}

/// The first backfill that is not over, or the last one.
fn backfill(steps: &[(String, Total)], workers: &[WorkerSeen], hold: Option<&Hold>) -> Option<Backfill> {
    let (step, total) = steps.iter().find(|(_, total)| !total.over()).or_else(|| steps.last())?;
    let workers: Vec<WorkerSeen> = workers.iter().filter(|worker| worker.step == *step).cloned().collect();
    let now: f64 = workers.iter().map(|worker| worker.rows_per_s).sum();
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let average = if total.seconds > 0.0 { total.rows_seen as f64 / total.seconds } else { 0.0 };
    let over = total.over();
    let left = if over { 0 } else { total.rows_total - total.rows_seen };
    let (sooner, later) = eta(left, now, average).unzip();
    let worst = workers.iter().max_by_key(|worker| worker.level);
    #[allow(clippy::cast_possible_truncation, reason = "a rate for people")]
    let rows_per_s = if workers.is_empty() { average } else { now }.round() as i64;
    Some(Backfill {
        step: step.clone(),
        pass: if total.pass == 2 { "proof" } else { "work" },
        finished: over,
        rows_done: total.rows_seen,
        rows_total: total.rows_total,
        rows_written: total.rows_written,
        rows_per_s,
        eta_s: later.filter(|_| !over).map(|eta| eta.as_secs()),
        eta_sooner_s: sooner.filter(|_| !over).map(|eta| eta.as_secs()),
        quarantined: total.quarantined,
        retries: total.retries,
        wal_bytes: total.wal_bytes,
        workers: u32::try_from(workers.len()).unwrap_or(u32::MAX),
        pace: if hold.is_some() { Level::Stop } else { worst.map_or(Level::Full, |worker| worker.level) },
        why: hold.map(|hold| hold.reason.clone()).or_else(|| worst.and_then(|worker| worker.why.clone())),
        at_work: workers,
    })
}

fn code(entries: &[Entry], drifts: &[Drift]) -> Code {
    let one = |entry: &Entry| match entry {
        Entry { error: Some(_), .. } => Code::Failed,
        Entry { hold: Some(_), .. } => Code::WorkLeft,
        Entry { next: Some(next), .. } if !next.waiting.is_empty() => Code::Waiting,
        Entry { next: Some(_), .. } => Code::WorkLeft,
        Entry { next: None, .. } => Code::Done,
    };
    let drifted = (!drifts.is_empty()).then_some(Code::Drift);
    drifted.unwrap_or_else(|| Code::worst(entries.iter().map(one)))
}

fn text(entries: &[Entry], drifts: &[Drift]) -> String {
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
    format!("{lines}\n{notes}{drifts}")
}

/// What else there is to say of one item.
fn notes(entry: &Entry) -> String {
    let mut text = String::new();
    if let Some(hold) = &entry.hold {
        text += &format!("  held by {} since {:.0}: {}\n", hold.by, hold.since, hold.reason);
    }
    if let Some(error) = &entry.error {
        text += &format!("  last attempt failed: {}\n", error.replace('\n', "\n    "));
    }
    if let Some(done) =
        entry.backfill.as_ref().filter(|done| entry.state < State::Backfilled || done.quarantined > 0)
    {
        text += &backfill_text(done);
    }
    for reason in entry.next.iter().flat_map(|next| &next.waiting) {
        text += &format!("  waits: {reason}\n");
    }
    if text.is_empty() { text } else { format!("\n{}_{}\n{text}", entry.version, entry.name) }
}

fn backfill_text(done: &Backfill) -> String {
    let what = if done.pass == "proof" { "proof" } else { "backfill" };
    let mut text = format!(
        "  {what} ({}): {} of {} rows, {} written, {} rows/s",
        done.step, done.rows_done, done.rows_total, done.rows_written, done.rows_per_s
    );
    text += &match (done.eta_sooner_s, done.eta_s) {
        (Some(sooner), Some(later)) if later > sooner => format!(", ETA {sooner}s to {later}s"),
        (_, Some(later)) => format!(", ETA {later}s"),
        _ => String::new(),
    };
    text.push('\n');
    if done.pace != Level::Full {
        text +=
            &format!("  pace: {}: {}\n", done.pace.name(), done.why.as_deref().unwrap_or("no reason given"));
    }
    if done.quarantined > 0 {
        text += &format!("  in quarantine: {} rows; phase quarantine lists them\n", done.quarantined);
    }
    for worker in &done.at_work {
        text += &format!("  worker {worker}\n");
    }
    text
}
