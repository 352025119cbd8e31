//! Owns identifiers: how a name in a plan is read, and how it is quoted in SQL.
//!
//! A name is written as in SQL: letters, digits, `_` and `$` fold to lower
//! case; anything else stands in double quotes (`"Odd ""name"""`). Nothing else
//! in this program puts a name between quotes.

use std::fmt;

use sha2::{Digest, Sha256};

/// The longest identifier that PostgreSQL keeps, in bytes (`NAMEDATALEN - 1`).
pub const MAX_IDENT_BYTES: usize = 63;

/// One SQL identifier, unquoted; `Display` writes it quoted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ident(String);

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty, or a part of it is.
    #[error("a name is empty")]
    Empty,
    /// The name would be cut off by the server.
    #[error("the name {0:?} is longer than the 63 bytes that PostgreSQL keeps")]
    TooLong(String),
    /// A character that must stand in double quotes.
    #[error("{0:?} is not a plain name: write names with other characters as in SQL, in double quotes: {1}")]
    NeedsQuotes(String, String),
    /// A double quote that is never closed, or text after the closing one.
    #[error("the double quotes in {0:?} do not match")]
    Unbalanced(String),
    /// A NUL byte.
    #[error("a name holds a NUL byte")]
    Nul,
    /// A column without its table.
    #[error("{0:?} names no column of a table: write table.column or schema.table.column")]
    NoTable(String),
    /// More than `schema.name`.
    #[error("{0:?} has too many parts: write name or schema.name")]
    TooManyParts(String),
}

impl Ident {
    /// Takes `name` exactly as it is stored in the catalog.
    ///
    /// # Errors
    /// When it is empty, holds a NUL byte or passes 63 bytes.
    pub fn exact(name: impl Into<String>) -> Result<Self, NameError> {
        let name = name.into();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.contains('\0') {
            return Err(NameError::Nul);
        }
        if name.len() > MAX_IDENT_BYTES {
            return Err(NameError::TooLong(name));
        }
        Ok(Self(name))
    }

    /// Reads one name as it is written in SQL.
    ///
    /// # Errors
    /// When the text is not one well-formed name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut parts = parts(text)?;
        match (parts.pop(), parts.pop()) {
            (Some(only), None) => Ok(only),
            _ => Err(NameError::NeedsQuotes(text.into(), quoted(text))),
        }
    }

    /// Makes a name of `prefix` and `rest` that fits 63 bytes: what is too long
    /// is cut, and a hash of the whole keeps it unique.
    #[must_use]
    pub fn shortened(prefix: &str, rest: &str) -> Self {
        let whole: String = format!("{prefix}{rest}").replace('\0', "");
        if whole.len() <= MAX_IDENT_BYTES && !whole.is_empty() {
            return Self(whole);
        }
        let hash = Sha256::digest(whole.as_bytes());
        let tag: String = hash.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let mut end = MAX_IDENT_BYTES - tag.len() - 1;
        while !whole.is_char_boundary(end.min(whole.len())) {
            end -= 1;
        }
        Self(format!("{}_{tag}", &whole[..end.min(whole.len())]))
    }

    /// The name that the server itself makes of a table, its columns and a label such as `key`: where they are too
    /// long, it cuts the longer of the first two.
    #[must_use]
    pub fn derived(table: &str, columns: &str, label: &str) -> Self {
        let room = MAX_IDENT_BYTES.saturating_sub(label.len() + 1 + usize::from(!columns.is_empty()));
        let (mut first, mut second) = (table.len(), columns.len());
        while first + second > room && first + second > 0 {
            if first > second { first -= 1 } else { second -= 1 }
        }
        let cut = |text: &str, bytes: usize| {
            let whole = (0..=bytes).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
            text[..whole].to_owned()
        };
        let parts = [cut(table, first), cut(columns, second), label.to_owned()];
        Self(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_"))
    }

    /// The bare name, for a parameter or a message.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(&self.0))
    }
}

/// A table, index or function name, with or without its schema; `Display`
/// writes it quoted. Without a schema the server's `search_path` decides.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QName {
    /// The schema, where the plan names one.
    pub schema: Option<Ident>,
    /// The object's own name.
    pub name: Ident,
}

impl QName {
    /// Reads `name` or `schema.name` as it is written in SQL.
    ///
    /// # Errors
    /// When the text is not a well-formed name of one or two parts.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let mut parts = parts(text)?;
        match (parts.pop(), parts.pop(), parts.pop()) {
            (Some(name), schema, None) => Ok(Self { schema, name }),
            _ => Err(NameError::TooManyParts(text.into())),
        }
    }

    /// Reads `table.column` or `schema.table.column` as it is written in SQL.
    ///
    /// # Errors
    /// When the text is not a well-formed name of two or three parts.
    pub fn of_column(text: &str) -> Result<(Self, Ident), NameError> {
        let mut parts = parts(text)?;
        match (parts.pop(), parts.pop(), parts.pop()) {
            (Some(column), Some(name), schema) => Ok((Self { schema, name }, column)),
            _ => Err(NameError::NoTable(text.into())),
        }
    }

    /// The same place with another name: a table's index, function or new name.
    #[must_use]
    pub fn sibling(&self, name: Ident) -> Self {
        Self { schema: self.schema.clone(), name }
    }

    /// Whether both may be the same: where one has no schema, it may be that of the other.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let schemas = self.schema.as_ref().zip(other.schema.as_ref());
        self.name == other.name && schemas.is_none_or(|(a, b)| a == b)
    }

    /// The name for people: quoted only where SQL needs it.
    #[must_use]
    pub fn plain(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", plain(schema), plain(&self.name)),
            None => plain(&self.name),
        }
    }
}

