//! `phase rehearse`.

mod before;
mod dump;
mod ear;
mod known;
mod rounds;
mod scratch;
mod start;

use std::io::Write;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::{Code, CommandError};
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::progress;
use crate::core::rehearse::{
    EVENT, Outcome, Report, Stage, UndoFrom, markdown, not_rehearsed, passed, rehearsed, route, spared,
};
use crate::engine::stop::Stop;
use crate::pg::connect::{Session, SessionRole, connect};
use crate::pg::schema;
use crate::pg::trace::Trace;
use before::{bring_forward, older, refuse_outside, take_back};
use known::Known;
use rounds::{Rounds, relations};
use start::{Place, Target};

/// Run a whole plan, and its undo, on a scratch database; see the locks really taken.
///
/// Every phase runs through the same engine as in production: forward, back
/// from every state that has a way back, and forward again. Each step's locks,
/// rewrites and scans are compared with what the lock table predicts, and the
/// schema after undo with the schema before, object by object. Exit code 1
/// says that something was worse than predicted, failed, or did not lead back;
/// 2 that it went well, but the linter refuses a statement.
///
/// The database is a throwaway one like the target (its schema, by pg_dump,
/// without rows), one made from the project's files where there is no target, or
/// a clone that --on names. Gates are passed by, and said.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase rehearse users_display_name\n  phase rehearse users_display_name --from-files --markdown\n  phase rehearse users_display_name --on postgres://me@clone/shop --undo last"
)]
pub struct RehearseArgs {
    /// The plan or SQL migration: version, name, prefix of either, or path.
    plan: String,
    /// Rehearse on this database, a clone of production that may be changed; never on the target.
    #[arg(long, value_name = "URL")]
    on: Option<String>,
    /// Begin with the project's own files, whatever the target holds.
    #[arg(long, conflicts_with = "on")]
    from_files: bool,
    /// Carry up to this many rows of each table of the plan over from the target, and the rows that
    /// those refer to.
    #[arg(long, value_name = "ROWS", conflicts_with_all = ["on", "from_files"])]
    sample: Option<u32>,
    /// From which states to go back.
    #[arg(long, value_name = "FROM", default_value = "every")]
    undo: Undo,
    /// On a clone: also run what nothing leads back from.
    #[arg(long, requires = "on")]
    to_the_end: bool,
    /// Also run what reaches out of the database, in earnest: COPY to and from files and programs of
    /// the server, CREATE SUBSCRIPTION.
    #[arg(long)]
    outside: bool,
    /// Print Markdown for a comment on a pull request.
    #[arg(long)]
    markdown: bool,
    /// Leave no note in the target's history.
    #[arg(long)]
    no_note: bool,
}

/// As the command line has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Undo {
    /// Each that has a way back.
    Every,
    /// The last that has one; quicker where backfills take long.
    Last,
}

/// Runs the command.
///
/// # Errors
/// When the plan is not right, there is no database to rehearse on, or --on
/// names the target; that the rehearsal finds something is exit code 1.
pub async fn run(global: &Global, args: &RehearseArgs, stop: Stop) -> Result<Output, CommandError> {
    let target = start::target(global, args, &stop).await?;
    let place = start::place(global, args, &target).await?;
    let config = global.config()?;
    let rehearsed = Box::pin(rehearse(global, args, &target, &place, stop.clone())).await;
    let left = place.tidy_up(&config.schema).await;
    let mut report = match rehearsed {
        Err(error) if args.markdown && !global.json => {
            // A comment without a word would look like one that has not come yet.
            let _ =
                writeln!(anstream::stdout(), "{}", not_rehearsed(&args.plan, &error.to_string()).trim_end());
            return Err(error);
        }
        rehearsed => rehearsed?,
    };
    report.left.extend(left?);
    if let Target::There(desk) = &target
        && desk.recorded()
        && !desk.server.standby
        && !args.no_note
    {
        note(global, &report, stop).await;
    }
    let text = if args.markdown { markdown(&report) } else { report.text() };
    let code = match (report.went_well(), report.ok) {
        (false, _) => Code::Failed,
        // The plan is not right, as phase check and whoever runs it say as well.
        (true, false) => Code::Usage,
        (true, true) => Code::Done,
    };
    Ok(Output::done(text, &report).with_code(code))
}

