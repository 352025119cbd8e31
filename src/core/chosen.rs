//! Owns the names that PostgreSQL chooses itself, where nobody gives one.

use crate::core::ident::{Ident, MAX_IDENT_BYTES};

/// `<table>_<columns>_<label>`, cut as the server cuts it (`makeObjectName`): the longer of the
/// two first. `taken`: the number of names that were taken before it (`idx`, `idx1`, …).
#[must_use]
pub fn object_name(table: &Ident, columns: &str, label: &str, taken: usize) -> Option<Ident> {
    let label = if taken == 0 { label.to_owned() } else { format!("{label}{taken}") };
    let overhead = label.len() + 1 + usize::from(!columns.is_empty());
    let room = MAX_IDENT_BYTES.checked_sub(overhead)?;
    let (mut first, mut second) = (table.as_str().len(), columns.len());
    while first + second > room {
        if first > second { first -= 1 } else { second -= 1 }
    }
    let first = clipped(table.as_str(), first);
    let name = match clipped(columns, second) {
        "" => format!("{first}_{label}"),
        columns => format!("{first}_{columns}_{label}"),
    };
    Ident::exact(name).ok()
}

/// The names of an index's columns as its own name has them (`ChooseIndexColumnNames`,
/// `ChooseIndexNameAddition`).
#[must_use]
pub fn index_words(columns: &[String]) -> String {
    let mut names: Vec<String> = Vec::new();
    for column in columns {
        let mut name = column.clone();
        let mut n = 1;
        while names.contains(&name) {
            let digits = n.to_string();
            name = format!("{}{digits}", clipped(column, MAX_IDENT_BYTES - digits.len()));
            n += 1;
        }
        names.push(name);
    }
    let mut words = String::new();
    for name in names {
        if !words.is_empty() {
            words.push('_');
        }
        words += &name;
        if words.len() > MAX_IDENT_BYTES {
            break;
        }
    }
    words
}

/// At most so many bytes, whole characters.
fn clipped(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn name(table: &str, columns: &[&str], taken: usize) -> String {
        let columns: Vec<String> = columns.iter().map(ToString::to_string).collect();
        let table = Ident::exact(table).unwrap();
        object_name(&table, &index_words(&columns), "idx", taken).unwrap().as_str().to_owned()
    }

    #[test]
    fn as_the_server_does() {
        assert_eq!(name("t", &["a", "lower", "a"], 0), "t_a_lower_a1_idx");
        assert_eq!(name("t", &["a"], 2), "t_a_idx2");
        let long = "x".repeat(60);
        assert_eq!(name(&long, &["some_column"], 0), format!("{}_some_column_idx", "x".repeat(47)));
        assert_eq!(
            name(&long, &["y".repeat(60).as_str()], 0),
            format!("{}_{}_idx", "x".repeat(29), "y".repeat(29))
        );
        assert_eq!(name(&"ä".repeat(30), &["b"], 0), format!("{}_b_idx", "ä".repeat(28)));
    }
}
