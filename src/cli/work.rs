//! Moves items from the command line: lock, epoch, moves until the goal, and
//! what came of it.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::cli::again::in_a_backfill;
use crate::cli::desk::Desk;
use crate::cli::exit::{Code, CommandError};
use crate::cli::guard::refuse_unsafe;
use crate::cli::output::Output;
use crate::cli::preflight;
use crate::cli::share::Sharing;
use crate::core::conflict;
use crate::core::decide::Wanted;
use crate::core::drift::{Drift, drift};
use crate::core::gate::Force;
use crate::core::plan::located;
use crate::core::plan::model::Place;
use crate::core::preflight::Made;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::advance::{Mover, Outcome};
use crate::engine::backfill::ports::Ledger;
use crate::engine::event::Listener;
use crate::engine::stop::Stop;
use crate::outside::checks::Checks;
use crate::pg::lock::LockKey;

/// How long a runner may take from its lock to the backfill that others can share.
const ABOUT_TO: Duration = Duration::from_secs(10);
/// How often that is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// What came of moving one item.
#[derive(Debug, Clone, Serialize)]
pub struct Moved {
    /// The version.
    pub version: String,
    /// The name.
    pub name: String,
    /// plan or sql.
    pub kind: Kind,
    /// The state that it was in.
    pub from: State,
    /// The state that it is in now.
    pub state: State,
    /// reached, nothing_to_do, waiting, held, work_left or failed.
    pub outcome: &'static str,
    /// Why it went no further, one sentence each.
    pub reasons: Vec<String>,
    /// The exit code of this one.
    #[serde(skip)]
    pub code: Code,
}

/// What moving items needs besides the item.
pub struct Worker<'a> {
    /// The place of work.
    pub desk: &'a Desk,
    /// Who wants to know.
    pub listener: &'a dyn Listener,
    /// The request to stop, with the time budget.
    pub stop: Stop,
    /// The run of expand.
    pub batch: Option<i64>,
    /// Whether purge may come before its window ends.
    pub purge_early: bool,
    /// Conditions of gates that an operator said to pass by.
    pub forces: Vec<Force>,
    /// Whether nobody else works on the database: what would stop an application may run.
    pub rehearsal: bool,
}

impl<'a> Worker<'a> {
    /// A worker without a time budget.
    pub fn new(desk: &'a Desk, listener: &'a dyn Listener) -> Self {
        Self {
            desk,
            listener,
            stop: desk.stop.clone(),
            batch: None,
            purge_early: false,
            forces: Vec::new(),
            rehearsal: false,
        }
    }

    /// Moves one item under its lock until it is where it was asked to be, or
    /// something stops it.
    ///
    /// # Errors
    /// When another runner has it, when it asks for something that is not
    /// there, when there is no way, or when a step fails.
    pub async fn run(
        &self,
        item: &Item,
        wanted: Wanted,
        pending_before: &[String],
    ) -> Result<Moved, CommandError> {
        self.desk.store.register(item).await?;
        let key = LockKey::Item(item.version.clone());
        let since = Instant::now();
        while !self.desk.try_lock(&key).await? {
            match self.sharing(item, wanted).await? {
                Sharing::Now => return Box::pin(self.help(item, wanted, pending_before)).await,
                Sharing::Soon if since.elapsed() < ABOUT_TO => self.stop.sleep(LOOK_AGAIN).await,
                Sharing::Soon | Sharing::Not => {
                    self.desk.lock(&key).await?;
                    break;
                }
            }
        }
        let moved = Box::pin(self.locked(item, wanted, pending_before)).await;
        let unlocked = self.desk.unlock(&key).await;
        let moved = moved?;
        unlocked.map(|()| moved)
    }

