//! `sql`: explicit steps with phases of their own, for what no recipe covers, in their place among the other changes.
//!
//! They are the steps of the plan's own sections, in the same words ([plan-reference](../plan-reference.md)): those of
//! a phase run between the steps of the changes before and after this one. What such a step makes or changes is not
//! looked up again for the changes that follow, which are written from what the catalog says: one that is about the
//! same table or type is refused, and takes a plan of its own. A view that a step drops is known to be gone, so that
//! one `sql` may take it away in expand and another, behind the changes between, make it again in contract.
//!
//! # Deploying
//!
//! What the steps ask for: each phase means what it means for every plan. What is put in expand must not stand in the
//! way of old code, what is put in contract runs when old code is gone.
//!
//! # Going back
//!
//! Each step in expand comes with its `undo`, or says why there is none.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::reader::Reader;
use crate::core::ident::QName;
use crate::core::plan::model::{BackfillSpec, BackfillWork, StepSpec};
use crate::core::plan::{Phases, RawPhases};
use crate::core::sql::{Change, Demand, Object, made_tables, split, tables};

/// `sql: {expand: …, backfill: …, validate: …, contract: …}`.
pub(super) type Raw = RawPhases;

/// Explicit steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Sql {
    phases: Phases,
    /// The tables that they name.
    tables: Vec<QName>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<Sql> {
    if raw.is_empty() {
        reader.fault("sql does nothing: give it at least one of expand, backfill, validate, contract");
        return None;
    }
    let phases = Phases::read(raw, reader.text, reader.sql_file, reader.faults);
    let named = phases.steps().flat_map(|step| named(&step.value));
    let all: BTreeSet<QName> =
        named.chain(phases.backfill.iter().flat_map(|entry| filled(&entry.value))).collect();
    Some(Sql { phases, tables: all.into_iter().collect() })
}

/// The tables that a step names.
fn named(step: &StepSpec) -> Vec<QName> {
    match step {
        StepSpec::Sql(spec) => {
            tables(&spec.text).map(|tables| tables.into_iter().collect()).unwrap_or_default()
        }
        StepSpec::Index(spec) => vec![spec.table.clone()],
        StepSpec::Sync(spec) => vec![spec.table.clone()],
        StepSpec::NotNull { table, .. }
        | StepSpec::DropColumn { table, .. }
        | StepSpec::DropTable { table, .. } => {
            vec![table.clone()]
        }
        // Only recipes write the last six.
        StepSpec::DropIndex(_)
        | StepSpec::Assert(_)
        | StepSpec::Exchange(_)
        | StepSpec::Mirror(_)
        | StepSpec::Succeed(_)
        | StepSpec::Move(_)
        | StepSpec::Moved(_)
        | StepSpec::Last(_) => Vec::new(),
    }
}

fn filled(entry: &BackfillSpec) -> Vec<QName> {
    let into = match &entry.work {
        BackfillWork::Copy { into, .. } => Some(into.clone()),
        BackfillWork::Set(_) | BackfillWork::Delete => None,
    };
    into.into_iter().chain([entry.table.clone()]).collect()
}

impl Sql {
    pub(super) fn tables(&self) -> Vec<&QName> {
        self.tables.iter().collect()
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Phases { expand, backfill, validate, contract } = &self.phases;
        for step in expand {
            draft.turn_to(step.place);
            draft.expand(step.value.clone());
            if let StepSpec::Sql(spec) = &step.value {
                for table in made_tables(&spec.text).unwrap_or_default() {
                    draft.makes_table(table.name);
                }
            }
        }
        for entry in backfill {
            draft.carry(entry.clone());
        }
        for step in validate {
            draft.turn_to(step.place);
            draft.validate(step.value.clone());
        }
        for step in contract {
            draft.turn_to(step.place);
            draft.contract(step.value.clone());
        }
        for step in self.phases.steps() {
            settle(draft, &step.value);
        }
    }
}

/// Puts down what is not any more as the catalog says.
fn settle(draft: &mut Draft<'_>, step: &StepSpec) {
    match step {
        StepSpec::Sql(spec) => {
            for change in split(&spec.text).into_iter().flatten().flat_map(|statement| statement.changes) {
                changed(draft, &change);
            }
        }
        StepSpec::DropIndex(index) => draft.changes_unseen(index),
        StepSpec::Assert(_) | StepSpec::Exchange(_) | StepSpec::Last(_) => {}
        step => named(step).iter().for_each(|table| draft.changes_unseen(table)),
    }
}

