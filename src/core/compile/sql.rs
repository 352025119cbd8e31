//! Compiles SQL of a plan's author: one transaction where PostgreSQL lets it,
//! one statement a step where it does not.

use super::{At, CompileError, transaction};
use crate::core::ident::QName;
use crate::core::plan::model::{Place, SqlSpec};
use crate::core::sql::{self, Kind, Statement};
use crate::core::step::{Action, Allow, IndexBuild, Step, Undo};

/// SQL, and where each of its lines begins in the file that it was read from.
pub(super) struct Text<'a> {
    sql: &'a str,
    lines: Vec<Place>,
    file: Option<String>,
    allow: Vec<Allow>,
}

impl<'a> Text<'a> {
    pub(super) fn of_spec(spec: &'a SqlSpec) -> Self {
        Self {
            sql: &spec.text,
            lines: spec.lines.clone(),
            file: spec.file.clone(),
            allow: spec.allow.clone(),
        }
    }

    /// SQL that begins on a line of its file and goes on line by line.
    pub(super) fn from_line(sql: &'a str, first: usize, allow: &[Allow]) -> Self {
        let lines = (first..first + sql.lines().count()).map(|line| Place { line, column: 1 }).collect();
        Self { sql, lines, file: None, allow: allow.to_vec() }
    }

    /// Where a statement begins.
    fn place(&self, statement: &Statement) -> Option<Place> {
        let line = self.lines.get(statement.line - 1)?;
        let before = self.sql.get(..statement.offset)?;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        Some(Place { line: line.line, column: line.column + column })
    }

    fn placed(&self, mut step: Step, statements: &[Place]) -> Step {
        step.statements = statements.to_vec();
        step.file.clone_from(&self.file);
        step.allow.clone_from(&self.allow);
        step
    }
}

/// Compiles SQL into steps; `undo` takes all of them back.
pub(super) fn steps(at: &At, title: &str, text: &Text<'_>, undo: Undo) -> Result<Vec<Step>, CompileError> {
    let statements = read(at, text.sql)?;
    let places: Vec<Place> =
        statements.iter().map(|statement| text.place(statement).unwrap_or(at.place)).collect();
    if statements.iter().all(|statement| in_one_transaction(&statement.kind)) {
        let sql = statements.into_iter().map(|statement| statement.text).collect();
        return Ok(vec![text.placed(at.step(title, transaction(sql), undo), &places)]);
    }
    let many = statements.len() > 1;
    if let Some(set) = statements.iter().find(|statement| many && matches!(statement.kind, Kind::SetSession))
    {
        return Err(at.error(format!(
            "{} (line {} of the SQL): these statements run one by one, each in a session as new, because one of them \
             cannot run in a transaction: SET would not reach the others; split the file, or name schemas in full",
            sql::first_words(&set.text),
            set.line
        )));
    }
    let mut undo = Some(undo);
    let compile = |(n, statement): (usize, Statement)| {
        let at =
            if many { at.part(n + 1) } else { At { phase: at.phase, id: at.id.clone(), place: at.place } };
        // The plan's undo is for the whole; it hangs on the first part, which is taken back last.
        let undo = undo.take().unwrap_or(Undo::Nothing);
        let title = format!("{title}: {}", sql::first_words(&statement.text));
        let place = places.get(n).copied().unwrap_or(at.place);
        Ok(text.placed(at.step(title, action(&at, statement)?, undo), &[place]))
    };
    statements.into_iter().enumerate().map(compile).collect()
}

/// Compiles an undo, which must be one action.
pub(super) fn undo(at: &At, text: &str) -> Result<Action, CompileError> {
    let mut statements = read(at, text)?;
    if statements.iter().all(|statement| in_one_transaction(&statement.kind)) {
        return Ok(transaction(statements.into_iter().map(|statement| statement.text).collect()));
    }
    match (statements.pop(), statements.is_empty()) {
        (Some(only), true) => action(at, only),
        _ => Err(at.error(
            "this undo mixes statements that cannot run in a transaction with others: split the step, one such statement each",
        )),
    }
}

/// What a step says for people.
pub(super) fn title(spec: &SqlSpec) -> String {
    spec.file.as_ref().map_or_else(|| sql::first_words(&spec.text), |file| format!("run {file}"))
}

fn read(at: &At, text: &str) -> Result<Vec<Statement>, CompileError> {
    let statements = sql::split(text).map_err(|error| {
        let copies = text.to_ascii_lowercase().contains("from stdin");
        let hint = if copies {
            "; COPY … FROM STDIN with its data is for psql alone: use INSERT here"
        } else {
            ""
        };
        at.error(format!("{error}{hint}"))
    })?;
    if statements.is_empty() {
        return Err(at.error("there is no statement here"));
    }
    for statement in &statements {
        refuse(at, statement)?;
    }
    Ok(statements)
}

fn refuse(at: &At, statement: &Statement) -> Result<(), CompileError> {
    let message = match &statement.kind {
        Kind::TransactionControl => {
            "transaction control is not yours here: the step and its record commit together; take BEGIN, COMMIT and the like out"
        }
        Kind::Copy => "COPY with data from the client cannot run here: use INSERT, or a backfill",
        _ => return Ok(()),
    };
    Err(at.error(format!(
        "{} (line {} of the SQL): {message}",
        sql::first_words(&statement.text),
        statement.line
    )))
}

const fn in_one_transaction(kind: &Kind) -> bool {
    matches!(kind, Kind::Transactional | Kind::SetSession)
}

fn action(at: &At, statement: Statement) -> Result<Action, CompileError> {
    let Statement { text, kind, .. } = statement;
    Ok(match kind {
        Kind::BuildIndex(build) => {
            let Some(name) = build.index else {
                return Err(at.error(
                    "give the index a name: without one, a build that was interrupted cannot be found again",
                ));
            };
            Action::BuildIndex(IndexBuild { table: build.table, name, create: text, unique: build.unique })
        }
        Kind::DropIndex(drop) => match drop.indexes.as_slice() {
            [index] => Action::DropIndex { index: index.clone() },
            _ => return Err(at.error("DROP INDEX CONCURRENTLY takes one index at a time")),
        },
        Kind::Outside { repeatable, .. } => Action::Autocommit { sql: text, repeatable },
        Kind::Transactional | Kind::SetSession | Kind::OwnCommit | Kind::TransactionControl | Kind::Copy => {
            transaction(vec![text])
        }
    })
}

/// The tables that a script touches, or none when it does not parse.
pub(super) fn tables(text: &str) -> Vec<QName> {
    sql::tables(text).map(|tables| tables.into_iter().collect()).unwrap_or_default()
}
