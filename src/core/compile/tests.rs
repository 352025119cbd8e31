#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::core::plan::{Source, parse};
use crate::core::version::Version;

fn compiled(text: &str, server: Server) -> Result<String, CompileError> {
    let version = Version::parse("20261110090000").unwrap();
    let source = Source { file: "plans/x.yaml", version: &version, name: "x", text };
    let plan =
        parse(&source, &|_| Err("no files here".into())).unwrap_or_else(|error| unreachable!("{error}"));
    let steps = super::plan(&plan, server)?;
    Ok(steps.iter().map(shown).collect())
}

fn shown(step: &Step) -> String {
    let undo = match &step.undo {
        Undo::Nothing => String::new(),
        Undo::Run(action) => format!("  undo: {}\n", action.sql().join("\n  undo: ")),
        Undo::Recorded => "  undo: as recorded\n".into(),
        Undo::Irreversible(why) => format!("  no undo: {why}\n"),
    };
    format!(
        "{} [{}] {}\n  {}\n{undo}",
        step.id,
        step.action.mode(),
        step.title,
        step.action.sql().join("\n  ")
    )
}

const RENAME: &str = include_str!("../../../plans/20261110090000_users_display_name.yaml");
const CURRENCY: &str = include_str!("../../../plans/20261111090000_orders_currency.yaml");

#[test]
fn the_example_plans_compile_to_what_they_say() {
    insta::assert_snapshot!("rename_on_15", compiled(RENAME, Server { version: 150_000 }).unwrap());
    insta::assert_snapshot!("currency_on_18", compiled(CURRENCY, Server::NEWEST).unwrap());
}

#[test]
fn steps_keep_their_ids() {
    let steps = compiled(RENAME, Server::NEWEST).unwrap();
    let ids: Vec<_> = steps
        .lines()
        .filter(|l| !l.starts_with(' ') && l.contains('['))
        .filter_map(|l| l.split(' ').next())
        .collect();
    assert!(ids.contains(&"contract.sync.1") && ids.contains(&"purge.1"), "{ids:?}");
}

#[test]
fn sql_that_may_not_stand_here_is_refused() {
    for (sql, why) in [
        ("BEGIN; SELECT 1", "transaction control"),
        ("COPY t FROM STDIN", "COPY"),
        ("SELEC 1", "syntax error"),
        ("-- nothing", "no statement"),
        ("CREATE INDEX CONCURRENTLY ON t (a)", "a name"),
    ] {
        let text = format!("expand:\n  - sql: {sql:?}\n    undo: SELECT 1\n");
        let error = compiled(&text, Server::NEWEST).unwrap_err();
        assert!(error.message.contains(why) && error.place.is_some(), "{sql}: {error}");
    }
}

#[test]
fn what_an_index_step_holds_stays_inside() {
    for columns in ["a) WHERE (true", "a); DROP TABLE t; --"] {
        let text = format!(
            "validate:\n  - index: {{table: t, columns: [{columns:?}], name: i, where: \"b > 0\"}}\n"
        );
        assert!(compiled(&text, Server::NEWEST).is_err(), "{columns}");
    }
}

#[test]
fn without_keep_contract_is_the_point_of_no_return() {
    let steps = compiled(&RENAME.replace("keep: 7d", "# "), Server::NEWEST).unwrap();
    assert!(
        steps.contains("ALTER TABLE \"users\" DROP COLUMN \"name\"")
            && steps.contains("no undo: without keep")
    );
    assert!(!steps.contains("purge"));
}

#[test]
fn a_column_and_what_fills_it_go_in_one_transaction() {
    let plan = "expand:
  - sync: {table: t, set: {n: \"a || b\"}, back: {a: n, b: n}}
contract:
  - assert: {name: all is well, sql: SELECT 1, expect: 1}
  - drop_column: {table: t, column: a}
  - drop_column: {table: t, column: b}
";
    insta::assert_snapshot!("drop_at_once", compiled(plan, Server::NEWEST).unwrap());
    insta::assert_snapshot!(
        "drop_after_keep",
        compiled(&format!("{plan}keep: 1d\n"), Server::NEWEST).unwrap()
    );
}

#[test]
fn a_proof_needs_no_way_back_of_its_own() {
    let undo = |sql: &str| {
        let text = format!("validate:\n  - sql: {sql}\n");
        compiled(&text, Server::NEWEST).unwrap()
    };
    let proof = undo("ALTER TABLE t VALIDATE CONSTRAINT k; ALTER TABLE t VALIDATE CONSTRAINT l");
    assert!(!proof.contains("no undo"), "{proof}");
    for sql in ["ALTER TABLE t VALIDATE CONSTRAINT k, ADD COLUMN z int", "ANALYZE t"] {
        assert!(undo(sql).contains("no undo: the plan gives no undo for it"), "{sql}");
    }
}
