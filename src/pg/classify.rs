//! Owns what the server's error codes mean for what comes next.
//!
//! | SQLSTATE | kind |
//! |---|---|
//! | 55P03 | a lock was not free in time |
//! | 40P01, 40001 | a deadlock, or no serialization: try again |
//! | 57014 | cancelled, or out of statement_timeout |
//! | 08*, 57P01 to 57P05, or the socket closed | the connection ended |
//! | 25006 | the server takes no writes now |
//! | 22*, 23*, P0001, 54000 | the data does not allow it |
//! | 42501 | the role may not do it |
//! | 42* | something named is not there, or is there already |

use tokio_postgres::error::DbError;

use crate::core::failure::{Failure, FailureKind};

/// What a failed call means, with all that the server said about it.
#[must_use]
pub fn failure(error: &tokio_postgres::Error) -> Failure {
    match error.as_db_error() {
        Some(db) => Failure {
            sqlstate: Some(db.code().code().into()),
            ..Failure::new(of_code(db.code().code()), describe(db))
        },
        None if error.is_closed() || is_io(error) => Failure::new(
            FailureKind::ConnectionLost,
            format!("the connection to the server ended: {}", chain(error)),
        ),
        None => Failure::new(FailureKind::Other, chain(error)),
    }
}

/// What an SQLSTATE means.
#[must_use]
pub fn of_code(code: &str) -> FailureKind {
    match code {
        "55P03" => FailureKind::LockTimeout,
        "40P01" | "40001" => FailureKind::Conflict,
        "57014" => FailureKind::Cancelled,
        "25006" => FailureKind::ReadOnly,
        // A trigger or a function of the application refused the row; a row that is too large for an index.
        "P0001" | "54000" => FailureKind::Data,
        "42501" => FailureKind::Permission,
        _ if code.starts_with("08") || code.starts_with("57P") => FailureKind::ConnectionLost,
        _ if code.starts_with("22") || code.starts_with("23") => FailureKind::Data,
        _ if code.starts_with("42") => FailureKind::Catalog,
        _ => FailureKind::Other,
    }
}

/// Message, detail, hint and place, in a few lines for people.
fn describe(db: &DbError) -> String {
    let mut text = format!("{} ({})", db.message(), db.code().code());
    for (label, part) in [("detail", db.detail()), ("hint", db.hint()), ("where", db.where_())] {
        if let Some(part) = part {
            text += &format!("\n{label}: {part}");
        }
    }
    text
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<std::io::Error>() {
            return true;
        }
        source = cause.source();
    }
    false
}

fn chain(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_what_the_table_says() {
        for (code, kind) in [
            ("55P03", FailureKind::LockTimeout),
            ("40P01", FailureKind::Conflict),
            ("57014", FailureKind::Cancelled),
            ("57P01", FailureKind::ConnectionLost),
            ("08006", FailureKind::ConnectionLost),
            ("23505", FailureKind::Data),
            ("22P02", FailureKind::Data),
            ("42501", FailureKind::Permission),
            ("42P01", FailureKind::Catalog),
            ("53100", FailureKind::Other),
        ] {
            assert_eq!(of_code(code), kind, "{code}");
        }
    }
}
