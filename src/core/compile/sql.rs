//! Compiles SQL of a plan's author: one transaction where PostgreSQL lets it,
//! one statement a step where it does not.

use super::{At, CompileError, transaction};
use crate::core::detach::Detach;
use crate::core::ident::QName;
use crate::core::migration::SqlMigration;
use crate::core::plan::model::{Place, SqlSpec};
use crate::core::plan::scalar::Places;
use crate::core::sql::{self, Alter, Change, Kind, Statement};
use crate::core::step::{Action, Allow, IndexBuild, Step, Undo};

/// SQL, and where it stands in the file that it was read from.
pub(super) struct Text<'a> {
    sql: &'a str,
    places: Places,
    file: Option<String>,
    allow: Vec<Allow>,
    /// What is accepted for the next statement alone.
    allow_next: &'a [Allow],
}

impl<'a> Text<'a> {
    pub(super) fn of_spec(spec: &'a SqlSpec) -> Self {
        Self {
            sql: &spec.text,
            places: spec.places.clone(),
            file: spec.file.clone(),
            allow: spec.allow.clone(),
            allow_next: &[],
        }
    }

    /// SQL of a migration, that begins on a line of its file and goes on line by line.
    pub(super) fn from_line(sql: &'a str, first: usize, migration: &'a SqlMigration) -> Self {
        let places = Places::of_lines(sql, first);
        Self { sql, places, file: None, allow: migration.allow.clone(), allow_next: &migration.allow_next }
    }

    fn of_undo(sql: &'a str, places: &Places) -> Self {
        Self { sql, places: places.clone(), file: None, allow: Vec::new(), allow_next: &[] }
    }

    /// Where each statement begins.
    fn places(&self, at: &At, statements: &[Statement]) -> Vec<Place> {
        let place = |statement: &Statement| self.places.at(self.sql, statement.offset).unwrap_or(at.place);
        statements.iter().map(place).collect()
    }

    /// What is accepted, with the statement that each acceptance is for.
    fn allowed(&self, places: &[Place]) -> Vec<Allow> {
        let next = self.allow_next.iter().filter_map(|allow| {
            let from = allow.place?;
            let statement = places.iter().find(|place| place.line > from.line).copied();
            // One that stands in the other section is for a statement there.
            let ours = self.places.at(self.sql, 0).is_some_and(|first| first.line <= from.line);
            statement.filter(|_| ours).map(|at| Allow { statement: Some(at), ..allow.clone() })
        });
        self.allow.iter().cloned().chain(next).collect()
    }

    fn placed(&self, mut step: Step, statements: &[Place], allow: &[Allow]) -> Step {
        step.statements = statements.to_vec();
        step.file.clone_from(&self.file);
        step.allow = allow.to_vec();
        step
    }

    /// A fault at a byte of the SQL.
    fn fault(&self, at: &At, offset: Option<usize>, message: String) -> CompileError {
        let found = offset.and_then(|offset| self.places.at(self.sql, offset));
        match (found, &self.file) {
            (Some(place), None) => CompileError::at(place, message),
            (Some(place), Some(file)) => {
                at.error(format!("{file}:{}:{}: {message}", place.line, place.column))
            }
            (None, _) => at.error(message),
        }
    }
}

/// Compiles SQL into steps; `undo` takes all of them back.
pub(super) fn steps(at: &At, title: &str, text: &Text<'_>, undo: Undo) -> Result<Vec<Step>, CompileError> {
    let statements = read(at, text)?;
    let places = text.places(at, &statements);
    let allow = text.allowed(&places);
    if statements.iter().all(|statement| in_one_transaction(&statement.kind)) {
        let sql = statements.into_iter().map(|statement| statement.text).collect();
        return Ok(vec![text.placed(at.step(title, transaction(sql), undo), &places, &allow)]);
    }
    let many = statements.len() > 1;
    if let Some(set) = statements.iter().find(|statement| many && matches!(statement.kind, Kind::SetSession))
    {
        return Err(text.fault(at, Some(set.offset), format!(
            "{} (line {} of the SQL): these statements run one by one, each in a session as new, because one of them \
             cannot run in a transaction: SET would not reach the others; split the file, or name schemas in full",
            sql::first_words(&set.text),
            set.line
        )));
    }
    let detaches = |statement: &&Statement| matches!(statement.kind, Kind::Detach { .. });
    if let (Undo::Run(_), Some(second)) = (&undo, statements.iter().filter(detaches).nth(1)) {
        return Err(text.fault(
            at,
            Some(second.offset),
            "one undo cannot take back two concurrent detaches, of which only one may have happened: a step for each, \
             with its own undo"
                .into(),
        ));
    }
    let mut undo = Some(undo);
    let compile = |(n, statement): (usize, Statement)| {
        let at =
            if many { at.part(n + 1) } else { At { phase: at.phase, id: at.id.clone(), place: at.place } };
        // The plan's undo is for the whole; it hangs on the first part, which is taken back last.
        let undo = undo.take().unwrap_or(Undo::Nothing);
        let words = sql::first_words(&statement.text);
        let title = if words == title { words } else { format!("{title}: {words}") };
        let place = places.get(n).copied().unwrap_or(at.place);
        Ok(text.placed(at.step(title, action(&at, statement)?, undo), &[place], &allow))
    };
    statements.into_iter().enumerate().map(compile).collect()
}

