//! `replace_index`: an index by another definition under the same name; the new one is built
//! under a name of the plan's own before the old one goes.

use super::add_index::{build, reads};
use super::draft::{Draft, Sql};
use super::drop_index::refuse_held;
use super::reader::Reader;
use crate::core::ident::QName;
use crate::core::plan::index;
use crate::core::plan::model::{IndexSpec, StepSpec};
use crate::core::sql::IndexRead;

/// `replace_index: {name, table, columns, …}`: the whole new definition, as the step `index` has it.
pub(super) type Raw = index::RawIndex;

/// Another definition of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaceIndex {
    spec: IndexSpec,
    reads: IndexRead,
    index: QName,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<ReplaceIndex> {
    if raw.name.is_none() {
        reader.fault("name: the index that is replaced");
    }
    let named = raw.name.is_some();
    let spec = index::read(raw, reader.at, reader.faults)?;
    let (index, reads) = (spec.table.sibling(spec.name.clone()), reads(&spec, reader)?);
    named.then_some(ReplaceIndex { spec, reads, index })
}

impl ReplaceIndex {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.spec.table, &self.index]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { spec, index, .. } = self;
        refuse_held(draft, index);
        if let Some(known) = draft.table(&spec.table) {
            if draft.table(index).is_some() && !known.indexes.iter().any(|of| of.name == spec.name.as_str()) {
                draft.refuse(format!("{} is no index of {}", index.plain(), spec.table.plain()));
            }
            let old = known.indexes.iter().find(|of| of.name == spec.name.as_str());
            let has = |text: &str, word: &str| text.contains(word);
            let new = spec.create();
            let lost: Vec<&str> = [" WHERE ", " INCLUDE "]
                .into_iter()
                .filter(|word| old.is_some_and(|old| has(&old.definition, word)) && !has(&new, word))
                .map(str::trim)
                .collect();
            if let Some(old) = old.filter(|_| !lost.is_empty()) {
                draft.caution(format!(
                    "the old index has {}, and the new one has none: {}",
                    lost.join(" and "),
                    old.definition
                ));
            }
            if known.kind == "p" {
                draft.caution(format!(
                    "the indexes of the partitions of {} keep the names that they are built under",
                    spec.table.plain()
                ));
            }
        }
        let meanwhile = IndexSpec { name: draft.own_relation(spec.name.as_str()), ..spec.clone() };
        build(draft, &meanwhile, &self.reads);
        draft.contract(StepSpec::DropIndex(index.clone()));
        let rename = |from: &QName, to: &QName| format!("ALTER INDEX {from} RENAME TO {}", to.name);
        let own = spec.table.sibling(meanwhile.name);
        draft.contract_sql(Sql::new(rename(&own, index), rename(index, &own)));
        draft.now(&spec.table, |table| {
            let columns = self.reads.columns.iter().map(|column| column.as_str().to_owned()).collect();
            if let Some(known) = table.indexes.iter_mut().find(|known| known.name == spec.name.as_str()) {
                (known.definition, known.columns) = (spec.create(), columns);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cautions, changes, index, known, of_table, refused, shown, table};
    use super::super::{Index, Known, OfIndex, Table};

    const TEXT: &str =
        "change:\n  - replace_index: {name: '\"T i\"', table: s.t, columns: [a, b], where: a > 0}\n";

    #[test]
    fn the_new_one_is_there_before_the_old_one_goes() {
        insta::assert_snapshot!(shown(TEXT, &Known::default()));
    }

    #[test]
    fn what_cannot_be_replaced_is_refused_by_name() {
        let there = |of: OfIndex, indexes| {
            let of_it = Table { indexes, ..table(&["a", "b"]) };
            refused(
                TEXT,
                &known([("s.t", of_it), ("s.\"T i\"", index(OfIndex { table: "s.t".into(), ..of }))]),
            )
        };
        assert_eq!(there(OfIndex::default(), vec![of_table("T i")]), Vec::<String>::new());
        let all = Index {
            definition: "CREATE INDEX \"T i\" ON s.t USING btree (a) INCLUDE (b) WHERE (a > 0)".into(),
            ..of_table("T i")
        };
        let full = known([("s.t", Table { indexes: vec![all], ..table(&["a", "b"]) })]);
        assert!(
            cautions(TEXT, &full)[0]
                .starts_with("the old index has INCLUDE, and the new one has none: CREATE")
        );
        assert_eq!(there(OfIndex::default(), vec![of_table("i")]), ["s.\"T i\" is no index of s.t"]);
        assert_eq!(
            there(OfIndex { constraint: Some("k".into()), ..OfIndex::default() }, vec![of_table("T i")]),
            ["s.\"T i\" is the index of constraint k of s.t, and goes with it alone"]
        );
        assert!(
            changes("change:\n  - replace_index: {table: t, columns: [a]}\n", &Known::default()).is_err()
        );
    }
}
