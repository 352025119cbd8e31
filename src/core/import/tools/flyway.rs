//! Flyway: `flyway_schema_history`, files `V1.2__name.sql`, `U1.2__name.sql` and `R__name.sql`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::crc32::of_lines;
use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};
use crate::core::version::MAX_DIGITS;

/// The columns are those of `getRawCreateScript` in PostgreSQLDatabase.java of Flyway.
#[derive(Deserialize)]
struct Row {
    installed_rank: i64,
    version: Option<String>,
    description: String,
    #[serde(rename = "type")]
    kind: String,
    script: String,
    checksum: Option<i32>,
    success: bool,
}

/// A version: its parts, without zeros at the end.
type Parts = Vec<u64>;

/// What a file's name says.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Versioned(Parts, String),
    Undo(Parts),
    Repeatable(String),
    Baseline,
    Other,
}

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let mut rows: Vec<Row> = history.read(Tool::Flyway)?;
    rows.sort_by_key(|row| row.installed_rank);
    let failed: Vec<String> = rows.iter().filter(|row| !row.success).map(failed).collect();
    if !failed.is_empty() {
        return Err(ImportError::NotAtRest(failed));
    }
    let (applied, baseline) = standing(&rows);
    let mut notes = Vec::new();
    let mut all: BTreeMap<Parts, (String, String, Body)> = BTreeMap::new();
    let mut twice = Vec::new();
    for file in files {
        match named(file.name()) {
            Named::Versioned(version, name) => {
                let body = body(&file.text()?, undo(files, &version)?);
                if let Some((other, ..)) = all.insert(version, (file.path.clone(), name, body)) {
                    twice.push(format!("{other} and {} have one version", file.path));
                }
            }
            Named::Repeatable(name) => notes.push(repeatable(file, &name, &rows)?),
            Named::Baseline => notes.push(format!(
                "{} is not imported: it makes in one go what the others make one after the other",
                file.path
            )),
            Named::Undo(_) | Named::Other => {}
        }
    }
    if !twice.is_empty() {
        return Err(ImportError::Versions(twice));
    }
    for (version, row) in &applied {
        match all.get(version) {
            Some((path, ..)) => notes.extend(edited(row, path, files)?),
            None => {
                let body =
                    if row.kind.contains("SQL") { Body::Missing } else { Body::Program("no SQL file") };
                all.insert(version.clone(), (row.script.clone(), row.description.clone(), body));
            }
        }
    }
    let digits = digits(&all.keys().collect::<Vec<_>>()).map_err(|why| ImportError::Versions(vec![why]))?;
    let one = |((version, (called, name, body)), digits): ((Parts, (String, String, Body)), String)| {
        let below = baseline.as_ref().is_some_and(|baseline| version <= *baseline);
        let applied = below || applied.contains_key(&version);
        Foreign { called, digits: Some(digits), name, applied, body }
    };
    Ok(Read { migrations: all.into_iter().zip(digits).map(one).collect(), notes })
}

/// What is applied after all rows, and what everything up to counts as applied.
fn standing(rows: &[Row]) -> (BTreeMap<Parts, &Row>, Option<Parts>) {
    let (mut applied, mut baseline) = (BTreeMap::new(), None);
    for row in rows {
        let Some(version) = row.version.as_deref().and_then(parts) else { continue };
        match row.kind.as_str() {
            // A row of its own, or of a file that made all up to there.
            "BASELINE" | "SQL_BASELINE" => baseline = Some(version),
            "DELETE" => drop(applied.remove(&version)),
            kind if kind.starts_with("UNDO") => drop(applied.remove(&version)),
            _ => drop(applied.insert(version, row)),
        }
    }
    (applied, baseline)
}

fn parts(version: &str) -> Option<Parts> {
    let mut parts: Parts = version.split(['.', '_']).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    while parts.len() > 1 && parts.last() == Some(&0) {
        parts.pop();
    }
    Some(parts)
}

fn named(name: &str) -> Named {
    let Some((front, rest)) = name.split_once("__") else { return Named::Other };
    let name = rest.strip_suffix(".sql").unwrap_or(rest).to_owned();
    let of = |letter: char| front.strip_prefix(letter).and_then(parts);
    match (of('V'), of('U'), of('B')) {
        (Some(version), ..) => Named::Versioned(version, name),
        (_, Some(version), _) => Named::Undo(version),
        (_, _, Some(_)) => Named::Baseline,
        _ if front == "R" => Named::Repeatable(name),
        _ => Named::Other,
    }
}

