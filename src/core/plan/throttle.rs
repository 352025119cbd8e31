//! Reads throttle, window and slo.

use std::time::Duration;

use super::durations;
use super::fault::Faults;
use super::model::{Place, ThrottleSpec};
use super::raw::{RawSlo, RawThrottle, RawUnknown};
use super::yaml::{Scalar, Spanned, place};
use crate::core::pace::signal::Signal;
use crate::core::pace::throttle::{Slo, Throttle, limit};
use crate::core::pace::window::Window;

/// How long a service level may be violated where the plan says nothing.
const GRACE: Duration = Duration::from_secs(60);

pub(super) fn read(raw: Option<&Spanned<RawThrottle>>, faults: &mut Faults<'_>) -> ThrottleSpec {
    let Some(raw) = raw else { return ThrottleSpec::default() };
    let at = place(raw);
    let raw = &raw.value;
    let mut watch = Throttle::default();
    let limits = [
        (Signal::ReplicaLag, &raw.replica_lag),
        (Signal::ReplicaBytes, &raw.replica_bytes),
        (Signal::SlotWal, &raw.slot_wal),
        (Signal::FreeWal, &raw.free_wal),
        (Signal::WalRate, &raw.wal_rate),
        (Signal::ArchiveBacklog, &raw.archive_backlog),
        (Signal::ActiveSessions, &raw.active_sessions),
        (Signal::LockWaiters, &raw.lock_waiters),
        (Signal::OldestTransaction, &raw.oldest_transaction),
        (Signal::WraparoundVacuum, &raw.wraparound_vacuum),
        (Signal::Bloat, &raw.bloat),
        (Signal::Checkpoints, &raw.checkpoints),
    ];
    for (signal, text) in limits {
        set(&mut watch, signal, text.as_ref(), faults);
    }
    for (signal, probe) in
        [(Signal::Query, &raw.query), (Signal::Http, &raw.http), (Signal::Command, &raw.command)]
    {
        if probe.is_some() {
            watch.limits.insert(signal, 1.0);
        }
    }
    (watch.query, watch.http, watch.command) = (raw.query.clone(), raw.http.clone(), raw.command.clone());
    check_query(watch.query.as_deref(), at, "throttle", faults);
    check_http(watch.http.as_deref(), at, "throttle", faults);
    watch.congestion = raw.congestion.unwrap_or(true);
    watch.unknown_stops = raw.unknown == Some(RawUnknown::Stop);
    watch.vacuum = raw.vacuum.unwrap_or(false);
    let nice = raw.nice.as_ref().map(|nice| {
        if !(0.0..=0.99).contains(&nice.value) {
            faults.add(place(nice), "nice: a share from 0 to 0.99");
        }
        nice.value
    });
    let rate = raw.rate.as_ref().map(|rate| {
        if rate.value == 0 {
            faults.add(place(rate), "rate: at least 1 row a second");
        }
        rate.value.max(1)
    });
    ThrottleSpec { watch, nice, rate }
}

fn set(watch: &mut Throttle, signal: Signal, text: Option<&Spanned<Scalar>>, faults: &mut Faults<'_>) {
    let Some(text) = text else { return };
    match limit(signal, &text.value.0) {
        Ok(Some(limit)) => _ = watch.limits.insert(signal, limit),
        Ok(None) => _ = watch.limits.remove(&signal),
        Err(why) => faults.add(place(text), why),
    }
}

pub(super) fn window(raw: Option<&Spanned<String>>, faults: &mut Faults<'_>) -> Option<Window> {
    let raw = raw?;
    match Window::parse(&raw.value) {
        Ok(window) => Some(window),
        Err(why) => {
            faults.add(place(raw), format!("window: {why}"));
            None
        }
    }
}

pub(super) fn slo(raw: Option<&Spanned<RawSlo>>, faults: &mut Faults<'_>) -> Option<Slo> {
    let at = place(raw?);
    let raw = &raw?.value;
    let probes = [raw.query.is_some(), raw.http.is_some(), raw.command.is_some()];
    if probes.iter().filter(|given| **given).count() != 1 {
        faults.add(at, "slo has exactly one of query, http and command");
    }
    if raw.query.is_some() != raw.max.is_some() {
        faults.add(at, "slo: max is the bound of the query's value; the one needs the other");
    }
    check_query(raw.query.as_deref(), at, "slo", faults);
    check_http(raw.http.as_deref(), at, "slo", faults);
    Some(Slo {
        query: raw.query.clone(),
        max: raw.max.unwrap_or(0.0),
        http: raw.http.clone(),
        command: raw.command.clone(),
        grace: durations::read(raw.grace.as_ref(), faults).unwrap_or(GRACE),
    })
}

fn check_query(query: Option<&str>, at: Place, what: &str, faults: &mut Faults<'_>) {
    if let Some(Err(error)) = query.map(crate::core::sql::check_query) {
        faults.add(at, format!("{what}: query: {error}"));
    }
}

fn check_http(address: Option<&str>, at: Place, what: &str, faults: &mut Faults<'_>) {
    let known = |address: &str| address.starts_with("http://") || address.starts_with("https://");
    if address.is_some_and(|address| !known(address)) {
        faults.add(at, format!("{what}: http: an address starts with http:// or https://"));
    }
}
