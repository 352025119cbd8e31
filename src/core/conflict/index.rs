//! Finds the clashes between items, by an index of what they touch.

use std::collections::BTreeMap;

use super::Grade;
use super::clash::{Clash, Found, Matter, Touch, grade, strong};
use crate::core::footprint::{Footprint, Likeness, SearchPath};
use crate::core::ident::{Ident, QName};
use crate::core::sql::{How, Thing};

/// Things that may be one stand under one key.
type Key<'a> = (u8, &'a Ident, Option<&'a Ident>);

/// What may clash, by the places of the two in the order of their timeline.
pub struct Rules<'a> {
    /// Whether tables that two share are looked at as well.
    pub tables: bool,
    /// Whether the two run in this order, so that the second may miss what the first takes
    /// away, or make what it has made.
    pub order: &'a dyn Fn(usize, usize) -> bool,
    /// Whether the second may say that it is meant to follow the first.
    pub meant: &'a dyn Fn(usize, usize) -> bool,
    /// Whether the first may go on when the second has begun, even if the one builds on the other.
    pub goes_on: &'a dyn Fn(usize, usize) -> bool,
    /// Whether the two may be open at once.
    pub open: &'a dyn Fn(usize, usize) -> bool,
}

/// The footprints of several items, by what they touch.
pub struct Index<'a> {
    parties: &'a [&'a Footprint],
    path: &'a SearchPath,
    touches: BTreeMap<Key<'a>, Vec<Touch<'a>>>,
}

/// Which older items stand for all that clash with one over one thing.
#[derive(Default)]
struct Nearest {
    gone: Option<usize>,
    twice: Option<usize>,
    shared: Option<usize>,
    doubtful: Option<usize>,
}

impl Nearest {
    /// Whether an item may still be told of; the nearest is always.
    fn due(seen: &mut Option<usize>, party: usize) -> bool {
        *seen.get_or_insert(party) == party
    }
}

