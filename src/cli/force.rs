//! Owns `--force`: a condition of a gate that an operator passes by, with the reason on record.

use clap::Args;

use crate::cli::exit::CommandError;
use crate::core::gate::{Condition, Force};

/// Passes conditions of gates by.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct ForceArgs {
    /// Pass this condition of the gate by, though it is not open: deployed, soak, approvals, query, http, command,
    /// window, observed or unused; never proof. It is recorded in red, with --reason.
    #[arg(long, value_name = "CONDITION", requires = "reason", value_parser = condition)]
    force: Vec<Condition>,
    /// Why, for the record.
    #[arg(long, value_name = "TEXT", requires = "force")]
    reason: Option<String>,
}

fn condition(text: &str) -> Result<Condition, String> {
    match text.parse()? {
        Condition::Proof => Err("the proof is never passed by: phase validate PLAN --prove makes it".into()),
        condition => Ok(condition),
    }
}

impl ForceArgs {
    /// What is passed by, for these plans.
    ///
    /// # Errors
    /// When no plan is named, or the reason says nothing.
    pub(super) fn forces(&self, plans: &[String]) -> Result<Vec<Force>, CommandError> {
        if self.force.is_empty() {
            return Ok(Vec::new());
        }
        if plans.is_empty() {
            return Err(CommandError::Usage("--force is for the plans that are named: name them".into()));
        }
        let reason = self.reason.as_deref().unwrap_or_default().trim();
        if reason.is_empty() {
            return Err(CommandError::Usage("--reason says nothing: write why".into()));
        }
        Ok(self.force.iter().map(|gate| Force { gate: *gate, reason: reason.to_owned() }).collect())
    }
}
