//! Owns connections: opens sessions and holds each to its contract.

mod notices;
mod passfile;
mod proxy;
mod settings;
mod string;
mod tls;

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use tokio_postgres::tls::NoTlsStream;
use tokio_postgres::{AsyncMessage, CancelToken, Client, SimpleQueryMessage, SimpleQueryRow};

use crate::core::failure::Failure;
use crate::core::ident::{Ident, literal};
use crate::pg::classify::failure;

pub use notices::Notices;
pub use proxy::refuse_pooler;
pub use settings::{ConnectSettings, SslMode};

/// The oldest server that works, as `server_version_num`.
const OLDEST: u32 = 130_000;
/// The first server that nobody has tried.
const UNTRIED: u32 = 190_000;

/// Why no session could be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// A setting makes no sense.
    #[error("{0}")]
    Settings(String),
    /// The server did not let us in.
    #[error("cannot connect to {place}: {why}")]
    Refused {
        /// The server, without secrets.
        place: String,
        /// Why.
        why: String,
    },
    /// The server is not one that this program works with.
    #[error("{0}")]
    Unfit(String),
}

impl ConnectError {
    /// Whether the cause is a setting of ours: another try will not help.
    #[must_use]
    pub const fn is_settings(&self) -> bool {
        matches!(self, Self::Settings(_))
    }

    /// Whether the cause is a setting, not the server.
    #[must_use]
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::Settings(_) | Self::Unfit(_))
    }
}

/// What a session is for; each kind has its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionRole {
    /// Holds advisory locks: simple protocol and autocommit only.
    Lock,
    /// Keeps the record.
    Control,
    /// Runs the steps; `search_path` and time zone are the role's own, as
    /// they are for the application.
    Work,
    /// Runs batches.
    Backfill,
    /// Looks at the others.
    Watch,
}

impl SessionRole {
    /// The settings that hold whenever a session of this kind is at rest.
    ///
    /// No role's or database's default may surprise a step: time limits are
    /// zero here and set by each step for itself. Values that travel as text
    /// have one form, and that form is exact. Where a policy would hide rows from
    /// our role, the statement fails: a row that is not seen would be lost. A generic plan
    /// for a batch would not know its range, and whatever the planner thinks of a large
    /// table, compiling a statement of milliseconds (JIT) never pays.
    const fn contract(self) -> &'static str {
        match self {
            Self::Lock | Self::Control | Self::Watch => {
                "SET application_name = 'phase'; SET standard_conforming_strings = on; SET client_min_messages = warning; SET statement_timeout = 0; \
                 SET lock_timeout = 0; SET idle_session_timeout = 0; SET DateStyle = 'ISO, YMD'; SET TimeZone = 'UTC'; \
                 SET bytea_output = hex; SET jit = off; SET default_transaction_read_only = off; \
                 SET default_transaction_isolation = 'read committed'"
            }
            Self::Work => {
                "SET application_name = 'phase'; SET standard_conforming_strings = on; SET client_min_messages = warning; SET statement_timeout = 0; \
                 SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET idle_session_timeout = 0; \
                 SET row_security = off; SET default_transaction_read_only = off; SET default_transaction_isolation = 'read committed'"
            }
            Self::Backfill => {
                "SET application_name = 'phase'; SET standard_conforming_strings = on; SET client_min_messages = warning; SET idle_session_timeout = 0; \
                 SET idle_in_transaction_session_timeout = '5s'; SET row_security = off; \
                 SET plan_cache_mode = force_custom_plan; SET jit = off; \
                 SET default_transaction_read_only = off; SET default_transaction_isolation = 'read committed'"
            }
        }
    }
}

/// One session.
pub struct Session {
    /// The client.
    pub client: Client,
    /// The server process.
    pub pid: i32,
    /// What the server says beside its answers.
    pub notices: Notices,
    role: SessionRole,
    version: u32,
    /// The `search_path` of statements that are not ours, as SET takes it.
    path: String,
    /// Ends with the session.
    alive: Arc<()>,
}

/// What is on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerFacts {
    /// `server_version_num`.
    pub version: u32,
    /// The database.
    pub database: String,
    /// The user of the session.
    pub user: String,
    /// Whether it is a standby, which takes no writes.
    pub standby: bool,
    /// The `search_path` of the user, as the server spells it.
    pub path: String,
}

impl ServerFacts {
    /// Refuses a standby.
    ///
    /// # Errors
    /// When it is one.
    pub fn refuse_standby(&self) -> Result<(), ConnectError> {
        if self.standby {
            return Err(ConnectError::Unfit(
                "this server is a standby and takes no writes: connect to the primary (target_session_attrs=read-write finds it)".into(),
            ));
        }
        Ok(())
    }
}

