//! Owns the rule who may be open beside whom: no two items touch the same
//! column unless one depends on the other, and nobody gets ahead of what it builds on.

mod among;
mod clash;
mod index;
#[cfg(test)]
mod tests;

pub use among::{Conflict, Grade, Standing, among};
pub use clash::{Clash, Matter};
pub use index::{Index, Rules};

use std::collections::BTreeSet;

use crate::core::footprint::{Footprint, Likeness, SearchPath, Site};
use crate::core::ident::{Ident, QName, plain};
use crate::core::lint;
use crate::core::record::{Kind, Record};
use crate::core::sql::{How, SqlError, Thing, deep};
use crate::core::state::State;
use crate::core::step::Phase;
use crate::core::timeline::Item;
use crate::core::version::Version;

/// Gives every reason why `item` may not go on to `to` beside the other items
/// on record, one sentence each. What these touch is read from `files`.
#[must_use]
pub fn reasons(item: &Item, to: State, records: &[Record], files: &[Item]) -> Vec<String> {
    // A SQL migration goes all the way at once: what it builds on need not be over by then.
    let at_least = if item.kind == Kind::Sql { State::Expanded } else { to };
    let mut reasons: Vec<String> =
        item.depends_on.iter().filter_map(|on| behind(on, at_least, records)).collect();
    if starts(item, to) {
        reasons.extend(beside(item, records, files).iter().filter_map(|beside| beside.refusal(item)));
        reasons.extend(takes_from_below(item, records, files));
        reasons.extend(chains_with_below(item, records, files));
    }
    reasons
}

/// Gives what to know before `item` starts beside the other items on record:
/// tables that they share, one sentence each.
#[must_use]
pub fn cautions(item: &Item, records: &[Record], files: &[Item]) -> Vec<String> {
    beside(item, records, files).iter().filter_map(|beside| beside.caution(item)).collect()
}

/// Gives every reason why `item` may not be taken back: what builds on it and
/// is in flight, one sentence each.
#[must_use]
pub fn dependents(item: &Item, records: &[Record]) -> Vec<String> {
    let on_it =
        records.iter().filter(|other| other.depends_on.contains(&item.version) && !other.left_nothing());
    on_it
        .filter_map(|other| {
            let way = match other.kind {
                Kind::Plan if other.in_flight() => "abort",
                Kind::Sql if other.applied() || other.in_flight() => "rollback",
                _ => return None,
            };
            Some(format!(
                "{} depends on it and is {}: first run phase {way} {}",
                other.stem(),
                other.state,
                other.version
            ))
        })
        .collect()
}

/// Gives everything that `item` would use and that an older one, not over yet,
/// is going to take away, and what both would make, one sentence each.
///
/// # Errors
/// When SQL of an item cannot be read.
pub fn never_together(item: &Item, others: &[Item], records: &[Record]) -> Result<Vec<String>, SqlError> {
    let standing = |other: &Item| {
        let record = records.iter().find(|record| record.version == other.version);
        match record.map(|record| record.state) {
            Some(State::Completed | State::Aborted) => Standing::Over,
            _ if other.version > item.version => Standing::Over,
            _ => Standing::Open,
        }
    };
    let found = among(others, &standing)?;
    let certain = found.into_iter().filter(|conflict| conflict.certain && conflict.item == item.stem());
    Ok(certain.map(|conflict| conflict.described()).collect())
}

const fn starts(item: &Item, to: State) -> bool {
    match item.kind {
        Kind::Plan => matches!(to, State::Expanded),
        Kind::Sql => matches!(to, State::Completed),
    }
}

fn behind(on: &Version, to: State, records: &[Record]) -> Option<String> {
    let Some(record) = records.iter().find(|record| record.version == *on) else {
        return Some(format!("depends on {on}, which has not started: run phase expand"));
    };
    match record.state {
        State::Aborted => Some(format!("depends on {}, which was aborted", record.stem())),
        state if state >= to => None,
        state => Some(format!("depends on {}, which is {state} and not yet {to}", record.stem())),
    }
}

/// An item that is in flight beside one that wants to start.
struct Beside<'a> {
    record: &'a Record,
    /// What the two clash on; `None`: no file tells what it touches.
    clashes: Option<Vec<Clash>>,
    /// Whether it has steps before it that take locks.
    goes_on: bool,
}

/// What two items clash on that are both open.
fn pair(theirs: &Footprint, mine: &Footprint) -> Vec<Clash> {
    let rules = Rules {
        tables: true,
        order: &|_, _| false,
        meant: &|_, _| false,
        goes_on: &|_, _| false,
        open: &|_, _| true,
    };
    Index::new(&[theirs, mine], mine.path()).clashes(&rules).into_values().next().unwrap_or_default()
}

