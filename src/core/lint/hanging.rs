//! Carries what hangs on tables over a change: what a plan drops, replaces or renames first
//! holds nothing back any more.

use super::world::{HangingKind, Table, World};
use crate::core::ident::{Ident, QName};
use crate::core::sql::Alter;

/// A relation is dropped, or made anew: nothing of it hangs anywhere any more.
pub(super) fn without(world: &mut World, relation: &QName) {
    for table in world.tables.values_mut() {
        table.hanging.retain(|known| known.relation.as_ref() != Some(relation));
        table.referenced_by.retain(|key| key.table != *relation);
    }
}

/// A trigger, a policy or a rule of a table is dropped or changed. Which of them is not told.
pub(super) fn without_parts(world: &mut World, table: &QName) {
    for known in world.tables.values_mut() {
        known
            .hanging
            .retain(|known| known.kind != HangingKind::Part || known.relation.as_ref() != Some(table));
    }
}

/// A table is altered; it is still as it was before.
pub(super) fn altered(world: &mut World, table: &QName, what: &Alter) {
    match what {
        Alter::DropConstraint(name) => without_key(world, table, &|key| key == Some(name)),
        Alter::DropColumn(column) => {
            let constraints = world.table(table).map(|known| &known.constraints[..]).unwrap_or_default();
            let over = constraints.iter().filter(|known| known.columns.contains(column));
            let keys: Vec<Ident> = over.filter_map(|known| known.name.clone()).collect();
            without_key(world, table, &|key| key.is_some_and(|key| keys.contains(key)));
            computed(world, table, column);
            dropped(world.table_mut(table), column);
        }
        Alter::SetExpression(column) | Alter::DropExpression(column) => computed(world, table, column),
        _ => {}
    }
}

/// A table has another name now.
pub(super) fn moved(world: &mut World, from: &QName, to: &QName) {
    for table in world.tables.values_mut() {
        let keys = table.referenced_by.iter_mut().map(|key| &mut key.table);
        let hanging = table.hanging.iter_mut().filter_map(|known| known.relation.as_mut());
        for name in keys.chain(hanging).filter(|name| *name == from) {
            name.clone_from(to);
        }
    }
}

fn without_key(world: &mut World, table: &QName, is: &dyn Fn(Option<&Ident>) -> bool) {
    for known in world.tables.values_mut() {
        known.referenced_by.retain(|key| key.table != *table || !is(key.name.as_ref()));
    }
    world.table_mut(table).hanging.retain(|known| match &known.kind {
        HangingKind::Foreign(name) => !is(Some(name)),
        _ => true,
    });
}

/// A column is computed from nothing any more that it was computed from before.
fn computed(world: &mut World, table: &QName, column: &Ident) {
    world.table_mut(table).hanging.retain(|known| known.generated(table) != Some(column));
}

/// What went along with a column.
fn dropped(table: &mut Table, column: &Ident) {
    table.constraints.retain(|known| !known.columns.contains(column));
    table.indexes.retain(|known| !known.uses.contains(column));
    table.hanging.retain(|known| known.column.as_ref() != Some(column));
}
