//! `phase new`.

mod change;
mod skeleton;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use clap::Args;

use crate::cli::args::Global;
use crate::cli::config::Config;
use crate::cli::exit::CommandError;
use crate::cli::naming::called;
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::core::version::Version;

/// Write a plan or a SQL migration from a template that is already valid, or a plan of one recipe.
///
/// A terminal is asked for the fields of the recipe that --set does not give.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase new orders_currency\n  phase new add_index --sql\n  phase new display_name --change rename_column --set table=users --set from=name --set to=display_name"
)]
pub struct NewArgs {
    /// The name: letters, digits and _.
    name: String,
    /// A SQL migration in the place of a plan.
    #[arg(long)]
    sql: bool,
    /// A plan of this recipe; without a recipe, a list of them: a terminal is asked which.
    #[arg(long, value_name = "RECIPE", num_args = 0..=1, default_missing_value = "", conflicts_with = "sql")]
    change: Option<String>,
    /// A field of the recipe; what is no text is written as YAML: 'into=[{column: a, …}]'.
    #[arg(long, value_name = "KEY=VALUE", requires = "change")]
    set: Vec<String>,
    /// The version, in the place of the present time (UTC).
    #[arg(long, value_name = "DIGITS")]
    version: Option<String>,
}

const PLAN: &str = "\
title: TITLE
# settings: {lock_timeout: 1s, statement_timeout: 30s, lock_wait_max: 10m}
# depends_on: [20260101000000]

expand:                     # the new shape beside the old; runs before the new code ships
  - sql: ALTER TABLE my_table ADD COLUMN my_new text
    undo: ALTER TABLE my_table DROP COLUMN my_new
  - sync: {table: my_table, set: {my_new: my_old}, back: {my_old: my_new}}

backfill:                   # rows that were there before, batch by batch
  - table: my_table
    set: {my_new: my_old}

validate:                   # proofs on the new shape
  - not_null: {table: my_table, column: my_new}

contract:                   # the old shape goes, when nothing needs it
  - drop_column: {table: my_table, column: my_old}

gates:
  contract: {deployed: web@1.0.0, soak: 24h}
keep: 7d                    # undo window: abort brings the old column back
";

const SQL: &str = "\
-- UP
CREATE TABLE my_table (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);

-- DOWN
DROP TABLE my_table;
";

/// The present time (UTC), or the number after the newest file's version where
/// that is later: what is new comes last.
fn next_version(config: &Config) -> Result<Version, CommandError> {
    let files = Project::paths(config)?;
    let newest = files.iter().filter_map(|path| Some(called(path)?.0.number())).max().unwrap_or(0);
    let now = jiff::Timestamp::now().strftime("%Y%m%d%H%M%S").to_string();
    let next = match now.parse() {
        Ok(now) if newest < now => now,
        _ => newest + 1,
    };
    Version::parse(&next.to_string()).ok_or_else(|| {
        CommandError::Usage(format!("{newest} is the last version that there can be: give --version"))
    })
}

/// Runs the command.
///
/// # Errors
/// When the name is not usable or the file is there already.
pub fn run(global: &Global, args: &NewArgs) -> Result<Output, CommandError> {
    let name = &args.name;
    if name.is_empty() || name.len() > 100 || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(CommandError::Usage(format!(
            "{name:?} is no name for a file: use letters, digits and _"
        )));
    }
    let change = match args.change.as_deref() {
        Some("") => match change::which()? {
            Some(recipe) => Some(recipe),
            None => return Ok(change::list()),
        },
        other => other.map(str::to_owned),
    };
    let config = global.config()?;
    let version = match &args.version {
        Some(version) => Version::parse(version)
            .ok_or_else(|| CommandError::Usage(format!("{version:?} is no version: 1 to 18 digits")))?,
        None => next_version(&config)?,
    };
    let same = |path: &&PathBuf| called(path).is_some_and(|(_, other)| other == name);
    if let Some(there) = Project::paths(&config)?.iter().find(same) {
        return Err(CommandError::Usage(format!(
            "{} is called {name} already: choose another name, so that commands can tell them apart",
            there.display()
        )));
    }
    let (folder, extension) = if args.sql { (&config.migrations, "sql") } else { (&config.plans, "yaml") };
    let path = folder.join(format!("{version}_{name}.{extension}"));
    let text = match &change {
        Some(recipe) => change::text(recipe, &args.set, &version, name)?,
        None if args.sql => SQL.to_owned(),
        None => PLAN.replace("TITLE", &name.replace('_', " ")),
    };
    let wrong = |error: std::io::Error| CommandError::Io(format!("{}: {error}", path.display()));
    fs::create_dir_all(folder).map_err(wrong)?;
    let mut file = fs::File::create_new(&path).map_err(wrong)?;
    file.write_all(text.as_bytes()).map_err(wrong)?;
    let shown = path.display().to_string();
    let text = format!("{shown}\nnext: edit it, then phase check && phase show {version}");
    Ok(Output::done(text, &serde_json::json!({"file": shown})))
}
