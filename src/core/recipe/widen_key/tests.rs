#![allow(clippy::unwrap_used)]
use crate::core::recipe::known::{Column, Constraint, Hanging, Index, Known, Referrer, Table};
use crate::core::recipe::testing::{known, refused, shown, table};

const PLAN: &str = "change:\n  - widen_key: {table: a, column: id}\nkeep: 1d\n";

/// A table with one key of a type.
fn keyed(name: &str, kind: &str) -> Table {
    let columns = vec!["id".to_owned()];
    Table {
        columns: vec![Column { name: "id".into(), kind: kind.into(), not_null: true, ..Column::default() }],
        indexes: vec![Index {
            name: format!("{name}_pkey"),
            definition: format!("CREATE UNIQUE INDEX {name}_pkey ON {name} USING btree (id)"),
            columns: columns.clone(),
            keys: columns.clone(),
            constraint: Some("p".into()),
            valid: true,
            unique: true,
            immediate: true,
            ..Index::default()
        }],
        constraints: vec![Constraint {
            name: format!("{name}_pkey"),
            kind: "p".into(),
            definition: "PRIMARY KEY (id)".into(),
            columns,
            valid: true,
            ..Constraint::default()
        }],
        own: vec![name.into()],
        ..table(&[])
    }
}

/// A table whose column `a_id` of a type refers to the key of `a`.
fn child(kind: &str, deed: &str) -> Table {
    let column = Column { name: "a_id".into(), kind: kind.into(), ..Column::default() };
    let key = Constraint {
        name: "c_a_id_fkey".into(),
        kind: "f".into(),
        definition: format!("FOREIGN KEY (a_id) REFERENCES a(id){deed}"),
        columns: vec!["a_id".into()],
        key: vec!["a_id".into()],
        refers: vec!["id".into()],
        references: Some("a".into()),
        valid: true,
        ..Constraint::default()
    };
    Table { columns: vec![column], constraints: vec![key], own: vec!["c".into()], ..table(&[]) }
}

fn referred(kind: &str) -> Table {
    let key = Referrer {
        name: "c_a_id_fkey".into(),
        table: "c".into(),
        columns: vec!["id".into()],
        ..Referrer::default()
    };
    Table { referenced_by: vec![key], ..keyed("a", kind) }
}

fn why(known: &Known) -> String {
    refused(PLAN, known).join("\n")
}

#[test]
fn what_it_cannot_do_is_refused_by_name() {
    assert_eq!(why(&known([("a", keyed("a", "integer"))])), "");
    assert_eq!(why(&known([("a", keyed("a", "bigint"))])), "a.id is bigint already");
    assert!(why(&known([("a", keyed("a", "text"))])).contains("no integer: change_type is for those"));
    let mut no_key = keyed("a", "integer");
    no_key.constraints.clear();
    assert!(why(&known([("a", no_key)])).contains("a.id is no part of a primary key"));
    let parted = Table { kind: "p".into(), ..keyed("a", "integer") };
    assert!(why(&known([("a", parted)])).contains("a is partitioned"));
    let view = Hanging {
        column: Some("id".into()),
        kind: "rule".into(),
        said: "view v".into(),
        holds: true,
        ..Hanging::default()
    };
    let seen = Table { hanging: vec![view], ..keyed("a", "integer") };
    assert!(why(&known([("a", seen)])).contains("view v hangs on a.id"));
    // A table that refers to it, and that our role cannot see.
    assert!(why(&known([("a", referred("integer"))])).contains("c refers to a.id, and cannot be looked at"));
    let sets = known([("a", referred("integer")), ("c", child("integer", " ON DELETE SET DEFAULT"))]);
    assert!(why(&sets).contains("foreign key c_a_id_fkey of c sets a default"));
}

#[test]
fn what_refers_to_it_is_asked_for() {
    let plan = crate::core::recipe::testing::plan(PLAN);
    let change = &plan.change[0].value;
    let asked = |known: &Known| {
        change.unknown(known).iter().map(crate::core::ident::QName::plain).collect::<Vec<_>>()
    };
    assert!(asked(&Known::default()).is_empty());
    assert_eq!(asked(&known([("a", referred("integer"))])), ["c"]);
    assert!(asked(&known([("a", referred("integer")), ("c", child("integer", ""))])).is_empty());
}

#[test]
fn a_column_that_is_wide_already_keeps_its_place_and_gets_its_foreign_key_anew() {
    let steps = shown(PLAN, &known([("a", referred("integer")), ("c", child("bigint", ""))]));
    assert!(!steps.contains("\"c\" ADD COLUMN"), "{steps}");
    let key =
        "ADD CONSTRAINT _phase_7_new_c_a_id_fkey FOREIGN KEY (a_id) REFERENCES a (_phase_7_new_id) NOT VALID";
    assert!(steps.contains(key), "{steps}");
}

#[test]
fn without_keep_nothing_is_kept_for_a_way_back() {
    let steps = shown(
        "change:\n  - widen_key: {table: a, column: id}\n",
        &known([("a", referred("integer")), ("c", child("integer", ""))]),
    );
    assert!(!steps.contains("spare"), "{steps}");
    assert!(steps.contains("ALTER TABLE \"a\" DROP COLUMN \"id\""), "{steps}");
}
