//! What hangs on a column or a table that a plan drops.

use super::*;
use crate::core::ident::{Ident, QName};

fn name(text: &str) -> QName {
    QName::parse(text).unwrap()
}

fn hanging(world: &mut World, table: &str, column: &str, relation: &str, kind: HangingKind, holds: bool) {
    let known = Hanging {
        column: Some(Ident::parse(column).unwrap()),
        relation: Some(name(relation)),
        kind,
        said: format!("{relation} over {column}"),
        holds,
    };
    world.table_mut(&name(table)).hanging.push(known);
}

/// What the rules of drops have against a plan: the rule, how bad, the step and the reason.
fn against(text: &str, world: World) -> Vec<String> {
    let found = judge(&item(text), world, 0.0).unwrap();
    let ours = found.iter().filter(|finding| finding.rule.starts_with("drop-column-"));
    ours.map(|of| format!("{} {:?} {} {}", of.rule, of.level, of.step, of.why)).collect()
}

const DROP: &str = "contract:\n  - drop_column: {table: t, column: c}\n";
const KEEP: &str = "keep: 7d\n";

#[test]
fn a_view_over_a_dropped_column_is_told_before_anything_runs() {
    let seen = || {
        let mut world = world("", 180_000);
        hanging(&mut world, "t", "c", "v", HangingKind::View, true);
        hanging(&mut world, "t", "a", "w", HangingKind::View, true);
        world
    };
    let told = |step: &str| {
        [format!("drop-column-dependents Error {step} the drop will fail (2BP01): v over c depends on it")]
    };
    assert_eq!(against(&format!("{DROP}{KEEP}"), seen()), told("purge.1"));
    assert_eq!(against(DROP, seen()), told("contract.1"));
    let first = |sql: &str| {
        format!(
            "contract:\n  - sql: {sql}\n    undo: \"irreversible: x\"\n  - drop_column: {{table: t, column: c}}\n{KEEP}"
        )
    };
    for sql in ["DROP VIEW v", "CREATE OR REPLACE VIEW v AS SELECT a FROM t"] {
        assert_eq!(against(&first(sql), seen()), [""; 0], "{sql}");
    }
    assert_eq!(against(&first("DROP VIEW w"), seen()).len(), 1);
}

#[test]
fn what_is_hidden_already_is_still_known() {
    let mut world = world("", 180_000);
    let sql = "ALTER TABLE t RENAME COLUMN c TO _phase_1_c";
    split(sql).unwrap().iter().flat_map(|of| &of.changes).for_each(|change| apply(&mut world, change));
    hanging(&mut world, "t", "_phase_1_c", "v", HangingKind::View, true);
    assert_eq!(against(&format!("{DROP}{KEEP}"), world).len(), 1);
}

#[test]
fn a_generated_column_holds_or_goes_along_by_the_server() {
    let seen = |holds| {
        let mut world = world("", 180_000);
        let kind = HangingKind::Generated(Ident::parse("b").unwrap());
        hanging(&mut world, "t", "c", "t", kind, holds);
        world
    };
    assert!(against(DROP, seen(true))[0].starts_with("drop-column-dependents Error"));
    assert!(against(DROP, seen(false))[0].starts_with("drop-column-takes-along Warning"));
    let first = "contract:\n  - drop_column: {table: t, column: b}\n  - drop_column: {table: t, column: c}\n";
    assert_eq!(against(first, seen(true)), [""; 0]);
    assert_eq!(against(&format!("{first}{KEEP}"), seen(true)), [""; 0]);
}

#[test]
fn what_goes_along_is_as_bad_as_what_is_lost() {
    let told = |setup: &str| against(&format!("{DROP}{KEEP}"), world(setup, 180_000));
    for (setup, said) in [
        ("ALTER TABLE t ADD CONSTRAINT k UNIQUE (c, a)", "Error purge.1 UNIQUE constraint k goes with"),
        (
            "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES r (x)",
            "Error purge.1 FOREIGN KEY k goes",
        ),
        ("CREATE UNIQUE INDEX i ON t (lower(c))", "Error purge.1 unique index i goes with"),
        ("CREATE INDEX i ON t (a) WHERE c <> ''", "Warning purge.1 index i goes with"),
        ("ALTER TABLE t ADD CONSTRAINT k CHECK (c > '')", "Warning purge.1 CHECK k goes with"),
    ] {
        let found = told(setup);
        assert!(found.len() == 1 && found[0].contains(said), "{setup}: {found:?}");
    }
    assert_eq!(told("CREATE INDEX i ON t (a)"), [""; 0]);
    let primary = "contract:\n  - drop_column: {table: t, column: id}\n";
    let found = against(primary, world("", 180_000));
    assert!(found.len() == 1 && found[0].contains("Error contract.1 PRIMARY KEY"), "{found:?}");
    let sql = "contract:\n  - sql: ALTER TABLE t DROP COLUMN id\n    undo: \"irreversible: x\"\n";
    assert_eq!(against(sql, world("", 180_000)).len(), 1);
}

