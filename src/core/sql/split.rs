//! Splits a script into statements, by the parser's own positions.

use pg_query::protobuf::RawStmt;

use super::classify::{Kind, classify};
use super::ddl::{Change, changes};
use super::locate::locate;
use super::parse::{SqlError, with_tree};

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The statement as it was written, without its semicolon.
    pub text: String,
    /// Where it starts, in bytes from the start of the script.
    pub offset: usize,
    /// The line of the script that it starts on, from 1.
    pub line: usize,
    /// How it meets transactions.
    pub kind: Kind,
    /// What it changes, one by one; never empty.
    pub changes: Vec<Change>,
}

/// Splits a script. Comments before a statement belong to no one.
///
/// # Errors
/// When any of it does not parse.
pub fn split(sql: &str) -> Result<Vec<Statement>, SqlError> {
    let read = with_tree(sql, |tree| tree.stmts.iter().map(|raw| statement(sql, raw)).collect());
    read.map_err(|error| SqlError { offset: locate(sql, &error.message), ..error })
}

fn statement(sql: &str, raw: &RawStmt) -> Result<Statement, SqlError> {
    let broken = || SqlError::new("the parser gave a position outside the SQL");
    let start = usize::try_from(raw.stmt_location).map_err(|_| broken())?;
    let len = usize::try_from(raw.stmt_len).map_err(|_| broken())?;
    let end = if len == 0 { sql.len() } else { start + len };
    let whole = sql.get(start..end).ok_or_else(broken)?;
    let lead = skip_blank(whole);
    let text = whole[lead..].trim_end().to_owned();
    let offset = start + lead;
    let line = sql[..offset].matches('\n').count() + 1;
    let node = raw.stmt.as_ref().and_then(|stmt| stmt.node.as_ref()).ok_or_else(broken)?;
    Ok(Statement { text, offset, line, kind: classify(node)?, changes: changes(node)? })
}

/// The length of the blanks and comments at the start.
fn skip_blank(text: &str) -> usize {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        if rest.starts_with("--") {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with("/*") {
            rest = &rest[block_comment(rest)..];
        } else {
            return text.len() - rest.len();
        }
    }
}

/// The length of the block comment at the start; block comments nest.
fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") if depth == 1 => return at + 2,
            Some(b"*/") => (depth, at) = (depth.saturating_sub(1), at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}
