//! Judges `window` and `freeze`: whether it is the time for it.

use jiff::Timestamp;
use serde_json::json;

use super::facts::Facts;
use super::verdict::{Condition, Verdict};
use crate::core::pace::window::Opening;
use crate::core::plan::model::{Freeze, Gate};

pub(super) fn judge(gate: &Gate, facts: &Facts) -> Option<Verdict> {
    if gate.window.is_none() && gate.freeze.is_empty() {
        return None;
    }
    let (mut reasons, mut evidence) = (Vec::new(), Vec::new());
    if let Some(window) = &gate.window {
        match window.at(facts.now) {
            Opening::Open(until) => {
                evidence.push(format!("window: {} is open until {until:.0}", window.text()));
            }
            Opening::Closed(until) => {
                reasons.push(format!("window: {} opens at {until:.0}", window.text()));
            }
        }
    }
    let frozen = gate.freeze.iter().filter(|freeze| freeze.holds(facts.now));
    reasons.extend(frozen.map(|freeze| {
        let until = freeze.ends().map_or(String::new(), |ends| format!("; it ends at {ends:.0}"));
        format!("window: {} is a freeze{until}", freeze.text)
    }));
    if evidence.is_empty() {
        evidence.push("window: no freeze".into());
    }
    Some(Verdict::of(Condition::Window, reasons, evidence).by(json!({"now": facts.now})))
}

impl Freeze {
    /// Whether a moment is within it.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        let today = now.to_zoned(self.zone.clone()).date();
        self.first <= today && today <= self.last
    }

    /// When it ends; `None`: at the end of time.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        let after = self.last.tomorrow().ok()?;
        Some(after.to_zoned(self.zone.clone()).ok()?.timestamp())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::facts::testing::facts;
    use super::*;
    use crate::core::pace::window::Window;

    fn at(gate: &Gate, now: &str) -> Vec<String> {
        let facts = Facts { now: now.parse().unwrap(), ..facts(0) };
        let verdict = judge(gate, &facts).unwrap();
        if verdict.passes() { Vec::new() } else { verdict.says }
    }

    #[test]
    fn it_opens_by_days_and_hours_and_not_in_a_freeze() {
        let gate = Gate {
            window: Some(Window::parse("mon-thu 09:00-16:00 Europe/Berlin").unwrap()),
            freeze: vec![Freeze::parse("2026-12-20..2027-01-03", "Europe/Berlin").unwrap()],
            ..Gate::default()
        };
        assert_eq!(at(&gate, "2026-11-23T08:30:00Z"), [""; 0]);
        assert_eq!(
            at(&gate, "2026-11-23T15:30:00Z"),
            ["window: mon-thu 09:00-16:00 Europe/Berlin opens at 2026-11-24T08:00:00Z"]
        );
        // The freeze begins and ends with the days of the window's zone.
        assert_eq!(
            at(&gate, "2026-12-21T09:00:00Z"),
            ["window: 2026-12-20..2027-01-03 is a freeze; it ends at 2027-01-03T23:00:00Z"]
        );
        assert_eq!(at(&gate, "2027-01-04T08:00:00Z"), [""; 0]);
    }
}
