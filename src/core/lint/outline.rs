//! Carries what is known of a database over a change: what earlier steps of a
//! plan have made is there for the later ones.

use super::world::{Column, Constraint, Domain, Index, Table, TableKind, World};
use crate::core::ident::{Ident, QName};
use crate::core::sql::{Alter, Change, Demand, NewColumn, NewConstraint, Object, Renamed};

/// What is known after a change.
pub fn apply(world: &mut World, change: &Change) {
    match change {
        // It may be there already; then it is not the plan's.
        Change::CreateTable { table, perhaps, temporary, .. }
            if *temporary || (*perhaps && !world.complete) || world.tables.contains_key(table) => {}
        Change::CreateTable { table, columns, partition_of, partitioned, .. } => {
            let known = Table {
                made: true,
                kind: if *partitioned { TableKind::Partitioned } else { TableKind::Ordinary },
                rows: Some(0),
                bytes: Some(0),
                columns: columns.iter().map(column).collect(),
                parent: partition_of.as_ref().map(|(parent, _)| parent.clone()),
                ..Table::default()
            };
            world.tables.insert(table.clone(), known);
            columns.iter().for_each(|column| of_domain(world, table, column));
            if let Some((parent, default)) = partition_of {
                let parent = world.table_mut(parent);
                parent.partitions.push(table.clone());
                if *default {
                    parent.default_partition = Some(table.clone());
                }
            }
        }
        Change::CreateTableConstraint { table, constraint: added } => {
            world.table_mut(table).constraints.push(constraint(added, true));
        }
        Change::CreateIndex(index) => {
            if let Some(name) = &index.name {
                let known =
                    Index { name: name.clone(), columns: index.columns.clone(), unique: index.unique };
                world.table_mut(&index.table).indexes.push(known);
                world.indexes.insert(index.table.sibling(name.clone()), index.table.clone());
            }
        }
        Change::CreateDomain { domain, constrained } => {
            world.domains.insert(domain.clone(), Domain { constrained: *constrained, used_by: Vec::new() });
        }
        Change::Rename { of: Renamed::Table, table, to, .. } => {
            if let Some(known) = world.tables.remove(table) {
                world.tables.insert(table.sibling(to.clone()), known);
            }
        }
        Change::Drop { of: Object::Table | Object::View | Object::MatView, names, .. } => {
            names.iter().for_each(|name| drop(world.tables.remove(name)));
        }
        Change::Drop { of: Object::Index, names, .. } => {
            names.iter().for_each(|name| drop(world.indexes.remove(name)));
        }
        Change::Alter { table, what, .. } => {
            if let Alter::AddColumn(column) = what {
                of_domain(world, table, column);
            }
            alter(world.table_mut(table), what);
        }
        _ => {}
    }
}

/// A table with a column of a domain is one of its users.
fn of_domain(world: &mut World, table: &QName, column: &NewColumn) {
    let Ok(name) = Ident::exact(column.kind.name.clone()) else { return };
    if let Some(domain) = world.domains.get_mut(&QName { schema: column.kind.schema.clone(), name }) {
        domain.used_by.push(table.clone());
    }
}

fn alter(table: &mut Table, what: &Alter) {
    match what {
        Alter::AddColumn(added) => table.columns.push(column(added)),
        Alter::DropColumn(name) => table.columns.retain(|column| column.name != *name),
        Alter::SetNotNull(name) => not_null(table, name, true),
        Alter::DropNotNull(name) => not_null(table, name, false),
        Alter::Type { column, to, .. } => {
            if let Some(known) = table.columns.iter_mut().find(|known| known.name == *column) {
                known.kind = to.printed();
            }
        }
        Alter::AddConstraint(added) => table.constraints.push(constraint(added, !added.not_valid)),
        Alter::Validate(name) => {
            for known in table.constraints.iter_mut().filter(|known| known.name.as_ref() == Some(name)) {
                known.valid = true;
            }
        }
        Alter::DropConstraint(name) => table.constraints.retain(|known| known.name.as_ref() != Some(name)),
        Alter::Attach { partition, default } => {
            table.partitions.push(partition.clone());
            if *default {
                table.default_partition = Some(partition.clone());
            }
        }
        Alter::Detach { partition, .. } | Alter::Finalize(partition) => {
            table.partitions.retain(|known| known != partition);
            table.default_partition = table.default_partition.take().filter(|known| known != partition);
        }
        _ => {}
    }
}

fn not_null(table: &mut Table, name: &Ident, holds: bool) {
    match table.columns.iter_mut().find(|known| known.name == *name) {
        Some(known) => known.not_null = holds,
        None => table.columns.push(Column { name: name.clone(), kind: String::new(), not_null: holds }),
    }
}

fn column(added: &NewColumn) -> Column {
    Column { name: added.name.clone(), kind: added.kind.printed(), not_null: added.not_null }
}

fn constraint(added: &NewConstraint, valid: bool) -> Constraint {
    let (kind, proves, references) = match &added.demand {
        Demand::NotNull => ('n', added.columns.clone(), None),
        Demand::Check { proves, .. } => ('c', proves.clone(), None),
        Demand::Unique | Demand::UsingIndex { primary: false, .. } => ('u', Vec::new(), None),
        Demand::Primary | Demand::UsingIndex { primary: true, .. } => ('p', added.columns.clone(), None),
        Demand::Exclude => ('x', Vec::new(), None),
        Demand::Foreign { to, .. } => ('f', Vec::new(), Some(to.clone())),
    };
    Constraint { name: added.name.clone(), kind, valid, columns: added.columns.clone(), proves, references }
}
