#![allow(clippy::unwrap_used, clippy::panic)]
use std::collections::BTreeSet;

use crate::core::recipe::testing::{cautions, changes, known, refused, shown, table};
use crate::core::recipe::{Dependent, Hanging, Known, Table};
use crate::examples::examples;

const PLAN: &str = "title: x\nchange:\n  - change_type: {table: t, column: a, type: bigint}\nkeep: 1d\n";

fn view(name: &str, reads: &[&str]) -> Dependent {
    Dependent {
        kind: "view".into(),
        called: name.into(),
        said: format!("view {name}"),
        reads: reads.iter().map(|&name| name.to_owned()).collect(),
        definition: Some(format!("SELECT of {name}")),
        drop: format!("DROP VIEW {name}"),
        lock: Some(format!("ALTER VIEW {name} OWNER TO o")),
        make: vec![format!("CREATE VIEW {name} AS SELECT 1")],
        ..Dependent::default()
    }
}

fn with(dependents: Vec<Dependent>) -> Known {
    known([("t", Table { dependents, ..table(&["a", "b"]) })])
}

/// Where a text begins in another.
fn at(text: &str, part: &str) -> usize {
    text.find(part).unwrap_or_else(|| panic!("{part} is not in {text}"))
}

#[test]
fn the_outermost_view_goes_first_and_comes_last() {
    let text = shown(PLAN, &with(vec![view("v", &["a"]), view("w", &["a"])]));
    let contract = &text[at(&text, "contract.1")..];
    assert!(at(contract, "DROP VIEW w") < at(contract, "DROP VIEW v"), "{contract}");
    assert!(at(contract, "DROP VIEW v") < at(contract, "RENAME COLUMN"), "{contract}");
    assert!(at(contract, "RENAME COLUMN") < at(contract, "CREATE VIEW v"), "{contract}");
    assert!(at(contract, "CREATE VIEW v") < at(contract, "CREATE VIEW w"), "{contract}");
    // And the whole way back begins with them.
    let back = &contract[at(contract, "undo:")..];
    assert!(at(back, "DROP VIEW w") < at(back, "RENAME COLUMN"), "{back}");
    assert!(at(back, "RENAME COLUMN") < at(back, "CREATE VIEW v"), "{back}");
    // Contract stops where one has changed since.
    assert!(contract.contains("pg_get_viewdef('v'::regclass) IS DISTINCT FROM 'SELECT of v'"), "{contract}");
}

#[test]
fn what_reads_another_column_is_left_alone() {
    let text = shown(PLAN, &with(vec![view("v", &["b"])]));
    assert!(!text.contains("VIEW v"), "{text}");
}

#[test]
fn what_cannot_be_made_again_is_refused_by_name() {
    let blocked = Dependent { blocked: vec!["function f() depends on it".into()], ..view("v", &["a"]) };
    assert_eq!(
        refused(PLAN, &with(vec![blocked])),
        [
            "view v reads t.a and cannot be made again over it: function f() depends on it; drop it in expand and make it \
             again in contract"
        ]
    );
}

#[test]
fn what_hangs_and_is_not_made_again_is_refused_by_name() {
    let hanging = |kind: &str, said: &str| Hanging {
        column: Some("a".into()),
        kind: kind.into(),
        said: said.into(),
        ..Hanging::default()
    };
    let mut known = with(vec![view("v", &["a"])]);
    known.tables.get_mut("t").unwrap().hanging = vec![
        hanging("view", "view v"),
        hanging("rule", "rule r on table u"),
        hanging("generated", "generated column g of table t"),
    ];
    let why = refused(PLAN, &known);
    assert_eq!(why.len(), 2, "{why:?}");
    assert!(why[0].starts_with("rule r on table u hangs on t.a"), "{why:?}");
    assert!(why[1].starts_with("generated column g of table t is computed from t.a"), "{why:?}");
}

#[test]
fn a_view_over_what_the_plan_renames_takes_a_plan_of_its_own() {
    let text = "title: x\nchange:\n  - rename_column: {table: t, from: b, to: c}\n  \
                - change_type: {table: t, column: a, type: bigint}\nkeep: 1d\n";
    let why = refused(text, &with(vec![view("v", &["a", "b"])]));
    assert_eq!(
        why,
        ["view v reads t.a, and something to which this plan gives another name: take two plans"]
    );
    assert_eq!(refused(text, &with(vec![view("v", &["a"])])), [""; 0]);
}

