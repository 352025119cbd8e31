//! Follows quotes and comments over the lines of a script, so that what looks
//! like a marker inside of one is told apart, also in a script that does not parse.

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

/// Follows quotes and comments over lines.
#[derive(Debug, Default)]
pub(super) struct Scan {
    inside: Inside,
}

impl Scan {
    pub(super) fn outside(&self) -> bool {
        self.inside == Inside::Nothing
    }

    /// Takes one line; whether it has anything but blanks, `;` and comments.
    pub(super) fn line(&mut self, line: &str) -> bool {
        let mut rest = line;
        let mut substance = matches!(self.inside, Inside::Quote(..) | Inside::Dollar(_));
        while !rest.is_empty() {
            let taken = match self.inside.clone() {
                Inside::Quote(quote, escapes) => self.quote(rest, quote, escapes),
                Inside::Dollar(tag) => self.dollar(rest, &tag),
                Inside::Comment(depth) => self.comment(rest, depth),
                Inside::Nothing if rest.starts_with("--") => rest.len(),
                Inside::Nothing => {
                    let (taken, solid) = self.nothing(rest);
                    substance |= solid;
                    taken
                }
            };
            rest = rest.get(taken.max(1)..).unwrap_or("");
        }
        substance
    }

    fn quote(&mut self, rest: &str, quote: char, escapes: bool) -> usize {
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            if c == '\\' && escapes {
                chars.next();
            } else if c == quote {
                // A doubled quote opens again at once, which comes to the same.
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
        let (open, close) = (rest.find("/*"), rest.find("*/"));
        match (open, close) {
            (Some(open), Some(close)) if open < close => {
                self.inside = Inside::Comment(depth + 1);
                open + 2
            }
            (_, Some(close)) => {
                self.inside = if depth > 1 { Inside::Comment(depth - 1) } else { Inside::Nothing };
                close + 2
            }
            (Some(open), None) => {
                self.inside = Inside::Comment(depth + 1);
                open + 2
            }
            (None, None) => rest.len(),
        }
    }

    /// Takes one character, or what opens a quote or comment.
    fn nothing(&mut self, rest: &str) -> (usize, bool) {
        if rest.starts_with("/*") {
            self.inside = Inside::Comment(1);
            return (2, false);
        }
        let first = rest.chars().next().unwrap_or(' ');
        match first {
            '\'' | '"' => {
                self.inside = Inside::Quote(first, false);
                (1, true)
            }
            'e' | 'E' if rest[1..].starts_with('\'') => {
                self.inside = Inside::Quote('\'', true);
                (2, true)
            }
            '$' => match dollar_tag(rest) {
                Some(tag) => {
                    self.inside = Inside::Dollar(tag.into());
                    (tag.len(), true)
                }
                None => (1, true),
            },
            c if c.is_alphanumeric() || c == '_' => {
                // A whole word at once: `name$tag$` opens nothing, `name'` does not end in an E.
                let word =
                    rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
                (word, true)
            }
            c => (c.len_utf8(), !(c.is_whitespace() || c == ';')),
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
