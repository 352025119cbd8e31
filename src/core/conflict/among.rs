//! Looks for conflicts among the items of a project, in the order of its timeline.

use std::collections::BTreeSet;

use serde::Serialize;

use super::clash::Clash;
use super::index::{Index, Rules};
use super::{Links, builds_on};
use crate::core::footprint::Footprint;
use crate::core::record::Kind;
use crate::core::sql::{SqlError, deep};
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
    /// Whether the newer one uses what the older one takes away.
    #[serde(skip)]
    pub uses_what_goes: bool,
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
/// use, whatever their standing, because the newer one runs into its absence wherever
/// the two run in order.
///
/// # Errors
/// When SQL of an item cannot be read.
pub fn among(
    items: &[Item],
    standing: &(dyn Fn(&Item) -> Standing + Sync),
) -> Result<Vec<Conflict>, SqlError> {
    let mut parties: Vec<(&Item, Standing, Footprint)> = deep(|| {
        let open = items.iter().map(|item| (item, standing(item)));
        open.filter(|(_, standing)| *standing != Standing::Over)
            .map(|(item, standing)| Ok((item, standing, Footprint::of(&item.steps)?)))
            .collect::<Result<_, SqlError>>()
    })??;
    parties.sort_by(|(a, ..), (b, ..)| a.version.cmp(&b.version));
    let ancestors = ancestors(&parties, items);
    let footprints: Vec<&Footprint> = parties.iter().map(|(.., footprint)| footprint).collect();
    let kind = |party: usize| parties[party].0.kind;
    let rules = Rules {
        tables: parties.iter().all(|(_, standing, _)| *standing == Standing::Open),
        gone: &|older, newer| !(kind(newer) == Kind::Sql && ancestors[newer].contains(&older)),
        // A SQL migration is over before anything newer begins.
        open: &|older, newer| kind(older) == Kind::Plan && !ancestors[newer].contains(&older),
    };
    let mut found = Vec::new();
    for ((first, second), clashes) in Index::new(&footprints).clashes(&rules) {
        let (older, newer) = (&parties[first], &parties[second]);
        let gone: Vec<&Clash> = clashes.iter().filter(|clash| clash.gone).collect();
        if let Some(at) = gone.first() {
            let what = Clash::told(gone.iter().copied(), &older.0.stem(), Some("takes away"));
            found.push(conflict(newer.0, older.0, Grade::Error, at, &what.unwrap_or_default()));
            continue;
        }
        let both = older.1 == Standing::Open && newer.1 == Standing::Open;
        let Some(first) = clashes.first() else { continue };
        let grade = if both { first.grade } else { Grade::Warning };
        let same = clashes.iter().filter(|clash| clash.grade == first.grade);
        let Some(what) = Clash::told(same, &older.0.stem(), None) else { continue };
        found.push(conflict(newer.0, older.0, grade, first, &what));
    }
    found.reverse();
    Ok(found)
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
    let message = if at.gone {
        format!("it {what}: let that one complete, or use what takes its place")
    } else if level == Grade::Error {
        format!("it {what}: let that one complete, or say {say} where the two belong together")
    } else if at.grade == Grade::Error {
        format!("it {what}: the two must not be open at once; say {say} where they belong together")
    } else {
        format!("it {what}: each waits for the other's locks; say {say} where the two belong together")
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
        uses_what_goes: at.gone,
    }
}
