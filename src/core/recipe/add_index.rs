//! `add_index`: an index, built while the table is in use.

use super::draft::{Draft, Sql};
use super::known::Index;
use super::reader::Reader;
use crate::core::chosen::{index_words, object_name};
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::index;
use crate::core::plan::model::{IndexSpec, StepSpec};
use crate::core::sql::{IndexRead, SqlError, index_over, index_read};

/// How many names the server might choose that are looked up.
const CHOICES: usize = 8;

/// `add_index: {table, columns, …}`, as the step `index`.
pub(super) type Raw = index::RawIndex;

/// A new index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddIndex {
    spec: IndexSpec,
    reads: IndexRead,
    /// Its name as the plan gives it, or those that the server would choose, the first one first.
    names: Vec<QName>,
    given: bool,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<AddIndex> {
    let given = raw.name.is_some();
    let spec = index::read(raw, reader.at, reader.faults)?;
    let reads = reads(&spec, reader)?;
    let words = index_words(&reads.words);
    let table = &spec.table;
    let names = if given {
        vec![table.sibling(spec.name.clone())]
    } else {
        let name = |n| object_name(&table.name, &words, "idx", n).map(|name| table.sibling(name));
        (0..CHOICES).filter_map(name).collect()
    };
    Some(AddIndex { spec, reads, names, given })
}

/// What the index names, where it is one.
pub(super) fn reads(spec: &IndexSpec, reader: &mut Reader<'_, '_>) -> Option<IndexRead> {
    let read = index_read(&spec.create());
    reader.faults.take(reader.at, "columns, where", read)
}

impl AddIndex {
    pub(super) fn tables(&self) -> Vec<&QName> {
        std::iter::once(&self.spec.table).chain(&self.names).collect()
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let table = &self.spec.table;
        let free = self.names.iter().find(|name| !draft.is_taken(table, name)).cloned();
        let Some(name) = free else {
            let names: Vec<String> = self.names.iter().map(QName::plain).collect();
            draft.refuse(format!("{} is there already: give the index another name", names.join(", ")));
            return;
        };
        if !self.given && self.names.first() != Some(&name) {
            draft.caution(format!("the index gets the name {}, as the server would choose it", name.plain()));
        }
        draft.makes(name.clone());
        let spec = IndexSpec { name: name.name, ..self.spec.clone() };
        build(draft, &spec, &self.reads);
        let known = Index {
            name: spec.name.as_str().into(),
            definition: spec.create(),
            columns: self.reads.columns.iter().map(|column| column.as_str().into()).collect(),
            valid: true,
            ..Index::default()
        };
        draft.now(table, |table| table.indexes.push(known));
    }
}

/// Writes the step that builds an index.
pub(super) fn build(draft: &mut Draft<'_>, spec: &IndexSpec, reads: &IndexRead) {
    let table = &spec.table;
    if let Some(known) = draft.table(table) {
        if !matches!(known.kind.as_str(), "r" | "p" | "m") {
            draft.refuse(format!("{} is no table", table.plain()));
        }
        for column in &reads.columns {
            draft.column(table, column);
        }
    }
    match renamed(draft, spec, reads) {
        Ok(None) => draft.validate(StepSpec::Index(spec.clone())),
        Ok(Some(create)) => {
            let drop = format!("DROP INDEX CONCURRENTLY {}", table.sibling(spec.name.clone()));
            draft.validate_sql(Sql::new(create, drop));
        }
        Err(error) => draft.refuse(format!("index {}: {error}", plain(&spec.name))),
    }
}

/// The index over the columns that are there until contract, where changes before this one rename
/// some: what stands in for them goes with all that hangs on it.
fn renamed(draft: &Draft<'_>, spec: &IndexSpec, reads: &IndexRead) -> Result<Option<String>, SqlError> {
    let mut create = None;
    for column in &reads.columns {
        let now: Ident = draft.name_now(&spec.table, column);
        if now != *column {
            let text = create.unwrap_or_else(|| spec.create());
            create = Some(index_over(&text, &spec.table, column, &now, &spec.name)?);
        }
    }
    Ok(create)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Known;
    use super::super::testing::{cautions, changes, known, refused, shown, table};

    const TWO: &str = "change:\n  - add_index: {table: t, columns: [lower(a)]}\n  - add_index: {table: t, columns: [lower(b) DESC], where: c > 0, include: [c]}\n  - add_index: {table: t, columns: [lower(b)], unique: true, method: btree, with: {fillfactor: 70}}\n";

    #[test]
    fn names_are_those_that_the_server_would_choose() {
        insta::assert_snapshot!(shown(TWO, &Known::default()));
        let there = known([("t", table(&["a", "b", "c"])), ("t_lower_idx", table(&[]))]);
        let cautions = cautions(TWO, &there);
        assert!(cautions[0].contains("t_lower_idx1") && cautions[1].contains("t_lower_idx2"), "{cautions:?}");
        // Another schema of the search path is no matter.
        let mut other = there;
        other.tables.get_mut("t_lower_idx").unwrap().schema = "other".into();
        assert!(shown(TWO, &other).contains("INDEX CONCURRENTLY \"t_lower_idx\" ON"));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let there = known([
            ("t", table(&["a"])),
            ("t_x", table(&[])),
            ("\"V\"", super::super::Table { kind: "v".into(), ..table(&["a"]) }),
        ]);
        let of = |change: &str| refused(&format!("change:\n  - add_index: {change}\n"), &there);
        assert_eq!(of("{table: t, columns: [a, lower(z)]}"), ["table t has no column z"]);
        assert_eq!(
            of("{table: t, columns: [a], name: t_x}"),
            ["t_x is there already: give the index another name"]
        );
        assert_eq!(of("{table: '\"V\"', columns: [a]}"), ["\"V\" is no table"]);
        for bad in [
            "{table: t, columns: [a], where: '1 = 1; DROP TABLE t'}",
            "{table: t, columns: []}",
            "{table: t, columns: [a b c]}",
        ] {
            assert!(changes(&format!("change:\n  - add_index: {bad}\n"), &there).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_column_that_gets_another_name_is_indexed_itself() {
        let there = known([("t", table(&["a \"b"]))]);
        let text = "change:\n  - rename_column: {table: t, from: '\"a \"\"b\"', to: c}\n  - add_index: {table: t, columns: [lower(c) DESC]}\n";
        assert!(
            shown(text, &there)
                .contains("CREATE INDEX CONCURRENTLY t_lower_idx ON t USING btree (lower(\"a \"\"b\") DESC)"),
            "{}",
            shown(text, &there)
        );
    }
}
