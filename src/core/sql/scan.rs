//! Follows quotes and comments over the lines of a script, also in one that does not parse
//! or was cut off.

/// What a line starts inside of.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    /// A string (`'`) or quoted name (`"`); whether a backslash escapes.
    Quote(char, bool),
    /// A dollar quote and its tag.
    Dollar(String),
    /// A block comment and its depth.
    Comment(usize),
}

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// Part of a string, its quotes with it.
    Literal,
    /// Part of a comment.
    Comment,
    /// Blanks and semicolons.
    Blank,
    /// Anything else.
    Code,
}

/// Follows quotes and comments over lines.
#[derive(Debug, Default)]
pub struct Scan {
    inside: Inside,
}

impl Scan {
    /// Whether the next line begins outside of quotes and comments.
    #[must_use]
    pub fn outside(&self) -> bool {
        self.inside == Inside::Nothing
    }

    /// Takes one line; whether it has anything but blanks, `;` and comments.
    pub fn line(&mut self, line: &str) -> bool {
        let mut substance = matches!(self.inside, Inside::Quote(..) | Inside::Dollar(_));
        self.pieces(line, |piece, _| substance |= matches!(piece, Piece::Literal | Piece::Code));
        substance
    }

    /// Takes one line, and shows each piece of it.
    pub(super) fn pieces(&mut self, line: &str, mut show: impl FnMut(Piece, &str)) {
        let mut rest = line;
        while !rest.is_empty() {
            let (taken, piece) = match self.inside.clone() {
                Inside::Quote(quote, escapes) => {
                    let piece = if quote == '"' { Piece::Code } else { Piece::Literal };
                    (self.quote(rest, quote, escapes), piece)
                }
                Inside::Dollar(tag) => (self.dollar(rest, &tag), Piece::Literal),
                Inside::Comment(depth) => (self.comment(rest, depth), Piece::Comment),
                Inside::Nothing if rest.starts_with("--") => (rest.len(), Piece::Comment),
                Inside::Nothing => self.nothing(rest),
            };
            let (piece_of, after) = rest.split_at_checked(taken.max(1)).unwrap_or((rest, ""));
            show(piece, piece_of);
            rest = after;
        }
    }

    fn quote(&mut self, rest: &str, quote: char, escapes: bool) -> usize {
        let mut chars = rest.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && escapes {
                chars.next();
            } else if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
                self.inside = Inside::Nothing;
                return at + 1;
            }
        }
        rest.len()
    }

    fn dollar(&mut self, rest: &str, tag: &str) -> usize {
        rest.find(tag).map_or(rest.len(), |at| {
            self.inside = Inside::Nothing;
            at + tag.len()
        })
    }

    fn comment(&mut self, rest: &str, depth: usize) -> usize {
        // The nearest of both marks: to look for each by itself would read all of the rest each time.
        let mark = rest.as_bytes().windows(2).position(|pair| pair == b"/*" || pair == b"*/");
        let Some(at) = mark else { return rest.len() };
        self.inside = match (rest.as_bytes()[at], depth) {
            (b'/', _) => Inside::Comment(depth + 1),
            (_, 2..) => Inside::Comment(depth - 1),
            _ => Inside::Nothing,
        };
        at + 2
    }

    /// Takes one character, or what opens a quote or comment.
    fn nothing(&mut self, rest: &str) -> (usize, Piece) {
        if rest.starts_with("/*") {
            self.inside = Inside::Comment(1);
            return (2, Piece::Comment);
        }
        let first = rest.chars().next().unwrap_or(' ');
        match first {
            '\'' => {
                self.inside = Inside::Quote(first, false);
                (1, Piece::Literal)
            }
            '"' => {
                self.inside = Inside::Quote(first, false);
                (1, Piece::Code)
            }
            'e' | 'E' if rest[1..].starts_with('\'') => {
                self.inside = Inside::Quote('\'', true);
                (2, Piece::Literal)
            }
            '$' => match dollar_tag(rest) {
                Some(tag) => {
                    self.inside = Inside::Dollar(tag.into());
                    (tag.len(), Piece::Literal)
                }
                None => (1, Piece::Code),
            },
            c if c.is_alphanumeric() || c == '_' => {
                // A whole word at once: `name$tag$` opens nothing, `name'` does not end in an E.
                let word =
                    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
                (word, Piece::Code)
            }
            c if c.is_whitespace() || c == ';' => (c.len_utf8(), Piece::Blank),
            c => (c.len_utf8(), Piece::Code),
        }
    }
}

/// `$tag$` at the start of a text.
fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 1;
    let tag = &text[1..end];
    let valid = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    valid.then(|| &text[..=end])
}
