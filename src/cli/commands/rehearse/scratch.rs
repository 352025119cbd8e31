//! Owns the scratch database: a throwaway server with one database on it.

use crate::cli::exit::CommandError;
use crate::core::ident::{Ident, NameError};
use crate::pg::connect::{ConnectSettings, Session, SessionRole, connect};
use crate::pg::copy::{Globals, create_database};
use crate::throwaway::{Cluster, Options, ServerBinaries, ThrowawayError};

/// The database that is rehearsed in.
const DATABASE: &str = "rehearsal";

/// A database on a throwaway server; dropping it removes both.
pub(super) struct Scratch {
    cluster: Cluster,
    database: Ident,
    user: Option<String>,
}

impl Scratch {
    /// Starts a server and makes an empty database.
    ///
    /// # Errors
    /// When there is no server to be had.
    pub(super) async fn start(binaries: ServerBinaries) -> Result<Self, CommandError> {
        let start = move || Cluster::start(&binaries, &Options::default());
        let started = tokio::task::spawn_blocking(start).await;
        let cluster = started
            .map_err(|error| CommandError::Io(error.to_string()))?
            .map_err(|error| no_server(&error))?;
        let name = |error: NameError| CommandError::Io(error.to_string());
        let scratch = Self { cluster, database: Ident::exact(DATABASE).map_err(name)?, user: None };
        create_database(&scratch.session_in("postgres").await?, &scratch.database).await?;
        Ok(scratch)
    }

    /// Where it is, for whoever rehearses in it.
    pub(super) fn url(&self) -> String {
        match &self.user {
            Some(user) => self.cluster.url_as(user, DATABASE),
            None => self.cluster.url(DATABASE),
        }
    }

    /// Makes the roles and settings of the target, whose user is ours from then on.
    /// What could not be made is said, one sentence each.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(super) async fn take_on(&mut self, globals: &Globals) -> Result<Vec<String>, CommandError> {
        let notes = globals.apply(&self.session().await?, &self.database).await;
        self.user = Some(globals.user.clone());
        Ok(notes)
    }

    /// A session of the server's superuser.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub(super) async fn session(&self) -> Result<Session, CommandError> {
        self.session_in(DATABASE).await
    }

    /// Stops the server and removes its files.
    pub(super) async fn remove(self) {
        let _ = tokio::task::spawn_blocking(move || self.cluster.stop()).await;
    }

    async fn session_in(&self, database: &str) -> Result<Session, CommandError> {
        let settings = ConnectSettings::resolve(Some(&self.cluster.url(database)), &|_| None)?;
        Ok(connect(&settings, SessionRole::Watch).await?)
    }
}

/// Why there is no server, and what helps.
pub(super) fn no_server(error: &ThrowawayError) -> CommandError {
    let hint = match error {
        ThrowawayError::NoBinaries { install } => format!("; {install}"),
        _ => String::new(),
    };
    CommandError::Usage(format!("{error}{hint}; or name a clone that may be changed: --on URL"))
}
