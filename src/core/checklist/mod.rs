//! Answers the questions that are asked before a change goes to production, each from
//! what is known: the steps, the findings, the catalog, the record.

mod built;
mod deploy;
mod locks;
mod rehearsal;
mod size;

use std::collections::BTreeSet;

use serde::Serialize;

use crate::core::gate::Marker;
use crate::core::lint::{Finding, World};
use crate::core::rehearse::Outcome;
use crate::core::sql::SqlError;
use crate::core::state::State;
use crate::core::step::Phase;
use crate::core::timeline::Item;

/// How many names a line lists.
const NAMED: usize = 4;

/// What is known of an item when it is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The item.
    pub item: &'a Item,
    /// What there is to say against it, accepted or not.
    pub findings: &'a [Finding],
    /// What the catalog tells before its first step.
    pub world: &'a World,
    /// What is on record; `None` without a database.
    pub record: Option<Recorded<'a>>,
}

/// What is on record of an item.
#[derive(Debug, Clone, Copy)]
pub struct Recorded<'a> {
    /// Where it stands.
    pub state: State,
    /// The newest marker of each application.
    pub markers: &'a [Marker],
    /// Its last rehearsal.
    pub rehearsal: Option<&'a Outcome>,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is so.
    Yes,
    /// It is not.
    No,
    /// Nothing that is known tells.
    Unknown,
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What is asked.
    pub question: &'static str,
    /// The answer.
    pub answer: Answer,
    /// Whether that is as it should be; `None`: not known.
    pub good: Option<bool>,
    /// Why.
    pub why: String,
}

/// Answers every question, in the order of a deploy.
///
/// # Errors
/// When SQL of the item does not parse; such an item is refused before it is one.
pub fn checklist(known: &Known<'_>) -> Result<Vec<Line>, SqlError> {
    let old_code = known.old_code();
    let undo = known.undo_written();
    Ok(vec![
        line("Can old code run on the new schema?", true, old_code.clone()),
        line("Can new code run on the old schema?", true, known.new_code()?),
        line("Does any step lock a table under load?", false, known.locks()?),
        line("Are all new indexes built concurrently?", true, known.indexes()),
        line("Are constraints added NOT VALID and validated apart?", true, known.constraints()),
        line("Is undo written and rehearsed?", true, known.undo(undo.clone())),
        line("Was it rehearsed on data of production's size?", true, known.size()),
        line("Does expand run before the deploy?", true, known.order()),
        line("May the deploy fail after expand?", true, known.failed_deploy(old_code, undo)),
    ])
}

/// An answer and why.
type Told = (Answer, String);

fn line(question: &'static str, wanted: bool, (answer, why): Told) -> Line {
    let good = match answer {
        Answer::Yes => Some(wanted),
        Answer::No => Some(!wanted),
        Answer::Unknown => None,
    };
    Line { question, answer, good, why }
}

impl Line {
    /// One line for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mark = match self.good {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "?",
        };
        let answer = match self.answer {
            Answer::Yes => "yes",
            Answer::No => "no",
            Answer::Unknown => "unknown",
        };
        format!("{mark} {} {answer}: {}", self.question, self.why)
    }
}

impl Known<'_> {
    /// The findings of some rules in steps that old code meets.
    fn found(&self, rules: &[&str], phases: &[Phase]) -> Vec<&Finding> {
        let steps: BTreeSet<&str> = self
            .item
            .steps
            .iter()
            .filter(|step| phases.contains(&step.phase))
            .map(|step| step.id.as_str())
            .collect();
        self.findings
            .iter()
            .filter(|finding| rules.contains(&finding.rule) && steps.contains(finding.step.as_str()))
            .collect()
    }
}

/// Findings in a few words.
fn told(findings: &[&Finding]) -> String {
    let one = |finding: &&Finding| {
        let accepted = finding.allowed.as_ref().map_or_else(String::new, |why| format!(", accepted: {why}"));
        format!("{} ({}{accepted})", finding.step, finding.rule)
    };
    some(&findings.iter().map(one).collect::<Vec<_>>())
}

fn some(names: &[String]) -> String {
    let shown = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
