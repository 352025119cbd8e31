//! Refuses what would stop the application, before it runs: the linter's errors
//! against the database as it is now.

use crate::cli::desk::Desk;
use crate::cli::exit::CommandError;
use crate::core::lint::{Finding, is_judged, is_settled, judge_rest, mentions};
use crate::core::plan::located;
use crate::core::record::Record;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::Store;

/// Looks at the steps of an item that are not done yet; says what is only to be
/// looked at where the item starts, and refuses the rest.
///
/// # Errors
/// When a statement must not run like this, or the server cannot be asked.
pub(super) async fn refuse_unsafe(desk: &Desk, item: &Item, record: &Record) -> Result<(), CommandError> {
    let steps = desk.store.steps(&item.version).await?;
    let done = |step: &str| is_settled(item, &steps, step);
    if item.steps.iter().all(|step| !is_judged(step) || done(&step.id)) {
        return Ok(());
    }
    let world = desk.target.world_in_use(&mentions(item.steps_both_ways())?, desk.config.small_table).await?;
    let findings = judge_rest(item, world, desk.config.small_table, &done)?;
    let (refused, rest): (Vec<Finding>, Vec<Finding>) =
        findings.into_iter().filter(|finding| !done(&finding.step)).partition(Finding::refuses);
    // Whoever goes on with a plan has read it where it began.
    let says = record.state == State::Planned && !desk.quiet;
    for finding in rest {
        let Finding { file, line, column, .. } = &finding;
        if says {
            tracing::warn!("{file}:{line}:{column}: {}", finding.headline());
        }
        if let (true, Some(reason)) = (refused.is_empty(), &finding.allowed) {
            let detail = format!("{} of {} is accepted: {reason}", finding.rule, finding.step);
            desk.store.note(&item.version, "lint", &detail).await?;
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let shown = refused.iter().map(|finding| {
        // The text of a file that the plan pulls in is not the plan's.
        let text = if finding.file == item.file { item.source.as_str() } else { "" };
        located(&finding.file, text, Some(finding.place()), &finding.headline()) + "\n" + &finding.details()
    });
    Err(CommandError::Unsafe {
        findings: shown.collect::<Vec<_>>().join("\n"),
        began: record.state != State::Planned || record.goal != State::Planned,
    })
}
