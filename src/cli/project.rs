//! Reads the files of a project: plans and SQL migrations, in timeline order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cli::config::Config;
use crate::cli::files::{ProjectError, list, read};
use crate::cli::naming::called;
use crate::cli::readable::{Broken, Readable, refuse};
use crate::core::compile::{self, CompileError, Server};
use crate::core::footprint::SearchPath;
use crate::core::gate::{Approvals, ByWhom};
use crate::core::kill::KillBlockers;
use crate::core::migration::{MAX_MIGRATION_BYTES, SqlMigration};
use crate::core::plan::model::{Gates, Place, Plan};
use crate::core::plan::{self, MAX_PLAN_BYTES, Source};
use crate::core::preflight;
use crate::core::recipe::{self, Known, Written};
use crate::core::record::Kind;
use crate::core::sql::{SqlError, deep_each};
use crate::core::step::Limits;
use crate::core::timeline::{Item, Rollback};
use crate::core::version::Version;

/// One file, parsed.
pub enum Parsed {
    /// A plan.
    Plan(Box<Plan>),
    /// A SQL migration.
    Migration(Box<SqlMigration>),
}

/// One file of the timeline.
pub struct ProjectFile {
    /// Its path.
    pub path: PathBuf,
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// Its text, with the SQL files that it pulls in.
    pub source: String,
    /// SHA-256 of it.
    pub checksum: String,
    /// What it says.
    pub parsed: Parsed,
}

/// What is known of the tables of plans with recipes, by version.
pub type Surroundings = BTreeMap<Version, Known>;

/// The files of a project, in timeline order.
pub struct Project {
    /// The files that can be read.
    pub files: Vec<ProjectFile>,
    broken: Vec<Broken>,
    limits: Limits,
    kill_blockers: Option<KillBlockers>,
    approvals: Approvals,
}

impl Project {
    /// Reads every plan and SQL migration.
    ///
    /// # Errors
    /// When one of them cannot be read or is not right: every fault of every file.
    pub fn load(config: &Config) -> Result<Self, ProjectError> {
        Self::read(config)?.whole()
    }

