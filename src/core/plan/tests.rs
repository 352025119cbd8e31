#![allow(clippy::unwrap_used)]
use super::*;
use crate::core::pace::signal::Signal;
use model::BackfillWork;

fn read(text: &str) -> Result<Plan, PlanError> {
    let version = Version::parse("20261121093000").unwrap();
    let source = Source { file: "plans/x.yaml", version: &version, name: "users_name", text };
    parse(&source, &|name| {
        if name == "ok.sql" { Ok("SELECT 1".into()) } else { Err(format!("{name}: not found")) }
    })
}

fn faults(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_whole_format_reads() {
    let plan = read(
        r#"
title: Give every order a currency
depends_on: [20261120081500_orders, 20261119000000]
settings: {lock_timeout: 2s, statement_timeout: 30s, lock_wait_max: 10m}
expand:
  - sql: ALTER TABLE orders ADD COLUMN currency text
    undo: ALTER TABLE orders DROP COLUMN currency
  - sql_file: ok.sql
    undo: "irreversible: it logs"
  - index: {table: orders, columns: [lower(email), id DESC], unique: true, method: btree, where: "id > 0", include: [total], with: {fillfactor: 80}}
  - sync: {table: orders, set: {currency: "'EUR'"}, back: {legacy: currency}}
backfill:
  - table: orders
    set: {currency: "'EUR'"}
    where: currency IS NULL
    batch: {target: 100ms, max_rows: 20000, pause: 5ms}
    workers: 2
    window: 22:00-05:00 Europe/Berlin
    throttle: {replica_lag: 5s, active_sessions: 40, lock_waiters: 0, wal_rate: 50MB/s, query: "SELECT true"}
  - {table: orders, copy: {into: archive, columns: {id: id}}, where: "old", key: [id]}
  - {table: orders, delete: true, where: "old"}
validate:
  - not_null: {table: orders, column: currency}
  - assert: {name: every order has one, sql: "SELECT count(*) FROM orders WHERE currency IS NULL", expect: 0}
contract:
  - drop_column: {table: orders, column: legacy}
  - drop_table: {table: old_orders}
  - drop_index: {name: orders_legacy_idx}
gates:
  contract: {deployed: [shop@5.1.0, web@2.0.0], soak: 24h, unused: [orders.legacy], approvals: 2, query: "SELECT true"}
keep: 7d
"#,
    )
    .unwrap();
    assert_eq!(
        (plan.expand.len(), plan.backfill.len(), plan.validate.len(), plan.contract.len()),
        (4, 3, 2, 3)
    );
    assert_eq!(plan.depends_on.len(), 2);
    assert_eq!(plan.unsupported().len(), 1);
    let throttle = &plan.backfill[0].value.throttle.watch;
    assert_eq!(throttle.limits.get(&Signal::WalRate), Some(&52_428_800.0));
    assert_eq!(throttle.limits.get(&Signal::ReplicaLag), Some(&5.0));
    assert_eq!(plan.gates.contract.deployed.len(), 2);
    let StepSpec::Index(index) = &plan.expand[2].value else { unreachable!() };
    assert_eq!(index.name.as_str(), "orders_expr_id_idx");
}

#[test]
fn scalars_stay_as_they_are_written() {
    let exprs = ["y", "no", "On", "010", "1.50", "12345678901234567890123", "0x1F", "1e3", ".5", "true"];
    for expr in exprs {
        let plan = read(&format!("backfill:\n  - {{table: t, set: {{a: {expr}}}}}\n")).unwrap();
        let BackfillWork::Set(set) = &plan.backfill[0].value.work else { unreachable!() };
        assert_eq!(set[0].1, expr);
        let plan =
            read(&format!("validate:\n  - assert: {{name: n, sql: SELECT 1, expect: {expr}}}\n")).unwrap();
        let StepSpec::Assert(assert) = &plan.validate[0].value else { unreachable!() };
        assert_eq!(assert.expect, expr);
    }
}

#[test]
fn a_text_that_its_own_comma_ended_is_told_to_be_quoted() {
    let hint = "put quotes around one that has a comma";
    for text in [
        "change:\n  - change_type: {table: t, column: a, type: text, back: a::numeric(10,2)}\n",
        "change:\n  - change_type: {table: t, column: a, type: numeric(10, 2)}\n",
        "expand:\n  - sync: {table: t, set: {a: coalesce(b, c)}}\n",
    ] {
        let told = faults(text);
        assert!(told.contains(hint), "{told}");
    }
    for text in [
        "change:\n  - change_type: {table: t, column: a, type: text, bak: a}\n",
        "change:\n  - change_type: {table: t, column: a, type: \"numeric(10,2)\", bak: a}\n",
    ] {
        let told = faults(text);
        assert!(told.contains("unknown field `bak`") && !told.contains(hint), "{told}");
    }
}

#[test]
fn faults_show_their_place_and_line() {
    insta::assert_snapshot!(faults("title: x\nexpnd: []\n"));
    insta::assert_snapshot!(faults("title: x\ntitle: y\nexpand: []\n"));
    insta::assert_snapshot!(faults("expand:\n  - sql: SELECT 1\n    undo: SELECT 2\nkeep: soon\n"));
    insta::assert_snapshot!(faults("expand:\n  - sql: SELECT 1\n"));
    insta::assert_snapshot!(faults(
        "expand:\n  - {sql: SELECT 1, undo: x, sql_file: y}\n  - not_null: {table: a, column: b}\n"
    ));
    insta::assert_snapshot!(faults("expand: [\n"));
    insta::assert_snapshot!(faults("expand: text\n"));
    insta::assert_snapshot!(faults(
        "change:\n  - rename_column: {table: users, from: a, to: a}\n  - {}\n  - add_column: {table: t, column: c, type: serial, not_null: true, from: a; DROP TABLE t}\n"
    ));
    insta::assert_snapshot!(faults("backfill:\n  - {table: 'we\"ird; drop table x', set: {a: b}}\n"));
    insta::assert_snapshot!(faults(""));
    insta::assert_snapshot!(faults("backfill:\n  - {table: t, set: {a: null}}\n"));
    insta::assert_snapshot!(faults("title: only\n"));
    insta::assert_snapshot!(faults("backfill:\n  - {table: t, set: {a: b, A: c}}\n"));
    insta::assert_snapshot!(faults("title: a\n---\ntitle: b\n"));
}

#[test]
fn hostile_input_ends_quickly_with_a_fault() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..12 {
        let aliases = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb += &format!("a{n}: &a{n} [{aliases}]\n");
    }
    for text in [
        bomb,
        "[".repeat(200_000),
        "{a: ".repeat(50_000),
        "- ".repeat(50_000),
        "\u{0}\u{1}".into(),
        "? ".repeat(10_000),
    ] {
        assert!(read(&text).is_err());
    }
}

#[test]
fn line_ends_do_not_change_a_checksum() {
    assert_eq!(checksum("a\r\nb", &[]), checksum("a\nb", &[]));
    assert_ne!(checksum("ab", &[]), checksum("a", &[("b".into(), String::new())]));
}

proptest::proptest! {
    #[test]
    fn any_text_gives_an_answer(text in "(?s).{0,120}") {
        let _ = read(&text);
    }
}
