//! `phase completions`.

use clap::{Args, CommandFactory};

use crate::cli::args::Cli;
use crate::cli::output::Output;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  phase completions bash > ~/.local/share/bash-completion/completions/phase"
)]
pub struct CompletionsArgs {
    /// The shell.
    shell: clap_complete::Shell,
}

/// Runs the command.
#[must_use]
pub fn run(args: &CompletionsArgs) -> Output {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "phase", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    Output::done(script.clone(), &serde_json::json!({"script": script}))
}