/// What `item` takes away at once from plans that it builds on and that are still open: their
/// triggers and batches would fail, so that building on them is no answer.
fn takes_from_below(item: &Item, records: &[Record], files: &[Item]) -> Vec<String> {
    let links = links(files, records, item);
    let Ok(mine) = Footprint::of_item(item) else { return Vec::new() };
    let below = records.iter().filter(|other| {
        other.kind == Kind::Plan && other.in_flight() && builds_on(&item.version, &other.version, &links)
    });
    let reason = |other: &Record| {
        let file = files.iter().find(|file| file.version == other.version)?;
        let clashes = pair(&Footprint::of_item(file).ok()?, &mine);
        let grave = clashes.iter().filter(|clash| clash.grade == Grade::Error);
        let taken = grave.filter(|clash| takes_at_once(item, clash));
        let what = Clash::told(taken, &format!("{} ({})", other.stem(), other.state), None)?;
        Some(format!("{what}: that one must complete first, because its triggers and batches use the name"))
    };
    below.filter_map(reason).collect()
}

/// Columns that plans which it builds on keep in step, and that `item` would keep in step too, or give a
/// default: triggers fire once each, so that a write of the one would not reach the other's columns, and
/// take a default for a value that somebody wrote.
fn chains_with_below(item: &Item, records: &[Record], files: &[Item]) -> Vec<String> {
    let links = links(files, records, item);
    let kept = |item: &Item| {
        let syncs = item.steps.iter().filter(|step| step.phase == Phase::Expand && !step.syncs.is_empty());
        Footprint::of(&syncs.cloned().collect::<Vec<_>>()).ok()
    };
    let Some(mine) = kept(item) else { return Vec::new() };
    let early = item.steps.iter().filter(|step| matches!(step.phase, Phase::Expand | Phase::Validate));
    let given: Vec<_> =
        deep(|| early.filter_map(|step| lint::defaults(step).ok()).flatten().collect()).unwrap_or_default();
    let below =
        records.iter().filter(|other| other.in_flight() && builds_on(&item.version, &other.version, &links));
    let reason = |other: &Record| {
        let theirs = kept(files.iter().find(|file| file.version == other.version)?)?;
        let kept_by_it = |table: &QName, column: &Ident| {
            theirs.touches().any(|(thing, how, _)| {
                how != How::Reads
                    && matches!(thing, Thing::Column(of, name) if name == column && of.may_be(table))
            })
        };
        if let Some((table, column)) = given.iter().find(|(table, column)| kept_by_it(table, column)) {
            return Some(format!(
                "{} ({}) keeps {}.{} in step, and would take a default for a value that somebody wrote: that one must complete \
                 first",
                other.stem(),
                other.state,
                table.plain(),
                plain(column)
            ));
        }
        let shared = theirs.touches().find_map(|(thing, theirs_do, _)| {
            let Thing::Column(table, column) = thing else { return None };
            let same = |(mine, how, _): &(&Thing, How, &Site)| {
                matches!(mine, Thing::Column(of, name) if name == column && of.may_be(table))
                    && (*how != How::Reads || theirs_do != How::Reads)
            };
            mine.touches().any(|touch| same(&touch)).then(|| format!("{}.{}", table.plain(), plain(column)))
        })?;
        Some(format!(
            "{} ({}) keeps {shared} in step, and so would this: a write of the one would not reach the columns of the other, so \
             that one must complete first (phase purge {} --now, once it is contracted)",
            other.stem(),
            other.state,
            other.version
        ))
    };
    below.filter_map(reason).collect()
}

/// Whether the second of a clash, which is `item`, takes a name away before anything can wait for the first.
fn takes_at_once(item: &Item, clash: &Clash) -> bool {
    let at_once = item.kind == Kind::Sql || clash.site.step.starts_with("expand.");
    at_once && clash.second.takes_away() && !clash.first.takes_away()
}

/// The items in flight that `item` neither builds on nor is built on by.
fn beside<'a>(item: &Item, records: &'a [Record], files: &[Item]) -> Vec<Beside<'a>> {
    let links = links(files, records, item);
    let related = |other: &Record| {
        builds_on(&item.version, &other.version, &links) || builds_on(&other.version, &item.version, &links)
    };
    let mine = Footprint::of_item(item).ok();
    let seen = |record: &'a Record| {
        let file = files.iter().find(|file| file.version == record.version);
        let theirs = file.and_then(|file| Footprint::of_item(file).ok());
        let clashes = mine.as_ref().zip(theirs).map(|(mine, theirs)| pair(&theirs, mine));
        Beside { record, clashes, goes_on: file.is_none_or(|file| goes_on(file, record)) }
    };
    let in_flight = records.iter().filter(|other| other.in_flight() && other.version != item.version);
    // Without a file nobody can try it again.
    let tried =
        |other: &Record| !other.left_nothing() || files.iter().any(|file| file.version == other.version);
    in_flight.filter(|other| !related(other) && tried(other)).map(seen).collect()
}

