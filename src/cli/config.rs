//! Owns `phase.yaml`: what a team wants to change from the defaults.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cli::files::{ProjectError, read};
use crate::core::gate::{Approvals, Distinct};
use crate::core::ident::Ident;
use crate::core::kill::KillBlockers;
use crate::core::lint::SMALL_TABLE_BYTES;
use crate::core::pace::throttle::size;
use crate::core::plan::durations::{NOBODY, check_limit};
use crate::core::plan::yaml;
use crate::core::step::Limits;

/// The name of the file.
pub const FILE: &str = "phase.yaml";

/// The text that `phase init` writes.
pub const TEMPLATE: &str = "\
# phase.yaml: every key is optional; these are the defaults.
# The database comes from DATABASE_URL, --database-url or the PG* variables, never from here.
schema: phase            # where phase keeps its record
plans: plans             # phase plans, <version>_<name>.yaml
migrations: migrations   # SQL migrations, <version>_<name>.sql
settings:
  lock_timeout: 1s       # how long one statement may wait for a lock
  statement_timeout: 30s # how long one statement may run
  lock_wait_max: 10m     # how long a step goes on retrying because of locks
  # kill_blockers: {after: 2m, only: [report]} # whose sessions may be ended when they are in the way
lint:
  small_table: 10MB      # up to this size a table may be read or written whole under a lock
approvals:
  distinct: either       # two approvals are of two people by another database user or system user; or database, or system
  by_author: true        # whether who wrote a plan (author: in the plan) may approve it
";

/// The configuration of a project.
#[derive(Debug, Clone)]
pub struct Config {
    /// The metadata schema.
    pub schema: Ident,
    /// The folder of plans.
    pub plans: PathBuf,
    /// The folder of SQL migrations.
    pub migrations: PathBuf,
    /// Limits for plans that set none.
    pub limits: Limits,
    /// Whose sessions may be ended when they are in the way of plans that say nothing of it.
    pub kill_blockers: Option<KillBlockers>,
    /// The size up to which a table may be read or written whole under a lock, in bytes.
    pub small_table: f64,
    /// Whose approvals count.
    pub approvals: Approvals,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    schema: Option<String>,
    plans: Option<PathBuf>,
    migrations: Option<PathBuf>,
    #[serde(default)]
    settings: RawSettings,
    #[serde(default)]
    lint: RawLint,
    #[serde(default)]
    approvals: RawApprovals,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RawApprovals {
    distinct: RawDistinct,
    by_author: bool,
}

impl Default for RawApprovals {
    fn default() -> Self {
        Self { distinct: RawDistinct::Either, by_author: true }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawDistinct {
    Either,
    Database,
    System,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLint {
    small_table: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    lock_timeout: Option<String>,
    statement_timeout: Option<String>,
    lock_wait_max: Option<String>,
    kill_blockers: Option<RawKill>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKill {
    after: String,
    only: Vec<String>,
}

impl Config {
    /// Reads the configuration of a project: `file` if it is given, else
    /// `phase.yaml` in `dir` if it is there, else the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or is not right.
    pub fn load(dir: &Path, file: Option<&Path>) -> Result<Self, ProjectError> {
        let path = file.map_or_else(|| dir.join(FILE), Path::to_path_buf);
        let raw = if file.is_some() || path.exists() {
            let text = read(&path, crate::core::plan::MAX_PLAN_BYTES)?;
            let name = path.display().to_string();
            yaml::read::<Raw>(&name, &text).map_err(|error| ProjectError::Invalid(error.to_string()))?
        } else {
            Raw::default()
        };
        let wrong =
            |key: &str, why: String| ProjectError::Invalid(format!("{}: {key}: {why}", path.display()));
        let schema = raw.schema.as_deref().unwrap_or("phase");
        let defaults = Limits::default();
        let duration = |key: &str, text: Option<String>, default| match text {
            None => Ok(default),
            Some(text) => {
                let span = humantime::parse_duration(&text)
                    .map_err(|error| wrong(key, format!("{text:?}: {error}")))?;
                check_limit(span).map_err(|why| wrong(key, format!("{text:?}: {why}")))?;
                Ok(span)
            }
        };
        let small_table = match raw.lint.small_table {
            None => SMALL_TABLE_BYTES,
            Some(text) => size(&text)
                .ok_or_else(|| wrong("lint.small_table", format!("{text:?}: write a size such as 10MB")))?,
        };
        let settings = raw.settings;
        let kill_blockers = settings.kill_blockers.map(|kill| {
            let after = humantime::parse_duration(&kill.after).map_err(|error| {
                wrong("settings.kill_blockers.after", format!("{:?}: {error}", kill.after))
            })?;
            if kill.only.is_empty() {
                return Err(wrong("settings", NOBODY.into()));
            }
            Ok(KillBlockers { after, only: kill.only })
        });
        let approvals = Approvals {
            distinct: match raw.approvals.distinct {
                RawDistinct::Either => Distinct::Either,
                RawDistinct::Database => Distinct::Database,
                RawDistinct::System => Distinct::System,
            },
            by_author: raw.approvals.by_author,
        };
        Ok(Self {
            approvals,
            small_table,
            kill_blockers: kill_blockers.transpose()?,
            schema: Ident::parse(schema).map_err(|error| wrong("schema", error.to_string()))?,
            plans: dir.join(raw.plans.unwrap_or_else(|| "plans".into())),
            migrations: dir.join(raw.migrations.unwrap_or_else(|| "migrations".into())),
            limits: Limits {
                lock_timeout: duration("lock_timeout", settings.lock_timeout, defaults.lock_timeout)?,
                statement_timeout: duration(
                    "statement_timeout",
                    settings.statement_timeout,
                    defaults.statement_timeout,
                )?,
                lock_wait_max: duration("lock_wait_max", settings.lock_wait_max, defaults.lock_wait_max)?,
            },
        })
    }
}
