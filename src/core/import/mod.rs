//! Owns the import of another tool's history: its rows and its files in, SQL migrations out.
//!
//! Each tool reads its own table and files into [`Foreign`]s, in `tools/`; what follows is
//! the same for all: versions ([`number`]), texts (`write`), and what is left to do ([`merge`]).

mod crc32;
pub mod detect;
pub mod merge;
mod number;
mod plain;
mod sha1;
mod tool;
mod tools;
mod write;

#[cfg(test)]
mod testing;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::core::sql::{SqlError, deep_each};
use crate::core::version::Version;

pub use tool::Tool;
pub use write::IMPORTED;

/// A file of the other tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the tool's folder, with `/` between its parts.
    pub path: String,
    /// What it holds, as it is on disk; empty where nobody asks ([`Tool::reads`]).
    pub bytes: Vec<u8>,
}

/// What the other tool has on record.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The table, for messages.
    pub table: String,
    /// Its rows, as JSON objects.
    pub rows: Vec<Value>,
    /// The rows of the table beside it that [`Tool::beside`] names; none where it is not there.
    pub beside: Vec<Value>,
}

/// One migration of the other tool.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Foreign {
    /// As the tool calls it.
    called: String,
    /// The digits that are to be its version; `None`: its place gives one.
    digits: Option<String>,
    /// The rest of its name.
    name: String,
    /// Whether the tool has it as applied.
    applied: bool,
    /// What it does.
    body: Body,
}

/// What a migration of the other tool does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    /// SQL.
    Sql { up: String, down: Option<String> },
    /// SQL that only the tool can run, and why.
    Kept { why: String, text: String },
    /// Something that is no SQL.
    Program(&'static str),
    /// Its file is not there.
    Missing,
}

/// What a tool's rows and files say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Read {
    /// The migrations, in the tool's order.
    migrations: Vec<Foreign>,
    /// What to know besides, a sentence each.
    notes: Vec<String>,
}

/// One migration, as a SQL migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// As the other tool calls it.
    pub called: String,
    /// Whether the other tool has it as applied.
    pub applied: bool,
    /// The text of its file.
    pub text: String,
    /// Whether the file can be run; otherwise it only says why not.
    pub runs: bool,
}

impl Imported {
    /// `<version>_<name>`.
    #[must_use]
    pub fn stem(&self) -> String {
        format!("{}_{}", self.version, self.name)
    }
}

/// A history, ready to be taken over.
#[derive(Debug, PartialEq, Eq)]
pub struct Import {
    /// Whose it is.
    pub tool: Tool,
    /// The migrations, by version.
    pub items: Vec<Imported>,
    /// What to know besides, a sentence each.
    pub notes: Vec<String>,
}

/// Why a history cannot be taken over; every reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The table does not hold what the tool writes.
    #[error("{table} is not as {tool} writes it: {why}")]
    Rows {
        /// The table.
        table: String,
        /// The tool.
        tool: &'static str,
        /// What is wrong.
        why: String,
    },
    /// A migration failed there, or is under way.
    #[error("{}", .0.join("\n"))]
    NotAtRest(Vec<String>),
    /// Files cannot be read.
    #[error("{}", .0.join("\n"))]
    Files(Vec<String>),
    /// Names give no versions, or the same ones.
    #[error("{}", .0.join("\n"))]
    Versions(Vec<String>),
    /// What is pending cannot be run.
    #[error("{}", .0.join("\n"))]
    Pending(Vec<String>),
    /// A version is taken by something else.
    #[error("{}", .0.join("\n"))]
    Taken(Vec<String>),
    /// The SQL could not be looked at.
    #[error("{0}")]
    Sql(#[from] SqlError),
}

