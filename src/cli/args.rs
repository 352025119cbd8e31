//! Owns the command line's grammar: the commands, and the options that all share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::cli::commands;
use crate::cli::config::Config;
use crate::cli::exit::CommandError;
use crate::cli::files::ProjectError;
use crate::pg::connect::ConnectSettings;

/// Takes a live PostgreSQL database from one schema to the next, phase by
/// phase, while old and new application code both run.
///
/// A plan goes planned → expanded → backfilled → validated → contracted →
/// completed; `abort` leads back from any state before its end.
#[derive(Debug, Parser)]
#[command(
    name = "phase",
    version,
    max_term_width = 100,
    after_help = "\
First steps:
  phase init                      write phase.yaml, plans/ and migrations/
  phase new add_currency          write a plan from a template
  phase expand                    bring everything pending to expanded, before the code ships
  phase status                    where everything stands, and the next command

Exit codes: 0 done, 1 failed, 2 usage or plan error, 3 waiting, 4 another runner, 5 work left, 6 drift."
)]
pub struct Cli {
    /// Options that every command takes.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// The server, as a URL or key=value pairs; better in DATABASE_URL, where no process list shows it.
    #[arg(long, global = true, value_name = "URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Run as if started in this folder.
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// The configuration file, in the place of phase.yaml.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print one JSON document instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// How long to wait for another runner, such as 30s or 5m; without it, fail at once with exit code 4.
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub lock_wait: Option<Duration>,
    /// Say more; twice for debugging.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing on the way, only the result.
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

/// Reads a duration such as `2h 30m`.
///
/// # Errors
/// When the text is none.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; write it like 30s, 5m or 2h"))
}

impl Global {
    /// The folder that the command works in.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.directory.clone().unwrap_or_else(|| PathBuf::from("."))
    }

    /// The configuration of the project.
    ///
    /// # Errors
    /// When `phase.yaml` is not right.
    pub fn config(&self) -> Result<Config, ProjectError> {
        if let Some(folder) = self.directory.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(ProjectError::Read {
                path: folder.display().to_string(),
                why: "there is no such folder".into(),
            });
        }
        let mut config = Config::load(&self.folder(), self.config.as_deref())?;
        // "./plans/x.yaml" reads worse than "plans/x.yaml" in every message.
        for path in [&mut config.plans, &mut config.migrations] {
            if let Ok(short) = path.strip_prefix(".") {
                *path = short.to_path_buf();
            }
        }
        Ok(config)
    }

    /// The server.
    ///
    /// # Errors
    /// When the settings make no sense.
    pub fn connection(&self) -> Result<ConnectSettings, CommandError> {
        Ok(ConnectSettings::resolve(self.database_url.as_deref(), &|name| std::env::var(name).ok())?)
    }

    /// How long to wait for another runner.
    #[must_use]
    pub fn lock_wait(&self) -> Duration {
        self.lock_wait.unwrap_or(Duration::ZERO)
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "each command's help is on its arguments")]
pub enum Command {
    Init(commands::init::InitArgs),
    New(commands::new::NewArgs),
    Check(commands::check::CheckArgs),
    Show(commands::show::ShowArgs),
    Rehearse(commands::rehearse::RehearseArgs),
    Status(commands::status::StatusArgs),
    Advance(commands::advance::AdvanceArgs),
    Expand(commands::expand::ExpandArgs),
    Backfill(commands::phases::BackfillArgs),
    Validate(commands::phases::ValidateArgs),
    Contract(commands::phases::ContractArgs),
    Purge(commands::phases::PurgeArgs),
    Pause(commands::pause::PauseArgs),
    Resume(commands::resume::ResumeArgs),
    Tune(commands::tune::TuneArgs),
    Quarantine(commands::quarantine::QuarantineArgs),
    RetryBad(commands::quarantine::RetryBadArgs),
    Approve(commands::approve::ApproveArgs),
    Deployed(commands::deployed::DeployedArgs),
    Gate(commands::gate::GateArgs),
    Abort(commands::abort::AbortArgs),
    Rollback(commands::rollback::RollbackArgs),
    Baseline(commands::baseline::BaselineArgs),
    Import(commands::import::ImportArgs),
    History(commands::history::HistoryArgs),
    Wait(commands::wait::WaitArgs),
    Demo(commands::demo::DemoArgs),
    Completions(commands::completions::CompletionsArgs),
}
