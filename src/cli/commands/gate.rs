//! `phase gate`.

use std::time::{Duration, Instant};

use clap::Args;

use crate::cli::args::{Global, duration};
use crate::cli::commands::deployed::app_version;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::core::plan::model::AppVersion;
use crate::core::ready::{Build, reasons};
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::stop::Stop;

/// How often --wait looks again.
const WAIT_EVERY: Duration = Duration::from_millis(500);

/// Say whether a build of an application may start: 0 when it may, 3 when not yet.
///
/// For the application's own pipeline and start-up, with the plans that the
/// build comes with. It only looks; a role that may read the record is enough.
/// A plan that was aborted is passed over, unless it is named.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase gate --needs expanded --wait 5m\n  phase gate --app web@2.4.0 --wait 5m\n  phase gate users_display_name --needs backfilled"
)]
pub struct GateArgs {
    /// The plans and SQL migrations; without any, all in the folder.
    plans: Vec<String>,
    /// The state that plans must have reached: expanded, backfilled, validated, contracted or completed. SQL
    /// migrations must be applied.
    #[arg(long, value_name = "STATE", value_parser = state, default_value = "expanded")]
    needs: State,
    /// The application that is about to start: a plan with `requires` says what that version needs, and one that was
    /// contracted for a later version keeps it from starting.
    #[arg(long, value_name = "APP@VERSION", value_parser = app_version)]
    app: Option<AppVersion>,
    /// Wait so long until it may, also for a server that does not answer yet.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    wait: Option<Duration>,
}

impl GateArgs {
    /// For everything in the folder.
    #[must_use]
    pub const fn of(needs: State, app: Option<AppVersion>, wait: Duration) -> Self {
        Self { plans: Vec::new(), needs, app, wait: Some(wait) }
    }
}

fn state(text: &str) -> Result<State, String> {
    State::from_name(text)
        .filter(|state| !matches!(state, State::Planned | State::Aborted))
        .ok_or_else(|| "one of expanded, backfilled, validated, contracted, completed".into())
}

/// Runs the command.
///
/// # Errors
/// When the files are not right, or the server cannot be asked in time.
pub async fn run(global: &Global, args: &GateArgs, stop: Stop) -> Result<Output, CommandError> {
    let config = global.config()?;
    if !config.plans.is_dir() && !config.migrations.is_dir() {
        // A start-up in the wrong folder must not pass as "nothing is needed".
        return Err(CommandError::Usage(format!(
            "there is neither {} nor {} here: run it with the plans that the build comes with (-C DIR)",
            config.plans.display(),
            config.migrations.display()
        )));
    }
    let until = args.wait.map(|wait| Instant::now() + wait);
    let mut said = Vec::new();
    loop {
        let looked = look(global, args, stop.clone()).await;
        let over = until.is_none_or(|until| Instant::now() >= until) || stop.reason().is_some();
        let Looked { items, reasons } = match looked {
            Ok(looked) => looked,
            Err(error) if over || !passes_by_itself(&error) => return Err(error),
            Err(error) => Looked { items: 0, reasons: vec![error.to_string()] },
        };
        if over || reasons.is_empty() {
            return Ok(answer(items, &reasons));
        }
        if said != reasons {
            said.clone_from(&reasons);
            tracing::warn!("it may not start yet: {}", said.join("; "));
        }
        stop.sleep(WAIT_EVERY).await;
    }
}

struct Looked {
    items: usize,
    reasons: Vec<String>,
}

async fn look(global: &Global, args: &GateArgs, stop: Stop) -> Result<Looked, CommandError> {
    let desk = match Desk::open(global, "gate", Access::Read, stop).await {
        Err(error @ CommandError::OldRecord(_)) => {
            return Ok(Looked { items: 0, reasons: vec![format!("{error}, or phase expand")] });
        }
        desk => desk?,
    };
    let items = desk.about(&args.plans).await?.items;
    let mut wanted: Vec<&Item> = Vec::new();
    for plan in &args.plans {
        wanted.push(find(&items, plan)?);
    }
    if args.plans.is_empty() {
        wanted.extend(&items);
    }
    let build = Build { app: args.app.as_ref(), needs: args.needs, named: !args.plans.is_empty() };
    let reasons = reasons(build, &wanted, &desk.records().await?);
    Ok(Looked { items: wanted.len(), reasons })
}

/// Whether a server that is starting, or out of reach, may be all there is to it.
fn passes_by_itself(error: &CommandError) -> bool {
    match error {
        CommandError::Connect(error) => !error.is_configuration(),
        CommandError::Server(_) => true,
        _ => false,
    }
}

fn answer(items: usize, reasons: &[String]) -> Output {
    let open = reasons.is_empty();
    let (text, code) = if open {
        (format!("it may start: the {items} that it comes with or names are where it needs them"), Code::Done)
    } else {
        let lines: Vec<String> = reasons.iter().map(|reason| format!("  - {reason}")).collect();
        (format!("it may not start yet:\n{}", lines.join("\n")), Code::Waiting)
    };
    Output::done(text, &serde_json::json!({"open": open, "items": items, "reasons": reasons})).with_code(code)
}
