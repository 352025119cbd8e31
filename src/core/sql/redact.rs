//! Takes secrets out of SQL before it is shown or put on record.

use pg_query::protobuf::Token;

use super::scan::{Piece, Scan};

/// What stands in the place of a secret.
const HIDDEN: &str = "'***'";

/// The SQL with every string after PASSWORD, and every connection string, hidden.
/// What does not even scan is hidden whole: nobody can say what is in it.
#[must_use]
pub fn redact(sql: &str) -> String {
    let lower = sql.to_ascii_lowercase();
    if !lower.contains("password") && !lower.contains("connection") {
        return sql.to_owned();
    }
    let Ok(scanned) = pg_query::scan(sql) else { return "(not shown: it cannot be read)".into() };
    let mut shown = String::with_capacity(sql.len());
    let (mut at, mut before) = (0, Token::Nul);
    for token in &scanned.tokens {
        let kind = Token::try_from(token.token).unwrap_or(Token::Nul);
        let secret = matches!(before, Token::Password | Token::Connection)
            && matches!(kind, Token::Sconst | Token::Usconst);
        if let (true, Ok(start), Ok(end)) = (secret, usize::try_from(token.start), usize::try_from(token.end))
            && let Some(clear) = sql.get(at..start)
        {
            shown += clear;
            shown += HIDDEN;
            at = end;
        }
        if !matches!(kind, Token::SqlComment | Token::CComment) {
            before = kind;
        }
    }
    shown + sql.get(at..).unwrap_or_default()
}

/// The most characters of a statement that a title shows.
const TITLE_CHARS: usize = 60;

/// The beginning of a statement on one line, without its secrets.
#[must_use]
pub fn first_words(text: &str) -> String {
    let mut words = redact(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > TITLE_CHARS {
        words = words.chars().take(TITLE_CHARS - 1).collect::<String>() + "…";
    }
    words
}

/// The most characters that are shown of another session's statement.
const FOREIGN_CHARS: usize = 120;

/// The beginning of another session's statement on one line, every string in it hidden: they are
/// nobody's business but that session's. The statement may be cut off anywhere.
#[must_use]
pub fn without_literals(sql: &str) -> String {
    let (mut scan, mut shown, mut before) = (Scan::default(), String::new(), Piece::Blank);
    for line in sql.split_inclusive('\n') {
        scan.pieces(line, |piece, text| {
            match piece {
                Piece::Literal if before == Piece::Literal => {}
                Piece::Literal => shown += "'…'",
                _ => shown += text,
            }
            before = piece;
        });
    }
    shown.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(FOREIGN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::{redact, without_literals};

    #[test]
    fn no_string_of_another_session_is_shown() {
        for (sql, shown) in [
            ("SELECT 'it''s', 2\n FROM  t WHERE a = '' ", "SELECT '…', 2 FROM t WHERE a = '…'"),
            (r"SELECT E'a\'secret', u", "SELECT '…', u"),
            (r"SELECT 'C:\', secret, 'x'", "SELECT '…', secret, '…'"),
            ("SELECT $$se'cret$$, $a$ $$secret $a$, $1, a$b$c", "SELECT '…', '…', $1, a$b$c"),
            ("SELECT 'cut\noff", "SELECT '…'"),
            ("SELECT $x$ cut $x", "SELECT '…'"),
            ("SELECT \"it's\", '\"', x -- don't\n, 'y'", "SELECT \"it's\", '…', x -- don't , '…'"),
            ("/* don't */ SELECT U&'d\\0061', B'01', 7", "/* don't */ SELECT U&'…', B'…', 7"),
        ] {
            assert_eq!(without_literals(sql), shown, "{sql}");
        }
        assert_eq!(without_literals(&"x ".repeat(500)).chars().count(), 120);
    }

    #[test]
    fn secrets_are_hidden_and_nothing_else() {
        for (sql, shown) in [
            ("CREATE ROLE a PASSWORD 'x''y' LOGIN", "CREATE ROLE a PASSWORD '***' LOGIN"),
            (
                "ALTER ROLE a WITH ENCRYPTED password /* new */ $$x$$",
                "ALTER ROLE a WITH ENCRYPTED password /* new */ '***'",
            ),
            (
                "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password E'x\\'y')",
                "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '***')",
            ),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'host=a password=b' PUBLICATION p",
                "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p",
            ),
            ("SELECT password FROM users WHERE name = 'x'", "SELECT password FROM users WHERE name = 'x'"),
            ("SELECT 'password' 'x'", "SELECT 'password' 'x'"),
            ("CREATE ROLE a PASSWORD 'x", "(not shown: it cannot be read)"),
        ] {
            assert_eq!(redact(sql), shown);
        }
    }
}
