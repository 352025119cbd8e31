//! Owns the SQL of other tools as a SQL migration has it: without a transaction of its own,
//! and without comments that would say something here.

use crate::core::migration::quieted;
use crate::core::sql::{Kind, Statement, split};

/// The SQL, ready for a section; `None`: there is no statement in it.
pub(super) fn plain(sql: &str) -> Option<String> {
    let sql = match split(sql) {
        Ok(statements) if statements.is_empty() => return None,
        Ok(statements) => match without_transaction(sql, &statements) {
            Some(_) if statements.len() == 2 => return None,
            Some(bare) => bare,
            None => sql.to_owned(),
        },
        // What it is that does not parse is said by whoever compiles it.
        Err(_) => sql.to_owned(),
    };
    Some(quieted(sql.trim_matches(['\n', '\r'])))
}

/// The SQL without the one BEGIN and COMMIT around all of it: a SQL migration has its own transaction.
fn without_transaction(sql: &str, statements: &[Statement]) -> Option<String> {
    let (first, last) = (statements.first()?, statements.last()?);
    let control = |statement: &&Statement| statement.kind == Kind::TransactionControl;
    let word = |statement: &Statement| statement.text.split_whitespace().next().map(str::to_ascii_uppercase);
    let opens = plain_begin(&first.text);
    let closes = matches!(word(last).as_deref(), Some("COMMIT" | "END"));
    if statements.iter().filter(control).count() != 2 || !opens || !closes {
        return None;
    }
    let before = sql.get(..first.offset)?;
    let within = sql.get(past(sql, first)?..last.offset)?;
    let after = sql.get(past(sql, last)?..)?;
    Some(format!("{before}{within}{after}"))
}

/// BEGIN without anything that the transaction would be special by.
fn plain_begin(text: &str) -> bool {
    let words: Vec<String> = text.split_whitespace().map(str::to_ascii_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    matches!(words.as_slice(), ["BEGIN"] | ["BEGIN", "TRANSACTION" | "WORK"] | ["START", "TRANSACTION"])
}

/// Where what follows a statement begins: after its semicolon, and the end of its line.
fn past(sql: &str, statement: &Statement) -> Option<usize> {
    let end = statement.offset + statement.text.len();
    let rest = sql.get(end..)?;
    let blank = rest.len() - rest.trim_start().len();
    let after = rest.get(blank..)?.strip_prefix(';')?;
    let gone = end + blank + 1;
    let line = after.len() - after.trim_start_matches([' ', '\t', '\r']).len();
    Some(if after.get(line..)?.starts_with('\n') { gone + line + 1 } else { gone })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transaction_around_all_is_taken_away() {
        for (sql, bare) in [
            ("BEGIN;\nCREATE TABLE a ();\nCOMMIT;\n", "CREATE TABLE a ();"),
            ("-- Deploy a\n\nBEGIN;\n\nCREATE TABLE a ();\n\nCOMMIT;", "-- Deploy a\n\n\nCREATE TABLE a ();"),
            ("begin transaction ; SELECT 1; end;", " SELECT 1; "),
            ("SELECT 1", "SELECT 1"),
            // Savepoints and several transactions are not ours to take apart.
            (
                "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;",
                "BEGIN; SELECT 1; COMMIT; BEGIN; SELECT 2; COMMIT;",
            ),
            (
                "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
                "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT;",
            ),
        ] {
            assert_eq!(plain(sql).as_deref(), Some(bare), "{sql}");
        }
    }

    #[test]
    fn nothing_is_nothing() {
        for sql in ["", "-- nothing\n", "BEGIN;\n-- XXX Add DDLs here.\nCOMMIT;\n", ";;"] {
            assert_eq!(plain(sql), None, "{sql}");
        }
    }
}