async fn rehearse(
    global: &Global,
    args: &RehearseArgs,
    target: &Target,
    place: &Place,
    stop: Stop,
) -> Result<Report, CommandError> {
    let mut desk = Desk::open(&place.global, "rehearse", Access::Write, stop).await?;
    let settings = place.global.connection()?;
    let session = connect(&settings, SessionRole::Watch).await?;
    let items = desk.items().await?;
    let item = find(&items, &args.plan)?;
    if !item.unsupported.is_empty() {
        return Err(CommandError::Preflight(item.unsupported.join("\n")));
    }
    let listener = progress::listener(global);
    let before = older(&desk, &items, item).await?;
    if !args.outside {
        refuse_outside(before.iter().map(|(older, _)| *older).chain([item]), args.on.is_some())?;
    }
    let brought = bring_forward(&desk, &before, item, &*listener).await?;
    let was = take_back(&desk, &rehearsed(item), &*listener).await?;
    // By now the tables are there that its recipes are about.
    let items = desk.items().await?;
    let item = find(&items, &args.plan)?;
    let open = rehearsed(item);
    let undo = match args.undo {
        Undo::Every => UndoFrom::Every,
        Undo::Last => UndoFrom::Last,
    };
    let scratch = place.scratch.is_some();
    let way = route(&open, undo, scratch || args.to_the_end);
    if way.legs.is_empty() {
        return Err(CommandError::Usage(format!(
            "{}: nothing leads back from any of it, and the clone would not be what it was: --to-the-end runs it there \
             all the same",
            item.stem()
        )));
    }
    let known = Known::ask(&desk, target, &open, !scratch).await?;
    let mut report = Report {
        version: item.version.to_string(),
        name: item.name.clone(),
        kind: item.kind,
        title: item.title.clone(),
        checksum: item.checksum.clone(),
        ok: false,
        stage: Stage {
            server: server(&session, scratch),
            version: session.version(),
            clone: !scratch,
            start: place.start.clone(),
            brought,
            notes: place.notes.clone(),
            rows: known.rows(&session, item).await?,
            objects: 0,
        },
        passed: passed(item),
        findings: known.findings(item, desk.config.small_table)?,
        steps: Vec::new(),
        round_trips: Vec::new(),
        again: Vec::new(),
        one_way: way.one_way.clone(),
        failure: None,
        uncovered: Vec::new(),
        left: Vec::new(),
    };
    let told = was.map(|state| format!("it was {state} there, and was taken back first"));
    if !scratch {
        report
            .left
            .extend(told.iter().chain(&report.stage.brought).map(|what| format!("on the clone: {what}")));
    }
    report.stage.notes.extend(told);
    report.uncovered.extend(spared(&open, &way).iter().map(|step| {
        format!(
            "{} ({}): nothing leads back from it; --to-the-end runs it on the clone as well",
            step.id, step.title
        )
    }));
    let trace = Arc::new(Trace::new(settings, desk.config.schema.clone()));
    desk.target.observe(Arc::clone(&trace));
    let stood = relations(&session, &desk).await?;
    let rounds = Rounds { desk: &desk, item: &open, trace, listener: &*listener, session: &session, stood };
    Box::pin(rounds.walk(&way.legs, &mut report)).await?;
    let order: Vec<String> = open.steps.iter().map(|step| step.id.clone()).collect();
    report.settle(&order, open.limits.lock_timeout);
    Ok(report)
}

fn server(session: &Session, scratch: bool) -> String {
    let version = session.version();
    let place = if scratch { "a throwaway server" } else { "a clone" };
    format!("PostgreSQL {}.{}, {place}", version / 10_000, version % 10_000)
}

/// Leaves a note in the target's history; one that cannot be left is no reason to fail.
async fn note(global: &Global, report: &Report, stop: Stop) {
    let noted = async {
        let session = connect(&global.connection()?, SessionRole::Watch).await?;
        let config = global.config()?;
        if schema::version(&session.client, &config.schema).await? != Some(schema::newest()) {
            return Ok(());
        }
        let desk = Desk::open(global, "rehearse", Access::Write, stop).await?;
        let version = crate::core::version::Version::parse(&report.version);
        if let Some(version) = version {
            desk.store.note(&version, EVENT, &Outcome::of(report).detail()).await?;
        }
        Ok::<(), CommandError>(())
    };
    if let Err(error) = noted.await {
        tracing::warn!("the target's history has no note of this rehearsal: {error}");
    }
}
