//! Owns the answer to one condition of a gate, with what it went by.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a condition is about, by the name that a plan gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Versions of applications are live, by markers.
    Deployed,
    /// Nobody older is connected.
    Observed,
    /// The state before has lasted.
    Soak,
    /// People have approved.
    Approvals,
    /// Queries give true.
    Query,
    /// Addresses answer.
    Http,
    /// Programs end well.
    Command,
    /// It is the time for it.
    Window,
    /// Nothing uses the old shape.
    Unused,
    /// The backfills are proven.
    Proof,
}

impl Condition {
    /// Every condition, in the order in which they are judged.
    pub const ALL: [Self; 10] = [
        Self::Proof,
        Self::Deployed,
        Self::Observed,
        Self::Soak,
        Self::Approvals,
        Self::Query,
        Self::Http,
        Self::Command,
        Self::Window,
        Self::Unused,
    ];

    /// Its name in a plan.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deployed => "deployed",
            Self::Observed => "observed",
            Self::Soak => "soak",
            Self::Approvals => "approvals",
            Self::Query => "query",
            Self::Http => "http",
            Self::Command => "command",
            Self::Window => "window",
            Self::Unused => "unused",
            Self::Proof => "proof",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Condition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|condition| condition.name() == text);
        found.ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|condition| condition.name()).collect();
            format!("{text:?} is no condition of a gate: one of {}", names.join(", "))
        })
    }
}

/// Whether a condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It holds.
    Open,
    /// It does not.
    Closed,
    /// Nobody can tell; it does not open.
    Unknown,
}

/// The answer to one condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The condition.
    pub gate: Condition,
    /// Whether it holds.
    pub answer: Answer,
    /// Sentences: what shows that it holds, or every reason why it does not and what would open it.
    pub says: Vec<String>,
    /// What the answer went by.
    pub facts: Value,
    /// Why somebody passed it by, though it is not open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<String>,
}

/// That a condition is passed by, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Force {
    /// The condition.
    pub gate: Condition,
    /// Why, in the words of who did it.
    pub reason: String,
}

impl Verdict {
    /// That a condition holds, and what shows it.
    #[must_use]
    pub fn open(gate: Condition, says: Vec<String>) -> Self {
        Self { gate, answer: Answer::Open, says, facts: Value::Null, forced: None }
    }

    /// That it does not, and every reason.
    #[must_use]
    pub fn closed(gate: Condition, says: Vec<String>) -> Self {
        Self { gate, answer: Answer::Closed, says, facts: Value::Null, forced: None }
    }

    /// That nobody can tell, and why.
    #[must_use]
    pub fn unknown(gate: Condition, says: Vec<String>) -> Self {
        Self { gate, answer: Answer::Unknown, says, facts: Value::Null, forced: None }
    }

    /// Open with this evidence where there is no reason against it.
    #[must_use]
    pub fn of(gate: Condition, reasons: Vec<String>, evidence: Vec<String>) -> Self {
        if reasons.is_empty() { Self::open(gate, evidence) } else { Self::closed(gate, reasons) }
    }

    /// The same with what it went by.
    #[must_use]
    pub fn by(self, facts: Value) -> Self {
        Self { facts, ..self }
    }

    /// Whether it stands in nobody's way.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.answer == Answer::Open || self.forced.is_some()
    }

    /// Passes it by, where one of these is about it and it is not open. The proof is never passed by.
    pub fn pass_by(&mut self, forces: &[Force]) {
        if self.answer != Answer::Open && self.gate != Condition::Proof {
            let force = forces.iter().find(|force| force.gate == self.gate);
            self.forced = force.map(|force| force.reason.clone());
        }
    }

    /// What it says, one sentence a reason; that nobody can tell is said first.
    pub fn sentences(&self) -> impl Iterator<Item = String> {
        let unknown = self.answer == Answer::Unknown;
        self.says.iter().map(move |says| if unknown { format!("not known: {says}") } else { says.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_goes_by_its_name_in_a_plan() {
        for condition in Condition::ALL {
            assert_eq!(condition.name().parse(), Ok(condition));
            assert_eq!(serde_json::json!(condition), condition.name());
        }
        assert!("soaked".parse::<Condition>().is_err_and(|why| why.contains("soak, approvals")));
    }

    #[test]
    fn what_is_not_known_says_so() {
        let unknown = Verdict::unknown(Condition::Unused, vec!["unused: the counters were reset".into()]);
        assert_eq!(unknown.sentences().collect::<Vec<_>>(), ["not known: unused: the counters were reset"]);
    }
}
