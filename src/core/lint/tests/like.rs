//! What stands over a column, over the column that takes its place in a printed plan.

use super::*;

/// The plan against a change, which must meet no objection itself.
fn taken(sql: &str, setup: &str) -> String {
    let plan = printed(sql, world(setup, 180_000));
    let errors: Vec<_> =
        found(&plan, setup, 180_000).into_iter().filter(|finding| finding.level == Level::Error).collect();
    assert!(errors.is_empty(), "{plan}\n{errors:?}");
    plan
}

#[test]
fn indexes_and_constraints_have_their_like_over_the_new_column() {
    for (setup, wanted) in [
        ("CREATE INDEX ON t (c, a)", &["  - index: {table: t, columns: [z, a], name: t_z_a_idx}\n"][..]),
        (
            "CREATE UNIQUE INDEX i ON t (lower(c) DESC) WHERE c <> 'c'",
            &["CREATE UNIQUE INDEX CONCURRENTLY i_z ON t USING btree (lower(z) DESC) WHERE z <> 'c'"],
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT k UNIQUE (c, a) DEFERRABLE INITIALLY DEFERRED",
            &[
                "CREATE UNIQUE INDEX CONCURRENTLY k_z ON t USING btree (z, a)",
                "ADD CONSTRAINT k_z UNIQUE USING INDEX k_z DEFERRABLE INITIALLY DEFERRED",
            ],
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT t_c_check CHECK (c <> 'c'::text)",
            &["ADD CONSTRAINT t_z_check CHECK (z <> 'c'::text) NOT VALID", "VALIDATE CONSTRAINT t_z_check"],
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (c) REFERENCES u (c) ON DELETE CASCADE",
            &["FOREIGN KEY (z) REFERENCES u (c) ON DELETE CASCADE NOT VALID", "VALIDATE CONSTRAINT k_z"],
        ),
    ] {
        let plan = taken("ALTER TABLE t RENAME COLUMN c TO z", setup);
        for wanted in wanted {
            assert!(plan.contains(wanted), "{setup}: no {wanted} in\n{plan}");
        }
        assert!(!plan.contains("# over c"), "{plan}");
    }
}

#[test]
fn a_name_that_is_there_is_not_given_again() {
    let setup =
        "CREATE INDEX t_c ON t (c); CREATE INDEX t_z ON t (a); ALTER TABLE t ADD CONSTRAINT t_c1 UNIQUE (c)";
    let plan = taken("ALTER TABLE t RENAME COLUMN c TO z", setup);
    for name in ["name: t_z1}", "CONCURRENTLY t_c1_z ON"] {
        assert!(plan.contains(name), "no {name} in\n{plan}");
    }
}

#[test]
fn the_index_of_a_primary_key_waits_for_its_constraint() {
    let setup = "CREATE TABLE w (k bigint NOT NULL, CONSTRAINT w_pkey PRIMARY KEY (k))";
    let plan = taken("ALTER TABLE w ALTER COLUMN k TYPE numeric", setup);
    for part in [
        "  - index: {table: w, columns: [k_new], name: w_pkey_k_new, unique: true}\n",
        "  - not_null: {table: w, column: k_new}\n",
        "has no primary key: in a plan of its own, ALTER TABLE w ADD CONSTRAINT w_pkey PRIMARY KEY USING INDEX w_pkey_k_new\n",
    ] {
        assert!(plan.contains(part), "no {part} in\n{plan}");
    }
}

#[test]
fn what_nobody_can_write_is_named() {
    let mut world = world("ALTER TABLE t ADD CONSTRAINT x UNIQUE (c)", 180_000);
    let t = crate::core::ident::QName::parse("t").unwrap();
    let unique = world.table_mut(&t).constraints.iter_mut().find(|known| known.kind == 'u').unwrap();
    (unique.kind, unique.text) = ('x', String::new());
    let view = Hanging {
        column: Some(crate::core::ident::Ident::parse("c").unwrap()),
        relation: None,
        kind: HangingKind::View,
        said: "view v".into(),
        holds: true,
    };
    world.table_mut(&t).hanging.push(view.clone());
    world.table_mut(&t).hanging.push(Hanging { said: "statistics s".into(), holds: false, ..view });
    let plan = printed("ALTER TABLE t RENAME COLUMN c TO z", world);
    for part in [
        "# over c stands also what is not in here, make its like over z in validate: EXCLUDE constraint x, statistics s\n",
        "contract:\n  # c cannot go while these stand on it; drop them here, or make them anew over z: view v\n",
    ] {
        assert!(plan.contains(part), "no {part} in\n{plan}");
    }
    item(&plan);
}

#[test]
fn the_limit_of_the_old_type_is_told() {
    let told = |sql: &str, world: World| printed(sql, world).contains("keep included");
    assert!(told("ALTER TABLE t ALTER COLUMN a TYPE bigint", world("", 180_000)));
    assert!(told("ALTER TABLE t ALTER COLUMN a TYPE bigint", World::offline(180_000)));
    // Any value is a text.
    assert!(!told("ALTER TABLE t ALTER COLUMN c TYPE integer USING c::integer", world("", 180_000)));
    assert!(!told("ALTER TABLE t RENAME COLUMN a TO z", world("", 180_000)));
}

#[test]
fn the_example_of_a_change_of_type_is_what_is_printed() {
    for id in ["alter-type", "alter-type-timestamptz"] {
        let row = table::rows().find(|row| row.id == id).unwrap();
        let plan = printed(row.example.sql, world(row.example.setup, 180_000));
        let good = lessons().into_iter().find(|lesson| lesson.rule == id).unwrap().good.unwrap();
        assert_eq!(plan, good, "{id}");
    }
}
