#![allow(clippy::unwrap_used)]
use crate::core::recipe::testing::{cautions, changes, known, refused, shown, table};
use crate::core::recipe::{Constraint, Hanging, Index, Known, Referrer, Table, Trigger};

const TEXT: &str = "change:
  - partition_table: {table: s.t, by: list, columns: ['\"K k\"'], partitions: [{name: '\"P p\"', in: [\"'a'\", 'NULL']}], default: true}
keep: 7d
";

fn index(name: &str, keys: &[&str], constraint: Option<&str>) -> Index {
    Index {
        name: name.into(),
        definition: format!("CREATE UNIQUE INDEX {name} ON s.t USING btree (id)"),
        keys: keys.iter().map(|key| (*key).into()).collect(),
        constraint: constraint.map(Into::into),
        valid: true,
        unique: true,
        immediate: true,
        ..Index::default()
    }
}

fn constraint(name: &str, kind: &str, definition: &str) -> Constraint {
    Constraint {
        name: name.into(),
        kind: kind.into(),
        definition: definition.into(),
        valid: true,
        ..Constraint::default()
    }
}

/// A table that can be partitioned.
fn fit() -> Table {
    let mut fit = table(&["id", "K k", "sum"]);
    fit.columns[0].identity = Some("a".into());
    fit.columns[0].sequence = Some("s.t_id_seq".into());
    fit.columns[2].generated = Some("id".into());
    Table {
        indexes: vec![index("t_pkey", &["id", "K k"], Some("p"))],
        constraints: vec![
            constraint("t_pkey", "p", "PRIMARY KEY (id, \"K k\")"),
            constraint("T fk", "f", "FOREIGN KEY (id) REFERENCES u(id)"),
        ],
        owner: Some("Boss".into()),
        own: vec!["s.t".into()],
        ..fit
    }
}

#[test]
fn the_new_table_takes_the_place_of_the_old_one() {
    insta::assert_snapshot!(shown(TEXT, &known([("s.t", fit())])));
    let sql = shown(&TEXT.replace("keep: 7d\n", ""), &known([("s.t", fit())]));
    assert!(
        sql.contains("DROP TABLE \"s\".\"_phase_7_t\"") && sql.contains("no undo: without keep"),
        "{sql}"
    );
}

#[test]
fn rows_without_a_partition_have_one_until_contract() {
    let text = TEXT.replace(", default: true", "");
    let sql = shown(&text, &known([("s.t", fit())]));
    assert!(sql.contains("\"_phase_7_rest_t\" PARTITION OF \"s\".\"_phase_7_new_t\" DEFAULT"), "{sql}");
    assert!(sql.contains("DROP TABLE \"s\".\"_phase_7_rest_t\""), "{sql}");
    assert!(cautions(&text, &known([("s.t", fit())]))[0].contains("that no partition takes"));
    // Every row has a remainder.
    let hash = "change:\n  - partition_table: {table: s.t, by: hash, columns: [id], partitions: [{name: a}, {name: b}]}\n";
    let sql = shown(hash, &Known::default());
    assert!(sql.contains("FOR VALUES WITH (MODULUS 2, REMAINDER 1)") && !sql.contains("_rest_"), "{sql}");
}

#[test]
fn what_has_no_place_in_it_is_refused_by_name() {
    let one = |change: &dyn Fn(&mut Table)| {
        let mut of = fit();
        change(&mut of);
        refused(TEXT, &known([("s.t", of)])).join("\n")
    };
    assert_eq!(one(&|_| {}), "");
    let narrow = one(&|of| of.indexes[0].keys = vec!["id".into()]);
    assert!(narrow.contains("make it (id, K k) first"), "{narrow}");
    assert!(one(&|of| of.indexes.clear()).contains("no primary key"));
    assert!(one(&|of| of.indexes[0].immediate = false).contains("deferrable"));
    assert!(one(&|of| of.indexes.push(index("u", &["id"], None))).contains("u of s.t is unique without K k"));
    let invalid = |of: &mut Table| of.indexes.push(Index { valid: false, ..index("u", &["K k"], None) });
    assert!(one(&invalid).contains("index u of s.t is invalid"));
    for (kind, definition, valid, why) in [
        ("x", "EXCLUDE", true, "excludes rows of each other"),
        ("c", "CHECK (id > 0)", false, "NOT VALID"),
        ("c", "CHECK (id > 0) NO INHERIT", true, "NO INHERIT"),
    ] {
        let push = |of: &mut Table| {
            of.constraints.push(Constraint { valid, ..constraint("c", kind, definition) });
        };
        assert!(one(&push).contains(why), "{why}");
    }
    assert!(one(&|of| of.columns[0].identity = None).is_empty());
    assert!(one(&|of| of.columns[1].identity = Some("a".into())).is_empty());
    assert!(one(&|of| of.columns[2].identity = Some("a".into())).contains("make it BY DEFAULT first"));
    assert!(one(&|of| of.columns[1].generated = Some("1".into())).contains("which is generated"));
    assert!(one(&|of| of.row_security = true).contains("row security"));
    assert!(one(&|of| of.subscribed = true).contains("subscription"));
    assert!(one(&|of| of.inherited = true).contains("inheritance"));
    assert!(one(&|of| of.kind = "p".into()).contains("no table that stands for itself"));
    let around = one(&|of| {
        of.publications = vec!["p".into()];
        of.rules = vec!["r".into()];
        of.row_type = vec!["function f(s.t)".into()];
        let key = Referrer { name: "k".into(), table: "u".into(), ..Referrer::default() };
        of.referenced_by = vec![key];
        let own = Hanging { kind: "trigger".into(), relation: Some("s.t".into()), ..Hanging::default() };
        of.hanging = vec![own, Hanging { said: "view v".into(), ..Hanging::default() }];
    });
    let all = "foreign key k of u, function f(s.t), publication p, rule r, view v would be left";
    assert!(around.starts_with(all), "{around}");
    for definition in [
        "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON s.t FOR EACH ROW EXECUTE FUNCTION f()",
        "CREATE TRIGGER x AFTER INSERT ON s.t REFERENCING NEW TABLE AS n FOR EACH ROW EXECUTE FUNCTION f()",
    ] {
        let trigger = Trigger { name: "x".into(), definition: definition.into(), ..Trigger::default() };
        assert!(one(&|of| of.triggers = vec![trigger.clone()]).contains("trigger x of s.t"), "{definition}");
    }
    let there = known([("s.t", fit()), ("s.\"P p\"", table(&[]))]);
    assert_eq!(refused(TEXT, &there), ["s.\"P p\" is there already"]);
}

#[test]
fn nothing_else_is_about_the_table() {
    let index = "  - add_index: {table: s.t, columns: [id]}\n";
    let there = known([("s.t", fit())]);
    let before = refused(&TEXT.replace("change:\n", &format!("change:\n{index}")), &there);
    assert!(before[0].contains("partition it in a plan of its own"), "{before:?}");
    let after = refused(&TEXT.replace("keep", &format!("{index}keep")), &there);
    assert!(after[0].contains("is another table from contract on"), "{after:?}");
    let own = format!("{TEXT}validate:\n  - not_null: {{table: s.t, column: id}}\n");
    assert!(refused(&own, &there)[0].contains("is another table from contract on"));
}

#[test]
fn what_reads_wrong_is_a_fault() {
    for bad in [
        "by: list, columns: [a, b], partitions: [{name: p, in: ['1']}]",
        "by: list, columns: [a], partitions: []",
        "by: list, columns: [a], partitions: [{name: p, from: ['1'], to: ['2']}]",
        "by: range, columns: [a, b], partitions: [{name: p, from: ['1'], to: ['2']}]",
        "by: range, columns: [a], partitions: [{name: p, from: ['1) TO (2'], to: ['2']}]",
        "by: hash, columns: [a], partitions: [{name: p, in: ['1']}]",
        "by: hash, columns: [a], partitions: [{name: p}], default: true",
        "by: hash, columns: [a], partitions: [{name: p}, {name: p}]",
        "by: hash, columns: [a], partitions: [{name: t}]",
    ] {
        let text = format!("change:\n  - partition_table: {{table: t, {bad}}}\n");
        assert!(changes(&text, &Known::default()).is_err(), "{bad}");
    }
}

#[test]
fn one_value_needs_no_list() {
    let steps = |from: &str, to: &str| {
        let range = format!("by: range, columns: [id], partitions: [{{name: p, from: {from}, to: {to}}}]");
        shown(&format!("change:\n  - partition_table: {{table: t, {range}}}\nkeep: 7d\n"), &Known::default())
    };
    assert_eq!(steps("-5", "MAXVALUE"), steps("['-5']", "[MAXVALUE]"));
    assert!(steps("0", "100").contains("FROM (0) TO (100)"), "{}", steps("0", "100"));
}
