//! `phase demo`.

use std::path::{Path, PathBuf};
use std::pin::Pin;

use clap::{Args, Parser};

use crate::cli::args::{Cli, Global};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::demo::{Demo, DemoError, play};
use crate::engine::stop::Stop;
use crate::throwaway::ThrowawayError;

/// Show a whole change under load, on a throwaway server.
///
/// Starts a private PostgreSQL from the binaries at hand, fills two tables,
/// runs an old and a new version of an application as concurrent clients, and
/// takes two plans through all their phases. At the end it reports failed
/// statements and lost writes: both must be 0. Nothing is left behind.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  phase demo\n  phase demo --rows 1000000\n  phase demo --keep")]
pub struct DemoArgs {
    /// Rows in each table.
    #[arg(long, default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    rows: u64,
    /// Leave the server running at the end, and say where it is.
    #[arg(long)]
    keep: bool,
}

type Given = Pin<Box<dyn Future<Output = Result<(u8, String), String>>>>;

/// Runs the command.
///
/// # Errors
/// When there is no server, a command fails, or anything failed or was lost.
pub async fn run(global: &Global, args: &DemoArgs, stop: Stop) -> Result<Output, CommandError> {
    let quiet = global.quiet || global.json;
    let say = |text: &str| {
        if !quiet {
            use std::io::Write;
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    };
    // The commands are the real ones, each parsed from what a person would type.
    let give = |args: &[&str], url: &str, folder: &Path| -> Given {
        let typed = ["phase"].iter().chain(args).map(ToString::to_string).collect::<Vec<_>>();
        let (url, folder, stop) = (url.to_owned(), PathBuf::from(folder), stop.clone());
        Box::pin(async move {
            let mut cli = Cli::try_parse_from(typed).map_err(|error| error.to_string())?;
            cli.global.database_url = Some(url);
            cli.global.directory = Some(folder);
            cli.global.quiet = quiet;
            match Box::pin(crate::cli::run(cli, stop)).await {
                Ok(output) => Ok((output.code.into(), output.text)),
                Err(error) => Ok((error.code().into(), error.to_string())),
            }
        })
    };
    let demo = Demo { rows: args.rows, keep: args.keep };
    let report = Box::pin(play(&demo, &give, &say, &stop)).await.map_err(failed)?;
    let text = format!("\nreport\n{report}");
    if report.holds() {
        return Ok(Output::done(text, &report));
    }
    Err(CommandError::Demo(format!("the demo did not hold what it promises:{text}")))
}

fn failed(error: DemoError) -> CommandError {
    match error {
        DemoError::Server(ThrowawayError::NoBinaries { install }) => CommandError::Demo(format!(
            "{}\ninstall them: {install}\nor name their folder: PHASE_PG_BIN=/path/to/bin phase demo",
            ThrowawayError::NoBinaries { install: String::new() }
        )),
        other => CommandError::Demo(other.to_string()),
    }
}
