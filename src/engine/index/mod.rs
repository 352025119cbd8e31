//! Builds and drops indexes while their table is in use: each part is probed, sent alone,
//! probed again; the step is on record when all of it is there, or gone.

mod leftovers;
mod one;
mod send;
mod tree;

use crate::core::ident::QName;
use crate::core::index::{Part, Probe, ToDrop, is_of, parts, to_drop};
use crate::core::record::StepStatus;
use crate::core::step::{Action, IndexBuild, drop_index_sql, drop_whole_sql};
use crate::engine::current::{Current, Direction};
use crate::engine::error::RunError;
use crate::engine::execute::{Ended, Execution};
use crate::engine::{Store, Target, crash};
use send::Busy;

impl<S: Store, T: Target> Execution<'_, S, T> {
    pub(crate) async fn build_index(
        &self,
        current: &Current<'_>,
        build: &IndexBuild,
    ) -> Result<Ended, RunError> {
        let tree = self.target.partitions(&build.table).await.map_err(|failure| current.failed(failure))?;
        let mut on_record =
            OnRecord { sql: &build.create, started: current.begun(), before: current.begun() };
        let ended = if tree.is_empty() {
            self.build_one(current, build, &mut on_record).await?
        } else {
            let parts = parts(build, &tree).map_err(|error| current.refused(error.to_string()))?;
            let sql = current.sent.get_or_init(|| join(&parts));
            on_record.sql = sql;
            self.build_by_partitions(current, build, &parts, &mut on_record).await?
        };
        if ended == Ended::Done {
            crash::point(&format!("ran {}", current.step.id));
            self.store.step_finished(self.fence, &current.write(true, None, on_record.sql)).await?;
        }
        Ok(ended)
    }

    pub(crate) async fn drop_index(
        &self,
        current: &Current<'_>,
        index: &QName,
        if_exists: bool,
    ) -> Result<Ended, RunError> {
        let mut sql = drop_index_sql(index);
        let (mut begun, mut busy) = (current.begun(), Busy::new(self.limits.lock_wait_max));
        loop {
            let probe = self.probe(current, index, None).await?;
            if is_not_ours(current, index, &probe) {
                let detail = format!("{} is left: it is not the index that this step builds", index.plain());
                self.store.note(&self.fence.version, Some(&current.step.id), "left", &detail).await?;
                tracing::warn!(step = %current.step.id, "{detail}");
                break;
            }
            // An undo drops what a build made; that it is gone already is as good.
            let wanted_gone = begun || if_exists || current.direction == Direction::Undo;
            let ended = match to_drop(&probe, wanted_gone) {
                ToDrop::Done => {
                    // Nothing is to be dropped, which is put on record all the same.
                    if current.record.is_none() {
                        let write = current.write(false, None, &sql);
                        self.store.step_started(self.fence, &write).await?;
                    }
                    break;
                }
                ToDrop::Refuse(why) => return Err(current.refused(why)),
                ToDrop::Busy(pid) => self.wait_for_builder(current, pid, &mut busy).await?,
                ToDrop::Drop => {
                    if matches!(&probe, Probe::Found(found) if found.partitioned) {
                        sql.clone_from(current.sent.get_or_init(|| drop_whole_sql(index)));
                    }
                    if !begun {
                        let definition =
                            self.target.index_definition(index).await.map_err(|e| current.failed(e))?;
                        let write = current.write(false, definition.as_deref(), &sql);
                        self.store.step_started(self.fence, &write).await?;
                        crash::point(&format!("inside {}", current.step.id));
                        begun = true;
                    }
                    match &probe {
                        Probe::Found(found) if found.partitioned => self.drop_whole(current, index).await?,
                        _ => self.send(current, &sql, &mut busy).await?,
                    }
                }
            };
            if let left @ Ended::WorkLeft(_) = ended {
                return Ok(left);
            }
        }
        if let (Direction::Undo, left @ Ended::WorkLeft(_)) =
            (current.direction, self.drop_below(current, &mut busy).await?)
        {
            return Ok(left);
        }
        crash::point(&format!("ran {}", current.step.id));
        self.store.step_finished(self.fence, &current.write(true, None, &sql)).await?;
        Ok(Ended::Done)
    }

    async fn probe(
        &self,
        current: &Current<'_>,
        index: &QName,
        table: Option<&QName>,
    ) -> Result<Probe, RunError> {
        self.target.probe_index(index, table).await.map_err(|failure| current.failed(failure))
    }
}

/// Whether what an undo would drop is another index than the one that its step builds. Once the
/// record says that it was built, it is ours, whatever became of its columns.
fn is_not_ours(current: &Current<'_>, index: &QName, probe: &Probe) -> bool {
    let only_begun = current.record.is_some_and(|record| record.status == StepStatus::Started);
    match (current.direction, &current.step.action, probe) {
        (Direction::Undo, Action::BuildIndex(build), Probe::Found(found)) if only_begun => {
            build.index() == *index && !is_of(build, found)
        }
        _ => false,
    }
}

/// The statements of the parts, as the record shows them.
fn join(parts: &[Part]) -> String {
    parts.iter().map(Part::sql).collect::<Vec<_>>().join(";\n")
}

/// Whether a build is on record.
struct OnRecord<'a> {
    /// Its statement, as the record shows it.
    sql: &'a str,
    /// It is on record as begun.
    started: bool,
    /// It was before this run: a valid index of its name is its work.
    before: bool,
}

impl OnRecord<'_> {
    /// Puts it on record, unless it is.
    async fn start<S: Store, T: Target>(
        &mut self,
        execution: &Execution<'_, S, T>,
        current: &Current<'_>,
    ) -> Result<(), RunError> {
        if !self.started {
            execution.store.step_started(execution.fence, &current.write(false, None, self.sql)).await?;
            crash::point(&format!("inside {}", current.step.id));
            self.started = true;
        }
        Ok(())
    }
}