fn undo(files: &[File], version: &Parts) -> Result<Option<String>, ImportError> {
    let of = files.iter().find(|file| named(file.name()) == Named::Undo(version.clone()));
    of.map(File::text).transpose()
}

/// SQL; where Flyway would put values into it first, only it can run that.
fn body(up: &str, down: Option<String>) -> Body {
    let held = up.split_once("${").and_then(|(_, rest)| rest.split_once('}'));
    match held {
        Some((placeholder, _)) => {
            let why = format!(
                "Flyway puts a value in the place of ${{{placeholder}}}: write the value into the file"
            );
            Body::Kept { why, text: up.into() }
        }
        None => Body::Sql { up: up.into(), down },
    }
}

fn failed(row: &Row) -> String {
    format!(
        "{} failed in Flyway. Mend what it left behind, then take it out of the history: flyway repair",
        row.script
    )
}

fn edited(row: &Row, path: &str, files: &[File]) -> Result<Option<String>, ImportError> {
    let (Some(then), Some(file)) = (row.checksum, files.iter().find(|file| file.path == path)) else {
        return Ok(None);
    };
    let now = of_lines(&file.text()?);
    Ok((now != then).then(|| {
        format!(
            "{path} is not what Flyway ran: checksum {now}, on record {then}. It is recorded as it is now"
        )
    }))
}

/// What becomes of a file that Flyway runs again whenever it changes.
fn repeatable(file: &File, name: &str, rows: &[Row]) -> Result<String, ImportError> {
    let path = &file.path;
    let is_it = |row: &&Row| row.version.is_none() && row.description == name.replace('_', " ");
    let again = "phase has no files that run again: make its next change a SQL migration (phase new --sql)";
    Ok(match rows.iter().rev().find(is_it) {
        None => format!(
            "{path} is not imported, and has not run in Flyway: run it there first (flyway migrate). {again}"
        ),
        Some(row) if row.checksum.is_some_and(|then| Ok(then) != file.text().map(|text| of_lines(&text))) => {
            format!(
                "{path} is not imported, and was changed since Flyway ran it last: run it there first (flyway migrate). {again}"
            )
        }
        Some(_) => format!("{path} is not imported; what it made stands. {again}"),
    })
}

/// How many parts a version may have, and how many digits each but the first, in the order in which
/// they are tried: the first that all fit is taken.
const GROUPS: [(usize, usize); 3] = [(4, 3), (4, 4), (3, 6)];