#[test]
fn a_view_over_two_columns_is_looked_at_once() {
    let text = "title: x\nchange:\n  - change_type: {table: t, column: a, type: bigint}\n  \
                - change_type: {table: t, column: b, type: bigint}\nkeep: 1d\n";
    let shown = shown(text, &with(vec![view("v", &["a", "b"])]));
    assert_eq!(shown.matches("IS DISTINCT FROM 'SELECT of v'").count(), 1, "{shown}");
    let statistics = Dependent {
        kind: "statistics".into(),
        called: "public.s".into(),
        said: "statistics object s".into(),
        ..view("s", &["a", "b"])
    };
    assert_eq!(
        refused(text, &with(vec![statistics])),
        ["statistics object s stands over two columns of which this plan changes the types: take two plans"]
    );
}

#[test]
fn what_stands_over_two_tables_and_is_made_before_takes_two_plans() {
    let text = "title: x\nchange:\n  - change_type: {table: t, column: a, type: bigint}\n  \
                - change_type: {table: u, column: a, type: bigint}\nkeep: 1d\n";
    let over = |one: &Dependent| {
        let of = || Table { dependents: vec![one.clone()], ..table(&["a"]) };
        known([("t", of()), ("u", of())])
    };
    let filled = Dependent {
        kind: "materialized view".into(),
        said: "materialized view m".into(),
        make: vec!["CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA".into()],
        ..view("m", &["a"])
    };
    assert_eq!(
        refused(text, &over(&filled)),
        ["materialized view m stands over two columns of which this plan changes the types: take two plans"]
    );
    // A view is made twice, and looked at before the first time.
    let shown = shown(text, &over(&view("v", &["a"])));
    assert_eq!(shown.matches("IS DISTINCT FROM 'SELECT of v'").count(), 1, "{shown}");
}

#[test]
fn a_materialized_view_is_filled_before_it_has_its_name() {
    let filled = Dependent {
        kind: "materialized view".into(),
        said: "materialized view m".into(),
        make: vec!["CREATE MATERIALIZED VIEW m AS SELECT 1 WITH NO DATA".into()],
        filled: true,
        ..view("m", &["a"])
    };
    let text = shown(PLAN, &with(vec![filled.clone()]));
    assert!(at(&text, "contract.1: REFRESH MATERIALIZED VIEW \"_phase_7_new_m\"") < at(&text, "contract.2"));
    assert!(
        text.contains("purge.2: DROP TRIGGER") || text.contains("DROP MATERIALIZED VIEW \"_phase_7_m\""),
        "{text}"
    );
    assert!(cautions(PLAN, &with(vec![filled.clone()])).iter().any(|what| what.contains("refresh the view")));
    let empty = shown(PLAN, &with(vec![Dependent { filled: false, ..filled }]));
    assert!(!empty.contains("REFRESH"), "{empty}");
}

#[test]
fn an_odd_name_stays_a_name() {
    let odd = Dependent { definition: Some("SELECT 'it''s 100%'".into()), ..view("\"o'dd %s\"", &["a"]) };
    let text = shown(PLAN, &with(vec![odd]));
    assert!(text.contains("'view \"o''dd %%s\" is not as it was when the plan started'"), "{text}");
    assert!(changes(PLAN, &with(vec![])).is_ok());
}

