//! `replace_enum`: another enum type for a column, label by label.
//!
//! With `values` the plan makes the type. A label becomes the one of the same name, or the one that `map` gives; going
//! back likewise by `back`, or by `map` turned round. One without a counterpart is refused by name before anything runs.
//! What stands over the column and names labels of the old type is made with those of the new one. The rest is that of
//! [change_type](change_type.md): a second column of the new type, in step and out of sight, takes the name in one short
//! transaction of contract, and is the last of the table then. The old type stays.
//!
//! # Deploying
//!
//! Until contract both versions of the application see the old labels, from then on the new ones: code that runs then
//! must know both, as far as they are other words. A statement that a session has prepared with a parameter of the old
//! type fails in it until it is prepared anew; one that has the label in its own words goes on.
//!
//! # Going back
//!
//! Rows that nobody has written since contract have their old label again; those that were written have the one that
//! `back` gives.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change_type::ChangeType;
use super::draft::{Draft, Sql};
use super::known::Enum;
use super::reader::Reader;
use super::relabel::{Relabel, case, said};
use crate::core::ident::{Ident, QName, literal, plain};
use crate::core::plan::yaml::{Pairs, Scalar};

/// `replace_enum: {table, column, type, values, map, back}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The table.
    table: String,
    /// The column.
    column: String,
    /// Its new type.
    #[serde(rename = "type")]
    kind: String,
    /// The labels of the new type, in order, where the plan makes it.
    values: Option<Vec<Scalar>>,
    /// The new label in the place of an old one, where that is another.
    map: Option<Pairs>,
    /// The old label in the place of a new one, where that is another.
    back: Option<Pairs>,
}

/// Another enum type for a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplaceEnum {
    table: QName,
    column: Ident,
    kind: QName,
    values: Option<Vec<String>>,
    map: BTreeMap<String, String>,
    back: BTreeMap<String, String>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<ReplaceEnum> {
    let table = reader.table("table", &raw.table);
    let column = reader.ident("column", &raw.column);
    let kind = reader.table("type", &raw.kind);
    let map = reader.labels("map", raw.map);
    let back = reader.labels("back", raw.back);
    let values = match raw.values {
        None => Some(None),
        Some(values) => {
            let read = values.into_iter().map(|value| reader.label("values", value.0));
            read.collect::<Option<Vec<_>>>().map(Some)
        }
    };
    let change =
        ReplaceEnum { table: table?, column: column?, kind: kind?, values: values?, map: map?, back: back? };
    for (n, value) in change.values.iter().flatten().enumerate() {
        if change.values.iter().flatten().take(n).any(|other| other == value) {
            reader.fault(format!("values: {} stands here twice", literal(value).trim()));
        }
    }
    if change.values.as_ref().is_some_and(Vec::is_empty) {
        reader.fault("values: name at least one label, or leave it out for a type that is there");
    }
    Some(change)
}

impl ReplaceEnum {
    pub(super) fn tables(&self) -> Vec<&QName> {
        vec![&self.table, &self.kind]
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { table, column: name, kind, .. } = self;
        let column = draft.column(table, name);
        let labels = self.new_type(draft);
        let old = column.labels.clone();
        if draft.knows_all() && !column.kind.is_empty() && old.is_empty() && draft.table(table).is_some() {
            draft.refuse(format!(
                "{}.{} is no enum: its type is {}",
                table.plain(),
                plain(name),
                column.kind
            ));
        }
        let (map, back) = match &labels {
            Some(labels) if !old.is_empty() => self.maps(draft, &old, labels),
            _ => (self.map.clone(), self.back.clone()),
        };
        let from = QName::parse(&column.kind).ok();
        let mut default = None;
        if let Some(from) = from.filter(|_| !old.is_empty()) {
            let (to, map) = (kind, &map);
            let relabel = Relabel { table, column: name, from: &from, to, map, same_name: false };
            default = relabel.prepare(draft);
        }
        let change = ChangeType::by(
            (table, name),
            kind.to_string(),
            [case(name, &map, &kind.to_string()), case(name, &back, &column.kind)],
            default,
        );
        change.write(draft);
        let after = labels.unwrap_or_default();
        draft.now_column(table, name, |column| column.labels = after);
    }

    /// The labels of the new type, which the plan makes where it says so; `None`: they are not known.
    fn new_type(&self, draft: &mut Draft<'_>) -> Option<Vec<String>> {
        let Self { kind, values, .. } = self;
        let Some(values) = values else { return draft.required_enum(kind).map(|known| known.labels) };
        if draft.has_type(kind) {
            draft.refuse(format!(
                "there is a type {} already: leave out values, or give another name",
                kind.plain()
            ));
        }
        draft.expand_sql(Sql::new(
            format!("CREATE TYPE {kind} AS ENUM ({})", said(values)),
            format!("DROP TYPE {kind}"),
        ));
        let made = Enum { kind: "e".into(), labels: values.clone(), ..Enum::default() };
        draft.makes_type(kind, made);
        Some(values.clone())
    }

    /// The new label of every old one, and the old one of every new one.
    fn maps(
        &self,
        draft: &mut Draft<'_>,
        old: &[String],
        new: &[String],
    ) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
        let name = format!("{}.{}", self.table.plain(), plain(&self.column));
        let kind = format!("type {}", self.kind.plain());
        let there = mapped(draft, ["map", &name, &kind], &self.map, old, new, |_| None);
        let turned = |label: &str| {
            let mut from = self.map.iter().filter(|(_, to)| *to == label).map(|(from, _)| from);
            // Of several somebody has to say which.
            from.next().filter(|_| from.next().is_none()).cloned()
        };
        // Without keep nothing is left that the way back would fill.
        let back = if draft.keeps() {
            mapped(draft, ["back", &kind, &name], &self.back, new, old, turned)
        } else {
            self.back.clone()
        };
        (there, back)
    }
}

/// The label of one side for every label of the other; what has none is refused.
fn mapped(
    draft: &mut Draft<'_>,
    [field, of, into]: [&str; 3],
    given: &BTreeMap<String, String>,
    labels: &[String],
    others: &[String],
    else_: impl Fn(&str) -> Option<String>,
) -> BTreeMap<String, String> {
    for (label, to) in given {
        let said = |label: &String| literal(label).trim().to_owned();
        if !labels.contains(label) {
            draft.refuse(format!("{field}: {of} has no label {}", said(label)));
        }
        if !others.contains(to) {
            draft.refuse(format!("{field}: {into} has no label {}", said(to)));
        }
    }
    let mut map = BTreeMap::new();
    let mut alone = Vec::new();
    for label in labels {
        let same = || Some(label.clone()).filter(|label| others.contains(label));
        match given.get(label).cloned().or_else(same).or_else(|| else_(label)) {
            Some(to) => _ = map.insert(label.clone(), to),
            None => alone.push(label),
        }
    }
    if !alone.is_empty() {
        let said = said(alone);
        draft.refuse(format!(
            "{said} of {of} has no counterpart in {into}: say in {field} which label takes its place"
        ));
    }
    map
}

#[cfg(test)]
mod tests {
    use super::super::testing::{changes, known, labels, refused, shown, table};
    use super::super::{Column, Constraint, Index, Known, Table, Trigger};

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
            check("CHECK ((lower(x)::mood <> \"M m\"))")[0]
                .contains("constraint k of t cannot be carried over")
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
}
