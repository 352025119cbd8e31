//! Carries names over a rename: of a column, of a constraint, of an index.

use super::world::{HangingKind, World};
use crate::core::ident::{Ident, QName};

/// A column has another name now.
pub(super) fn column(world: &mut World, table: &QName, from: &Ident, to: &Ident) {
    let Some(known) = world.tables.get_mut(table) else { return };
    let columns = known.columns.iter_mut().map(|column| &mut column.name);
    let constraints =
        known.constraints.iter_mut().flat_map(|known| known.columns.iter_mut().chain(&mut known.proves));
    let indexes =
        known.indexes.iter_mut().flat_map(|known| known.columns.iter_mut().flatten().chain(&mut known.uses));
    let keys = known.referenced_by.iter_mut().flat_map(|key| &mut key.columns);
    let hanging = known.hanging.iter_mut().filter_map(|known| known.column.as_mut());
    for name in columns.chain(constraints).chain(indexes).chain(keys).chain(hanging) {
        if name == from {
            name.clone_from(to);
        }
    }
    for known in &mut known.hanging {
        match &mut known.kind {
            HangingKind::Generated(name) if name == from && known.relation.as_ref() == Some(table) => {
                name.clone_from(to);
            }
            _ => {}
        }
    }
}

/// A constraint has another name now, and so has the index behind it.
pub(super) fn constraint(world: &mut World, table: &QName, from: &Ident, to: &Ident) {
    for known in world.tables.values_mut() {
        for key in known.referenced_by.iter_mut().filter(|key| key.table == *table) {
            if key.name.as_ref() == Some(from) {
                key.name = Some(to.clone());
            }
        }
    }
    let known = world.table_mut(table);
    for constraint in known.constraints.iter_mut().filter(|known| known.name.as_ref() == Some(from)) {
        constraint.name = Some(to.clone());
    }
    for hanging in &mut known.hanging {
        match &mut hanging.kind {
            HangingKind::Foreign(name) if name == from => name.clone_from(to),
            _ => {}
        }
    }
    if known.indexes.iter().any(|index| index.constraint && index.name == *from) {
        of_index(world, table, from, to);
    }
}

/// An index has another name now, and so has the constraint that it belongs to.
pub(super) fn index(world: &mut World, index: &QName, to: &Ident) {
    let Some(table) = world.indexes.get(index).cloned() else { return };
    of_index(world, &table, &index.name, to);
    for constraint in world.table_mut(&table).constraints.iter_mut() {
        if constraint.name.as_ref() == Some(&index.name) && matches!(constraint.kind, 'p' | 'u' | 'x') {
            constraint.name = Some(to.clone());
        }
    }
}

/// The index itself.
pub(super) fn of_index(world: &mut World, table: &QName, from: &Ident, to: &Ident) {
    world.indexes.remove(&table.sibling(from.clone()));
    world.indexes.insert(table.sibling(to.clone()), table.clone());
    for index in world.table_mut(table).indexes.iter_mut().filter(|index| index.name == *from) {
        index.name.clone_from(to);
    }
}
