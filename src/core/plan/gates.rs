//! Reads gates.

use super::durations;
use super::fault::Faults;
use super::model::{AppVersion, Gate, Gates, Place, Placed, Unused};
use super::raw::{RawGate, RawGates};
use super::yaml::{FlagOrList, Spanned, place};

pub(super) fn read(raw: RawGates, faults: &mut Faults<'_>) -> Gates {
    let mut gate = |raw: Option<Spanned<RawGate>>| raw.map(|raw| one(&raw, faults)).unwrap_or_default();
    Gates {
        expand: gate(raw.expand),
        backfill: gate(raw.backfill),
        validate: gate(raw.validate),
        contract: gate(raw.contract),
        purge: gate(raw.purge),
    }
}

fn one(spanned: &Spanned<RawGate>, faults: &mut Faults<'_>) -> Gate {
    let (at, raw) = (place(spanned), &spanned.value);
    for sql in &raw.query.0 {
        faults.take(at, "query", crate::core::sql::check_query(sql));
    }
    if raw.approvals.is_some_and(|wanted| wanted == 0) {
        faults.add(at, "approvals: 0 asks for nothing: leave it out");
    }
    Gate {
        deployed: raw.deployed.0.iter().filter_map(|text| app_version(text, at, faults)).collect(),
        soak: durations::read(raw.soak.as_ref(), faults),
        approvals: raw.approvals,
        query: raw.query.0.clone(),
        place: Some(at),
        unused: raw.unused.as_ref().and_then(|unused| {
            let value = match &unused.value {
                FlagOrList::Flag(false) => return None,
                FlagOrList::Flag(true) => Unused::WhatThePlanDrops,
                FlagOrList::List(columns) => Unused::Columns(columns.clone()),
            };
            Some(Placed { value, place: place(unused) })
        }),
    }
}

fn app_version(text: &str, at: Place, faults: &mut Faults<'_>) -> Option<AppVersion> {
    match text.split_once('@') {
        Some((app, version)) if !app.is_empty() && !version.is_empty() => {
            Some(AppVersion { app: app.into(), version: version.into() })
        }
        _ => {
            faults.add(
                at,
                format!("deployed: {text:?} is no application and version: write it like web@2.4.0"),
            );
            None
        }
    }
}
