//! Judges `approvals`: how many people have approved, and whose approvals count.

use std::collections::BTreeSet;

use serde_json::json;

use super::facts::{Approval, Facts};
use super::verdict::{Condition, Verdict};
use crate::core::plan::model::Gate;

/// Whose approvals count, as a project says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByWhom {
    /// What makes two approvals those of two people.
    pub distinct: Distinct,
    /// Who wrote the plan, where that is not to count; an empty name: nobody knows.
    pub not: Option<String>,
}

/// What a project says of approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approvals {
    /// What makes two approvals those of two people.
    pub distinct: Distinct,
    /// Whether who wrote a plan may approve it.
    pub by_author: bool,
}

impl Default for Approvals {
    fn default() -> Self {
        Self { distinct: Distinct::default(), by_author: true }
    }
}

impl Approvals {
    /// Whose approvals count for a plan of this author.
    #[must_use]
    pub fn of(self, author: Option<&str>) -> ByWhom {
        let not = (!self.by_author).then(|| author.unwrap_or_default().to_owned());
        ByWhom { distinct: self.distinct, not }
    }
}

/// What makes two approvals those of two people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Distinct {
    /// The database user or the operating system user is another.
    #[default]
    Either,
    /// The database user is another; that name alone is one that the server has checked.
    Database,
    /// The operating system user is another, whichever database user they share.
    System,
}

pub(super) fn judge(gate: &Gate, facts: &Facts) -> Option<Verdict> {
    let wanted = usize::try_from(gate.approvals?).unwrap_or(usize::MAX);
    if facts.by_whom.not.as_deref() == Some("") {
        let why = "approvals: who wrote the plan may not approve it, and the plan does not say who that is: write \
                   author: into it before it starts";
        return Some(Verdict::closed(Condition::Approvals, vec![why.into()]));
    }
    let counts = |approval: &&Approval| match &facts.by_whom.not {
        Some(author) => {
            let (database, system) = approval.users();
            database != author && system != author
        }
        None => true,
    };
    let counted: Vec<&Approval> = facts.approvals.iter().filter(counts).collect();
    let people: BTreeSet<(&str, &str)> = counted
        .iter()
        .map(|approval| match (facts.by_whom.distinct, approval.users()) {
            (Distinct::Either, both) => both,
            (Distinct::Database, (database, _)) => (database, ""),
            (Distinct::System, (_, system)) => ("", system),
        })
        .collect();
    let names: Vec<&str> = counted.iter().map(|approval| approval.actor.as_str()).collect();
    let by = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
    let passed_over = facts.approvals.len() - counted.len();
    let author = if passed_over > 0 { "; that of who wrote the plan does not count" } else { "" };
    let same = if people.len() < counted.len() { "; several of them are of one person" } else { "" };
    let reasons = if people.len() < wanted {
        vec![format!(
            "approvals: {} of {wanted}{by}{author}{same}; give one with phase approve",
            people.len()
        )]
    } else {
        Vec::new()
    };
    let evidence = vec![format!("approvals: {} of {wanted}{by}", people.len())];
    let facts = json!({"wanted": wanted, "approvals": counted});
    Some(Verdict::of(Condition::Approvals, reasons, evidence).by(facts))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::facts::testing::{approval, facts};
    use super::*;

    fn of(by_whom: ByWhom, actors: &[&str]) -> Verdict {
        let gate = Gate { approvals: Some(2), ..Gate::default() };
        let approvals = actors.iter().map(|actor| approval(actor)).collect();
        judge(&gate, &Facts { approvals, by_whom, ..facts(0) }).unwrap()
    }

    #[test]
    fn two_are_two_people() {
        let by = |distinct| ByWhom { distinct, not: None };
        let deploy = ["deploy/ada", "deploy/bo"];
        assert!(of(by(Distinct::Either), &deploy).passes());
        assert!(of(by(Distinct::System), &deploy).passes());
        let one = of(by(Distinct::Database), &deploy);
        assert_eq!(
            one.says,
            [
                "approvals: 1 of 2 (deploy/ada, deploy/bo); several of them are of one person; give one with phase approve"
            ]
        );
        assert!(of(by(Distinct::Database), &["ada/root", "bo/root"]).passes());
    }

    #[test]
    fn who_wrote_it_does_not_count_where_that_is_so() {
        let not = |author: &str| ByWhom { distinct: Distinct::Either, not: Some(author.into()) };
        let got = of(not("ada"), &["deploy/ada", "deploy/bo"]);
        assert!(
            got.says[0].contains("1 of 2 (deploy/bo); that of who wrote the plan does not count"),
            "{got:?}"
        );
        assert!(of(not(""), &["deploy/ada", "deploy/bo"]).says[0].contains("author:"));
    }
}
