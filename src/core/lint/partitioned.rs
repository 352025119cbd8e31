//! Tells what the engine sends for an index of a partitioned table, which takes another way
//! than the statement of the plan.

use super::world::{TableKind, World};
use crate::core::ident::QName;
use crate::core::index::{Branch, Part, parts};
use crate::core::sql::SqlError;
use crate::core::step::{Action, IndexBuild};

/// The SQL of an action, as the engine sends it in this database.
///
/// # Errors
/// When an index cannot be written for a partition.
pub fn sent(action: &Action, world: &World) -> Result<Vec<String>, SqlError> {
    match action {
        Action::BuildIndex(build) if is_partitioned(world, &build.table) => by_partitions(build, world),
        Action::DropIndex { index }
            if world.indexes.get(index).is_some_and(|table| is_partitioned(world, table)) =>
        {
            Ok(vec![format!("DROP INDEX {index}")])
        }
        Action::Backfill(_) | Action::Assert { .. } => Ok(Vec::new()),
        action => Ok(action.sql()),
    }
}

fn is_partitioned(world: &World, table: &QName) -> bool {
    world.table(table).is_some_and(|table| table.kind == TableKind::Partitioned)
}

fn by_partitions(build: &IndexBuild, world: &World) -> Result<Vec<String>, SqlError> {
    let root = Branch { table: build.table.clone(), parent: None, partitioned: true, foreign: false };
    let below = world.table(&build.table).map(|table| table.partitions.clone()).unwrap_or_default();
    let branch = |table: QName| Branch {
        partitioned: is_partitioned(world, &table),
        // Foreign tables are met, and refused, when it runs.
        foreign: false,
        parent: Some(0),
        table,
    };
    let tree: Vec<Branch> = std::iter::once(root).chain(below.into_iter().map(branch)).collect();
    let sql = |part: Part| match part {
        Part::Alone { sql, .. } => sql,
        Part::Build(build) => build.create,
        Part::Attach { index, to, .. } => Part::attach_sql(&index, &to),
    };
    Ok(parts(build, &tree)?.into_iter().map(sql).collect())
}
