#![allow(clippy::unwrap_used)]
use super::column_tests::{column, faults, known, plan, refused, steps};
use super::*;

fn key(name: &str, keys: &[&str], constraint: &str) -> Index {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    Index {
        name: name.into(),
        columns: keys.clone(),
        keys,
        constraint: Some(constraint.into()),
        valid: true,
        unique: true,
        immediate: true,
        ..Index::default()
    }
}

/// Orders that refer to users, by the primary key of those.
fn orders() -> Known {
    let constraint = |name: &str, kind: &str, definition: &str| Constraint {
        name: name.into(),
        kind: kind.into(),
        definition: definition.into(),
        valid: true,
        ..Constraint::default()
    };
    let users = Table {
        kind: "r".into(),
        columns: vec![column("id"), column("email"), column("name")],
        indexes: vec![key("users_pkey", &["id"], "p")],
        constraints: vec![Constraint {
            referred_by: vec!["orders.orders_user_fkey".into()],
            ..constraint("users_pkey", "p", "PRIMARY KEY (id)")
        }],
        ..Table::default()
    };
    let orders = Table {
        kind: "r".into(),
        columns: vec![column("id"), column("user"), column("total")],
        constraints: vec![
            constraint("orders_total_check", "c", "CHECK ((total > 0))"),
            Constraint { valid: false, ..constraint("late", "c", "CHECK ((total > 1)) NOT VALID") },
            constraint("orders_user_fkey", "f", "FOREIGN KEY (\"user\") REFERENCES users(id)"),
            Constraint { inherited: true, ..constraint("above", "c", "CHECK ((total > 2))") },
            constraint("orders_id_not_null", "n", "NOT NULL id"),
            constraint("once", "u", "UNIQUE (id)"),
        ],
        ..Table::default()
    };
    let days = Table {
        kind: "p".into(),
        columns: vec![column("id"), column("day")],
        partition_key: vec!["day".into()],
        ..Table::default()
    };
    let mut found = known("users", users);
    found.tables.extend([("orders".to_owned(), orders), ("days".to_owned(), days)]);
    found
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    for (change, why) in [
        ("add_check: {table: orders, check: totl > 0}", "table orders has no column totl"),
        ("add_check: {table: orders, name: late, check: total > 0}", "has a constraint late already"),
        (
            "add_unique: {table: users, columns: [email], name: users_pkey}",
            "has a constraint users_pkey already",
        ),
        ("add_unique: {table: days, columns: [id]}", "days is partitioned by day"),
        ("add_unique: {table: nowhere, columns: [id]}", "there is no table nowhere"),
        (
            "add_foreign_key: {table: orders, columns: [user], references: {table: users, columns: [email]}}",
            "users has no primary key and no unique constraint over (email)",
        ),
        (
            "add_foreign_key: {table: orders, columns: [user], references: {table: days}}",
            "days has no primary key",
        ),
        (
            "add_foreign_key: {table: orders, columns: [user, id], references: {table: users}}",
            "has 1 columns",
        ),
        (
            "add_foreign_key: {table: orders, columns: [user], references: {table: nowhere}}",
            "there is no table nowhere",
        ),
        ("drop_constraint: {table: orders, name: nix}", "table orders has no constraint nix"),
        (
            "drop_constraint: {table: users, name: users_pkey}",
            "users_pkey of users is what orders.orders_user_fkey refers to",
        ),
        ("drop_constraint: {table: orders, name: above}", "comes from a table above"),
        ("drop_constraint: {table: orders, name: orders_id_not_null}", "drop_not_null"),
        ("rename_constraint: {table: orders, from: nix, to: nox}", "table orders has no constraint nix"),
        (
            "rename_constraint: {table: orders, from: late, to: orders_total_check}",
            "orders_total_check already",
        ),
        (
            "add_exclusion: {table: days, name: x, elements: [{value: day, with: '='}]}",
            "before PostgreSQL 17",
        ),
    ] {
        let refused = refused(change, &orders());
        assert!(refused.contains(why), "{change}: {refused}");
    }
    let old = Known { version: 140_000, ..orders() };
    let change = "add_unique: {table: users, columns: [email], nulls_not_distinct: true}";
    assert!(refused(change, &old).contains("before PostgreSQL 15") && refused(change, &orders()).is_empty());
}

#[test]
fn what_is_no_constraint_is_a_fault() {
    for (change, why) in [
        ("add_check: {table: t, check: \"true) NOT VALID, DROP COLUMN (a\"}", "check"),
        ("add_check: {table: t, check: \"(SELECT true)\"}", "subquery"),
        ("add_unique: {table: t, columns: []}", "columns is empty"),
        ("add_unique: {table: t, columns: [lower(a)]}", "columns"),
        (
            "add_foreign_key: {table: t, columns: [a], references: {table: u, columns: [a, b]}}",
            "not equally many",
        ),
        ("add_exclusion: {table: t, name: x, elements: []}", "elements is empty"),
        ("add_exclusion: {table: t, name: x, elements: [{value: a, with: \"= , b WITH =\"}]}", "no operator"),
        (
            "add_exclusion: {table: t, name: x, elements: [{value: a, with: \"=\"}], where: \"true) DEFERRABLE\"}",
            "where",
        ),
        ("rename_constraint: {table: t, from: a, to: a}", "the same name"),
    ] {
        let faults = faults(change);
        assert!(faults.contains(why), "{change}: {faults}");
    }
}

