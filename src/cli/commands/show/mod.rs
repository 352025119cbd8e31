//! `phase show`.

mod checklist;
mod page;

use std::collections::BTreeMap;

use clap::Args;

use crate::cli::args::Global;
use crate::cli::desk::{Access, Desk};
use crate::cli::exit::CommandError;
use crate::cli::naming::find;
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::core::compile::Server;
use crate::core::lint::{Taken, World, inspect, mentions, taken};
use crate::core::sql::SqlError;
use crate::core::step::{Action, Phase, Step};
use crate::core::timeline::Item;
use crate::core::transition::{Transition, Work};
use crate::engine::stop::Stop;
use crate::engine::{Store, Target};
use checklist::answers;
use page::page;

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
        let items = Project::load(&global.config()?)?.items(Server::NEWEST)?;
        let item = find(&items, &args.plan)?;
        if args.checklist {
            let small = global.config()?.small_table;
            return answers(item, &World::offline(Server::NEWEST.version), small, None);
        }
        let locks = locks(item, World::offline(Server::NEWEST.version))?;
        return Ok(page(item, None, &[], &[], &Notes::new(), &locks));
    }
    let desk = Desk::open(global, "show", Access::Read, stop).await?;
    let items = desk.items()?;
    let item = find(&items, &args.plan)?;
    let records = desk.records().await?;
    let record = records.iter().find(|record| record.version == item.version);
    if args.checklist {
        return checklist::run(&desk, item, record).await;
    }
    let steps = if desk.recorded() { desk.store.steps(&item.version).await? } else { Vec::new() };
    let world = desk.target.world(&mentions(&item.steps)?).await?;
    let impacts = if desk.recorded() { desk.store.impacts(Some(&item.version)).await? } else { Vec::new() };
    Ok(page(item, record, &steps, &impacts, &notes(&desk, item).await?, &locks(item, world)?))
}

/// The locks of each step, by step, in the order in which they come.
type Locks = BTreeMap<String, Vec<Taken>>;

fn locks(item: &Item, mut world: World) -> Result<Locks, SqlError> {
    let mut locks = Locks::new();
    for step in Phase::ALL.into_iter().flat_map(|phase| item.steps_of(phase)) {
        locks.insert(step.id.clone(), taken(&inspect(step, &mut world)?));
    }
    Ok(locks)
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

/// The SQL of the steps of one transition, for a dry run.
#[must_use]
pub fn steps_text(item: &Item, row: &Transition) -> String {
    let wanted = |step: &&Step| match row.work {
        Work::Run(phase) => step.phase == phase,
        Work::Apply => true,
        Work::Undo | Work::RollBack => false,
    };
    let mut text = String::new();
    for step in item.steps.iter().filter(wanted) {
        text += &format!("-- {} {} ({})\n", step.id, step.title, step.action.mode());
        for sql in step.action.sql() {
            text += &format!("{};\n", sql.trim_end());
        }
    }
    text
}
