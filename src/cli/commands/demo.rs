//! `phase demo`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::engine::stop::Stop;

/// Show a whole change under load, on a throwaway server.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Rows in each table.
    #[arg(long, default_value_t = 200_000)]
    rows: u64,
    /// Leave the server running and say where it is.
    #[arg(long)]
    keep: bool,
}

/// Runs the command.
///
/// # Errors
/// When it fails.
pub async fn run(_: &Global, _: &DemoArgs, _: Stop) -> Result<Output, CommandError> {
    Err(CommandError::Demo("not there yet".into()))
}