/// Whether an item has steps yet to come on its way to completion.
fn goes_on(item: &Item, record: &Record) -> bool {
    let done = match record.state {
        state if state != record.goal => return true,
        State::Planned => return true,
        State::Expanded => Phase::Expand,
        State::Backfilled => Phase::Backfill,
        State::Validated => Phase::Validate,
        State::Contracted => Phase::Contract,
        State::Completed | State::Aborted => return false,
    };
    item.steps.iter().any(|step| step.phase > done)
}

impl Beside<'_> {
    fn refusal(&self, item: &Item) -> Option<String> {
        let Record { version, state, .. } = self.record;
        let what = match &self.clashes {
            Some(clashes) => {
                let grave = clashes.iter().filter(|clash| clash.grade == Grade::Error);
                Clash::told(grave, &format!("{} ({state})", self.record.stem()), None)?
            }
            None => {
                let table = shared_table(item, &self.record.tables)?;
                format!("touches table {table}, which {} ({state}) is changing", self.record.stem())
            }
        };
        let grave = || self.clashes.iter().flatten().filter(|clash| clash.grade == Grade::Error);
        if grave().any(Clash::misses)
            && *state == State::Contracted
            && self.record.goal == *state
            && item.kind == Kind::Plan
        {
            // Its change is made: the name may be that of what has taken the place already.
            return Some(format!(
                "{what}: where it is about what stands there now, say depends_on: [{version}]; else use what takes its place, or \
                 let that one complete (phase purge {version} --now ends its undo window)"
            ));
        }
        if grave().any(Clash::misses) {
            return Some(format!("{what}: let that one complete, or use what takes its place"));
        }
        if grave().any(|clash| takes_at_once(item, clash)) {
            return Some(format!("{what}: let that one complete first"));
        }
        let (say, end) = match item.kind {
            Kind::Plan => ("depends_on: [", "]"),
            Kind::Sql => ("-- depends_on: ", ""),
        };
        Some(format!("{what}: let it complete, or say {say}{version}{end} where the two belong together"))
    }

    fn caution(&self, item: &Item) -> Option<String> {
        let clashes = self.clashes.as_ref()?;
        if !self.goes_on || clashes.iter().any(|clash| clash.grade == Grade::Error) {
            return None;
        }
        let told =
            Clash::told(clashes.iter(), &format!("{} ({})", self.record.stem(), self.record.state), None)?;
        Some(format!("{}: it {told}: each waits for the other's locks", item.file))
    }
}

/// Who names whom in `depends_on`.
type Links<'a> = Vec<(&'a Version, &'a [Version])>;

fn links<'a>(files: &'a [Item], records: &'a [Record], item: &'a Item) -> Links<'a> {
    let on_file = files.iter().chain([item]).map(|item| (&item.version, item.depends_on.as_slice()));
    on_file.chain(records.iter().map(|record| (&record.version, record.depends_on.as_slice()))).collect()
}

/// Whether one builds on another, itself or through those in between.
fn builds_on(one: &Version, another: &Version, links: &Links<'_>) -> bool {
    let (mut open, mut seen) = (vec![one], BTreeSet::new());
    while let Some(version) = open.pop() {
        if !seen.insert(version.number()) {
            continue;
        }
        for on in links.iter().filter(|(from, _)| *from == version).flat_map(|(_, on)| on.iter()) {
            if on == another {
                return true;
            }
            open.push(on);
        }
    }
    false
}

/// Whether an item touches one of some tables of another, by what it is known to touch.
#[must_use]
pub fn shared_table<'a>(item: &'a Item, theirs: &[String]) -> Option<&'a String> {
    item.tables.iter().find(|table| theirs.iter().any(|their| same_table(&item.path, table, their)))
}

/// Whether two names, as they are written, may mean one table.
#[must_use]
pub fn same_table(path: &SearchPath, a: &str, b: &str) -> bool {
    match (QName::parse(a), QName::parse(b)) {
        (Ok(a), Ok(b)) => path.names(&a, &b) > Likeness::Apart,
        _ => a == b,
    }
}
