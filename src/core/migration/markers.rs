//! Finds the lines of a SQL migration where UP and DOWN begin, and those that were meant to be one.

use strsim::osa_distance;

use super::comments::READ;
use crate::core::sql::Scan;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Up,
    Down,
}

/// The markers and their lines; what stands in strings, dollar quotes, quoted
/// names and block comments is none.
pub(super) fn markers(text: &str) -> Vec<(Marker, usize)> {
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
pub(super) fn misspelt(text: &str) -> Option<usize> {
    let mut state = Scan::default();
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

/// SQL of somebody else, with its comments made to say nothing here: what a marker, a
/// slip of one, or a comment that is read begins with gets a word before it.
#[must_use]
pub fn quieted(sql: &str) -> String {
    let mut state = Scan::default();
    let mut quiet = String::with_capacity(sql.len());
    for line in sql.split_inclusive('\n') {
        let outside = state.outside();
        state.line(line.trim_end_matches(['\n', '\r']));
        let blank = line.len() - line.trim_start().len();
        match line.split_at_checked(blank + 2) {
            Some((opening, rest)) if outside && says(line) => {
                quiet.push_str(opening);
                quiet.push_str(" note:");
                quiet.push_str(rest);
            }
            _ => quiet.push_str(line),
        }
    }
    quiet
}

/// Whether a line is one that is read here, beside its SQL.
fn says(line: &str) -> bool {
    let line = line.trim_end_matches(['\n', '\r']);
    let comment = line.trim().strip_prefix("--").map(str::trim);
    let read = |text: &str| READ.iter().any(|key| text.starts_with(key));
    marker(line).is_some() || slip(line) || comment.is_some_and(read)
}

/// Whether a comment of one word is one slip away from DOWN, or another tool's marker.
fn slip(line: &str) -> bool {
    word(line).is_some_and(|word| osa_distance(&word.to_lowercase(), "down") == 1) || foreign(line)
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
