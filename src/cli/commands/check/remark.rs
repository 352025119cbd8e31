//! Owns the remark: what is said about a line of a file besides the linter's
//! findings, and how it is printed.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::gates::Unnamed;
use super::report::command;
use crate::core::conflict::{Conflict, Grade};
use crate::core::lint::second::Opinion;
use crate::core::plan::located;
use crate::core::plan::model::Place;

/// Something to say about a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Remark {
    /// Which rule says so.
    pub(super) rule: String,
    /// error, warning or note.
    pub(super) level: &'static str,
    /// The file.
    pub(super) file: String,
    /// The line and the column.
    pub(super) place: Place,
    /// What there is to say.
    pub(super) message: String,
    /// Where to read more.
    pub(super) link: Option<String>,
}

impl Remark {
    pub(super) fn of_conflict(conflict: &Conflict) -> Self {
        Self {
            rule: "conflict".into(),
            level: if conflict.level == Grade::Error { "error" } else { "warning" },
            file: conflict.file.clone(),
            place: Place { line: conflict.line, column: conflict.column },
            message: conflict.message.clone(),
            link: None,
        }
    }

    /// A gate that nobody can open.
    pub(super) fn of_gate(gate: &Unnamed) -> Self {
        Self {
            rule: "gate".into(),
            level: "error",
            file: gate.file.clone(),
            place: Place { line: gate.line, column: gate.column },
            message: gate.message.clone(),
            link: None,
        }
    }

    pub(super) fn of_opinion(opinion: &Opinion) -> Self {
        Self {
            rule: format!("squawk/{}", opinion.rule),
            level: "note",
            file: opinion.file.clone(),
            place: Place { line: opinion.line, column: opinion.column },
            message: opinion.message.clone(),
            link: Some(opinion.link.clone()),
        }
    }

    /// With its line of the file, for people.
    pub(super) fn text(&self, sources: &BTreeMap<String, String>) -> String {
        let source = sources.get(&self.file).map_or("", String::as_str);
        let headline = format!("{}: {}: {}", self.level, self.rule, self.message);
        let link = self.link.as_ref().map(|link| format!("  see {link}\n")).unwrap_or_default();
        format!("{}\n{link}", located(&self.file, source, Some(self.place), &headline))
    }

    /// As a workflow command of GitHub.
    pub(super) fn annotate(&self) {
        let level = if self.level == "note" { "notice" } else { self.level };
        let link = self.link.as_ref().map(|link| format!("\n{link}")).unwrap_or_default();
        command(level, &self.file, self.place, &self.rule, &format!("{}{link}", self.message));
    }

    /// As a result of SARIF.
    pub(super) fn sarif(&self) -> Value {
        json!({
            "ruleId": self.rule,
            "level": self.level,
            "message": { "text": self.message },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": self.file },
                "region": { "startLine": self.place.line, "startColumn": self.place.column },
            } }],
        })
    }
}
