//! The plans that findings print.

use super::*;
use crate::core::step::Phase;

#[test]
fn every_printed_plan_reads() {
    let long = "x".repeat(60);
    for sql in [
        "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r (id) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED",
        "ALTER TABLE t ADD CONSTRAINT k CHECK (c <> 'a: b # c' AND c <> 'it''s') NO INHERIT",
        "ALTER TABLE t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a, c) INCLUDE (n) WITH (fillfactor = 70) DEFERRABLE",
        "ALTER TABLE t ADD PRIMARY KEY (a, c)",
        "ALTER TABLE t ADD COLUMN z interval day to second(3) DEFAULT random() * interval '1 day'",
        "ALTER TABLE t ADD COLUMN z \"char\" NOT NULL",
        "ALTER TABLE t ADD COLUMN \"Z y\" bigserial, ADD COLUMN w smallserial",
        "ALTER TABLE t ADD COLUMN z int NOT NULL, ADD COLUMN w text NOT NULL",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE \"T t\" ALTER COLUMN \"A a\" TYPE bigint",
        "ALTER TABLE LONG ADD COLUMN LONG bigint GENERATED ALWAYS AS IDENTITY",
        "ALTER TABLE LONG ALTER COLUMN LONG TYPE bigint",
        "ALTER TABLE s.t ADD UNIQUE (a)",
        "ALTER TABLE t ADD COLUMN z int UNIQUE, ADD COLUMN w int REFERENCES r ON DELETE CASCADE",
        "ALTER TABLE t ADD COLUMN z text DEFAULT gen_random_uuid()::text || 'it''s \\ \"x\": #'",
        "CREATE UNIQUE INDEX ON t (lower(c) DESC NULLS LAST, a) WHERE c <> 'x: y'",
        "CREATE UNIQUE INDEX i ON p (id DESC, lower(k::text)) WHERE k > 5",
        "DROP INDEX \"I i\"",
        "DELETE FROM \"T t\"",
        "REINDEX TABLE \"T t\"",
        "ALTER TABLE p DETACH PARTITION p1",
        "TRUNCATE t",
    ] {
        let sql = sql.replace("LONG", &long);
        let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
        let mut printed = 0;
        for finding in found(&text, "", 180_000) {
            let Some(safe) = finding.safe.filter(|safe| safe.contains("\n")) else { continue };
            printed += 1;
            let steps = item(&safe).steps;
            assert!(!steps.is_empty(), "{safe}");
        }
        assert!(printed > 0, "{sql}: no plan");
    }
    let safe = |sql: &str| {
        let text = format!("expand:\n  - sql: |\n      {sql}\n    undo: \"irreversible: an example\"\n");
        found(&text, "", 180_000).into_iter().find_map(|finding| finding.safe).unwrap()
    };
    let foreign =
        safe("ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r ON DELETE CASCADE DEFERRABLE");
    assert!(foreign.contains("REFERENCES r ON DELETE CASCADE DEFERRABLE NOT VALID"), "{foreign}");
    let unique = safe("ALTER TABLE t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a) INCLUDE (n) DEFERRABLE");
    assert!(unique.contains("(a) INCLUDE (n) NULLS NOT DISTINCT"), "{unique}");
    assert!(unique.contains("UNIQUE USING INDEX k DEFERRABLE"), "{unique}");
    let both = safe("ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER COLUMN c SET NOT NULL");
    let steps =
        "validate:\n  - not_null: {table: t, column: a}\n  - not_null: {table: t, column: c}\ngates:\n";
    assert!(both.starts_with(steps) && both.matches("APP@VERSION").count() == 1, "{both}");
    let whole = safe("CREATE INDEX i ON p (k DESC) WHERE k > 5");
    assert!(whole.contains("CREATE INDEX CONCURRENTLY i ON p USING btree (k DESC) WHERE k > 5"), "{whole}");
}

