use crate::core::recipe::testing::{cautions, changes, known, labels, refused, shown, table};
use crate::core::recipe::{Column, Constraint, Dependent, Index, Known, Table, Trigger};

const TEXT: &str = "change:\n  - replace_enum: {table: t, column: M m, type: New, values: [a, \"it's\"], map: {b: \"it's\"}}\nkeep: 7d\n";

fn text() -> String {
    TEXT.replace("M m", "'\"M m\"'")
}

fn of(of: &[&str], more: impl FnOnce(&mut Table)) -> Known {
    let column = Column {
        name: "M m".into(),
        kind: "mood".into(),
        default: Some("'b'::mood".into()),
        labels: of.iter().map(|label| (*label).to_owned()).collect(),
        ..Column::default()
    };
    let mut table = Table { columns: vec![column], ..table(&[]) };
    more(&mut table);
    known([("t", table)])
}

#[test]
fn labels_become_others_both_ways() {
    let index = Index {
        name: "i".into(),
        definition: "CREATE INDEX i ON t USING btree (\"M m\") WHERE (\"M m\" <> 'b'::mood)".into(),
        columns: vec!["M m".into()],
        valid: true,
        ..Index::default()
    };
    let text = shown(&text(), &of(&["a", "b"], |table| table.indexes = vec![index]));
    for part in [
        "expand.1: CREATE TYPE \"new\" AS ENUM ('a', 'it''s')\n  undo: DROP TYPE \"new\"",
        "(CASE \"M m\"::text WHEN 'b' THEN 'it''s' ELSE \"M m\"::text END)::\"new\"",
        "WHEN 'it''s' THEN 'b' ELSE",
        "WHERE \"_phase_7_new_M m\" <> 'it''s'::new",
        "ALTER COLUMN \"M m\" SET DEFAULT 'it''s'",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    // Nothing is known, and nothing refused.
    assert!(shown(&self::text(), &Known::default()).contains("WHEN 'b' THEN 'it''s'"));
}

#[test]
fn every_label_has_a_counterpart_on_both_sides() {
    let one = |text: &str, known: &Known| refused(text, known).join("; ");
    let more = of(&["a", "b", "c", "d"], |_| {});
    assert_eq!(
        one(&text(), &more),
        "'c', 'd' of t.\"M m\" has no counterpart in type new: say in map which label takes its place"
    );
    let both = text().replace("{b: \"it's\"}", "{b: \"it's\", c: \"it's\"}");
    assert_eq!(
        one(&both, &of(&["a", "b", "c"], |_| {})),
        "'it''s' of type new has no counterpart in t.\"M m\": say in back which label takes its place"
    );
    // Without keep there is no way back to fill.
    assert_eq!(one(&both.replace("keep: 7d\n", ""), &of(&["a", "b", "c"], |_| {})), "");
    assert_eq!(one(&both.replace("}}", "}, back: {\"it's\": c}}"), &of(&["a", "b", "c"], |_| {})), "");
    assert!(one(&text(), &of(&["a"], |_| {})).contains("map: t.\"M m\" has no label 'b'"));
}

#[test]
fn what_names_the_old_labels_is_carried_over_or_refused() {
    let named = |more: &dyn Fn(&mut Table)| refused(&text(), &of(&["a", "b"], more));
    let constraint = |kind: &str, definition: &str| Constraint {
        name: "k".into(),
        kind: kind.into(),
        definition: definition.into(),
        columns: vec!["M m".into()],
        ..Constraint::default()
    };
    let check = |definition: &str| {
        let constraint = constraint("c", definition);
        named(&|table| table.constraints = vec![constraint.clone()])
    };
    assert_eq!(check("CHECK ((\"M m\" <> 'b'::mood))"), Vec::<String>::new());
    assert!(
        check("CHECK ((lower(x)::mood <> \"M m\"))")[0].contains("constraint k of t cannot be carried over")
    );
    let key = constraint("f", "FOREIGN KEY (\"M m\") REFERENCES r(m)");
    assert!(
        named(&|table| table.constraints = vec![key.clone()])[0]
            .starts_with("foreign key k is about t.\"M m\"")
    );
    let trigger = Trigger {
        name: "x".into(),
        definition: "CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW WHEN (new.\"M m\" = 'b'::mood) EXECUTE FUNCTION f()".into(),
        ..Trigger::default()
    };
    assert!(named(&|table| table.triggers = vec![trigger.clone()])[0].starts_with("trigger x of t"));
    let view = |text: &str| Dependent {
        kind: "view".into(),
        said: "view v".into(),
        called: "v".into(),
        reads: vec!["M m".into()],
        drop: "DROP VIEW v".into(),
        make: vec![format!("CREATE VIEW v AS SELECT 1 FROM t WHERE {text}")],
        ..Dependent::default()
    };
    let over = |text: &str| of(&["a", "b"], |table| table.dependents = vec![view(text)]);
    assert!(
        refused(&text(), &over("\"M m\" = 'b'::mood"))[0]
            .starts_with("view v reads t.\"M m\" and names labels")
    );
    let as_text = over("\"M m\"::text = 'b'::text");
    assert_eq!(refused(&text(), &as_text), Vec::<String>::new());
    assert!(cautions(&text(), &as_text).iter().any(|what| what.starts_with("view v compares a text with")));
    let kept = over("\"M m\"::text = 'a'::text");
    assert!(!cautions(&text(), &kept).iter().any(|what| what.contains("compares a text")));
    let one =
        text().replace("values: [a, \"it's\"], map: {b: \"it's\"}", "values: [a], map: {b: a}, back: {}");
    let unique = Index {
        name: "i".into(),
        definition: "CREATE UNIQUE INDEX i ON t USING btree (\"M m\")".into(),
        columns: vec!["M m".into()],
        unique: true,
        valid: true,
        ..Index::default()
    };
    let known = of(&["a", "b"], |table| table.indexes = vec![unique]);
    assert!(refused(&one, &known)[0].starts_with("i is unique, and rows that only differ in 'a', 'b'"));
}

#[test]
fn the_types_are_enums() {
    let plain = known([("t", table(&["M m"]))]);
    assert_eq!(refused(&text(), &plain), ["t.\"M m\" is no enum: its type is text"]);
    let mut there = of(&["a", "b"], |_| {});
    there.enums = labels("new", &["a"]).enums;
    assert!(refused(&text(), &there)[0].starts_with("there is a type new already"));
    let leave = text().replace("values: [a, \"it's\"], map: {b: \"it's\"}", "map: {b: a}");
    assert_eq!(refused(&leave, &there), Vec::<String>::new());
    there.enums.clear();
    assert_eq!(refused(&leave, &there)[0], "there is no type new");
    let wrong = |text: &str| changes(text, &Known::default()).unwrap_err();
    assert!(wrong(&text().replace("[a, \"it's\"]", "[a, a]")).contains("'a' stands here twice"));
    assert!(wrong(&text().replace("[a, \"it's\"]", "[]")).contains("at least one label"));
}

#[test]
fn another_name_takes_another_plan() {
    let known = of(&["a", "b"], |_| {});
    let rename =
        |column: &str, to: &str| format!("  - rename_column: {{table: t, from: {column}, to: {to}}}\n");
    let before = text()
        .replace("change:\n", &format!("change:\n{}", rename("'\"M m\"'", "m")))
        .replace("column: '\"M m\"'", "column: m");
    let after = text().replace("keep", &format!("{}keep", rename("'\"M m\"'", "m")));
    for text in [before, after] {
        let said = refused(&text, &known).join("; ");
        assert!(
            said.contains("take two plans, one after the other") && !said.contains("change_type:"),
            "{said}"
        );
    }
}
