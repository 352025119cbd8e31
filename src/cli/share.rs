//! Works on the backfills of an item beside its moves: helps another runner, and
//! proves them once more.

use std::time::{Duration, Instant};

use crate::cli::exit::{Code, CommandError};
use crate::cli::work::{Moved, Worker, moved, refuse_edited};
use crate::core::decide::Wanted;
use crate::core::record::Record;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::Fence;
use crate::engine::backfill::help::Helped;
use crate::engine::execute::Execution;
use crate::engine::standing::refuse_lost;
use crate::pg::lock::LockKey;
use crate::pg::store::PgStore;
use crate::pg::target::PgTarget;

/// How long a helper has nothing to do before it says whom it waits for.
const SILENT_FOR: Duration = Duration::from_secs(15);
/// A look for a chunk is over sooner than this; what takes longer was work.
const WORKED: Duration = Duration::from_secs(1);
/// How often a helper looks whether there is a chunk for it.
const HELP_EVERY: Duration = Duration::from_millis(250);

impl Worker<'_> {
    /// Proves the backfills of an item once more, before or after validate; what
    /// is left, if something is.
    ///
    /// # Errors
    /// When the item is in another state, or the proof cannot be made.
    pub async fn prove(&self, item: &Item, repair: bool) -> Result<Option<Moved>, CommandError> {
        let key = LockKey::Item(item.version.clone());
        self.desk.lock(&key).await?;
        let left = Box::pin(self.prove_locked(item, repair)).await;
        let unlocked = self.desk.unlock(&key).await;
        let left = left?;
        unlocked.map(|()| left)
    }

    async fn prove_locked(&self, item: &Item, repair: bool) -> Result<Option<Moved>, CommandError> {
        let records = self.desk.records().await?;
        let Some(record) = records.into_iter().find(|record| record.version == item.version) else {
            return Err(CommandError::NoPath { item: item.stem(), why: too_early(State::Planned) });
        };
        refuse_edited(item, &record)?;
        // A validate that failed on rows is no obstacle: to find and mend them is what the proof is for.
        let validating = record.state == State::Backfilled && record.goal == State::Validated;
        if record.state != record.goal && !validating {
            return Err(CommandError::NoPath {
                item: item.stem(),
                why: format!(
                    "it is on its way from {} to {}: finish that first (phase advance {}), or take it back (phase abort {})",
                    record.state, record.goal, item.version, item.version
                ),
            });
        }
        if !matches!(record.state, State::Backfilled | State::Validated) {
            return Err(CommandError::NoPath { item: item.stem(), why: too_early(record.state) });
        }
        let fence = self.desk.store.take_over(&item.version).await?;
        let execution = self.execution(item, &fence);
        let states = (record.state, record.goal);
        let stands = refuse_lost(&self.desk.store, &self.desk.target, &fence, item, states).await;
        stands.map_err(|error| CommandError::Run {
            item: item.stem(),
            wanted: None,
            stays: false,
            error: Box::new(error),
        })?;
        for (position, step) in item.steps.iter().enumerate() {
            let proven = Box::pin(execution.prove(step, position, repair)).await;
            let run = |error| CommandError::Run {
                item: item.stem(),
                wanted: None,
                stays: false,
                error: Box::new(error),
            };
            if let Some(why) = proven.map_err(run)? {
                let reasons = vec![why];
                return Ok(Some(moved(
                    item,
                    record.state,
                    record.state,
                    "work_left",
                    reasons,
                    Code::WorkLeft,
                )));
            }
        }
        Ok(None)
    }

    /// Says who has the plan, where nothing of its backfill is left to share.
    async fn waits_for_runner(&self, item: &Item, key: &LockKey) -> Result<(), CommandError> {
        tracing::warn!(
            "{}: nothing of its backfill is left to share, and {}; it goes on when that one does, or is gone: a runner that \
             stands still (SIGSTOP, a frozen machine) keeps the plan as long as its session lives, which \
             pg_terminate_backend of that pid ends",
            item.stem(),
            self.desk.holder(key).await?
        );
        Ok(())
    }

    fn execution<'e>(&'e self, item: &'e Item, fence: &'e Fence) -> Execution<'e, PgStore, PgTarget> {
        Execution {
            store: &self.desk.store,
            target: &self.desk.target,
            fence,
            limits: item.limits,
            listener: self.listener,
            stop: &self.stop,
            kill: item.kill_blockers.as_ref(),
        }
    }

    /// Whether what another runner does can be shared.
    pub(super) async fn sharing(&self, item: &Item, wanted: Wanted) -> Result<Sharing, CommandError> {
        let record = self.record(item).await?;
        refuse_edited(item, &record)?;
        Ok(match wanted {
            Wanted::Forward(to) if to >= State::Backfilled => Sharing::of(&record),
            _ => Sharing::Not,
        })
    }

    /// Works beside the runner, until the backfill is over; takes the plan over
    /// when that one is gone.
    pub(super) async fn help(
        &self,
        item: &Item,
        wanted: Wanted,
        pending_before: &[String],
    ) -> Result<Moved, CommandError> {
        let key = LockKey::Item(item.version.clone());
        let from = self.record(item).await?.state;
        // A helper writes under the epochs of its chunks, never under the item's.
        let fence = Fence { version: item.version.clone(), epoch: 0 };
        let execution = self.execution(item, &fence);
        tracing::info!("{}: another process runs it; sharing its backfill", item.stem());
        let (mut idle, mut told) = (Instant::now(), false);
        loop {
            if self.desk.try_lock(&key).await? {
                let moved = Box::pin(self.locked(item, wanted, pending_before)).await;
                self.desk.unlock(&key).await?;
                return moved.map(|moved| Moved {
                    from,
                    outcome: if moved.outcome == "nothing_to_do" { "reached" } else { moved.outcome },
                    ..moved
                });
            }
            let record = self.record(item).await?;
            if !in_backfill(&record) {
                let (outcome, code) = if record.state >= State::Backfilled && record.state != State::Aborted {
                    ("reached", Code::Done)
                } else {
                    ("work_left", Code::WorkLeft)
                };
                return Ok(moved(item, from, record.state, outcome, Vec::new(), code));
            }
            let helping = Instant::now();
            let helped = Box::pin(execution.help(&item.steps)).await;
            // Whoever worked was not idle.
            if helping.elapsed() >= WORKED {
                (idle, told) = (Instant::now(), false);
            }
            let run = |error| CommandError::Run {
                item: item.stem(),
                wanted: Some(wanted),
                stays: false,
                error: Box::new(error),
            };
            match helped.map_err(run)? {
                Helped::Halted(why) => {
                    return Ok(moved(item, from, record.state, "work_left", vec![why], Code::WorkLeft));
                }
                Helped::NothingNow => {
                    if idle.elapsed() >= SILENT_FOR && !told {
                        self.waits_for_runner(item, &key).await?;
                        told = true;
                    }
                    self.stop.sleep(HELP_EVERY).await;
                }
            }
            if let Some(why) = self.stop.reason() {
                return Ok(moved(item, from, record.state, "work_left", vec![why.into()], Code::WorkLeft));
            }
        }
    }
}

fn too_early(state: State) -> String {
    format!("it is {state}; a proof is made once it is backfilled, and before contract")
}

/// Whether work can be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// A backfill is under way.
    Now,
    /// One may be about to begin, or has just ended.
    Soon,
    /// It is something else.
    Not,
}

impl Sharing {
    fn of(record: &Record) -> Self {
        let near = matches!(record.state, State::Expanded | State::Backfilled);
        match record.goal {
            _ if in_backfill(record) => Self::Now,
            goal if near && goal == record.state => Self::Soon,
            _ => Self::Not,
        }
    }
}

/// Whether a backfill is under way.
pub(super) fn in_backfill(record: &Record) -> bool {
    record.state == State::Expanded && record.goal == State::Backfilled
}
