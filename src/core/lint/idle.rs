//! Owns what is accepted and is not there any more.

use std::collections::BTreeSet;

use super::finding::{Finding, Level};
use super::judge::Judge;
use super::lesson::names;
use crate::core::plan::model::Place;
use crate::core::step::{Allow, Step};

/// Rules that only the catalog brings to light: without it, nobody knows whether what
/// accepts one of them is still of use.
pub(super) const NEED_CATALOG: &[&str] = &[
    "add-column-domain",
    "add-foreign-key-partitioned",
    "add-primary-key-partitioned",
    "add-unique-partitioned",
    "alter-type-check",
    "alter-type-index",
    "alter-type-timestamptz",
    "attach-partition-default",
    "attach-partition-foreign-key",
    "attach-partition-index",
    "create-index-partitioned",
    "create-partition-default",
    "detach-partition-beside-default",
    "drop-column-dependents",
    "drop-column-takes-along",
    "foreign-key-index",
];

impl Judge<'_> {
    /// What is accepted and is not there, each with its step.
    pub(super) fn idle(&self) -> Vec<(&Step, &Allow)> {
        let known = names();
        let mut seen = BTreeSet::new();
        let all =
            self.item.steps_both_ways().flat_map(|step| step.allow.iter().map(move |allow| (step, allow)));
        all.filter(|(_, allow)| {
            let key = (allow.rule.clone(), allow.place);
            let blind = !self.complete && NEED_CATALOG.contains(&allow.rule.as_str());
            // What a recipe has taken care of is none of the author's.
            let own = allow.place.is_some();
            own && known.contains(&allow.rule.as_str())
                && !blind
                && !self.used.contains(&key)
                && seen.insert(key)
        })
        .collect()
    }

    /// Reports it.
    pub(super) fn unused(&mut self) {
        let report = |(step, allow): (&Step, &Allow)| {
            let place = allow.place.or(step.place).unwrap_or(Place { line: 1, column: 1 });
            Finding {
                rule: "unused-allow",
                level: Level::Warning,
                file: self.item.file.clone(),
                line: place.line,
                column: place.column,
                step: step.id.clone(),
                statement: format!("allow {}", allow.rule),
                locks: Vec::new(),
                why: format!(
                    "nothing here meets {} any more; left there, it would accept the next finding unseen",
                    allow.rule
                ),
                safe: Some("take it out".into()),
                allowed: None,
                back: false,
            }
        };
        let found: Vec<Finding> = self.idle().into_iter().map(report).collect();
        self.findings.extend(found);
    }
}