fn changed(draft: &mut Draft<'_>, change: &Change) {
    match change {
        Change::Drop { of: Object::View | Object::MatView, names, .. } => {
            names.iter().for_each(|view| draft.drops_view(view));
        }
        Change::Drop { names, .. } => names.iter().for_each(|name| draft.changes_unseen(name)),
        Change::Alter { table, .. }
        | Change::CreateTable { table, .. }
        | Change::OnTable { table, .. }
        | Change::Rename { table, .. }
        | Change::SetSchema { table, .. } => draft.changes_unseen(table),
        Change::CreateTableConstraint { table, constraint } => {
            draft.changes_unseen(table);
            if let Demand::Foreign { to, .. } = &constraint.demand {
                draft.changes_unseen(to);
            }
        }
        Change::CreateIndex(index) => draft.changes_unseen(&index.table),
        Change::CreateView { reads, .. } => reads.iter().for_each(|table| draft.changes_unseen(table)),
        Change::Moved { name, .. } | Change::Create { name, .. } => draft.changes_unseen(name),
        Change::Domain { domain: name, .. }
        | Change::CreateDomain { domain: name, .. }
        | Change::AddEnumValue { kind: name, .. } => draft.changes_unseen(name),
        Change::Opaque(_) => draft.may_change_all(),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{cautions, changes, known, refused, shown, table};
    use super::super::{Hanging, Known, Table};

    const TEXT: &str = "change:
  - sql:
      expand:
        - {sql: DROP VIEW v, undo: CREATE VIEW v AS SELECT a FROM t}
        - index: {table: u, columns: [b]}
      backfill:
        - {table: u, set: {b: lower(a)}, where: b IS NULL}
      validate:
        - not_null: {table: u, column: b}
  - set_default: {table: t, column: a, default: 1, when: contract}
  - sql:
      contract:
        - {sql: CREATE VIEW v AS SELECT a FROM t, undo: DROP VIEW v}
";

    #[test]
    fn steps_keep_their_order_among_other_changes() {
        insta::assert_snapshot!(shown(TEXT, &Known::default()));
    }

    #[test]
    fn faults_and_statements_have_their_own_places() {
        let nothing = Known::default();
        let wrong = |text: &str| changes(text, &nothing).map(|_| ()).unwrap_err();
        let text = TEXT.replace("{table: u, column: b}", "{table: u, column: 1b}");
        assert!(wrong(&text).contains("p.yaml:9:11: column: "), "{}", wrong(&text));
        let text = TEXT.replace(", undo: CREATE VIEW v AS SELECT a FROM t", "");
        assert!(
            wrong(&text).contains("p.yaml:4:11: an sql step in expand needs its undo"),
            "{}",
            wrong(&text)
        );
        assert!(wrong("change:\n  - sql: {}\n").contains("p.yaml:2:5: sql does nothing"));
        let written = changes(TEXT, &nothing).map(|written| written.plan.contract).unwrap();
        let places: Vec<_> = written.iter().map(|step| (step.place.line, step.place.column)).collect();
        assert_eq!(places, [(10, 5), (13, 11)]);
    }

    #[test]
    fn a_change_that_follows_is_written_from_what_is_known_or_refused() {
        let with = |step: &str, change: &str| {
            format!("change:\n  - sql: {{expand: [{{sql: {step}, undo: SELECT 1}}]}}\n  - {change}\n")
        };
        let view = Hanging {
            relation: Some("v".into()),
            kind: "view".into(),
            column: Some("a".into()),
            said: "view v".into(),
            ..Hanging::default()
        };
        let all = known([("t", Table { hanging: vec![view], ..table(&["a"]) }), ("u", table(&["a"]))]);
        let retype = "change_type: {table: t, column: a, type: int}";
        assert_eq!(refused(&with("DROP VIEW v", retype), &all), Vec::<String>::new());
        assert!(refused(&with("DROP VIEW w", retype), &all)[0].starts_with("view v hangs on t.a"));
        let rename = "rename_column: {table: u, from: a, to: c}";
        for step in [
            "ALTER TABLE u ADD COLUMN b int",
            "CREATE INDEX i ON u (a)",
            "CREATE VIEW w AS SELECT a FROM u",
            "GRANT SELECT ON u TO x",
        ] {
            let why = refused(&with(step, rename), &all);
            assert!(why[0].starts_with("u is made or changed by sql before this"), "{why:?}");
        }
        assert_eq!(refused(&with("UPDATE u SET a = '1' WHERE a = ''", rename), &all), Vec::<String>::new());
        let made = with("CREATE TABLE n (a int)", "add_index: {table: n, columns: [a]}");
        assert!(
            refused(&made, &all)[0].starts_with("n is made or changed by sql"),
            "{:?}",
            refused(&made, &all)
        );
        let unseen = with("DO 'BEGIN END'", rename);
        assert_eq!(refused(&unseen, &all), Vec::<String>::new());
        assert!(cautions(&unseen, &all)[0].contains("cannot be seen through"));
    }
}
