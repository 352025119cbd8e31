#![allow(clippy::unwrap_used, clippy::panic)]
use crate::core::compile::{self, Server};
use crate::core::recipe::known::{
    Column, Constraint, Dependent, Hanging, Index, Known, Referrer, Table, Trigger,
};
use crate::core::recipe::testing::{cautions, changes, known, refused, shown, table};

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

const AT_ONCE: &str = "change:\n  - widen_key: {table: a, column: id}\n";

/// Something that reads columns, so many views away from their table.
fn reader(kind: &str, name: &str, level: u32, reads: &[&str]) -> Dependent {
    let word = kind.to_uppercase();
    Dependent {
        kind: kind.into(),
        called: name.into(),
        said: format!("{kind} {name}"),
        reads: reads.iter().map(|&name| name.to_owned()).collect(),
        definition: Some(format!("SELECT of {name}")),
        lock: kind.contains("view").then(|| format!("ALTER {word} {name} OWNER TO o")),
        drop: format!("DROP {word} {name}"),
        make: vec![match kind {
            "statistics" => format!("CREATE STATISTICS {name} ON id, n FROM a"),
            _ => format!("CREATE {word} {name} AS SELECT 1"),
        }],
        level,
        ..Dependent::default()
    }
}

/// A key and what refers to it, each with what reads it.
fn read(a: Vec<Dependent>, c: Vec<Dependent>) -> Known {
    known([
        ("a", Table { dependents: a, ..referred("integer") }),
        ("c", Table { dependents: c, ..child("integer", "") }),
    ])
}

/// `near` reads both tables, `far` reads it and `a`; `mid` reads `c` alone, and `far` reads it too.
fn views() -> Known {
    let view = |name: &str, level: u32, column: &str| reader("view", name, level, &[column]);
    read(
        vec![view("near", 1, "id"), view("far", 2, "id")],
        vec![view("mid", 2, "a_id"), view("near", 1, "a_id"), view("far", 3, "a_id")],
    )
}

/// Asserts that parts of a text come one after the other.
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part} is not there, or too early, in {text}"));
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn views_over_several_tables_are_made_again_once_each_after_what_it_reads() {
    assert_eq!(why(&views()), "");
    let shown = shown(PLAN, &views());
    let contract = &shown[shown.find("contract.1").unwrap()..];
    let (there, back) = contract.split_once("undo:").unwrap();
    let back = back.split("contract.2").next().unwrap();
    let away = ["DROP VIEW far", "DROP VIEW mid", "DROP VIEW near"];
    let made = ["CREATE VIEW near", "CREATE VIEW mid", "CREATE VIEW far"];
    for text in [there, back] {
        in_order(text, &[&away[..], &["RENAME COLUMN"], &made[..]].concat());
        for one in away.iter().chain(&made) {
            assert_eq!(text.matches(one).count(), 1, "{one} in {text}");
        }
    }
}

#[test]
fn views_are_locked_before_their_tables_there_and_back() {
    let contract = shown(PLAN, &views());
    let contract = &contract[contract.find("contract.1").unwrap()..];
    let (there, back) = contract.split_once("undo:").unwrap();
    for text in [there, back] {
        let locks = [
            "ALTER VIEW far OWNER",
            "ALTER VIEW mid OWNER",
            "ALTER VIEW near OWNER",
            "LOCK TABLE \"c\"",
            "LOCK TABLE \"a\"",
            "END LOOP",
            "DROP VIEW far",
        ];
        in_order(text, &locks);
        let first = text.find("LOCK TABLE").unwrap();
        assert!(text.find("ALTER VIEW far").unwrap() < first, "{text}");
    }
}

#[test]
fn contract_looks_at_every_column_and_at_each_view_once() {
    let shown = shown(PLAN, &views());
    let columns = "IN (('\"a\"'::regclass, 'id'), ('\"c\"'::regclass, 'a_id'))";
    assert_eq!(shown.matches(columns).count(), 1, "{shown}");
    assert_eq!(shown.matches("IS DISTINCT FROM 'SELECT of near'").count(), 1, "{shown}");
    let cautions = cautions(PLAN, &views()).join("\n");
    assert!(cautions.contains("contract makes near, far again: where they show a.id,"), "{cautions}");
    assert!(cautions.contains("contract makes near, mid, far again: where they show c.a_id,"), "{cautions}");
}

#[test]
fn without_keep_views_are_made_again_too() {
    let shown = shown(AT_ONCE, &views());
    let contract = &shown[shown.find("contract.1").unwrap()..];
    in_order(contract, &["DROP VIEW near", "ALTER TABLE \"a\" DROP COLUMN \"id\"", "CREATE VIEW near"]);
}

#[test]
fn what_is_filled_before_reads_all_columns_by_their_new_names() {
    let both = |kind: &str, column: &str| vec![reader(kind, "m", 1, &[column])];
    let filled = read(both("materialized view", "id"), both("materialized view", "a_id"));
    assert_eq!(why(&filled), "");
    let text = shown(PLAN, &filled);
    let validate = &text[text.find("validate.1").unwrap()..];
    in_order(
        validate,
        &[
            "LOCK TABLE \"c\"",
            "ALTER MATERIALIZED VIEW \"m\" RENAME TO \"_phase_7_m\"",
            "RENAME COLUMN \"id\" TO \"_phase_7_was_id\"",
            "RENAME COLUMN \"a_id\" TO \"_phase_7_was_a_id\"",
            "CREATE MATERIALIZED VIEW m",
            "RENAME COLUMN \"_phase_7_was_id\" TO \"id\"",
            "RENAME COLUMN \"_phase_7_was_a_id\" TO \"a_id\"",
        ],
    );
    // Statistics are of one table, and the other is left alone.
    let text = shown(PLAN, &read(both("statistics", "id"), Vec::new()));
    assert!(text.contains("ANALYZE \"a\"") && !text.contains("ANALYZE \"c\""), "{text}");
    assert!(!text.contains("was_a_id"), "{text}");
}

