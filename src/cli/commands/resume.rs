//! `phase resume`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::core::step::{Action, Step, Undo};
use crate::core::timeline::{Item, Rollback};
use crate::engine::backfill::ports::Ledger;
use crate::engine::stop::Stop;
use crate::pg::lock::LockKey;

/// Lift the hold on a plan.
///
/// Where phase itself placed the hold because it cannot know whether a
/// statement took effect, look at the database first and say what you found.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase resume orders_currency\n  phase resume 20261121093000 --step-done"
)]
pub struct ResumeArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
    /// The interrupted statement took effect: do not run it again.
    #[arg(long, conflicts_with = "step_again")]
    step_done: bool,
    /// The interrupted statement did not take effect: run it again.
    #[arg(long)]
    step_again: bool,
}

/// The steps whose outcome nobody can look up. Of all others the record or the
/// catalog tells how far they are, and an operator's word would only hide work.
fn in_doubt(item: &Item) -> Vec<&str> {
    let down = match &item.down {
        Rollback::Steps(steps) => steps.as_slice(),
        Rollback::Refused(_) => &[],
    };
    let alone = |action: &Action| matches!(action, Action::Autocommit { .. });
    let open = |step: &&Step| alone(&step.action) || matches!(&step.undo, Undo::Run(undo) if alone(undo));
    item.steps.iter().chain(down).filter(open).map(|step| step.id.as_str()).collect()
}

/// Runs the command.
///
/// # Errors
/// When the plan is not there, runs somewhere, or the record cannot be written.
pub async fn run(global: &Global, args: &ResumeArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "resume", Access::Write, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    desk.refuse_over(item).await?;
    let mut said = Vec::new();
    if args.step_done || args.step_again {
        let key = LockKey::Item(item.version.clone());
        desk.lock(&key).await?;
        let resolved = desk.store.resolve_step(&item.version, args.step_done, &in_doubt(item)).await?;
        desk.unlock(&key).await?;
        if resolved == 0 {
            return Err(CommandError::Usage(format!("{}: no step of it is in doubt", item.stem())));
        }
        said.push(if args.step_done { "the step counts as done" } else { "the step will run again" });
    }
    let lifted = desk.store.lift_hold(&item.version, &desk.actor).await?;
    said.push(if lifted { "the hold is lifted" } else { "no hold stands" });
    let mut text =
        format!("{}: {}; go on with: phase advance {}", item.stem(), said.join(", "), item.version);
    let bad = desk.store.quarantined(&item.version, None).await?.len();
    if bad > 0 {
        let rows = if bad == 1 { "row is" } else { "rows are" };
        text += &format!(
            "\n  {bad} {rows} in quarantine: phase quarantine {}; it stops again at the next one when that is more than it \
             allows, which phase tune --max-quarantine changes",
            item.version
        );
    }
    Ok(Output::done(text, &serde_json::json!({"resumed": item.stem(), "lifted": lifted})))
}
