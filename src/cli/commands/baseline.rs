//! `phase baseline`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::core::version::Version;
use crate::engine::stop::Stop;
use crate::pg::lock::LockKey;

/// Record everything up to a version as done, without running it.
///
/// For a database that already has what these files would do. What is on
/// record already stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  phase baseline 20261101090000")]
pub struct BaselineArgs {
    /// The newest version that the database already has.
    version: String,
}

/// Runs the command.
///
/// # Errors
/// When no file has this version or another runner is at work.
pub async fn run(global: &Global, args: &BaselineArgs, stop: Stop) -> Result<Output, CommandError> {
    let upto = Version::parse(&args.version)
        .ok_or_else(|| CommandError::Usage(format!("{:?} is no version: 1 to 18 digits", args.version)))?;
    let desk = Desk::open(global, "baseline", Access::Write, stop).await?;
    let items = desk.items().await?;
    if !items.iter().any(|item| item.version == upto) {
        return Err(CommandError::Usage(format!("no file has version {upto}")));
    }
    desk.lock(&LockKey::Timeline).await?;
    let mut done = Vec::new();
    for item in items.iter().filter(|item| item.version <= upto) {
        if desk.store.baseline(item).await? {
            done.push(item.stem());
        }
    }
    let text = match done.len() {
        0 => "everything up to there is on record already".into(),
        n => format!("{}\n{n} recorded as done, none was run", done.join("\n")),
    };
    Ok(Output::done(text, &serde_json::json!({"baseline": done})))
}
