//! `phase show`.

mod checklist;
mod dry;
mod page;

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::project::{Project, Surroundings};
use crate::core::compile::Server;
use crate::core::lint::partitioned::{Sent, shown};
use crate::core::lint::{Taken, World, inspect, mentions, taken};
use crate::core::sql::SqlError;
use crate::core::state::State;
use crate::core::step::{Action, Phase, Step, Undo};
use crate::core::timeline::{Item, Rollback};
use crate::engine::stop::Stop;
use crate::engine::{Store, Target};
use checklist::answers;
use page::page;

pub use dry::{rollback_text, steps_text, world_of};

/// Show what a plan does: every step's SQL, transaction mode, locks and undo, and
/// how far it is.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  phase show users_display_name\n  phase show plans/20261121093000_users_display_name.yaml --offline\n  phase show users_display_name --checklist"
)]
pub struct ShowArgs {
    /// The plan: version, name, prefix of either, or path.
    plan: String,
    /// Without a server: as the newest PostgreSQL would get it.
    #[arg(long)]
    offline: bool,
    /// Answer the questions that are asked before a change goes to production.
    #[arg(long)]
    checklist: bool,
}

/// Runs the command.
///
/// # Errors
/// When the plan is not there or not right.
pub async fn run(global: &Global, args: &ShowArgs, stop: Stop) -> Result<Output, CommandError> {
    if args.offline {
        let project = Project::read(&global.config()?)?;
        let readable = project.readable(Server::NEWEST, &Surroundings::new())?;
        let readable = readable.about(std::slice::from_ref(&args.plan))?;
        readable.warn();
        let items = readable.items;
        let item = find(&items, &args.plan)?;
        caution(item, global);
        if item.known.is_some() && !global.quiet {
            tracing::warn!(
                "without a server nothing is known of the tables: words like \"type of t.c\" stand for what the catalog \
                 says, and the indexes, constraints and views that hang on a column are not in it; as it will run: phase show {}",
                item.stem()
            );
        }
        if args.checklist {
            let small = global.config()?.small_table;
            return answers(item, &World::offline(Server::NEWEST.version), small, None);
        }
        let ways = ways(item, World::offline(Server::NEWEST.version))?;
        return Ok(page(item, None, &[], &[], &Notes::new(), &ways));
    }
    let desk = Desk::open(global, "show", Access::Read, stop).await?;
    let items = desk.about(std::slice::from_ref(&args.plan)).await?.items;
    let item = find(&items, &args.plan)?;
    let records = desk.records().await?;
    let record = records.iter().find(|record| record.version == item.version);
    if !record.is_some_and(|record| matches!(record.state, State::Completed | State::Aborted)) {
        caution(item, global);
    }
    if args.checklist {
        return checklist::run(&desk, item, record).await;
    }
    let steps = if desk.recorded() { desk.store.steps(&item.version).await? } else { Vec::new() };
    let world = desk.target.world(&mentions(item.steps_both_ways())?).await?;
    let impacts = if desk.recorded() { desk.store.impacts(Some(&item.version)).await? } else { Vec::new() };
    Ok(page(item, record, &steps, &impacts, &notes(&desk, item).await?, &ways(item, world)?))
}

/// Says what to look at twice.
fn caution(item: &Item, global: &Global) {
    for caution in item.cautions.iter().filter(|_| !global.quiet) {
        tracing::warn!("{caution}");
    }
}

/// What a step does in a database: what is sent, and the locks that it takes.
struct Seen {
    sent: Sent,
    locks: Vec<Taken>,
    /// What its undo sends, where that is known before.
    undo: Option<Sent>,
}

impl Seen {
    /// Looks at a step; `world` is what stands after it.
    fn of(step: &Step, world: &mut World) -> Result<Self, SqlError> {
        let sent = shown(&step.action, world)?;
        let locks = taken(&inspect(step, world)?);
        let undo = match &step.undo {
            Undo::Run(action) => Some(shown(action, world)?),
            _ => None,
        };
        Ok(Self { sent, locks, undo })
    }
}

/// Each step of an item with what it does, in the order in which they come.
type Steps<'a> = Vec<(&'a Step, Seen)>;

/// The steps forward, and those of the way back of a SQL migration.
struct Ways<'a> {
    forth: Steps<'a>,
    back: Steps<'a>,
}

fn ways(item: &Item, mut world: World) -> Result<Ways<'_>, SqlError> {
    let mut seen = |step| Ok::<_, SqlError>((step, Seen::of(step, &mut world)?));
    let steps = Phase::ALL.into_iter().flat_map(|phase| item.steps_of(phase));
    let forth = steps.map(&mut seen).collect::<Result<_, _>>()?;
    let back = match &item.down {
        Rollback::Steps(steps) => steps.iter().map(seen).collect::<Result<_, _>>()?,
        Rollback::Refused(_) => Vec::new(),
    };
    Ok(Ways { forth, back })
}

/// What is worth knowing about each step's table, by step.
type Notes = BTreeMap<String, Vec<String>>;

async fn notes(desk: &Desk, item: &Item) -> Result<Notes, CommandError> {
    let mut notes = Notes::new();
    for step in &item.steps {
        if let Action::Backfill(backfill) = &step.action {
            notes.insert(step.id.clone(), desk.target.notes(backfill).await?);
        }
    }
    Ok(notes)
}
