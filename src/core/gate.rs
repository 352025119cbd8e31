//! Owns gates: facts in, open or every reason why not out.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::core::plan::model::{AppVersion, Gate};

/// What is known when a gate is asked.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The server's clock.
    pub now: Timestamp,
    /// When the present state was reached.
    pub state_since: Timestamp,
    /// The newest marker of each application.
    pub markers: Vec<AppVersion>,
    /// Who approved, each once.
    pub approvals: Vec<String>,
    /// The outcome of each query of the gate, in the gate's order.
    pub queries: Vec<QueryFact>,
    /// What is on record of the item's backfills.
    pub backfills: Vec<BackfillFact>,
}

/// What is on record of a backfill that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillFact {
    /// The step.
    pub step: String,
    /// When it was proven last, and how many rows were out of step; `None`: it was not.
    pub proof: Option<(Timestamp, i64)>,
    /// Rows in quarantine.
    pub quarantined: i64,
}

/// Gives every reason why the backfills of an item stand in the way of what comes after
/// them, one sentence each. A backfill is the name of its step, and the query that lists
/// its rows out of step.
#[must_use]
pub fn unproven<'a>(
    version: &str,
    backfills: impl Iterator<Item = (&'a str, Option<String>)>,
    facts: &Facts,
) -> Vec<String> {
    let mut reasons = Vec::new();
    for (step, query) in backfills {
        let Some(fact) = facts.backfills.iter().find(|fact| fact.step == step) else {
            reasons.push(format!("{step} has no proof yet: phase validate {version} --prove"));
            continue;
        };
        match fact.proof {
            None => reasons.push(format!("{step} has no proof yet: phase validate {version} --prove")),
            Some((_, 0)) => {}
            Some((at, rows)) => reasons.push(format!(
                "{step}: {rows} {} out of step at {at:.0}: written around the sync, or changed back by a trigger; \
                 look at them{}, then phase validate {version} --prove, or --repair to set them to what the plan says",
                if rows == 1 { "row was" } else { "rows were" },
                query.map_or_else(String::new, |query| format!(" ({query})")),
            )),
        }
    }
    reasons
}

/// Gives every reason why rows in quarantine stand in the way, one sentence each.
#[must_use]
pub fn quarantined(version: &str, facts: &Facts) -> Vec<String> {
    let bad = facts.backfills.iter().filter(|fact| fact.quarantined > 0);
    bad.map(|fact| {
        let rows = if fact.quarantined == 1 { "row of" } else { "rows of" };
        let are = if fact.quarantined == 1 { "is" } else { "are" };
        format!(
            "{} {rows} {} {are} in quarantine: phase quarantine {version}, mend them, phase retry-bad {version}",
            fact.quarantined, fact.step
        )
    })
    .collect()
}

/// What a gate's query answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueryFact {
    /// It gave true.
    True,
    /// It gave something else, as text.
    Other(String),
    /// It could not be run; why.
    Failed(String),
}

/// Gives every reason why `gate` is closed, one sentence each; none: open.
#[must_use]
pub fn reasons(gate: &Gate, facts: &Facts) -> Vec<String> {
    let mut reasons = Vec::new();
    reasons.extend(gate.deployed.iter().filter_map(|wanted| not_deployed(wanted, facts)));
    reasons.extend(gate.soak.and_then(|soak| not_elapsed("soak", soak, facts)));
    reasons.extend(gate.approvals.and_then(|wanted| not_approved(wanted, facts)));
    for (n, sql) in gate.query.iter().enumerate() {
        let answer = match facts.queries.get(n) {
            Some(QueryFact::True) => continue,
            Some(QueryFact::Other(value)) => format!("gives {value}, not true"),
            Some(QueryFact::Failed(why)) => format!("failed: {why}"),
            None => "was not asked".into(),
        };
        reasons.push(format!("query `{}` {answer}", sql.trim()));
    }
    if gate.unused.is_some() {
        reasons.push("unused is not supported by this version of phase, so it cannot open".into());
    }
    reasons
}

