//! A column or table is dropped when nothing holds it any more: a view, a policy, a foreign key
//! of another table make the drop fail, with `keep` days after the plan began.

use super::{Objection, Rule, Scene};
use crate::core::ident::{Ident, QName, plain};
use crate::core::lint::finding::Level;
use crate::core::lint::world::{Table, World};
use crate::core::sql::{Alter, Change, Object};

pub(super) const RULE: Rule = Rule {
    id: "drop-column-dependents",
    title: "What is dropped is held by nothing",
    why: "a view, a policy, a trigger, a generated column or a foreign key of another table that depends on a column or table makes its drop fail, and with keep that shows only in purge, days after contract",
    level: Level::Error,
    back: false,
    ours: true,
    check,
    setup: "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r",
    bad: "contract:
  - drop_table: {table: r}
gates:
  contract: {deployed: APP@VERSION, soak: 24h}
keep: 7d
",
    good: "contract:
  - sql: ALTER TABLE t DROP CONSTRAINT k
    undo: ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r NOT VALID
  - drop_table: {table: r}
gates:
  contract: {deployed: APP@VERSION, soak: 24h}
keep: 7d
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    let changes = &scene.inspected.statement.changes;
    let held: Vec<String> = changes.iter().flat_map(|change| held(scene.world, change, changes)).collect();
    if held.is_empty() {
        return None;
    }
    Objection::new(
        format!("the drop will fail (2BP01): {} {} on it", held.join(", "), depends(held.len())),
        "replace or drop what depends on it in contract, before this step",
    )
}

const fn depends(many: usize) -> &'static str {
    if many == 1 { "depends" } else { "depend" }
}

/// What makes a drop fail.
fn held(world: &World, change: &Change, beside: &[Change]) -> Vec<String> {
    match change {
        Change::Alter { table, what: Alter::DropColumn(column), .. } => {
            let gone = |name: &Ident| beside.iter().any(|other| drops_column(other, table, name));
            world.table(table).map(|known| of_column(world, table, known, column, &gone)).unwrap_or_default()
        }
        Change::Drop { of: Object::Table, names, cascade: false, .. } => {
            let known = names.iter().filter_map(|name| Some((name, world.table(name)?)));
            known.flat_map(|(name, known)| of_table(world, name, known, names)).collect()
        }
        _ => Vec::new(),
    }
}

fn drops_column(change: &Change, table: &QName, column: &Ident) -> bool {
    matches!(change, Change::Alter { table: of, what: Alter::DropColumn(name), .. } if of == table && name == column)
}

/// What makes the drop of a column fail.
pub(in crate::core::lint) fn holders(
    world: &World,
    name: &QName,
    table: &Table,
    column: &Ident,
) -> Vec<String> {
    of_column(world, name, table, column, &|_| false)
}

fn of_column(
    world: &World,
    name: &QName,
    table: &Table,
    column: &Ident,
    gone: &dyn Fn(&Ident) -> bool,
) -> Vec<String> {
    let primary =
        || table.constraints.iter().any(|known| known.kind == 'p' && known.columns.contains(column));
    let keys = table.referenced_by.iter().filter(|key| {
        // Without columns it is the primary key, whatever that is.
        key.columns.contains(column) || key.columns.is_empty() && primary()
    });
    let keys = keys.filter(|key| key.table != *name && !is_part(world, table, &key.table));
    let mut held: Vec<String> = keys.map(|key| foreign(key.name.as_ref(), &key.table)).collect();
    let hanging = table.hanging.iter().filter(|known| known.holds && known.column.as_ref() == Some(column));
    held.extend(
        hanging.filter(|known| !known.generated(name).is_some_and(gone)).map(|known| known.said.clone()),
    );
    unique(held)
}

fn of_table(world: &World, name: &QName, table: &Table, dropped: &[QName]) -> Vec<String> {
    let ours = |relation: &QName| relation == name || table.partitions.contains(relation);
    let keys = table.referenced_by.iter().filter(|key| {
        !ours(&key.table) && !dropped.contains(&key.table) && !is_part(world, table, &key.table)
    });
    let mut held: Vec<String> = keys.map(|key| foreign(key.name.as_ref(), &key.table)).collect();
    let others = table.hanging.iter().filter(|known| {
        known.holds
            && known.relation.as_ref().is_some_and(|relation| !ours(relation) && !dropped.contains(relation))
    });
    held.extend(others.map(|known| known.said.clone()));
    unique(held)
}

/// Whether a table is a partition of one whose key is told already.
fn is_part(world: &World, table: &Table, referrer: &QName) -> bool {
    let above = world.table(referrer).and_then(|known| known.parent.as_ref());
    above.is_some_and(|above| table.referenced_by.iter().any(|key| key.table == *above))
}

fn foreign(name: Option<&Ident>, table: &QName) -> String {
    match name {
        Some(name) => format!("foreign key {} of table {}", plain(name), table.plain()),
        None => format!("a foreign key of table {}", table.plain()),
    }
}

fn unique(mut said: Vec<String>) -> Vec<String> {
    said.sort();
    said.dedup();
    said
}
