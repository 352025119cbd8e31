//! Prisma: `_prisma_migrations`, one folder a migration with `migration.sql` in it.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};
use crate::core::import::number::split;

/// The columns are those of `create_migrations_table` in
/// schema-engine/connectors/sql-schema-connector/src/flavour/postgres.rs of prisma-engines.
#[derive(Deserialize)]
struct Row {
    migration_name: String,
    checksum: String,
    finished_at: Option<String>,
    rolled_back_at: Option<String>,
}

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let rows: Vec<Row> = history.read(Tool::Prisma)?;
    // What was rolled back counts as never run; it may have been run again since.
    let standing: Vec<&Row> = rows.iter().filter(|row| row.rolled_back_at.is_none()).collect();
    let failed: Vec<String> =
        standing.iter().filter(|row| row.finished_at.is_none()).map(|row| failed(row)).collect();
    if !failed.is_empty() {
        return Err(ImportError::NotAtRest(failed));
    }
    let mut all: BTreeMap<String, Foreign> = BTreeMap::new();
    let mut notes = Vec::new();
    let in_folder = |file: &File| {
        file.path.strip_suffix("/migration.sql").filter(|name| !name.contains('/')).map(str::to_owned)
    };
    for (file, name) in files.iter().filter_map(|file| Some((file, in_folder(file)?))) {
        let row = standing.iter().find(|row| row.migration_name == name);
        notes.extend(row.and_then(|row| edited(row, file)));
        let body = Body::Sql { up: file.text()?, down: None };
        all.insert(name.clone(), one(&name, row.is_some(), body));
    }
    for row in standing {
        let name = &row.migration_name;
        all.entry(name.clone()).or_insert_with(|| one(name, true, Body::Missing));
    }
    Ok(Read { migrations: all.into_values().collect(), notes })
}

fn one(name: &str, applied: bool, body: Body) -> Foreign {
    let (digits, rest) = split(name);
    Foreign { called: name.into(), digits, name: rest, applied, body }
}

fn failed(row: &Row) -> String {
    let name = &row.migration_name;
    format!(
        "{name} failed in Prisma, or is under way. Look at what it did, mend the database, and say which: \
         npx prisma migrate resolve --applied {name}, or --rolled-back {name}"
    )
}

/// Whether the file is another than the one that ran.
fn edited(row: &Row, file: &File) -> Option<String> {
    let now: String = Sha256::digest(&file.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    (now != row.checksum).then(|| {
        format!(
            "{}/migration.sql is not what Prisma ran: SHA-256 {now}, on record {}. It is recorded as it is now",
            row.migration_name, row.checksum
        )
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    fn row(name: &str, checksum: &str, finished: &str, rolled_back: &str) -> String {
        format!(
            r#"{{"migration_name": "{name}", "checksum": "{checksum}", "finished_at": {finished}, "rolled_back_at": {rolled_back}}}"#
        )
    }

    #[test]
    fn what_failed_is_refused_and_what_was_rolled_back_is_pending() {
        let (failed, back) = (row("1_a", "", "null", "null"), row("2_b", "", "null", "\"then\""));
        let files = [
            file("1_a/migration.sql", "SELECT 1"),
            file("2_b/migration.sql", "SELECT 2"),
            file("migration_lock.sql", ""),
        ];
        let why = read(&history(&[&failed, &back]), &files).unwrap_err().to_string();
        assert!(why.contains("resolve --applied 1_a") && !why.contains("2_b"), "{why}");
        let again = row("2_b", "", "\"now\"", "null");
        let got = read(&history(&[&back]), &files).unwrap().migrations;
        assert_eq!(got.iter().map(|one| one.applied).collect::<Vec<_>>(), [false, false]);
        let got = read(&history(&[&back, &again]), &files).unwrap().migrations;
        assert_eq!(got.iter().map(|one| one.applied).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn another_text_than_the_one_that_ran_is_named() {
        let sum = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4";
        let rows = history(&[&row("1_a", sum, "\"now\"", "null")]);
        assert!(read(&rows, &[file("1_a/migration.sql", "hi")]).unwrap().notes.is_empty());
        let notes = read(&rows, &[file("1_a/migration.sql", "ho")]).unwrap().notes;
        assert!(notes[0].starts_with("1_a/migration.sql is not what Prisma ran"), "{notes:?}");
    }
}
