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
    /// Whether the second needs what the first has taken away, and nothing brings it back.
    pub gone: bool,
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
            touch.how.takes_away() || touch.how == How::Makes || (tables && touch.how != How::Reads)
        }
        Thing::Row(_) => false,
        _ => touch.how != How::Reads,
    }
}

pub(super) fn grade(a: &Touch<'_>, b: &Touch<'_>) -> Grade {
    let either = |how: How| a.how == how || b.how == how;
    match a.thing {
        _ if a.how.takes_away() || b.how.takes_away() => Grade::Error,
        Thing::Column(..) | Thing::Constraint(..) => Grade::Error,
        Thing::Relation(_) if either(How::Makes) => Grade::Error,
        Thing::Type(_) | Thing::Function(_) if a.how == How::Makes && b.how == How::Makes => Grade::Error,
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
                tables || clash.grade == Grade::Error || !matches!(clash.thing, Thing::Relation(_))
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
    pub(super) fn between(first: &Touch<'_>, second: &Touch<'_>, grade: Grade) -> Self {
        let (thing, site) = (second.thing.clone(), second.site.clone());
        Self { grade, thing, first: first.how, second: second.how, site, gone: false }
    }

    /// Whether the second of the pair needs what the first has taken away.
    pub(super) const fn misses(&self) -> bool {
        self.first.takes_away() && !matches!(self.second, How::Makes | How::Drops)
    }

    /// The strongest word on either side says most; of what is missed, how it is used.
    fn rank(&self) -> (bool, bool, bool, u8) {
        let strength = if self.misses() {
            How::Drops as u8 - self.second as u8
        } else {
            10 * self.first.max(self.second) as u8 + self.first as u8 + self.second as u8
        };
        (self.grade == Grade::Error, !matches!(self.thing, Thing::Relation(_)), self.misses(), strength)
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
            format!("{} {}, which {other} {does}", clash.second.word(), clash.thing)
        };
        let said: Vec<String> = all.iter().take(NAMED).map(one).collect();
        let more = all.len().saturating_sub(NAMED);
        let more = if more > 0 { format!("; and {more} more") } else { String::new() };
        if said.is_empty() { None } else { Some(said.join("; ") + &more) }
    }
}
