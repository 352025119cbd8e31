//! Sqitch: the table `changes`, `sqitch.plan`, and scripts in `deploy/` and `revert/`.

use serde::Deserialize;

use super::super::sha1::hex;
use super::super::{Body, File, Foreign, History, ImportError, Read, Tool};

/// The columns are those of lib/App/Sqitch/Engine/pg.sql of Sqitch.
#[derive(Deserialize)]
struct Row {
    change: String,
    project: String,
    script_hash: Option<String>,
}

const PLAN: &str = "sqitch.plan";

/// A line of the plan.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Change { name: String, planned: String },
    Tag(String),
}

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let Some(plan) = files.iter().find(|file| file.path == PLAN) else {
        return Err(ImportError::Files(vec![format!(
            "there is no {PLAN} in the folder: name the one that it stands in with --files"
        )]));
    };
    let text = plan.text()?;
    let project = pragma(&text, "project").unwrap_or_default();
    let lines = lines(&text).map_err(|why| ImportError::Files(vec![why]))?;
    let rows: Vec<Row> = history.read(Tool::Sqitch)?;
    let (ours, others): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.project == project);
    let deployed: Vec<&str> = ours.iter().map(|row| row.change.as_str()).collect();
    let changes: Vec<(usize, &str, &str)> = lines
        .iter()
        .enumerate()
        .filter_map(|(at, line)| match line {
            Line::Change { name, planned } => Some((at, name.as_str(), planned.as_str())),
            Line::Tag(_) => None,
        })
        .collect();
    first_of(&changes, &deployed).map_err(|why| ImportError::Files(vec![why]))?;
    let (mut migrations, mut notes) = (Vec::new(), Vec::new());
    let mut newest = 0_u64;
    for (nth, (at, name, planned)) in changes.iter().enumerate() {
        // The plan's order counts, also where two were planned in one second, or moved.
        newest = planned.parse::<u64>().unwrap_or(0).max(newest + 1);
        let called = script(&lines, *at, name);
        let body = body(files, &called)?;
        if nth < deployed.len() {
            notes.extend(edited(files, &called, name, &ours));
        }
        migrations.push(Foreign {
            name: called.clone(),
            called,
            digits: Some(newest.to_string()),
            applied: nth < deployed.len(),
            body,
        });
    }
    if !others.is_empty() {
        notes.push(format!(
            "changes of other projects are not imported ({}): import each project from the folder of its plan",
            others.len()
        ));
    }
    Ok(Read { migrations, notes })
}

/// Whether the script is none of those that were deployed under this name.
fn edited(files: &[File], called: &str, name: &str, rows: &[Row]) -> Option<String> {
    let file = files.iter().find(|file| file.path == format!("deploy/{called}.sql"))?;
    let now = hex(&file.bytes);
    let then: Vec<&str> =
        rows.iter().filter(|row| row.change == name).filter_map(|row| row.script_hash.as_deref()).collect();
    (!then.is_empty() && !then.contains(&now.as_str())).then(|| {
        format!(
            "{} is not what Sqitch deployed: SHA-1 {now}, on record {}. It is recorded as it is now",
            file.path,
            then.join(" and ")
        )
    })
}

/// Whether what is deployed is what the plan begins with: Sqitch deploys in its order, without gaps.
fn first_of(changes: &[(usize, &str, &str)], deployed: &[&str]) -> Result<(), String> {
    let mut planned: Vec<&str> = changes.iter().take(deployed.len()).map(|(_, name, _)| *name).collect();
    let mut there = deployed.to_vec();
    planned.sort_unstable();
    there.sort_unstable();
    if planned == there {
        return Ok(());
    }
    let stray = there
        .iter()
        .find(|name| !planned.contains(name))
        .or_else(|| there.last())
        .copied()
        .unwrap_or_default();
    Err(format!(
        "{stray} is deployed, and {PLAN} does not begin with it: is it the plan of this database? sqitch status says more"
    ))
}

fn pragma(text: &str, key: &str) -> Option<String> {
    let value = |line: &str| {
        let (name, value) = line.trim().strip_prefix('%')?.split_once('=')?;
        (name.trim() == key).then(|| value.trim().to_owned())
    };
    text.lines().find_map(value)
}

/// Changes and tags, in order. A line is `name [needs] 2012-07-16T17:25:07Z Who <mail> # note`.
fn lines(text: &str) -> Result<Vec<Line>, String> {
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['%', '#']) {
            continue;
        }
        let name = line.split_whitespace().next().unwrap_or_default();
        if let Some(tag) = name.strip_prefix('@') {
            found.push(Line::Tag(tag.into()));
            continue;
        }
        let after = line.get(name.len()..).unwrap_or_default().trim_start();
        let after =
            if after.starts_with('[') { after.split_once(']').map_or("", |(_, rest)| rest) } else { after };
        let planned = after.split_whitespace().next().and_then(digits);
        let planned =
            planned.ok_or_else(|| format!("{PLAN}:{}: this is no line of a plan: {line}", n + 1))?;
        found.push(Line::Change { name: name.trim_start_matches('+').into(), planned });
    }
    Ok(found)
}

