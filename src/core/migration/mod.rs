//! Owns SQL migrations: one file into UP and DOWN.

mod comments;
mod markers;

pub use comments::lint_comment;
pub use markers::quieted;

use comments::{allowed, depends_on};
use markers::{Marker, markers, misspelt};

use crate::core::plan::fault::located;
use crate::core::plan::model::Place;
use crate::core::sql::Scan;
use crate::core::step::Allow;
use crate::core::version::Version;

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
        fn quieted_comments_say_nothing(parts in proptest::collection::vec("(--|/\\*|\\*/|'|\"|\\$\\$|-- down|-- UP|-- dwon|--migrate:down|/\\* DOWN \\*/|-- lint: |-- depends_on: x|\n|x|;| )", 0..40)) {
            let text = quieted(&parts.concat());
            prop_assert_eq!(&quieted(&text), &text);
            let got = parse(&format!("-- UP\nSELECT 1;\n{text}")).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!((got.down, got.allow, got.depends_on), (Down::Empty, Vec::new(), Vec::new()));
        }

        #[test]
        fn any_mix_of_quotes_gives_an_answer(parts in proptest::collection::vec("(--|/\\*|\\*/|'|\"|\\$\\$|\\$a\\$|E'|\\\\|UP|DOWN|\n|x|;| )", 0..40)) {
            let _ = parse(&parts.concat());
        }
    }

    #[test]
    fn comments_of_any_depth_are_read_once() {
        let deep = |n: usize| format!("{}{}SELECT 1", "/* ".repeat(n), "*/ ".repeat(n));
        // By the square of the depth this would take minutes.
        assert_eq!(lint_comment(&deep(200_000)), None);
        let behind = format!("{}\n-- lint: allow x: y", deep(2));
        assert_eq!(lint_comment(&behind), behind.find("-- lint"));
        assert_eq!(lint_comment("/* /* */ \n-- lint: allow x: y\n*/ SELECT 1"), None);
    }
}
