//! Writes the SQL of a dry run, as it would be sent to the database that is asked.

use crate::cli::desk::Desk;
use crate::cli::exit::CommandError;
use crate::core::lint::partitioned::shown;
use crate::core::lint::{World, inspect, mentions};
use crate::core::sql::SqlError;
use crate::core::step::Step;
use crate::core::timeline::{Item, Rollback};
use crate::core::transition::{Transition, Work};
use crate::engine::Target;

/// What the catalog tells of everything that some items name.
///
/// # Errors
/// When the server cannot be asked.
pub async fn world_of(desk: &Desk, items: &[&Item]) -> Result<World, CommandError> {
    let steps = items.iter().flat_map(|item| item.steps_both_ways());
    Ok(desk.target.world(&mentions(steps)?).await?)
}

/// The SQL of the steps of one transition; `world` is what stands after it.
///
/// # Errors
/// When SQL of a step cannot be read.
pub fn steps_text(item: &Item, row: &Transition, world: &mut World) -> Result<String, SqlError> {
    let wanted = |step: &&Step| match row.work {
        Work::Run(phase) => step.phase == phase,
        Work::Apply => true,
        Work::Undo | Work::RollBack => false,
    };
    let mut text = String::new();
    for step in item.steps.iter().filter(wanted) {
        let sent = shown(&step.action, world)?;
        text += &format!("-- {} {} ({})\n", step.id, step.title, sent.mode);
        text += &statements(&sent.sql);
        inspect(step, world)?;
    }
    Ok(text)
}

/// The SQL of the way back of a SQL migration, likewise.
///
/// # Errors
/// As [`steps_text`].
pub fn rollback_text(item: &Item, world: &mut World) -> Result<String, SqlError> {
    let Rollback::Steps(steps) = &item.down else { return Ok(String::new()) };
    let mut text = String::new();
    for step in steps {
        text += &statements(&shown(&step.action, world)?.sql);
        inspect(step, world)?;
    }
    Ok(text)
}

fn statements(sql: &[String]) -> String {
    sql.iter().map(|sql| format!("{};\n", sql.trim_end())).collect()
}