/// The kinds of what hangs on a column.
fn kinds(known: &Table, column: &str) -> BTreeSet<&'static str> {
    let mut kinds = BTreeSet::new();
    let mut is = |kind: &'static str, there: bool| _ = there.then(|| kinds.insert(kind));
    let of_it = |columns: &[String]| columns.iter().any(|name| name == column);
    for index in known.indexes.iter().filter(|index| of_it(&index.columns)) {
        let has = |words: &str| index.definition.contains(words);
        is("partial index", index.partial && has("WHERE") && !of_it(&index.keys));
        is("expression index", has("lower("));
        is("INCLUDE", has("INCLUDE (code"));
        is("opclass", has("varchar_pattern_ops"));
        is("collation", has("COLLATE \"C\""));
        is("order", has("DESC NULLS LAST"));
        is("replica identity", index.replica_identity);
        is("comment on an index", index.comment.is_some());
    }
    for constraint in known.constraints.iter().filter(|constraint| of_it(&constraint.columns)) {
        is("check", constraint.kind == "c");
        is("unique", constraint.kind == "u");
        is("foreign key", constraint.kind == "f");
        is("comment on a constraint", constraint.comment.is_some());
    }
    is("foreign key to it", known.referenced_by.iter().any(|key| !key.own && of_it(&key.columns)));
    for one in known.dependents.iter().filter(|one| of_it(&one.reads)) {
        let makes = |words: &str| one.make.iter().any(|sql| sql.contains(words));
        is("view", one.kind == "view");
        is("view on a view", one.definition.as_ref().is_some_and(|text| text.contains("_codes v")));
        is("options of a view", makes("check_option"));
        is("default of a view", makes("SET DEFAULT"));
        is("trigger of a view", makes("INSTEAD OF UPDATE"));
        is("rule of a view", makes("CREATE RULE"));
        is("materialized view", one.kind == "materialized view" && one.filled);
        is("index of a materialized view", !one.indexes.is_empty());
        is("policy", one.kind == "policy" && makes("WITH CHECK"));
        is("publication", one.kind == "publication" && makes("code") && makes("WHERE"));
        is("extended statistics", one.kind == "statistics");
    }
    let hangs = |kind: &str| {
        known.hanging.iter().any(|one| one.kind == kind && one.column.as_deref() == Some(column))
    };
    is("generated column", hangs("generated"));
    is("columns of a trigger", known.triggers.iter().any(|trigger| of_it(&trigger.columns)));
    is("condition of a trigger", known.triggers.iter().any(|trigger| trigger.definition.contains("WHEN")));
    is("privileges on the table", !known.grants.is_empty());
    let column = known.columns.iter().find(|known| known.name == column).unwrap();
    is("privileges", !column.grants.is_empty());
    is("comment", column.comment.is_some());
    is("sequence", column.sequence.is_some());
    is("default", column.default.is_some());
    is("statistics target", column.statistics.is_some());
    is("options", column.options.is_some());
    is("not null", column.not_null);
    kinds
}

#[test]
fn everything_that_can_hang_on_a_column_hangs_on_those_of_the_examples() {
    let all: BTreeSet<&str> = [
        "partial index",
        "expression index",
        "INCLUDE",
        "opclass",
        "collation",
        "order",
        "replica identity",
        "comment on an index",
        "check",
        "unique",
        "foreign key",
        "comment on a constraint",
        "foreign key to it",
        "view",
        "view on a view",
        "options of a view",
        "default of a view",
        "trigger of a view",
        "rule of a view",
        "materialized view",
        "index of a materialized view",
        "policy",
        "publication",
        "extended statistics",
        "generated column",
        "columns of a trigger",
        "condition of a trigger",
        "privileges on the table",
        "privileges",
        "comment",
        "sequence",
        "default",
        "statistics target",
        "options",
        "not null",
    ]
    .into();
    // These are refused by name where the type changes.
    let kept: BTreeSet<&str> = ["foreign key to it", "generated column", "sequence"].into();
    for (plan, name, without) in
        [("rename_column_of_much", "shelves", BTreeSet::new()), ("change_type_of_much", "crates", kept)]
    {
        let example = examples().into_iter().find(|example| example.stem.ends_with(plan)).unwrap();
        let found = kinds(&example.known.tables[name], "code");
        assert_eq!(found, &all - &without, "{plan}");
    }
}

#[test]
fn what_change_type_does_not_take_along_is_refused_by_name() {
    let example =
        examples().into_iter().find(|example| example.stem.ends_with("rename_column_of_much")).unwrap();
    let text =
        "title: x\nchange:\n  - change_type: {table: shelves, column: code, type: varchar(60)}\nkeep: 1d\n";
    let why = refused(text, &example.known);
    assert_eq!(why.len(), 3, "{why:?}");
    for (why, part) in why.iter().zip([
        "shelves.code has numbers of its own sequence: let it go before",
        "foreign key shelf_of_book of shelf_books refers to shelves.code: drop it in a plan before",
        "generated column short of table shelves is computed from shelves.code",
    ]) {
        assert!(why.starts_with(part), "{why}");
    }
}
