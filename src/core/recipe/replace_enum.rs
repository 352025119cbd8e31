//! `replace_enum`: another enum type for a column, label by label.
//!
//! With `values` the plan makes the type. A label becomes the one of the same name, or the one that `map` gives; going
//! back likewise by `back`, or by `map` turned round. One without a counterpart is refused by name before anything runs.
//! Indexes, CHECK constraints and the default that name labels of the old type are made with those of the new one; a view,
//! a policy or a trigger that does is refused by name. Nobody looks into the bodies of functions: a label that stands there
//! fails, or is compared in vain, from contract on. The rest is that of
//! [change_type](change_type.md): a second column of the new type, in step and out of sight, takes the name in one short
//! transaction of contract, and is the last of the table then. The old type stays.
//!
//! # Deploying
//!
//! Until contract both versions of the application see the old labels, from then on the new ones: code that runs then
//! must know both, as far as they are other words. A statement that a session has prepared with a parameter of the old
//! type fails in it until it is prepared anew; one that has the label in its own words goes on.
//!
//! Statements without a list of columns must be gone before: `COPY` meets one column more from expand on, and an `INSERT`
//! meets them in another order from contract on, the old one among them while it is kept.
//!
//! # Going back
//!
//! Rows that nobody has written since contract have their old label again; those that were written have the one that
//! `back` gives.

use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change_type::ChangeType;
use super::draft::{Draft, Sql};
use super::known::Enum;
use super::reader::Reader;
use super::relabel::{Relabel, case, labels_said};
use crate::core::ident::{Ident, QName, plain, said};
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
            reader.fault(format!("values: {} stands here twice", said(value)));
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
            format!("CREATE TYPE {kind} AS ENUM ({})", labels_said(values)),
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
        let alone = labels_said(alone);
        draft.refuse(format!(
            "{alone} of {of} has no counterpart in {into}: say in {field} which label takes its place"
        ));
    }
    map
}
