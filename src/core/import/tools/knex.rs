//! Knex: `knex_migrations`, names with their extensions; programs only.

use serde::Deserialize;

use super::super::{File, History, ImportError, Read, Tool};
use super::{programs, top};

#[derive(Deserialize)]
struct Row {
    name: String,
}

/// A row of the table of the lock.
#[derive(Deserialize)]
struct Lock {
    is_locked: Option<i64>,
}

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let locks: Vec<Lock> = history.read_beside(Tool::Knex)?;
    if locks.iter().any(|lock| lock.is_locked.is_some_and(|locked| locked != 0)) {
        return Err(ImportError::NotAtRest(vec![format!(
            "Knex has a migration under way, or one that died: {}_lock is locked. Wait for it; where nothing runs: \
             npx knex migrate:unlock",
            history.table
        )]));
    }
    let rows: Vec<Row> = history.read(Tool::Knex)?;
    let names = top(files).map(|(_, name)| name);
    let migrations = programs(rows.into_iter().map(|row| row.name), names, "a program for Knex");
    Ok(Read { migrations, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    #[test]
    fn names_on_record_meet_files_of_another_extension() {
        let rows =
            history(&[r#"{"id": 1, "name": "20230101000000_a.js", "batch": 1, "migration_time": "x"}"#]);
        let files =
            [file("20230101000000_a.ts", ""), file("20230102000000_b.ts", ""), file("types.d.ts", "")];
        let got = read(&rows, &files).unwrap().migrations;
        let seen: Vec<_> = got.iter().map(|one| (one.called.as_str(), one.applied)).collect();
        assert_eq!(seen, [("20230101000000_a.js", true), ("20230102000000_b.ts", false)]);
    }

    #[test]
    fn a_lock_says_that_it_is_not_at_rest() {
        let beside = vec![serde_json::json!({"index": 1, "is_locked": 1})];
        let locked = History { beside, ..history(&[]) };
        let why = read(&locked, &[]).unwrap_err().to_string();
        assert!(why.contains("npx knex migrate:unlock"), "{why}");
    }
}
