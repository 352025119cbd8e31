//! Owns SQL migrations: one file into UP and DOWN.

mod scan;

use scan::Scan;
use strsim::osa_distance;

use crate::core::lint;
use crate::core::plan::fault::located;
use crate::core::plan::model::Place;
use crate::core::step::Allow;
use crate::core::version::Version;

/// What a comment begins with that accepts a finding.
const LINT: &str = "lint:";
/// What one begins with that names items which this one builds on.
const DEPENDS_ON: &str = "depends_on:";
/// The most bytes that a SQL file may have.
pub const MAX_MIGRATION_BYTES: usize = 16 * 1024 * 1024;

/// A SQL migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlMigration {
    /// The version, from the file's name.
    pub version: Version,
    /// The name, from the file's name.
    pub name: String,
    /// The statements of UP.
    pub up: String,
    /// The line that they start on.
    pub up_line: usize,
    /// The way back.
    pub down: Down,
    /// The line that it starts on.
    pub down_line: Option<usize>,
    /// Findings that all of it accepts (`-- lint: allow RULE: why`, before the first statement).
    pub allow: Vec<Allow>,
    /// Items that it builds on (`-- depends_on: VERSION`).
    pub depends_on: Vec<Version>,
    /// Findings that the next statement accepts, each with its place.
    pub allow_next: Vec<Allow>,
}

/// The way back of a SQL migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Down {
    /// These statements.
    Sql(String),
    /// There is no DOWN section, or nothing in it.
    Empty,
    /// It says `irreversible: why`.
    Irreversible(String),
}

/// Why a SQL migration is not right; shown with its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct MigrationError(String);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Up,
    Down,
}

impl SqlMigration {
    /// Reads a file. `-- UP` and `-- DOWN` (also `-- Up:`, any case) stand alone
    /// on their lines; without a marker all of it is UP.
    ///
    /// # Errors
    /// When markers are doubled or out of order, or UP is empty.
    pub fn parse(file: &str, version: Version, name: &str, text: &str) -> Result<Self, MigrationError> {
        let wrong = |line: usize, message: &str| {
            MigrationError(located(file, text, Some(Place { line, column: 1 }), message))
        };
        if let Some(line) = misspelt(text) {
            return Err(wrong(line, "this looks like -- DOWN misspelt: what follows would run as UP"));
        }
        let markers = markers(text);
        let (up_line, down_line) = match markers.as_slice() {
            [] => (1, None),
            [(Marker::Up, up)] => (up + 1, None),
            [(Marker::Up, up), (Marker::Down, down)] => (up + 1, Some(down + 1)),
            [(Marker::Down, line), ..] => {
                return Err(wrong(*line, "DOWN stands before UP: write -- UP and its statements first"));
            }
            [_, (Marker::Up, line), ..] | [_, _, (_, line), ..] => {
                return Err(wrong(*line, "this marker stands in the file already"));
            }
        };
        if let Some((_, first)) = markers.first() {
            let before = lines(text, 1, *first);
            if let Some(stray) = stray(&before) {
                return Err(wrong(stray, "this stands before -- UP and would never run: move it below"));
            }
        }
        let end = down_line.map_or(usize::MAX, |line| line - 1);
        let up = lines(text, up_line, end);
        if blank(&up) {
            return Err(wrong(up_line.saturating_sub(1).max(1), "UP has no statement"));
        }
        let down = down_line.map_or(Down::Empty, |line| down(&lines(text, line, usize::MAX)));
        let (allow, allow_next) = allowed(text).map_err(|(line, why)| wrong(line, &why))?;
        let depends_on = depends_on(text).map_err(|(line, why)| wrong(line, &why))?;
        Ok(Self { version, name: name.into(), up, up_line, down, down_line, allow, allow_next, depends_on })
    }
}

/// A comment that says something and stands alone on its line.
struct Comment<'a> {
    /// The line, from 1.
    line: usize,
    /// The byte at which it begins.
    at: usize,
    /// What it says after its key.
    said: &'a str,
    /// Whether a statement stands before it.
    begun: bool,
}

