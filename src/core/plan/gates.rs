//! Reads gates.

use std::time::Duration;

use super::durations;
use super::fault::Faults;
use super::model::{
    AppVersion, CommandCheck, Compare, Freeze, Gate, Gates, HttpCheck, Observed, Pattern, Place, Placed,
    Since, Unused,
};
use super::raw::{RawCommand, RawCompare, RawGate, RawGates, RawHttp, RawObserved, RawSince};
use super::yaml::{FlagOrList, Pairs, Spanned, place};
use crate::core::pace::window::Window;
use crate::core::state::State;

/// How long a request may take where the plan says nothing.
const HTTP_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a program may take where the plan says nothing.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest that sessions may be looked at: what was seen before is forgotten.
const LONGEST_LOOK: Duration = Duration::from_secs(30 * 24 * 3_600);

/// The longest that a check may take: a command waits for it.
const LONGEST_CHECK: Duration = Duration::from_secs(3_600);

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

/// Reads which versions of applications need which state.
pub(super) fn requires(raw: Option<&Spanned<Pairs>>, faults: &mut Faults<'_>) -> Vec<(AppVersion, State)> {
    let Some(raw) = raw else { return Vec::new() };
    let mut all = Vec::new();
    for (text, state) in &raw.value.0 {
        let state = State::from_name(state).filter(|state| !matches!(state, State::Planned | State::Aborted));
        match (AppVersion::parse(text), state) {
            (Some(app), Some(state)) => all.push((app, state)),
            (None, _) => faults.add(
                place(raw),
                format!(
                    "requires: {text:?} is no application and version: write it like {{web@2.4.0: expanded}}"
                ),
            ),
            (_, None) => faults.add(
                place(raw),
                format!("requires: {text}: one of expanded, backfilled, validated, contracted, completed"),
            ),
        }
    }
    all
}

fn one(spanned: &Spanned<RawGate>, faults: &mut Faults<'_>) -> Gate {
    let (at, raw) = (place(spanned), &spanned.value);
    for sql in &raw.query.0 {
        faults.take(at, "query", crate::core::sql::check_query(sql));
    }
    if raw.approvals.is_some_and(|wanted| wanted == 0) {
        faults.add(at, "approvals: 0 asks for nothing: leave it out");
    }
    if matches!(raw.soak_since, RawSince::Marker) && raw.deployed.0.is_empty() {
        faults.add(at, "soak_since: marker counts from the markers of deployed, and this gate asks for none");
    }
    let window = raw.window.as_ref().and_then(|text| match Window::parse(&text.value) {
        Ok(window) => Some(window),
        Err(why) => {
            faults.add(place(text), format!("window: {why}"));
            None
        }
    });
    let zone = window.as_ref().map_or_else(|| "UTC".to_owned(), Window::zone);
    let freeze = raw.freeze.iter().filter_map(|text| match Freeze::parse(text, &zone) {
        Ok(freeze) => Some(freeze),
        Err(why) => {
            faults.add(at, format!("freeze: {why}"));
            None
        }
    });
    let freeze = freeze.collect();
    Gate {
        deployed: raw.deployed.0.iter().filter_map(|text| app_version(text, at, faults)).collect(),
        compare: match raw.compare {
            RawCompare::Semantic => Compare::Semantic,
            RawCompare::Lexical => Compare::Lexical,
        },
        observed: raw.observed.0.iter().filter_map(|one| observed(one, at, faults)).collect(),
        soak: durations::read(raw.soak.as_ref(), faults),
        soak_since: match raw.soak_since {
            RawSince::State => Since::State,
            RawSince::Marker => Since::Marker,
        },
        approvals: raw.approvals,
        query: raw.query.0.clone(),
        http: raw.http.0.iter().filter_map(|check| http(check, at, faults)).collect(),
        command: raw.command.0.iter().filter_map(|check| command(check, at, faults)).collect(),
        window,
        freeze,
        proof_max_age: durations::read(raw.proof_max_age.as_ref(), faults),
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
    let read = AppVersion::parse(text);
    if read.is_none() {
        faults.add(at, format!("deployed: {text:?} is no application and version: write it like web@2.4.0"));
    }
    read
}

fn observed(raw: &RawObserved, at: Place, faults: &mut Faults<'_>) -> Option<Observed> {
    let example = "write it like observed: {app: web, min_version: 2.4.0, for: 30m}";
    if raw.app.trim().is_empty() || raw.min_version.0.trim().is_empty() || raw.span.is_none() {
        faults.add(at, format!("observed: it takes an application, a version and for how long: {example}"));
        return None;
    }
    let pattern = match raw.pattern.as_deref().map(Pattern::parse).transpose() {
        Ok(pattern) => pattern.unwrap_or_default(),
        Err(why) => {
            faults.add(at, format!("observed: pattern: {why}"));
            return None;
        }
    };
    let span = durations::read(raw.span.as_ref(), faults)?;
    if span.is_zero() || span > LONGEST_LOOK {
        faults.add(at, "observed: for is more than 0 and at most 30d");
        return None;
    }
    Some(Observed {
        app: raw.app.clone(),
        min_version: raw.min_version.0.clone(),
        span,
        pattern,
        users: raw.users.0.clone(),
    })
}

fn http(raw: &RawHttp, at: Place, faults: &mut Faults<'_>) -> Option<HttpCheck> {
    if !raw.url.starts_with("http://") && !raw.url.starts_with("https://") {
        faults
            .add(at, format!("http: {:?} is no address: write it like https://example.org/health", raw.url));
        return None;
    }
    // A user and a password there would be shown, and kept in the history.
    if raw.url.split('/').nth(2).is_some_and(|host| host.contains('@')) {
        faults.add(
            at,
            "http: an address that names a user would be shown: use headers: {Authorization: $NAME}",
        );
        return None;
    }
    Some(HttpCheck {
        url: raw.url.clone(),
        status: raw.status.unwrap_or(200),
        contains: raw.contains.clone(),
        headers: raw.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        timeout: timeout("http", raw.timeout.as_ref(), HTTP_TIMEOUT, faults),
    })
}

fn command(raw: &RawCommand, at: Place, faults: &mut Faults<'_>) -> Option<CommandCheck> {
    if raw.run.trim().is_empty() {
        faults.add(at, "command: run names no program: write it like command: ./scripts/smoke.sh");
        return None;
    }
    let timeout = timeout("command", raw.timeout.as_ref(), COMMAND_TIMEOUT, faults);
    Some(CommandCheck { run: raw.run.clone(), timeout })
}

fn timeout(
    what: &str,
    raw: Option<&Spanned<String>>,
    default: Duration,
    faults: &mut Faults<'_>,
) -> Duration {
    let span = durations::read(raw, faults).unwrap_or(default);
    if let Some(raw) = raw
        && (span.is_zero() || span > LONGEST_CHECK)
    {
        faults.add(place(raw), format!("{what}: a timeout is more than 0 and at most 1h"));
    }
    span
}