#[test]
fn a_trigger_of_its_columns_is_made_anew_once() {
    let trigger = |name: &str, columns: &[&str]| Trigger {
        name: name.into(),
        definition: format!(
            "CREATE TRIGGER {name} BEFORE UPDATE OF x ON a FOR EACH ROW EXECUTE FUNCTION f()"
        ),
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        ..Trigger::default()
    };
    let triggers = vec![trigger("of_key", &["id", "n"]), trigger("of_other", &["n"])];
    let text = shown(PLAN, &known([("a", Table { triggers, ..keyed("a", "integer") })]));
    let parts = ["DROP TRIGGER", "RENAME COLUMN", "CREATE TRIGGER of_key", "undo:", "DROP TRIGGER"];
    let contract = &text[text.find("contract.1").unwrap()..];
    in_order(contract, &[&parts[..], &["RENAME COLUMN", "CREATE TRIGGER of_key"]].concat());
    assert_eq!(contract.matches("CREATE TRIGGER of_key").count(), 2, "{contract}");
    assert!(!text.contains("of_other"), "{text}");
}

#[test]
fn what_tells_rows_apart_is_said_again_once_the_key_is_there() {
    let mut table = keyed("a", "integer");
    table.indexes[0].replica_identity = true;
    table.indexes[0].clustered = true;
    let text = shown(PLAN, &known([("a", table)]));
    let contract = &text[text.find("contract.1").unwrap()..];
    let each = ["PRIMARY KEY USING INDEX", "REPLICA IDENTITY USING INDEX \"a_pkey\""];
    in_order(contract, &[&each[..], &["undo:"], &each[..], &["CLUSTER ON \"a_pkey\""]].concat());
    let there = contract.split("undo:").next().unwrap();
    assert!(there.contains("CLUSTER ON \"a_pkey\""), "{there}");
}

#[test]
fn what_groups_by_the_key_is_made_once_that_is_there() {
    let grouped = |kind: &str| vec![Dependent { keyed: true, ..reader(kind, "g", 1, &["id"]) }];
    let text = shown(PLAN, &read(grouped("view"), Vec::new()));
    let (expand, contract) = text.split_once("contract.1").unwrap();
    assert!(expand.contains("DROP VIEW g") && !expand.contains("CREATE VIEW g"), "{expand}");
    in_order(
        contract,
        &["PRIMARY KEY USING INDEX", "CREATE VIEW g", "undo:", "PRIMARY KEY", "CREATE VIEW g"],
    );
    let filled = why(&read(grouped("materialized view"), Vec::new()));
    assert!(filled.starts_with("materialized view g groups by the primary key of a.id alone"), "{filled}");
}

#[test]
fn a_policy_that_reads_other_tables_of_the_family_goes_with_its_own() {
    let policy = |column: &str, blocked: &[&str]| Dependent {
        blocked: blocked.iter().map(|&why| why.to_owned()).collect(),
        ..reader("policy", "p", 1000, &[column])
    };
    let other = ["it is of another table"];
    assert_eq!(why(&read(vec![policy("id", &other)], vec![policy("a_id", &[])])), "");
    assert!(why(&read(vec![policy("id", &other)], Vec::new())).contains("it is of another table"));
    let view =
        Dependent { blocked: vec!["function f() depends on it".into()], ..reader("view", "v", 1, &["id"]) };
    let blocked = why(&read(vec![view], vec![reader("view", "v", 1, &["a_id"])]));
    assert!(
        blocked.starts_with("view v reads a.id and cannot be made again over it: function f()"),
        "{blocked}"
    );
}

#[test]
fn a_column_that_is_no_key_is_refused_and_has_no_steps() {
    let mut plain = keyed("a", "integer");
    (plain.indexes, plain.constraints) = (Vec::new(), Vec::new());
    let plan = changes(PLAN, &known([("a", plain)])).unwrap();
    assert_eq!(plan.refused.len(), 1);
    assert!(plan.refused[0].1.contains("is no part of a primary key: change_type is for those"));
    assert!(compile::plan(&plan.plan, Server::NEWEST).is_ok());
}

#[test]
fn a_foreign_key_of_the_same_plan_is_refused_in_either_order() {
    let wide = "  - widen_key: {table: a, column: id}\n";
    let d = || Table {
        columns: vec![Column { name: "x".into(), kind: "integer".into(), ..Column::default() }],
        ..table(&[])
    };
    let known = known([("a", keyed("a", "integer")), ("d", d())]);
    for of in [
        "add_foreign_key: {table: d, columns: [x], references: {table: a}, index: true}",
        "add_foreign_key: {table: d, columns: [x], references: {table: a, columns: [id]}, index: true}",
        "create_table: {table: e, columns: [{name: x, type: int}], foreign_keys: [{columns: [x], references: a}]}",
    ] {
        for order in [format!("{wide}  - {of}\n"), format!("  - {of}\n{wide}")] {
            let said = refused(&format!("change:\n{order}keep: 1d\n"), &known).join("\n");
            assert!(said.contains("add that foreign key in a plan after this one"), "{order}{said}");
        }
    }
    let text =
        "change:\n  - add_foreign_key: {table: d, columns: [x], references: {table: a}, index: true}\n";
    assert!(shown(text, &known).contains("REFERENCES \"a\" (\"id\") NOT VALID"), "{}", shown(text, &known));
}
