//! Answers the questions that are asked before a change goes to production, each from
//! what is known: the steps, the findings, the catalog, the record.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::core::footprint::Footprint;
use crate::core::lint::{Finding, Level, World, inspect, taken};
use crate::core::plan::model::AppVersion;
use crate::core::record::Kind;
use crate::core::rehearse::Outcome;
use crate::core::sql::SqlError;
use crate::core::state::State;
use crate::core::step::{Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};

/// A rehearsal is on data of production's size from this share of its rows on: a scan of
/// half of a table tells what one of all of it takes.
const SHARE: f64 = 0.5;
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
    pub markers: &'a [AppVersion],
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

    fn old_code(&self) -> Told {
        const WHILE_IT_RUNS: &[Phase] = &[Phase::Expand, Phase::Backfill, Phase::Validate];
        let breaks = self.found(
            &["expand-breaks-application", "expand-narrows", "drop-cascade", "truncate"],
            WHILE_IT_RUNS,
        );
        if !breaks.is_empty() {
            return (Answer::No, told(&breaks));
        }
        let opaque = self.found(&["opaque", "opaque-function"], WHILE_IT_RUNS);
        if !opaque.is_empty() {
            return (Answer::Unknown, told(&opaque));
        }
        if !self.item.cautions.is_empty() {
            return (Answer::Unknown, format!("look at this twice: {}", self.item.cautions.join("; ")));
        }
        (Answer::Yes, "until contract, nothing is taken away or made narrower that stands now".into())
    }

    fn new_code(&self) -> Result<Told, SqlError> {
        let expand: Vec<Step> = self.item.steps_of(Phase::Expand).cloned().collect();
        let footprint = Footprint::of(&expand)?;
        let made: BTreeSet<String> = footprint
            .touches()
            .filter(|(_, how, _)| how.makes())
            .map(|(thing, ..)| thing.to_string())
            .collect();
        Ok(if made.is_empty() {
            (Answer::Yes, "expand makes nothing that it could miss".into())
        } else {
            let made: Vec<String> = made.into_iter().collect();
            (Answer::No, format!("{} is there only after expand, so expand comes first", some(&made)))
        })
    }

    fn locks(&self) -> Result<Told, SqlError> {
        let long = self.findings.iter().filter(|finding| {
            finding.level == Level::Error
                && finding
                    .locks
                    .iter()
                    .any(|taken| (taken.blocks_reads || taken.blocks_writes) && taken.is_long())
        });
        let long: Vec<&Finding> = long.collect();
        if !long.is_empty() {
            return Ok((Answer::Yes, told(&long)));
        }
        let opaque: Vec<&Finding> =
            self.findings.iter().filter(|finding| finding.rule.starts_with("opaque")).collect();
        if !opaque.is_empty() {
            return Ok((Answer::Unknown, told(&opaque)));
        }
        let (mut world, mut moments) = (self.world.clone(), Vec::new());
        for step in Phase::ALL.into_iter().flat_map(|phase| self.item.steps_of(phase)) {
            let taken = taken(&inspect(step, &mut world)?);
            if taken.iter().any(|taken| taken.blocks_reads || taken.blocks_writes) {
                moments.push(step.id.clone());
            }
        }
        Ok((
            Answer::No,
            match moments.len() {
                0 => "no step takes a lock that queries or writes wait for".into(),
                _ => format!(
                    "for a moment only ({}); nobody waits longer than lock_timeout ({})",
                    some(&moments),
                    humantime::format_duration(self.item.limits.lock_timeout)
                ),
            },
        ))
    }

    fn indexes(&self) -> Told {
        const RULES: &[&str] = &[
            "create-index",
            "create-index-partitioned",
            "add-unique",
            "add-unique-partitioned",
            "add-primary-key",
            "add-exclusion",
            "attach-partition-index",
        ];
        match self.found(RULES, &Phase::ALL) {
            found if found.is_empty() => {
                (Answer::Yes, "none is built under a lock that writes wait for".into())
            }
            found => (Answer::No, told(&found)),
        }
    }

    fn constraints(&self) -> Told {
        const RULES: &[&str] = &[
            "add-check",
            "add-column-check",
            "add-column-references",
            "add-foreign-key",
            "add-foreign-key-partitioned",
            "add-not-null",
            "set-not-null",
            "domain-add-constraint",
            "domain-set-not-null",
        ];
        match self.found(RULES, &Phase::ALL) {
            found if found.is_empty() => {
                (Answer::Yes, "none is proven under a lock that queries or writes wait for".into())
            }
            found => (Answer::No, told(&found)),
        }
    }

    /// Whether everything up to contract has a way back.
    fn undo_written(&self) -> Told {
        let irreversible =
            self.item.steps.iter().filter(|step| step.phase < Phase::Purge).filter_map(|step| {
                match &step.undo {
                    Undo::Irreversible(why) => Some(format!("{} ({why})", step.id)),
                    Undo::Nothing | Undo::Run(_) | Undo::Recorded => None,
                }
            });
        let irreversible: Vec<String> = match (&self.item.kind, &self.item.down) {
            (Kind::Sql, Rollback::Refused(why)) => vec![why.clone()],
            (Kind::Sql, Rollback::Steps(_)) => Vec::new(),
            (Kind::Plan, _) => irreversible.collect(),
        };
        if irreversible.is_empty() {
            (Answer::Yes, "every step has a way back".into())
        } else {
            (Answer::No, format!("nothing leads back from {}", some(&irreversible)))
        }
    }

    fn undo(&self, (written, why): Told) -> Told {
        let version = &self.item.version;
        if written != Answer::Yes {
            return (written, why);
        }
        let Some(record) = self.record else {
            return (
                Answer::Unknown,
                "it is written; rehearsals stand in the record: ask with a database".into(),
            );
        };
        match record.rehearsal {
            None => (Answer::No, format!("it is written and was never rehearsed: phase rehearse {version}")),
            Some(outcome) if outcome.checksum != self.item.checksum => (
                Answer::No,
                format!("the file is another one since it was rehearsed: phase rehearse {version}"),
            ),
            Some(outcome) if !outcome.passed => {
                (Answer::No, format!("the last rehearsal failed: phase rehearse {version}"))
            }
            Some(outcome) if outcome.round_trips == 0 => {
                (Answer::No, "it was rehearsed without a way back".into())
            }
            Some(outcome) => {
                (Answer::Yes, format!("{} ways back led to the schema as it was", outcome.round_trips))
            }
        }
    }

    fn size(&self) -> Told {
        let Some(record) = self.record else {
            return (Answer::Unknown, "rehearsals stand in the record: ask with a database".into());
        };
        let Some(outcome) = record.rehearsal.filter(|outcome| outcome.checksum == self.item.checksum) else {
            let version = &self.item.version;
            return (Answer::No, format!("it was not rehearsed: phase rehearse {version} --on a clone"));
        };
        let same = |name: &str, table: &str| name == table || name.ends_with(&format!(".{table}"));
        let table = outcome.largest.as_deref();
        let production = table.and_then(|table| {
            let mut tables = self.world.tables.iter();
            tables.find(|(name, _)| same(table, &name.plain()) || same(&name.plain(), table))
        });
        let Some((name, Some(rows))) = production.map(|(name, table)| (name.plain(), table.rows)) else {
            return (
                Answer::Unknown,
                "the catalog tells no rows of the tables that it was rehearsed on".into(),
            );
        };
        #[allow(clippy::cast_precision_loss, reason = "a share")]
        let enough = outcome.rows as f64 >= rows as f64 * SHARE;
        let told = format!("{} rows of {name} in the rehearsal, about {rows} here", outcome.rows);
        (if enough { Answer::Yes } else { Answer::No }, told)
    }

    fn order(&self) -> Told {
        let gates = &self.item.gates;
        let gates = [&gates.expand, &gates.backfill, &gates.validate, &gates.contract, &gates.purge];
        let wanted: Vec<&AppVersion> = gates.iter().flat_map(|gate| &gate.deployed).collect();
        let Some(record) = self.record else {
            return (Answer::Unknown, "the record tells: ask with a database".into());
        };
        if record.state >= State::Expanded && record.state != State::Aborted {
            return (Answer::Yes, format!("it is {} already", record.state));
        }
        match wanted.iter().find(|app| record.markers.contains(app)) {
            Some(AppVersion { app, version }) => {
                (Answer::No, format!("{app}@{version} is deployed, and it is {}: phase expand", record.state))
            }
            None => (
                Answer::Unknown,
                "it is not expanded: let phase expand run in the deploy before new code ships".into(),
            ),
        }
    }

    fn failed_deploy(&self, old_code: Told, undo: Told) -> Told {
        let version = &self.item.version;
        match (old_code, undo) {
            ((Answer::Yes, _), (Answer::Yes, _)) => {
                (Answer::Yes, format!("old code goes on as before; phase abort {version} takes expand back"))
            }
            ((Answer::Yes, _), (_, why)) => {
                (Answer::Yes, format!("old code goes on as before, but it stays: {why}"))
            }
            (old_code, _) => old_code,
        }
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
