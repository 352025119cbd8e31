//! Finds the lines of a SQL migration where UP and DOWN begin, and those that were meant to be one.

use strsim::osa_distance;

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
