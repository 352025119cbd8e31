//! `phase deployed`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::core::plan::model::AppVersion;
use crate::engine::stop::Stop;

/// Record that a version of an application is live everywhere.
///
/// Run it after the last instance of the old version is gone. The newest
/// marker of an application counts: a marker with an older version, after a
/// rollback of the deploy, closes the gate again.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  phase deployed web@2.4.0")]
pub struct DeployedArgs {
    /// The application and its version.
    #[arg(value_name = "APP@VERSION", value_parser = app_version)]
    app: AppVersion,
}

fn app_version(text: &str) -> Result<AppVersion, String> {
    let app = match text.split_once('@') {
        Some((app, version)) if !app.is_empty() && !version.is_empty() => {
            AppVersion { app: app.into(), version: version.into() }
        }
        _ => return Err("write it like web@2.4.0".into()),
    };
    if app.is_placeholder() {
        // A marker of it would open the gate of every plan that was pasted as it was printed.
        return Err(format!(
            "{text} is what a printed plan says where nobody knew the application: write its name and version into \
             the plan's gates, and here"
        ));
    }
    Ok(app)
}

/// Runs the command.
///
/// # Errors
/// When the record cannot be written.
pub async fn run(global: &Global, args: &DeployedArgs, stop: Stop) -> Result<Output, CommandError> {
    let desk = Desk::open(global, "deployed", Access::Write, stop).await?;
    desk.store.deployed(&args.app, &desk.actor).await?;
    let AppVersion { app, version } = &args.app;
    Ok(Output::done(format!("{app}@{version} is live"), &serde_json::json!({"app": app, "version": version})))
}
