//! Writes what stands over a column of an enum for the labels of another, before a change of its
//! type carries it over; what cannot be is refused by name.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::known::Table;
use crate::core::ident::{Ident, QName, plain, said};
use crate::core::sql::{Labels, Relabelled, SqlError};

/// A column whose labels become others.
pub(super) struct Relabel<'a> {
    /// The table.
    pub(super) table: &'a QName,
    /// The column.
    pub(super) column: &'a Ident,
    /// Its type now.
    pub(super) from: &'a QName,
    /// Its type then, under the name that it has until contract.
    pub(super) to: &'a QName,
    /// The label in the place of each.
    pub(super) map: &'a BTreeMap<String, String>,
    /// Whether the type that takes the place takes the name as well.
    pub(super) same_name: bool,
}

/// The expression of a column's value as a label of another type; those of the same name need no word.
pub(super) fn case<'a>(
    column: &Ident,
    map: impl IntoIterator<Item = (&'a String, &'a String)>,
    kind: &str,
) -> String {
    let other = |(label, to): &(&String, &String)| label != to;
    let when = |(label, to): (&String, &String)| format!(" WHEN {} THEN {}", said(label), said(to));
    let arms: String = map.into_iter().filter(other).map(when).collect();
    if arms.is_empty() {
        return format!("{column}::text::{kind}");
    }
    format!("(CASE {column}::text{arms} ELSE {column}::text END)::{kind}")
}

