//! The last look at a table that has no key: its proof goes by pages, and a row
//! that its writers move to a page that was read already would be missed. One
//! statement sees every row once, wherever it is.

use std::time::Duration;

use crate::core::backfill::{Backfill, Table, Walk};
use crate::core::failure::{Failure, FailureKind};
use crate::core::step::Limits;
use crate::engine::backfill::ports::{Proof, Which};
use crate::engine::current::Current;
use crate::engine::error::RunError;
use crate::engine::execute::Execution;
use crate::engine::{Store, Target};

/// How often a proof begins again because rows had moved past it.
const AGAIN: u32 = 5;

impl<S: Store, T: Target> Execution<'_, S, T> {
    /// Whether rows are out of step that the proof did not meet; then it begins
    /// again, for the `tries`-th time. Only a sync keeps rows right from here on:
    /// without one, rows that come are out of step whatever a proof says.
    pub(super) async fn strayed(
        &self,
        current: &Current<'_>,
        backfill: &Backfill,
        which: &Which,
        table: &Table,
        proof: Proof,
        tries: u32,
    ) -> Result<bool, RunError> {
        if !backfill.synced() {
            return Ok(false);
        }
        let bad = self.store.quarantined(&which.version, Some(&which.step)).await?;
        let limits = Limits { statement_timeout: Duration::ZERO, ..self.limits };
        let mut found = 0;
        for leaf in table.leaves.iter().filter(|leaf| backfill.proof_walk(leaf) == Walk::Pages) {
            let name = leaf.table.to_string();
            let bad: Vec<_> = bad.iter().filter(|row| row.leaf == name).map(|row| row.key.clone()).collect();
            let sql = backfill.astray_sql(leaf, &bad);
            let value =
                self.target.fetch_value(&sql, &limits).await.map_err(|failure| current.failed(failure))?;
            found += value.and_then(|count| count.parse::<i64>().ok()).unwrap_or(0);
        }
        if found <= proof.out_of_step {
            return Ok(false);
        }
        if tries >= AGAIN {
            return Err(current.failed(Failure::new(
                FailureKind::Other,
                format!(
                    "{found} rows are out of step that {tries} proofs in a row did not meet: the table has no key, and its \
                     writers move rows all the time; try again in a quiet hour, or give the table a primary key"
                ),
            )));
        }
        Ok(true)
    }
}
