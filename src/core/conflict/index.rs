//! Finds the clashes between items, by an index of what they touch.

use std::collections::BTreeMap;

use super::Grade;
use super::clash::{Clash, Found, Touch, grade, strong};
use crate::core::footprint::{Footprint, same, same_name};
use crate::core::ident::Ident;
use crate::core::sql::{How, Thing};

/// Things that may be one stand under one key.
type Key<'a> = (u8, &'a Ident, Option<&'a Ident>);

/// What may clash, by the places of the two in the order of their timeline.
pub struct Rules<'a> {
    /// Whether tables that two share are looked at as well.
    pub tables: bool,
    /// Whether the second may miss what the first takes away.
    pub gone: &'a dyn Fn(usize, usize) -> bool,
    /// Whether the two may be open at once.
    pub open: &'a dyn Fn(usize, usize) -> bool,
}

/// The footprints of several items, by what they touch.
pub struct Index<'a> {
    parties: &'a [&'a Footprint],
    touches: BTreeMap<Key<'a>, Vec<Touch<'a>>>,
}

impl<'a> Index<'a> {
    /// Of footprints in the order of their timeline.
    #[must_use]
    pub fn new(parties: &'a [&'a Footprint]) -> Self {
        let mut touches: BTreeMap<Key<'a>, Vec<Touch<'a>>> = BTreeMap::new();
        for (party, footprint) in parties.iter().enumerate() {
            for (thing, how, site) in footprint.touches() {
                touches.entry(key(thing)).or_default().push(Touch { party, thing, how, site });
            }
        }
        Self { parties, touches }
    }

    /// The clashes of each pair, the gravest of each thing; of all that clash with an item
    /// over one thing, the nearest before it stands for them all.
    #[must_use]
    pub fn clashes(&self, rules: &Rules<'_>) -> BTreeMap<(usize, usize), Vec<Clash>> {
        let mut found = Found::default();
        for touches in self.touches.values() {
            for (n, second) in touches.iter().enumerate() {
                self.before(second, &touches[..n], rules, &mut found);
            }
        }
        for gone in self.touches.values().flatten().filter(|touch| touch.how.takes_away()) {
            self.parts(gone, rules, &mut found);
            self.spoken(gone, rules, &mut found);
        }
        found.sorted(rules.tables)
    }

    /// What clashes with `second` before it, the nearest first.
    fn before(&self, second: &Touch<'_>, earlier: &[Touch<'_>], rules: &Rules<'_>, found: &mut Found) {
        let (mut missed, mut shared) = (None, None);
        let strength = strong(second, rules.tables);
        for first in earlier.iter().rev().filter(|first| first.party != second.party) {
            if missed.is_some_and(|party| party != first.party)
                && shared.is_some_and(|party| party != first.party)
            {
                break;
            }
            if !(strength || strong(first, rules.tables)) || !same(first.thing, second.thing) {
                continue;
            }
            let pair = (first.party, second.party);
            let mut clash = Clash::between(first, second, grade(first, second));
            let due = |seen: Option<usize>| seen.is_none_or(|party| party == first.party);
            if due(missed) && (rules.gone)(pair.0, pair.1) && self.misses(&clash, pair) {
                clash.gone = true;
                missed = Some(first.party);
            } else if due(shared) && (rules.open)(pair.0, pair.1) {
                shared = Some(first.party);
            } else {
                continue;
            }
            found.add(pair, clash);
        }
    }

    /// Whether the second names what the first has taken away, and nothing from the one
    /// to the other brings it back. The names of constraints are often the server's own.
    fn misses(&self, clash: &Clash, (first, second): (usize, usize)) -> bool {
        let whole = match &clash.thing {
            Thing::Row(_) | Thing::Constraint(..) => return false,
            Thing::Column(table, _) => Some(Thing::Relation(table.clone())),
            other => other.schema().cloned().map(Thing::Schema),
        };
        clash.misses()
            && !self.makes(&clash.thing, first, second)
            && !whole.is_some_and(|whole| self.makes(&whole, first + 1, second))
    }

    fn makes(&self, thing: &Thing, from: usize, to: usize) -> bool {
        let made = |touch: &Touch<'_>| {
            touch.how == How::Makes && (from..=to).contains(&touch.party) && same(touch.thing, thing)
        };
        self.touches.get(&key(thing)).is_some_and(|touches| touches.iter().any(made))
    }

    /// What goes away with a whole: a column is part of every row, and a schema holds things.
    fn parts(&self, gone: &Touch<'_>, rules: &Rules<'_>, found: &mut Found) {
        match gone.thing {
            Thing::Column(table, _) => {
                for row in self.touches.get(&(2, &table.name, None)).into_iter().flatten() {
                    if row.thing.relation().is_some_and(|of| same_name(of, table)) {
                        pair(gone, row, Grade::Error, rules, found);
                    }
                }
            }
            Thing::Schema(schema) => {
                let inside =
                    self.touches.values().flatten().filter(|touch| touch.thing.schema() == Some(schema));
                inside.for_each(|touch| pair(gone, touch, Grade::Error, rules, found));
            }
            _ => {}
        }
    }

    /// Bodies of functions may use what goes: their words are all that is known of them.
    fn spoken(&self, gone: &Touch<'_>, rules: &Rules<'_>, found: &mut Found) {
        let Thing::Column(table, column) = gone.thing else { return };
        for (party, footprint) in self.parties.iter().enumerate() {
            let about = || {
                let of = |thing: &Thing| thing.relation().is_some_and(|of| same_name(of, table));
                footprint.says(table.name.as_str()) || footprint.touches().any(|(thing, ..)| of(thing))
            };
            if footprint.says(column.as_str()) && about() {
                let site = footprint.touches().map(|(.., site)| site).next().unwrap_or(gone.site);
                let words = Touch { party, thing: gone.thing, how: How::Reads, site };
                pair(gone, &words, Grade::Warning, rules, found);
            }
        }
    }
}

fn key(thing: &Thing) -> Key<'_> {
    match thing {
        Thing::Relation(name) => (0, &name.name, None),
        Thing::Column(table, column) => (1, &table.name, Some(column)),
        Thing::Row(table) => (2, &table.name, None),
        Thing::Constraint(table, name) => (3, &table.name, Some(name)),
        Thing::Type(name) => (4, &name.name, None),
        Thing::Function(name) => (5, &name.name, None),
        Thing::Schema(name) => (6, name, None),
    }
}

/// Two touches in whatever order, where the two may be open at once.
fn pair(a: &Touch<'_>, b: &Touch<'_>, grade: Grade, rules: &Rules<'_>, found: &mut Found) {
    let (first, second) = if a.party < b.party { (a, b) } else { (b, a) };
    if first.party != second.party && (rules.open)(first.party, second.party) {
        found.add((first.party, second.party), Clash::between(first, second, grade));
    }
}