impl<'a> Index<'a> {
    /// Of footprints in the order of their timeline.
    #[must_use]
    pub fn new(parties: &'a [&'a Footprint], path: &'a SearchPath) -> Self {
        let mut touches: BTreeMap<Key<'a>, Vec<Touch<'a>>> = BTreeMap::new();
        for (party, footprint) in parties.iter().enumerate() {
            for (thing, how, site) in footprint.touches() {
                touches.entry(key(thing)).or_default().push(Touch { party, thing, how, site });
            }
        }
        Self { parties, path, touches }
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
            match gone.thing {
                Thing::Column(..) => self.rows(gone, rules, &mut found),
                Thing::Relation(table) => {
                    self.typed(gone, table, rules, &mut found);
                    self.arrays(gone, table, rules, &mut found);
                }
                Thing::Type(name) => self.arrays(gone, name, rules, &mut found),
                Thing::Schema(schema) => self.inside(gone, schema, rules, &mut found),
                _ => {}
            }
            self.spoken(gone, rules, &mut found);
        }
        found.sorted(rules.tables)
    }

    /// What clashes with `second` before it, the nearest first.
    fn before(&self, second: &Touch<'_>, earlier: &[Touch<'_>], rules: &Rules<'_>, found: &mut Found) {
        let mut nearest = Nearest::default();
        let strength = strong(second, rules.tables);
        for first in earlier.iter().rev().filter(|first| first.party != second.party) {
            if !(strength || strong(first, rules.tables)) {
                continue;
            }
            let like = self.path.things(first.thing, second.thing);
            if like == Likeness::Apart {
                continue;
            }
            let (party, pair, sure) = (first.party, (first.party, second.party), like == Likeness::One);
            let grade = grade(first, second);
            let mut clash = Clash::between(first, second, grade, sure);
            let (gone, twice) = (self.goes(&clash, pair, rules), self.twice(&clash, pair, rules));
            if !sure {
                let grave = grade == Grade::Error && (gone || twice || (rules.open)(pair.0, pair.1));
                if grave && Nearest::due(&mut nearest.doubtful, party) {
                    found.add(pair, clash);
                }
            } else if gone && Nearest::due(&mut nearest.gone, party) {
                clash.matter = Matter::Gone;
                found.add(pair, clash);
            } else if twice && Nearest::due(&mut nearest.twice, party) {
                (clash.matter, clash.grade) = (Matter::Twice, Grade::Error);
                found.add(pair, clash);
            } else if (rules.open)(pair.0, pair.1) && Nearest::due(&mut nearest.shared, party) {
                found.add(pair, clash);
            }
        }
    }

    /// Whether the second needs what the first takes away, is not meant to follow it so, and
    /// nothing from the one to the other brings it back. The names of constraints are often
    /// the server's own.
    fn goes(&self, clash: &Clash, (first, second): (usize, usize), rules: &Rules<'_>) -> bool {
        let named = !matches!(clash.thing, Thing::Row(_) | Thing::Value(_) | Thing::Constraint(..));
        let due = (rules.order)(first, second) && !(rules.meant)(first, second);
        named && due && clash.misses() && !self.back(&clash.thing, first, second)
    }

    /// Whether something that the first takes away is there again for the second.
    fn back(&self, thing: &Thing, first: usize, second: usize) -> bool {
        let whole = match thing {
            Thing::Column(table, _) | Thing::Piece(_, table, _) => Some(Thing::Relation(table.clone())),
            other => other.schema().cloned().map(Thing::Schema),
        };
        self.makes(thing, first, second) || whole.is_some_and(|whole| self.makes(&whole, first + 1, second))
    }

    fn makes(&self, thing: &Thing, from: usize, to: usize) -> bool {
        let made = |touch: &Touch<'_>| {
            touch.how.makes()
                && (from..=to).contains(&touch.party)
                && self.path.things(touch.thing, thing) == Likeness::One
        };
        self.touches.get(&key(thing)).is_some_and(|touches| touches.iter().any(made))
            || self.parties[from..=to].iter().any(|party| party.implies(thing))
    }

    /// Whether the second makes what the first leaves behind, and nothing from the one to
    /// the other takes it away.
    fn twice(&self, clash: &Clash, (first, second): (usize, usize), rules: &Rules<'_>) -> bool {
        let thing = &clash.thing;
        let told = !matches!(thing, Thing::Function(_, None));
        told && clash.first.makes()
            && clash.second == How::Makes
            && (rules.order)(first, second)
            && self.parties[first].act(thing, true).is_some_and(How::makes)
            && self.parties[second].act(thing, false).is_some_and(How::makes)
            && !self.parties[first + 1..second].iter().any(|between| between.clears(thing))
            && !self.parties[first..=second].iter().any(|party| party.may_take_along(thing))
    }

    /// A column that goes is part of every row: what holds on to all columns needs it as well.
    fn rows(&self, gone: &Touch<'_>, rules: &Rules<'_>, found: &mut Found) {
        let Thing::Column(table, _) = gone.thing else { return };
        for (kind, level) in [(ROW, Grade::Error), (VALUE, Grade::Warning)] {
            let rows = self.touches.get(&(kind, &table.name, None)).into_iter().flatten();
            for row in rows.filter(|row| row.party != gone.party) {
                let like = row.thing.relation().map_or(Likeness::Apart, |of| self.path.names(of, table));
                let named = Touch { thing: gone.thing, ..*row };
                let (first, second) = in_order(gone, &named);
                let pair = (first.party, second.party);
                let mut clash = Clash::between(first, second, level, like == Likeness::One);
                clash.among_all = pair.0 == gone.party;
                // What goes at once is gone before the second writes out its columns.
                let held = clash.among_all
                    && (kind, like) == (ROW, Likeness::One)
                    && row.site.lasting
                    && !gone.site.step.starts_with("expand.")
                    && (rules.goes_on)(pair.0, pair.1)
                    && self.goes(&clash, pair, rules);
                if held {
                    clash.matter = Matter::Gone;
                }
                if like > Likeness::Apart && (held || (rules.open)(pair.0, pair.1)) {
                    found.add(pair, clash);
                }
            }
        }
    }

    /// A table is a type as well: that of its rows.
    fn typed(&self, gone: &Touch<'_>, table: &QName, rules: &Rules<'_>, found: &mut Found) {
        for touch in self.touches.get(&(TYPE, &table.name, None)).into_iter().flatten() {
            let like = touch.thing.name().map_or(Likeness::Apart, |of| self.path.names(of, table));
            if touch.how == How::Reads {
                self.part(gone, &Touch { thing: gone.thing, ..*touch }, like, rules, found);
            }
        }
    }

    /// The array of a type has a name of its own, `_name`, unless something else was made under it.
    fn arrays(&self, gone: &Touch<'_>, of: &QName, rules: &Rules<'_>, found: &mut Found) {
        let Ok(name) = Ident::exact(format!("_{}", of.name.as_str())) else { return };
        let made = |key: Key<'_>| {
            let touches = self.touches.get(&key);
            touches.is_some_and(|touches| touches.iter().any(|touch| touch.how.makes()))
        };
        if !made((TYPE, &name, None)) && !made((RELATION, &name, None)) {
            self.typed(gone, &of.sibling(name), rules, found);
        }
    }

    /// A schema that goes takes along whatever stands in it.
    fn inside(&self, gone: &Touch<'_>, schema: &Ident, rules: &Rules<'_>, found: &mut Found) {
        for touch in self.touches.values().flatten() {
            let like = self.path.within(touch.thing, schema);
            // What is made in it needs the schema, and not what stood there.
            if touch.how.makes() && touch.thing.schema().is_some() {
                let schema = Touch { thing: gone.thing, how: How::Reads, ..*touch };
                self.part(gone, &schema, like, rules, found);
            } else {
                self.part(gone, touch, like, rules, found);
            }
        }
    }

    /// What goes with a whole.
    fn part(&self, gone: &Touch<'_>, part: &Touch<'_>, like: Likeness, rules: &Rules<'_>, found: &mut Found) {
        let (first, second) = in_order(gone, part);
        let pair = (first.party, second.party);
        if like == Likeness::Apart || pair.0 == pair.1 {
            return;
        }
        let mut clash = Clash::between(first, second, Grade::Error, like == Likeness::One);
        let missed =
            gone.party == pair.0 && self.goes(&clash, pair, rules) && !self.makes(gone.thing, pair.0, pair.1);
        if missed && clash.sure {
            clash.matter = Matter::Gone;
        }
        if missed || (rules.open)(pair.0, pair.1) {
            found.add(pair, clash);
        }
    }

    /// Bodies of functions may use what goes: their words are all that is known of them.
    fn spoken(&self, gone: &Touch<'_>, rules: &Rules<'_>, found: &mut Found) {
        let Thing::Column(table, column) = gone.thing else { return };
        for (party, footprint) in self.parties.iter().enumerate() {
            let about = || {
                let of = |thing: &Thing| {
                    thing.relation().is_some_and(|of| self.path.names(of, table) > Likeness::Apart)
                };
                footprint.says(table.name.as_str()) || footprint.touches().any(|(thing, ..)| of(thing))
            };
            if party != gone.party && footprint.says(column.as_str()) && about() {
                let site = footprint.touches().map(|(.., site)| site).next().unwrap_or(gone.site);
                let words = Touch { party, thing: gone.thing, how: How::Reads, site };
                let (first, second) = in_order(gone, &words);
                if (rules.open)(first.party, second.party) {
                    let clash = Clash::between(first, second, Grade::Warning, true);
                    found.add((first.party, second.party), clash);
                }
            }
        }
    }
}

