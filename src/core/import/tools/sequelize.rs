//! Sequelize: `"SequelizeMeta"`, names with their extensions; programs only.

use serde::Deserialize;

use super::super::{File, History, ImportError, Read, Tool};
use super::{programs, top};

#[derive(Deserialize)]
struct Row {
    name: String,
}

pub(super) fn read(history: &History, files: &[File]) -> Result<Read, ImportError> {
    let rows: Vec<Row> = history.read(Tool::Sequelize)?;
    let names = top(files).map(|(_, name)| name);
    let migrations = programs(rows.into_iter().map(|row| row.name), names, "a program for Sequelize");
    Ok(Read { migrations, notes: Vec::new() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::testing::{file, history};
    use super::*;

    #[test]
    fn rows_and_files_meet() {
        let rows = history(&[r#"{"name": "20230101000000-create-user.js"}"#]);
        let files = [file("20230101000000-create-user.js", ""), file("20230102000000-b.js", "")];
        let got = read(&rows, &files).unwrap().migrations;
        assert_eq!((got[0].name.as_str(), got[0].applied, got[1].applied), ("create-user", true, false));
    }
}
