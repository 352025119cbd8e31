//! Helps with a backfill whose plan another process runs: leases chunks of it
//! until there are none.

use super::crew::{Crew, CrewEnd};
use super::ports::{Standing, Which};
use crate::core::backfill::Backfill;
use crate::core::failure::Failure;
use crate::core::step::{Action, Step};
use crate::engine::current::{Current, Direction};
use crate::engine::error::RunError;
use crate::engine::execute::Execution;
use crate::engine::{Store, Target};

/// What a helper found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Helped {
    /// No chunk is to be had now; others may still be at work.
    NothingNow,
    /// It stopped at a safe place; why.
    Halted(String),
}

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Works on whatever backfill of `steps` is under way, until no chunk is to
    /// be had.
    ///
    /// # Errors
    /// When a batch fails, or the record cannot be read.
    pub async fn help(&self, steps: &[Step]) -> Result<Helped, RunError> {
        for (position, step) in steps.iter().enumerate() {
            let Action::Backfill(backfill) = &step.action else { continue };
            let which = Which { version: self.fence.version.clone(), step: step.id.clone() };
            let Some(Standing { left, open: true, hold, .. }) = self.store.standing(&which).await? else {
                continue;
            };
            if let Some(reason) = hold {
                return Ok(Helped::Halted(format!("it is paused: {reason}")));
            }
            if left == 0 {
                continue;
            }
            let current = Current::new(step, position, Direction::Do, None);
            let hand = self.in_batches(&current, self.lend_a_hand(&current, backfill, &which));
            if let CrewEnd::Halted(why) = self.measured(&current, hand).await? {
                return Ok(Helped::Halted(why));
            }
        }
        Ok(Helped::NothingNow)
    }

    async fn lend_a_hand(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
        which: &Which,
    ) -> Result<CrewEnd, RunError> {
        let failed = |failure: Failure| current.failed(failure);
        let table = self.target.table(backfill).await.map_err(failed)?;
        let memory = std::sync::Mutex::default();
        Crew::new(self, current, backfill, which, &table, false, &memory)
            .run()
            .await
            .map_err(|error| current.of_step(error))
    }
}