#[test]
fn a_printed_contract_waits_for_somebody_to_open_its_gate() {
    let gates = |sql: &str| {
        let item = item(&printed(sql, world("CREATE INDEX i ON t (a)", 180_000)));
        (item.steps.iter().any(|step| step.phase == Phase::Contract), item.gates.contract)
    };
    for sql in [
        "ALTER TABLE t DROP COLUMN c",
        "DROP TABLE t",
        "ALTER TABLE t RENAME COLUMN c TO c2",
        "ALTER TABLE t ALTER COLUMN a TYPE bigint, ALTER COLUMN at TYPE date",
        "ALTER TABLE p DETACH PARTITION p1",
    ] {
        let (contracts, gate) = gates(sql);
        let deployed: Vec<_> = gate.deployed.iter().map(|app| app.app.as_str()).collect();
        assert_eq!((contracts, deployed, gate.soak.is_some()), (true, vec!["APP"], true), "{sql}");
    }
    assert_eq!(gates("DROP INDEX i").1.approvals, Some(1));
    assert!(!gates("CREATE INDEX j ON t (a)").0);
}

#[test]
fn a_plan_that_says_less_than_its_statement_says_so() {
    let said = |sql: &str| printed(sql, world("CREATE INDEX x ON t (a); CREATE INDEX y ON t (b)", 180_000));
    for sql in [
        "ALTER TABLE t ADD COLUMN n bigint DEFAULT 7 REFERENCES r (id)",
        "ALTER TABLE t ADD COLUMN x int, ADD CONSTRAINT k CHECK (a > 0)",
        "ALTER TABLE t ADD COLUMN n text DEFAULT random()::text UNIQUE",
        "DROP INDEX x, y",
    ] {
        assert!(said(sql).contains("# what else the statement says is not in here"), "{sql}:\n{}", said(sql));
    }
    for sql in [
        "ALTER TABLE t ADD COLUMN n bigint REFERENCES r (id)",
        "DROP INDEX x",
        "ALTER TABLE t ADD CHECK (a > 0), ADD CHECK (b > '')",
    ] {
        assert!(!said(sql).contains("# what else"), "{sql}:\n{}", said(sql));
    }
}

#[test]
fn what_is_filled_in_is_the_authors_whatever_it_looks_like() {
    let said = |sql: &str| printed(sql, world("", 180_000));
    for text in ["{table}", "^{column}{columns}$", "{key}", "«x»", "a\nb"] {
        let plan = said(&format!(
            "ALTER TABLE t ADD CONSTRAINT k CHECK (b <> '{}')",
            text.replace('\n', "\n      ")
        ));
        let check = item(&plan)
            .steps
            .into_iter()
            .flat_map(|step| step.action.sql())
            .find(|sql| sql.contains("CHECK"));
        let first = text.lines().next().unwrap();
        assert!(check.as_ref().is_some_and(|sql| sql.contains(first)), "{text}: {check:?}\n{plan}");
    }
}