/// Reads a history and the files that belong to it.
///
/// # Errors
/// When the tool is not at rest, names give no versions, or what is pending cannot be run.
pub fn import(tool: Tool, history: &History, files: &[File]) -> Result<Import, ImportError> {
    let Read { migrations, mut notes } = tools::read(tool, history, files)?;
    let applied = || migrations.iter().filter(|one| one.applied);
    if applied().next().is_some() && applied().all(|one| one.body == Body::Missing) {
        return Err(ImportError::Files(vec![format!(
            "none of the {} migrations that {} has applied has its file in the folder: name the right one with --files",
            applied().count(),
            tool.title()
        )]));
    }
    if let Some(odd) = migrations.iter().find(|one| one.digits.is_none()) {
        notes.push(format!(
            "{} does not begin with a number: all are counted through, in their order",
            odd.called
        ));
    }
    let versions = number::versions(tool, &migrations).map_err(ImportError::Versions)?;
    let numbered: Vec<(Version, &Foreign)> = versions.into_iter().zip(&migrations).collect();
    let written = deep_each(&numbered, |(version, foreign)| {
        Ok::<_, SqlError>(write::file(tool, foreign, version, &write::name(&foreign.name)))
    })?;
    let (mut items, mut faults) = (Vec::new(), Vec::new());
    for ((version, foreign), written) in numbered.into_iter().zip(written) {
        match written {
            Err(fault) => faults.push(fault),
            Ok(write::Written { text, runs, note }) => {
                notes.extend(note);
                let (called, name) = (foreign.called.clone(), write::name(&foreign.name));
                items.push(Imported { version, name, called, applied: foreign.applied, text, runs });
            }
        }
    }
    if !faults.is_empty() {
        return Err(ImportError::Pending(faults));
    }
    items.sort_by(|a, b| a.version.cmp(&b.version));
    Ok(Import { tool, items, notes })
}

impl File {
    /// What it holds, as text, without a byte order mark.
    fn text(&self) -> Result<String, ImportError> {
        let text = std::str::from_utf8(&self.bytes).map_err(|error| {
            let at = error.valid_up_to() + 1;
            ImportError::Files(vec![format!("{}: it is not UTF-8: byte {at} is not valid", self.path)])
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
    }

    /// Its name, where it stands in the folder itself.
    fn top(&self) -> Option<&str> {
        (!self.path.contains('/')).then_some(self.path.as_str())
    }

    /// The last part of its path.
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

impl History {
    /// The rows, as a tool knows them.
    fn read<T: DeserializeOwned>(&self, tool: Tool) -> Result<Vec<T>, ImportError> {
        self.typed(tool, &self.rows)
    }

    /// The rows of the table beside it.
    fn read_beside<T: DeserializeOwned>(&self, tool: Tool) -> Result<Vec<T>, ImportError> {
        self.typed(tool, &self.beside)
    }

    fn typed<T: DeserializeOwned>(&self, tool: Tool, rows: &[Value]) -> Result<Vec<T>, ImportError> {
        let read = |row: &Value| serde_json::from_value(row.clone());
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| ImportError::Rows {
            table: self.table.clone(),
            tool: tool.title(),
            why: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::testing::{file, history};
    use super::*;

    #[test]
    fn a_folder_without_any_of_the_files_is_refused() {
        let rows = history(&[r#"{"version": "1"}"#, r#"{"version": "2"}"#]);
        let up = "-- migrate:up\nSELECT 1;\n-- migrate:down\n";
        let why = import(Tool::Dbmate, &rows, &[file("3_c.sql", up)]).unwrap_err().to_string();
        assert!(why.starts_with("none of the 2 migrations that dbmate has applied has its file"), "{why}");
        let some = import(Tool::Dbmate, &rows, &[file("2_b.sql", up)]).unwrap();
        let seen: Vec<_> = some.items.iter().map(|item| (item.stem(), item.runs)).collect();
        assert_eq!(seen, [("1_migration".into(), false), ("2_b".into(), true)]);
    }

    #[test]
    fn names_without_numbers_are_counted_and_said() {
        let rows = history(&[r#"{"name": "init.js"}"#]);
        let got = import(Tool::Sequelize, &rows, &[]).unwrap();
        assert_eq!(got.items[0].stem(), "1_init");
        assert!(got.notes[0].starts_with("init.js does not begin with a number"), "{:?}", got.notes);
    }
}
