//! Owns the sessions of one runner: opened when they are needed, cancelled when
//! somebody asks to stop.

use std::sync::Mutex;

use tokio::sync::OnceCell;
use tokio_postgres::{CancelToken, Client};

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::Ident;
use crate::pg::connect::{ConnectError, ConnectSettings, Session, SessionRole, connect};

/// The sessions of one runner.
pub(crate) struct Sessions {
    settings: ConnectSettings,
    metadata: Ident,
    work: OnceCell<Session>,
    watch: OnceCell<Session>,
    texts: OnceCell<Session>,
    running: Mutex<Option<CancelToken>>,
}

impl Sessions {
    pub(crate) const fn new(settings: ConnectSettings, metadata: Ident) -> Self {
        Self {
            settings,
            metadata,
            work: OnceCell::const_new(),
            watch: OnceCell::const_new(),
            texts: OnceCell::const_new(),
            running: Mutex::new(None),
        }
    }

    /// How to connect.
    pub(crate) const fn settings(&self) -> &ConnectSettings {
        &self.settings
    }

    /// The metadata schema.
    pub(crate) const fn metadata(&self) -> &Ident {
        &self.metadata
    }

    /// Opens another session.
    pub(crate) async fn open(&self, role: SessionRole) -> Result<Session, Failure> {
        let lost = |error: ConnectError| Failure::new(FailureKind::ConnectionLost, error.to_string());
        let mut session = connect(&self.settings, role).await.map_err(lost)?;
        if matches!(role, SessionRole::Work | SessionRole::Backfill) {
            session.keep_out(&self.metadata).await?;
        }
        Ok(session)
    }

    /// The session that steps run on.
    pub(crate) async fn work(&self) -> Result<&Session, Failure> {
        self.work.get_or_try_init(|| self.open(SessionRole::Work)).await
    }

    /// The session for keys and single rows of a backfill: values travel in one form.
    pub(crate) async fn texts(&self) -> Result<&Client, Failure> {
        Ok(&self.texts.get_or_try_init(|| self.open(SessionRole::Backfill)).await?.client)
    }

    /// The session that looks at the others.
    pub(super) async fn watch(&self) -> Result<&Client, Failure> {
        Ok(&self.watch.get_or_try_init(|| self.open(SessionRole::Watch)).await?.client)
    }

    /// Names the session that runs something, so that it can be cancelled.
    pub(crate) fn running(&self, client: &Client) {
        if let Ok(mut running) = self.running.lock() {
            *running = Some(client.cancel_token());
        }
    }

    /// Asks the server to cancel what runs now.
    pub(crate) async fn cancel(&self) {
        let token = self.running.lock().ok().and_then(|running| running.clone());
        if let Some(token) = token
            && let Err(error) = self.settings.cancel(&token).await
        {
            tracing::debug!("cancel: {error}");
        }
    }
}
