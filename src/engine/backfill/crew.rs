//! What the workers of one process have in common.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::pacer::Memory;
use super::ports::{Said, Total, Which};
use crate::core::backfill::tuning::Tuning;
use crate::core::backfill::{Backfill, Key, Table};
use crate::core::failure::FailureKind;
use crate::core::pace::Pace;
use crate::core::pace::traffic::Own;
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::execute::Execution;
use crate::engine::{Store, Target};

/// Why a crew ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CrewEnd {
    /// Every chunk of the pass is finished.
    PassDone,
    /// It stopped at a safe place; why.
    Halted(String),
    /// The table is not what it was.
    Changed,
}

/// What batches took.
#[derive(Debug, Clone, Default)]
pub(super) struct Costs {
    /// Microseconds a row, of each batch that says something about it.
    pub(super) rows: Vec<f64>,
    /// All of them.
    pub(super) own: Own,
}

/// The workers of one process.
pub(super) struct Crew<'a, S: Store, T: Target> {
    pub(super) execution: &'a Execution<'a, S, T>,
    pub(super) current: &'a Current<'a>,
    pub(super) backfill: &'a Backfill,
    pub(super) which: &'a Which,
    pub(super) table: &'a Table,
    /// Whether rows out of step are set to what the plan says.
    pub(super) repair: bool,
    /// What is remembered from one crew to the next.
    pub(super) memory: &'a Mutex<Memory>,
    pub(super) told_end: AtomicBool,
    pub(super) tuning: watch::Sender<Arc<Tuning>>,
    pace: watch::Sender<Pace>,
    pub(super) end: watch::Sender<Option<CrewEnd>>,
    pub(super) said: Mutex<Vec<Said>>,
    pub(super) bad: Mutex<Vec<(String, Key)>>,
    /// What the batches since the last look took.
    costs: Mutex<Costs>,
    /// Whether the server's health is known: no row is written before.
    pub(super) looked: watch::Sender<bool>,
    /// Held by whoever opens a session.
    door: tokio::sync::Mutex<()>,
    backends: Mutex<Vec<i32>>,
    /// How large the table is, in bytes.
    pub(super) size: Mutex<Option<f64>>,
    pub(super) total: watch::Sender<Total>,
}

impl<'a, S: Store, T: Target> Crew<'a, S, T> {
    pub(super) fn new(
        execution: &'a Execution<'a, S, T>,
        current: &'a Current<'a>,
        backfill: &'a Backfill,
        which: &'a Which,
        table: &'a Table,
        repair: bool,
        memory: &'a Mutex<Memory>,
    ) -> Self {
        let room = memory.lock().map(|mut memory| {
            memory.congestion.other_rows();
            memory.congestion.clone()
        });
        let watched = backfill.tuning.throttle.congestion;
        let pace = room.ok().filter(|_| watched).map_or_else(Pace::default, |room| Pace::within(&room));
        Self {
            execution,
            current,
            backfill,
            which,
            table,
            repair,
            memory,
            told_end: AtomicBool::new(false),
            tuning: watch::Sender::new(Arc::new(backfill.tuning.clone())),
            pace: watch::Sender::new(pace),
            end: watch::Sender::new(None),
            said: Mutex::new(Vec::new()),
            bad: Mutex::new(Vec::new()),
            costs: Mutex::default(),
            looked: watch::Sender::new(false),
            door: tokio::sync::Mutex::default(),
            backends: Mutex::new(Vec::new()),
            size: Mutex::new(None),
            total: watch::Sender::new(Total::default()),
        }
    }

    /// Opens a session, after a rest and after whoever does so now; at full pace at once.
    pub(super) async fn open<V>(&self, session: impl Future<Output = V>) -> V {
        let _turn = self.door.lock().await;
        self.execution.breath(&self.tuning()).await;
        session.await
    }

    /// Whether a place has a worker.
    pub(super) fn wants(&self, index: u32) -> bool {
        index < self.tuning.borrow().workers
    }

    /// The settings that hold now.
    pub(super) fn tuning(&self) -> Arc<Tuning> {
        Arc::clone(&self.tuning.borrow())
    }

    /// The pace that holds now.
    pub(super) fn pace(&self) -> Pace {
        self.pace.borrow().clone()
    }