/// The digits of each version. Where all are whole numbers they stay; otherwise each part after the
/// first has a place of its own, so that 1.2 comes before 1.10 and both before 2.
fn digits(versions: &[&Parts]) -> Result<Vec<String>, String> {
    if versions.iter().all(|version| version.len() == 1) {
        return Ok(versions.iter().map(|version| version[0].to_string()).collect());
    }
    let fits = |version: &Parts, (most, width): (usize, usize)| {
        version.len() <= most
            && version.iter().skip(1).all(|part| part.to_string().len() <= width)
            && version[0].to_string().len() + (most - 1) * width <= MAX_DIGITS
    };
    let Some(&(most, width)) =
        GROUPS.iter().find(|group| versions.iter().all(|version| fits(version, **group)))
    else {
        let dotted = |version: &Parts| version.iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
        let all: Vec<String> = versions.iter().map(|version| dotted(version)).collect();
        return Err(format!(
            "no way to write these versions with {MAX_DIGITS} digits each keeps their order: {}",
            all.join(", ")
        ));
    };
    let written = |version: &&Parts| {
        let rest = (1..most).map(|at| format!("{:0width$}", version.get(at).unwrap_or(&0)));
        format!("{}{}", version[0], rest.collect::<String>())
    };
    Ok(versions.iter().map(written).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    fn row(rank: i64, version: &str, kind: &str, script: &str, checksum: &str, success: bool) -> String {
        format!(
            r#"{{"installed_rank": {rank}, "version": {version}, "description": "views", "type": "{kind}",
                "script": "{script}", "checksum": {checksum}, "success": {success}}}"#
        )
    }

    fn seen(rows: &[String], files: &[File]) -> Vec<(String, String, bool)> {
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let got = read(&history(&rows), files).unwrap().migrations;
        got.into_iter().map(|one| (one.called, one.digits.unwrap(), one.applied)).collect()
    }

    fn of(called: &str, digits: &str, applied: bool) -> (String, String, bool) {
        (called.into(), digits.into(), applied)
    }

    #[test]
    fn dotted_versions_keep_their_order() {
        let write = |all: &[&str]| {
            let all: Vec<Parts> = all.iter().map(|text| parts(text).unwrap()).collect();
            digits(&all.iter().collect::<Vec<_>>())
        };
        assert_eq!(write(&["1", "2", "20230101000000"]).unwrap(), ["1", "2", "20230101000000"]);
        assert_eq!(
            write(&["1", "1.2", "1.10", "2"]).unwrap(),
            ["1000000000", "1002000000", "1010000000", "2000000000"]
        );
        assert_eq!(write(&["2023.01.01.1200"]).unwrap(), ["2023000100011200"]);
        assert!(write(&["20230101000000", "20230101000000.1"]).unwrap_err().contains("20230101000000.1"));
        assert_eq!((parts("1.0"), parts("01_2")), (Some(vec![1]), Some(vec![1, 2])));
    }

    #[test]
    fn undone_and_deleted_versions_are_pending_again() {
        let files =
            [file("V1__a.sql", "SELECT 1"), file("sub/V2__b.sql", "SELECT 2"), file("U2__b.sql", "SELECT 3")];
        let rows = [
            row(1, "\"1\"", "SQL", "V1__a.sql", "null", true),
            row(2, "\"2\"", "SQL", "V2__b.sql", "null", true),
            row(3, "\"2\"", "UNDO_SQL", "U2__b.sql", "null", true),
        ];
        assert_eq!(seen(&rows, &files), [of("V1__a.sql", "1", true), of("sub/V2__b.sql", "2", false)]);
        let got = read(&history(&[&rows[0], &rows[1]]), &files).unwrap().migrations;
        assert_eq!(got[1].body, Body::Sql { up: "SELECT 2".into(), down: Some("SELECT 3".into()) });
        let deleted = [rows[0].clone(), row(2, "\"1\"", "DELETE", "V1__a.sql", "null", true)];
        assert_eq!(seen(&deleted, &files[..1]), [of("V1__a.sql", "1", false)]);
    }

    #[test]
    fn everything_up_to_a_baseline_counts_as_applied() {
        let files = [file("V1__a.sql", "SELECT 1"), file("V3__c.sql", "SELECT 3")];
        let rows = [row(1, "\"2\"", "BASELINE", "<< Flyway Baseline >>", "null", true)];
        assert_eq!(seen(&rows, &files), [of("V1__a.sql", "1", true), of("V3__c.sql", "3", false)]);
    }

    #[test]
    fn what_failed_is_refused_by_name() {
        let rows = [row(1, "\"1\"", "SQL", "V1__a.sql", "null", false)];
        let why = read(&history(&[&rows[0]]), &[]).unwrap_err().to_string();
        assert!(why.starts_with("V1__a.sql failed in Flyway") && why.contains("flyway repair"), "{why}");
    }

    #[test]
    fn repeatable_and_edited_files_are_named() {
        let sum = of_lines("SELECT 1").to_string();
        let rows = [
            row(1, "\"1\"", "SQL", "V1__a.sql", &sum, true),
            row(2, "null", "SQL", "R__views.sql", &sum, true),
        ];
        let notes = |versioned: &str, repeated: &str| {
            let files = [
                file("V1__a.sql", versioned),
                file("R__views.sql", repeated),
                file("B2__all.sql", "SELECT 2"),
            ];
            read(&history(&[&rows[0], &rows[1]]), &files).unwrap().notes
        };
        let same = notes("SELECT 1", "SELECT 1\n");
        assert_eq!(same.len(), 2, "{same:?}");
        assert!(same[0].starts_with("R__views.sql is not imported; what it made stands."), "{same:?}");
        let changed = notes("SELECT 2", "SELECT 2");
        assert!(changed[0].contains("was changed since Flyway ran it last"), "{changed:?}");
        assert!(
            changed.iter().any(|note| note.starts_with("V1__a.sql is not what Flyway ran")),
            "{changed:?}"
        );
    }

    #[test]
    fn placeholders_are_not_ours_to_fill() {
        let got =
            read(&history(&[]), &[file("V1__a.sql", "CREATE TABLE ${schema}.a ()")]).unwrap().migrations;
        assert!(matches!(&got[0].body, Body::Kept { why, .. } if why.contains("${schema}")), "{got:?}");
    }
}
