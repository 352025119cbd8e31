//! Owns the kinds of failure: what a failed statement means for what comes next.

use serde::Serialize;

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// A lock was not free in time: try again later.
    LockTimeout,
    /// Others waited for it as long as they may, so we ended it: try again later.
    Held,
    /// The server chose us to end a deadlock, or could not serialize: try again.
    Conflict,
    /// The statement ran into its time limit or was cancelled.
    Cancelled,
    /// The connection ended; whether the last statement happened must be looked up.
    ConnectionLost,
    /// The server takes no writes now: it is, or has become, a standby.
    ReadOnly,
    /// Another runner took over: nothing was written.
    Fenced,
    /// The data does not allow it: a constraint, a duplicate, a bad value.
    Data,
    /// Something named in the plan is not there, or is there already.
    Catalog,
    /// The role may not do it.
    Permission,
    /// Anything else.
    Other,
}

impl FailureKind {
    /// Whether the same statement may go through later by itself.
    #[must_use]
    pub const fn retryable(self) -> bool {
        matches!(self, Self::LockTimeout | Self::Held | Self::Conflict)
    }

    /// Whether another connection may do what this one could not.
    #[must_use]
    pub const fn reconnects(self) -> bool {
        matches!(self, Self::ConnectionLost | Self::ReadOnly)
    }
}

/// A statement that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What it means.
    pub kind: FailureKind,
    /// What the server said, with detail, hint and SQLSTATE.
    pub message: String,
    /// Sessions that were in the way.
    pub blockers: Vec<Blocker>,
    /// The server's code for it, where it gave one.
    pub sqlstate: Option<Box<str>>,
}

impl Failure {
    /// A failure that no session is to blame for.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), blockers: Vec::new(), sqlstate: None }
    }

    /// The fencing check did not hold.
    #[must_use]
    pub fn fenced() -> Self {
        Self::new(FailureKind::Fenced, "another runner took over this plan; nothing was written by this one")
    }
}

/// A session that holds what we wait for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Blocker {
    /// The backend.
    pub pid: i32,
    /// Its user; `None` where our role may not see it.
    pub user: Option<String>,
    /// Its `application_name`.
    pub application: Option<String>,
    /// Its state, such as `idle in transaction`.
    pub state: Option<String>,
    /// How long its transaction is open, in seconds.
    pub age_s: Option<i64>,
    /// The beginning of its last query.
    pub query: Option<String>,
    /// The virtual id of its transaction: the same transaction has the same.
    #[serde(skip)]
    pub transaction: Option<String>,
}

impl Blocker {
    /// A session of which nothing is known but its number.
    #[must_use]
    pub const fn of_pid(pid: i32) -> Self {
        Self { pid, user: None, application: None, state: None, age_s: None, query: None, transaction: None }
    }

    /// What tells its transaction from every other.
    #[must_use]
    pub fn transaction_name(&self) -> String {
        format!("{} {}", self.pid, self.transaction.as_deref().unwrap_or_default())
    }
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            // The server's word for a prepared transaction, which no session runs.
            0 => write!(f, "a prepared transaction")?,
            pid => write!(f, "pid {pid}")?,
        }
        if let Some(user) = &self.user {
            write!(f, ", user {user}")?;
        }
        if let Some(application) = self.application.as_ref().filter(|name| !name.is_empty()) {
            write!(f, ", application {application}")?;
        }
        if let Some(state) = &self.state {
            write!(f, ", {state}")?;
        }
        if let Some(age) = self.age_s {
            write!(f, ", transaction open for {age}s")?;
        }
        if let Some(query) = self.query.as_ref().filter(|query| !query.is_empty()) {
            write!(f, ", query: {query}")?;
        }
        Ok(())
    }
}
