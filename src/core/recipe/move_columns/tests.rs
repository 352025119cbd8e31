#![allow(clippy::unwrap_used)]
use crate::core::recipe::testing::{cautions, changes, known, of_table, refused, shown, table};
use crate::core::recipe::{Column, Constraint, Grant, Hanging, Index, Known, Table, Trigger};

const MADE: &str = "change:\n  - create_table: {table: u, columns: [{name: of, type: bigint, primary_key: true}], foreign_keys: [{columns: [of], references: t, on_delete: cascade, on_update: cascade}]}\n";
const MOVE: &str = "  - move_columns: {table: t, to: u, columns: {'\"A a\"': b}}\n";

fn text() -> String {
    format!("{MADE}{MOVE}keep: 7d\n")
}

fn keyed(columns: &[&str]) -> Table {
    let primary =
        Index { keys: vec!["id".into()], constraint: Some("p".into()), unique: true, ..of_table("t_pkey") };
    Table { indexes: vec![primary], ..table(columns) }
}

fn of(of: Table) -> Vec<String> {
    refused(&text(), &known([("t", of)]))
}

#[test]
fn both_tables_are_kept_in_step() {
    let column = Column {
        name: "A a".into(),
        kind: "text".into(),
        not_null: true,
        default: Some("'it''s'".into()),
        comment: Some("It's odd.".into()),
        ..Column::default()
    };
    let mut of = keyed(&["id"]);
    of.columns.push(column);
    of.grants = vec![Grant { to: Some("App".into()), privilege: "UPDATE".into(), grantable: false }];
    let text_of = shown(&text(), &known([("t", of)]));
    assert!(text_of.contains("GRANT UPDATE ON \"u\" TO \"App\""), "{text_of}");
    insta::assert_snapshot!(text_of);
    assert!(!shown(&text(), &Known::default()).is_empty());
    let alone = format!("change:\n{MOVE}");
    assert!(shown(&alone, &Known::default()).contains("DROP COLUMN \"A a\""));
}

#[test]
fn the_new_table_belongs_to_the_old_one() {
    let good = known([("t", keyed(&["id", "A a"]))]);
    assert_eq!(refused(&text(), &good), Vec::<String>::new());
    assert!(cautions(&text(), &good).iter().any(|what| what.contains("40P01")));
    for (from, to, why) in [
        ("on_delete: cascade, ", "", "is not on_delete: cascade"),
        ("references: t", "references: t, to: [id]", ""),
        (", primary_key: true", "", "needs one foreign key to t"),
        (", primary_key: true}", "}], unique: [{columns: [of]}", "u.of must be NOT NULL"),
        ("true}]", "true}, {name: c, type: int, not_null: true}]", "u.c is NOT NULL and has no default"),
        ("true}]", "true}, {name: b, type: int}]", "table u has a column b already"),
        ("columns: {'", "key: {id: other}, columns: {'", "needs one foreign key to t"),
        ("columns: {'", "key: {id: of}, columns: {'", ""),
    ] {
        let text = text().replacen(from, to, 1);
        let found = refused(&text, &good);
        if why.is_empty() {
            assert_eq!(found, Vec::<String>::new(), "{text}");
        } else {
            assert!(found.iter().any(|found| found.contains(why)), "{text}: {found:?}");
        }
    }
    let there = known([("t", keyed(&["id", "A a"])), ("u", table(&["of"]))]);
    let alone = refused(&format!("change:\n{MOVE}"), &there);
    assert!(alone[0].contains("is not made by a create_table"), "{alone:?}");
    let after = format!("change:\n{MOVE}{}", MADE.trim_start_matches("change:\n"));
    assert!(refused(&after, &good)[0].contains("put the create_table of u before it"));
    assert!(
        cautions(&text().replace(", on_update: cascade", ""), &good)
            .iter()
            .any(|what| what.contains("changes the key"))
    );
}

#[test]
fn what_cannot_move_is_named() {
    let with = |column: Column| {
        let mut of = keyed(&["id"]);
        of.columns.push(Column { name: "A a".into(), kind: "text".into(), ..column });
        of
    };
    assert!(of(with(Column { not_null: true, ..Column::default() }))[0].contains("has no default"));
    assert!(
        of(with(Column { generated: Some("1".into()), ..Column::default() }))[0]
            .contains("filled by the server")
    );
    assert!(of(keyed(&["id"]))[0].contains("has no column \"A a\""));
    let whole = || keyed(&["id", "A a"]);
    let view =
        Hanging { column: Some("A a".into()), said: "view v".into(), holds: true, ..Hanging::default() };
    assert_eq!(
        of(Table { hanging: vec![view], ..whole() }),
        ["view v depend on t.\"A a\": drop or replace them in a plan of its own before this one"]
    );
    let trigger = Trigger { name: "x".into(), columns: vec!["A a".into()], ..Trigger::default() };
    assert!(of(Table { triggers: vec![trigger], ..whole() })[0].contains("trigger x is about"));
    assert!(of(Table { kind: "p".into(), ..whole() })[0].contains("is partitioned"));
    assert!(of(Table { row_security: true, ..whole() })[0].contains("row security"));
    assert!(of(Table { rules: vec!["r".into()], ..whole() })[0].contains("rule r"));
    let check = Constraint {
        name: "c".into(),
        kind: "c".into(),
        columns: vec!["A a".into()],
        ..Constraint::default()
    };
    let found = cautions(&text(), &known([("t", Table { constraints: vec![check.clone()], ..whole() })]));
    assert!(found.iter().any(|what| what.contains("add_check")), "{found:?}");
    let both = Constraint { columns: vec!["A a".into(), "id".into()], ..check };
    assert!(of(Table { constraints: vec![both], ..whole() })[0].contains("is about more"));
}

#[test]
fn faults_of_the_plan() {
    for bad in [
        "table: t, to: t, columns: {a: b}",
        "table: t, to: u, columns: {}",
        "table: t, to: u, columns: {a: b, c: b}",
        "table: t, to: u, columns: {a: b}, key: {a: c}",
        "table: t, to: u, columns: {a: b}, key: {}",
        "table: t, to: u, columns: {'': b}",
    ] {
        let text = format!("change:\n  - move_columns: {{{bad}}}\n");
        assert!(changes(&text, &Known::default()).is_err(), "{bad}");
    }
}
