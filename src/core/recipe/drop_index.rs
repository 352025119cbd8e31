//! `drop_index`: an index goes, while the table is in use.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::reader::Reader;
use crate::core::ident::QName;
use crate::core::plan::model::StepSpec;

/// `drop_index: {name}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The index.
    name: String,
}

/// An index that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropIndex {
    index: QName,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<DropIndex> {
    Some(DropIndex { index: reader.table("name", &raw.name)? })
}

impl DropIndex {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.index]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        refuse_held(draft, &self.index);
        let unique = draft.table(&self.index).and_then(|known| known.index).filter(|index| index.unique);
        if let Some(known) = unique {
            draft.caution(format!(
                "{} keeps the rows of {} unique: without it INSERT … ON CONFLICT over its columns fails, and abort cannot \
                 build it again over rows that are equal by then",
                self.index.plain(),
                known.table
            ));
        }
        draft.contract(StepSpec::DropIndex(self.index.clone()));
    }
}

/// Refuses the drop of an index that is none, or that something else needs.
pub(super) fn refuse_held(draft: &mut Draft<'_>, index: &QName) {
    let name = index.plain();
    let Some(known) = draft.table(index) else {
        if draft.knows_all() {
            draft.refuse(format!("there is no index {name}"));
        }
        return;
    };
    let Some(known) = known.index else {
        draft.refuse(format!("{name} is no index"));
        return;
    };
    if let Some(constraint) = &known.constraint {
        draft.refuse(format!(
            "{name} is the index of constraint {constraint} of {}, and goes with it alone",
            known.table
        ));
    }
    if let Some(whole) = &known.part_of {
        draft.refuse(format!("{name} is part of index {whole}, and goes with it alone"));
    }
    if known.replica_identity {
        draft.refuse(format!(
            "{name} is what tells the rows of {0} apart in logical replication: ALTER TABLE {0} REPLICA IDENTITY with \
             another index first",
            known.table
        ));
    }
    if !known.needed_by.is_empty() {
        draft.refuse(format!(
            "foreign key {} needs {name}: drop it first, or let it refer to another key",
            known.needed_by.join(", ")
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cautions, index, known, refused, shown, table};
    use super::super::{Known, OfIndex};

    #[test]
    fn it_goes_in_contract() {
        let text = "change:\n  - drop_index: {name: 's.\"T i\"'}\n";
        insta::assert_snapshot!(shown(text, &Known::default()));
    }

    #[test]
    fn what_needs_it_is_named() {
        let text = "change:\n  - drop_index: {name: i}\n";
        let of = |of: OfIndex| refused(text, &known([("i", index(OfIndex { table: "t".into(), ..of }))]));
        assert_eq!(of(OfIndex::default()), Vec::<String>::new());
        assert_eq!(refused(text, &known([])), ["there is no index i"]);
        assert_eq!(refused(text, &known([("i", table(&[]))])), ["i is no index"]);
        assert_eq!(
            of(OfIndex { constraint: Some("k".into()), ..OfIndex::default() }),
            ["i is the index of constraint k of t, and goes with it alone"]
        );
        assert_eq!(
            of(OfIndex { part_of: Some("whole".into()), ..OfIndex::default() }),
            ["i is part of index whole, and goes with it alone"]
        );
        assert!(
            of(OfIndex { replica_identity: true, ..OfIndex::default() })[0]
                .contains("ALTER TABLE t REPLICA IDENTITY")
        );
        assert!(
            of(OfIndex { needed_by: vec!["f of u".into()], ..OfIndex::default() })[0]
                .starts_with("foreign key f of u needs i")
        );
        let unique = known([("i", index(OfIndex { table: "t".into(), unique: true, ..OfIndex::default() }))]);
        assert!(cautions(text, &unique)[0].contains("ON CONFLICT"));
    }
}
