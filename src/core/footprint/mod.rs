//! Derives the footprint: what an item makes, alters, renames, drops, writes
//! and reads, from its compiled steps.

mod changes;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::core::backfill::Backfill;
use crate::core::ident::{QName, list};
use crate::core::plan::model::{BackfillWork, Place};
use crate::core::sql::{How, SqlError, Thing, closed, deep, names};
use crate::core::step::{Action, Step};

/// What an item touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// What it does to what, and where it does so first.
    touches: BTreeMap<(Thing, How), Site>,
    /// Words inside of what cannot be seen through: the bodies of functions and of DO.
    words: BTreeSet<String>,
}

/// Where an item touches something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The step.
    pub step: String,
    /// The place in the file, where the file names the thing.
    pub place: Option<Place>,
}

impl Footprint {
    /// The footprint of steps.
    ///
    /// # Errors
    /// When their SQL does not parse; such an item is refused before it is one.
    pub fn of(steps: &[Step]) -> Result<Self, SqlError> {
        deep(|| {
            let mut footprint = Self::default();
            for step in steps {
                footprint.add(step)?;
            }
            Ok(footprint)
        })?
    }

    /// Everything that it does to something.
    pub fn touches(&self) -> impl Iterator<Item = (&Thing, How, &Site)> {
        self.touches.iter().map(|((thing, how), site)| (thing, *how, site))
    }

    /// Whether it makes something.
    #[must_use]
    pub fn makes(&self, wanted: &Thing) -> bool {
        self.touches().any(|(thing, how, _)| how == How::Makes && same(thing, wanted))
    }

    /// What is not there any more under its name once all of it has run.
    pub fn takes_away(&self) -> impl Iterator<Item = (&Thing, How, &Site)> {
        self.touches().filter(|(thing, how, _)| how.takes_away() && !self.makes(thing))
    }

    /// Whether a body that cannot be seen through says a word.
    #[must_use]
    pub fn says(&self, word: &str) -> bool {
        self.words.contains(word)
    }

    fn add(&mut self, step: &Step) -> Result<(), SqlError> {
        let own = step.statements.is_empty();
        let sql = match &step.action {
            Action::Backfill(backfill) => outline(backfill),
            action => action.sql(),
        };
        // What the program writes itself is known: of a sync, EXPLAIN UPDATE names each column.
        let telling = sql.iter().filter(|sql| !own || tells(sql));
        let mut at = 0;
        for sql in telling {
            for named in names(sql)? {
                let site =
                    Site { step: step.id.clone(), place: step.statements.get(at).copied().or(step.place) };
                at += 1;
                let temporary: Vec<&QName> = named.changes.iter().filter_map(changes::temporary).collect();
                let changed = named.changes.iter().flat_map(changes::touches);
                for touch in changed.chain(named.touches) {
                    if !touch.0.relation().is_some_and(|table| temporary.contains(&table)) {
                        self.touches.entry(touch).or_insert_with(|| site.clone());
                    }
                }
                self.words.extend(named.bodies.iter().flat_map(|body| words(body)));
            }
        }
        Ok(())
    }
}

/// Two names of one thing: a name without a schema may stand for any.
#[must_use]
pub fn same(a: &Thing, b: &Thing) -> bool {
    match (a, b) {
        (Thing::Relation(a), Thing::Relation(b))
        | (Thing::Row(a), Thing::Row(b))
        | (Thing::Type(a), Thing::Type(b))
        | (Thing::Function(a), Thing::Function(b)) => same_name(a, b),
        (Thing::Column(a, x), Thing::Column(b, y)) | (Thing::Constraint(a, x), Thing::Constraint(b, y)) => {
            x == y && same_name(a, b)
        }
        (Thing::Schema(a), Thing::Schema(b)) => a == b,
        _ => false,
    }
}

/// Two spellings of one name: without a schema it may stand for any.
#[must_use]
pub fn same_name(a: &QName, b: &QName) -> bool {
    a.name == b.name && (a.schema.is_none() || b.schema.is_none() || a.schema == b.schema)
}

/// Whether a statement of the program's own names what its plan touches.
fn tells(sql: &str) -> bool {
    [
        "EXPLAIN ",
        "ALTER ",
        "DROP TABLE",
        "DROP INDEX",
        "CREATE INDEX",
        "CREATE UNIQUE",
        "SELECT",
        "UPDATE",
        "INSERT",
        "DELETE",
    ]
    .iter()
    .any(|start| sql.starts_with(start))
        || !sql.starts_with(|first: char| first.is_ascii_uppercase())
}

/// What a backfill does to a row, as statements that are read and never run.
fn outline(backfill: &Backfill) -> Vec<String> {
    let table = &backfill.table;
    let bound =
        backfill.filter.as_ref().map(|filter| format!(" WHERE ({})", closed(filter))).unwrap_or_default();
    let mut sql = vec![match &backfill.work {
        BackfillWork::Set(set) => {
            let one = |(column, expr): &(_, String)| format!("{column} = ({})", closed(expr));
            let set: Vec<String> = set.iter().map(one).collect();
            format!("UPDATE {table} SET {}{bound}", set.join(", "))
        }
        BackfillWork::Copy { into, columns } => {
            let names: Vec<String> = columns.iter().map(|(column, _)| column.to_string()).collect();
            let values: Vec<String> = columns.iter().map(|(_, expr)| format!("({})", closed(expr))).collect();
            format!(
                "INSERT INTO {into} ({}) SELECT {} FROM {table}{bound}",
                names.join(", "),
                values.join(", ")
            )
        }
        BackfillWork::Delete => format!("DELETE FROM {table}{bound}"),
    }];
    sql.extend(backfill.key.as_ref().map(|key| format!("SELECT {} FROM {table}", list(key))));
    sql
}

/// The words of a text, as SQL folds them and as they stand.
fn words(body: &str) -> impl Iterator<Item = String> {
    let words = body.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    words.filter(|word| !word.is_empty()).flat_map(|word| [word.to_lowercase(), word.to_owned()])
}
