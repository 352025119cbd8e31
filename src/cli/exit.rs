//! Owns exit codes: which outcome ends with which code, in one place.

use serde::Serialize;

use crate::cli::files::ProjectError;
use crate::core::decide::Wanted;
use crate::core::drift::Drift;
use crate::core::failure::{Failure, FailureKind};
use crate::core::sql::SqlError;
use crate::core::sync::standing::help;
use crate::engine::error::RunError;
use crate::pg::connect::ConnectError;
use crate::pg::lock::Holder;

/// An exit code; docs/cli.md lists what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "u8")]
pub enum Code {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed; the state did not change, or is recorded as interrupted.
    Failed = 1,
    /// A usage, configuration or plan error; the database was not touched.
    Usage = 2,
    /// Waiting on a gate.
    Waiting = 3,
    /// Another runner has the plan.
    Locked = 4,
    /// Work is left: paused, interrupted, or out of time.
    WorkLeft = 5,
    /// A file, checksum, order or schema is not what the record says.
    Drift = 6,
}

impl From<Code> for u8 {
    fn from(code: Code) -> Self {
        code as Self
    }
}

impl Code {
    /// The code of several outcomes together: what needs a person most wins.
    #[must_use]
    pub fn worst(codes: impl IntoIterator<Item = Self>) -> Self {
        const RANK: [Code; 7] =
            [Code::Done, Code::Locked, Code::Waiting, Code::WorkLeft, Code::Usage, Code::Drift, Code::Failed];
        let rank = |code: &Code| RANK.iter().position(|other| other == code);
        codes.into_iter().max_by_key(rank).unwrap_or(Self::Done)
    }
}

impl From<SqlError> for CommandError {
    fn from(error: SqlError) -> Self {
        Self::Project(ProjectError::Invalid(error.to_string()))
    }
}

/// Why a command ended without its result.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command line asks for something that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// The files of the project are not right.
    #[error("{0}")]
    Project(#[from] ProjectError),
    /// No session could be had.
    #[error("{0}")]
    Connect(#[from] ConnectError),
    /// The record is of an older phase, and this command may not bring it up to date.
    #[error("the record in schema {0} was made by an older phase: phase init brings it up to date")]
    OldRecord(String),
    /// The server refused something of the program's own.
    #[error("{0}")]
    Server(#[from] Failure),
    /// Another runner has a lock.
    #[error("{0}")]
    Locked(Box<Holder>),
    /// The files are not what the record says.
    #[error("{}", .0.iter().map(Drift::describe).collect::<Vec<_>>().join("\n"))]
    Drift(Vec<Drift>),
    /// A plan asks for something that is not there, found before anything ran.
    #[error("{0}")]
    Preflight(String),
    /// Statements that would stop the application, found before they ran.
    #[error("{findings}")]
    Unsafe {
        /// Each with its place and what to write instead.
        findings: String,
        /// Whether something of the plan has run before.
        began: bool,
    },
    /// A plan could not be moved.
    #[error("{item}: {error}")]
    Run {
        /// `<version>_<name>`.
        item: String,
        /// What was asked for; `None`: it was only looked at.
        wanted: Option<Wanted>,
        /// Whether an abort took itself back whole, so that none is under way.
        stays: bool,
        /// Why.
        error: Box<RunError>,
    },
    /// There is no way from the present state.
    #[error("{item}: {why}")]
    NoPath {
        /// `<version>_<name>`.
        item: String,
        /// Why.
        why: String,
    },
    /// A file could not be written.
    #[error("{0}")]
    Io(String),
    /// The demo did not hold what it promises.
    #[error("{0}")]
    Demo(String),
}

impl CommandError {
    /// The exit code.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Usage(_)
            | Self::OldRecord(_)
            | Self::Project(_)
            | Self::Preflight(_)
            | Self::Unsafe { .. } => Code::Usage,
            Self::Connect(error) if error.is_configuration() => Code::Usage,
            Self::Run { error, .. }
                if matches!(
                    **error,
                    RunError::SyncLost { .. } | RunError::Joined { .. } | RunError::Unkept { .. }
                ) =>
            {
                Code::Drift
            }
            Self::Connect(_)
            | Self::Server(_)
            | Self::Run { .. }
            | Self::NoPath { .. }
            | Self::Io(_)
            | Self::Demo(_) => Code::Failed,
            Self::Locked(_) => Code::Locked,
            Self::Drift(_) => Code::Drift,
        }
    }

    /// What helps, one command or sentence each.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Locked(_) => vec!["wait for it with --lock-wait 5m, or look at phase status".into()],
            Self::Connect(error) if !error.is_configuration() => vec![
                "the server comes from --database-url, DATABASE_URL or the PG* variables, in this order; docs/connections.md"
                    .into(),
            ],
            Self::Preflight(_) => vec!["nothing of this plan has been run".into()],
            Self::Unsafe { began, .. } => vec![
                if *began {
                    "none of these statements has run; what ran before them is on record".into()
                } else {
                    "nothing of this plan has been run".into()
                },
                "write it the safe way, or accept it on its step: lint: {allow: [{rule: RULE, reason: WHY}]} \
                 (in a SQL migration a line -- lint: allow RULE: WHY)"
                    .into(),
            ],
            Self::Run { item, wanted, stays, error } => run_hints(item, *wanted, *stays, error),
            _ => Vec::new(),
        }
    }
}

