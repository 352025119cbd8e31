//! Reshape: `reshape.migrations`, files of actions in TOML or JSON; its state stands in `reshape.data`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};
use super::{stem, top};
use crate::core::import::number::split;

/// The columns are those of src/state.rs of Reshape.
#[derive(Deserialize)]
struct Row {
    index: i64,
    name: String,
}

/// A row of `reshape.data`.
#[derive(Deserialize)]
struct Data {
    key: String,
    value: Option<Value>,
}

const ACTIONS: &str = "a file of actions for Reshape";

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let data: Vec<Data> = history.read_beside(Tool::Reshape)?;
    let state = data.iter().find(|data| data.key == "state").and_then(|data| data.value.as_ref());
    let word = state.and_then(|state| state.get("state")).and_then(Value::as_str).unwrap_or("idle");
    if word != "idle" {
        return Err(ImportError::NotAtRest(vec![under_way(word, state)]));
    }
    let mut rows: Vec<Row> = history.read(Tool::Reshape)?;
    rows.sort_by_key(|row| row.index);
    let mut files: BTreeMap<&str, &str> = top(files).map(|(_, name)| (stem(name), name)).collect();
    let mut migrations: Vec<Foreign> = Vec::new();
    for row in &rows {
        let called = files.remove(row.name.as_str()).unwrap_or(&row.name);
        migrations.push(one(&row.name, called, true));
    }
    migrations.extend(files.into_iter().map(|(name, called)| one(name, called, false)));
    Ok(Read { migrations, notes: Vec::new() })
}

fn one(name: &str, called: &str, applied: bool) -> Foreign {
    let (digits, rest) = split(name);
    Foreign { called: called.into(), digits, name: rest, applied, body: Body::Program(ACTIONS) }
}

fn under_way(word: &str, state: Option<&Value>) -> String {
    let of = state.and_then(|state| state.get("migrations")).and_then(Value::as_array);
    let names: Vec<&str> = of.into_iter().flatten().filter_map(|one| one.get("name")?.as_str()).collect();
    let names = if names.is_empty() { "a migration".to_owned() } else { names.join(", ") };
    format!(
        "{names} is under way in Reshape, which is {word}: end it with reshape migration complete, or reshape migration abort"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    #[test]
    fn a_migration_under_way_is_refused_by_name() {
        let state =
            serde_json::json!({"state": "in_progress", "migrations": [{"name": "2_b", "actions": []}]});
        let beside = vec![
            serde_json::json!({"key": "version", "value": "0.7"}),
            serde_json::json!({"key": "state", "value": state}),
        ];
        let why = read(&History { beside, ..history(&[]) }, &[]).unwrap_err().to_string();
        assert!(why.starts_with("2_b is under way in Reshape, which is in_progress: "), "{why}");
    }

    #[test]
    fn rows_meet_files() {
        let rows = history(&[r#"{"index": 1, "name": "1_a", "completed_at": "x"}"#]);
        let got = read(&rows, &[file("1_a.toml", ""), file("2_b.toml", "")]).unwrap().migrations;
        let seen: Vec<_> = got.iter().map(|one| (one.called.as_str(), one.applied)).collect();
        assert_eq!(seen, [("1_a.toml", true), ("2_b.toml", false)]);
    }
}
