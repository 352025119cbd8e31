//! Judges `soak`: whether the state before, or the marker, has lasted.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::deployed;
use super::facts::Facts;
use super::verdict::{Condition, Verdict};
use crate::core::plan::model::{Gate, Since};

pub(super) fn judge(gate: &Gate, facts: &Facts) -> Option<Verdict> {
    let soak = gate.soak?;
    let since = match gate.soak_since {
        Since::State => Some(facts.state_since),
        // The last of the markers that the gate asks for, where it is the later one.
        Since::Marker => gate
            .deployed
            .iter()
            .map(|wanted| deployed::of(wanted, facts).map(|marker| marker.at).max())
            .try_fold(facts.state_since, |latest, marker| Some(latest.max(marker?))),
    };
    let what = match gate.soak_since {
        Since::State => "soak",
        Since::Marker => "soak since the marker",
    };
    let Some(since) = since else {
        let why = format!("{what}: it begins with the markers that deployed waits for");
        return Some(Verdict::closed(Condition::Soak, vec![why]));
    };
    let reasons: Vec<String> = not_elapsed(what, soak, since, facts.now).into_iter().collect();
    let evidence = vec![format!("{what}: {} since {since:.0}", humantime::format_duration(soak))];
    let facts = json!({"since": since, "for_s": soak.as_secs()});
    Some(Verdict::of(Condition::Soak, reasons, evidence).by(facts))
}

/// The reason why a span since a moment has not passed.
#[must_use]
pub fn not_elapsed(what: &str, span: Duration, since: Timestamp, now: Timestamp) -> Option<String> {
    let span_signed = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    let Ok(until) = since.checked_add(span_signed) else {
        return Some(format!("{what}: {} reaches past the end of time", humantime::format_duration(span)));
    };
    let left = until.duration_since(now);
    let left = Duration::try_from(left).ok().filter(|left| !left.is_zero())?;
    // Whole seconds, rounded up: "0s left" would read as open.
    let left = Duration::from_secs(left.as_secs() + u64::from(left.subsec_nanos() > 0));
    Some(format!(
        "{what}: {} of {} left, until {until:.0}",
        humantime::format_duration(left),
        humantime::format_duration(span)
    ))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::facts::testing::{facts, marker};
    use super::*;
    use crate::core::gate::{Marker, reasons, verdicts};
    use crate::core::plan::model::AppVersion;

    #[test]
    fn soak_opens_at_its_second_and_says_what_is_left() {
        let gate = Gate { soak: Some(Duration::from_secs(60)), ..Gate::default() };
        let of = |gate: &Gate, at| reasons(&verdicts(gate, &facts(at)));
        assert_eq!(of(&gate, 1_001), ["soak: 59s of 1m left, until 1970-01-01T00:17:40Z"]);
        assert!(of(&gate, 1_060).is_empty());
        let endless = Gate { soak: Some(Duration::MAX), ..Gate::default() };
        assert_eq!(of(&endless, 1_060).len(), 1);
    }

    #[test]
    fn since_the_marker_begins_with_the_last_of_those_that_the_gate_asks_for() {
        let app = |app: &str| AppVersion { app: app.into(), version: "1.0.0".into() };
        let gate = Gate {
            deployed: vec![app("web"), app("worker")],
            soak: Some(Duration::from_secs(60)),
            soak_since: Since::Marker,
            ..Gate::default()
        };
        let of = |markers: Vec<Marker>| {
            let facts = Facts { markers, ..facts(1_100) };
            judge(&gate, &facts).unwrap().says.remove(0)
        };
        let at = |n, marker: Marker| Marker { at: Timestamp::from_second(n).unwrap(), ..marker };
        let web = at(1_010, marker("web", "1.0.0", None));
        assert!(of(vec![web.clone()]).contains("begins with the markers"));
        let late = at(1_090, marker("worker", "1.0.0", None));
        assert!(of(vec![web.clone(), late]).contains("50s of 1m left"));
        let early = at(1_000, marker("worker", "1.0.0", None));
        assert!(of(vec![web, early]).starts_with("soak since the marker: 1m since"));
    }
}
