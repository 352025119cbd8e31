//! `drop_table`: a table goes, out of sight first where the plan keeps.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::reader::Reader;
use crate::core::ident::QName;
use crate::core::plan::model::StepSpec;

/// `drop_table: {table}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
}

/// A table that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropTable {
    table: QName,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<DropTable> {
    Some(DropTable { table: reader.table("table", &raw.table)? })
}

impl DropTable {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let table = &self.table;
        let name = table.plain();
        if let Some(known) = draft.table(table) {
            if !matches!(known.kind.as_str(), "r" | "p" | "") {
                draft.refuse(format!("{name} is no table"));
            }
            if known.partition {
                draft.refuse(format!("{name} is a partition: detach it first"));
            }
            let mut held = known.holds_table();
            if known.inherited {
                held.push("tables that inherit from it".into());
            }
            if !held.is_empty() {
                draft.refuse(format!(
                    "{} depend on {name}: drop or replace them in a plan of its own before this one",
                    held.join(", ")
                ));
            }
        }
        draft.contract(StepSpec::DropTable { table: table.clone(), allow: Vec::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{known, refused, shown, table};
    use super::super::{Hanging, Known, Referrer, Table};

    const TEXT: &str = "change:\n  - drop_table: {table: 's.\"T t\"'}\nkeep: 7d\n";

    #[test]
    fn it_goes_out_of_sight_first() {
        insta::assert_snapshot!(shown(TEXT, &Known::default()));
    }

    #[test]
    fn what_depends_on_it_is_named() {
        let of =
            |of: Table| refused(TEXT, &known([("s.\"T t\"", Table { own: vec!["s.\"T t\"".into()], ..of })]));
        let policy = Hanging {
            relation: Some("s.\"T t\"".into()),
            said: "policy p".into(),
            holds: true,
            ..Hanging::default()
        };
        assert_eq!(of(Table { hanging: vec![policy], ..table(&["a"]) }), Vec::<String>::new());
        let view =
            Hanging { relation: Some("v".into()), said: "view v".into(), holds: true, ..Hanging::default() };
        let key = Referrer { name: "k".into(), table: "u".into(), ..Referrer::default() };
        assert_eq!(
            of(Table { hanging: vec![view], referenced_by: vec![key], ..table(&["a"]) }),
            [
                "foreign key k of u, view v depend on s.\"T t\": drop or replace them in a plan of its own before this one"
            ]
        );
        assert_eq!(
            of(Table { partition: true, ..table(&["a"]) }),
            ["s.\"T t\" is a partition: detach it first"]
        );
        assert_eq!(of(Table { kind: "v".into(), ..table(&["a"]) }), ["s.\"T t\" is no table"]);
    }
}
