use crate::core::recipe::testing::{changes, labels, refused, shown, table};
use crate::core::recipe::{Column, Index, Known, Table, User};

const TEXT: &str =
    "change:\n  - remove_enum_value: {type: mood, value: gone, to: a, columns: [t.m]}\nkeep: 7d\n";

fn user(kind: &str, relation: &str, called: &str) -> User {
    User {
        said: format!("{kind} {called}"),
        relation: Some(relation.into()),
        kind: kind.into(),
        called: Some(called.into()),
        array: false,
    }
}

fn mood(users: Vec<User>, more: impl FnOnce(&mut Table)) -> Known {
    let mut known = labels("mood", &["a", "gone"]);
    if let Some(of) = known.enums.get_mut("mood") {
        of.users = users;
    }
    let column = Column {
        name: "m".into(),
        kind: "mood".into(),
        labels: vec!["a".into(), "gone".into()],
        ..Column::default()
    };
    let mut t = Table { columns: vec![column], ..table(&[]) };
    more(&mut t);
    known.tables.insert("t".into(), t);
    known
}

#[test]
fn the_new_type_takes_the_name_with_the_columns() {
    let known = mood(vec![user("column", "t", "m")], |_| {});
    let kept = shown(TEXT, &known);
    for part in [
        "CREATE TYPE \"_phase_7_new_mood\" AS ENUM ('a')",
        "CASE \"m\"::text WHEN 'gone' THEN 'a' ELSE",
        "ALTER TYPE \"mood\" RENAME TO \"_phase_7_mood\"",
        "purge.2: DROP TYPE \"_phase_7_mood\"",
    ] {
        assert!(kept.contains(part), "{part}\n{kept}");
    }
    let at_once = shown(&TEXT.replace("keep: 7d\n", ""), &known);
    assert!(at_once.contains("DROP TYPE \"mood\";\n  ALTER TYPE \"_phase_7_new_mood\" RENAME TO \"mood\""));
    assert!(!shown(TEXT, &Known::default()).is_empty());
}

#[test]
fn what_would_keep_the_old_type_is_refused_by_name() {
    let one = |user: User| refused(TEXT, &mood(vec![user], |_| {})).join("; ");
    assert_eq!(one(user("column", "t", "m")), "");
    assert!(one(user("column", "u", "m")).starts_with("column m would keep the old type mood"));
    assert!(one(User { array: true, ..user("column", "t", "m") }).starts_with("column m would keep"));
    assert!(one(User { relation: None, ..user("other", "t", "f") }).starts_with("other f would keep"));
    assert!(one(user("index", "t", "i")).starts_with("index i would keep"));
    let index = Index {
        name: "i".into(),
        definition: "CREATE INDEX i ON t USING btree (id) WHERE (m = 'gone'::mood)".into(),
        columns: vec!["m".into()],
        valid: true,
        ..Index::default()
    };
    let known = mood(vec![user("index", "t", "i")], |table| table.indexes = vec![index]);
    // What would become of rows that are left out now, nobody has said.
    assert!(refused(TEXT, &known).iter().any(|why| why.contains("'gone'")), "{:?}", refused(TEXT, &known));
}

#[test]
fn labels_and_columns_are_there() {
    let known = mood(Vec::new(), |_| {});
    let none = TEXT.replace("to: a", "to: b");
    assert!(refused(&none, &known)[0].starts_with("type mood has no label 'b'"));
    let other = mood(Vec::new(), |table| table.columns[0].kind = "text".into());
    assert!(refused(TEXT, &other)[0].starts_with("t.m is not of type mood"));
    let wrong = |text: &str| changes(text, &Known::default()).unwrap_err();
    assert!(wrong(&TEXT.replace("to: a", "to: gone")).contains("the same label"));
    assert!(wrong(&TEXT.replace("[t.m]", "[m]")).contains("names no column of a table"));
    assert!(wrong(&TEXT.replace("[t.m]", "[]")).contains("name every column"));
}
