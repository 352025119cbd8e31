//! golang-migrate: `schema_migrations` with one row, the newest version and whether it failed;
//! files `VERSION_name.up.sql` and `.down.sql`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};
use super::top;
use crate::core::import::number::split;

#[derive(Deserialize)]
struct Row {
    version: i64,
    dirty: bool,
}

/// One version's files.
#[derive(Default)]
struct Pair {
    called: String,
    up: Option<String>,
    down: Option<String>,
}

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let rows: Vec<Row> = history.read(Tool::GolangMigrate)?;
    if let Some(row) = rows.iter().find(|row| row.dirty) {
        let version = row.version;
        return Err(ImportError::NotAtRest(vec![format!(
            "{} is dirty at version {version}: {version} failed in golang-migrate. Mend the database by hand, then say at \
             which version it is: migrate -path DIR -database URL force VERSION",
            history.table
        )]));
    }
    // It keeps the newest version only; whatever is not newer has run. -1 stands for none.
    let current = rows.iter().map(|row| row.version).max().and_then(|version| u64::try_from(version).ok());
    let mut pairs: BTreeMap<(u64, String), Pair> = BTreeMap::new();
    for (file, name) in top(files) {
        let (Some(digits), rest) = split(name) else { continue };
        let Ok(number) = digits.parse::<u64>() else { continue };
        let (bare, up) = match (rest.strip_suffix(".up.sql"), rest.strip_suffix(".down.sql")) {
            (Some(bare), _) => (bare, true),
            (_, Some(bare)) => (bare, false),
            _ => continue,
        };
        let pair = pairs.entry((number, bare.to_owned())).or_default();
        if up {
            (pair.called, pair.up) = (name.into(), Some(file.text()?));
        } else {
            pair.down = Some(file.text()?);
        }
    }
    let mut migrations: Vec<Foreign> = Vec::new();
    for ((number, bare), pair) in pairs {
        let Some(up) = pair.up else { continue };
        let (digits, _) = split(&pair.called);
        let applied = current.is_some_and(|current| number <= current);
        let body = Body::Sql { up, down: pair.down };
        migrations.push(Foreign { called: pair.called, digits, name: bare, applied, body });
    }
    // Without it nobody can say which of the files have run.
    let number = |one: &Foreign| one.digits.as_deref().and_then(|digits| digits.parse::<u64>().ok());
    if let Some(current) =
        current.filter(|current| !migrations.iter().any(|one| number(one) == Some(*current)))
    {
        return Err(ImportError::Files(vec![format!(
            "{} is at version {current}, and no file in the folder has that version: name the folder that it was run \
             from with --files",
            history.table
        )]));
    }
    Ok(Read { migrations, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    #[test]
    fn what_is_not_newer_than_the_version_has_run() {
        let files = [
            file("000001_a.up.sql", "SELECT 1"),
            file("000001_a.down.sql", "SELECT -1"),
            file("000002_b.up.sql", "SELECT 2"),
            file("000010_c.up.sql", "SELECT 10"),
        ];
        let got = read(&history(&[r#"{"version": 2, "dirty": false}"#]), &files).unwrap().migrations;
        let seen: Vec<_> = got.iter().map(|one| (one.called.as_str(), one.applied)).collect();
        assert_eq!(seen, [("000001_a.up.sql", true), ("000002_b.up.sql", true), ("000010_c.up.sql", false)]);
        assert_eq!(got[0].body, Body::Sql { up: "SELECT 1".into(), down: Some("SELECT -1".into()) });
        assert!(read(&history(&[]), &files).unwrap().migrations.iter().all(|one| !one.applied));
        let why = read(&history(&[r#"{"version": 5, "dirty": false}"#]), &files).unwrap_err().to_string();
        assert!(why.contains("is at version 5, and no file in the folder has that version"), "{why}");
    }

    #[test]
    fn a_dirty_version_is_refused_by_name() {
        let why = read(&history(&[r#"{"version": 7, "dirty": true}"#]), &[]).unwrap_err().to_string();
        assert!(why.contains("dirty at version 7") && why.contains("force VERSION"), "{why}");
    }
}
