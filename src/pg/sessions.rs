//! Owns the sessions of one runner: opened when they are needed, cancelled when
//! somebody asks to stop.

use std::sync::{Arc, Mutex, Weak};

use tokio::sync::OnceCell;
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, Row};

use crate::core::failure::{Failure, FailureKind};
use crate::core::ident::Ident;
use crate::pg::connect::{ConnectError, ConnectSettings, Session, SessionRole, connect};
use crate::pg::prepared::Prepared;

/// The sessions of one runner.
pub(crate) struct Sessions {
    settings: ConnectSettings,
    metadata: Ident,
    work: OnceCell<Session>,
    watch: tokio::sync::Mutex<Option<Arc<Watching>>>,
    texts: OnceCell<Session>,
    running: Mutex<Option<CancelToken>>,
    /// Held while a request to cancel is on its way: what comes next on that session must wait for it.
    cancelling: tokio::sync::Mutex<()>,
    /// The sessions of ours that work, as long as they live.
    backends: Mutex<Vec<(i32, Weak<()>)>>,
}

/// The session that looks at the others, with its statements.
pub(super) struct Watching {
    session: Session,
    prepared: Prepared,
}

impl Watching {
    /// The session.
    pub(super) const fn client(&self) -> &Client {
        &self.session.client
    }

    /// The rows of a statement that is asked again and again.
    pub(super) async fn rows(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, Failure> {
        self.prepared.rows(&self.session.client, sql, params).await
    }
}

impl Sessions {
    pub(crate) fn new(settings: ConnectSettings, metadata: Ident) -> Self {
        Self {
            settings,
            metadata,
            work: OnceCell::const_new(),
            watch: tokio::sync::Mutex::const_new(None),
            texts: OnceCell::const_new(),
            running: Mutex::new(None),
            cancelling: tokio::sync::Mutex::const_new(()),
            backends: Mutex::new(Vec::new()),
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
            if let Ok(mut backends) = self.backends.lock() {
                backends.push((session.pid, session.alive()));
            }
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

    /// The session that looks at the others; opened again when it was lost.
    pub(super) async fn watch(&self) -> Result<Arc<Watching>, Failure> {
        let mut watch = self.watch.lock().await;
        if let Some(there) = watch.as_ref().filter(|there| !there.session.client.is_closed()) {
            return Ok(Arc::clone(there));
        }
        let session = self.open(SessionRole::Watch).await?;
        let opened = Arc::new(Watching { session, prepared: Prepared::default() });
        *watch = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// Names the session that runs something, so that it can be cancelled.
    pub(crate) fn running(&self, client: &Client) {
        if let Ok(mut running) = self.running.lock() {
            *running = Some(client.cancel_token());
        }
    }

    /// The server processes of our sessions that work.
    pub(crate) fn backends(&self) -> Vec<i32> {
        let Ok(mut backends) = self.backends.lock() else { return Vec::new() };
        backends.retain(|(_, alive)| alive.strong_count() > 0);
        backends.iter().map(|(pid, _)| *pid).collect()
    }

    /// Waits until no request to cancel is on its way.
    pub(crate) async fn settled(&self) {
        drop(self.cancelling.lock().await);
    }

    /// Asks the server to cancel what runs now.
    pub(crate) async fn cancel(&self) {
        let _on_its_way = self.cancelling.lock().await;
        let token = self.running.lock().ok().and_then(|running| running.clone());
        if let Some(token) = token
            && let Err(error) = self.settings.cancel(&token).await
        {
            tracing::debug!("cancel: {error}");
        }
    }
}
