//! `drop_column`: a column goes, out of sight first where the plan keeps; `down` fills it for old
//! code as long as it is there.
//!
//! Contract stops as long as the function of one of the table's own triggers says `NEW.x` or `OLD.x` of the column: every
//! write would fail from then on. Replace it beforehand by one that works before and after, such as by `to_jsonb(NEW) ->> 'x'`
//! to read and `jsonb_populate_record(NEW, …)` to write.

use schemars::JsonSchema;
use serde::Deserialize;

use super::draft::Draft;
use super::known::{Column, Table};
use super::reader::Reader;
use super::trigger::name_said;
use crate::core::ident::{Ident, QName, plain};
use crate::core::plan::model::{StepSpec, SyncSpec};
use crate::core::step::Allow;

/// `drop_column: {table, column, down}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column.
    column: String,
    /// What rows of new code have in it as long as it is there: an expression over the row.
    down: Option<String>,
}

/// A column that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropColumn {
    table: QName,
    column: Ident,
    down: Option<String>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<DropColumn> {
    let (table, column) = (reader.table("table", &raw.table), reader.ident("column", &raw.column));
    let down = reader.maybe("down", raw.down.as_deref())?;
    Some(DropColumn { table: table?, column: column?, down })
}

impl DropColumn {
    /// Of a column that a recipe lets go.
    pub(super) fn of(table: &QName, column: &Ident) -> Self {
        Self { table: table.clone(), column: column.clone(), down: None }
    }

    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column, down } = self;
        let of = draft.column(table, column);
        let mut allow = Vec::new();
        if let Some(known) = draft.table(table) {
            self.refuse_held(draft, &known, &of);
            allow = self.along(draft, &known);
            name_said(draft, table, &known, column);
        }
        if let Some(down) = down {
            let down = draft.expression_now(table, down);
            let sync = SyncSpec { table: table.clone(), set: Vec::new(), back: vec![(column.clone(), down)] };
            draft.expand(StepSpec::Sync(sync));
        }
        draft.contract(StepSpec::DropColumn { table: table.clone(), column: column.clone(), allow });
        draft.takes_away(table, column);
    }

    fn name(&self) -> String {
        format!("{}.{}", self.table.plain(), plain(&self.column))
    }

    fn refuse_held(&self, draft: &mut Draft<'_>, known: &Table, of: &Column) {
        let name = self.name();
        if of.until_contract.is_some() {
            draft.refuse(format!("{name} gets its name in this plan: drop it in another, or leave the name"));
        }
        if of.inherited {
            draft.refuse(format!("{name} is inherited: drop it in the table that it comes from"));
        }
        if known.partition_key.iter().any(|key| key == self.column.as_str()) {
            draft.refuse(format!("{name} is part of the partition key"));
        }
        let held = known.holds_column(&self.column);
        if !held.is_empty() {
            draft.refuse(format!(
                "{} depend on {name}: drop or replace them in a plan of its own before this one",
                held.join(", ")
            ));
        }
        let filled =
            of.default.is_some() || of.generated.is_some() || of.identity.is_some() || self.down.is_some();
        if of.not_null && !filled {
            draft.refuse(format!(
                "{name} is NOT NULL and has no default, so that new code, which does not know it, could not insert: give \
                 down, an expression over the row that old code can read, such as down: \"''\""
            ));
        }
        if self.down.is_some() && (of.generated.is_some() || of.default.is_some() || of.identity.is_some()) {
            draft.refuse(format!("{name} is filled by the server, also in rows of new code: leave out down"));
        }
    }

    /// What the column takes along: what is about it alone is told, what other columns need is refused.
    pub(super) fn along(&self, draft: &mut Draft<'_>, known: &Table) -> Vec<Allow> {
        let name = self.name();
        let mine = |columns: &[String]| columns.iter().any(|column| column == self.column.as_str());
        let (mut keys, mut rest) = (Vec::new(), Vec::new());
        for of in known.constraints.iter().filter(|of| mine(&of.columns) && of.kind != "n") {
            if of.columns.len() > 1 || of.kind == "p" {
                draft.refuse(format!(
                    "constraint {} of {} is about more than {name} and would go with it in silence: drop or replace it in a plan of its own before this one",
                    of.name,
                    self.table.plain()
                ));
            }
            keys.push(format!("constraint {}", of.name));
        }
        for of in known.indexes.iter().filter(|of| mine(&of.columns) && of.constraint.is_none()) {
            rest.push(format!("index {}", of.name));
            if of.columns.len() > 1 && of.definition.starts_with("CREATE UNIQUE ") {
                draft.refuse(format!(
                    "unique index {} of {} is about more than {name} and would go with it in silence: drop or replace it in a plan of its own before this one",
                    of.name,
                    self.table.plain()
                ));
            }
        }
        let hanging =
            known.hanging.iter().filter(|of| !of.holds && of.column.as_deref() == Some(self.column.as_str()));
        rest.extend(hanging.map(|of| of.said.clone()));
        let all = [keys, rest].concat();
        if all.is_empty() {
            return Vec::new();
        }
        draft.caution(format!("with {name} go {}", all.join(", ")));
        let reason = format!("the plan drops the column, and these are about it alone: {}", all.join(", "));
        vec![Allow::of_step("drop-column-takes-along", reason)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cautions, known, refused, shown, table};
    use super::super::{Column, Constraint, Hanging, Index, Known, Referrer, Table};

    const TEXT: &str = "change:\n  - drop_column: {table: t, column: '\"A a\"'}\nkeep: 7d\n";

    fn of(of: Table) -> Vec<String> {
        refused(TEXT, &known([("t", of)]))
    }

    #[test]
    fn it_is_filled_as_long_as_it_is_there() {
        let text = "change:\n  - drop_column: {table: t, column: '\"A a\"', down: lower(b)}\nkeep: 7d\n";
        insta::assert_snapshot!(shown(text, &Known::default()));
    }

    #[test]
    fn what_depends_on_it_is_named() {
        assert_eq!(of(table(&["b"])), ["table t has no column \"A a\""]);
        let column = Some("A a".to_owned());
        let view = Hanging { column, said: "view v".into(), holds: true, ..Hanging::default() };
        let key = Referrer { name: "k".into(), table: "u".into(), columns: vec!["A a".into()], own: false };
        assert_eq!(
            of(Table { hanging: vec![view], referenced_by: vec![key], ..table(&["A a"]) }),
            [
                "foreign key k of u, view v depend on t.\"A a\": drop or replace them in a plan of its own before this one"
            ]
        );
        let constraint = |kind: &str, columns: &[&str]| Constraint {
            name: "k".into(),
            kind: kind.into(),
            columns: columns.iter().map(|name| (*name).into()).collect(),
            ..Constraint::default()
        };
        let constrained = |of: Constraint| Table { constraints: vec![of], ..table(&["A a", "b"]) };
        assert!(
            of(constrained(constraint("u", &["A a", "b"])))[0].starts_with("constraint k of t is about more")
        );
        assert!(of(constrained(constraint("p", &["A a"])))[0].starts_with("constraint k of t is about more"));
        let alone = known([("t", constrained(constraint("f", &["A a"])))]);
        assert_eq!(cautions(TEXT, &alone)[0], "with t.\"A a\" go constraint k");
        let index = Index {
            name: "i".into(),
            definition: "CREATE UNIQUE INDEX i ON t (\"A a\", b)".into(),
            columns: vec!["A a".into(), "b".into()],
            ..Index::default()
        };
        assert!(of(Table { indexes: vec![index], ..table(&["A a", "b"]) })[0].starts_with("unique index i"));
        assert!(
            of(Table { partition_key: vec!["A a".into()], ..table(&["A a"]) })[0].contains("partition key")
        );
    }

    #[test]
    fn new_code_must_be_able_to_insert() {
        let not_null = |default: Option<&str>| Table {
            columns: vec![Column {
                name: "A a".into(),
                not_null: true,
                default: default.map(Into::into),
                ..Column::default()
            }],
            ..table(&[])
        };
        assert!(of(not_null(None))[0].contains("give down"));
        assert_eq!(of(not_null(Some("1"))), Vec::<String>::new());
        let down = TEXT.replace("'}", "', down: \"''\"}");
        assert_eq!(refused(&down, &known([("t", not_null(None))])), Vec::<String>::new());
        assert!(refused(&down, &known([("t", not_null(Some("1")))]))[0].contains("leave out down"));
    }
}
