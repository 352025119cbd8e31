//! Owns what an import has left to do, beside the files and the record that are there already.

use super::{Import, ImportError, Imported};
use crate::core::plan::checksum;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::version::Version;

/// A file of the project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct There {
    /// Its path, for messages.
    pub path: String,
    /// Its version.
    pub version: Version,
    /// Its name.
    pub name: String,
    /// Whether it is a plan or a SQL migration.
    pub kind: Kind,
    /// What it says.
    pub text: String,
}

/// What becomes of a migration on the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is put there as done.
    Record,
    /// It is there already.
    OnRecord,
    /// It is left to `phase expand`.
    Pending,
}

impl Fate {
    /// For programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Record => "recorded",
            Self::OnRecord => "on_record",
            Self::Pending => "pending",
        }
    }
}

/// What is left to do for one migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Todo<'a> {
    /// The migration.
    pub item: &'a Imported,
    /// Whether its file is to be written.
    pub write: bool,
    /// Whether there is one already.
    pub there: bool,
    /// What its file says then.
    pub text: String,
    /// What becomes of it on the record.
    pub fate: Fate,
}

/// Compares an import with what is there.
///
/// # Errors
/// When a file or the record has something else under a version: every such place.
pub fn merge<'a>(
    import: &'a Import,
    there: &[There],
    records: &[Record],
) -> Result<Vec<Todo<'a>>, ImportError> {
    let (mut todo, mut faults) = (Vec::new(), Vec::new());
    for item in &import.items {
        match one(import, item, there, records) {
            Ok(one) => todo.push(one),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(todo) } else { Err(ImportError::Taken(faults)) }
}

fn one<'a>(
    import: &Import,
    item: &'a Imported,
    there: &[There],
    records: &[Record],
) -> Result<Todo<'a>, String> {
    let record = records.iter().find(|record| record.version == item.version);
    if let Some(other) = record.filter(|record| record.name != item.name || record.kind != Kind::Sql) {
        return Err(format!(
            "{} would be {}, and {} is on record: one version cannot be both",
            item.called,
            item.stem(),
            other.stem()
        ));
    }
    if let Some(moved) = moved(import, item, records) {
        return Err(format!(
            "{} is on record as {}, and would be {} now: the numbers have shifted, because a name came between",
            item.called,
            moved.stem(),
            item.stem()
        ));
    }
    let fate = fate(import, item, record)?;
    let file = there.iter().find(|file| file.version == item.version);
    let text = match file {
        None => item.text.clone(),
        Some(file) if file.name != item.name || file.kind != Kind::Sql => {
            return Err(format!(
                "{} would be {}.sql, and {} has its version",
                item.called,
                item.stem(),
                file.path
            ));
        }
        // Somebody may have written what phase cannot take over; what is on record is drift's to judge.
        Some(file) if same(&file.text, &item.text) || !item.runs || record.is_some_and(Record::started) => {
            file.text.clone()
        }
        Some(file) => {
            return Err(format!(
                "{} is there already, and is not what {} becomes: move it away, and import again",
                file.path, item.called
            ));
        }
    };
    // What is on record and has another text there has no file to be written.
    let write = file.is_none() && !other_text(record, &item.text);
    Ok(Todo { item, write, there: file.is_some(), text, fate })
}

fn fate(import: &Import, item: &Imported, record: Option<&Record>) -> Result<Fate, String> {
    match record {
        Some(record) if record.state == State::Completed => Ok(Fate::OnRecord),
        Some(record) if record.goal != record.state && item.applied => Err(format!(
            "{} has begun here and is not over, and {} has it as applied: finish it with phase expand --to {}",
            item.stem(),
            import.tool.title(),
            item.version
        )),
        _ if item.applied => Ok(Fate::Record),
        _ => Ok(Fate::Pending),
    }
}

/// The same migration under another version, from an import before.
fn moved<'r>(import: &Import, item: &Imported, records: &'r [Record]) -> Option<&'r Record> {
    let ours = |version: &Version| import.items.iter().any(|item| item.version == *version);
    let same = |record: &&Record| record.baseline && record.name == item.name && !ours(&record.version);
    records.iter().filter(|record| record.version != item.version).find(same)
}