    /// Resolves when the pace or the settings change, or the crew ends.
    pub(super) async fn news(&self) {
        let (mut pace, mut tuning, mut end) =
            (self.pace.subscribe(), self.tuning.subscribe(), self.end.subscribe());
        tokio::select! {
            _ = pace.changed() => {}
            _ = tuning.changed() => {}
            _ = end.changed() => {}
        }
    }

    /// Ends the crew; the first reason counts.
    pub(super) fn end(&self, why: CrewEnd) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            if first {
                *end = Some(why);
            }
            first
        });
    }

    /// Whether the crew ended, or somebody asks it to.
    pub(super) fn ended(&self) -> bool {
        if let Some(why) = self.execution.stop.reason() {
            self.end(CrewEnd::Halted(why.into()));
        }
        self.end.borrow().is_some()
    }

    /// Takes note of a hold.
    pub(super) fn held(&self, hold: Option<&String>) {
        if let Some(reason) = hold {
            self.end(CrewEnd::Halted(format!("it is paused: {reason}")));
        }
    }

    /// The rows of a leaf in quarantine.
    pub(super) fn bad(&self, leaf: &str) -> Vec<Key> {
        let Ok(bad) = self.bad.lock() else { return Vec::new() };
        bad.iter().filter(|(of, _)| of == leaf).map(|(_, key)| key.clone()).collect()
    }

    /// How many rows it takes to be in quarantine.
    pub(super) fn known_bad(&self) -> usize {
        self.bad.lock().map_or(0, |bad| bad.len())
    }

    /// Looks up which rows are in quarantine.
    pub(super) async fn learn_bad(&self) -> Result<(), RunError> {
        let bad = self.execution.store.quarantined(&self.which.version, Some(&self.which.step)).await?;
        if let Ok(mut known) = self.bad.lock() {
            *known = bad.into_iter().map(|row| (row.leaf, row.key)).collect();
        }
        Ok(())
    }

    /// Takes note of a row in quarantine.
    pub(super) fn add_bad(&self, leaf: &str, key: &Key) {
        if let Ok(mut bad) = self.bad.lock() {
            bad.push((leaf.to_owned(), key.clone()));
        }
    }

    /// What a worker says of itself.
    pub(super) fn say(&self, said: Said) {
        let Ok(mut all) = self.said.lock() else { return };
        match all.iter_mut().find(|other| other.id == said.id) {
            Some(before) => *before = said,
            None => all.push(said),
        }
    }

    /// A worker has become slower while it rests.
    pub(super) fn slowed(&self, id: i64, rows_per_s: f64) {
        let Ok(mut all) = self.said.lock() else { return };
        if let Some(said) = all.iter_mut().find(|said| said.id == id) {
            said.rows_per_s = rows_per_s;
        }
    }

    pub(super) fn with_backends(&self, change: impl FnOnce(&mut Vec<i32>)) {
        if let Ok(mut backends) = self.backends.lock() {
            change(&mut backends);
        }
    }

    /// The server processes of the workers.
    pub(super) fn backends(&self) -> Vec<i32> {
        self.backends.lock().map(|backends| backends.clone()).unwrap_or_default()
    }

    /// Takes note of a batch: its milliseconds at the server, and microseconds a row
    /// where that says something.
    pub(super) fn cost(&self, ms: f64, us_per_row: Option<f64>) {
        if let Ok(mut costs) = self.costs.lock() {
            costs.rows.extend(us_per_row);
            costs.own.batches += 1.0;
            costs.own.ms += ms;
        }
    }

    /// What batches took since the last look.
    pub(super) fn take_costs(&self) -> Costs {
        self.costs.lock().map(|mut costs| std::mem::take(&mut *costs)).unwrap_or_default()
    }

    /// Sets the pace.
    pub(super) fn set_pace(&self, pace: Pace) {
        self.pace.send_if_modified(|now| {
            let changed = *now != pace;
            *now = pace;
            changed
        });
    }

    pub(super) fn forget(&self, id: i64) {
        if let Ok(mut all) = self.said.lock() {
            all.retain(|said| said.id != id);
        }
    }

    /// Whether a failure may be over with the next try, or the next connection.
    pub(super) const fn passing(kind: FailureKind) -> bool {
        matches!(kind, FailureKind::LockTimeout | FailureKind::Conflict | FailureKind::Cancelled)
    }
}