/// The comments that begin with a key.
fn comments<'a>(text: &'a str, key: &str) -> Vec<Comment<'a>> {
    let mut state = Scan::default();
    let (mut found, mut begun, mut start) = (Vec::new(), false, 0);
    for (n, line) in text.split_inclusive('\n').enumerate() {
        let comment = line.trim().strip_prefix("--").map(str::trim);
        if let Some(said) = comment.and_then(|text| text.strip_prefix(key)).filter(|_| state.outside()) {
            let at = start + line.len() - line.trim_start().len();
            found.push(Comment { line: n + 1, at, said: said.trim(), begun });
        }
        begun |= state.line(line.trim_end_matches(['\n', '\r']));
        start += line.len();
    }
    found
}

/// Where SQL has a comment that accepts a finding in a migration.
#[must_use]
pub fn lint_comment(sql: &str) -> Option<usize> {
    comments(sql, LINT).first().map(|comment| comment.at)
}

/// The findings that comments accept, for the whole file and for the next statement alone;
/// or the line of a comment that is not right.
fn allowed(text: &str) -> Result<(Vec<Allow>, Vec<Allow>), (usize, String)> {
    let (mut all, mut next) = (Vec::new(), Vec::new());
    for Comment { line, said, begun, .. } in comments(text, LINT) {
        let said = said.strip_prefix("allow ").and_then(|allow| allow.split_once(':'));
        let Some((rule, reason)) = said else {
            return Err((line, "write it as -- lint: allow RULE: why it is right all the same".into()));
        };
        let (rule, reason) = (rule.trim().to_owned(), reason.trim().to_owned());
        lint::accepts(&rule, &reason).map_err(|why| (line, why))?;
        let place = Some(Place { line, column: 1 });
        let of = if begun { &mut next } else { &mut all };
        of.push(Allow { rule, reason, place, statement: None });
    }
    Ok((all, next))
}

/// The items that comments say it builds on, or the line of one that is not right.
fn depends_on(text: &str) -> Result<Vec<Version>, (usize, String)> {
    let mut found = Vec::new();
    for Comment { line, said, .. } in comments(text, DEPENDS_ON) {
        for word in said.split(',').map(str::trim) {
            let version =
                Version::parse(word).or_else(|| Version::split_stem(word).map(|(version, _)| version));
            found.push(
                version.ok_or_else(|| (line, "write it as -- depends_on: VERSION, VERSION".to_owned()))?,
            );
        }
    }
    Ok(found)
}

fn down(text: &str) -> Down {
    if !blank(text) {
        return Down::Sql(text.into());
    }
    let why = text.lines().find_map(|line| {
        let line = line.trim().trim_start_matches('-').trim();
        let (word, why) = line.split_once(':').unwrap_or((line, ""));
        word.trim().eq_ignore_ascii_case("irreversible").then(|| why.trim().to_owned())
    });
    match why {
        Some(why) if why.is_empty() => Down::Irreversible("it gives no reason".into()),
        Some(why) => Down::Irreversible(why),
        None => Down::Empty,
    }
}

/// The lines from `from` (counted from 1) to before `to`.
fn lines(text: &str, from: usize, to: usize) -> String {
    text.split_inclusive('\n')
        .enumerate()
        .filter(|(n, _)| (from..to).contains(&(n + 1)))
        .map(|(_, line)| line)
        .collect()
}

/// Whether there is no statement: nothing but blanks, semicolons and comments,
/// or the bare line `irreversible: why`.
fn blank(text: &str) -> bool {
    let bare = text.trim();
    let irreversible = bare.lines().count() == 1
        && bare.split(':').next().is_some_and(|word| word.trim().eq_ignore_ascii_case("irreversible"));
    irreversible || stray(text).is_none()
}

/// The first line (counted from 1) that is neither blank nor comment.
fn stray(text: &str) -> Option<usize> {
    let mut state = Scan::default();
    text.lines().enumerate().find(|(_, line)| state.line(line)).map(|(n, _)| n + 1)
}

/// The markers and their lines; what stands in strings, dollar quotes, quoted
/// names and block comments is none.
fn markers(text: &str) -> Vec<(Marker, usize)> {
    let mut state = Scan::default();
    let mut found = Vec::new();
    for (n, line) in text.lines().enumerate() {
        if state.outside()
            && let Some(marker) = marker(line)
        {
            found.push((marker, n + 1));
        }
        state.line(line);
    }
    found
}

/// The line of a comment of one word that is one slip away from DOWN.
fn misspelt(text: &str) -> Option<usize> {
    let mut state = Scan::default();
    let slip = |line: &str| {
        word(line).is_some_and(|word| osa_distance(&word.to_lowercase(), "down") == 1) || foreign(line)
    };
    let mut lines = text.lines().enumerate();
    lines.find_map(|(n, line)| {
        let found = state.outside() && slip(line);
        state.line(line);
        found.then_some(n + 1)
    })
}

