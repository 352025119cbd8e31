//! `phase abort`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::cli::progress;
use crate::cli::project::find;
use crate::cli::work::{Worker, check_drift, report};
use crate::core::decide::Wanted;
use crate::engine::stop::Stop;

/// Take a plan back to the old shape.
///
/// Every step that was done is taken back, newest first; after contract this
/// works while `keep` lasts. A step that cannot be taken back refuses before
/// anything is touched, with its reason. First roll the application back to
/// the version that knows the old shape only.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  phase abort users_display_name")]
pub struct AbortArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
}

/// Runs the command.
///
/// # Errors
/// When there is no way back, or a step fails on the way.
pub async fn run(global: &Global, args: &AbortArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "abort", Access::Write, stop).await?;
    let items = desk.items()?;
    let item = find(&items, &args.plan)?;
    check_drift(std::slice::from_ref(item), &desk.records().await?, true)?;
    let listener = progress::listener(global);
    let moved = Worker::new(&desk, &*listener).run(item, Wanted::Abort, &[]).await?;
    Ok(report(&[moved], ""))
}
