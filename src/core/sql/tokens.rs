//! Looks at the words of a script, by PostgreSQL's own scanner: where its comments
//! are, how deep it may nest, and where it names a column.

use pg_query::protobuf::{KeywordKind, ScanToken, Token};

use super::parse::{SqlError, deep};
use crate::core::ident::{Ident, plain};

/// The same script with a blank for each byte of its comments: every statement
/// stands where it stood, and no comment says anything any more.
///
/// # Errors
/// When the scanner refuses the script.
pub fn blank_comments(sql: &str) -> Result<String, SqlError> {
    let mut blank = sql.as_bytes().to_vec();
    for token in scan(sql)? {
        if matches!(token.token(), Token::SqlComment | Token::CComment) {
            let (start, end) = (usize::try_from(token.start), usize::try_from(token.end));
            let bytes = start.ok().zip(end.ok()).and_then(|(start, end)| blank.get_mut(start..end));
            let bytes = bytes.ok_or_else(|| SqlError::new("the scanner gave a position outside the SQL"))?;
            bytes.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
    }
    String::from_utf8(blank).map_err(|_| SqlError::new("the scanner gave a position inside a character"))
}

/// How deep a script can nest at most: the words since the last comma, over all
/// brackets that are open at once.
///
/// # Errors
/// When the scanner refuses the script.
pub fn nesting(sql: &str) -> Result<usize, SqlError> {
    let (mut open, mut sum, mut most) = (vec![0_usize], 0, 0);
    for token in scan(sql)? {
        match token.token() {
            Token::SqlComment | Token::CComment => {}
            Token::Ascii41 | Token::Ascii93 if open.len() > 1 => sum -= open.pop().unwrap_or(0),
            Token::Ascii44 | Token::Ascii59 => sum -= open.last_mut().map_or(0, std::mem::take),
            of => {
                open.last_mut().into_iter().for_each(|words| *words += 1);
                sum += 1;
                if matches!(of, Token::Ascii40 | Token::Ascii91) {
                    open.push(0);
                }
            }
        }
        most = most.max(sum);
    }
    Ok(most)
}

/// Whether a word cannot be every kind of name without quotes: it means something to the grammar.
#[must_use]
pub fn is_keyword(word: &str) -> bool {
    let free = [KeywordKind::NoKeyword, KeywordKind::UnreservedKeyword];
    let tokens = scan(word).unwrap_or_default();
    tokens.iter().any(|token| !free.contains(&token.keyword_kind()))
}

/// A piece of an index or a constraint of one table with another column in the place of one:
/// not in what a foreign key refers to. `None`: the scanner refuses it.
#[must_use]
pub fn renamed(sql: &str, from: &Ident, to: &Ident) -> Option<String> {
    let to = plain(to);
    let to = if is_keyword(&to) { format!("\"{to}\"") } else { to };
    let tokens = scan(sql).ok()?;
    let (mut text, mut written) = (String::new(), 0);
    for (n, token) in tokens.iter().enumerate() {
        if token.token() == Token::References {
            break;
        }
        let (start, end) = (usize::try_from(token.start).ok()?, usize::try_from(token.end).ok()?);
        let word = sql.get(start..end)?;
        let free = matches!(token.keyword_kind(), KeywordKind::NoKeyword | KeywordKind::UnreservedKeyword);
        let named = free && (word == from.as_str() || word == from.to_string());
        // A type, a collation, a field and a function are no column.
        let before = n.checked_sub(1).and_then(|n| tokens.get(n)).map(ScanToken::token);
        let after = tokens.get(n + 1).map(ScanToken::token);
        let other = matches!(before, Some(Token::Typecast | Token::Collate | Token::Ascii46))
            || matches!(after, Some(Token::Ascii40 | Token::Sconst | Token::Ascii46));
        if named && !other {
            text += sql.get(written..start)?;
            text += &to;
            written = end;
        }
    }
    Some(text + sql.get(written..)?)
}

pub(super) fn scan(sql: &str) -> Result<Vec<ScanToken>, SqlError> {
    deep(|| pg_query::scan(sql).map(|scanned| scanned.tokens))?
        .map_err(|error| SqlError::new(error.to_string()))
}
