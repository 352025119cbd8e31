//! Asks a second linter, squawk, about the SQL of an item: its rules stand under
//! their own names beside those of this program, and never decide anything.

mod ours;
mod squawk;
#[cfg(test)]
mod tests;

use serde::Serialize;

use super::Finding;
use crate::core::compile::Server;
use crate::core::plan::model::Place;
use crate::core::sql::{SqlError, Statement, blank_comments, deep, nesting, split};
use crate::core::step::{Action, Phase, Step};
use crate::core::timeline::Item;
use ours::Meaning;

/// How deep SQL may nest that is handed on: 3,000 levels of brackets, the costliest
/// kind, are read within the stack of 64 MB by a build without optimisation.
const MAX_NESTING: usize = 2_000;

/// The most bytes of SQL of one step that are handed on.
const MAX_BYTES: usize = 1024 * 1024;

/// Which opinions are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Those on what the rules of this program do not judge.
    New,
    /// Also on what they judge by other means, unless they say the same of the statement.
    All,
}

/// What the second linter says of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Opinion {
    /// Its name of the rule.
    pub rule: String,
    /// Its page on it.
    pub link: String,
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// The step.
    pub step: String,
    /// What it says, and what it would do.
    pub message: String,
}

/// Why there is no second opinion on an item, and the item is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpinionError {
    /// The SQL cannot be read.
    #[error("{0}")]
    Sql(#[from] SqlError),
    /// The two parsers cut the SQL apart at different places.
    #[error(
        "{file}:{}:{}: PostgreSQL's grammar and squawk's disagree where a statement of step {step} begins: \
         the one says here, the other {bytes} bytes {side}, at `{other}`; nothing of it has been run. \
         Write this statement in a plainer form, or check with --second-opinion none and report it",
        place.line, place.column
    )]
    Disagree {
        /// The file.
        file: String,
        /// Where the statement begins that PostgreSQL's grammar sees.
        place: Place,
        /// The step.
        step: String,
        /// How far away squawk sees one begin.
        bytes: usize,
        /// before or after it.
        side: &'static str,
        /// The beginning of what squawk sees there.
        other: String,
    },
}

/// The second linter's opinions on an item; `findings` are the program's own.
///
/// # Errors
/// When the SQL cannot be read, or the two parsers do not agree where its statements begin.
pub fn opinions(
    item: &Item,
    server: Server,
    findings: &[Finding],
    wanted: Wanted,
) -> Result<Vec<Opinion>, OpinionError> {
    deep(|| {
        let mut found = Vec::new();
        // What the program writes itself is no one's to judge.
        for step in item.steps.iter().filter(|step| !step.statements.is_empty()) {
            found.extend(of_step(item, step, server, findings, wanted)?);
        }
        Ok(found)
    })?
}

fn of_step(
    item: &Item,
    step: &Step,
    server: Server,
    findings: &[Finding],
    wanted: Wanted,
) -> Result<Vec<Opinion>, OpinionError> {
    let sql = blank_comments(&step.action.sql().join("\n;\n"))?;
    let statements = split(&sql)?;
    if sql.len() > MAX_BYTES || nesting(&sql)? > MAX_NESTING {
        return Ok(Vec::new());
    }
    let file = step.file_of(item);
    let place =
        |n: usize| step.statements.get(n).copied().or(step.place).unwrap_or(Place { line: 1, column: 1 });
    let answer = squawk::ask(&sql, server, matches!(step.action, Action::Transaction(_)));
    // SQL that it cannot read it has no opinion on.
    let Some(answer) = answer else { return Ok(Vec::new()) };
    if let Some((n, start)) = astray(&statements, &answer.starts) {
        let at = statements.get(n).map_or(0, |statement| statement.offset);
        return Err(OpinionError::Disagree {
            file,
            place: place(n),
            step: step.id.clone(),
            bytes: at.abs_diff(start),
            side: if start < at { "before" } else { "after" },
            other: sql.get(start..).unwrap_or_default().chars().take(40).collect(),
        });
    }
    let mut found: Vec<Opinion> = Vec::new();
    for said in answer.said {
        let n = statements.iter().rposition(|statement| statement.offset <= said.offset).unwrap_or(0);
        let Place { line, column } = place(n);
        let here = |finding: &&Finding| {
            finding.file == file && finding.step == step.id && finding.place() == place(n)
        };
        let already =
            |ours: &[&str]| findings.iter().filter(here).any(|finding| ours.contains(&finding.rule));
        let shown = match ours::meaning(&said.rule) {
            Meaning::Unfit => false,
            Meaning::Judged(ours) => wanted == Wanted::All && !already(ours),
            Meaning::Breaks => step.phase < Phase::Contract && !already(ours::OLD_SHAPE),
            Meaning::Adds => true,
        };
        let opinion = Opinion {
            link: format!("https://squawkhq.com/docs/{}", said.rule),
            rule: said.rule,
            file: file.clone(),
            line,
            column,
            step: step.id.clone(),
            message: said.message,
        };
        if shown && !found.contains(&opinion) {
            found.push(opinion);
        }
    }
    Ok(found)
}

/// Where squawk sees a statement begin and PostgreSQL's grammar does not, and the
/// nearest one that it sees. Statements that squawk takes for parts of others are missing
/// in its list, and stay without an opinion.
fn astray(statements: &[Statement], starts: &[usize]) -> Option<(usize, usize)> {
    let known = |start: &usize| statements.iter().any(|statement| statement.offset == *start);
    let start = *starts.iter().find(|start| !known(start))?;
    let nearest = statements.iter().enumerate().min_by_key(|(_, statement)| statement.offset.abs_diff(start));
    Some((nearest.map_or(0, |(n, _)| n), start))
}
