//! Wires one command to its server: sessions, record, target, locks.

use std::time::Duration;

use tokio::sync::OnceCell;

use crate::cli::args::Global;
use crate::cli::config::Config;
use crate::cli::exit::CommandError;
use crate::cli::project::{Project, Surroundings};
use crate::cli::readable::Readable;
use crate::core::compile::Server;
use crate::core::footprint::SearchPath;
use crate::core::record::Record;
use crate::core::state::State;
use crate::core::timeline::Item;
use crate::engine::Store;
use crate::engine::stop::Stop;
use crate::pg::connect::{ConnectSettings, ServerFacts, Session, SessionRole, connect, refuse_pooler};
use crate::pg::lock::{Holder, LockKey, LockSession};
use crate::pg::schema;
use crate::pg::store::{PgStore, Process};
use crate::pg::target::PgTarget;

/// How long a command waits for another that is setting up the metadata schema.
const SCHEMA_WAIT: Duration = Duration::from_secs(30);

/// Whether a command changes anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks; what is not there is not created.
    Read,
    /// It writes; the metadata schema is created or upgraded first.
    Write,
}

/// A command's place of work.
pub struct Desk {
    /// The configuration.
    pub config: Config,
    /// The server.
    pub server: ServerFacts,
    /// The record.
    pub store: PgStore,
    /// The database that is changed.
    pub target: PgTarget,
    /// The request to stop.
    pub stop: Stop,
    /// Whether cautions stay unsaid.
    pub quiet: bool,
    settings: ConnectSettings,
    /// Whether the metadata schema is there.
    recorded: bool,
    lock: OnceCell<LockSession>,
    lock_wait: Duration,
    /// Who we are, for the record: database user and operating system user.
    pub actor: String,
}

impl Desk {
    /// Connects, and checks what is on the other side.
    ///
    /// # Errors
    /// When the server cannot be reached, is too old or a standby, or when a
    /// pooler shares its sessions.
    pub async fn open(
        global: &Global,
        command: &str,
        access: Access,
        stop: Stop,
    ) -> Result<Self, CommandError> {
        let config = global.config()?;
        let settings = global.connection()?;
        let control = connect(&settings, SessionRole::Control).await?;
        let server = control.facts().await?;
        let process = process(command);
        let actor = format!("{}/{}", server.user, process.os_user);
        let lock = OnceCell::new();
        if access == Access::Write {
            server.refuse_standby()?;
            let session = connect(&settings, SessionRole::Lock).await?;
            refuse_pooler(&control, &session).await?;
            let _ = lock.set(LockSession::new(session, config.schema.clone()));
        }
        // Only after a pooler is ruled out may anything be prepared.
        let mut version = schema::version(&control.client, &config.schema).await?;
        match lock.get() {
            Some(locks) if version != Some(schema::newest()) => {
                if !locks.acquire(&LockKey::Schema, SCHEMA_WAIT, &stop).await? {
                    return Err(CommandError::Usage(
                        "another process is setting up the metadata schema: try again".into(),
                    ));
                }
                schema::upgrade(&control.client, &config.schema).await?;
                locks.release(&LockKey::Schema).await?;
                version = Some(schema::newest());
            }
            None if version.is_some_and(|version| version < schema::newest()) => {
                return Err(CommandError::OldRecord(config.schema.to_string()));
            }
            _ => {}
        }
        schema::enter(&control.client, &config.schema).await?;
        let store = PgStore::open(control.client, (access == Access::Write).then_some(&process)).await?;
        let target = PgTarget::new(settings.clone(), config.schema.clone(), store.runner());
        Ok(Self {
            config,
            server,
            store,
            target,
            stop,
            quiet: global.quiet,
            settings,
            recorded: version.is_some(),
            lock,
            lock_wait: global.lock_wait(),
            actor,
        })
    }

    /// The project's files, compiled for this server; their names are looked up as it does.
    ///
    /// # Errors
    /// When a file is not right.
    pub async fn items(&self) -> Result<Vec<Item>, CommandError> {
        self.items_of(&Project::load(&self.config)?).await
    }

    /// As [`Desk::items`], of some files.
    ///
    /// # Errors
    /// When a file is not right, or the catalog cannot be asked about the tables of its recipes.
    pub async fn items_of(&self, project: &Project) -> Result<Vec<Item>, CommandError> {
        Ok(self.compiled(project).await?.all()?)
    }

    /// As [`Desk::items`], for a command about these plans: the faults of other files are warnings.
    /// Without any it is about all of them.
    ///
    /// # Errors
    /// When a file that is meant is not right, not there, or cannot be told from another.
    pub async fn about(&self, wanted: &[String]) -> Result<Readable, CommandError> {
        let readable = self.readable().await?.about(wanted)?;
        readable.warn();
        Ok(readable)
    }