fn is_data(error: &RunError) -> bool {
    matches!(error, RunError::Step { failure, .. } if failure.kind == FailureKind::Data)
}

/// Whether a key was there twice (`unique_violation`).
fn is_duplicate(error: &RunError) -> bool {
    matches!(error, RunError::Step { failure, .. } if failure.sqlstate.as_deref() == Some("23505"))
}

fn run_hints(item: &str, wanted: Option<Wanted>, stays: bool, error: &RunError) -> Vec<String> {
    let version = item.split('_').next().unwrap_or(item);
    let again = match wanted {
        Some(Wanted::Abort) => "abort",
        Some(Wanted::RollBack) => "rollback",
        _ => "advance",
    };
    match error {
        RunError::Ambiguous { .. } => vec![format!(
            "a hold is on it now; look at the database, then say what you found: \
                     phase resume {version} --step-done (it took effect) or --step-again (it did not)"
        )],
        RunError::NoLock { .. } => {
            vec![format!(
                "end the sessions in the way or wait for a quiet moment, then: phase {again} {version}"
            )]
        }
        RunError::Joined { .. } => {
            vec![format!(
                "do them as well, and go on: phase validate {version} --prove && phase {again} {version}"
            )]
        }
        RunError::Unkept { mend, .. } => {
            vec![format!("fill them, then go on with phase abort {version}: {}", mend.join("; "))]
        }
        RunError::SyncLost { lost, state, goal, proves } => help(version, lost, *state, *goal, *proves),
        RunError::Store(_) => vec![format!("what is done is on record: phase status {version}")],
        // A proof that was asked for by itself.
        RunError::Step { .. } | RunError::Refused { .. } if wanted.is_none() => {
            vec![format!("when the cause is gone: phase validate {version} --prove")]
        }
        RunError::Step { step, .. } | RunError::Refused { step, .. } => {
            let mut hints = vec![format!(
                "what was done before it is on record and is not done again; when the cause is gone: phase {again} {version}"
            )];
            match wanted {
                Some(Wanted::Abort) if is_data(error) => hints.push(format!(
                    "there are rows, written since, that what it puts back cannot hold; where it refuses new ones by now, \
                     statements that write them fail: mend the rows, and go on at once: phase abort {version}"
                )),
                // No step of it is left to take back.
                Some(Wanted::Abort) if stays => {}
                Some(Wanted::Abort) => hints.push(format!(
                    "or take the step back by hand, and say so: phase abort {version} --undone {step}"
                )),
                // Duplicates under a new unique index are rows of the application's own.
                _ if step.starts_with("validate.") && is_data(error) && !is_duplicate(error) => hints.extend([
                    format!(
                        "there are rows that break it, and a new one is refused from now on: where the application still \
                         writes such rows its statements fail, until they are mended or phase abort {version} takes it back"
                    ),
                    format!(
                        "where a backfill should have filled them: phase validate {version} --prove counts those that are \
                         not as its expression says, --repair sets them to it; others are to be mended by hand"
                    ),
                ]),
                // Of a SQL migration.
                _ if matches!(step.split('.').next(), Some("up" | "down")) => {}
                _ => hints.push(format!("or go back to the old shape: phase abort {version}")),
            }
            hints
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_needs_a_person_most_wins() {
        assert_eq!(Code::worst([Code::Done, Code::Waiting, Code::Locked]), Code::Waiting);
        assert_eq!(Code::worst([Code::WorkLeft, Code::Failed, Code::Drift]), Code::Failed);
        assert_eq!(Code::worst([]), Code::Done);
    }
}
