//! Reads backfill entries.

use std::time::Duration;

use super::durations;
use super::fault::Faults;
use super::model::{BackfillSpec, BackfillWork, BatchSpec, Place, Placed, Triggers};
use super::raw::{RawBackfill, RawBatch, RawTriggers};
use super::throttle;
use super::yaml::{Pairs, Spanned, place};
use crate::core::backfill::tuning::TARGETS;
use crate::core::ident::{Ident, QName, plain};

/// The most keys that a batch may have: more is one big transaction.
const MAX_ROWS: u32 = 1_000_000;

/// How names begin that the statements of a backfill give to their own parts.
const OURS: &str = "_phase_";

pub(super) fn read(raw: Vec<Spanned<RawBackfill>>, faults: &mut Faults<'_>) -> Vec<Placed<BackfillSpec>> {
    let mut entries = Vec::new();
    for entry in raw {
        let at = place(&entry);
        entries.extend(one(entry.value, at, faults).map(|value| Placed { value, place: at }));
    }
    entries
}

fn one(raw: RawBackfill, at: Place, faults: &mut Faults<'_>) -> Option<BackfillSpec> {
    let table = faults.take(at, "table", QName::parse(&raw.table));
    if table.as_ref().is_some_and(|table| table.name.as_str().starts_with(OURS)) {
        faults.add(at, format!("table: names that begin with {OURS} are used in the statements of batches"));
    }
    let given = [raw.set.is_some(), raw.copy.is_some(), raw.delete == Some(true)];
    if given.iter().filter(|given| **given).count() != 1 {
        faults.add(at, "a backfill has exactly one of set, copy and delete: true");
        return None;
    }
    if raw.set.is_none() && raw.filter.is_none() {
        faults.add(at, "copy and delete need where: which rows are left to do, false for a row that is done");
    }
    let work = match (raw.set, raw.copy) {
        (Some(set), _) => pairs(set, at, faults).map(BackfillWork::Set),
        (None, Some(copy)) => {
            let into = faults.take(at, "into", QName::parse(&copy.into));
            pairs(copy.columns, at, faults)
                .zip(into)
                .map(|(columns, into)| BackfillWork::Copy { into, columns })
        }
        (None, None) => Some(BackfillWork::Delete),
    };
    let key = raw.key.map(|key| {
        if key.is_empty() {
            faults.add(at, "key: name at least one column");
        }
        key.iter().map(|name| faults.take(at, "key", Ident::parse(name))).collect::<Option<Vec<_>>>()
    });
    let batch = batch(&raw.batch, at, faults);
    let throttle = throttle::read(raw.throttle.as_ref(), faults);
    let window = throttle::window(raw.window.as_ref(), faults);
    Some(BackfillSpec {
        table: table?,
        work: work?,
        filter: raw.filter,
        key: key.map_or(Some(None), |key| key.map(Some))?,
        batch,
        workers: raw.workers.map(|workers| {
            if !(1..=64).contains(&workers.value) {
                faults.add(place(&workers), "workers: between 1 and 64");
            }
            Placed { place: place(&workers), value: workers.value }
        }),
        window,
        max_quarantine: raw.max_quarantine,
        triggers: raw.triggers.map(|triggers| match triggers {
            RawTriggers::Fire => Triggers::Fire,
            RawTriggers::Skip => Triggers::Skip,
        }),
        throttle,
    })
}

fn pairs(pairs: Pairs, at: Place, faults: &mut Faults<'_>) -> Option<Vec<(Ident, String)>> {
    if pairs.0.is_empty() {
        faults.add(at, "name at least one column and its expression");
    }
    let named: Vec<_> = pairs
        .0
        .into_iter()
        .map(|(name, expr)| Some((faults.take(at, "column", Ident::parse(&name))?, expr)))
        .collect();
    let named: Option<Vec<(Ident, String)>> = named.into_iter().collect();
    for (n, (column, _)) in named.iter().flatten().enumerate() {
        if named.iter().flatten().take(n).any(|(other, _)| other == column) {
            faults.add(at, format!("{} stands here twice", plain(column)));
        }
    }
    named
}

fn batch(raw: &RawBatch, at: Place, faults: &mut Faults<'_>) -> BatchSpec {
    for (name, rows) in [("rows", raw.rows), ("min_rows", raw.min_rows), ("max_rows", raw.max_rows)] {
        if rows.is_some_and(|rows| !(1..=MAX_ROWS).contains(&rows)) {
            faults.add(at, format!("batch: {name} must be between 1 and {MAX_ROWS}"));
        }
    }
    if raw.min_rows.zip(raw.max_rows).is_some_and(|(min, max)| min > max) {
        faults.add(at, "batch: min_rows is larger than max_rows");
    }
    let target: Option<Duration> = durations::read(raw.target.as_ref(), faults);
    if target.is_some_and(|target| !TARGETS.contains(&target)) {
        faults.add(raw.target.as_ref().map_or(at, place), "batch: target is from 1ms to 1m");
    }
    BatchSpec {
        rows: raw.rows,
        min_rows: raw.min_rows,
        max_rows: raw.max_rows,
        target: target.zip(raw.target.as_ref()).map(|(value, raw)| Placed { value, place: place(raw) }),
        pause: durations::read(raw.pause.as_ref(), faults),
        stripes: raw.stripes,
        synchronous_commit: raw.synchronous_commit,
    }
}
