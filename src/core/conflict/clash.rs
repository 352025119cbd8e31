//! Owns the clash: what two items do to one thing that does not go together.

use std::collections::BTreeMap;

use super::Grade;
use crate::core::footprint::Site;
use crate::core::sql::{How, Thing};

/// What two items do to one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// How bad it is, when both are open.
    pub grade: Grade,
    /// The thing, as the second of the two calls it.
    pub thing: Thing,
    /// What the first does to it.
    pub first: How,
    /// What the second does to it.
    pub second: How,
    /// Where the second does so.
    pub site: Site,
    /// What is wrong with it.
    pub matter: Matter,
    /// Whether the two mean one thing for sure.
    pub sure: bool,
    /// Whether the second names it only among all columns of its table.
    pub among_all: bool,
}

/// What is wrong with two that do something to one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matter {
    /// They must not be open at once.
    Shared,
    /// The second makes what the first has made, and nothing has taken it away.
    Twice,
    /// The second needs what the first takes away, and nothing brings it back.
    Gone,
}

/// One touch of one party.
pub(super) struct Touch<'a> {
    pub(super) party: usize,
    pub(super) thing: &'a Thing,
    pub(super) how: How,
    pub(super) site: &'a Site,
}

/// Whether a touch can clash with one that only reads.
pub(super) fn strong(touch: &Touch<'_>, tables: bool) -> bool {
    match touch.thing {
        Thing::Relation(_) => {
            touch.how.takes_away() || touch.how.makes() || (tables && touch.how != How::Reads)
        }
        Thing::Row(_) | Thing::Value(_) => false,
        // Whoever uses a schema minds only that it goes, or that it is there already.
        Thing::Schema(_) => touch.how.takes_away() || touch.how == How::Makes,
        _ => touch.how != How::Reads,
    }
}

pub(super) fn grade(a: &Touch<'_>, b: &Touch<'_>) -> Grade {
    match a.thing {
        _ if a.how.takes_away() || b.how.takes_away() => Grade::Error,
        Thing::Column(..) | Thing::Constraint(..) => Grade::Error,
        Thing::Relation(_) if a.how.makes() || b.how.makes() => Grade::Error,
        Thing::Type(_) | Thing::Function(..) | Thing::Statistics(_) | Thing::Piece(..) | Thing::Wide(..)
            if a.how.makes() && b.how.makes() =>
        {
            Grade::Error
        }
        _ => Grade::Warning,
    }
}

/// The clashes of each pair, the gravest of each thing.
#[derive(Default)]
pub(super) struct Found(BTreeMap<(usize, usize), BTreeMap<Thing, Clash>>);

impl Found {
    pub(super) fn add(&mut self, pair: (usize, usize), clash: Clash) {
        let of_pair = self.0.entry(pair).or_default();
        match of_pair.get_mut(&clash.thing) {
            Some(known) if clash.rank() > known.rank() => *known = clash,
            Some(_) => {}
            None => _ = of_pair.insert(clash.thing.clone(), clash),
        }
    }

    pub(super) fn sorted(self, tables: bool) -> BTreeMap<(usize, usize), Vec<Clash>> {
        let sorted = |of_pair: BTreeMap<Thing, Clash>| {
            let mut clashes: Vec<Clash> = of_pair.into_values().collect();
            clashes.retain(|clash| {
                tables
                    || clash.grade == Grade::Error
                    || !clash.sure
                    || !matches!(clash.thing, Thing::Relation(_))
            });
            clashes.sort_by_key(|clash| std::cmp::Reverse(clash.rank()));
            clashes
        };
        self.0.into_iter().map(|(pair, of_pair)| (pair, sorted(of_pair))).collect()
    }
}

/// How many things a sentence names.
const NAMED: usize = 3;

impl Clash {
    /// Of two touches of one thing, or of what may be one.
    pub(super) fn between(first: &Touch<'_>, second: &Touch<'_>, grade: Grade, sure: bool) -> Self {
        let (thing, site) = (second.thing.clone(), second.site.clone());
        let grade = if sure { grade } else { Grade::Warning };
        let (matter, among_all) = (Matter::Shared, false);
        Self { grade, thing, first: first.how, second: second.how, site, matter, sure, among_all }
    }

    /// Whether the two must not run like this, whatever is known of their state.
    pub(super) fn certain(&self) -> bool {
        self.sure && self.matter != Matter::Shared
    }

    /// Whether the second of the pair needs what the first has taken away.
    pub(super) const fn misses(&self) -> bool {
        self.first.takes_away() && !self.second.makes() && !matches!(self.second, How::Drops)
    }

    /// The strongest word on either side says most; of what is missed, how it is used.
    fn rank(&self) -> (bool, Matter, bool, bool, bool, u8) {
        let strength = if self.misses() {
            How::Drops as u8 - self.second as u8
        } else {
            10 * self.first.max(self.second) as u8 + self.first as u8 + self.second as u8
        };
        let part = !matches!(self.thing, Thing::Relation(_));
        (self.sure, self.matter, self.grade == Grade::Error, part, self.misses(), strength)
    }

    /// What the second of a pair does, and what `other` does to the same:
    /// `alters t.a, which 1_x drops; ...`, or `verb` in the place of the last word.
    /// `None`: they share nothing.
    pub(super) fn told<'a>(
        clashes: impl Iterator<Item = &'a Self>,
        other: &str,
        verb: Option<&str>,
    ) -> Option<String> {
        let all: Vec<&Self> = clashes.collect();
        let one = |clash: &&Self| {
            let does = verb.unwrap_or_else(|| clash.first.word());
            let all = if clash.among_all { " among all columns" } else { "" };
            let may = if clash.sure { "" } else { "may be what " };
            format!("{} {}{all}, which {may}{other} {does}", clash.second.word(), clash.thing)
        };
        let said: Vec<String> = all.iter().take(NAMED).map(one).collect();
        let more = all.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        if said.is_empty() { None } else { Some(said.join("; ") + &more) }
    }
}
