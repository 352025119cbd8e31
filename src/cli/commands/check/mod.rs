//! `phase check`.

mod conflicts;
mod gates;
mod online;
mod opinions;
mod remark;
mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::cli::args::Global;
use crate::cli::exit::{Code, CommandError};
use crate::cli::files::ProjectError;
use crate::cli::naming::{called, only};
use crate::cli::output::Output;
use crate::cli::project::{Project, Surroundings};
use crate::core::compile::Server;
use crate::core::conflict::{Conflict, Grade};
use crate::core::lint::second::Opinion;
use crate::core::lint::{Finding, World, judge};
use crate::core::sql::deep_each;
use crate::core::timeline::Item;
use crate::core::version::Version;
use crate::engine::stop::Stop;
use gates::{Unnamed, unnamed};
use opinions::Which;
use remark::Remark;
use report::{annotate, annotate_finding, sarif, text};

/// Check plans and SQL migrations, without a server, for CI.
///
/// Parses every file, compiles it, and checks versions, dependencies, what this
/// version of phase does not support, gates that nobody can open, and which locks
/// each statement takes: what would stop the application ends with exit code 2, and
/// the safe way to paste.
/// Without a server every table counts as big and busy; --online asks the catalog.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase check\n  phase check users_display_name\n  phase check plans/20261121093000_users_display_name.yaml\n  phase check --format github\n  phase check --online\n  phase check users_display_name --online"
)]
pub struct CheckArgs {
    /// The files, or their versions or names; without any, all of the project.
    files: Vec<PathBuf>,
    /// Compare with the record as well: edited, missing and out-of-order files (exit code 6);
    /// and ask the catalog for tables, columns, sizes, types, constraints and indexes, and how busy small tables are.
    #[arg(long)]
    online: bool,
    /// Everything up to this version is over and not judged, everything after it open: two that touch the
    /// same column are a conflict. For CI, the newest version of the branch that is merged into.
    #[arg(long, value_name = "VERSION", value_parser = version, conflicts_with = "online")]
    since: Option<Version>,
    /// What a second linter, squawk, says beside: new, what the rules of phase do not judge;
    /// all, also what they judge by other means; none. It never changes the exit code.
    #[arg(long, value_enum, value_name = "WHICH", default_value_t = Which::New, hide_possible_values = true)]
    second_opinion: Which,
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
    /// SARIF 2.1.0, for code scanning.
    Sarif,
}

#[derive(Serialize)]
struct Document {
    checked: Vec<String>,
    cautions: Vec<String>,
    findings: Vec<Finding>,
    conflicts: Vec<Conflict>,
    /// Gates that nobody can open.
    gates: Vec<Unnamed>,
    second_opinion: Vec<Opinion>,
}

fn version(text: &str) -> Result<Version, String> {
    Version::parse(text).ok_or_else(|| "a version: 1 to 18 digits".into())
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
        result = online::online(global, args, stop).await;
    }
    if args.format == Format::Github
        && let Err(error) = &result
    {
        annotate("error", &error.to_string());
    }
    let Checked { items, findings, conflicts, sources, settled, server } = result?;
    // What cannot be edited any more needs no advice.
    let open = |item: &&Item| !settled.contains(&item.version);
    let second_opinion = opinions::of(items.iter().filter(open), server, &findings, args.second_opinion)?;
    let (shown, left) = conflicts::shown(&conflicts);
    let mut cautions: Vec<String> =
        items.iter().filter(open).flat_map(|item| item.cautions.clone()).collect();
    cautions.extend((left > 0).then(|| conflicts::rest(left, args.online)));
    for caution in &cautions {
        match args.format {
            Format::Text => tracing::warn!("{caution}"),
            Format::Github => annotate("warning", caution),
            Format::Json | Format::Sarif => {}
        }
    }
    let gates: Vec<Unnamed> = items.iter().filter(open).flat_map(unnamed).collect();
    let remarks = gates.iter().map(Remark::of_gate).chain(shown.into_iter().map(Remark::of_conflict));
    let remarks: Vec<Remark> = remarks.chain(second_opinion.iter().map(Remark::of_opinion)).collect();
    let refused = findings.iter().filter(|finding| finding.refuses()).count()
        + conflicts.iter().filter(|conflict| conflict.level == Grade::Error).count()
        + gates.len();
    let summary = match (items.len(), findings.len() + conflicts.len() + gates.len(), refused) {
        (0, ..) => "there is nothing to check yet: phase new NAME".into(),
        (n, 0, _) => format!("{n} checked, all right"),
        (n, _, 0) => format!("{n} checked, nothing that stops the application"),
        (n, ..) => format!("{n} checked, {refused} must not run like this"),
    };
    let report = match args.format {
        Format::Text => {
            let said: String = remarks.iter().map(|remark| remark.text(&sources)).collect();
            text(&findings, &sources) + &said + &summary
        }
        Format::Github => {
            findings.iter().for_each(annotate_finding);
            remarks.iter().for_each(Remark::annotate);
            summary
        }
        Format::Sarif => sarif(&findings, &remarks),
        Format::Json => summary,
    };
    let checked: Vec<String> = items.iter().map(Item::stem).collect();
    let document = Document { checked, cautions, findings, conflicts, gates, second_opinion };
    let code = if refused == 0 { Code::Done } else { Code::Usage };
    Ok(Output::done(report, &document).with_code(code))
}

/// What was checked.
struct Checked {
    items: Vec<Item>,
    findings: Vec<Finding>,
    conflicts: Vec<Conflict>,
    /// The text of each file.
    sources: BTreeMap<String, String>,
    /// The items that have started, or are over.
    settled: BTreeSet<Version>,
    /// The server that it was compiled for.
    server: Server,
}

fn check(global: &Global, args: &CheckArgs) -> Result<Checked, CommandError> {
    let config = global.config()?;
    let project = if args.files.is_empty() {
        Project::load(&config)?
    } else {
        Project::of(&named(&args.files, &Project::paths(&config)?)?, &config)?
    };
    let items = project.items(Server::NEWEST, &Surroundings::new())?;
    let mut faults: Vec<String> = items.iter().flat_map(|item| item.unsupported.clone()).collect();
    if args.files.is_empty() {
        faults.extend(dependencies(&items));
    }
    if !faults.is_empty() {
        return Err(ProjectError::Invalid(faults.join("\n")).into());
    }
    let small = config.small_table;
    let over = |item: &&Item| args.since.as_ref().is_some_and(|since| item.version <= *since);
    let open: Vec<&Item> = items.iter().filter(|item| !over(item)).collect();
    let judged = deep_each(&open, |item| judge(item, World::offline(Server::NEWEST.version), small))?;
    let findings = judged.into_iter().flatten().collect();
    let conflicts = if args.online { Vec::new() } else { conflicts::offline(&items, args.since.as_ref())? };
    let sources = items.iter().map(|item| (item.file.clone(), item.source.clone())).collect();
    let settled = items.iter().filter(over).map(|item| item.version.clone()).collect();
    Ok(Checked { items, findings, conflicts, sources, settled, server: Server::NEWEST })
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

/// Dependencies that are not there, or that come later.
fn dependencies(items: &[Item]) -> Vec<String> {
    let mut faults = Vec::new();
    for item in items {
        for on in &item.depends_on {
            if *on >= item.version {
                faults.push(format!("{}: depends on {on}, which does not come before it", item.file));
            } else if !items.iter().any(|other| other.version == *on) {
                faults.push(format!("{}: depends on {on}, and no file has that version", item.file));
            }
        }
    }
    faults
}
