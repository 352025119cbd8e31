//! Finds the lines of a scalar's value in the file that it was read from, so
//! that a statement inside a block of SQL can be pointed at.

use super::model::Place;

/// The place of each line of `value`, which stands in `text` from `start` on.
/// Where the file's lines are not those of the value (folded or escaped
/// scalars), each is at `start`.
#[must_use]
pub fn line_places(text: &str, start: Place, value: &str) -> Vec<Place> {
    // A plain scalar begins where it stands, a block on the line below its `|`.
    let found = [start.line, start.line + 1].into_iter().find_map(|first| {
        let raw = text.lines().skip(first.saturating_sub(1));
        let lines: Vec<&str> = value.lines().collect();
        let placed: Option<Vec<Place>> = raw
            .zip(&lines)
            .enumerate()
            .map(|(n, (raw, line))| place(raw, line, first + n, n == 0 && first == start.line))
            .collect();
        placed.filter(|placed| placed.len() == lines.len())
    });
    found.unwrap_or_else(|| vec![start; value.lines().count().max(1)])
}

/// Where a line of the value begins in a line of the file; only the first may
/// share its line with a key.
fn place(raw: &str, line: &str, number: usize, shares: bool) -> Option<Place> {
    let wanted = line.trim();
    // A blank first line is below the `|`, never beside the key.
    if shares && wanted.is_empty() {
        return None;
    }
    let at = if shares { raw.find(wanted)? } else { raw.len() - raw.trim_start().len() };
    if !shares && raw.trim() != wanted {
        return None;
    }
    let blank = line.chars().take_while(|c| c.is_whitespace()).count();
    Some(Place { line: number, column: (raw[..at].chars().count() + 1).saturating_sub(blank).max(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, line: usize, column: usize, value: &str) -> Vec<(usize, usize)> {
        let found = line_places(text, Place { line, column }, value);
        found.into_iter().map(|place| (place.line, place.column)).collect()
    }

    #[test]
    fn the_lines_of_a_scalar_are_found_in_the_file() {
        assert_eq!(places("- sql: SELECT 1", 1, 8, "SELECT 1"), [(1, 8)]);
        assert_eq!(places("- sql: \"SELECT 1\"", 1, 8, "SELECT 1"), [(1, 9)]);
        let block = "- sql: |\n    SELECT 1;\n\n      SELECT 2\n  undo: x";
        assert_eq!(places(block, 1, 8, "SELECT 1;\n\n  SELECT 2\n"), [(2, 5), (3, 1), (4, 5)]);
        assert_eq!(places("- sql: >\n    SELECT\n    1", 1, 8, "SELECT 1\n"), [(1, 8)]);
        assert_eq!(places("", 1, 1, "SELECT 1"), [(1, 1)]);
        let blank = "- sql: |\n\n\n    SELECT 1";
        assert_eq!(places(blank, 1, 8, "\n\nSELECT 1"), [(2, 1), (3, 1), (4, 5)]);
    }
}
