//! `phase wait`.

use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::args::{Global, duration};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::core::brief::brief;
use crate::engine::stop::Stop;
use crate::pg::connect::{ConnectError, ConnectSettings, ServerFacts, SessionRole, connect};

/// How often it tries.
const TRY_EVERY: Duration = Duration::from_millis(500);

/// Wait until the server answers and takes writes.
///
/// For scripts and init containers that start beside their server. A wrong
/// setting ends it at once (exit code 2); a server that refuses, starts up or
/// is a standby is tried again until the time is over (exit code 1, with the
/// last reason).
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase wait\n  phase wait --timeout 5m && phase expand\n  phase wait --read-only"
)]
pub struct WaitArgs {
    /// How long to try.
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    timeout: Duration,
    /// A standby will do: it need not take writes.
    #[arg(long)]
    read_only: bool,
}

/// Runs the command.
///
/// # Errors
/// When a setting is wrong, or the server does not answer in time.
pub async fn run(global: &Global, args: &WaitArgs, stop: Stop) -> Result<Output, CommandError> {
    let settings = global.connection()?;
    let began = Instant::now();
    let mut said = String::new();
    loop {
        let left = args.timeout.saturating_sub(began.elapsed());
        let answer = match tokio::time::timeout(left.max(TRY_EVERY), ask(&settings, args.read_only)).await {
            Ok(answer) => answer,
            Err(_) => Err(CommandError::Io("the server took the connection and does not answer".into())),
        };
        match answer {
            Ok(server) => return Ok(up(&server, began.elapsed())),
            Err(error) if over(&error) || began.elapsed() >= args.timeout || stop.reason().is_some() => {
                return Err(error);
            }
            Err(error) => {
                let why = error.to_string();
                if said != why {
                    tracing::warn!("waiting: {why}");
                    said = why;
                }
                stop.sleep(TRY_EVERY.min(left)).await;
            }
        }
    }
}

async fn ask(settings: &ConnectSettings, read_only: bool) -> Result<ServerFacts, CommandError> {
    let session = connect(settings, SessionRole::Control).await?;
    let server = session.facts().await?;
    if !read_only {
        server.refuse_standby()?;
    }
    Ok(server)
}

/// Whether another try cannot help.
const fn over(error: &CommandError) -> bool {
    matches!(error, CommandError::Connect(ConnectError::Settings(_)))
}

fn up(server: &ServerFacts, took: Duration) -> Output {
    let (major, minor) = (server.version / 10_000, server.version % 10_000);
    let text = format!("PostgreSQL {major}.{minor} answers, after {}", brief(took));
    let document = serde_json::json!({
        "up": true, "version": server.version, "standby": server.standby, "after_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
    });
    Output::done(text, &document)
}
