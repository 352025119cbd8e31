//! node-pg-migrate: `pgmigrations`, files `TIMESTAMP_name.sql` with `-- Up Migration` and
//! `-- Down Migration`, `.up.sql` and `.down.sql`, or programs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::tool::PROGRAMS;
use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};
use super::{stem, top};
use crate::core::import::number::split;

#[derive(Deserialize)]
struct Row {
    /// The file's name without its extension.
    name: String,
}

const PROGRAM: &str = "a program for node-pg-migrate";

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let rows: Vec<Row> = history.read(Tool::NodePgMigrate)?;
    let mut bodies: BTreeMap<&str, (String, Body)> = BTreeMap::new();
    for (file, name) in top(files) {
        let of = stem(name);
        let extension = name.rsplit('.').next().unwrap_or_default();
        if PROGRAMS.contains(&extension) && !name.ends_with(".d.ts") {
            bodies.insert(of, (name.into(), Body::Program(PROGRAM)));
        } else if extension == "sql" && !of.ends_with(".down") {
            let body = match of.strip_suffix(".up") {
                None => sections(&file.text()?),
                Some(bare) => pair(file, bare, files)?,
            };
            bodies.insert(of.strip_suffix(".up").unwrap_or(of), (name.into(), body));
        }
    }
    let mut migrations: Vec<Foreign> = Vec::new();
    for row in &rows {
        let body = bodies.remove(row.name.as_str());
        let (called, body) = body.unwrap_or_else(|| (row.name.clone(), Body::Missing));
        migrations.push(one(&row.name, called, true, body));
    }
    migrations.extend(bodies.into_iter().map(|(of, (called, body))| one(of, called, false, body)));
    // It sorts by the number in front; the rest breaks ties.
    let number = |one: &Foreign| one.digits.as_deref().and_then(|digits| digits.parse::<u64>().ok());
    migrations.sort_by(|a, b| (number(a), &a.called).cmp(&(number(b), &b.called)));
    Ok(Read { migrations, notes: Vec::new() })
}

fn one(of: &str, called: String, applied: bool, body: Body) -> Foreign {
    let (digits, name) = split(of);
    Foreign { called, digits, name, applied, body }
}

fn pair(up: &File, bare: &str, files: &[File]) -> Result<Body, ImportError> {
    let down = top(files).find(|(_, name)| *name == format!("{bare}.down.sql"));
    let down = down.map(|(file, _)| file.text()).transpose()?;
    Ok(Body::Sql { up: up.text()?, down })
}

/// The sections as `sqlMigration.ts` of node-pg-migrate finds them: from one marker to the other,
/// in either order; without markers all of it goes up.
fn sections(text: &str) -> Body {
    let at = |direction: &str| marker(text, direction);
    let slice = |from: usize, to: Option<usize>| {
        let end = to.filter(|to| *to > from).unwrap_or(text.len());
        text.get(from..end).unwrap_or_default().to_owned()
    };
    let (up, down) = (at("up"), at("down"));
    let forward = match (up, down) {
        (Some(up), down) => slice(up, down),
        // Without the marker of up it takes all of the file for it.
        (None, _) => text.to_owned(),
    };
    Body::Sql { up: forward, down: down.map(|down| slice(down, up)) }
}

/// Where a line begins that is `-- Up Migration` or the like.
fn marker(text: &str, direction: &str) -> Option<usize> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let said = line.trim_start().strip_prefix("--").map(|rest| {
            rest.trim_start_matches(|c: char| c == '-' || c.is_whitespace()).to_ascii_lowercase()
        });
        let named = said.as_deref().and_then(|said| said.strip_prefix(direction));
        if named.is_some_and(|rest| {
            rest.starts_with(char::is_whitespace) && rest.trim_start().starts_with("migration")
        }) {
            return Some(start);
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    #[test]
    fn sections_are_found_in_either_order() {
        let up = "-- Up Migration\nCREATE TABLE a ();\n\n";
        let down = "-- Down Migration\nDROP TABLE a;\n";
        let both = Body::Sql { up: up.into(), down: Some(down.into()) };
        assert_eq!(sections(&format!("{up}{down}")), both);
        assert_eq!(sections(&format!("{down}{up}")), both);
        assert_eq!(sections("SELECT 1"), Body::Sql { up: "SELECT 1".into(), down: None });
    }

    #[test]
    fn rows_meet_files_by_their_names_without_extension() {
        let files = [
            file("1000_a.js", ""),
            file("2000_b.sql", "-- Up Migration\nSELECT 2;\n-- Down Migration\nSELECT 3;"),
            file("3000_c.up.sql", "SELECT 4"),
            file("3000_c.down.sql", "SELECT 5"),
        ];
        let rows = history(&[
            r#"{"id": 1, "name": "1000_a", "run_on": "x"}"#,
            r#"{"id": 2, "name": "1500_gone", "run_on": "x"}"#,
        ]);
        let got = read(&rows, &files).unwrap().migrations;
        let seen: Vec<_> = got.iter().map(|one| (one.called.as_str(), one.applied)).collect();
        assert_eq!(
            seen,
            [("1000_a.js", true), ("1500_gone", true), ("2000_b.sql", false), ("3000_c.up.sql", false)]
        );
        assert_eq!(got[1].body, Body::Missing);
        assert_eq!(got[3].body, Body::Sql { up: "SELECT 4".into(), down: Some("SELECT 5".into()) });
    }
}
