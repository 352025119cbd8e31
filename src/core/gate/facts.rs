//! Owns what is known when a gate is asked.

use jiff::Timestamp;
use serde::Serialize;

use super::approvals::ByWhom;
use crate::core::plan::model::AppVersion;

/// What is known when a gate is asked.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The server's clock.
    pub now: Timestamp,
    /// When the present state was reached.
    pub state_since: Timestamp,
    /// The newest marker of each application in each environment.
    pub markers: Vec<Marker>,
    /// Who approved, each once.
    pub approvals: Vec<Approval>,
    /// Whose approvals count.
    pub by_whom: ByWhom,
    /// What each query of the gate gave, in the gate's order.
    pub queries: Vec<Asked>,
    /// What each address of the gate gave.
    pub addresses: Vec<Asked>,
    /// How each program of the gate ended.
    pub commands: Vec<Asked>,
    /// When somebody looked who is connected, oldest first.
    pub looks: Vec<Timestamp>,
    /// Who was.
    pub sightings: Vec<Sighting>,
    /// What is on record of the item's backfills.
    pub backfills: Vec<BackfillFact>,
}

impl Facts {
    /// Of a place where nothing is on record.
    #[must_use]
    pub fn none(now: Timestamp) -> Self {
        Self {
            now,
            state_since: now,
            markers: Vec::new(),
            approvals: Vec::new(),
            by_whom: ByWhom::default(),
            queries: Vec::new(),
            addresses: Vec::new(),
            commands: Vec::new(),
            looks: Vec::new(),
            sightings: Vec::new(),
            backfills: Vec::new(),
        }
    }
}

/// Sessions of one kind that looks have seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sighting {
    /// Their `application_name`.
    pub name: String,
    /// Their database user.
    pub user: String,
    /// Where they come from; `None`: a socket, or nobody may see it.
    pub address: Option<String>,
    /// How many there were at the last look that saw any.
    pub sessions: i64,
    /// When the first of them was seen.
    pub first: Timestamp,
    /// When the last of them was seen.
    pub last: Timestamp,
}

/// That a version of an application was live everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Marker {
    /// The application.
    pub app: String,
    /// Its version.
    pub version: String,
    /// The environment; `None`: nobody named one.
    pub environment: Option<String>,
    /// The revision of its source.
    pub revision: Option<String>,
    /// Who said so: database user and operating system user.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

impl Marker {
    /// Whether it is of that version of that application.
    #[must_use]
    pub fn is_of(&self, wanted: &AppVersion) -> bool {
        self.app == wanted.app && self.version == wanted.version
    }
}

/// That somebody approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// Who: database user and operating system user, with a slash between.
    pub actor: String,
    /// What they said.
    pub note: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl Approval {
    /// The database user, and the operating system user as their machine names them.
    #[must_use]
    pub fn users(&self) -> (&str, &str) {
        self.actor.split_once('/').unwrap_or((&self.actor, ""))
    }
}

/// What a check of the user's own gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "gave", content = "what")]
pub enum Asked {
    /// What it had to.
    Holds,
    /// Something else: what, in words.
    Other(String),
    /// It could not be asked; why.
    Failed(String),
}

/// What is on record of a backfill that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackfillFact {
    /// The step.
    pub step: String,
    /// When it was proven last, and how many rows were out of step; `None`: it was not.
    pub proof: Option<(Timestamp, i64)>,
    /// Rows in quarantine.
    pub quarantined: i64,
}

#[cfg(test)]
pub(in crate::core) mod testing {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A marker of web 2.10.0, one approval, and a query that gives false; the state is of second 1000.
    pub(in crate::core) fn facts(at: i64) -> Facts {
        let second = |n| Timestamp::from_second(n).unwrap();
        Facts {
            state_since: second(1_000),
            markers: vec![marker("web", "2.10.0", None)],
            approvals: vec![approval("ada/root")],
            queries: vec![Asked::Other("gives f, not true".into())],
            ..Facts::none(second(at))
        }
    }

    /// A marker of second 900.
    pub(in crate::core) fn marker(app: &str, version: &str, environment: Option<&str>) -> Marker {
        Marker {
            app: app.into(),
            version: version.into(),
            environment: environment.map(Into::into),
            revision: None,
            by: "ada/root".into(),
            at: Timestamp::from_second(900).unwrap(),
        }
    }

    /// An approval of second 950.
    pub(in crate::core) fn approval(actor: &str) -> Approval {
        Approval { actor: actor.into(), note: None, at: Timestamp::from_second(950).unwrap() }
    }
}
