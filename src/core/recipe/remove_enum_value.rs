//! `remove_enum_value`: a label goes out of an enum type, and another stands in its rows.
//!
//! PostgreSQL has no statement for that. A new type without the label is made; every column of the type, which `columns`
//! must name, gets a second one of the new type as by [change_type](change_type.md), filled with `to` in the place of
//! the label. One short transaction of contract puts all of them in place, and the new type takes the name. Whatever
//! else uses the type (an array of it, a domain, a view, an argument of a function) is refused by name before anything
//! runs, as is what names the label. Nobody looks into the bodies of functions: a label that stands there
//! fails, or is compared in vain, from contract on. A default that is the label becomes `to`. The columns are the last of their tables
//! then.
//!
//! # Deploying
//!
//! Until contract the label is there, and what old code writes with it reaches the new column as `to`. New code, which
//! does not use it, ships before contract: from then on a statement that names the label fails. A statement that a session
//! has prepared with a parameter of the type fails in it until it is prepared anew; one that gives the label as a
//! text goes on.
//!
//! Statements without a list of columns must be gone before: `COPY` meets one column more from expand on, and an `INSERT`
//! meets them in another order from contract on, the old one among them while it is kept.
//!
//! # Going back
//!
//! Abort leads back to the old type. Rows that had the label have it again, unless somebody has written them since
//! contract.

use std::collections::BTreeMap;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Deserialize;

use super::change_type::ChangeType;
use super::draft::{Draft, Sql};
use super::known::{Enum, User};
use super::reader::Reader;
use super::relabel::{Relabel, case, labels_said};
use crate::core::ident::{Ident, QName, literal, plain, said};
use crate::core::plan::model::{LastSpec, StepSpec};

/// `remove_enum_value: {type, value, to, columns}`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    /// The enum type.
    #[serde(rename = "type")]
    kind: String,
    /// The label that goes.
    value: String,
    /// The label in its place, in the rows that have it.
    to: String,
    /// Every column of the type, each as table.column.
    columns: Vec<String>,
}

/// A label that goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoveEnumValue {
    kind: QName,
    value: String,
    to: String,
    /// Those of one table beside each other.
    columns: Vec<(QName, Ident)>,
}

pub(super) fn read(raw: Raw, reader: &mut Reader<'_, '_>) -> Option<RemoveEnumValue> {
    let kind = reader.table("type", &raw.kind);
    let (value, to) = (reader.label("value", raw.value), reader.label("to", raw.to));
    let columns = raw.columns.iter().map(|text| reader.column("columns", text));
    let mut columns = columns.collect::<Option<Vec<_>>>()?;
    columns.sort();
    columns.dedup();
    if columns.is_empty() {
        reader.fault("columns: name every column of the type, each as table.column");
    }
    let change = RemoveEnumValue { kind: kind?, value: value?, to: to?, columns };
    if change.value == change.to {
        reader.fault("value and to are the same label");
    }
    Some(change)
}

impl RemoveEnumValue {
    pub(super) fn tables(&self) -> Vec<&QName> {
        std::iter::once(&self.kind).chain(self.columns.iter().map(|(table, _)| table)).collect()
    }

    pub(super) fn write(&self, draft: &mut Draft<'_>) {
        let Self { kind, value, to, columns } = self;
        let own = kind.sibling(draft.own_name(&format!("new_{}", kind.name.as_str())));
        let hidden = kind.sibling(draft.own_name(kind.name.as_str()));
        let known = draft.required_enum(kind).unwrap_or_default();
        if !known.labels.is_empty() {
            self.compare(draft, &known);
        }
        let mut labels: Vec<String> = known.labels.iter().filter(|label| *label != value).cloned().collect();
        if labels.is_empty() {
            labels.push(to.clone());
        }
        draft.expand_sql(new_type(&own, &labels, &known));
        let same = labels.iter().map(|label| (label.clone(), label.clone()));
        let map: BTreeMap<String, String> = same.chain([(value.clone(), to.clone())]).collect();
        draft.gather();
        for (table, column) in columns {
            let of = draft.column(table, column);
            if draft.knows_all() && !QName::parse(&of.kind).is_ok_and(|of| of.may_be(kind)) {
                draft.refuse(format!(
                    "{}.{} is not of type {}: its type is {}",
                    table.plain(),
                    plain(column),
                    kind.plain(),
                    of.kind
                ));
            }
            let relabel = Relabel { table, column, from: kind, to: &own, map: &map, same_name: true };
            let default = if of.labels.is_empty() { None } else { relabel.prepare(draft) };
            let there = case(column, &map, &own.to_string());
            let back = case(column, &BTreeMap::new(), &hidden.to_string());
            ChangeType::by((table, column), own.to_string(), [there, back], default).write(draft);
            let after = labels.clone();
            draft
                .now_column(table, column, |column| (column.kind, column.labels) = (kind.to_string(), after));
        }
        self.exchange(draft, &own, &hidden);
        draft.now_enum(kind, |known| known.labels = labels);
    }

