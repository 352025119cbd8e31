//! `phase init`.

use std::fs;

use clap::Args;

use crate::cli::args::Global;
use crate::cli::config;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::engine::stop::Stop;

/// Write phase.yaml, plans/ and migrations/, and create the metadata schema.
///
/// What is there already stays as it is; without a server in reach of the
/// settings, use --offline.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  DATABASE_URL=postgres://app@db/shop phase init\n  phase init --offline")]
pub struct InitArgs {
    /// Write the files only; the metadata schema is created by the first command that writes.
    #[arg(long)]
    offline: bool,
}

/// Runs the command.
///
/// # Errors
/// When a file cannot be written or the server cannot be reached.
pub async fn run(global: &Global, args: &InitArgs, stop: Stop) -> Result<Output, CommandError> {
    let folder = global.folder();
    if !folder.is_dir() {
        return Err(CommandError::Usage(format!(
            "{}: there is no such folder: make it first",
            folder.display()
        )));
    }
    if global.config.is_some() {
        return Err(CommandError::Usage("init writes phase.yaml into the project's folder: leave --config out, or name the folder with -C".into()));
    }
    let mut made = Vec::new();
    let wrong = |path: &std::path::Path, error: std::io::Error| {
        CommandError::Io(format!("{}: {error}", path.display()))
    };
    let file = folder.join(config::FILE);
    if !file.exists() {
        fs::write(&file, config::TEMPLATE).map_err(|error| wrong(&file, error))?;
        made.push(file.display().to_string());
    }
    let config = global.config()?;
    for path in [&config.plans, &config.migrations] {
        if !path.exists() {
            fs::create_dir_all(path).map_err(|error| wrong(path, error))?;
            made.push(format!("{}/", path.display()));
        }
    }
    if !args.offline {
        let desk = Desk::open(global, "init", Access::Write, stop).await?;
        made.push(format!("schema {} in database {}", desk.config.schema, desk.server.database));
    }
    let text = format!(
        "{}\nnext: phase new NAME, then phase expand",
        made.iter().map(|m| format!("ready: {m}")).collect::<Vec<_>>().join("\n")
    );
    Ok(Output::done(text, &serde_json::json!({"ready": made})))
}
