//! What `status` says of one item: its place in the JSON document.

use jiff::Timestamp;
use serde::Serialize;

use crate::cli::desk::Desk;
use crate::cli::exit::CommandError;
use crate::cli::waits::waits_for;
use crate::cli::work::pending_before;
use crate::core::decide::{Decision, Snapshot, Wanted, decide, judge};
use crate::core::gate::{Condition, Facts, Verdict};
use crate::core::in_force::{InForce, in_force};
use crate::core::pace::Level;
use crate::core::pace::progress::eta;
use crate::core::record::{Hold, Kind, Record};
use crate::core::state::State;
use crate::core::sync::standing::Lost;
use crate::core::timeline::Item;
use crate::core::transition::Transition;
use crate::engine::Store;
use crate::engine::advance::facts;
use crate::engine::backfill::ports::Total;
use crate::engine::standing::lost_of;
use crate::outside::checks::Checks;
use crate::pg::at_work::AtWork;
use crate::pg::backfills::WorkerSeen;

#[derive(Serialize)]
pub(super) struct Entry {
    pub(super) version: String,
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) state: State,
    pub(super) goal: State,
    pub(super) since: Option<Timestamp>,
    pub(super) hold: Option<Hold>,
    pub(super) next: Option<Next>,
    pub(super) backfill: Option<Backfill>,
    /// Who is at work on it now.
    pub(super) runner: Option<AtWork>,
    /// Triggers of its syncs that do not stand as they were made.
    pub(super) sync_lost: Vec<Lost>,
    /// What it refuses already and has not proven.
    pub(super) in_force: Vec<InForce>,
    pub(super) error: Option<String>,
    /// Whether it is on record without a file, and nothing of it has run.
    #[serde(skip)]
    pub(super) left: bool,
}

#[derive(Serialize)]
pub(super) struct Next {
    pub(super) to: State,
    pub(super) waiting: Vec<String>,
    pub(super) command: String,
    /// How the conditions of its gate stand.
    pub(super) gates: Vec<Verdict>,
}

#[derive(Serialize)]
pub(super) struct Backfill {
    pub(super) step: String,
    pub(super) pass: &'static str,
    pub(super) finished: bool,
    pub(super) rows_done: i64,
    pub(super) rows_total: i64,
    pub(super) rows_written: i64,
    pub(super) rows_per_s: i64,
    pub(super) eta_s: Option<u64>,
    pub(super) eta_sooner_s: Option<u64>,
    pub(super) quarantined: i64,
    pub(super) retries: i64,
    pub(super) wal_bytes: f64,
    pub(super) workers: u32,
    pub(super) pace: Level,
    pub(super) why: Option<String>,
    pub(super) at_work: Vec<WorkerSeen>,
}

pub(super) async fn entry(
    desk: &Desk,
    item: &Item,
    items: &[Item],
    records: &[Record],
) -> Result<Entry, CommandError> {
    let on_record = records.iter().find(|record| record.version == item.version);
    let blank = Record::planned(item);
    let record = on_record.unwrap_or(&blank);
    let facts =
        if desk.recorded() {
            facts(&desk.store, &desk.target, &Checks, item, record).await.map_err(|error| {
                CommandError::Run { item: item.stem(), wanted: None, stays: false, error: Box::new(error) }
            })?
        } else {
            Facts::none(Timestamp::now())
        };
    let before = pending_before(item, items, records);
    let snapshot = Snapshot {
        item,
        record,
        records,
        files: items,
        facts: &facts,
        pending_before: &before,
        purge_early: false,
        forces: &[],
    };
    let (progress, workers) = if on_record.is_some() {
        (desk.store.progress(&item.version).await?, desk.store.workers(&item.version).await?)
    } else {
        (Vec::new(), Vec::new())
    };
    let runner = if record.state == record.goal {
        None
    } else {
        desk.store.at_work(&item.version, &desk.config.schema).await?
    };
    let (sync_lost, in_force) = if record.in_flight() {
        let steps = desk.store.steps(&item.version).await?;
        (lost_of(&desk.store, &desk.target, item).await?, in_force(item, record, &steps))
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
        backfill: backfill(&progress, &workers, record.hold.as_ref(), stands(desk, item, record).await?),
        runner,
        sync_lost,
        in_force,
        error: record.error.clone(),
        left: false,
    })
}

