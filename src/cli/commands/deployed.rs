//! `phase deployed`.

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::output::Output;
use crate::core::gate::Marker;
use crate::core::plan::model::{AppVersion, Compare};
use crate::engine::stop::Stop;
use crate::pg::store::Placed;

/// Record that a version of an application is live everywhere.
///
/// Run it after the last instance of the old version is gone. The newest
/// marker of an application in each environment counts: a marker with an older
/// version, after a rollback of the deploy, closes the gate again.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase deployed web@2.4.0\n  phase deployed web@2.4.0 --environment eu --revision \"$GIT_SHA\"\n  phase deployed web --environment us --gone"
)]
pub struct DeployedArgs {
    /// The application and its version; with --gone the application alone.
    #[arg(value_name = "APP@VERSION")]
    app: String,
    /// Where, if the same database serves several environments: gates wait for each that has a marker.
    #[arg(long, value_name = "NAME", env = "PHASE_ENVIRONMENT")]
    environment: Option<String>,
    /// The revision of its source, such as a git commit.
    #[arg(long, value_name = "TEXT")]
    revision: Option<String>,
    /// The application does not run there any more: its markers do not count.
    #[arg(long)]
    gone: bool,
}

/// Reads an application and its version, as a person types them.
pub(super) fn app_version(text: &str) -> Result<AppVersion, String> {
    let read = AppVersion::parse(text);
    let app =
        read.ok_or_else(|| format!("{text:?} is no application and version: write it like web@2.4.0"))?;
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
    let environment = args.environment.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let revision = args.revision.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let meant = if args.gone { None } else { Some(app_version(&args.app).map_err(CommandError::Usage)?) };
    let app = meant.as_ref().map_or(args.app.as_str(), |meant| &meant.app);
    let desk = Desk::open(global, "deployed", Access::Write, stop).await?;
    let known = desk.store.markers().await?;
    let before =
        known.iter().find(|marker| marker.app == app && marker.environment.as_deref() == environment);
    let place = environment.map_or_else(String::new, |name| format!(" in {name}"));
    if meant.is_none() && before.is_none() {
        let others: Vec<&str> = known.iter().filter_map(|marker| named(marker, app)).collect();
        let has =
            if others.is_empty() { String::new() } else { format!("; it has some in {}", others.join(", ")) };
        return Err(CommandError::Usage(format!("{app} has no marker{place}{has}")));
    }
    let version = meant.as_ref().map(|meant| meant.version.as_str());
    desk.store.deployed(&Placed { app, version, environment, revision, by: &desk.actor }).await?;
    let mut text = match version {
        Some(version) => format!("{app}@{version} is live{place}"),
        None => format!("{app} is gone{place}: its markers there do not count any more"),
    };
    let back = before.zip(version).filter(|(before, version)| {
        Compare::Semantic.order(version, &before.version) == Some(std::cmp::Ordering::Less)
    });
    if let Some((before, _)) = back {
        text += &format!("; it was at {}: gates that wait for that are closed again", before.version);
    }
    let document = serde_json::json!({
        "app": app, "version": version, "environment": environment, "revision": revision, "gone": args.gone
    });
    Ok(Output::done(text, &document))
}

/// The environment of a marker of an application.
fn named<'a>(marker: &'a Marker, app: &str) -> Option<&'a str> {
    (marker.app == app).then(|| marker.environment.as_deref().unwrap_or("no named environment"))
}