    pub(super) async fn locked(
        &self,
        item: &Item,
        wanted: Wanted,
        pending_before: &[String],
    ) -> Result<Moved, CommandError> {
        let record = self.record(item).await?;
        refuse_edited(item, &record)?;
        // Whoever asked for this item has been told of files that cannot be read.
        let files = self.desk.readable().await?.items;
        // What came before it may have made the tables that its recipes are about.
        let anew = files.iter().find(|file| file.version == item.version && file.checksum == item.checksum);
        // A rehearsal has opened its gates.
        let item = anew.filter(|_| !self.rehearsal).unwrap_or(item);
        if record.state == State::Planned
            && record.goal == State::Planned
            && matches!(wanted, Wanted::Forward(_))
        {
            self.preflight(item, &files).await?;
            let beside = conflict::cautions(item, &self.desk.records().await?, &files);
            let cautions = item.cautions.iter().chain(&beside);
            for caution in cautions.filter(|_| !self.desk.quiet) {
                tracing::warn!("{caution}");
            }
        }
        if matches!(wanted, Wanted::Forward(_)) && !self.rehearsal {
            refuse_unsafe(self.desk, item, &record).await?;
        }
        let fence = self.desk.store.take_over(&item.version).await?;
        self.desk.store.end_orphans(&item.version).await?;
        let mover = Mover {
            store: &self.desk.store,
            target: &self.desk.target,
            item,
            fence: &fence,
            listener: self.listener,
            stop: &self.stop,
            files: &files,
            pending_before,
            batch: self.batch,
            purge_early: self.purge_early,
            outside: &Checks,
            forces: &self.forces,
        };
        let from = record.state;
        let mut state = from;
        let (mut wanted, mut reasons) = (wanted, Vec::new());
        loop {
            let outcome = Box::pin(mover.advance(wanted)).await;
            let outcome = match outcome {
                Ok(outcome) => outcome,
                Err(error) => {
                    // Where the record cannot be read, one may be under way.
                    let over = |record: Record| record.goal != State::Aborted;
                    let stays = wanted == Wanted::Abort && self.record(item).await.is_ok_and(over);
                    let (item, wanted) = (item.stem(), Some(wanted));
                    return Err(CommandError::Run { item, wanted, stays, error: Box::new(error) });
                }
            };
            match outcome {
                Outcome::Reached(reached) => {
                    state = reached;
                    if reached == State::Backfilled {
                        reasons = self.in_quarantine(item).await?;
                    }
                    // Without keep there is nothing to purge: the last step is a formality.
                    if reached == State::Contracted && item.keep.is_none() {
                        wanted = Wanted::Forward(State::Completed);
                    }
                    if !matches!(wanted, Wanted::Forward(_)) {
                        return Ok(moved(item, from, state, "reached", reasons, Code::Done));
                    }
                }
                Outcome::AtGoal(at) => {
                    let outcome = if at == from { "nothing_to_do" } else { "reached" };
                    return Ok(moved(item, from, at, outcome, reasons, Code::Done));
                }
                Outcome::Waiting(reasons) => {
                    return Ok(moved(item, from, state, "waiting", reasons, Code::Waiting));
                }
                Outcome::Held(hold) => {
                    let why = format!(
                        "paused by {} since {:.0}: {}; to go on: phase resume {}",
                        hold.by, hold.since, hold.reason, item.version
                    );
                    return Ok(moved(item, from, state, "held", vec![why], Code::WorkLeft));
                }
                Outcome::WorkLeft(why) => {
                    return Ok(moved(item, from, state, "work_left", vec![why], Code::WorkLeft));
                }
                Outcome::NoPath(why) => return Err(CommandError::NoPath { item: item.stem(), why }),
            }
        }
    }

    pub(super) async fn record(&self, item: &Item) -> Result<Record, CommandError> {
        let records = self.desk.records().await?;
        records.into_iter().find(|record| record.version == item.version).ok_or_else(|| {
            CommandError::NoPath {
                item: item.stem(),
                why: "its record went away while it was being moved".into(),
            }
        })
    }

    /// What a backfill that is done has left in quarantine, said once more at its end.
    async fn in_quarantine(&self, item: &Item) -> Result<Vec<String>, CommandError> {
        let bad = self.desk.store.quarantined(&item.version, None).await?.len();
        let rows = if bad == 1 { "row is" } else { "rows are" };
        let said = format!(
            "{bad} {rows} in quarantine, and stand in the way of contract: phase quarantine {}",
            item.version
        );
        Ok(if bad == 0 { Vec::new() } else { vec![said] })
    }