pub(super) fn bare(record: &Record) -> Entry {
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
        runner: None,
        sync_lost: Vec::new(),
        in_force: Vec::new(),
        error: record.error.clone(),
        left: record.left_nothing(),
    }
}

fn next(snapshot: &Snapshot<'_>) -> Option<Next> {
    let Snapshot { item, record, .. } = *snapshot;
    let version = &item.version;
    if record.state != record.goal && record.goal < record.state {
        return Some(Next {
            to: record.goal,
            waiting: Vec::new(),
            command: "phase rollback".into(),
            gates: Vec::new(),
        });
    }
    if record.state != record.goal && record.goal == State::Aborted {
        return Some(Next {
            to: State::Aborted,
            waiting: Vec::new(),
            command: format!("phase abort {version}"),
            gates: Vec::new(),
        });
    }
    let row = match item.kind {
        Kind::Sql => Transition::find(record.state, State::Completed),
        Kind::Plan => Transition::forward(record.state),
    }?;
    let waiting = match decide(snapshot, Wanted::Forward(row.to)) {
        Decision::Wait(reasons) => reasons,
        Decision::NoPath(why) => vec![why],
        Decision::Run(..) | Decision::Held(_) | Decision::AtGoal => Vec::new(),
    };
    let gates = if record.state == record.goal { judge(snapshot, row) } else { Vec::new() };
    let unproven =
        judge(snapshot, row).iter().any(|verdict| verdict.gate == Condition::Proof && !verdict.passes());
    let command = match record.hold {
        Some(_) => format!("phase resume {version}"),
        None if unproven => format!("phase validate {version} --prove"),
        None => {
            format!("phase {} {version}", if row.from == State::Planned { "advance" } else { row.command() })
        }
    };
    Some(Next { to: row.to, waiting, command, gates })
}

/// Why a backfill under way stands still besides a hold: by what an operator tuned, or by its window.
async fn stands(desk: &Desk, item: &Item, record: &Record) -> Result<Option<String>, CommandError> {
    if record.state != State::Expanded || record.hold.is_some() || !desk.recorded() {
        return Ok(None);
    }
    if desk.store.tuned(&item.version).await?.workers == Some(0) {
        return Ok(Some(format!(
            "no worker is wanted (tune --workers 0): phase tune {} --workers 1",
            item.version
        )));
    }
    waits_for(desk, item).await
}

/// The first backfill that is not over, or the last one.
fn backfill(
    steps: &[(String, Total)],
    workers: &[WorkerSeen],
    hold: Option<&Hold>,
    stands: Option<String>,
) -> Option<Backfill> {
    let (step, total) = steps.iter().find(|(_, total)| !total.over()).or_else(|| steps.last())?;
    let workers: Vec<WorkerSeen> = workers.iter().filter(|worker| worker.step == *step).cloned().collect();
    let now: f64 = workers.iter().map(|worker| worker.rows_per_s).sum();
    #[allow(clippy::cast_precision_loss, reason = "a rate for people")]
    let average = if total.seconds > 0.0 { total.rows_seen as f64 / total.seconds } else { 0.0 };
    let over = total.over();
    let left = if over { 0 } else { total.rows_total - total.rows_seen };
    // Where nobody is at work, nothing says when it will be over.
    let idle = workers.is_empty() || hold.is_some();
    let (sooner, later) = if idle { (None, None) } else { eta(left, now, average).unzip() };
    let worst = workers.iter().max_by_key(|worker| worker.level);
    #[allow(clippy::cast_possible_truncation, reason = "a rate for people")]
    let rows_per_s = match (over, idle) {
        (true, _) => average.round() as i64,
        (false, true) => 0,
        (false, false) => now.round() as i64,
    };
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
        pace: if hold.is_some() || stands.is_some() {
            Level::Stop
        } else {
            worst.map_or(Level::Full, |worker| worker.level)
        },
        why: hold
            .map(|hold| hold.reason.clone())
            .or(stands)
            .or_else(|| worst.and_then(|worker| worker.why.clone())),
        at_work: workers,
    })
}
