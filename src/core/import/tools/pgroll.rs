//! pgroll: `pgroll.migrations`, files of operations in JSON or YAML.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};
use super::{stem, top};
use crate::core::import::number::split;

/// The columns are those of pkg/state/init.sql of pgroll.
#[derive(Deserialize)]
struct Row {
    schema: String,
    name: String,
    done: bool,
    migration_type: Option<String>,
    created_at: String,
}

const OPERATIONS: &str = "a file of operations for pgroll";

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let mut rows: Vec<Row> = history.read(Tool::Pgroll)?;
    let under_way: Vec<String> = rows.iter().filter(|row| !row.done).map(under_way).collect();
    if !under_way.is_empty() {
        return Err(ImportError::NotAtRest(under_way));
    }
    let mut schemas: Vec<&str> = rows.iter().map(|row| row.schema.as_str()).collect();
    schemas.sort_unstable();
    schemas.dedup();
    if schemas.len() > 1 {
        let why = format!("it holds the histories of several schemas: {}", schemas.join(", "));
        return Err(ImportError::Rows { table: history.table.clone(), tool: Tool::Pgroll.title(), why });
    }
    // What others changed by hand is noted there too; it belongs to no file.
    let inferred = rows.iter().filter(|row| row.migration_type.as_deref() == Some("inferred")).count();
    rows.retain(|row| row.migration_type.as_deref() != Some("inferred"));
    rows.sort_by(|a, b| (&a.created_at, &a.name).cmp(&(&b.created_at, &b.name)));
    let mut files: BTreeMap<&str, &str> = top(files).map(|(_, name)| (stem(name), name)).collect();
    let mut migrations: Vec<Foreign> = Vec::new();
    for row in &rows {
        let called = files.remove(row.name.as_str()).unwrap_or(&row.name);
        migrations.push(one(&row.name, called, true));
    }
    migrations.extend(files.into_iter().map(|(name, called)| one(name, called, false)));
    let mut notes = vec![
        "pgroll notes every change of the schema in its table by event triggers, those of phase as well, as \"inferred\"; \
         when nothing uses its versioned schemas any more, remove it"
            .to_owned(),
    ];
    if inferred > 0 {
        notes.push(format!("what pgroll has as inferred is not imported, for it has no file: {inferred}"));
    }
    Ok(Read { migrations, notes })
}

fn one(name: &str, called: &str, applied: bool) -> Foreign {
    let (digits, rest) = split(name);
    Foreign { called: called.into(), digits, name: rest, applied, body: Body::Program(OPERATIONS) }
}

fn under_way(row: &Row) -> String {
    format!(
        "{} is under way in pgroll: end it with pgroll complete --schema {schema}, or pgroll rollback --schema {schema}",
        row.name,
        schema = row.schema
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    fn row(name: &str, done: bool, kind: &str, at: &str) -> String {
        format!(
            r#"{{"schema": "public", "name": "{name}", "done": {done}, "migration_type": "{kind}", "created_at": "{at}"}}"#
        )
    }

    #[test]
    fn a_migration_under_way_is_refused_by_name() {
        let rows = [row("01_a", true, "pgroll", "1"), row("02_b", false, "pgroll", "2")];
        let why = read(&history(&[&rows[0], &rows[1]]), &[]).unwrap_err().to_string();
        assert_eq!(
            why,
            "02_b is under way in pgroll: end it with pgroll complete --schema public, or pgroll rollback --schema public"
        );
    }

    #[test]
    fn what_was_inferred_is_left_out_and_said() {
        let rows = [
            row("01_a", true, "pgroll", "1"),
            row("01_a_2023", true, "inferred", "2"),
            row("02_b", true, "pgroll", "3"),
        ];
        let got =
            read(&history(&[&rows[0], &rows[1], &rows[2]]), &[file("01_a.json", ""), file("03_c.yaml", "")])
                .unwrap();
        let seen: Vec<_> = got.migrations.iter().map(|one| (one.called.as_str(), one.applied)).collect();
        assert_eq!(seen, [("01_a.json", true), ("02_b", true), ("03_c.yaml", false)]);
        assert!(got.notes[1].ends_with("no file: 1"), "{:?}", got.notes);
    }
}
