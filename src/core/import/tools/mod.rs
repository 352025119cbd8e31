//! One file a tool: its rows and its files, as migrations in its order.

mod dbmate;
mod flyway;
mod golang_migrate;
mod knex;
mod node_pg_migrate;
mod pgroll;
mod prisma;
mod reshape;
mod sequelize;
mod sqitch;

use std::collections::{BTreeMap, BTreeSet};

use super::number::split;
use super::{Body, File, Foreign, History, ImportError, Read, Tool};

/// Reads a tool's rows and files.
pub(super) fn read(tool: Tool, history: &History, files: &[File]) -> Result<Read, ImportError> {
    match tool {
        Tool::NodePgMigrate => node_pg_migrate::read(history, files),
        Tool::Knex => knex::read(history, files),
        Tool::Sequelize => sequelize::read(history, files),
        Tool::Prisma => prisma::read(history, files),
        Tool::Flyway => flyway::read(history, files),
        Tool::Dbmate => dbmate::read(history, files),
        Tool::GolangMigrate => golang_migrate::read(history, files),
        Tool::Sqitch => sqitch::read(history, files),
        Tool::Pgroll => pgroll::read(history, files),
        Tool::Reshape => reshape::read(history, files),
    }
}

/// A name without its extension.
fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

/// A migration that is called by its file, whose name begins with its version.
fn foreign(called: &str, applied: bool, body: Body) -> Foreign {
    let (digits, name) = split(stem(called));
    Foreign { called: called.into(), digits, name, applied, body }
}

/// Migrations that are programs, by the names on record and the names of the files: one is the
/// other's where their stems are the same. In the order of their names.
fn programs<'a>(
    applied: impl Iterator<Item = String>,
    files: impl Iterator<Item = &'a str>,
    what: &'static str,
) -> Vec<Foreign> {
    let mut all: BTreeMap<String, Foreign> = BTreeMap::new();
    let files = files.filter(|name| !name.ends_with(".d.ts")).map(|name| (name.to_owned(), false));
    let on_record: Vec<String> = applied.collect();
    let stems: BTreeSet<String> = on_record.iter().map(|name| stem(name).to_owned()).collect();
    for (called, _) in on_record.into_iter().map(|name| (name, true)).chain(files) {
        let of = stem(&called).to_owned();
        let applied = stems.contains(&of);
        all.entry(of).or_insert_with(|| foreign(&called, applied, Body::Program(what)));
    }
    all.into_values().collect()
}

/// The files of the folder itself.
fn top(files: &[File]) -> impl Iterator<Item = (&File, &str)> {
    files.iter().filter_map(|file| Some((file, file.top()?)))
}
