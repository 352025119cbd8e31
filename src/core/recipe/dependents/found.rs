//! Finds what reads the columns of an exchange, once where it reads those of several tables, and each
//! after what it reads.

use super::super::known::{Dependent, Table};
use super::is_view;
use crate::core::ident::{Ident, QName};

/// A table of an exchange.
pub(in crate::core::recipe) struct Target<'a> {
    /// The table.
    pub(in crate::core::recipe) table: &'a QName,
    /// What is known of it.
    pub(in crate::core::recipe) known: &'a Table,
    /// Its columns that go, each with the one that takes its place.
    pub(in crate::core::recipe) pairs: Vec<(Ident, Ident)>,
}

impl Target<'_> {
    /// What reads one of its columns that go.
    pub(super) fn dependents(&self) -> impl Iterator<Item = &Dependent> {
        self.known.dependents.iter().filter(|one| self.pairs.iter().any(|(from, _)| one.reads(from)))
    }

    /// Of which kinds that is.
    pub(in crate::core::recipe) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.dependents().map(|one| one.kind.as_str())
    }

    /// The first of its columns that go which something reads.
    pub(super) fn read_by(&self, one: &Dependent) -> Option<&Ident> {
        let own = self.known.dependents.iter().find(|own| own.said == one.said)?;
        self.pairs.iter().map(|(from, _)| from).find(|from| own.reads(from))
    }

    /// Whether its primary key is among what changes places.
    fn exchanges_key(&self) -> bool {
        let goes = |name: &String| self.pairs.iter().any(|(from, _)| from.as_str() == name);
        self.known.constraints.iter().any(|one| one.kind == "p" && one.columns.iter().any(goes))
    }
}

/// What reads their columns, with what any of the tables says of it; `keyed` where it needs a
/// primary key that changes places.
pub(super) fn found(targets: &[Target<'_>]) -> Vec<Dependent> {
    let mut found: Vec<Dependent> = Vec::new();
    for target in targets {
        for one in target.dependents() {
            let one = Dependent { keyed: one.keyed && target.exchanges_key(), ..one.clone() };
            match found.iter_mut().find(|known| known.said == one.said) {
                Some(known) => unite(known, one),
                None => found.push(one),
            }
        }
    }
    // By whichever tables it is found, so is what reads it, which is further from each of them.
    found.sort_by_key(|one| one.level);
    found
}

fn unite(known: &mut Dependent, one: Dependent) {
    if is_view(known) {
        known.blocked.extend(one.blocked);
        known.blocked.sort();
        known.blocked.dedup();
    } else {
        // What belongs to one of the tables is of another table for the rest of them.
        known.blocked.retain(|why| one.blocked.contains(why));
    }
    known.reads.extend(one.reads);
    known.level = known.level.max(one.level);
    known.keyed |= one.keyed;
    known.renamed |= one.renamed;
    known.remade |= one.remade;
}
