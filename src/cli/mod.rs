//! The command line: one file a command, and the only place that wires everything.

pub mod again;
pub mod args;
pub mod commands;
pub mod config;
pub mod desk;
pub mod exit;
pub mod files;
mod force;
mod guard;
pub mod naming;
pub mod output;
mod preflight;
mod progress;
pub mod project;
pub mod readable;
mod share;
mod waits;
pub mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::args::{Cli, Command};
use crate::cli::exit::{Code, CommandError};
use crate::engine::stop::{Stop, Stopper};

/// Parses the command line, runs the command and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { u8::from(Code::Usage) } else { 0 });
        }
    };
    tracing_to_stderr(cli.global.verbose);
    // All of it is waiting for servers: between more threads every answer would be passed on once more.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!("the runtime could not start: {error}");
            return ExitCode::from(u8::from(Code::Failed));
        }
    };
    let json = cli.global.json || matches!(&cli.command, Command::Check(args) if args.json());
    // What only looks has no safe place to go to.
    let looks = matches!(&cli.command, Command::Status(_));
    let result = runtime.block_on(async {
        let (stopper, stop) = Stop::new();
        let signals = tokio::spawn(stop_on_signals(stopper, looks));
        let result = Box::pin(run(cli, stop)).await;
        signals.abort();
        result
    });
    let code = output::print(result, json);
    // A connection that hangs must not keep the process from ending.
    runtime.shutdown_background();
    ExitCode::from(u8::from(code))
}

async fn run(cli: Cli, stop: Stop) -> Result<output::Output, CommandError> {
    let global = &cli.global;
    match cli.command {
        Command::Init(args) => commands::init::run(global, &args, stop).await,
        Command::New(args) => commands::new::run(global, &args),
        Command::Check(args) => commands::check::run(global, &args, stop).await,
        Command::Show(args) => commands::show::run(global, &args, stop).await,
        Command::Rehearse(args) => commands::rehearse::run(global, &args, stop).await,
        Command::Status(args) => commands::status::run(global, &args, stop).await,
        Command::Advance(args) => commands::advance::run(global, &args, stop).await,
        Command::Expand(args) => commands::expand::run(global, &args, stop).await,
        Command::Backfill(args) => commands::phases::backfill(global, &args, stop).await,
        Command::Validate(args) => commands::phases::validate(global, &args, stop).await,
        Command::Contract(args) => commands::phases::contract(global, &args, stop).await,
        Command::Purge(args) => commands::phases::purge(global, &args, stop).await,
        Command::Tune(args) => commands::tune::run(global, &args, stop).await,
        Command::Quarantine(args) => commands::quarantine::list(global, &args, stop).await,
        Command::RetryBad(args) => commands::quarantine::retry(global, &args, stop).await,
        Command::Pause(args) => commands::pause::run(global, &args, stop).await,
        Command::Resume(args) => commands::resume::run(global, &args, stop).await,
        Command::Approve(args) => commands::approve::run(global, &args, stop).await,
        Command::Deployed(args) => commands::deployed::run(global, &args, stop).await,
        Command::Wait(args) => commands::wait::run(global, &args, stop).await,
        Command::Gate(args) => commands::gate::run(global, &args, stop).await,
        Command::Abort(args) => commands::abort::run(global, &args, stop).await,
        Command::Rollback(args) => commands::rollback::run(global, &args, stop).await,
        Command::Baseline(args) => commands::baseline::run(global, &args, stop).await,
        Command::Import(args) => commands::import::run(global, &args, stop).await,
        Command::History(args) => commands::history::run(global, &args, stop).await,
        Command::Demo(args) => commands::demo::run(global, &args, stop).await,
        Command::Completions(args) => Ok(commands::completions::run(&args)),
    }
}

/// The first Ctrl-C or SIGTERM asks for a stop at the next safe place; the
/// second ends the process at once, which is safe too: what is on record is
/// taken up by the next run.
async fn stop_on_signals(stopper: Stopper, looks: bool) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::warn!("signals cannot be caught; Ctrl-C ends the process at once");
        return std::future::pending().await;
    };
    let mut once = async || {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    once().await;
    if !looks {
        tracing::warn!("stopping at the next safe place; once more to stop at once");
    }
    stopper.stop();
    once().await;
    std::process::exit(i32::from(u8::from(Code::Failed)));
}

fn tracing_to_stderr(verbose: u8) {
    use tracing_subscriber::EnvFilter;
    let default = match verbose {
        0 => "phase=warn",
        1 => "phase=info",
        2 => "phase=debug",
        _ => "debug",
    };
    let filter = EnvFilter::try_from_env("PHASE_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .with_target(false)
        .without_time()
        .try_init();
}
