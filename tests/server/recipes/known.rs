//! What the catalog says of the tables of each example in plans/, kept in src/core/recipe/examples/
//! for the tests that have no server; `make examples` writes it again.

use std::fs;
use std::path::{Path, PathBuf};

use phase::core::plan::{Source, parse};
use phase::core::recipe::Known;
use phase::core::version::Version;
use phase::pg::known::known;

use crate::harness::{Db, TestResult, check, tests};

tests![what_is_kept_of_the_examples_is_what_the_catalog_says];

/// The version that what is kept has in the place of the server's.
const VERSION: u32 = 180_000;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// The files of a folder of the repository that are about recipes, by version.
fn files(folder: &str) -> Result<Vec<(Version, PathBuf)>, Fault> {
    let mut files = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))? {
        let path = entry?.path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        if let Some((version, _)) = Version::split_stem(stem).filter(|_| stem >= "202612") {
            files.push((version, path));
        }
    }
    files.sort();
    Ok(files)
}

/// Without what every version of the server prints, or has, in its own way.
fn comparable(mut known: Known) -> Known {
    for table in known.tables.values_mut() {
        table.dependents.retain(|one| one.kind != "publication");
        table.hanging.retain(|one| !one.said.starts_with("publication"));
        // NOT NULL is a constraint from 18 on, and a generated column hangs by itself before 15.
        table.taken.constraints.retain(|name| !name.ends_with("_not_null"));
        for one in table.hanging.iter_mut().filter(|one| one.kind == "generated") {
            one.holds = true;
        }
        for one in &mut table.dependents {
            (one.definition, one.make) = (None, Vec::new());
        }
    }
    known
}

/// Without what is not the same on every version of the server.
fn everywhere(mut known: Known) -> Known {
    known.version = VERSION;
    for table in known.tables.values_mut() {
        // From 18 on NOT NULL is a constraint as well.
        table.constraints.retain(|constraint| constraint.kind != "n");
    }
    known
}

async fn what_is_kept_of_the_examples_is_what_the_catalog_says(db: Db) -> TestResult {
    let client = db.connect().await?;
    let mut migrations = files("migrations")?.into_iter().peekable();
    let mut behind = Vec::new();
    for (version, path) in files("plans")? {
        while let Some((before, from)) = migrations.next_if(|(before, _)| *before < version) {
            let name = from.file_name().unwrap_or_default();
            fs::copy(&from, db.project.path().join("migrations").join(name))?;
            db.phase(&["expand", "--to", before.as_str(), "--quiet"]).await?.expect(0)?;
        }
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let text = fs::read_to_string(&path)?;
        let source = Source { file: stem, version: &version, name: stem, text: &text };
        let plan = parse(&source, &|_| Err("examples of recipes stand in one file".into()))?;
        if plan.change.is_empty() {
            continue;
        }
        let found = everywhere(known(&client, VERSION, &plan.change).await?);
        let kept =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/core/recipe/examples/{stem}.json"));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&kept, format!("{}\n", serde_json::to_string_pretty(&found)?))?;
        }
        let text = fs::read_to_string(&kept).unwrap_or_default();
        if serde_json::from_str::<Known>(&text).ok().map(comparable) != Some(comparable(found)) {
            behind.push(format!("{stem}.json"));
        }
    }
    check!(behind.is_empty(), "{} behind in src/core/recipe/examples: run make examples", behind.join(", "));
    Ok(())
}
