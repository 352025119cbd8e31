//! Tells what the engine sends for an index of a partitioned table, which takes another way
//! than the statement of the plan.

use super::world::{TableKind, World};
use crate::core::ident::QName;
use crate::core::index::{Branch, Part, parts};
use crate::core::sql::SqlError;
use crate::core::step::{Action, IndexBuild, drop_whole_sql};

/// What is sent for an action, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The statements, in order.
    pub sql: Vec<String>,
    /// How they meet transactions.
    pub mode: &'static str,
}

impl Sent {
    /// As it stands in the plan.
    #[must_use]
    pub fn plain(action: &Action) -> Self {
        Self { sql: action.sql(), mode: action.mode() }
    }
}

/// What the engine sends for an action in this database, for people: also of a backfill, an outline.
///
/// # Errors
/// As [`sent`].
pub fn shown(action: &Action, world: &World) -> Result<Sent, SqlError> {
    let mode = match action {
        Action::BuildIndex(build) if is_partitioned(world, &build.table) => "part by part, each by itself",
        Action::DropIndex { index, .. } if is_of_partitioned(world, index) => "one transaction",
        _ => return Ok(Sent::plain(action)),
    };
    Ok(Sent { sql: sent(action, world)?, mode })
}

/// The SQL of an action, as the engine sends it in this database.
///
/// # Errors
/// When an index cannot be written for a partition.
pub fn sent(action: &Action, world: &World) -> Result<Vec<String>, SqlError> {
    match action {
        Action::BuildIndex(build) if is_partitioned(world, &build.table) => by_partitions(build, world),
        Action::DropIndex { index, .. } if is_of_partitioned(world, index) => Ok(vec![drop_whole_sql(index)]),
        Action::Backfill(_) | Action::Assert { .. } => Ok(Vec::new()),
        action => Ok(action.sql()),
    }
}

fn is_partitioned(world: &World, table: &QName) -> bool {
    world.table(table).is_some_and(|table| table.kind == TableKind::Partitioned)
}

fn is_of_partitioned(world: &World, index: &QName) -> bool {
    world.indexes.get(index).is_some_and(|table| is_partitioned(world, table))
}

fn by_partitions(build: &IndexBuild, world: &World) -> Result<Vec<String>, SqlError> {
    Ok(parts(build, &tree(&build.table, world))?.iter().map(Part::sql).collect())
}

/// The relations of a partitioned table, level by level, as the engine finds them.
fn tree(table: &QName, world: &World) -> Vec<Branch> {
    let mut left = world.table(table).map(|table| table.partitions.clone()).unwrap_or_default();
    left.sort_by_key(|name| (name.schema.as_ref().map(ToString::to_string), name.name.as_str().to_owned()));
    // Foreign tables are met, and refused, when it runs.
    let branch = |table: QName, parent, partitioned| Branch { table, parent, partitioned, foreign: false };
    let mut tree = vec![branch(table.clone(), None, true)];
    while !left.is_empty() {
        let parent = |name: &QName| {
            let above = world.table(name).and_then(|known| known.parent.as_ref());
            tree.iter().position(|branch| Some(&branch.table) == above)
        };
        let (here, below): (Vec<_>, Vec<_>) = left.drain(..).partition(|name| parent(name).is_some());
        // Where the catalog did not tell the table above, it is the one that was asked about.
        let (here, below) = if here.is_empty() { (below, here) } else { (here, below) };
        let level: Vec<Branch> = here
            .into_iter()
            .map(|name| {
                let (above, partitioned) = (parent(&name).unwrap_or(0), is_partitioned(world, &name));
                branch(name, Some(above), partitioned)
            })
            .collect();
        tree.extend(level);
        left = below;
    }
    tree
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::ident::Ident;
    use crate::core::lint::Table;

    fn name(text: &str) -> QName {
        QName::parse(text).unwrap()
    }

    #[test]
    fn the_parts_follow_the_levels_of_the_table() {
        let mut world = World::offline(180_000);
        for (table, parent, partitions) in [
            ("t", None, vec!["b_2a", "t_1", "t_2"]),
            ("t_1", Some("t"), vec![]),
            ("t_2", Some("t"), vec!["b_2a"]),
            ("b_2a", Some("t_2"), vec![]),
        ] {
            let kind = if partitions.is_empty() { TableKind::Ordinary } else { TableKind::Partitioned };
            let partitions = partitions.into_iter().map(name).collect();
            world.tables.insert(
                name(table),
                Table { kind, parent: parent.map(name), partitions, ..Table::default() },
            );
        }
        let build = Action::BuildIndex(IndexBuild {
            table: name("t"),
            name: Ident::parse("t_a").unwrap(),
            create: "CREATE INDEX CONCURRENTLY t_a ON t (a)".into(),
            unique: false,
        });
        let shown = shown(&build, &world).unwrap();
        assert_eq!(shown.mode, "part by part, each by itself");
        assert_eq!(
            shown.sql,
            [
                "CREATE INDEX t_a ON ONLY t USING btree (a)",
                "CREATE INDEX t_2_t_a ON ONLY t_2 USING btree (a)",
                "CREATE INDEX CONCURRENTLY t_1_t_a ON t_1 USING btree (a)",
                "CREATE INDEX CONCURRENTLY b_2a_t_a ON b_2a USING btree (a)",
                r#"ALTER INDEX "t_2_t_a" ATTACH PARTITION "b_2a_t_a""#,
                r#"ALTER INDEX "t_a" ATTACH PARTITION "t_2_t_a""#,
                r#"ALTER INDEX "t_a" ATTACH PARTITION "t_1_t_a""#,
            ]
        );
        world.indexes.insert(name("t_a"), name("t"));
        let drop = Action::DropIndex { index: name("t_a"), if_exists: false };
        assert_eq!(super::shown(&drop, &world).unwrap().sql, [r#"DROP INDEX IF EXISTS "t_a""#]);
    }
}