fn same(a: &str, b: &str) -> bool {
    checksum(a, &[]) == checksum(b, &[])
}

fn other_text(record: Option<&Record>, text: &str) -> bool {
    let sum = record
        .filter(|record| record.state == State::Completed)
        .and_then(|record| record.checksum.as_deref());
    sum.is_some_and(|sum| sum != checksum(text, &[]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::import::Tool;
    use crate::core::testing::item;

    const TEXT: &str = "-- UP\nSELECT 1;\n";

    fn import(runs: bool, applied: bool) -> Import {
        let version = Version::parse("1").unwrap();
        let item = Imported {
            version,
            name: "a".into(),
            called: "1-a.sql".into(),
            applied,
            text: TEXT.into(),
            runs,
        };
        Import { tool: Tool::Dbmate, items: vec![item], notes: Vec::new() }
    }

    fn there(name: &str, text: &str) -> There {
        let path = format!("migrations/1_{name}.sql");
        There {
            path,
            version: Version::parse("1").unwrap(),
            name: name.into(),
            kind: Kind::Sql,
            text: text.into(),
        }
    }

    fn completed(stem: &str) -> Record {
        let planned = Record::planned(&item(stem, TEXT));
        let checksum = Some(checksum(TEXT, &[]));
        Record { state: State::Completed, goal: State::Completed, baseline: true, checksum, ..planned }
    }

    fn done(import: &Import, there: &[There], records: &[Record]) -> Result<(bool, Fate), String> {
        merge(import, there, records)
            .map(|todo| (todo[0].write, todo[0].fate))
            .map_err(|faults| faults.to_string())
    }

    #[test]
    fn what_is_there_is_not_done_again() {
        let (applied, pending) = (import(true, true), import(true, false));
        assert_eq!(done(&applied, &[], &[]), Ok((true, Fate::Record)));
        assert_eq!(done(&pending, &[], &[]), Ok((true, Fate::Pending)));
        assert_eq!(done(&applied, &[there("a", "-- UP\r\nSELECT 1;\r\n")], &[]), Ok((false, Fate::Record)));
        assert_eq!(done(&applied, &[there("a", TEXT)], &[completed("1_a")]), Ok((false, Fate::OnRecord)));
        // Run by phase since: pending there, and done here.
        assert_eq!(done(&pending, &[there("a", TEXT)], &[completed("1_a")]), Ok((false, Fate::OnRecord)));
        // Its file is gone, and comes back as it was.
        assert_eq!(done(&applied, &[], &[completed("1_a")]), Ok((true, Fate::OnRecord)));
        let other = Record { checksum: Some("0".repeat(64)), ..completed("1_a") };
        assert_eq!(done(&applied, &[], &[other]), Ok((false, Fate::OnRecord)));
    }

    #[test]
    fn a_file_of_ones_own_counts_only_where_there_is_nothing_to_run() {
        let own = [there("a", "-- UP\nSELECT 2;\n")];
        assert_eq!(done(&import(false, true), &own, &[]), Ok((false, Fate::Record)));
        assert!(
            done(&import(true, true), &own, &[])
                .unwrap_err()
                .starts_with("migrations/1_a.sql is there already")
        );
        assert_eq!(done(&import(true, true), &own, &[completed("1_a")]), Ok((false, Fate::OnRecord)));
    }

    #[test]
    fn versions_that_are_taken_are_named() {
        assert!(
            done(&import(true, true), &[there("b", TEXT)], &[])
                .unwrap_err()
                .contains("migrations/1_b.sql has its version")
        );
        assert!(
            done(&import(true, true), &[], &[completed("1_b")]).unwrap_err().contains("1_b is on record")
        );
        assert!(
            done(&import(true, true), &[], &[completed("7_a")]).unwrap_err().contains("is on record as 7_a")
        );
        let begun = Record { state: State::Planned, ..completed("1_a") };
        assert!(done(&import(true, true), &[], &[begun]).unwrap_err().contains("phase expand --to 1"));
    }
}