    /// What can be read of the project's files, and what cannot.
    ///
    /// # Errors
    /// When a folder cannot be read, or the server cannot be asked.
    pub async fn readable(&self) -> Result<Readable, CommandError> {
        self.compiled(&Project::read(&self.config)?).await
    }

    async fn compiled(&self, project: &Project) -> Result<Readable, CommandError> {
        let path = SearchPath::read(&self.server.path, &self.server.user, &self.config.schema);
        let known = self.known(project).await?;
        let Readable { items, broken } = project.readable(Server { version: self.server.version }, &known)?;
        let items = items.into_iter().map(|item| Item { path: path.clone(), ..item }).collect();
        Ok(Readable { items, broken })
    }

    /// What the recipes of each plan go by: what was known when it started, else what is so now.
    async fn known(&self, project: &Project) -> Result<Surroundings, CommandError> {
        let mut known = Surroundings::new();
        let with_recipes: Vec<_> = project.with_recipes().collect();
        if with_recipes.is_empty() {
            return Ok(known);
        }
        let records = self.records().await?;
        for plan in with_recipes {
            let started = records.iter().find(|record| record.version == plan.version && record.started());
            let then = started.and_then(|record| record.known.clone());
            let of_it = match then {
                Some(then) => then,
                None => self.target.known(&plan.change).await?,
            };
            known.insert(plan.version.clone(), of_it);
        }
        Ok(known)
    }

    /// A session beside that of the record, to look at what is the application's.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn look(&self) -> Result<Session, CommandError> {
        Ok(connect(&self.settings, SessionRole::Control).await?)
    }

    /// Every item on record; none when the metadata schema is not there yet.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn records(&self) -> Result<Vec<Record>, CommandError> {
        if self.recorded { Ok(self.store.records().await?) } else { Ok(Vec::new()) }
    }

    /// Refuses what makes no sense for an item that is over.
    ///
    /// # Errors
    /// When it is completed or aborted, or the record cannot be read.
    pub async fn refuse_over(&self, item: &Item) -> Result<(), CommandError> {
        let records = self.records().await?;
        match records.iter().find(|record| record.version == item.version) {
            Some(record) if matches!(record.state, State::Completed | State::Aborted) => {
                Err(CommandError::NoPath {
                    item: item.stem(),
                    why: format!("it is {}: nothing of it runs any more", record.state),
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether the metadata schema is there.
    #[must_use]
    pub const fn recorded(&self) -> bool {
        self.recorded
    }

    /// Takes a lock if it is free; whether it was.
    ///
    /// # Errors
    /// When the server does not answer.
    pub async fn try_lock(&self, key: &LockKey) -> Result<bool, CommandError> {
        let free = self.locks().await?.acquire(key, Duration::ZERO, &self.stop).await?;
        if free {
            self.store.lock_taken(key).await?;
        }
        Ok(free)
    }

    /// Who has a lock.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn holder(&self, key: &LockKey) -> Result<Holder, CommandError> {
        Ok(self.locks().await?.holder(key, &self.store).await)
    }

    /// Takes a lock, or says who has it.
    ///
    /// # Errors
    /// When somebody else keeps it.
    pub async fn lock_within(&self, key: &LockKey, wait: Duration) -> Result<(), CommandError> {
        let locks = self.locks().await?;
        if locks.acquire(key, wait.max(self.lock_wait), &self.stop).await? {
            self.store.lock_taken(key).await?;
            return Ok(());
        }
        Err(CommandError::Locked(Box::new(locks.holder(key, &self.store).await)))
    }

    /// Takes a lock, or says who has it.
    ///
    /// # Errors
    /// When somebody else keeps it.
    pub async fn lock(&self, key: &LockKey) -> Result<(), CommandError> {
        self.lock_within(key, Duration::ZERO).await
    }

    /// Gives a lock back; one whose session is gone went with it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn unlock(&self, key: &LockKey) -> Result<(), CommandError> {
        match self.locks().await?.release(key).await {
            Err(failure) if failure.kind.reconnects() => {
                tracing::debug!("the lock on {} went with its session: {failure}", key.name());
                Ok(())
            }
            released => Ok(released?),
        }
    }

    async fn locks(&self) -> Result<&LockSession, CommandError> {
        self.lock
            .get_or_try_init(|| async {
                let session = connect(&self.settings, SessionRole::Lock).await?;
                Ok(LockSession::new(session, self.config.schema.clone()))
            })
            .await
    }
}

fn process(command: &str) -> Process {
    let uid = nix::unistd::Uid::effective();
    let user = nix::unistd::User::from_uid(uid).ok().flatten().map(|user| user.name);
    Process {
        os_user: user.unwrap_or_else(|| uid.to_string()),
        host: gethostname::gethostname().to_string_lossy().into_owned(),
        pid: i32::try_from(std::process::id()).unwrap_or(i32::MAX),
        command: command.into(),
    }
}