    /// All columns in one moment, and the type's name with them.
    fn exchange(&self, draft: &mut Draft<'_>, own: &QName, hidden: &QName) {
        let kind = &self.kind;
        let Some(mut exchange) = draft.gathered() else { return };
        let label = said(&self.value);
        exchange.title = format!("take the label {label} out of type {}", kind.plain());
        let takes = format!("ALTER TYPE {own} RENAME TO {}", kind.name);
        let goes = if draft.keeps() {
            exchange.then.back.push(format!("ALTER TYPE {kind} RENAME TO {}", own.name));
            exchange.then.back.push(format!("ALTER TYPE {hidden} RENAME TO {}", kind.name));
            format!("ALTER TYPE {kind} RENAME TO {}", hidden.name)
        } else {
            format!("DROP TYPE {kind}")
        };
        // Whatever is printed with the name of the type means the new one from here on.
        exchange.then.there.splice(0..0, [goes, takes]);
        draft.contract(StepSpec::Exchange(exchange));
        if draft.keeps() {
            draft.contract(StepSpec::Last(LastSpec {
                title: format!("drop the type that {} has taken the place of", kind.plain()),
                sql: vec![format!("DROP TYPE {hidden}")],
            }));
        }
    }

    /// Refuses labels that are not there, and users of the type that are not carried over.
    fn compare(&self, draft: &mut Draft<'_>, known: &Enum) {
        for label in [&self.value, &self.to] {
            if known.place(label).is_none() {
                draft.refuse(format!(
                    "type {} has no label {}: it has {}",
                    self.kind.plain(),
                    said(label),
                    labels_said(&known.labels)
                ));
            }
        }
        let mut left: Vec<&str> = Vec::new();
        for user in &known.users {
            if !self.carries(draft, user) {
                left.push(&user.said);
            }
        }
        if !left.is_empty() {
            draft.refuse(format!(
                "{} would keep the old type {}: name every column that there is in columns; an array, a domain, a view \
                 or an argument of a function cannot be carried over, and goes in a plan of its own before this one",
                left.join(", "),
                self.kind.plain()
            ));
        }
    }

    /// Whether something that uses the type is one of the columns, or comes along with one.
    fn carries(&self, draft: &Draft<'_>, user: &User) -> bool {
        let Some(relation) = user.relation.as_ref().filter(|_| !user.array) else { return false };
        let is = |name: &QName| QName::parse(relation).is_ok_and(|relation| relation.may_be(name));
        self.columns.iter().any(|(table, column)| {
            let Some(known) = draft.table(table) else { return false };
            let mine = |columns: &[String]| columns.iter().any(|name| name == column.as_str());
            let called = |name: &String| user.called.as_ref() == Some(name);
            // Of a partition the column and its default follow.
            let below = known.own.contains(relation);
            match user.kind.as_str() {
                "column" | "default" => (is(table) || below) && called(&column.as_str().to_owned()),
                "index" => is(table) && known.indexes_of(column).any(|index| called(&index.name)),
                "constraint" => {
                    let of_it = |one: &&super::known::Constraint| called(&one.name) && mine(&one.columns);
                    is(table) && known.constraints.iter().any(|one| of_it(&one))
                }
                "trigger" => {
                    let hangs = |one: &&super::known::Hanging| {
                        one.kind == "trigger" && one.column.as_deref() == Some(column.as_str())
                    };
                    let mut hanging = known.hanging.iter().filter(hangs);
                    is(table) && hanging.any(|one| one.called == user.called)
                }
                _ => false,
            }
        })
    }
}

/// The new type, with what the old one has beside its labels.
fn new_type(own: &QName, labels: &[String], known: &Enum) -> Sql {
    let mut sql = vec![format!("CREATE TYPE {own} AS ENUM ({})", labels_said(labels))];
    if let Some(comment) = &known.comment {
        sql.push(format!("COMMENT ON TYPE {own} IS {}", literal(comment)));
    }
    if let Some(grants) = &known.grants {
        if grants.iter().all(|grant| grant.to.is_some()) {
            sql.push(format!("REVOKE USAGE ON TYPE {own} FROM PUBLIC"));
        }
        sql.extend(grants.iter().map(|grant| grant.on_type(own)));
    }
    if let Some(owner) = known.owner.clone().and_then(|owner| Ident::exact(owner).ok()) {
        sql.push(format!("ALTER TYPE {own} OWNER TO {owner}"));
    }
    Sql::new(sql.join(";\n"), format!("DROP TYPE {own}"))
}