impl Relabel<'_> {
    /// Makes known what stands over the column as it is with the other labels, and gives the
    /// column's default with them.
    pub(super) fn prepare(&self, draft: &mut Draft<'_>) -> Option<String> {
        let known = draft.table(self.table)?;
        let name = format!("{}.{}", self.table.plain(), plain(self.column));
        let mine = |columns: &[String]| columns.iter().any(|column| column == self.column.as_str());
        let one = self.become_one();
        let mut now = known.clone();
        for index in now.indexes.iter_mut().filter(|index| mine(&index.columns)) {
            if index.unique && !one.is_empty() && index.constraint.as_deref() != Some("p") {
                draft.refuse(format!(
                    "{} is unique, and rows that only differ in {} of {name} would collide: give those rows one label \
                     first, and take the index away until then",
                    index.name,
                    labels_said(&one)
                ));
            }
            let of = format!("index {}", index.name);
            let named = self.put(draft, &of, ["", ""], &mut index.definition);
            let gone = |label: &&String| self.same_name && self.map.get(*label) != Some(*label);
            if let Some(label) = named.iter().find(gone) {
                draft.refuse(format!("{of} of {name} names the label {}: drop it in a plan of its own before this one, and make it again after it", said(label)));
            }
        }
        let before = format!("ALTER TABLE {} ADD CONSTRAINT k ", self.table);
        for constraint in now.constraints.iter_mut().filter(|constraint| mine(&constraint.columns)) {
            let of = format!("constraint {}", constraint.name);
            match constraint.kind.as_str() {
                "f" => draft.refuse(format!(
                    "foreign key {} is about {name}, and values of two enums cannot be compared",
                    constraint.name
                )),
                "c" => {
                    let named = self.put(draft, &of, [&before, ""], &mut constraint.definition);
                    if let Some(label) = named.iter().find(|label| one.contains(*label)) {
                        draft.refuse(format!(
                            "{of} of {name} names the label {}, which comes to stand for others too: drop it in a plan of its \
                             own before this one, and add the one that is right after it",
                            said(label)
                        ));
                    }
                }
                _ => {}
            }
        }
        self.triggers(draft, &known);
        self.dependents(draft, &known, &name);
        self.as_text(draft, &known, &name);
        draft.now(self.table, |table| (table.indexes, table.constraints) = (now.indexes, now.constraints));
        let default = known.column(self.column).and_then(|column| column.default.clone())?;
        self.default(draft, &name, &default)
    }

    /// Writes a definition anew; the labels that it names.
    fn put(&self, draft: &mut Draft<'_>, of: &str, around: [&str; 2], text: &mut String) -> Vec<String> {
        match self.over(around, text) {
            Ok(over) => {
                *text = over.text;
                over.named
            }
            Err(error) => {
                draft.refuse(format!("{of} of {} cannot be carried over: {error}", self.table.plain()));
                Vec::new()
            }
        }
    }

    fn over(&self, around: [&str; 2], text: &str) -> Result<Relabelled, SqlError> {
        Labels { kind: self.from, to: self.to, map: self.map }.over(around, text)
    }

    /// Labels that become one with others.
    fn become_one(&self) -> BTreeSet<String> {
        let mut came: BTreeMap<&String, Vec<&String>> = BTreeMap::new();
        for (label, to) in self.map {
            came.entry(to).or_default().push(label);
        }
        came.into_values().filter(|from| from.len() > 1).flatten().cloned().collect()
    }

    /// A trigger is made anew in its own words, on the way there and on the way back.
    fn triggers(&self, draft: &mut Draft<'_>, known: &Table) {
        for trigger in &known.triggers {
            let why = match self.over(["", ""], &trigger.definition) {
                Err(error) => error.to_string(),
                Ok(over) if !over.named.is_empty() && !self.same_name => {
                    format!("it names {} of the old type", labels_said(&over.named))
                }
                Ok(_) => continue,
            };
            draft.refuse(format!(
                "trigger {} of {} cannot be carried over: {why}; drop it in a plan of its own before this one, and make it \
                 again, with labels of the new type, after it",
                trigger.name,
                self.table.plain()
            ));
        }
    }

    /// A view or a policy is made again in its own words, in which a label is one of the old type.
    fn dependents(&self, draft: &mut Draft<'_>, known: &Table, name: &str) {
        if self.same_name {
            return;
        }
        for one in known.dependents.iter().filter(|one| one.reads(self.column)) {
            let said_of = |text: &&String| {
                text.contains(self.from.name.as_str())
                    && self.over(["", ""], text).map_or(true, |over| !over.named.is_empty())
            };
            let indexes = one.indexes.iter().map(|index| &index.definition);
            if one.make.iter().chain(indexes).any(|text| said_of(&text)) {
                draft.refuse(format!(
                    "{} reads {name} and names labels of the old type, or the type: drop it in a plan of its own before this \
                     one, and make it again, with those of the new type, after it",
                    one.said
                ));
            }
        }
    }

    /// Where a text is compared with a label that goes, nothing fails, and nothing is found any more.
    fn as_text(&self, draft: &mut Draft<'_>, known: &Table, name: &str) {
        let gone: Vec<&String> =
            self.map.iter().filter(|(label, to)| label != to).map(|(label, _)| label).collect();
        let mine = |columns: &[String]| columns.iter().any(|column| column == self.column.as_str());
        let dependents = known.dependents.iter().filter(|one| one.reads(self.column)).flat_map(|one| {
            one.make.iter().chain(&one.definition).map(|text| (one.said.clone(), text.clone()))
        });
        let triggers =
            known.triggers.iter().map(|one| (format!("trigger {}", one.name), one.definition.clone()));
        let checks = known
            .constraints
            .iter()
            .filter(|one| one.kind == "c" && mine(&one.columns))
            .map(|one| (format!("constraint {}", one.name), one.definition.clone()));
        let indexes = known
            .indexes
            .iter()
            .filter(|one| mine(&one.columns))
            .map(|one| (format!("index {}", one.name), one.definition.clone()));
        let mut found: Vec<String> = dependents
            .chain(triggers)
            .chain(checks)
            .chain(indexes)
            .filter(|(_, text)| gone.iter().any(|label| text.contains(&format!("{}::text", said(label)))))
            .map(|(of, _)| of)
            .collect();
        found.sort();
        found.dedup();
        if !found.is_empty() {
            draft.caution(format!(
                "{} compares a text with a label of {name} that goes ({}): after contract that is never true",
                found.join(", "),
                labels_said(gone)
            ));
        }
    }

    /// The default with the other labels; one that is a label says so without its type, which has
    /// another name after the exchange.
    fn default(&self, draft: &mut Draft<'_>, name: &str, default: &str) -> Option<String> {
        match self.over(["SELECT (", ")"], default) {
            Ok(over) => {
                let label = over.named.first().and_then(|label| self.map.get(label));
                let label = label.map(|label| said(label)).unwrap_or_default();
                if over.text == format!("{label}::{}", self.to) {
                    return Some(label);
                }
                if self.same_name && !over.named.is_empty() {
                    draft.refuse(format!("the default of {name} is more than a label: {default}"));
                }
                Some(over.text)
            }
            Err(error) => {
                draft.refuse(format!("the default of {name} cannot be carried over: {error}"));
                None
            }
        }
    }
}

/// Labels, as SQL writes them.
pub(super) fn labels_said<'a>(labels: impl IntoIterator<Item = &'a String>) -> String {
    labels.into_iter().map(|label| said(label)).collect::<Vec<_>>().join(", ")
}
