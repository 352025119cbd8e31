//! Owns the finding: what a rule has against a statement, where it stands, and
//! what to write instead.

use serde::Serialize;

use super::inspect::Taken;
use crate::core::plan::model::Place;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// It stops the application, or fails: refused unless the step allows it.
    Error,
    /// It is to be looked at.
    Warning,
}

/// What a rule has against a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule; docs/lint/ has a page of this name.
    pub rule: &'static str,
    /// How bad it is.
    pub level: Level,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The step.
    pub step: String,
    /// The beginning of the statement.
    pub statement: String,
    /// The locks that the statement takes.
    pub locks: Vec<Taken>,
    /// Why it hurts.
    pub why: String,
    /// What to write instead.
    pub safe: Option<String>,
    /// Why the plan allows it all the same.
    pub allowed: Option<String>,
    /// Whether it is against the way back.
    #[serde(skip)]
    pub back: bool,
}

impl Finding {
    /// Whether the statement must not run like this.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.level == Level::Error && self.allowed.is_none()
    }

    /// Where it stands.
    #[must_use]
    pub const fn place(&self) -> Place {
        Place { line: self.line, column: self.column }
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        format!("{}: {}: {}", self.rule, self.statement, self.why)
    }

    /// All of it below the place: the locks, and what to write.
    #[must_use]
    pub fn details(&self) -> String {
        let mut text: String = self.locks.iter().map(|taken| format!("  locks {}\n", taken.line())).collect();
        if let Some(safe) = &self.safe {
            if safe.contains('\n') {
                text += "  instead:\n";
                text.extend(safe.lines().map(|line| format!("    {line}\n")));
            } else {
                text += &format!("  instead: {safe}\n");
            }
        }
        text
    }
}
