//! Finds where a script does not parse: the parser tells the word, not its place.

use super::parse::parses;

/// The byte of the word at which the parser gave up with `message`.
pub(super) fn locate(sql: &str, message: &str) -> Option<usize> {
    if message.ends_with("at end of input") {
        return Some(sql.trim_end().len());
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