impl fmt::Display for QName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        write!(f, "{}", self.name)
    }
}

/// Writes `text` as an SQL string literal, right under any setting of
/// `standard_conforming_strings`.
#[must_use]
pub fn literal(text: &str) -> String {
    let doubled = text.replace('\0', "").replace('\'', "''");
    if doubled.contains('\\') {
        format!(" E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// A string as a person reads it in SQL: [`literal`] without the space that may stand before it.
#[must_use]
pub fn said(text: &str) -> String {
    literal(text).trim().to_owned()
}

/// Joins quoted names with commas.
#[must_use]
pub fn list(names: &[Ident]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A name as a person would write it: in quotes only where it needs them.
#[must_use]
pub fn plain(name: &Ident) -> String {
    let mut chars = name.0.chars();
    let simple = chars.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_')
        && chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if simple { name.0.clone() } else { quoted(&name.0) }
}

fn parts(text: &str) -> Result<Vec<Ident>, NameError> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    loop {
        let (ident, after) = if let Some(body) = rest.strip_prefix('"') {
            quoted_part(text, body)?
        } else {
            let end = rest.find('.').unwrap_or(rest.len());
            (plain_part(&rest[..end])?, &rest[end..])
        };
        out.push(ident);
        if out.len() > 3 {
            return Err(NameError::TooManyParts(text.into()));
        }
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(out),
            None => return Err(NameError::Unbalanced(text.into())),
        }
    }
}

fn quoted_part<'a>(whole: &str, body: &'a str) -> Result<(Ident, &'a str), NameError> {
    let mut name = String::new();
    let mut chars = body.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != '"' {
            name.push(c);
        } else if chars.peek().is_some_and(|&(_, next)| next == '"') {
            chars.next();
            name.push('"');
        } else {
            return Ok((Ident::exact(name)?, &body[at + 1..]));
        }
    }
    Err(NameError::Unbalanced(whole.into()))
}

fn plain_part(text: &str) -> Result<Ident, NameError> {
    let mut chars = text.chars();
    let start = chars.next().ok_or(NameError::Empty)?;
    let plain =
        (start.is_alphabetic() || start == '_') && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    if !plain {
        return Err(NameError::NeedsQuotes(text.into(), quoted(text)));
    }
    // PostgreSQL folds ASCII only, in every multi-byte encoding.
    Ident::exact(text.to_ascii_lowercase())
}

/// A dollar quote that does not occur in `body`.
#[must_use]
pub fn dollar_quote(body: &str) -> String {
    let mut quote = "$phase$".to_owned();
    let mut n = 0_u32;
    while body.contains(&quote) {
        n += 1;
        quote = format!("$phase{n}$");
    }
    quote
}

/// A DO block with a body of PL/pgSQL.
#[must_use]
pub fn do_block(body: &str) -> String {
    let quote = dollar_quote(body);
    format!("DO {quote}\n{body}\n{quote}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_sql_reads_them() {
        assert_eq!(Ident::parse("Orders").map(|i| i.0), Ok("orders".into()));
        assert_eq!(Ident::parse("\"Orders\"").map(|i| i.0), Ok("Orders".into()));
        assert_eq!(QName::parse("App.\"Or.ders\"").map(|q| q.to_string()), Ok("\"app\".\"Or.ders\"".into()));
        assert!(matches!(QName::parse("we\"ird; drop table x"), Err(NameError::NeedsQuotes(..))));
        assert!(matches!(Ident::parse("\"open"), Err(NameError::Unbalanced(_))));
        assert!(matches!(Ident::parse(""), Err(NameError::Empty)));
        assert!(matches!(Ident::parse(&"x".repeat(64)), Err(NameError::TooLong(_))));
        assert!(matches!(QName::parse("a.b.c"), Err(NameError::TooManyParts(_))));
        let column = QName::of_column("s.\"T.t\".c").map(|(table, column)| format!("{table} {column}"));
        assert_eq!(column, Ok("\"s\".\"T.t\" \"c\"".into()));
        assert!(matches!(QName::of_column("c"), Err(NameError::NoTable(_))));
    }

    #[test]
    fn derived_names_are_those_of_the_server() {
        assert_eq!(Ident::derived("orders", "user_id_day", "key").as_str(), "orders_user_id_day_key");
        assert_eq!(Ident::derived("orders", "", "check").as_str(), "orders_check");
        let (table, column) = ("t".repeat(60), "c".repeat(20));
        assert_eq!(
            Ident::derived(&table, &column, "key").as_str(),
            format!("{}_{column}_key", "t".repeat(38))
        );
        assert_eq!(
            Ident::derived(&"ü".repeat(31), &"ä".repeat(31), "key").as_str(),
            format!("{}_{}_key", "ü".repeat(14), "ä".repeat(14))
        );
    }

    proptest! {
        #[test]
        fn what_is_quoted_reads_back(name in "[^\0]{1,15}") {
            let ident = Ident::exact(name).expect("short and not empty");
            prop_assert_eq!(Ident::parse(&ident.to_string()), Ok(ident.clone()));
            prop_assert_eq!(Ident::parse(&plain(&ident)), Ok(ident));
        }

        #[test]
        fn shortened_names_fit_and_differ(a in "\\PC{0,90}", b in "\\PC{0,90}") {
            let (x, y) = (Ident::shortened("p_", &a), Ident::shortened("p_", &b));
            prop_assert!(x.as_str().len() <= MAX_IDENT_BYTES);
            prop_assert_eq!(a == b, x == y);
        }

        #[test]
        fn any_text_is_read_without_a_panic(text in "\\PC{0,80}") {
            let _ = QName::parse(&text);
        }
    }
}
