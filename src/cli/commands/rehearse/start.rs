//! Makes the place of a rehearsal: a scratch database like the target, one made from
//! the project's files, or a clone that somebody names.

use super::RehearseArgs;
use super::dump::PgDump;
use super::scratch::{Scratch, no_server};
use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::core::ident::{Ident, QName, plain};
use crate::engine::stop::Stop;
use crate::pg::connect::{ConnectSettings, SessionRole, connect};
use crate::pg::copy::{Globals, Kin, kin, load, sample};
use crate::pg::schema;
use crate::throwaway::ServerBinaries;

/// The database that the plan is for.
pub(super) enum Target {
    /// It is there.
    There(Box<Desk>),
    /// There is none, and why.
    None(String),
}

/// The place of a rehearsal.
pub(super) struct Place {
    /// The command line's options, with this place for a database.
    pub(super) global: Global,
    /// What it was made of, in words.
    pub(super) start: String,
    /// What is not as on the target.
    pub(super) notes: Vec<String>,
    /// The scratch database, where it is one.
    pub(super) scratch: Option<Scratch>,
    /// Whether the record was there before.
    pub(super) recorded: bool,
}

/// Looks for the database that the plan is for.
///
/// # Errors
/// When it is not one that this program works with.
pub(super) async fn target(
    global: &Global,
    args: &RehearseArgs,
    stop: &Stop,
) -> Result<Target, CommandError> {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let named = global.database_url.is_some()
        || ["DATABASE_URL", "PGHOST", "PGHOSTADDR", "PGDATABASE"].into_iter().any(set);
    if args.from_files {
        return Ok(Target::None("--from-files".into()));
    }
    // Every other command would go to the server of this machine: a clone must not be that one.
    if !named && args.on.is_none() {
        return Ok(Target::None("no target is named".into()));
    }
    match Desk::open(global, "rehearse", Access::Read, stop.clone()).await {
        Ok(desk) => Ok(Target::There(Box::new(desk))),
        Err(CommandError::Connect(error)) if !named && !error.is_settings() => {
            Ok(Target::None(format!("no target is named, and there is none: {error}")))
        }
        // Against an unknown target nobody could tell whether the clone is another database.
        Err(CommandError::Connect(error)) if !error.is_configuration() && args.on.is_none() => {
            tracing::warn!("{error}; the rehearsal begins with the project's files instead");
            Ok(Target::None(format!("the target cannot be reached: {error}")))
        }
        Err(error) => Err(error),
    }
}

/// Makes the place.
///
/// # Errors
/// When there is no server for it, the target cannot be dumped, or the clone is the target.
pub(super) async fn place(
    global: &Global,
    args: &RehearseArgs,
    target: &Target,
) -> Result<Place, CommandError> {
    match (&args.on, target) {
        (Some(on), target) => clone(global, on, target).await,
        (None, Target::There(desk)) => like(global, args, desk).await,
        (None, Target::None(why)) => from_files(global, why).await,
    }
}

fn at(global: &Global, url: String) -> Global {
    Global { database_url: Some(url), ..global.clone() }
}

async fn from_files(global: &Global, why: &str) -> Result<Place, CommandError> {
    let scratch = Scratch::start(ServerBinaries::find().map_err(|error| no_server(&error))?).await?;
    Ok(Place {
        global: at(global, scratch.url()),
        start: format!("the project's own files ({why})"),
        notes: Vec::new(),
        scratch: Some(scratch),
        recorded: false,
    })
}

async fn like(global: &Global, args: &RehearseArgs, target: &Desk) -> Result<Place, CommandError> {
    let (settings, record) = (global.connection()?, &target.config.schema);
    let major = target.server.version / 10_000;
    let binaries = ServerBinaries::like(major).map_err(|error| no_server(&error))?;
    let dump = PgDump::find(&binaries, &settings, major).await?;
    let mut notes = Vec::new();
    if binaries.major() != major {
        notes.push(format!(
            "the target is PostgreSQL {major}, and only the binaries of {} are at hand: locks may differ",
            binaries.major()
        ));
    }
    let session = connect(&settings, SessionRole::Work).await?;
    let globals = Globals::read(&session).await?;
    let (shape, rows) =
        (dump.schema(record).await?, if target.recorded() { Some(dump.record(record).await?) } else { None });
    let mut scratch = Scratch::start(binaries).await?;
    notes.extend(scratch.take_on(&globals).await?);
    notes.extend(load(&scratch.session().await?, &shape).await?);
    if let Some(rows) = rows {
        notes.extend(load(&scratch.session().await?, &rows).await?);
    }
    let mut without = "without its rows".to_owned();
    if let Some(rows) = args.sample {
        let tables = tables(target, args).await?;
        // A session of its own: a dump leaves settings behind.
        let to =
            connect(&ConnectSettings::resolve(Some(&scratch.url()), &|_| None)?, SessionRole::Work).await?;
        sample(&session, &to, &tables, rows, record).await?;
        without =
            format!("with up to {rows} rows of each table of the plan, and the rows that those refer to");
    }
    Ok(Place {
        global: at(global, scratch.url()),
        start: format!("the schema of the target ({}), {without}", target.server.database),
        notes,
        scratch: Some(scratch),
        recorded: target.recorded(),
    })
}

/// The tables of the plan.
async fn tables(target: &Desk, args: &RehearseArgs) -> Result<Vec<QName>, CommandError> {
    let items = target.items().await?;
    let item = find(&items, &args.plan)?;
    Ok(item.tables.iter().filter_map(|table| QName::parse(table).ok()).collect())
}

async fn clone(global: &Global, on: &str, target: &Target) -> Result<Place, CommandError> {
    let settings = ConnectSettings::resolve(Some(on), &|name| std::env::var(name).ok())?;
    let session = connect(&settings, SessionRole::Watch).await?;
    let facts = session.facts().await?;
    facts.refuse_standby()?;
    if let Target::There(desk) = target {
        let ours = connect(&global.connection()?, SessionRole::Watch).await?;
        let target = &desk.server.database;
        match kin(&ours, &session).await? {
            Kin::Apart => {}
            Kin::Same => {
                return Err(CommandError::Usage(format!(
                    "--on names the target itself ({target}), under whatever name: a rehearsal changes what it runs on; \
                     name a clone of it, or leave --on out"
                )));
            }
            Kin::StandbyOf => {
                return Err(CommandError::Usage(format!(
                    "the target ({target}) is a standby, and --on may name its primary: a rehearsal changes what it runs \
                     on; let DATABASE_URL name the primary, so that the two can be told apart"
                )));
            }
        }
    }
    let record = global.config()?.schema;
    let recorded = schema::version(&session.client, &record).await?.is_some();
    Ok(Place {
        global: at(global, on.to_owned()),
        start: format!("the clone {}", facts.database),
        notes: Vec::new(),
        scratch: None,
        recorded,
    })
}

impl Place {
    /// Takes the place down; what is left of it, one sentence each.
    ///
    /// # Errors
    /// When the clone cannot be tidied up.
    pub(super) async fn tidy_up(self, record: &Ident) -> Result<Vec<String>, CommandError> {
        if let Some(scratch) = self.scratch {
            scratch.remove().await;
            return Ok(Vec::new());
        }
        if self.recorded {
            return Ok(vec![format!(
                "the record in schema {} of the clone has the rehearsal in its history, and knows the plan as planned",
                plain(record)
            )]);
        }
        let session = connect(&self.global.connection()?, SessionRole::Watch).await?;
        schema::remove(&session.client, record).await?;
        Ok(Vec::new())
    }
}
