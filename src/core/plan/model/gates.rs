//! Owns the gates before the phases.

use std::time::Duration;

use super::{Place, Placed};

/// What must hold before each transition may start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gates {
    /// Before planned becomes expanded.
    pub expand: Gate,
    /// Before expanded becomes backfilled.
    pub backfill: Gate,
    /// Before backfilled becomes validated.
    pub validate: Gate,
    /// Before validated becomes contracted.
    pub contract: Gate,
    /// Before contracted becomes completed, besides `keep`.
    pub purge: Gate,
}

/// One gate; an empty one is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gate {
    /// Application versions that must be live.
    pub deployed: Vec<AppVersion>,
    /// How long the state before must have lasted.
    pub soak: Option<Duration>,
    /// How many people must have approved.
    pub approvals: Option<u32>,
    /// Queries that must give true.
    pub query: Vec<String>,
    /// Where it stands; nowhere, where the plan says nothing of it.
    pub place: Option<Place>,
    /// Evidence that nothing uses the old shape.
    pub unused: Option<Placed<Unused>>,
}

/// What must be unused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unused {
    /// `true`: all that the plan drops.
    WhatThePlanDrops,
    /// Columns, as `table.column`.
    Columns(Vec<String>),
}

/// `web@2.4.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppVersion {
    /// The application.
    pub app: String,
    /// Its version.
    pub version: String,
}

impl AppVersion {
    /// Whether it is what a printed plan has in the place of an application or a version that nobody knew.
    #[must_use]
    pub fn is_placeholder(&self) -> bool {
        self.app == "APP" || self.version == "VERSION"
    }
}

impl Gates {
    /// Gates that wait for an application whose name nobody has written yet, with their place: nobody can
    /// open them, and once the plan has started nobody can edit them.
    #[must_use]
    pub fn unnamed(&self) -> Vec<(Place, String)> {
        let Self { expand, backfill, validate, contract, purge } = self;
        let gates = [
            ("expand", expand),
            ("backfill", backfill),
            ("validate", validate),
            ("contract", contract),
            ("purge", purge),
        ];
        let unnamed = |(name, gate): (&str, &Gate)| {
            let AppVersion { app, version } = gate.deployed.iter().find(|app| app.is_placeholder())?;
            Some((
                gate.place?,
                format!(
                    "the gate of {name} waits for {app}@{version}, which no phase deployed takes: write the application's \
                     name and version there; a plan that has started cannot be edited any more"
                ),
            ))
        };
        gates.into_iter().filter_map(unnamed).collect()
    }
}