#[test]
fn names_are_those_that_the_server_would_choose() {
    let named = |change: &str, known: &Known| steps(&written(&plan(change), known)).join("\n");
    let check = named("add_check: {table: orders, check: total > 3}", &orders());
    assert!(check.contains("CONSTRAINT \"orders_total_check1\""), "{check}");
    let two = named("add_check: {table: orders, check: total > id}", &orders());
    assert!(two.contains("CONSTRAINT \"orders_check\""), "{two}");
    let mut taken = orders();
    taken.tables.get_mut("users").unwrap().taken.relations = vec!["users_email_name_key".into()];
    let unique = named("add_unique: {table: users, columns: [email, name]}", &taken);
    assert!(unique.contains("CONCURRENTLY \"users_email_name_key1\""), "{unique}");
}

#[test]
fn a_constraint_that_goes_leaves_its_way_back() {
    let drop = |name: &str| {
        steps(&written(&plan(&format!("drop_constraint: {{table: orders, name: {name}}}")), &orders()))
    };
    let validate = "ALTER TABLE \"orders\" VALIDATE CONSTRAINT \"orders_total_check\"";
    assert_eq!(
        drop("orders_total_check"),
        [
            format!("{validate} <- {validate}"),
            "ALTER TABLE \"orders\" DROP CONSTRAINT \"orders_total_check\" <- \
             ALTER TABLE \"orders\" ADD CONSTRAINT \"orders_total_check\" CHECK ((total > 0)) NOT VALID"
                .to_owned(),
        ]
    );
    // What was never proven is not proven on the way back.
    assert_eq!(
        drop("late"),
        [
            "ALTER TABLE \"orders\" DROP CONSTRAINT \"late\" <- ALTER TABLE \"orders\" ADD CONSTRAINT \"late\" CHECK ((total > 1)) NOT VALID"
        ]
    );
    assert!(drop("once")[0].contains("!! rows that it refuses"));
}

#[test]
fn a_name_that_a_drop_sets_free_can_be_given_again() {
    let change = "drop_constraint: {table: orders, name: late}\n  \
        - rename_constraint: {table: orders, from: orders_total_check, to: late}";
    assert_eq!(refused(change, &orders()), "");
    let early = "drop_constraint: {table: orders, name: late}\n  - add_check: {table: orders, name: late, check: total > 3}";
    assert!(refused(early, &orders()).contains("late already"), "it is there until contract");
}

#[test]
fn a_foreign_key_asks_for_its_index() {
    let change = "add_foreign_key: {table: orders, columns: [user], references: {table: users}}";
    let cautions = |known: &Known| written(&plan(change), known).cautions.len();
    assert_eq!(cautions(&orders()), 2);
    let mut indexed = orders();
    indexed.tables.get_mut("orders").unwrap().indexes = vec![key("i", &["user", "id"], "u")];
    assert_eq!(cautions(&indexed), 1);
    let with = steps(&written(&plan(&change.replace("users}", "users}, index: true")), &orders()));
    assert!(
        with[0].starts_with("CREATE INDEX CONCURRENTLY \"orders_user_idx\" ON \"orders\" (\"user\")"),
        "{with:?}"
    );
}

#[test]
fn a_key_of_the_plan_can_be_referred_to() {
    let change = "add_unique: {table: users, columns: [email]}\n  \
        - add_foreign_key: {table: orders, columns: [user], references: {table: users, columns: [email]}}";
    assert_eq!(refused(change, &orders()), "");
}

#[test]
fn odd_names_and_nothing_known() {
    for change in [
        "add_check: {table: '\"a\"\"b\".\"T''\"', check: '\"x y\" > 0'}",
        "add_unique: {table: '\"a\"\"b\".\"T''\"', columns: ['\"x y\"'], include: ['\"z.\"']}",
        "add_foreign_key: {table: '\"a\"\"b\".\"T''\"', columns: ['\"x y\"'], references: {table: '\"o.o\"', columns: ['\"i\"\"d\"']}}",
        "drop_constraint: {table: '\"a\"\"b\".\"T''\"', name: '\"c d\"'}",
        "rename_constraint: {table: '\"a\"\"b\".\"T''\"', from: '\"c d\"', to: '\"e''f\"'}",
        "add_exclusion: {table: '\"a\"\"b\".\"T''\"', name: '\"c d\"', elements: [{value: '\"x y\" + 1', with: '=', opclass: '\"o p\"'}]}",
    ] {
        let written = written(&plan(change), &Known::default());
        assert!(written.refused.is_empty() && !steps(&written).is_empty(), "{change}");
    }
}
