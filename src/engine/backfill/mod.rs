//! Runs a backfill: chunks that any number of workers lease, on any number of
//! machines; then the proof. The record is where they meet.

mod beat;
mod crew;
mod hands;
pub mod help;
mod look;
mod obstacle;
mod pacer;
mod pick;
pub mod ports;
mod rhythm;
mod strays;
mod worker;

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use crate::core::backfill::cut::{self, Cut};
use crate::core::backfill::tuning::Tuning;
use crate::core::backfill::{Backfill, Leaf, Table, Walk};
use crate::core::failure::Failure;
use crate::core::step::{Action, Step};
use crate::engine::current::{Current, Direction};
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::execute::{Ended, Execution};
use crate::engine::gauge::{Care, LOOSELY};
use crate::engine::{Store, Target, crash};
use crew::{Crew, CrewEnd};
use ports::{Known, Which};

/// A rest before a session is opened: a new one keeps a core of the server busy for 10 to
/// 20 ms, and several of them in a row are felt by whoever works there.
const BREATH: Duration = Duration::from_millis(40);
/// The work.
const WORK: i32 = 1;
/// The proof.
pub(super) const PROOF: i32 = 2;

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Runs a backfill to its end, as the runner of the plan; others may help.
    pub(crate) async fn backfill(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
    ) -> Result<Ended, RunError> {
        let sql = backfill.outline();
        let failed = |failure: Failure| current.failed(failure);
        let which = Which { version: self.fence.version.clone(), step: current.step.id.clone() };
        self.breath(&backfill.tuning).await;
        let table = self.target.table(backfill).await.map_err(failed)?;
        self.store.step_started(self.fence, &current.write(false, None, &sql)).await?;
        crash::point(&format!("inside {}", which.step));
        let pass = self.store.open(self.fence, &which.step, &signature(&table)).await?;
        let passes = self.passes(current, backfill, &which, table, pass, false);
        if let Some(why) = self.in_batches(current, passes).await? {
            return Ok(Ended::WorkLeft(why));
        }
        // The record commits synchronously, and with it whatever came before it in the log.
        self.store.step_finished(self.fence, &current.write(true, None, &sql)).await?;
        Ok(Ended::Done)
    }

    /// Rests for a moment, but at full pace.
    async fn breath(&self, tuning: &Tuning) {
        if tuning.throttle.congestion {
            self.stop.sleep(BREATH).await;
        }
    }

    /// Looks at every row of a backfill that is done once more; to `repair`,
    /// rows that are out of step are set to what the plan says. Why it stopped
    /// before its end, if it did.
    ///
    /// # Errors
    /// When the proof cannot be made.
    pub async fn prove(
        &self,
        step: &Step,
        position: usize,
        repair: bool,
    ) -> Result<Option<String>, RunError> {
        let Action::Backfill(backfill) = &step.action else { return Ok(None) };
        let current = Current::new(step, position, Direction::Do, None);
        let which = Which { version: self.fence.version.clone(), step: step.id.clone() };
        let table = self.target.table(backfill).await.map_err(|failure| current.failed(failure))?;
        self.store.open(self.fence, &which.step, &signature(&table)).await?;
        self.store.again(self.fence, &which.step).await?;
        let passes = self.passes(&current, backfill, &which, table, PROOF, repair);
        self.measured(&current, self.in_batches(&current, passes)).await
    }

    /// Counts all batches of a backfill as one attempt. Others wait for a batch no longer
    /// than it lasts, and that is the pace's to keep short: nothing is ended.
    async fn in_batches<R>(&self, current: &Current<'_>, work: impl Future<Output = R>) -> R {
        let _under_way = current.gauge.enter(Care { limit: None, every: LOOSELY });
        Box::pin(work).await
    }

    /// From `pass` to the end of the proof; why it stopped before, if it did.
    async fn passes(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
        which: &Which,
        mut table: Table,
        mut pass: i32,
        repair: bool,
    ) -> Result<Option<String>, RunError> {
        let (memory, mut tries) = (Mutex::default(), 0);
        loop {
            self.cut(current, backfill, which, &table, pass).await?;
            crash::point(&format!("cut {} for pass {pass}", which.step));
            let end = Crew::new(self, current, backfill, which, &table, repair, &memory).run().await?;
            let before = table;
            table = self.target.table(backfill).await.map_err(|failure| current.failed(failure))?;
            match end {
                CrewEnd::Halted(why) => return Ok(Some(why)),
                CrewEnd::Changed => {}
                // A partition that came, or a table that was rewritten, is work as well.
                CrewEnd::PassDone if storage(&table) != storage(&before) => {}
                CrewEnd::PassDone if pass == WORK => {
                    self.store.prove(self.fence, &which.step).await?;
                    pass = PROOF;
                    crash::point(&format!("proof of {}", which.step));
                }
                CrewEnd::PassDone => {
                    tries += 1;
                    let why = match self.store.proven(self.fence, &which.step).await? {
                        Some(proof) => {
                            if !self.strayed(current, backfill, which, &table, proof, tries).await? {
                                self.listener.on(&Event::Proven { id: which.step.clone(), proof });
                                break;
                            }
                            "rows had moved to pages that were read already"
                        }
                        None => "a row left quarantine without being found",
                    };
                    self.store.again(self.fence, &which.step).await?;
                    tracing::info!("{why}: the proof begins again");
                }
            }
        }
        crash::point(&format!("proven {}", which.step));
        Ok(None)
    }

    /// Cuts every leaf that has no chunks of its present storage yet, and forgets those that are gone.
    async fn cut(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
        which: &Which,
        table: &Table,
        pass: i32,
    ) -> Result<(), RunError> {
        let known = self.store.leaves(which, pass).await?;
        for gone in known.iter().filter(|known| table.leaf(&known.leaf).is_none()) {
            self.store.drop_leaf(self.fence, &which.step, &gone.leaf).await?;
        }
        let walked = if pass == PROOF { self.store.leaves(which, WORK).await? } else { Vec::new() };
        for leaf in &table.leaves {
            let walk = walk_of(backfill, leaf, table.version, pass);
            let name = leaf.table.to_string();
            let same = |known: &Known| {
                known.leaf == name
                    && (walk == Walk::Key || known.filenode.is_none_or(|filenode| filenode == leaf.filenode))
            };
            if known.iter().any(same) {
                continue;
            }
            // The work counted the rows; statistics only guess them.
            let rows =
                walked.iter().find(|known| known.leaf == name).map_or(leaf.estimate, |known| known.rows);
            let leaf = &Leaf { estimate: rows, ..leaf.clone() };
            let cuts = self.cuts(backfill, leaf, walk).await.map_err(|failure| current.failed(failure))?;
            self.store.cut(self.fence, &which.step, leaf, walk, &cuts).await?;
        }
        Ok(())
    }

    async fn cuts(&self, backfill: &Backfill, leaf: &Leaf, walk: Walk) -> Result<Vec<Cut>, Failure> {
        let count = cut::count(leaf);
        if walk == Walk::Pages {
            return Ok(cut::pages(leaf, count));
        }
        let last = self.target.keys(&backfill.last_sql(leaf)).await?.pop();
        let bounds =
            if count > 1 { self.target.keys(&backfill.bounds_sql(leaf, count)).await? } else { Vec::new() };
        Ok(cut::keys(bounds, last, leaf.estimate))
    }
}

fn walk_of(backfill: &Backfill, leaf: &Leaf, version: u32, pass: i32) -> Walk {
    if pass == WORK { backfill.walk(leaf, version) } else { backfill.proof_walk(leaf) }
}

/// What cursors are made of: another key, or another type of it, starts the walk again.
fn signature(table: &Table) -> String {
    let columns = table.leaves.iter().flat_map(|leaf| &leaf.key);
    let keys: BTreeSet<String> =
        columns.map(|column| format!("{} {}", column.name, column.type_name)).collect();
    keys.into_iter().collect::<Vec<_>>().join(", ")
}

/// The leaves and their storage.
fn storage(table: &Table) -> Vec<(String, i64)> {
    table.leaves.iter().map(|leaf| (leaf.table.to_string(), leaf.filenode)).collect()
}
