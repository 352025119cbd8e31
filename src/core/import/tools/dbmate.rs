//! dbmate: `schema_migrations` with a version as text, files with `-- migrate:up` and `-- migrate:down`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};
use super::{foreign, top};
use crate::core::import::number::split;

#[derive(Deserialize)]
struct Row {
    version: String,
}

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let rows: Vec<Row> = history.read(Tool::Dbmate)?;
    let applied = |version: &str| rows.iter().any(|row| row.version == version);
    // It takes files by name, and versions by the digits in front.
    let mut all: BTreeMap<String, Foreign> = BTreeMap::new();
    let mut faults = Vec::new();
    for (file, name) in top(files) {
        let (Some(version), _) = split(name) else { continue };
        match sections(&file.text()?) {
            Ok(body) => {
                all.insert(name.into(), foreign(name, applied(&version), body));
            }
            Err(why) => faults.push(format!("{name}: {why}")),
        }
    }
    if !faults.is_empty() {
        return Err(ImportError::Files(faults));
    }
    for row in rows {
        let there = all.values().any(|one| one.digits.as_deref() == Some(row.version.as_str()));
        if !there {
            all.insert(row.version.clone(), foreign(&row.version, true, Body::Missing));
        }
    }
    Ok(Read { migrations: all.into_values().collect(), notes: Vec::new() })
}

/// The two sections, as `migration.go` of dbmate finds them.
fn sections(text: &str) -> Result<Body, String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let at = |direction: &str| -> Vec<usize> {
        lines.iter().enumerate().filter(|(_, line)| is_marker(line, direction)).map(|(n, _)| n).collect()
    };
    let part = |from: usize, to: usize| lines.get(from..to).map(<[&str]>::concat).unwrap_or_default();
    match (at("up").as_slice(), at("down").as_slice()) {
        ([], _) => Err("it has no -- migrate:up".into()),
        ([up], []) => Ok(Body::Sql { up: part(up + 1, lines.len()), down: None }),
        ([up], [down]) if up < down => {
            Ok(Body::Sql { up: part(up + 1, *down), down: Some(part(down + 1, lines.len())) })
        }
        ([_], [_]) => Err("-- migrate:down stands before -- migrate:up".into()),
        _ => Err("it has several -- migrate:up or -- migrate:down: make it two files".into()),
    }
}

/// Whether a line is `-- migrate:up`, with or without options.
fn is_marker(line: &str, direction: &str) -> bool {
    let named = line.strip_prefix("--").and_then(|rest| rest.trim_start().strip_prefix("migrate:"));
    named
        .and_then(|rest| rest.strip_prefix(direction))
        .is_some_and(|rest| rest.trim().is_empty() || rest.starts_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    #[test]
    fn options_of_a_section_are_no_statements() {
        let got =
            sections("-- about\n-- migrate:up transaction:false\nSELECT 1;\n--migrate:down\nSELECT 2;\n")
                .unwrap();
        assert_eq!(got, Body::Sql { up: "SELECT 1;\n".into(), down: Some("SELECT 2;\n".into()) });
        for bad in [
            "SELECT 1",
            "-- migrate:down\n-- migrate:up\n",
            "-- migrate:up\n-- migrate:up\n-- migrate:down\n",
        ] {
            assert!(sections(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn versions_on_record_meet_files_by_their_digits() {
        let rows = history(&[r#"{"version": "20230101000000"}"#, r#"{"version": "20230102000000"}"#]);
        let text = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";
        let got =
            read(&rows, &[file("20230101000000_a.sql", text), file("20230103000000_c.sql", text)]).unwrap();
        let seen: Vec<_> = got.migrations.iter().map(|one| (one.called.as_str(), one.applied)).collect();
        assert_eq!(
            seen,
            [("20230101000000_a.sql", true), ("20230102000000", true), ("20230103000000_c.sql", false)]
        );
        assert_eq!(got.migrations[1].body, Body::Missing);
    }
}
