//! Owns gates: facts in, a verdict for each condition of a gate out.

mod approvals;
mod asked;
mod deployed;
pub(in crate::core) mod facts;
mod observed;
mod proof;
mod soak;
mod verdict;
mod window;

pub use approvals::{Approvals, ByWhom, Distinct};
pub use facts::{Approval, Asked, BackfillFact, Facts, Marker, Sighting};
pub use proof::{proof, quarantined};
pub use soak::not_elapsed;
pub use verdict::{Answer, Condition, Force, Verdict};

use crate::core::plan::model::Gate;

/// Judges each condition of a gate by the facts; none: open.
#[must_use]
pub fn verdicts(gate: &Gate, facts: &Facts) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    verdicts.extend(deployed::judge(gate, facts));
    verdicts.extend(observed::judge(gate, facts));
    verdicts.extend(soak::judge(gate, facts));
    verdicts.extend(approvals::judge(gate, facts));
    verdicts.extend(asked::judge(gate, facts));
    verdicts.extend(window::judge(gate, facts));
    if gate.unused.is_some() {
        verdicts.push(Verdict::closed(
            Condition::Unused,
            vec!["unused is not supported by this version of phase, so it cannot open".into()],
        ));
    }
    verdicts
}

/// Every reason why a gate does not open, one sentence each: those of the conditions that are not open and that
/// nobody passes by.
#[must_use]
pub fn reasons(verdicts: &[Verdict]) -> Vec<String> {
    verdicts.iter().filter(|verdict| !verdict.passes()).flat_map(Verdict::sentences).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::gate::facts::testing::facts;
    use crate::core::plan::model::AppVersion;

    #[test]
    fn an_empty_gate_is_open() {
        assert_eq!(verdicts(&Gate::default(), &facts(0)), Vec::new());
    }

    #[test]
    fn every_closed_condition_gives_its_reason() {
        let gate = Gate {
            deployed: vec![AppVersion { app: "web".into(), version: "3.0.0".into() }],
            approvals: Some(2),
            query: vec!["SELECT false".into(), "SELECT 1".into()],
            ..Gate::default()
        };
        let got = reasons(&verdicts(&gate, &facts(0)));
        assert_eq!(got.len(), 4, "{got:?}");
        assert_eq!(got[1], "approvals: 1 of 2 (ada/root); give one with phase approve");
        assert_eq!(got[2], "query `SELECT false` gives f, not true");
    }

    #[test]
    fn force_passes_one_condition_and_never_the_proof() {
        let gate = Gate { approvals: Some(2), query: vec!["SELECT false".into()], ..Gate::default() };
        let mut verdicts = verdicts(&gate, &facts(0));
        let force = Force { gate: Condition::Approvals, reason: "the office is closed".into() };
        for verdict in &mut verdicts {
            verdict.pass_by(std::slice::from_ref(&force));
        }
        assert_eq!(reasons(&verdicts), ["query `SELECT false` gives f, not true"]);
        assert_eq!(verdicts[0].forced.as_deref(), Some("the office is closed"));
        let mut proof = Verdict::closed(Condition::Proof, vec!["none".into()]);
        proof.pass_by(&[Force { gate: Condition::Proof, reason: "now".into() }]);
        assert!(!proof.passes());
    }
}
