//! Builds one index concurrently, and leaves no invalid one behind when that fails.

use super::OnRecord;
use super::send::Busy;
use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::QName;
use crate::core::index::{ToBuild, to_build};
use crate::core::step::{IndexBuild, Limits, drop_index_sql};
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::execute::{Ended, Execution};
use crate::engine::{Store, Target};

/// What the server says of a key that is there twice.
const UNIQUE_VIOLATION: &str = "23505";

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Probes and builds until it is there, or somebody asks to stop.
    pub(super) async fn build_one(
        &self,
        current: &Current<'_>,
        build: &IndexBuild,
        on_record: &mut OnRecord<'_>,
    ) -> Result<Ended, RunError> {
        let index = build.index();
        let mut ours = on_record.before;
        let mut busy = Busy::new(self.limits.lock_wait_max);
        loop {
            let probe = self.probe(current, &index, Some(&build.table)).await?;
            let ended = match to_build(&probe, ours, build) {
                ToBuild::Done => return Ok(Ended::Done),
                ToBuild::Refuse(why) => return Err(current.refused(why)),
                ToBuild::Busy(pid) => self.wait_for_builder(current, pid, &mut busy).await?,
                ToBuild::DropFirst => {
                    on_record.start(self, current).await?;
                    ours = true;
                    self.send(current, &drop_index_sql(&index), &mut busy).await?
                }
                ToBuild::Build => {
                    on_record.start(self, current).await?;
                    ours = true;
                    match self.send(current, &build.create, &mut busy).await {
                        Ok(Ended::Done) => Ended::Done,
                        Ok(left) => {
                            self.clean_up(current, &index, build).await;
                            return Ok(left);
                        }
                        Err(error) => {
                            let error = self.naming_duplicates(&index, error).await;
                            self.clean_up(current, &index, build).await;
                            return Err(error);
                        }
                    }
                }
            };
            if let left @ Ended::WorkLeft(_) = ended {
                return Ok(left);
            }
            if let Some(why) = self.stop.reason() {
                return Ok(Ended::WorkLeft(why.into()));
            }
        }
    }

    /// Says which keys are there more than once, while the index that failed still tells what a key is.
    async fn naming_duplicates(&self, index: &QName, error: RunError) -> RunError {
        let RunError::Step { step, title, failure } = error else { return error };
        if failure.kind != FailureKind::Data || failure.sqlstate.as_deref() != Some(UNIQUE_VIOLATION) {
            return RunError::Step { step, title, failure };
        }
        let found = match self.target.unique_keys(index).await {
            Ok(Some(keys)) => {
                let limits = Limits { statement_timeout: self.limits.statement_timeout, ..self.limits };
                let found = self.target.fetch_value(&keys.listing(), &limits).await.ok().flatten();
                let found = found.map_or_else(String::new, |found| format!("\nduplicates: {found}"));
                format!("{found}\nall of them: {}", keys.query())
            }
            _ => String::new(),
        };
        let message = format!("{}{found}", failure.message);
        RunError::Step { step, title, failure: Failure { message, ..failure } }
    }

    /// Leaves no invalid index behind a build that failed. What cannot be
    /// dropped now is found and dropped by the next run's probe.
    async fn clean_up(&self, current: &Current<'_>, index: &QName, build: &IndexBuild) {
        let probe = self.target.probe_index(index, Some(&build.table)).await;
        if let Ok(probe) = probe
            && to_build(&probe, true, build) == ToBuild::DropFirst
        {
            self.drop_leftover(current, index).await;
        }
    }
}
