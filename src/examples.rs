//! Reads the examples of recipes in plans/, each with what the catalog says of its tables and with
//! the migrations before it, for tests and for the pages of docs/recipes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::PathBuf;

use crate::core::compile::Server;
use crate::core::lint::World;
use crate::core::migration::SqlMigration;
use crate::core::plan::model::Plan;
use crate::core::plan::{Source, parse};
use crate::core::recipe::Known;
use crate::core::testing::{item_knowing, world};
use crate::core::timeline::Item;
use crate::core::version::Version;

/// Where the examples of recipes begin, behind the example application.
const FIRST: &str = "202612";

/// One example.
pub(crate) struct Example {
    /// The plan's file, without its ending.
    pub(crate) stem: String,
    /// Its text.
    pub(crate) text: String,
    /// What it says.
    pub(crate) plan: Plan,
    /// What the catalog says of its tables, on the newest server.
    pub(crate) known: Known,
    /// The migrations before it, oldest first.
    pub(crate) before: Vec<SqlMigration>,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The files of a folder that are about recipes: version, name and text, in order.
fn files(folder: &str) -> Vec<(Version, String, String)> {
    let mut files: Vec<_> = fs::read_dir(root().join(folder))
        .unwrap()
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let stem = path.file_stem()?.to_str()?.to_owned();
            let (version, name) = Version::split_stem(&stem).filter(|_| stem.as_str() >= FIRST)?;
            Some((version, name.to_owned(), fs::read_to_string(&path).unwrap()))
        })
        .collect();
    files.sort();
    files
}

/// Every example, in order.
pub(crate) fn examples() -> Vec<Example> {
    let migrations: Vec<SqlMigration> = files("migrations")
        .into_iter()
        .map(|(version, name, text)| SqlMigration::parse(&name, version, &name, &text).unwrap())
        .collect();
    let example = |(version, name, text): (Version, String, String)| {
        let source = Source { file: &name, version: &version, name: &name, text: &text };
        let plan = parse(&source, &|_| Err("no files here".into())).unwrap_or_else(|error| panic!("{error}"));
        if plan.change.is_empty() {
            return None;
        }
        let stem = format!("{version}_{name}");
        let file = format!("src/core/recipe/examples/{stem}.json");
        let known = fs::read_to_string(root().join(&file)).ok();
        let known = known.and_then(|text| serde_json::from_str(&text).ok());
        let known = known.unwrap_or_else(|| panic!("{file} cannot be read: run make examples"));
        let before = migrations.iter().filter(|migration| migration.version < version).cloned().collect();
        Some(Example { stem, text, plan, known, before })
    };
    files("plans").into_iter().filter_map(example).collect()
}

impl Example {
    /// It compiled, for the newest server.
    pub(crate) fn item(&self) -> Item {
        item_knowing(&self.stem, &self.text, &self.known, Server::NEWEST)
    }

    /// It compiled without a server.
    pub(crate) fn offline(&self) -> Item {
        item_knowing(&self.stem, &self.text, &Known::default(), Server::NEWEST)
    }

    /// The database that it runs in.
    pub(crate) fn world(&self) -> World {
        let sql: Vec<&str> = self.before.iter().map(|migration| migration.up.as_str()).collect();
        world(&sql.join(";\n"), Server::NEWEST.version)
    }

    /// The recipes that it is an example of.
    pub(crate) fn recipes(&self) -> impl Iterator<Item = &'static str> {
        self.plan.change.iter().map(|change| change.value.name())
    }
}