/// Compiles an undo, which must be one action; with the places of its statements.
pub(super) fn undo(at: &At, sql: &str, places: &Places) -> Result<(Action, Vec<Place>), CompileError> {
    let text = Text::of_undo(sql, places);
    let mut statements = read(at, &text)?;
    let places = text.places(at, &statements);
    if statements.iter().all(|statement| in_one_transaction(&statement.kind)) {
        let sql = statements.into_iter().map(|statement| statement.text).collect();
        return Ok((transaction(sql), places));
    }
    match (statements.pop(), statements.is_empty()) {
        (Some(only), true) => Ok((action(at, only)?, places)),
        _ => Err(at.error(
            "this undo mixes statements that cannot run in a transaction with others: split the step, one such statement each",
        )),
    }
}

/// What a step says for people.
pub(super) fn title(spec: &SqlSpec) -> String {
    spec.file.as_ref().map_or_else(|| sql::first_words(&spec.text), |file| format!("run {file}"))
}

fn read(at: &At, text: &Text<'_>) -> Result<Vec<Statement>, CompileError> {
    let statements = sql::split(text.sql).map_err(|error| {
        let copies = text.sql.to_ascii_lowercase().contains("from stdin");
        let hint = if copies {
            "; COPY … FROM STDIN with its data is for psql alone: use INSERT here"
        } else {
            ""
        };
        text.fault(at, error.offset, format!("{error}{hint}"))
    })?;
    if statements.is_empty() {
        return Err(at.error("there is no statement here"));
    }
    for statement in &statements {
        refuse(at, text, statement)?;
    }
    Ok(statements)
}

fn refuse(at: &At, text: &Text<'_>, statement: &Statement) -> Result<(), CompileError> {
    let message = match &statement.kind {
        Kind::TransactionControl => {
            "transaction control is not yours here: the step and its record commit together; take BEGIN, COMMIT and the like out"
        }
        Kind::SetSession if sets_strings(statement) => {
            "phase reads the SQL with standard_conforming_strings on, and a server that reads it otherwise may find other \
             statements in it: write strings with backslashes as E'…'"
        }
        Kind::Copy => "COPY with data from the client cannot run here: use INSERT, or a backfill",
        _ => return Ok(()),
    };
    let message =
        format!("{} (line {} of the SQL): {message}", sql::first_words(&statement.text), statement.line);
    Err(text.fault(at, Some(statement.offset), message))
}

/// Whether it changes what a backslash means in a string.
fn sets_strings(statement: &Statement) -> bool {
    let strings =
        |change: &Change| matches!(change, Change::Set { name, .. } if name == "standard_conforming_strings");
    statement.changes.iter().any(strings)
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
            [index] => Action::DropIndex { index: index.clone(), if_exists: drop.if_exists },
            _ => return Err(at.error("DROP INDEX CONCURRENTLY takes one index at a time")),
        },
        Kind::Detach { table, partition } => Action::Detach(Detach { table, partition, sql: text }),
        Kind::Outside { repeatable, .. } => Action::Autocommit { sql: text, repeatable },
        Kind::Transactional | Kind::SetSession | Kind::OwnCommit | Kind::TransactionControl | Kind::Copy => {
            transaction(vec![text])
        }
    })
}

/// Whether a script does no more than to prove constraints that are there: what takes them
/// back takes their proof back.
pub(super) fn only_proves(text: &str) -> bool {
    let proof = |change: &Change| matches!(change, Change::Alter { what: Alter::Validate(_), .. });
    let proves = |statement: &Statement| !statement.changes.is_empty() && statement.changes.iter().all(proof);
    sql::split(text).is_ok_and(|statements| !statements.is_empty() && statements.iter().all(proves))
}

/// The tables that a script touches, or none when it does not parse.
pub(super) fn tables(text: &str) -> Vec<QName> {
    sql::tables(text).map(|tables| tables.into_iter().collect()).unwrap_or_default()
}