/// `2012-07-16T17:25:07Z` as digits.
fn digits(time: &str) -> Option<String> {
    let digits: String = time.chars().filter(char::is_ascii_digit).collect();
    (digits.len() == 14 && time.ends_with('Z')).then_some(digits)
}

/// The script of a change: one that was reworked later is kept under the tag before that.
fn script(lines: &[Line], at: usize, name: &str) -> String {
    let after = lines.get(at + 1..).unwrap_or_default();
    let same = |line: &Line| matches!(line, Line::Change { name: other, .. } if other == name);
    let tag = after.iter().find_map(|line| match line {
        Line::Tag(tag) => Some(tag),
        Line::Change { .. } => None,
    });
    match tag.filter(|_| after.iter().any(same)) {
        Some(tag) => format!("{name}@{tag}"),
        None => name.to_owned(),
    }
}

fn body(files: &[File], called: &str) -> Result<Body, ImportError> {
    let of = |folder: &str| files.iter().find(|file| file.path == format!("{folder}/{called}.sql"));
    let down = of("revert").map(File::text).transpose()?;
    Ok(match of("deploy") {
        Some(file) => Body::Sql { up: file.text()?, down },
        None => Body::Missing,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    const TEXT: &str = "%syntax-version=1.0.0\n%project=shop\n\n\
        users 2023-01-02T03:04:05Z Me <me@x> # users\n\
        orders [users] 2023-01-02T03:04:05Z Me <me@x>\n\
        @v1 2023-01-03T00:00:00Z Me <me@x> # tag\n\
        users [users@v1] 2023-01-01T00:00:00Z Me <me@x>\n";

    fn row(change: &str, project: &str) -> String {
        format!(
            r#"{{"change": "{change}", "project": "{project}", "script_hash": "a9993e364706816aba3e25717850c26c9cd0d89d"}}"#
        )
    }

    #[test]
    fn a_script_that_was_edited_since_is_named() {
        let notes = |script: &str| {
            let plan = "%project=shop\nusers 2023-01-02T03:04:05Z Me <me@x>\n";
            read(
                &history(&[&row("users", "shop")]),
                &[file("sqitch.plan", plan), file("deploy/users.sql", script)],
            )
            .unwrap()
            .notes
        };
        assert!(notes("abc").is_empty());
        assert!(
            notes("abd")[0].starts_with("deploy/users.sql is not what Sqitch deployed: SHA-1 "),
            "{:?}",
            notes("abd")
        );
    }

    #[test]
    fn the_order_of_the_plan_gives_the_versions() {
        let files = [
            file("sqitch.plan", TEXT),
            file("deploy/users@v1.sql", "BEGIN; SELECT 1; COMMIT;"),
            file("deploy/users.sql", "SELECT 3"),
            file("revert/users.sql", "SELECT 4"),
        ];
        let rows = [row("users", "shop"), row("orders", "shop"), row("x", "other")];
        let got = read(&history(&[&rows[0], &rows[1], &rows[2]]), &files).unwrap();
        let seen: Vec<_> = got
            .migrations
            .iter()
            .map(|one| (one.called.as_str(), one.digits.as_deref().unwrap(), one.applied))
            .collect();
        assert_eq!(
            seen,
            [
                ("users@v1", "20230102030405", true),
                ("orders", "20230102030406", true),
                ("users", "20230102030407", false)
            ]
        );
        assert_eq!(got.migrations[1].body, Body::Missing);
        assert_eq!(
            got.migrations[2].body,
            Body::Sql { up: "SELECT 3".into(), down: Some("SELECT 4".into()) }
        );
        assert!(got.notes.last().unwrap().starts_with("changes of other projects are not imported (1)"));
    }

    #[test]
    fn a_plan_of_another_database_is_refused() {
        let rows = [row("users", "shop"), row("gone", "shop")];
        let why =
            read(&history(&[&rows[0], &rows[1]]), &[file("sqitch.plan", TEXT)]).unwrap_err().to_string();
        assert!(why.starts_with("gone is deployed, and sqitch.plan does not begin with it"), "{why}");
        assert!(read(&history(&[]), &[]).unwrap_err().to_string().contains("--files"));
        assert!(
            read(&history(&[]), &[file("sqitch.plan", "users yesterday")])
                .unwrap_err()
                .to_string()
                .starts_with("sqitch.plan:1: ")
        );
    }
}
