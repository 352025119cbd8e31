//! Asks who is at work on an item now, at which step, and what it waits for.

use jiff::Timestamp;
use serde::Serialize;

use crate::core::failure::Failure;
use crate::core::ident::Ident;
use crate::core::version::Version;
use crate::pg::lock::{Holder, LockKey, holder};
use crate::pg::queries as q;
use crate::pg::store::PgStore;

/// Who is at work on an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtWork {
    /// The process, as it put itself on record.
    pub process: Option<String>,
    /// The server process of its lock.
    pub backend_pid: Option<i32>,
    /// Its database user.
    pub user: Option<String>,
    /// Where it connects from.
    pub client: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The step that it is at.
    pub step: Option<AtStep>,
}

/// A step under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AtStep {
    /// The step.
    pub id: String,
    /// Whether it is being taken back.
    pub undo: bool,
    /// Since when.
    pub since: Timestamp,
    /// What it waits for, or how far it is.
    pub doing: Option<String>,
    /// Since when.
    pub doing_since: Option<Timestamp>,
}

impl PgStore {
    /// Who is at work on an item; `None`: nobody.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn at_work(&self, version: &Version, schema: &Ident) -> Result<Option<AtWork>, Failure> {
        let Holder { backend_pid, user, client, process, since, .. } =
            holder(&LockKey::Item(version.clone()), schema, self).await;
        // The record outlives its process, the lock does not.
        if backend_pid.is_none() {
            return Ok(None);
        }
        let rows = self.rows(q::AT_WORK, &[&version.as_str()]).await?;
        let step = rows.first().map(|row| AtStep {
            id: row.get("step"),
            undo: row.get("undo"),
            since: row.get("began_at"),
            doing: row.get("doing"),
            doing_since: row.get("doing_since"),
        });
        Ok(Some(AtWork { process, backend_pid, user, client, since, step }))
    }
}

impl std::fmt::Display for AtWork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.process, self.backend_pid) {
            (Some(process), _) => f.write_str(process)?,
            (None, Some(pid)) => write!(f, "backend pid {pid}")?,
            (None, None) => f.write_str("somebody")?,
        }
        if let Some(since) = self.since {
            write!(f, " since {since:.0}")?;
        }
        let Some(step) = &self.step else { return Ok(()) };
        write!(f, ", at {}{} since {:.0}", if step.undo { "the undo of " } else { "" }, step.id, step.since)?;
        match &step.doing {
            Some(doing) => write!(f, ": {doing}"),
            None => Ok(()),
        }
    }
}
