//! The library half: a Rust application that opens its gate, or expands by itself, before it starts to serve.
//!
//! What it does is what the commands do, over the same record and under the same locks: however many instances start
//! together, each step runs once. `examples/start.rs` is a whole program.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::cli::args::Global;
use crate::cli::commands::{expand, gate};
use crate::cli::exit::{Code, CommandError};
use crate::cli::output::Output;
use crate::core::plan::model::AppVersion;
use crate::core::state::State;
use crate::engine::stop::{Stop, Stopper};

/// The plans and SQL migrations that an application comes with, and its database.
///
/// The work is done on a thread of its own, whatever runtime awaits it; a future that is dropped asks it to stop at the
/// next safe place.
#[derive(Debug, Clone)]
pub struct Phase {
    global: Global,
}

/// How it ended.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// As the exit code of the command.
    pub code: Code,
    /// As the command says it to people.
    pub text: String,
    /// As the command says it to programs (docs/json.md).
    pub json: serde_json::Value,
}

impl Outcome {
    /// Whether all is done, or the gate is open.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.code, Code::Done)
    }

    fn of(output: Output) -> Self {
        Self { code: output.code, text: output.text, json: output.json }
    }
}

impl Phase {
    /// Of a folder with `plans/`, `migrations/` and `phase.yaml`. The database comes from the environment
    /// (DATABASE_URL, or the PG* variables) unless [`Self::database_url`] names it.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            global: Global {
                database_url: None,
                directory: Some(folder.into()),
                config: None,
                json: false,
                lock_wait: None,
                verbose: 0,
                quiet: true,
            },
        }
    }

    /// With this database, as a URL or key=value pairs.
    #[must_use]
    pub fn database_url(mut self, url: impl Into<String>) -> Self {
        self.global.database_url = Some(url.into());
        self
    }

    /// Waits so long for another instance that is at the same work.
    #[must_use]
    pub const fn lock_wait(mut self, wait: Duration) -> Self {
        self.global.lock_wait = Some(wait);
        self
    }

    /// Brings everything pending to where new code may ship, as `phase expand`.
    ///
    /// # Errors
    /// As the command; [`CommandError::code`] is its exit code.
    pub async fn expand(&self) -> Result<Outcome, CommandError> {
        let global = self.global.clone();
        apart(async move |stop| expand::run(&global, &expand::ExpandArgs::default(), stop).await).await
    }

    /// Waits until a build may start, as `phase gate --needs STATE --app APP@VERSION --wait DURATION`; the outcome is
    /// not done where it may not when the time is over.
    ///
    /// # Errors
    /// As the command.
    pub async fn gate(
        &self,
        needs: State,
        app: Option<AppVersion>,
        wait: Duration,
    ) -> Result<Outcome, CommandError> {
        let global = self.global.clone();
        let args = gate::GateArgs::of(needs, app, wait);
        apart(async move |stop| gate::run(&global, &args, stop).await).await
    }
}

/// The stack of the thread, in bytes: that of a main thread, which the commands are made for.
const STACK: usize = 8 << 20;

/// Runs a command on a thread of its own.
async fn apart<F>(command: F) -> Result<Outcome, CommandError>
where
    F: AsyncFnOnce(Stop) -> Result<Output, CommandError> + Send + 'static,
{
    let (stopper, stop) = Stop::new();
    let (done, ended) = oneshot::channel();
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = match runtime {
            Ok(runtime) => {
                let result = runtime.block_on(command(stop)).map(Outcome::of);
                runtime.shutdown_background();
                result
            }
            Err(error) => Err(CommandError::Io(format!("the runtime could not start: {error}"))),
        };
        // Nobody may be waiting any more.
        let _ = done.send(result);
    };
    let thread = std::thread::Builder::new().name("phase".into()).stack_size(STACK).spawn(work);
    thread.map_err(|error| CommandError::Io(format!("the thread could not start: {error}")))?;
    let dropped = StopWhenDropped(stopper);
    let result = ended.await;
    drop(dropped);
    result.unwrap_or_else(|_| Err(CommandError::Io("its thread ended without a result".into())))
}

struct StopWhenDropped(Stopper);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.stop();
    }
}