    /// Looks up what the item takes for granted, before anything of it runs.
    async fn preflight(&self, item: &Item, files: &[Item]) -> Result<(), CommandError> {
        if !item.unsupported.is_empty() {
            return Err(CommandError::Preflight(item.unsupported.join("\n")));
        }
        // A rehearsal passes gates by.
        let unnamed = item.gates.unnamed();
        if !unnamed.is_empty() && !self.rehearsal {
            let located = |(place, what): &(Place, String)| {
                located(&item.file, &item.source, Some(*place), &format!("error: gate: {what}"))
            };
            return Err(CommandError::Preflight(unnamed.iter().map(located).collect::<Vec<_>>().join("\n")));
        }
        let mut missing = conflict::never_together(item, files, &self.desk.records().await?)?;
        missing.extend(preflight::missing(self.desk, item, &Made::default()).await?);
        if missing.is_empty() { Ok(()) } else { Err(CommandError::Preflight(missing.join("\n"))) }
    }
}

pub(super) fn moved(
    item: &Item,
    from: State,
    state: State,
    outcome: &'static str,
    reasons: Vec<String>,
    code: Code,
) -> Moved {
    Moved {
        version: item.version.to_string(),
        name: item.name.clone(),
        kind: item.kind,
        from,
        state,
        outcome,
        reasons,
        code,
    }
}

/// Turns an error of one item among several into its outcome, so that the
/// others still get their turn; what concerns them all stays an error.
///
/// # Errors
/// Whatever is not about this one item.
pub fn contained(
    item: &Item,
    state: State,
    result: Result<Moved, CommandError>,
) -> Result<Moved, CommandError> {
    match result {
        Err(error) if in_a_backfill(&error) => Err(error),
        Err(error @ (CommandError::Locked(_) | CommandError::Run { .. } | CommandError::NoPath { .. })) => {
            let mut reasons = vec![error.to_string()];
            reasons.extend(error.hints());
            Ok(moved(item, state, state, "failed", reasons, error.code()))
        }
        other => other,
    }
}

/// Stops on what a person must look at first; gives the rest as warnings.
///
/// # Errors
/// When a file was edited after it started, or (unless allowed) is older than
/// the newest applied one.
pub fn check_drift(
    items: &[Item],
    records: &[Record],
    out_of_order: bool,
) -> Result<Vec<Drift>, CommandError> {
    let stops = |drift: &Drift| drift.stops() && !(out_of_order && matches!(drift, Drift::OutOfOrder { .. }));
    let (stopping, rest): (Vec<_>, Vec<_>) = drift(items, records).into_iter().partition(stops);
    if stopping.is_empty() { Ok(rest) } else { Err(CommandError::Drift(stopping)) }
}

pub(super) fn refuse_edited(item: &Item, record: &Record) -> Result<(), CommandError> {
    check_drift(std::slice::from_ref(item), std::slice::from_ref(record), true).map(|_| ())
}

/// Items that are still pending and older than `item`, by name.
#[must_use]
pub fn pending_before(item: &Item, items: &[Item], records: &[Record]) -> Vec<String> {
    let pending = |other: &&Item| {
        other.version < item.version
            && records.iter().find(|r| r.version == other.version).is_none_or(|r| r.state == State::Planned)
    };
    items.iter().filter(pending).map(Item::stem).collect()
}

/// The result of moving items.
#[must_use]
pub fn report(moves: &[Moved], nothing: &str) -> Output {
    let mut text = String::new();
    for moved in moves {
        let name = format!("{}_{}", moved.version, moved.name);
        text += &match moved.outcome {
            "reached" => format!("{name}: {}\n", moved.state),
            "nothing_to_do" => format!("{name}: {} already\n", moved.state),
            "waiting" => format!("{name}: {}, waiting\n", moved.state),
            "held" => format!("{name}: {}, held\n", moved.state),
            "work_left" => format!("{name}: {}, work is left\n", moved.state),
            _ => format!("{name}: failed\n"),
        };
        for reason in &moved.reasons {
            text += &format!("  - {}\n", reason.replace('\n', "\n    "));
        }
    }
    if moves.is_empty() {
        text = nothing.into();
    }
    let code = Code::worst(moves.iter().map(|moved| moved.code));
    Output::done(text, &serde_json::json!({"moved": moves})).with_code(code)
}
