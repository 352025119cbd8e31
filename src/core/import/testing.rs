//! What tests of the tools begin with.

use super::{File, History};

pub(super) fn file(path: &str, text: &str) -> File {
    File { path: path.into(), bytes: text.as_bytes().to_vec() }
}

pub(super) fn history(rows: &[&str]) -> History {
    let rows = rows.iter().map(|row| serde_json::from_str(row).expect("a row is JSON")).collect();
    History { table: "public.history".into(), rows, beside: Vec::new() }
}
