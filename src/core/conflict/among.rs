//! Looks for conflicts among the items of a project, in the order of its timeline.

use std::collections::BTreeSet;

use serde::Serialize;

use super::clash::{Clash, Matter};
use super::index::{Index, Rules};
use super::{Links, builds_on};
use crate::core::footprint::{Footprint, SearchPath};
use crate::core::record::Kind;
use crate::core::sql::{Piece, SqlError, Thing, Wide, deep_each};
use crate::core::step::Phase;
use crate::core::timeline::Item;

/// How bad a conflict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// The two must not run like this.
    Error,
    /// It is to be looked at.
    Warning,
}

/// What is known of where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is completed, aborted, or declared to be so.
    Over,
    /// It has started, or is going to.
    Open,
    /// Nobody asked the record.
    Unknown,
}

/// Two items that do not go together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// How bad it is.
    pub level: Grade,
    /// The file of the newer one.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// The column in it, from 1.
    pub column: usize,
    /// The newer one.
    pub item: String,
    /// The older one.
    pub with: String,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Whether the newer one cannot run after the older one, whatever is known of their state.
    #[serde(skip)]
    pub certain: bool,
}

impl Conflict {
    /// The place and the sentence.
    #[must_use]
    pub fn described(&self) -> String {
        format!("{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

/// Every conflict between two items that are not over, the newest first. Two that touch
/// the same column must not both be open; what an older one takes away no newer one may
/// use, and what it makes no newer one may make again, whatever their standing, because
/// the newer one fails wherever the two run in order.
///
/// # Errors
/// When SQL of an item cannot be read.
pub fn among(
    items: &[Item],
    standing: &(dyn Fn(&Item) -> Standing + Sync),
) -> Result<Vec<Conflict>, SqlError> {
    let open = items.iter().map(|item| (item, standing(item)));
    let open: Vec<_> = open.filter(|(_, standing)| *standing != Standing::Over).collect();
    let mut parties = deep_each(&open, |(item, standing)| {
        Ok::<_, SqlError>((*item, *standing, Footprint::of_item(item)?))
    })?;
    parties.sort_by(|(a, ..), (b, ..)| a.version.cmp(&b.version));
    let ancestors = ancestors(&parties, items);
    let footprints: Vec<&Footprint> = parties.iter().map(|(.., footprint)| footprint).collect();
    let kind = |party: usize| parties[party].0.kind;
    let builds = |older: usize, newer: usize| ancestors[newer].contains(&older);
    let rules = Rules {
        tables: parties.iter().all(|(_, standing, _)| *standing == Standing::Open),
        order: &|_, _| true,
        meant: &|older, newer| kind(newer) == Kind::Sql && builds(older, newer),
        // A SQL migration is over before anything newer begins.
        goes_on: &|older, _| kind(older) == Kind::Plan,
        open: &|older, newer| kind(older) == Kind::Plan && !builds(older, newer),
    };
    let assumed = SearchPath::default();
    let path = footprints.first().map_or(&assumed, |footprint| footprint.path());
    let mut found = Vec::new();
    for ((first, second), clashes) in Index::new(&footprints, path).clashes(&rules) {
        let (older, newer) = (&parties[first], &parties[second]);
        let Some(first) = clashes.first() else { continue };
        // One that only expands is done with its locks before anything newer begins.
        let only_locks = first.grade == Grade::Warning && first.sure && !first.among_all;
        if only_locks && !older.0.steps.iter().any(|step| step.phase > Phase::Expand) {
            continue;
        }
        let both = older.1 == Standing::Open && newer.1 == Standing::Open;
        let grade = match () {
            () if first.certain() => Grade::Error,
            () if both => first.grade,
            () => Grade::Warning,
        };
        let (same, verb): (Vec<&Clash>, _) = match first.matter {
            Matter::Gone => (of_matter(&clashes, Matter::Gone), Some("takes away")),
            Matter::Twice => (whole(of_matter(&clashes, Matter::Twice)), None),
            Matter::Shared => {
                let sort = |clash: &Clash| (clash.grade, clash.sure, clash.among_all);
                let alike = |clash: &&Clash| sort(clash) == sort(first);
                (clashes.iter().filter(alike).collect(), None)
            }
        };
        let Some(at) = same.first() else { continue };
        let Some(what) = Clash::told(same.iter().copied(), &older.0.stem(), verb) else { continue };
        found.push(conflict(newer.0, older.0, grade, at, &what));
    }
    found.reverse();
    Ok(found)
}

fn of_matter(clashes: &[Clash], matter: Matter) -> Vec<&Clash> {
    clashes.iter().filter(|clash| clash.matter == matter).collect()
}

/// Without the columns and constraints of a table that is itself among them.
fn whole(mut clashes: Vec<&Clash>) -> Vec<&Clash> {
    let is_table = |clash: &&Clash| matches!(clash.thing, Thing::Relation(_));
    if clashes.iter().any(is_table) {
        clashes.retain(is_table);
    }
    clashes
}

/// The places of what each item builds on, itself or through those in between.
fn ancestors(parties: &[(&Item, Standing, Footprint)], items: &[Item]) -> Vec<BTreeSet<usize>> {
    let links: Links<'_> = items.iter().map(|item| (&item.version, item.depends_on.as_slice())).collect();
    let of = |item: &Item| {
        let known = parties.iter().enumerate().take_while(|(_, (other, ..))| other.version < item.version);
        let on = known.filter(|(_, (other, ..))| builds_on(&item.version, &other.version, &links));
        on.map(|(place, _)| place).collect()
    };
    parties
        .iter()
        .map(|(item, ..)| if item.depends_on.is_empty() { BTreeSet::new() } else { of(item) })
        .collect()
}

fn conflict(newer: &Item, older: &Item, level: Grade, at: &Clash, what: &str) -> Conflict {
    let say = match newer.kind {
        Kind::Plan => format!("depends_on: [{}]", older.version),
        Kind::Sql => format!("-- depends_on: {}", older.version),
    };
    let message = match at.matter {
        Matter::Gone if at.among_all => {
            format!("it {what}: let that one complete first, or write out the columns that it needs")
        }
        Matter::Gone => format!("it {what}: let that one complete, or use what takes its place"),
        Matter::Twice => format!(
            "it {what} as well: leave it to that one, or {}",
            match at.thing {
                Thing::Type(_)
                | Thing::Constraint(..)
                | Thing::Piece(Piece::Policy, ..)
                | Thing::Wide(Wide::Publication | Wide::EventTrigger, _) => "choose another name",
                Thing::Function(..) | Thing::Piece(Piece::Rule, ..) => "say OR REPLACE",
                Thing::Piece(Piece::Trigger, ..) => "say OR REPLACE (14 and up), or drop it first",
                _ => "say IF NOT EXISTS",
            }
        ),
        Matter::Shared if !at.sure => format!(
            "it {what}, if the search_path leads there: write the schema with both names, or ask phase check --online"
        ),
        Matter::Shared if at.among_all && at.grade == Grade::Warning => format!(
            "it {what}: what it makes of whole rows is another without it; say {say} where the two belong together"
        ),
        Matter::Shared if level == Grade::Error => {
            format!("it {what}: let that one complete, or say {say} where the two belong together")
        }
        Matter::Shared if at.grade == Grade::Error => {
            format!("it {what}: the two must not be open at once; say {say} where they belong together")
        }
        Matter::Shared => {
            format!("it {what}: each waits for the other's locks; say {say} where the two belong together")
        }
    };
    let place = at.site.place.unwrap_or(crate::core::plan::model::Place { line: 1, column: 1 });
    Conflict {
        level,
        file: newer.file.clone(),
        line: place.line,
        column: place.column,
        item: newer.stem(),
        with: older.stem(),
        message,
        certain: at.certain(),
    }
}
