//! Judges the proof of backfills: whether each has one that counts, its age, and what is in quarantine.

use std::time::Duration;

use serde_json::json;

use super::facts::Facts;
use super::verdict::{Condition, Verdict};

/// Judges the proof of the backfills of an item, which must stand before what comes after them. A backfill is the
/// name of its step, and the query that lists its rows out of step. `None`: it has none.
#[must_use]
pub fn proof<'a>(
    version: &str,
    backfills: impl Iterator<Item = (&'a str, Option<String>)>,
    max_age: Option<Duration>,
    facts: &Facts,
) -> Option<Verdict> {
    let (mut reasons, mut evidence, mut proofs) = (Vec::new(), Vec::new(), Vec::new());
    for (step, query) in backfills {
        let fact = facts.backfills.iter().find(|fact| fact.step == step);
        match fact.and_then(|fact| fact.proof) {
            None => reasons.push(format!("{step} has no proof yet: phase validate {version} --prove")),
            Some((at, 0)) => {
                let age = Duration::try_from(facts.now.duration_since(at)).unwrap_or_default();
                let age = Duration::from_secs(age.as_secs());
                if let Some(max) = max_age.filter(|max| age > *max) {
                    reasons.push(format!(
                        "proof: that of {step} is {} old, and may be {}: phase validate {version} --prove",
                        humantime::format_duration(age),
                        humantime::format_duration(max)
                    ));
                }
                evidence.push(format!("proof: no row of {step} was out of step at {at:.0}"));
                proofs.push(json!({"step": step, "at": at}));
            }
            Some((at, rows)) => reasons.push(format!(
                "{step}: {rows} {} out of step at {at:.0}: written around the sync, or changed back by a trigger; \
                 look at them{}, then phase validate {version} --prove, or --repair to set them to what the plan says",
                if rows == 1 { "row was" } else { "rows were" },
                query.map_or_else(String::new, |query| format!(" ({query})")),
            )),
        }
    }
    if reasons.is_empty() && evidence.is_empty() {
        return None;
    }
    Some(Verdict::of(Condition::Proof, reasons, evidence).by(json!({"proofs": proofs})))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use jiff::Timestamp;

    use super::super::facts::testing::facts;
    use super::*;
    use crate::core::gate::BackfillFact;

    #[test]
    fn a_proof_counts_while_it_is_young_enough_and_found_nothing() {
        let of = |proof: Option<i64>, rows| {
            let proof = proof.map(|at| (Timestamp::from_second(at).unwrap(), rows));
            let backfills = vec![BackfillFact { step: "backfill.1".into(), proof, quarantined: 0 }];
            let facts = Facts { backfills, ..facts(5_000) };
            let steps = std::iter::once(("backfill.1", None));
            proof_of(steps, &facts)
        };
        fn proof_of<'a>(steps: impl Iterator<Item = (&'a str, Option<String>)>, facts: &Facts) -> Verdict {
            proof("1", steps, Some(Duration::from_secs(3_600)), facts).unwrap()
        }
        assert!(of(Some(1_400), 0).passes());
        assert_eq!(
            of(Some(1_399), 0).says,
            ["proof: that of backfill.1 is 1h 1s old, and may be 1h: phase validate 1 --prove"]
        );
        assert!(of(Some(4_000), 2).says[0].contains("2 rows were out of step"));
        assert!(of(None, 0).says[0].contains("has no proof yet"));
        assert_eq!(proof("1", std::iter::empty(), None, &facts(0)), None);
    }
}
