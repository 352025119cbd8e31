//! Compiles a plan or a SQL migration into steps, purely: the same file for the
//! same server version always gives the same steps under the same ids.

mod backfill;
mod bodies;
mod coherence;
mod contract;
mod exchange;
mod in_step;
mod index;
mod moved;
mod not_null;
mod sql;
mod succeed;
mod tables;

#[cfg(test)]
mod tests;

use crate::core::migration::{Down, SqlMigration};
use crate::core::plan::model::{Place, Placed, Plan, StepSpec, UndoSpec};
use crate::core::step::{Action, Phase, Statements, Step, Undo};
use crate::core::timeline::Rollback;

pub use tables::{of_migration, of_plan};

use in_step::InStep;

/// What about the server changes the steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// `server_version_num`, such as 150018.
    pub version: u32,
}

impl Server {
    /// The newest server that this program knows; for work without a connection.
    pub const NEWEST: Self = Self { version: 180_000 };

    /// The major version.
    #[must_use]
    pub const fn major(self) -> u32 {
        self.version / 10_000
    }
}

/// Why a plan cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// Where in the file.
    pub place: Option<Place>,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl CompileError {
    fn at(place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), message: message.into() }
    }
}

/// Compiles a plan.
///
/// # Errors
/// When SQL of the plan does not parse or may not stand where it stands.
pub fn plan(plan: &Plan, server: Server) -> Result<Vec<Step>, CompileError> {
    let kept = InStep::of(plan)?;
    let mut steps = Vec::new();
    for (phase, specs) in [(Phase::Expand, &plan.expand), (Phase::Validate, &plan.validate)] {
        let mut begin = kept.begin();
        for (n, spec) in specs.iter().enumerate() {
            let at = At { phase, id: format!("{phase}.{}", n + 1), place: spec.place };
            match begin.step(&at, &spec.value) {
                Some(install) => steps.push(install),
                None => steps.extend(step(&at, &spec.value, server)?),
            }
        }
        if phase == Phase::Expand {
            steps.extend(backfill::steps(plan)?);
        }
    }
    steps.extend(contract::steps(plan, &kept, server)?);
    coherence::check(plan, &kept, &steps)?;
    Ok(steps)
}

/// Compiles a SQL migration: its UP, and its way back.
///
/// # Errors
/// When its SQL does not parse or may not stand in a migration.
pub fn migration(migration: &SqlMigration) -> Result<(Vec<Step>, Rollback), CompileError> {
    let line = |line: usize| Place { line, column: 1 };
    let up = At { phase: Phase::Expand, id: "up".into(), place: line(migration.up_line) };
    let steps = sql::steps(
        &up,
        &format!("run {}", migration.name),
        &sql::Text::from_line(&migration.up, migration.up_line, migration),
        Undo::Nothing,
    )?;
    let down = match (&migration.down, Rollback::refusal(&migration.down)) {
        (_, Some(why)) => Rollback::Refused(why),
        (Down::Sql(sql), None) => {
            let first = migration.down_line.unwrap_or(1);
            let down = At { phase: Phase::Expand, id: "down".into(), place: line(first) };
            Rollback::Steps(sql::steps(
                &down,
                &format!("take {} back", migration.name),
                &sql::Text::from_line(sql, first, migration),
                Undo::Nothing,
            )?)
        }
        (_, None) => Rollback::Refused("it has no DOWN section".into()),
    };
    Ok((steps, down))
}

/// Where a step stands.
struct At {
    phase: Phase,
    id: String,
    place: Place,
}

impl At {
    fn step(&self, title: impl Into<String>, action: Action, undo: Undo) -> Step {
        Step {
            id: self.id.clone(),
            phase: self.phase,
            title: title.into(),
            place: Some(self.place),
            statements: Vec::new(),
            undo_statements: Vec::new(),
            file: None,
            allow: Vec::new(),
            action,
            undo,
            syncs: Vec::new(),
        }
    }

    /// The n-th part of this step, as a step of its own.
    fn part(&self, n: usize) -> Self {
        Self { phase: self.phase, id: format!("{}.{n}", self.id), place: self.place }
    }

    fn error(&self, message: impl Into<String>) -> CompileError {
        CompileError::at(self.place, message)
    }
}

/// Statements that are quick once they have their locks.
fn transaction(sql: Vec<String>) -> Action {
    Action::Transaction(Statements { sql, unhurried: false })
}

/// A proof under a lock that lets reads and writes through may take as long as it takes.
fn take_time(action: Action) -> Action {
    match action {
        Action::Transaction(statements) => Action::Transaction(Statements { unhurried: true, ..statements }),
        other => other,
    }
}

/// Compiles the steps that mean the same in every phase.
fn step(at: &At, spec: &StepSpec, server: Server) -> Result<Vec<Step>, CompileError> {
    Ok(match spec {
        StepSpec::Sql(spec) => {
            let (undo, undo_statements) = match &spec.undo {
                Some(UndoSpec::Sql(text, places)) => {
                    let (action, statements) = sql::undo(at, text, places)?;
                    let action = if sql::only_proves(text) { take_time(action) } else { action };
                    (Undo::Run(action), statements)
                }
                Some(UndoSpec::Irreversible(why)) => (Undo::Irreversible(why.clone()), Vec::new()),
                Some(UndoSpec::Stays) => (Undo::Nothing, Vec::new()),
                None if sql::only_proves(&spec.text) => (Undo::Nothing, Vec::new()),
                None => (Undo::Irreversible("the plan gives no undo for it".into()), Vec::new()),
            };
            let mut steps = sql::steps(at, &sql::title(spec), &sql::Text::of_spec(spec), undo)?;
            if sql::only_proves(&spec.text) {
                for step in &mut steps {
                    step.action = take_time(step.action.clone());
                }
            }
            if let Some(first) = steps.first_mut() {
                first.undo_statements = undo_statements;
            }
            steps
        }
        StepSpec::Index(spec) => vec![index::build(at, spec)?],
        StepSpec::DropIndex(index) => vec![index::drop(at, index)],
        StepSpec::NotNull { table, column } => not_null::steps(at, table, column, server),
        StepSpec::Assert(spec) => {
            crate::core::sql::check_query(&spec.sql).map_err(|error| at.error(format!("assert: {error}")))?;
            let action = Action::Assert {
                name: spec.name.clone(),
                sql: spec.sql.clone(),
                expect: spec.expect.clone(),
            };
            vec![at.step(format!("check that {}", spec.name), action, Undo::Nothing)]
        }
        StepSpec::Sync(_)
        | StepSpec::DropColumn { .. }
        | StepSpec::DropTable { .. }
        | StepSpec::Exchange(_)
        | StepSpec::Last(_)
        | StepSpec::Mirror(_)
        | StepSpec::Succeed(_)
        | StepSpec::Move(_)
        | StepSpec::Moved(_) => {
            return Err(at.error("this step may not stand in this phase"));
        }
    })
}

fn placed<T>(value: &Placed<T>) -> (&T, Place) {
    (&value.value, value.place)
}
