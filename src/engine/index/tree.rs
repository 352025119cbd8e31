//! Builds the index of a partitioned table by its partitions, and drops it again.

use super::OnRecord;
use super::send::Busy;
use crate::core::failure::Failure;
use crate::core::ident::QName;
use crate::core::index::{Part, Probe, ToBuild, below, to_build};
use crate::core::lint::Lock;
use crate::core::step::{Action, IndexBuild, Limits, drop_index_sql, drop_whole_sql};
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::event::Event;
use crate::engine::execute::{Ended, Execution};
use crate::engine::moment::Moment;
use crate::engine::{Store, Target, crash};

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Does every part that is not there yet, in order.
    pub(super) async fn build_by_partitions(
        &self,
        current: &Current<'_>,
        build: &IndexBuild,
        parts: &[Part],
        on_record: &mut OnRecord<'_>,
    ) -> Result<Ended, RunError> {
        let count = parts.len();
        if !on_record.before {
            self.names_are_free(current, parts).await?;
        }
        for (n, part) in parts.iter().enumerate() {
            let part_of = || format!("{} of {count}", n + 1);
            let ended = match part {
                Part::Alone { table, index, sql } => {
                    self.alone(current, build.unique, [table, index], sql, on_record).await?
                }
                // One that the server made when the partition came is as good.
                Part::Build(build) if self.has_its_index(current, build, parts).await? => continue,
                Part::Build(build) => {
                    self.listener.on(&Event::Part {
                        id: current.step.id.clone(),
                        part: part_of(),
                        what: format!("index {} on {}", build.index().plain(), build.table.plain()),
                    });
                    self.build_one(current, build, on_record).await?
                }
                Part::Attach { partition, index, to } => {
                    let attached = self.target.attached(partition, to).await;
                    if attached.map_err(|failure| current.failed(failure))? {
                        continue;
                    }
                    // Whoever reads the partition has its indexes locked.
                    let locks = vec![(index.clone(), Lock::AccessExclusive)];
                    self.quickly(current, locks, &Part::attach_sql(index, to)).await?
                }
            };
            crash::point(&format!("part {n} of {}", current.step.id));
            if let left @ Ended::WorkLeft(_) = ended {
                return Ok(left);
            }
        }
        match self.probe(current, &build.index(), Some(&build.table)).await? {
            Probe::Found(found) if found.valid => Ok(Ended::Done),
            // A partition came meanwhile without an index: the next look at the tree meets it.
            _ => Ok(Ended::WorkLeft(format!(
                "{} has a partition without its index: a partition came or went meanwhile",
                build.table.plain()
            ))),
        }
    }

    /// Whether the partition of a build has an index already that is attached to that above.
    async fn has_its_index(
        &self,
        current: &Current<'_>,
        build: &IndexBuild,
        parts: &[Part],
    ) -> Result<bool, RunError> {
        let above = parts.iter().find_map(|part| match part {
            Part::Attach { index, to, .. } if *index == build.index() => Some(to),
            _ => None,
        });
        let Some(to) = above else { return Ok(false) };
        self.target.attached(&build.table, to).await.map_err(|failure| current.failed(failure))
    }

    /// Refuses where an index has one of the names that is not of this step: an undo, which
    /// goes by names, would drop it.
    async fn names_are_free(&self, current: &Current<'_>, parts: &[Part]) -> Result<(), RunError> {
        for part in parts {
            let (index, table) = match part {
                Part::Alone { table, index, .. } => (index.clone(), table),
                Part::Build(build) => (build.index(), &build.table),
                Part::Attach { .. } => continue,
            };
            let taken = match self.probe(current, &index, Some(table)).await? {
                Probe::Absent => continue,
                Probe::Taken(what) => what,
                Probe::Found(found) => found.definition,
            };
            return Err(current.refused(format!(
                "the name {} is to be that of its index on {}, and is taken: {taken}",
                index.plain(),
                table.plain()
            )));
        }
        Ok(())
    }

    /// Makes an index on a partitioned relation alone.
    async fn alone(
        &self,
        current: &Current<'_>,
        unique: bool,
        [table, index]: [&QName; 2],
        sql: &str,
        on_record: &mut OnRecord<'_>,
    ) -> Result<Ended, RunError> {
        let made =
            IndexBuild { table: table.clone(), name: index.name.clone(), create: sql.to_owned(), unique };
        let probe = self.probe(current, index, Some(table)).await?;
        match to_build(&probe, on_record.before, &made) {
            ToBuild::Done | ToBuild::DropFirst if on_record.before => Ok(Ended::Done),
            ToBuild::Build => {
                on_record.start(self, current).await?;
                self.quickly(current, vec![(table.clone(), Lock::Share)], sql).await
            }
            ToBuild::Refuse(why) => Err(current.refused(why)),
            ToBuild::Done | ToBuild::DropFirst | ToBuild::Busy(_) => Err(current.refused(format!(
                "an index of this name is there already, which is not of this step: {}",
                index.plain()
            ))),
        }
    }

    /// Runs a statement that is over in a moment once it has its locks, under the limits of
    /// every other statement.
    async fn quickly(
        &self,
        current: &Current<'_>,
        locks: Vec<(QName, Lock)>,
        sql: &str,
    ) -> Result<Ended, RunError> {
        let run = async |limits: Limits| self.target.run_quickly(sql, &limits, &current.gauge).await;
        self.with_care(current, Moment::new(locks), run).await
    }

    /// Drops the index of a partitioned table with those of its partitions: PostgreSQL does
    /// not do that concurrently.
    pub(super) async fn drop_whole(&self, current: &Current<'_>, index: &QName) -> Result<Ended, RunError> {
        let table = self.target.table_of_index(index).await.map_err(|failure| current.failed(failure))?;
        let locks = table.map(|table| (table, Lock::AccessExclusive)).into_iter().collect();
        self.quickly(current, locks, &drop_whole_sql(index)).await
    }

    /// Drops what a build by partitions left that came to no end: indexes that are not attached.
    pub(super) async fn drop_below(&self, current: &Current<'_>, busy: &mut Busy) -> Result<Ended, RunError> {
        let Action::BuildIndex(build) = &current.step.action else { return Ok(Ended::Done) };
        let failed = |failure: Failure| current.failed(failure);
        let tree = self.target.partitions(&build.table).await.map_err(failed)?;
        // From the top: an index of a partition that is partitioned takes along what is attached.
        for index in &below(build, &tree) {
            loop {
                let ended = match self.probe(current, index, None).await? {
                    Probe::Absent => break,
                    Probe::Taken(what) => return Err(current.refused(format!("the name is taken by {what}"))),
                    Probe::Found(found) if found.partitioned => self.drop_whole(current, index).await?,
                    Probe::Found(_) => self.send(current, &drop_index_sql(index), busy).await?,
                };
                if let left @ Ended::WorkLeft(_) = ended {
                    return Ok(left);
                }
            }
        }
        Ok(Ended::Done)
    }
}
