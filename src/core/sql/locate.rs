//! Finds where a script does not parse: the parser tells the word, not its place, and of what is
//! nested too deeply not even the statement.

use super::parse::{TOO_DEEP, parses};

/// The byte of the word at which the parser gave up with `message`.
pub(super) fn locate(sql: &str, message: &str) -> Option<usize> {
    if message.ends_with("at end of input") {
        return Some(sql.trim_end().len());
    }
    if message == TOO_DEEP {
        return too_deep(sql);
    }
    let (_, word) = message.split_once(" at or near \"")?;
    let Ok(read) = pg_query::scan(sql) else {
        // A quote without its end: the message holds all from there on.
        return word.strip_suffix('"').filter(|word| !word.is_empty()).and_then(|word| sql.rfind(word));
    };
    let words: Vec<(usize, &str)> = read
        .tokens
        .iter()
        .filter_map(|token| {
            let (start, end) = (usize::try_from(token.start).ok()?, usize::try_from(token.end).ok()?);
            Some((start, sql.get(..end)?))
        })
        .collect();
    // Up to the word it may go on; from the word on it cannot, whatever follows.
    let first = words.partition_point(|(_, head)| !parses(head).is_err_and(|error| error == message));
    words.get(first).map(|(start, _)| *start)
}

/// The byte of the first word of the statement that is nested too deeply. A semicolon in a body of
/// SQL is taken for an end as well: its parts do not parse, and are not too deep for that.
fn too_deep(sql: &str) -> Option<usize> {
    let mut first = None;
    let read = pg_query::scan(sql).ok()?;
    let words = read.tokens.iter().filter_map(|token| {
        let (start, end) = (usize::try_from(token.start).ok()?, usize::try_from(token.end).ok()?);
        Some((start, end, sql.get(start..end)?))
    });
    let of_comment = |word: &str| word.starts_with("--") || word.starts_with("/*");
    for (start, end, word) in
        words.filter(|(.., word)| !of_comment(word)).chain([(sql.len(), sql.len(), ";")])
    {
        if word != ";" {
            first = first.or(Some(start));
        } else if let Some(from) = first.take() {
            let part = sql.get(from..end).unwrap_or_default();
            if parses(part).is_err_and(|error| error == TOO_DEEP) {
                return Some(from);
            }
        }
    }
    None
}
