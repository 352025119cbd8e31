//! An application that opens its gate before it serves, or expands by itself where nobody else does.
//!
//!     DATABASE_URL=postgres://… cargo run --example start -- web@2.4.0

use std::process::ExitCode;
use std::time::Duration;

use phase::core::plan::model::AppVersion;
use phase::core::state::State;
use phase::embed::Phase;

/// How long this application waits for its database.
const PATIENCE: Duration = Duration::from_secs(300);

/// Returns when the database is where this version needs it. With `expand`, this process applies what is pending; of
/// several that start together, one does and the others wait for it.
pub(crate) async fn ready(phase: Phase, app: AppVersion, expand: bool) -> Result<(), String> {
    let phase = phase.lock_wait(PATIENCE);
    if expand {
        let applied = phase.expand().await.map_err(|error| error.to_string())?;
        if !applied.is_done() {
            return Err(applied.text);
        }
    }
    let gate = phase.gate(State::Expanded, Some(app), PATIENCE).await.map_err(|error| error.to_string())?;
    if gate.is_done() { Ok(()) } else { Err(gate.text) }
}

#[allow(
    dead_code,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program that speaks; the tests run what is above"
)]
#[tokio::main]
async fn main() -> ExitCode {
    let named = std::env::args().nth(1).and_then(|text| AppVersion::parse(&text));
    let Some(app) = named else {
        eprintln!("usage: start APP@VERSION");
        return ExitCode::from(2);
    };
    let expand = std::env::var_os("EXPAND").is_some();
    match ready(Phase::new("."), app, expand).await {
        Ok(()) => {
            println!("serving");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