#[test]
fn the_like_over_the_column_that_takes_the_place_counts() {
    let plan = |validate: &str| {
        format!(
            "expand:\n  - sql: ALTER TABLE t ADD COLUMN z text\n    undo: ALTER TABLE t DROP COLUMN z\nvalidate:\n{validate}{DROP}{KEEP}"
        )
    };
    let index = "  - index: {table: t, columns: [z]}\n";
    assert_eq!(against(&plan(index), world("CREATE INDEX i ON t (c)", 180_000)), [""; 0]);
    let unique = "CREATE UNIQUE INDEX i ON t (c)";
    assert_eq!(against(&plan(index), world(unique, 180_000)).len(), 1);
    let like = "  - index: {table: t, columns: [z], unique: true}\n";
    assert_eq!(against(&plan(like), world(unique, 180_000)), [""; 0]);
    let key = "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES r (x)";
    assert_eq!(against(&plan(like), world(key, 180_000)).len(), 1);
    let like = "  - sql: ALTER TABLE t ADD CONSTRAINT z_r FOREIGN KEY (z) REFERENCES r (x) NOT VALID\n    undo: ALTER TABLE t DROP CONSTRAINT z_r\n";
    assert_eq!(against(&plan(like), world(key, 180_000)), [""; 0]);
}

#[test]
fn a_table_that_others_refer_to_is_not_dropped_unseen() {
    let key = "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r";
    let drop = "  - drop_table: {table: r}\n";
    let plan = |before: &str, keep: &str| format!("contract:\n{before}{drop}{keep}");
    for keep in ["", KEEP] {
        let found = against(&plan("", keep), world(key, 180_000));
        assert!(found.len() == 1 && found[0].contains("foreign key k of table t depends on it"), "{found:?}");
        let first = "  - sql: ALTER TABLE t DROP CONSTRAINT k\n    undo: \"irreversible: x\"\n";
        assert_eq!(against(&plan(first, keep), world(key, 180_000)), [""; 0]);
        let first = "  - drop_table: {table: t}\n";
        assert_eq!(against(&plan(first, keep), world(key, 180_000)), [""; 0]);
        let mut seen = world("", 180_000);
        hanging(&mut seen, "r", "x", "v", HangingKind::View, true);
        hanging(&mut seen, "r", "x", "r", HangingKind::Part, true);
        let found = against(&plan("", keep), seen);
        assert!(found.len() == 1 && found[0].ends_with(": v over x depends on it"), "{found:?}");
    }
}

#[test]
fn what_goes_with_a_drop_can_be_accepted() {
    let accept = |rule: &str| format!("    lint: {{allow: [{{rule: {rule}, reason: nobody asks by it}}]}}\n");
    let found = |text: &str, world: World| {
        let found = judge(&item(text), world, 0.0).unwrap().into_iter();
        found
            .map(|of| format!("{} {} {}", of.rule, of.step, of.allowed.unwrap_or_default()))
            .collect::<Vec<_>>()
    };
    let key = || world("ALTER TABLE t ADD CONSTRAINT k UNIQUE (c)", 180_000);
    for (keep, step) in [("", "contract.1"), (KEEP, "purge.1")] {
        let accepted = format!("{DROP}{}{keep}", accept("drop-column-takes-along"));
        assert_eq!(found(&accepted, key()), [format!("drop-column-takes-along {step} nobody asks by it")]);
        // Nothing goes along here, and the catalog was asked.
        assert_eq!(found(&accepted, world("", 180_000)), [format!("unused-allow {step} ")]);
        let other = format!("{DROP}{}{keep}", accept("create-index"));
        let both = [format!("drop-column-takes-along {step} "), format!("unused-allow {step} ")];
        assert_eq!(found(&other, key()), both);
    }
    let mut held = world("", 180_000);
    hanging(&mut held, "t", "c", "v", HangingKind::View, true);
    let table = "contract:\n  - drop_table: {table: t}\n";
    let accepted = format!("{table}{}", accept("drop-column-dependents"));
    assert_eq!(found(&accepted, held), ["drop-column-dependents contract.1 nobody asks by it"]);
    let judged = judge(&item(&accepted), World::offline(180_000), 0.0).unwrap();
    assert!(judged.is_empty(), "without the catalog nobody knows whether it is of use: {judged:?}");
}

#[test]
fn columns_that_one_step_drops_are_accepted_together() {
    let text = "expand:\n  - sync: {table: t, set: {x: a, y: c}, back: {a: x, c: y}}\ncontract:\n  - drop_column: {table: t, column: a}\n  - drop_column: {table: t, column: c}\n    lint: {allow: [{rule: drop-column-takes-along, reason: r}]}\n";
    let found = judge(&item(text), world("CREATE INDEX i ON t (c)", 180_000), 0.0).unwrap();
    let told: Vec<_> = found.iter().map(|of| (of.rule, of.allowed.as_deref())).collect();
    assert_eq!(told, [("drop-column-takes-along", Some("r"))]);
}
