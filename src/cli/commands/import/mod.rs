//! `phase import`.

mod folder;
mod place;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use crate::cli::args::Global;
use crate::cli::config::Config;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::files::{ProjectError, read};
use crate::cli::naming::called;
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::core::import::detect::Found;
use crate::core::import::merge::{Fate, There, Todo, merge};
use crate::core::import::{Import, ImportError, Tool, import};
use crate::core::migration::MAX_MIGRATION_BYTES;
use crate::core::record::Kind;
use crate::engine::crash;
use crate::engine::stop::Stop;
use crate::pg::import::history;
use crate::pg::lock::LockKey;
use crate::pg::store::Done;

/// Take the history of another migration tool over.
///
/// What its table says is applied is recorded as done, and nothing of it is run; what is pending there
/// is run by `phase expand` from then on. Its files become SQL migrations; its table is only read. A
/// second import adds what is new. docs/import.md says what becomes of each tool's files.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase import --dry-run\n  phase import\n  phase import --from flyway --files src/main/resources/db/migration"
)]
pub struct ImportArgs {
    /// The tool; without it, the one whose table is in the database.
    #[arg(long, value_name = "TOOL", value_parser = PossibleValuesParser::new(Tool::ALL.map(Tool::name)))]
    from: Option<String>,
    /// The folder of its files; without it, where the tool has them by itself.
    #[arg(long, value_name = "DIR")]
    files: Option<std::path::PathBuf>,
    /// Its table, where that has another name or there are several.
    #[arg(long, value_name = "TABLE", requires = "from")]
    table: Option<String>,
    /// Print what would be written and recorded, and touch nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// When no tool or several are found, the tool is not at rest, or its files cannot be taken over.
pub async fn run(global: &Global, args: &ImportArgs, stop: Stop) -> Result<Output, CommandError> {
    let access = if args.dry_run { Access::Read } else { Access::Write };
    let desk = Desk::open(global, "import", access, stop).await?;
    if !args.dry_run {
        desk.lock(&LockKey::Timeline).await?;
    }
    let session = desk.look().await?;
    let found =
        place::table(&session.client, &desk.config, args.from.as_deref(), args.table.as_deref()).await?;
    let history = history(&session.client, &found).await?;
    let folder = folder::of(found.tool, args.files.as_deref(), &global.folder())?;
    let files = folder::read(found.tool, &folder)?;
    let files = folder::apart(found.tool, &folder, &desk.config.migrations, files)?;
    let import = import(found.tool, &history, &files).map_err(|why| usage(&why))?;
    let records = desk.records().await?;
    let todo = merge(&import, &there(&desk.config)?, &records).map_err(|why| usage(&why))?;
    if !args.dry_run {
        write(&desk, &todo)?;
        record(&desk, found.tool, &todo).await?;
    }
    Ok(said(&found, &import, &todo, &desk.config, args.dry_run))
}

fn usage(why: &ImportError) -> CommandError {
    CommandError::Usage(why.to_string())
}

/// The files of the timeline that are there.
fn there(config: &Config) -> Result<Vec<There>, CommandError> {
    let mut all = Vec::new();
    for path in Project::paths(config)? {
        let Some((version, name)) = called(&path) else {
            return Err(ProjectError::Invalid(format!(
                "{}: the name must be <version>_<name>, the version 1 to 18 digits: move it away, and import again",
                path.display()
            ))
            .into());
        };
        let sql = path.extension().is_some_and(|extension| extension == "sql");
        let text = read(&path, MAX_MIGRATION_BYTES)?;
        let (path, name) = (path.display().to_string(), name.to_owned());
        all.push(There { path, version, name, kind: if sql { Kind::Sql } else { Kind::Plan }, text });
    }
    Ok(all)
}

/// Writes the files, each whole or not at all.
fn write(desk: &Desk, todo: &[Todo<'_>]) -> Result<(), CommandError> {
    let folder = &desk.config.migrations;
    for Todo { item, text, .. } in todo.iter().filter(|todo| todo.write) {
        let path = folder.join(format!("{}.sql", item.stem()));
        folder::write(&path, text)
            .map_err(|error| CommandError::Io(format!("{}: {error}", path.display())))?;
        crash::point("import wrote");
    }
    Ok(())
}

/// Puts what is applied there on record, all in one transaction.
async fn record(desk: &Desk, tool: Tool, todo: &[Todo<'_>]) -> Result<(), CommandError> {
    let done: Vec<Done> = todo
        .iter()
        .filter(|todo| todo.fate == Fate::Record)
        .map(|Todo { item, text, .. }| Done {
            version: item.version.clone(),
            name: item.name.clone(),
            source: text.clone(),
            detail: format!("imported from {}: {}", tool.title(), item.called),
        })
        .collect();
    if !done.is_empty() {
        desk.store.baseline_all(&done).await?;
        crash::point("import recorded");
    }
    Ok(())
}

#[derive(Serialize)]
struct Document {
    from: &'static str,
    table: String,
    dry_run: bool,
    migrations: Vec<One>,
    notes: Vec<String>,
}

/// One migration, for programs.
#[derive(Serialize)]
struct One {
    version: String,
    name: String,
    /// As the other tool calls it.
    called: String,
    /// recorded, on_record or pending.
    record: &'static str,
    file: String,
    /// written, there, or left where the record has another text.
    file_is: &'static str,
    /// Whether the file can be run.
    runs: bool,
}

fn said(found: &Found, import: &Import, todo: &[Todo<'_>], config: &Config, dry_run: bool) -> Output {
    let one = |todo: &Todo<'_>| One {
        version: todo.item.version.to_string(),
        name: todo.item.name.clone(),
        called: todo.item.called.clone(),
        record: todo.fate.name(),
        file: config.migrations.join(format!("{}.sql", todo.item.stem())).display().to_string(),
        file_is: match (todo.write, todo.there) {
            (true, _) => "written",
            (_, true) => "there",
            _ => "left",
        },
        runs: todo.item.runs,
    };
    let migrations: Vec<One> = todo.iter().map(one).collect();
    let table = format!("{}.{}", found.schema, found.name);
    let count = |fate: Fate| todo.iter().filter(|todo| todo.fate == fate).count();
    let mut text = format!("{}, {table}\n", found.tool.title());
    for one in &migrations {
        let file = match one.file_is {
            "written" => "",
            "there" => " (the file is there)",
            _ => " (there is no file, and the record has another text)",
        };
        let what = match (one.record, dry_run) {
            ("recorded", false) => "recorded as done",
            ("recorded", true) => "to be recorded as done",
            ("on_record", _) => "on record already",
            _ => "pending",
        };
        let only = if one.runs { "" } else { ", for the record only: phase cannot run it" };
        text += &format!("{what}: {}{file} from {}{only}\n", one.file, one.called);
    }
    for note in &import.notes {
        text += &format!("note: {note}\n");
    }
    let (recorded, there, pending) = (count(Fate::Record), count(Fate::OnRecord), count(Fate::Pending));
    let would = if dry_run { "would be " } else { "" };
    text += &format!(
        "{recorded} {would}recorded as done, {there} on record already, {pending} pending; none was run\n"
    );
    text += if dry_run { "next: phase import" } else { "next: phase status, then phase expand" };
    let notes = import.notes.clone();
    let document = Document { from: found.tool.name(), table, dry_run, migrations, notes };
    Output::done(text, &document)
}