/// The first number of the key of relations, of rows, of rows as values, and of types.
const RELATION: u8 = 0;
const ROW: u8 = 2;
const VALUE: u8 = 8;
const TYPE: u8 = 4;

/// Two touches in the order of their timeline.
const fn in_order<'a, 'b>(a: &'b Touch<'a>, b: &'b Touch<'a>) -> (&'b Touch<'a>, &'b Touch<'a>) {
    if a.party < b.party { (a, b) } else { (b, a) }
}

fn key(thing: &Thing) -> Key<'_> {
    match thing {
        Thing::Relation(name) => (RELATION, &name.name, None),
        Thing::Column(table, column) => (1, &table.name, Some(column)),
        Thing::Row(table) => (ROW, &table.name, None),
        Thing::Value(table) => (VALUE, &table.name, None),
        Thing::Constraint(table, name) => (3, &table.name, Some(name)),
        Thing::Type(name) => (TYPE, &name.name, None),
        Thing::Function(name, _) => (5, &name.name, None),
        Thing::Statistics(name) => (6, &name.name, None),
        Thing::Piece(piece, table, name) => (10 + *piece as u8, &table.name, Some(name)),
        Thing::Wide(wide, name) => (20 + *wide as u8, name, None),
        Thing::Schema(name) => (7, name, None),
    }
}