/// Opens a session under the contract of its kind.
///
/// # Errors
/// When the server cannot be reached or does not let us in.
pub async fn connect(settings: &ConnectSettings, role: SessionRole) -> Result<Session, ConnectError> {
    let refused = |why: String| ConnectError::Refused { place: settings.place(), why };
    let notices = Notices::default();
    let client = match settings.tls()? {
        Some(tls) => {
            let (client, connection) =
                settings.config().connect(tls).await.map_err(|error| refused(failure(&error).message))?;
            tokio::spawn(drive(connection, notices.clone()));
            client
        }
        None => {
            let connected = settings.config().connect(tokio_postgres::NoTls).await;
            let (client, connection): (_, tokio_postgres::Connection<_, NoTlsStream>) =
                connected.map_err(|error| refused(failure(&error).message))?;
            tokio::spawn(drive(connection, notices.clone()));
            client
        }
    };
    let facts = client.simple_query("SELECT pg_backend_pid(), current_setting('server_version_num')").await;
    let facts = facts.map_err(|error| refused(failure(&error).message))?;
    let row = first_row(&facts).ok_or_else(|| refused("the server gave no answer".into()))?;
    let number = |n| row.get(n).and_then(|text| text.parse::<i32>().ok()).unwrap_or(0);
    let version = number(1).unsigned_abs();
    let session = Session {
        client,
        pid: number(0),
        notices,
        role,
        version,
        path: "DEFAULT".into(),
        alive: Arc::default(),
    };
    if session.version < OLDEST {
        return Err(ConnectError::Unfit(format!(
            "phase works with PostgreSQL 13 to 18; this server is {}.{}",
            session.version / 10_000,
            session.version % 10_000
        )));
    }
    if session.version >= UNTRIED {
        tracing::warn!("phase was made for PostgreSQL 13 to 18; this server is {}", session.version / 10_000);
    }
    session.hold_to_contract("").await.map_err(|failure| refused(failure.message))?;
    Ok(session)
}

async fn drive<S, T>(mut connection: tokio_postgres::Connection<S, T>, notices: Notices)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    while let Some(message) = messages.next().await {
        match message {
            Ok(AsyncMessage::Notice(notice)) => notices.hear(notice.message()),
            Ok(_) => {}
            Err(error) => {
                tracing::debug!("a connection ended: {error}");
                return;
            }
        }
    }
}

fn first_row(messages: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

impl Session {
    /// Takes back whatever SQL of others set for the session.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn reset(&self) -> Result<(), Failure> {
        self.hold_to_contract("RESET ALL; RESET SESSION AUTHORIZATION; RESET ROLE; ").await
    }

    async fn hold_to_contract(&self, before: &str) -> Result<(), Failure> {
        let mut contract = self.role.contract().to_owned();
        if self.version < 140_000 {
            contract = contract.replace("SET idle_session_timeout = 0; ", "");
        }
        let sql = format!("{before}{contract}; SET search_path TO {}", self.path);
        self.client.batch_execute(&sql).await.map_err(|error| failure(&error))
    }

    /// Takes a schema out of the `search_path`: a role that is called like the
    /// metadata schema finds it there as `"$user"`, and its tables would end up
    /// among the record's.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn keep_out(&mut self, schema: &Ident) -> Result<(), Failure> {
        let sql = format!(
            "SELECT {name} = ANY (s), (SELECT string_agg(quote_ident(x), ', ' ORDER BY n) \
             FROM unnest(s) WITH ORDINALITY AS u(x, n) WHERE x <> {name}) FROM current_schemas(false) AS s",
            name = literal(schema.as_str())
        );
        let answer = self.client.simple_query(&sql).await.map_err(|error| failure(&error))?;
        if let Some(row) = first_row(&answer).filter(|row| row.get(0) == Some("t")) {
            self.path = row.get(1).unwrap_or("''").to_owned();
        }
        self.hold_to_contract("").await
    }

    /// What can be asked whether this session is still there.
    #[must_use]
    pub fn alive(&self) -> Weak<()> {
        Arc::downgrade(&self.alive)
    }

    /// `server_version_num`.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The `search_path` of statements that are not ours, as SET takes it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What is on the other side.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn facts(&self) -> Result<ServerFacts, Failure> {
        let sql =
            "SELECT current_database(), session_user, pg_is_in_recovery(), current_setting('search_path')";
        let answer = self.client.simple_query(sql).await.map_err(|error| failure(&error))?;
        let row = first_row(&answer);
        let text = |n| row.and_then(|row| row.get(n)).unwrap_or_default().to_owned();
        Ok(ServerFacts {
            version: self.version,
            database: text(0),
            user: text(1),
            standby: text(2) == "t",
            path: text(3),
        })
    }
}

impl ConnectSettings {
    /// Asks the server to cancel what a session runs.
    ///
    /// # Errors
    /// When the request cannot be sent.
    pub async fn cancel(&self, token: &CancelToken) -> Result<(), ConnectError> {
        const PATIENCE: Duration = Duration::from_secs(5);
        let sent = async {
            match self.tls()? {
                Some(tls) => Ok(token.cancel_query(tls).await),
                None => Ok(token.cancel_query(tokio_postgres::NoTls).await),
            }
        };
        let refused = |why: String| ConnectError::Refused { place: self.place(), why };
        match tokio::time::timeout(PATIENCE, sent).await {
            Ok(sent) => sent?.map_err(|error| refused(failure(&error).message)),
            Err(_) => Err(refused("no answer to a request to cancel".into())),
        }
    }
}
