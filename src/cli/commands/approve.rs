//! `phase approve`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::core::timeline::Item;
use crate::engine::stop::Stop;

/// Approve a plan, for gates that ask for approvals.
///
/// An approval counts once for each database user and operating system user; `approvals` in
/// phase.yaml says what makes two people, and whether who wrote a plan may approve it.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  phase approve users_display_name --note \"checked the dashboards\"\n  phase approve users_display_name --withdraw"
)]
pub struct ApproveArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
    /// What to say with it.
    #[arg(long)]
    note: Option<String>,
    /// Take your approval back.
    #[arg(long)]
    withdraw: bool,
}

/// Runs the command.
///
/// # Errors
/// When the plan is not there or the record cannot be written.
pub async fn run(global: &Global, args: &ApproveArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "approve", Access::Write, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    desk.store.register(item).await?;
    if args.withdraw {
        let withdrawn = desk.store.withdraw(&item.version, &desk.actor, args.note.as_deref()).await?;
        let text = if withdrawn {
            format!("{}: {} has taken the approval back", item.stem(), desk.actor)
        } else {
            format!("{}: {} has not approved it: nothing to take back", item.stem(), desk.actor)
        };
        let document = document(item, &desk.actor, false, withdrawn);
        return Ok(Output::done(text, &document));
    }
    desk.refuse_over(item).await?;
    desk.store.approve(&item.version, &desk.actor, args.note.as_deref()).await?;
    let text = format!("{}: approved by {}", item.stem(), desk.actor);
    Ok(Output::done(text, &document(item, &desk.actor, true, false)))
}

fn document(item: &Item, by: &str, approved: bool, withdrawn: bool) -> serde_json::Value {
    serde_json::json!({"plan": item.stem(), "by": by, "approved": approved, "withdrawn": withdrawn})
}