    /// Reads every plan and SQL migration, and leaves those aside that are not right.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn read(config: &Config) -> Result<Self, ProjectError> {
        Ok(Self::apart(&Self::paths(config)?, config))
    }

    /// Every plan and SQL migration, unread.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn paths(config: &Config) -> Result<Vec<PathBuf>, ProjectError> {
        let mut paths = list(&config.plans, &["yaml", "yml"])?;
        paths.extend(list(&config.migrations, &["sql"])?);
        Ok(paths)
    }

    /// Reads these files and no others.
    ///
    /// # Errors
    /// As [`Project::load`].
    pub fn of(paths: &[PathBuf], config: &Config) -> Result<Self, ProjectError> {
        Self::apart(paths, config).whole()
    }

    fn apart(paths: &[PathBuf], config: &Config) -> Self {
        let (mut files, mut broken) = (Vec::new(), Vec::new());
        for path in paths {
            match file(path) {
                Ok(file) => files.push(file),
                Err(fault) => broken.push(Broken { path: path.clone(), why: fault.to_string() }),
            }
        }
        files.sort_by(|a, b| a.version.cmp(&b.version));
        let twice: BTreeSet<Version> = files
            .windows(2)
            .filter(|pair| pair[0].version == pair[1].version)
            .map(|pair| pair[1].version.clone())
            .collect();
        for version in &twice {
            let paths: Vec<_> = files.iter().filter(|file| file.version == *version).collect();
            let names: Vec<String> = paths.iter().map(|file| file.path.display().to_string()).collect();
            let why = format!("{} are all version {version}: give all but one another", names.join(" and "));
            broken.extend(paths.iter().map(|file| Broken { path: file.path.clone(), why: why.clone() }));
        }
        files.retain(|file| !twice.contains(&file.version));
        Self {
            files,
            broken,
            limits: config.limits,
            kill_blockers: config.kill_blockers.clone(),
            approvals: config.approvals,
        }
    }

    fn whole(self) -> Result<Self, ProjectError> {
        refuse(&self.broken)?;
        Ok(self)
    }

    /// Compiles every file for a server.
    ///
    /// # Errors
    /// When SQL of a file does not parse or may not stand where it stands.
    pub fn items(&self, server: Server, known: &Surroundings) -> Result<Vec<Item>, ProjectError> {
        self.readable(server, known)?.all()
    }

    /// Compiles every file for a server, and leaves those aside that do not compile.
    ///
    /// # Errors
    /// When the thread that compiles cannot be had.
    pub fn readable(&self, server: Server, known: &Surroundings) -> Result<Readable, ProjectError> {
        let compile = |file: &ProjectFile| {
            let item = self.item(file, server, known.get(&file.version));
            Ok(item.map_err(|error| Broken { path: file.path.clone(), why: located(file, &error) }))
        };
        let compiled = deep_each(&self.files, compile)
            .map_err(|error: SqlError| ProjectError::Invalid(error.to_string()))?;
        let (mut items, mut broken) = (Vec::new(), self.broken.clone());
        for result in compiled {
            match result {
                Ok(item) => items.push(item),
                Err(fault) => broken.push(fault),
            }
        }
        Ok(Readable { items, broken })
    }

    /// The plans that have recipes.
    pub fn with_recipes(&self) -> impl Iterator<Item = &Plan> {
        self.files.iter().filter_map(|file| match &file.parsed {
            Parsed::Plan(plan) if !plan.change.is_empty() => Some(&**plan),
            _ => None,
        })
    }

    fn item(&self, file: &ProjectFile, server: Server, known: Option<&Known>) -> Result<Item, CompileError> {
        let shown = file.path.display().to_string();
        let common = |title: String, kind| Item {
            version: file.version.clone(),
            name: file.name.clone(),
            title,
            kind,
            file: shown.clone(),
            source: file.source.clone(),
            checksum: file.checksum.clone(),
            steps: Vec::new(),
            down: Rollback::Refused("it is a plan".into()),
            gates: Gates::default(),
            keep: None,
            depends_on: Vec::new(),
            tables: Vec::new(),
            path: SearchPath::default(),
            limits: self.limits,
            kill_blockers: self.kill_blockers.clone(),
            needed_by: Vec::new(),
            by_whom: ByWhom::default(),
            unsupported: Vec::new(),
            refused: Vec::new(),
            known: None,
            cautions: Vec::new(),
            requires: Vec::new(),
        };
        match &file.parsed {
            Parsed::Migration(migration) => {
                let (steps, down) = compile::migration(migration)?;
                let tables = compile::of_migration(migration);
                let title = file.name.replace('_', " ");
                let depends_on = migration.depends_on.clone();
                Ok(Item { steps, down, tables, depends_on, ..common(title, Kind::Sql) })
            }
            Parsed::Plan(source) => {
                let nothing = Known::default();
                let Written { plan, refused, cautions } = recipe::written(source, known.unwrap_or(&nothing));
                let plan = &plan;
                let settings = plan.settings;
                let at = |found: Vec<(Place, String)>| {
                    found
                        .into_iter()
                        .map(|(place, what)| format!("{shown}:{}:{}: {what}", place.line, place.column))
                        .collect()
                };
                Ok(Item {
                    steps: compile::plan(plan, server)?,
                    gates: plan.gates.clone(),
                    keep: plan.keep,
                    depends_on: plan.depends_on.iter().map(|on| on.value.clone()).collect(),
                    tables: compile::of_plan(plan),
                    limits: Limits {
                        lock_timeout: settings.lock_timeout.unwrap_or(self.limits.lock_timeout),
                        statement_timeout: settings
                            .statement_timeout
                            .unwrap_or(self.limits.statement_timeout),
                        lock_wait_max: settings.lock_wait_max.unwrap_or(self.limits.lock_wait_max),
                    },
                    kill_blockers: plan.kill_blockers.clone().or_else(|| self.kill_blockers.clone()),
                    needed_by: plan.requires.clone(),
                    by_whom: self.approvals.of(plan.author.as_deref()),
                    unsupported: at(plan.unsupported()),
                    refused: at(refused),
                    known: (!source.change.is_empty()).then(|| known.cloned().unwrap_or_default()),
                    cautions: at(source.cautions().into_iter().chain(cautions).collect()),
                    requires: preflight::requirements(plan),
                    ..common(plan.title.clone(), Kind::Plan)
                })
            }
        }
    }
}

fn located(file: &ProjectFile, error: &CompileError) -> String {
    plan::located(&file.path.display().to_string(), &file.source, error.place, &error.message)
}

fn file(path: &Path) -> Result<ProjectFile, ProjectError> {
    let Some((version, name)) = called(path) else {
        return Err(ProjectError::Invalid(format!(
            "{}: the name must be <version>_<name>, the version 1 to 18 digits: phase new writes one",
            path.display()
        )));
    };
    let shown = path.display().to_string();
    if path.extension().is_some_and(|extension| extension == "sql") {
        let text = read(path, MAX_MIGRATION_BYTES)?;
        let migration = SqlMigration::parse(&shown, version.clone(), name, &text)
            .map_err(|error| ProjectError::Invalid(error.to_string()))?;
        let checksum = plan::checksum(&text, &[]);
        let parsed = Parsed::Migration(Box::new(migration));
        return Ok(ProjectFile {
            path: path.into(),
            version,
            name: name.into(),
            source: text,
            checksum,
            parsed,
        });
    }
    let text = read(path, MAX_PLAN_BYTES)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let pulled = std::cell::RefCell::new(Vec::new());
    let sql_file = |name: &str| {
        let text = read(&folder.join(name), MAX_MIGRATION_BYTES).map_err(|error| error.to_string())?;
        pulled.borrow_mut().push((name.to_owned(), text.clone()));
        Ok(text)
    };
    let source = Source { file: &shown, version: &version, name, text: &text };
    let plan = plan::parse(&source, &sql_file).map_err(|error| ProjectError::Invalid(error.to_string()))?;
    let pulled = pulled.into_inner();
    let checksum = plan::checksum(&text, &pulled);
    let source =
        pulled.iter().fold(text.clone(), |all, (name, text)| format!("{all}\n# sql_file {name}\n{text}"));
    Ok(ProjectFile {
        path: path.into(),
        version,
        name: name.into(),
        source,
        checksum,
        parsed: Parsed::Plan(Box::new(plan)),
    })
}