#[test]
fn a_column_that_takes_anothers_place_takes_what_is_known_of_it() {
    let rename = "ALTER TABLE t RENAME COLUMN b TO z";
    let unknown = printed(rename, World::offline(180_000));
    assert!(unknown.contains("ADD COLUMN z TYPE\n") && !unknown.contains("validate"), "{unknown}");
    let setup = "ALTER TABLE t DROP COLUMN b; \
                 ALTER TABLE t ADD COLUMN b varchar(9) COLLATE \"C\" NOT NULL DEFAULT 'x: y'; \
                 CREATE INDEX t_b ON t (b); ALTER TABLE t ADD COLUMN no bigserial";
    let known = printed(rename, world(setup, 180_000));
    for part in [
        "ADD COLUMN z character varying(9) COLLATE \"C\"'",
        "validate:\n  - index: {table: t, columns: [z], name: t_z}\n  - not_null: {table: t, column: z}\ncontract:",
        "contract:\n  - sql: \"ALTER TABLE t ALTER COLUMN z SET DEFAULT 'x: y'\"",
        "    undo: ALTER TABLE t ALTER COLUMN z DROP DEFAULT\n  - drop_column: {table: t, column: b}",
    ] {
        assert!(known.contains(part), "no {part} in\n{known}");
    }
    item(&known);
    let typed = printed("ALTER TABLE t ALTER COLUMN b TYPE integer USING b::integer", world(setup, 180_000));
    assert!(typed.contains("SET DEFAULT ('x: y')::int\""), "{typed}");
    // Nobody knows the sequence of a bigserial that the catalog has not told of.
    let serial = printed("ALTER TABLE t RENAME COLUMN no TO number", world(setup, 180_000));
    assert!(serial.contains("# no counts up by itself"), "{serial}");
    let setup = "ALTER TABLE t ADD COLUMN g integer GENERATED ALWAYS AS (a + 1) STORED";
    let generated = printed("ALTER TABLE t RENAME COLUMN g TO h", world(setup, 180_000));
    assert!(!generated.contains('\n') && generated.contains("the same expression"), "{generated}");
    let quoted = printed("ALTER TABLE \"order\" RENAME COLUMN \"user\" TO \"u: v\"", World::offline(180_000));
    assert!(quoted.contains(r#"'ALTER TABLE "order" ADD COLUMN "u: v" TYPE'"#), "{quoted}");
    item(&quoted);
}

#[test]
fn what_loses_rows_or_binds_the_application_waits_for_somebody() {
    for sql in ["TRUNCATE t", "DELETE FROM t"] {
        let gates = item(&printed(sql, world("", 180_000))).gates;
        assert_eq!(gates.backfill.approvals, Some(1), "{sql}");
    }
    // Of a small table only that it breaks the application is said.
    for world in [world("", 180_000), small("")] {
        for sql in ["ALTER TABLE t ALTER COLUMN a SET NOT NULL", "ALTER TABLE t ADD CONSTRAINT k NOT NULL a"]
        {
            let gates = item(&printed(sql, world.clone())).gates;
            assert!(gates.validate.deployed.iter().all(|app| app.is_placeholder()), "{sql}");
            assert_eq!(gates.validate.deployed.len(), 1, "{sql}");
        }
    }
}

#[test]
fn a_change_of_type_proves_that_no_value_is_lost() {
    let setup = "ALTER TABLE t ADD COLUMN j json; ALTER TABLE t ADD COLUMN pt point; ALTER TABLE t ADD COLUMN ci citext";
    let asserts = |column: &str, to: &str, world: World| {
        let plan = printed(&format!("ALTER TABLE t ALTER COLUMN {column} TYPE {to}"), world);
        item(&plan);
        plan.lines().find(|line| line.contains("assert:")).map(str::to_owned).unwrap_or(plan)
    };
    for (column, to, wanted) in [
        ("c", "varchar(5)", "(c_new)::text IS DISTINCT FROM c\""),
        ("n", "numeric(5,1)", "(n_new)::numeric(10,2) IS DISTINCT FROM n\""),
        ("at", "date", "(at_new)::timestamp without time zone IS DISTINCT FROM at\""),
        ("j", "jsonb", "(j_new)::jsonb IS DISTINCT FROM j::jsonb"),
        ("pt", "text", "(pt_new)::point::text IS DISTINCT FROM pt::text"),
        ("ci", "varchar(5)", "(ci_new)::citext::text IS DISTINCT FROM ci::text"),
    ] {
        let known = asserts(column, to, world(setup, 180_000));
        assert!(known.contains(wanted) && known.contains("expect: \"0\""), "no {wanted} in {known}");
    }
    let text = printed("ALTER TABLE t ALTER COLUMN at TYPE text", world("", 180_000));
    assert!(text.contains("back: {at: \"at_new::timestamp without time zone\"}"), "{text}");
    for (to, wanted) in [
        ("varchar(5)", "c_new::text IS DISTINCT FROM c::text"),
        ("numeric(5,1)", "c_new::text::numeric IS DISTINCT FROM c::text::numeric"),
        ("date", "# a value that date has no room for"),
    ] {
        let unknown = asserts("c", to, World::offline(180_000));
        assert!(unknown.contains(wanted), "no {wanted} in {unknown}");
    }
}

#[test]
fn a_column_that_nothing_fills_any_more_may_be_null_first() {
    let setup =
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL; ALTER TABLE t ADD COLUMN d int NOT NULL DEFAULT 1";
    let plan = |column: &str, world: World| printed(&format!("ALTER TABLE t DROP COLUMN {column}"), world);
    let a = plan("a", world(setup, 180_000));
    for part in [
        "expand:\n  - sql: ALTER TABLE t ALTER COLUMN a DROP NOT NULL\n",
        "    undo: ALTER TABLE t ADD CONSTRAINT t_a_not_null CHECK (a IS NOT NULL) NOT VALID\ncontract:\n",
    ] {
        assert!(a.contains(part), "no {part} in {a}");
    }
    assert_eq!(found(&a, setup, 180_000), []);
    for column in ["c", "d"] {
        assert!(plan(column, world(setup, 180_000)).starts_with("contract:\n  - drop_column"), "{column}");
    }
    let both = plan("a, DROP COLUMN c", world(setup, 180_000));
    assert_eq!((both.matches("drop_column").count(), both.matches("keep: 7d").count()), (2, 1), "{both}");
    item(&both);
    let key = plan("id", world(setup, 180_000));
    assert!(key.contains("primary key") && !key.contains("keep: "), "{key}");
    let unknown = plan("a", World::offline(180_000));
    assert!(unknown.contains("  # where it is NOT NULL"), "{unknown}");
    item(&unknown);
}

#[test]
fn what_no_sync_can_fill_gets_words() {
    let setup = "ALTER TABLE t ADD COLUMN g integer GENERATED ALWAYS AS (a + 1) STORED; \
                 ALTER TABLE t ADD COLUMN i bigint GENERATED ALWAYS AS IDENTITY; \
                 ALTER TABLE t ADD COLUMN d bigint GENERATED BY DEFAULT AS IDENTITY";
    let plan = |column: &str, change: &str| {
        printed(&format!("ALTER TABLE t {}", change.replace("@", column)), world(setup, 180_000))
    };
    for change in ["RENAME COLUMN @ TO z", "ALTER COLUMN @ TYPE numeric"] {
        assert!(plan("g", change).contains("the same expression"), "{change}");
        assert!(plan("i", change).contains("BY DEFAULT") && !plan("i", change).contains('\n'), "{change}");
        item(&plan("d", change));
    }
    assert!(plan("d", "RENAME COLUMN @ TO z").contains("z ADD GENERATED BY DEFAULT AS IDENTITY"));
    // No server takes an identity of another type.
    assert!(plan("d", "ALTER COLUMN @ TYPE numeric").contains("# d counts up by itself"));
}

#[test]
fn a_plan_keeps_not_null_and_makes_no_second_index() {
    let volatile =
        printed("ALTER TABLE t ADD COLUMN z uuid NOT NULL DEFAULT gen_random_uuid()", world("", 180_000));
    assert!(volatile.ends_with("validate:\n  - not_null: {table: t, column: z}\n"), "{volatile}");
    let foreign = "ALTER TABLE t ADD FOREIGN KEY (r_id) REFERENCES r";
    assert!(
        printed(foreign, world("", 180_000)).starts_with("expand:\n  - index: {table: t, columns: [r_id]}\n")
    );
    let there = printed(foreign, world("CREATE INDEX ON t (r_id, a)", 180_000));
    assert!(there.starts_with("validate:\n"), "{there}");
}
