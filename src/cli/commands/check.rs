//! `phase check`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::files::ProjectError;
use crate::cli::naming::{called, only};
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::core::compile::Server;
use crate::core::drift::drift;
use crate::core::record::Kind;
use crate::core::timeline::Item;
use crate::engine::stop::Stop;

/// Check plans and SQL migrations, without a server, for CI.
///
/// Parses every file, compiles it, and checks versions, dependencies and what
/// this version of phase does not support.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase check\n  phase check users_display_name\n  phase check plans/20261121093000_users_display_name.yaml\n  phase check --format github\n  phase check --online"
)]
pub struct CheckArgs {
    /// The files, or their versions or names; without any, all of the project.
    files: Vec<PathBuf>,
    /// Compare with the record as well: edited, missing and out-of-order files (exit code 6).
    #[arg(long, conflicts_with = "files")]
    online: bool,
    /// How to print faults.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How faults are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON document, as with --json.
    Json,
    /// Annotations for GitHub Actions.
    Github,
}

#[derive(Serialize)]
struct Document {
    checked: Vec<String>,
    cautions: Vec<String>,
}

impl CheckArgs {
    /// Whether the result is to be one JSON document.
    #[must_use]
    pub fn json(&self) -> bool {
        self.format == Format::Json
    }
}

/// Runs the command.
///
/// # Errors
/// When a file is not right.
pub async fn run(global: &Global, args: &CheckArgs, stop: Stop) -> Result<Output, CommandError> {
    let mut result = check(global, args);
    if args.online && result.is_ok() {
        result = online(global, stop).await;
    }
    if args.format == Format::Github
        && let Err(error) = &result
    {
        annotate("error", &error.to_string());
    }
    let items = result?;
    let text = match items.len() {
        0 => "there is nothing to check yet: phase new NAME".into(),
        n => format!("{n} checked, all right"),
    };
    let cautions: Vec<String> = items.iter().flat_map(|item| item.cautions.clone()).collect();
    for caution in &cautions {
        match args.format {
            Format::Text => tracing::warn!("{caution}"),
            Format::Github => annotate("warning", caution),
            Format::Json => {}
        }
    }
    let checked: Vec<String> = items.iter().map(Item::stem).collect();
    let document = Document { checked, cautions };
    Ok(Output::done(text, &document))
}

fn check(global: &Global, args: &CheckArgs) -> Result<Vec<Item>, CommandError> {
    let config = global.config()?;
    let project = if args.files.is_empty() {
        Project::load(&config)?
    } else {
        Project::of(&named(&args.files, &Project::paths(&config)?)?, config.limits)?
    };
    let items = project.items(Server::NEWEST)?;
    let mut faults: Vec<String> = items.iter().flat_map(|item| item.unsupported.clone()).collect();
    if args.files.is_empty() {
        faults.extend(dependencies(&items));
    }
    if faults.is_empty() { Ok(items) } else { Err(ProjectError::Invalid(faults.join("\n")).into()) }
}

/// The files that are meant, each once: a path, or a version, a name or the beginning of either.
fn named(wanted: &[PathBuf], paths: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files: Vec<PathBuf> = Vec::new();
    for text in wanted {
        let name = |path: &PathBuf| called(path).map(|(version, name)| (version, name.to_owned()));
        let file =
            if text.is_file() { text.clone() } else { only(paths, &text.to_string_lossy(), name)?.clone() };
        if !files.contains(&file) {
            files.push(file);
        }
    }
    Ok(files)
}

/// The same against the record: what stops work on the timeline stops here.
async fn online(global: &Global, stop: Stop) -> Result<Vec<Item>, CommandError> {
    let desk = Desk::open(global, "check", Access::Read, stop).await?;
    let items = desk.items()?;
    let drifts = drift(&items, &desk.records().await?);
    if drifts.is_empty() { Ok(items) } else { Err(CommandError::Drift(drifts)) }
}

/// Dependencies that are not there, or that come later.
fn dependencies(items: &[Item]) -> Vec<String> {
    let mut faults = Vec::new();
    for item in items.iter().filter(|item| item.kind == Kind::Plan) {
        for on in &item.depends_on {
            if *on > item.version {
                faults.push(format!("{}: depends on {on}, which comes after it", item.file));
            } else if !items.iter().any(|other| other.version == *on) {
                faults.push(format!("{}: depends on {on}, and no file has that version", item.file));
            }
        }
    }
    faults
}

/// Writes faults as workflow commands; the first line of each is `file:line:column: message`.
fn annotate(level: &str, faults: &str) {
    use std::io::Write;
    for fault in faults.split("\n\n") {
        let mut parts = fault.lines().next().unwrap_or_default().splitn(4, ':');
        let (file, line, column, message) = (parts.next(), parts.next(), parts.next(), parts.next());
        let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<u32>().ok());
        let annotation = match (file, number(line), number(column), message) {
            (Some(file), Some(line), Some(column), Some(message)) => {
                format!("::{level} file={file},line={line},col={column}::{}", message.trim())
            }
            _ => format!("::{level}::{}", fault.replace('\n', "%0A")),
        };
        let _ = writeln!(anstream::stdout(), "{annotation}");
    }
}