/// Whether a comment is the marker of another tool, or one with something beside it.
fn foreign(line: &str) -> bool {
    let line = line.trim();
    if (!line.starts_with("--") && !line.starts_with("/*")) || marker(line).is_some() {
        return false;
    }
    let words: Vec<String> = line
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(
        words.as_slice(),
        ["down"]
            | ["goose" | "migrate", "down"]
            | ["down", "migration" | "rollback"]
            | ["migrate", "down", _]
    )
}

/// What a line says that may be a marker.
fn word(line: &str) -> Option<&str> {
    let word = line.trim().strip_prefix("--")?.trim();
    Some(word.strip_suffix(':').unwrap_or(word).trim())
}

fn marker(line: &str) -> Option<Marker> {
    let word = word(line)?;
    if word.eq_ignore_ascii_case("up") {
        Some(Marker::Up)
    } else if word.eq_ignore_ascii_case("down") {
        Some(Marker::Down)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<SqlMigration, MigrationError> {
        SqlMigration::parse("m/1_x.sql", Version::parse("1").unwrap(), "x", text)
    }

    #[test]
    fn markers_of_any_spelling_split_the_file() {
        for (up, down) in [("-- UP", "-- DOWN"), ("--up:", "--  Down :"), ("-- Up:", "-- DOWN:")] {
            let got = parse(&format!("-- header\n{up}\nSELECT 1;\n{down}\nSELECT 2;\n")).unwrap();
            assert_eq!((got.up.trim(), got.up_line), ("SELECT 1;", 3));
            assert_eq!(got.down, Down::Sql("SELECT 2;\n".into()));
        }
        let all = parse("SELECT 1;\nSELECT 2").unwrap();
        assert_eq!((all.up.as_str(), all.down), ("SELECT 1;\nSELECT 2", Down::Empty));
    }

    #[test]
    fn what_looks_like_a_marker_inside_something_else_is_none() {
        let text = "-- UP\nSELECT '\n-- DOWN\n', $x$\n-- DOWN\n$x$, \"\n-- UP\n\" /*\n/* -- DOWN */\n-- DOWN\n*/, E'\\'\n-- DOWN\n';\n-- DOWN\nSELECT 2";
        let got = parse(text).unwrap();
        assert_eq!(got.down, Down::Sql("SELECT 2".into()));
    }

    #[test]
    fn an_empty_or_irreversible_down_says_so() {
        assert_eq!(parse("-- UP\nSELECT 1;\n-- DOWN\n\n-- nothing\n;").unwrap().down, Down::Empty);
        let why = Down::Irreversible("rows are gone".into());
        assert_eq!(parse("-- UP\nSELECT 1;\n-- DOWN\n-- irreversible: rows are gone").unwrap().down, why);
        assert_eq!(parse("-- UP\nSELECT 1;\n-- DOWN\nIrreversible: rows are gone\n").unwrap().down, why);
    }

    #[test]
    fn faults_name_their_line() {
        for (text, line) in [
            ("-- DOWN\nSELECT 1", 1),
            ("-- UP\nSELECT 1;\n-- DOWN --\nSELECT 2", 3),
            ("-- UP\nSELECT 1;\n-- +goose Down\nSELECT 2", 3),
            ("-- UP\nSELECT 1;\n/* DOWN */\nSELECT 2", 3),
            ("-- UP\nSELECT 1;\n-- DOWN (rollback)\nSELECT 2", 3),
            ("-- UP\nSELECT 1;\n-- UP\nSELECT 2", 3),
            ("-- UP\nSELECT 1;\n-- DOWN\n-- DOWN\n", 4),
            ("SELECT 0;\n-- UP\nSELECT 1", 1),
            ("-- UP\nSELECT 1;\n-- DWON\nSELECT 2", 3),
            ("-- UP\n-- nothing\n-- DOWN\nSELECT 1", 1),
            ("", 1),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("m/1_x.sql:{line}:1: ")), "{text:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_gives_an_answer(text in "(?s).{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_mix_of_quotes_gives_an_answer(parts in proptest::collection::vec("(--|/\\*|\\*/|'|\"|\\$\\$|\\$a\\$|E'|\\\\|UP|DOWN|\n|x|;| )", 0..40)) {
            let _ = parse(&parts.concat());
        }
    }
}
