//! Owns the scratch database: a throwaway server, and what a dump puts into it.

use tokio_postgres::Client;

use crate::cli::exit::CommandError;
use crate::core::ident::Ident;
use crate::core::sql::{Change, deep, first_words, split};
use crate::pg::connect::{ConnectSettings, SessionRole, connect};
use crate::pg::globals::Globals;
use crate::throwaway::{Cluster, Options, ServerBinaries, ThrowawayError};

/// The database that is rehearsed in.
const DATABASE: &str = "rehearsal";
/// How many statements that could not be carried over are named.
const NAMED: usize = 10;

/// A database on a throwaway server; dropping it removes both.
pub(super) struct Scratch {
    cluster: Cluster,
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
        let scratch = Self { cluster, user: None };
        let admin = scratch.session("postgres").await?;
        run(&admin, &format!("CREATE DATABASE {DATABASE} TEMPLATE template0")).await?;
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
        let admin = self.session("postgres").await?;
        let database = Ident::exact(DATABASE).map_err(|error| CommandError::Io(error.to_string()))?;
        let mut notes = Vec::new();
        for sql in globals.sql(&database) {
            if let Err(error) = admin.batch_execute(&sql).await {
                let exists = error.code() == Some(&tokio_postgres::error::SqlState::DUPLICATE_OBJECT);
                if !exists {
                    notes.push(format!("not carried over: {sql}: {}", said(&error)));
                }
            }
        }
        self.user = Some(globals.user.clone());
        Ok(notes)
    }

    /// Runs a dump, statement by statement. What could not be made is said, one
    /// sentence each: an extension that is not at hand is no reason to rehearse nothing.
    ///
    /// # Errors
    /// When the dump does not parse, or the server cannot be reached.
    pub(super) async fn load(&self, dump: &str) -> Result<Vec<String>, CommandError> {
        let session = self.session(DATABASE).await?;
        // Of psql, not of SQL.
        let lines =
            dump.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
        let text = lines.collect::<Vec<_>>().join("\n");
        let statements = deep(|| split(&text))??;
        let mut notes = Vec::new();
        for statement in statements {
            let Err(error) = session.batch_execute(&statement.text).await else { continue };
            let setting = statement.changes.iter().any(|change| matches!(change, Change::Set { .. }));
            // A newer pg_dump sets what an older server does not know; `public` is there already.
            let known = error.code() == Some(&tokio_postgres::error::SqlState::DUPLICATE_SCHEMA);
            if !setting && !known {
                notes.push(format!("not carried over: {}: {}", first_words(&statement.text), said(&error)));
            }
        }
        if notes.len() > NAMED {
            let more = notes.len() - NAMED;
            notes.truncate(NAMED);
            notes.push(format!("not carried over: {more} more statements"));
        }
        Ok(notes)
    }

    /// Stops the server and removes its files.
    pub(super) async fn remove(self) {
        let _ = tokio::task::spawn_blocking(move || self.cluster.stop()).await;
    }

    async fn session(&self, database: &str) -> Result<Client, CommandError> {
        let settings = ConnectSettings::resolve(Some(&self.cluster.url(database)), &|_| None)?;
        Ok(connect(&settings, SessionRole::Watch).await?.client)
    }
}

async fn run(client: &Client, sql: &str) -> Result<(), CommandError> {
    client
        .batch_execute(sql)
        .await
        .map_err(|error| CommandError::Server(crate::pg::classify::failure(&error)))
}

fn said(error: &tokio_postgres::Error) -> String {
    crate::pg::classify::failure(error).message.lines().next().unwrap_or_default().to_owned()
}

/// Why there is no server, and what helps.
pub(super) fn no_server(error: &ThrowawayError) -> CommandError {
    let hint = match error {
        ThrowawayError::NoBinaries { install } => format!("; {install}"),
        _ => String::new(),
    };
    CommandError::Usage(format!("{error}{hint}; or name a clone that may be changed: --on URL"))
}
