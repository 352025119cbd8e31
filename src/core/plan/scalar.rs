//! Finds where the characters of a scalar's value stand in the file that it was
//! read from, so that a statement inside a scalar of any style can be pointed at.

use super::model::Place;

/// Where each piece of a text stands in its file: pieces whose characters follow
/// each other there, by the offset of the first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(Vec<(usize, Place)>);

impl Places {
    /// A text that stands in a file as it is, from a line on.
    #[must_use]
    pub fn of_lines(text: &str, first: usize) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self(starts.zip(first..).map(|(at, line)| (at, Place { line, column: 1 })).collect())
    }

    /// The value of a scalar that begins at `start` of a YAML file. Where the file's
    /// characters are not those of the value, all of it is at `start`.
    #[must_use]
    pub fn of_scalar(file: &str, start: Place, value: &str) -> Self {
        aligned(file, start, value).unwrap_or_else(|| Self(vec![(0, start)]))
    }

    /// Where the character at a byte of `text` stands.
    #[must_use]
    pub fn at(&self, text: &str, offset: usize) -> Option<Place> {
        let piece = self.0.partition_point(|(start, _)| *start <= offset).checked_sub(1)?;
        let (start, place) = *self.0.get(piece)?;
        let between = text.get(start..offset)?.chars().count();
        Some(Place { line: place.line, column: place.column + between })
    }
}

/// The characters of a file from a place on.
struct Raw<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    place: Place,
}

impl<'a> Raw<'a> {
    fn new(file: &'a str, start: Place) -> Option<Self> {
        let above: usize = file.split_inclusive('\n').take(start.line.checked_sub(1)?).map(str::len).sum();
        let mut raw = Self {
            rest: file.get(above..)?.chars().peekable(),
            place: Place { line: start.line, column: 1 },
        };
        while raw.place.column < start.column {
            raw.next()?;
        }
        Some(raw)
    }

    fn next(&mut self) -> Option<(char, Place)> {
        let (c, place) = (self.rest.next()?, self.place);
        if c == '\n' {
            self.place = Place { line: place.line + 1, column: 1 };
        } else {
            self.place.column += 1;
        }
        Some((c, place))
    }

    /// The next character that is not blank, as the style of the scalar has it.
    fn solid(&mut self, style: Style) -> Option<(char, Place)> {
        loop {
            let (c, place) = self.next()?;
            match (style, c) {
                (_, c) if c.is_whitespace() => {}
                (Style::Double, '\\') => match self.escaped()? {
                    c if c.is_whitespace() => {}
                    c => return Some((c, place)),
                },
                (Style::Single, '\'') => return (self.next()?.0 == '\'').then_some(('\'', place)),
                (_, c) => return Some((c, place)),
            }
        }
    }

    /// The character behind a backslash; a blank for those that are none.
    fn escaped(&mut self) -> Option<char> {
        let digits = match self.next()?.0 {
            'n' | 't' | 'r' | 'v' | 'f' | 'N' | '_' | 'L' | 'P' => return Some(' '),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other => return Some(other),
        };
        let mut code = 0;
        for _ in 0..digits {
            code = code * 16 + self.next()?.0.to_digit(16)?;
        }
        char::from_u32(code)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Double,
    Single,
    /// Plain, or a block behind its header.
    Bare,
}

/// Walks both texts over what is not blank: blanks are all that a style folds.
fn aligned(file: &str, start: Place, value: &str) -> Option<Places> {
    let mut raw = Raw::new(file, start)?;
    let style = match raw.rest.peek()? {
        '"' => Style::Double,
        '\'' => Style::Single,
        '|' | '>' => {
            while raw.next()?.0 != '\n' {}
            Style::Bare
        }
        _ => Style::Bare,
    };
    if style != Style::Bare {
        raw.next()?;
    }
    let mut pieces: Vec<(usize, Place)> = Vec::new();
    // Where the character after the last one would stand, were they side by side.
    let mut following = None;
    for (at, c) in value.char_indices() {
        if c.is_whitespace() {
            following = following.filter(|_| c != '\n').map(Place::right);
            continue;
        }
        let (found, place) = raw.solid(style)?;
        if found != c {
            return None;
        }
        if following != Some(place) {
            pieces.push((at, place));
        }
        following = Some(place.right());
    }
    Some(Places(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The place of each word.
    fn places(file: &str, line: usize, column: usize, value: &str) -> Vec<(usize, usize)> {
        let found = Places::of_scalar(file, Place { line, column }, value);
        let words = value.split_whitespace();
        let offset = |word: &str| word.as_ptr() as usize - value.as_ptr() as usize;
        words.filter_map(|word| found.at(value, offset(word))).map(|at| (at.line, at.column)).collect()
    }

    #[test]
    fn every_word_of_a_scalar_is_found_in_the_file() {
        assert_eq!(places("- sql: SELECT 1", 1, 8, "SELECT 1"), [(1, 8), (1, 15)]);
        assert_eq!(places("- sql: \"SELECT 1\"", 1, 8, "SELECT 1"), [(1, 9), (1, 16)]);
        let block = "- sql: |\n    SELECT 1;\n\n      SELECT 2\n  undo: x";
        assert_eq!(places(block, 1, 8, "SELECT 1;\n\n  SELECT 2\n"), [(2, 5), (2, 12), (4, 7), (4, 14)]);
        assert_eq!(places("- sql: >-\n    SELECT\n    1\n", 1, 8, "SELECT 1"), [(2, 5), (3, 5)]);
        assert_eq!(places("- sql: SELECT\n    1\n", 1, 8, "SELECT 1"), [(1, 8), (2, 5)]);
        let double = "- sql: \"SELECT\\n  \\u0041, \\\"b\\\";\n    SELECT \\\n    2\"";
        assert_eq!(
            places(double, 1, 8, "SELECT\n  A, \"b\"; SELECT 2"),
            [(1, 9), (1, 19), (1, 27), (2, 5), (3, 5)]
        );
        assert_eq!(places("- sql: 'SELECT ''x'' y'", 1, 8, "SELECT 'x' y"), [(1, 9), (1, 16), (1, 22)]);
        assert_eq!(places("- sql: \u{e4}\u{e4} 1", 1, 8, "\u{e4}\u{e4} 1"), [(1, 8), (1, 11)]);
    }

    #[test]
    fn what_is_not_there_is_at_the_start() {
        assert_eq!(places("", 1, 1, "SELECT 1"), [(1, 1), (1, 8)]);
        assert_eq!(places("- sql: *other", 1, 8, "SELECT 1"), [(1, 8), (1, 15)]);
        assert_eq!(places("x", 7, 3, "SELECT"), [(7, 3)]);
    }

    proptest::proptest! {
        #[test]
        fn every_word_of_a_quoted_text_is_found(words in proptest::collection::vec("[a-z\"'\\\\#:,\u{e4}]{1,6}", 1..9)) {
            let value = words.join(" \n");
            let file = format!("- sql: {}", serde_json::to_string(&value).unwrap_or_default());
            let found = aligned(&file, Place { line: 1, column: 8 }, &value);
            proptest::prop_assert!(found.is_some(), "{file}");
        }

        #[test]
        fn any_text_gives_an_answer(file in "(?s).{0,80}", value in "(?s).{0,40}", line in 0..5_usize, column in 0..20_usize) {
            let places = Places::of_scalar(&file, Place { line, column }, &value);
            let _ = places.at(&value, value.len());
        }
    }
}
