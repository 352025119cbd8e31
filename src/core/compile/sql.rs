//! Compiles SQL of a plan's author: one transaction where PostgreSQL lets it,
//! one statement a step where it does not.

use super::{At, CompileError, transaction};
use crate::core::ident::QName;
use crate::core::plan::model::SqlSpec;
use crate::core::sql::{self, Kind, Statement};
use crate::core::step::{Action, IndexBuild, Step, Undo};

/// Compiles `text` into steps; `undo` takes all of them back.
pub(super) fn steps(at: &At, title: &str, text: &str, undo: Undo) -> Result<Vec<Step>, CompileError> {
    let statements = read(at, text)?;
    if statements.iter().all(|statement| in_one_transaction(&statement.kind)) {
        let sql = statements.into_iter().map(|statement| statement.text).collect();
        return Ok(vec![at.step(title, transaction(sql), undo)]);
    }
    let many = statements.len() > 1;
    if let Some(set) = statements.iter().find(|statement| many && matches!(statement.kind, Kind::SetSession))
    {
        return Err(at.error(format!(
            "{} (line {} of the SQL): these statements run one by one, each in a session as new, because one of them \
             cannot run in a transaction: SET would not reach the others; split the file, or name schemas in full",
            first_words(&set.text),
            set.line
        )));
    }
    let mut undo = Some(undo);
    let compile = |(n, statement): (usize, Statement)| {
        let at =
            if many { at.part(n + 1) } else { At { phase: at.phase, id: at.id.clone(), place: at.place } };
        // The plan's undo is for the whole; it hangs on the first part, which is taken back last.
        let undo = undo.take().unwrap_or(Undo::Nothing);
        Ok(at.step(format!("{title}: {}", first_words(&statement.text)), action(&at, statement)?, undo))
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
    spec.file.as_ref().map_or_else(|| first_words(&spec.text), |file| format!("run {file}"))
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
    Err(at.error(format!("{} (line {} of the SQL): {message}", first_words(&statement.text), statement.line)))
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

/// The most characters of a statement that a title shows.
const TITLE_CHARS: usize = 60;

fn first_words(text: &str) -> String {
    let mut words = sql::redact(text).split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > TITLE_CHARS {
        words = words.chars().take(TITLE_CHARS - 1).collect::<String>() + "…";
    }
    words
}

/// The tables that a script touches, or none when it does not parse.
pub(super) fn tables(text: &str) -> Vec<QName> {
    sql::tables(text).map(|tables| tables.into_iter().collect()).unwrap_or_default()
}