/// The reason why a span since the present state was reached has not passed.
#[must_use]
pub fn not_elapsed(what: &str, span: Duration, facts: &Facts) -> Option<String> {
    let span_signed = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    let Ok(until) = facts.state_since.checked_add(span_signed) else {
        return Some(format!("{what}: {} reaches past the end of time", humantime::format_duration(span)));
    };
    let left = until.duration_since(facts.now);
    let left = Duration::try_from(left).ok().filter(|left| !left.is_zero())?;
    // Whole seconds, rounded up: "0s left" would read as open.
    let left = Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0));
    Some(format!(
        "{what}: {} of {} left, until {until:.0}",
        humantime::format_duration(left),
        humantime::format_duration(span)
    ))
}

fn not_deployed(wanted: &AppVersion, facts: &Facts) -> Option<String> {
    let AppVersion { app, version } = wanted;
    let hint = format!("when it is live everywhere: phase deployed {app}@{version}");
    match facts.markers.iter().find(|marker| marker.app == *app) {
        None => Some(format!("deployed: no marker for {app} yet; {hint}")),
        Some(marker) if reaches(&marker.version, version) => None,
        Some(marker) => Some(format!("deployed: {app} is at {}, not yet {version}; {hint}", marker.version)),
    }
}

/// Compares as semantic versions where both are such, else asks for equality.
fn reaches(live: &str, wanted: &str) -> bool {
    let parse = |text: &str| semver::Version::parse(text.strip_prefix('v').unwrap_or(text)).ok();
    match (parse(live), parse(wanted)) {
        (Some(live), Some(wanted)) => live >= wanted,
        _ => live == wanted,
    }
}

fn not_approved(wanted: u32, facts: &Facts) -> Option<String> {
    let given = u32::try_from(facts.approvals.len()).unwrap_or(u32::MAX);
    (given < wanted).then(|| {
        let by = if facts.approvals.is_empty() {
            String::new()
        } else {
            format!(" (by {})", facts.approvals.join(", "))
        };
        format!("approvals: {given} of {wanted}{by}; give one with phase approve")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn facts(at: i64) -> Facts {
        Facts {
            now: Timestamp::from_second(at).unwrap(),
            state_since: Timestamp::from_second(1_000).unwrap(),
            markers: vec![AppVersion { app: "web".into(), version: "2.10.0".into() }],
            approvals: vec!["ada".into()],
            queries: vec![QueryFact::Other("f".into())],
            backfills: Vec::new(),
        }
    }

    fn web(version: &str) -> Gate {
        Gate { deployed: vec![AppVersion { app: "web".into(), version: version.into() }], ..Gate::default() }
    }

    #[test]
    fn an_empty_gate_is_open() {
        assert_eq!(reasons(&Gate::default(), &facts(0)), Vec::<String>::new());
    }

    #[test]
    fn versions_compare_by_their_numbers() {
        assert!(reasons(&web("2.9.0"), &facts(0)).is_empty());
        assert!(reasons(&web("v2.10.0"), &facts(0)).is_empty());
        assert_eq!(
            reasons(&web("2.11.0"), &facts(0)),
            [
                "deployed: web is at 2.10.0, not yet 2.11.0; when it is live everywhere: phase deployed web@2.11.0"
            ]
        );
        assert_eq!(reasons(&web("blue"), &facts(0)).len(), 1);
    }

    #[test]
    fn soak_opens_at_its_second_and_says_what_is_left() {
        let gate = Gate { soak: Some(Duration::from_secs(60)), ..Gate::default() };
        assert_eq!(reasons(&gate, &facts(1_001)), ["soak: 59s of 1m left, until 1970-01-01T00:17:40Z"]);
        assert!(reasons(&gate, &facts(1_060)).is_empty());
        let endless = Gate { soak: Some(Duration::MAX), ..Gate::default() };
        assert_eq!(reasons(&endless, &facts(1_060)).len(), 1);
    }

    #[test]
    fn every_closed_part_gives_its_reason() {
        let gate = Gate {
            approvals: Some(2),
            query: vec!["SELECT false".into(), "SELECT 1".into()],
            ..web("3.0.0")
        };
        let got = reasons(&gate, &facts(0));
        assert_eq!(got.len(), 4, "{got:?}");
        assert_eq!(got[1], "approvals: 1 of 2 (by ada); give one with phase approve");
        assert_eq!(got[2], "query `SELECT false` gives f, not true");
    }
}
