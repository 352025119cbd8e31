//! `phase pause`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::engine::stop::Stop;

/// Put a hold on a plan, from any machine.
///
/// A backfill that runs stops after its batch; nothing new starts until
/// `phase resume`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  phase pause orders_currency --reason \"month-end closing\"")]
pub struct PauseArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
    /// Why; whoever looks at the status reads it.
    #[arg(long, default_value = "paused by an operator")]
    reason: String,
}

/// Runs the command.
///
/// # Errors
/// When the plan is not there or the record cannot be written.
pub async fn run(global: &Global, args: &PauseArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "pause", Access::Write, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    desk.refuse_over(item).await?;
    desk.store.register(item).await?;
    let placed = desk.store.hold_by(&item.version, &args.reason, &desk.actor).await?;
    let text = if placed {
        format!("{}: held; go on with: phase resume {}", item.stem(), item.version)
    } else {
        format!("{}: a hold stands already: phase status {}", item.stem(), item.version)
    };
    Ok(Output::done(text, &serde_json::json!({"held": item.stem(), "placed": placed})))
}
