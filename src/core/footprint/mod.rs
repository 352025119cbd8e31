//! Derives the footprint: what an item makes, alters, renames, drops, writes
//! and reads, from its compiled steps and the queries of its gates.

mod alike;
mod changes;
mod implied;
#[cfg(test)]
mod tests;

pub use alike::{Likeness, SearchPath};

use std::collections::{BTreeMap, BTreeSet};

use crate::core::backfill::Backfill;
use crate::core::ident::{Ident, QName, list};
use crate::core::plan::model::{BackfillWork, Place};
use crate::core::sql::{How, Names, SqlError, Thing, Wide, closed, deep, names};
use crate::core::step::{Action, Phase, Step};
use crate::core::timeline::Item;

/// What an item touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Footprint {
    /// What it does to what, and where it does so first.
    touches: BTreeMap<(Thing, How), Site>,
    /// What it makes and takes away, in order.
    acts: Vec<(Thing, How)>,
    /// What comes along with what it makes, under names that the server chooses.
    implied: BTreeSet<Thing>,
    /// Whether it takes along what depends on something: CASCADE.
    cascades: bool,
    /// Words inside of what cannot be seen through: the bodies of functions and of DO.
    words: BTreeSet<String>,
    /// Where its names without a schema are looked up.
    path: SearchPath,
}

/// Where an item touches something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The step.
    pub step: String,
    /// The place in the file, where the file names the thing.
    pub place: Option<Place>,
    /// Whether it holds on to the thing: in an object that stays, in the triggers of a sync, or
    /// in what a plan runs after expand.
    pub lasting: bool,
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

    /// The footprint of an item: of its steps, and of the queries of its gates.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_item(item: &Item) -> Result<Self, SqlError> {
        let mut footprint = Self::of(&item.steps)?;
        footprint.path = item.path.clone();
        deep(|| {
            for phase in Phase::ALL {
                let gate = item.gate(phase);
                let step = format!("gates.{phase}");
                let site = Site { step, place: gate.place, lasting: phase > Phase::Expand };
                for sql in &gate.query {
                    for named in names(sql)? {
                        footprint.note(named, &site, &[], false);
                    }
                }
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
        self.touches().any(|(thing, how, _)| how.makes() && self.path.things(thing, wanted) == Likeness::One)
    }

    /// Whether something comes along with what it makes.
    #[must_use]
    pub fn implies(&self, wanted: &Thing) -> bool {
        self.implied.iter().any(|thing| self.path.things(thing, wanted) == Likeness::One)
    }

    /// What is not there any more under its name once all of it has run.
    pub fn takes_away(&self) -> impl Iterator<Item = (&Thing, How, &Site)> {
        self.touches().filter(|(thing, how, _)| how.takes_away() && !self.makes(thing))
    }

    /// Where its names without a schema are looked up.
    #[must_use]
    pub const fn path(&self) -> &SearchPath {
        &self.path
    }

    /// What it does first that decides whether something is there, or with `last`, what it does last.
    #[must_use]
    pub fn act(&self, wanted: &Thing, last: bool) -> Option<How> {
        let decides = |(thing, how): &&(Thing, How)| {
            self.path.things(thing, wanted) > Likeness::Apart
                || (how.takes_away() && self.holds(thing, wanted))
        };
        let found = if last { self.acts.iter().rfind(decides) } else { self.acts.iter().find(decides) };
        found.map(|(_, how)| *how)
    }

    /// Whether something, or the whole that it is a part of, is taken away in it.
    #[must_use]
    pub fn clears(&self, wanted: &Thing) -> bool {
        self.acts.iter().any(|(thing, how)| {
            how.takes_away()
                && (self.path.things(thing, wanted) > Likeness::Apart || self.holds(thing, wanted))
        })
    }

    /// Whether one thing goes when another does: a part with its table, whatever is in a schema with it.
    fn holds(&self, whole: &Thing, part: &Thing) -> bool {
        match whole {
            Thing::Schema(schema) => self.path.within(part, schema) > Likeness::Apart,
            Thing::Relation(table) => {
                matches!(part, Thing::Column(..) | Thing::Constraint(..) | Thing::Piece(..))
                    && part.relation().is_some_and(|of| self.path.names(of, table) > Likeness::Apart)
            }
            _ => false,
        }
    }

    /// Whether it may take a thing away without a word of it: what depends on what goes by CASCADE.
    #[must_use]
    pub const fn may_take_along(&self, thing: &Thing) -> bool {
        self.cascades
            && !matches!(thing, Thing::Column(..) | Thing::Schema(_) | Thing::Wide(Wide::Publication, _))
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
        // What stays of the program's own statements are the triggers of syncs.
        let lasting = own || step.phase > Phase::Expand;
        let (mut at, mut path) = (0, Vec::new());
        for sql in telling {
            for named in names(sql)? {
                let place = step.statements.get(at).copied().or(step.place);
                let site = Site { step: step.id.clone(), place, lasting: lasting || named.lasting };
                at += 1;
                path = named.path.clone().map_or(path, alike::known);
                self.note(named, &site, &path, own);
            }
        }
        Ok(())
    }

    /// What one statement touches, whose names without a schema are looked up along `path`;
    /// an empty one stands for the role's own. The program names constraints of its `own` by what
    /// they hold, and does not mind that one is there.
    fn note(&mut self, named: Names, site: &Site, path: &[Ident], own: bool) {
        let temporary: Vec<&QName> = named.changes.iter().filter_map(changes::temporary).collect();
        let changed = named.changes.iter().flat_map(changes::touches);
        for (thing, how) in changed.chain(named.touches) {
            if thing.relation().is_some_and(|table| temporary.contains(&table)) {
                continue;
            }
            let how = match thing {
                Thing::Constraint(..) if own && how == How::Makes => How::Ensures,
                _ => how,
            };
            // What is made is made in the first; the rest is found in any.
            let schemas = if how.makes() { path.get(..1).unwrap_or_default() } else { path };
            if schemas.is_empty() {
                self.touch(thing, how, site);
            } else {
                schemas.iter().for_each(|schema| self.touch(thing.clone().placed(schema), how, site));
            }
        }
        let implied = named.changes.iter().flat_map(implied::implied);
        self.implied.extend(implied.map(|thing| match path.first() {
            Some(schema) => thing.placed(schema),
            None => thing,
        }));
        self.cascades |= named.cascades;
        self.words.extend(named.bodies.iter().flat_map(|body| words(body)));
    }

    fn touch(&mut self, thing: Thing, how: How, site: &Site) {
        if how.makes() || how.takes_away() {
            self.acts.push((thing.clone(), how));
        }
        let known = self.touches.entry((thing, how)).or_insert_with(|| site.clone());
        if site.lasting && !known.lasting {
            *known = site.clone();
        }
    }
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

/// What a backfill does to a row, as statements that are read and never run; and what it asks
/// between its batches.
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
    sql.extend(backfill.tuning.throttle.query.clone());
    sql.extend(backfill.tuning.slo.as_ref().and_then(|slo| slo.query.clone()));
    sql
}

/// The words of a text, as SQL folds them and as they stand.
fn words(body: &str) -> impl Iterator<Item = String> {
    let words = body.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    words.filter(|word| !word.is_empty()).flat_map(|word| [word.to_lowercase(), word.to_owned()])
}
