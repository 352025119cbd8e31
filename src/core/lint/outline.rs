//! Carries what is known of a database over a change: what earlier steps of a
//! plan have made is there for the later ones.

use super::world::{Column, Constraint, Domain, Filled, Index, Referrer, Table, TableKind, World};
use super::{hanging, renamed};
use crate::core::ident::{Ident, QName};
use crate::core::sql::{Alter, Bound, Change, Demand, NewColumn, NewConstraint, Object, Renamed, Verb};

/// What is known after a change.
pub fn apply(world: &mut World, change: &Change) {
    match change {
        // It may be there already; then it is not the plan's.
        Change::CreateTable { table, perhaps, temporary, .. }
            if *temporary || (*perhaps && !world.complete) || world.tables.contains_key(table) => {}
        Change::CreateTable { table, columns, partition_of, bound, inherits, key, .. } => {
            let above = partition_of.iter().map(|(parent, _)| parent).chain(inherits);
            let inherited: Vec<Column> = above
                .filter_map(|parent| world.table(parent))
                .flat_map(|parent| {
                    parent.columns.iter().map(|column| Column { made: true, ..column.clone() })
                })
                .collect();
            let known = Table {
                made: true,
                kind: if key.is_some() { TableKind::Partitioned } else { TableKind::Ordinary },
                rows: Some(0),
                bytes: Some(0),
                columns: inherited.into_iter().chain(columns.iter().map(column)).collect(),
                parent: partition_of.as_ref().map(|(parent, _)| parent.clone()),
                key: key.clone(),
                ..Table::default()
            };
            world.tables.insert(table.clone(), known);
            columns.iter().for_each(|column| of_domain(world, table, column));
            if let Some((parent, default)) = partition_of {
                let parent = world.table_mut(parent);
                parent.partitions.push(table.clone());
                if *default || bound == &Some(Bound::Default) {
                    parent.default_partition = Some(table.clone());
                }
            }
        }
        Change::CreateTableConstraint { table, constraint: added } => {
            constrain(world, table, added, true);
        }
        Change::CreateIndex(index) => {
            let known = Index::of(index, index.called.clone());
            world.table_mut(&index.table).indexes.push(known);
            world.indexes.insert(index.table.sibling(index.called.clone()), index.table.clone());
        }
        Change::CreateDomain { domain, base, constrained, default } => {
            let below = base.made().and_then(|name| world.domain(&name).cloned()).unwrap_or_default();
            let known = Domain {
                constrained: *constrained || below.constrained,
                default: default.clone().or(below.default),
                used_by: Vec::new(),
            };
            world.domains.insert(domain.clone(), known);
            world.made.insert((Object::Type, domain.clone()));
        }
        Change::Create { of, name } => {
            world.made.insert((*of, name.clone()));
        }
        Change::CreateView { view, replace, .. } => {
            if !replace {
                world.made.insert((Object::View, view.clone()));
            }
            hanging::without(world, view);
        }
        Change::Rename { of: Renamed::Table, table, to, .. } => {
            let to = table.sibling(to.clone());
            if let Some(known) = world.tables.remove(table) {
                world.tables.insert(to.clone(), known);
                hanging::moved(world, table, &to);
            }
            for of in world.indexes.values_mut().filter(|of| *of == table) {
                of.clone_from(&to);
            }
        }
        Change::Drop { of: Object::Table | Object::View | Object::MatView, names, .. } => {
            names.iter().for_each(|name| drop(world.tables.remove(name)));
            names.iter().for_each(|name| hanging::without(world, name));
        }
        Change::OnTable { verb: Verb::Drop | Verb::Alter, table, .. } => hanging::without_parts(world, table),
        Change::Rename { of: Renamed::Column, table, from, to } => renamed::column(world, table, from, to),
        Change::Rename { of: Renamed::Constraint, table, from, to } => {
            renamed::constraint(world, table, from, to);
        }
        Change::Rename { of: Renamed::Index, table: index, to, .. } => renamed::index(world, index, to),
        Change::Drop { of: Object::Index, names, .. } => {
            for name in names {
                if let Some(table) = world.indexes.remove(name) {
                    world.table_mut(&table).indexes.retain(|index| index.name != name.name);
                }
            }
        }
        Change::Alter { table, what, .. } => {
            match what {
                Alter::AddColumn(column) => of_domain(world, table, column),
                Alter::AddConstraint(added) => constrain(world, table, added, !added.not_valid),
                _ => {}
            }
            hanging::altered(world, table, what);
            alter(world.table_mut(table), what);
        }
        _ => {}
    }
}

/// What is known where a change has been made already: the catalog has it, and what it made is
/// the plan's own.
pub(super) fn stands(world: &mut World, change: &Change) {
    match change {
        Change::Create { .. } | Change::CreateDomain { .. } | Change::CreateView { .. } => {
            apply(world, change);
        }
        Change::Alter { table, what: Alter::AddColumn(added), .. } => {
            let known = world.tables.get_mut(table).map(|known| &mut known.columns);
            let column =
                known.and_then(|columns| columns.iter_mut().find(|column| column.name == added.name));
            if let Some(column) = column {
                column.made = true;
            }
        }
        _ => {}
    }
}

/// A table with a column of a domain is one of its users.
fn of_domain(world: &mut World, table: &QName, column: &NewColumn) {
    if let Some(domain) = column.kind.made().and_then(|name| world.domains.get_mut(&name)) {
        domain.used_by.push(table.clone());
    }
}

/// A constraint that a table gets, with the index behind it and the tie to another table.
fn constrain(world: &mut World, table: &QName, added: &NewConstraint, valid: bool) {
    let mut known = constraint(added, valid);
    if let Demand::Foreign { to, columns } = &added.demand {
        known.name = known.name.or_else(|| foreign_key_name(world, table, &added.columns));
        let referrer = Referrer { name: known.name.clone(), table: table.clone(), columns: columns.clone() };
        world.table_mut(to).referenced_by.push(referrer);
    }
    let entry = world.table_mut(table);
    if let (Some(index), Some(name)) = (&added.index, &added.name) {
        entry.indexes.push(Index {
            name: name.clone(),
            columns: added.columns.iter().cloned().map(Some).collect(),
            unique: true,
            constraint: true,
            uses: added.columns.clone(),
            computed: false,
            shape: index.shape.clone(),
        });
    }
    entry.constraints.push(known);
    if let Demand::UsingIndex { index, .. } = &added.demand {
        for known in entry.indexes.iter_mut().filter(|known| known.name == *index) {
            known.constraint = true;
        }
        if let Some(name) = &added.name {
            renamed::of_index(world, table, index, name);
        }
    }
}

/// The name that the server gives a foreign key without one: numbered where another has it.
fn foreign_key_name(world: &World, table: &QName, columns: &[Ident]) -> Option<Ident> {
    let columns: Vec<&str> = columns.iter().map(Ident::as_str).collect();
    let taken = |name: &Ident| {
        let known = world.table(table).map(|known| &known.constraints[..]).unwrap_or_default();
        known.iter().any(|constraint| constraint.name.as_ref() == Some(name))
    };
    let numbered = |n: usize| {
        let number = if n == 0 { String::new() } else { n.to_string() };
        Ident::derived(table.name.as_str(), &columns.join("_"), &format!("fkey{number}"))
    };
    (0..).map(numbered).find(|name| !taken(name))
}

fn alter(table: &mut Table, what: &Alter) {
    match what {
        Alter::AddColumn(added) => table.columns.push(column(added)),
        Alter::DropColumn(name) => table.columns.retain(|column| column.name != *name),
        Alter::SetNotNull(name) => not_null(table, name, true),
        Alter::DropNotNull(name) => not_null(table, name, false),
        Alter::Type { column, to, collation, .. } => {
            if let Some(known) = table.columns.iter_mut().find(|known| known.name == *column) {
                known.kind = to.printed();
                known.collation.clone_from(collation);
            }
        }
        Alter::Default { column, .. } => {
            // What it is set to is not kept.
            table
                .columns
                .iter_mut()
                .filter(|known| known.name == *column)
                .for_each(|known| known.default = None);
        }
        Alter::Validate(name) => {
            for known in table.constraints.iter_mut().filter(|known| known.name.as_ref() == Some(name)) {
                known.valid = true;
            }
        }
        Alter::DropConstraint(name) => {
            table.constraints.retain(|known| known.name.as_ref() != Some(name));
            table.indexes.retain(|known| !(known.constraint && known.name == *name));
        }
        Alter::Attach { partition, bound } => {
            table.partitions.push(partition.clone());
            if *bound == Some(Bound::Default) {
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
        None => table.columns.push(Column {
            name: name.clone(),
            kind: String::new(),
            not_null: holds,
            collation: None,
            default: None,
            filled: None,
            made: false,
        }),
    }
}

fn column(added: &NewColumn) -> Column {
    Column {
        name: added.name.clone(),
        kind: added.kind.printed(),
        not_null: added.not_null,
        collation: added.collation.clone(),
        default: added.default.as_ref().map(|default| default.text.clone()),
        filled: if added.generated.is_some() {
            Some(Filled::Generated)
        } else if added.identity {
            Some(if added.always { Filled::Always } else { Filled::Identity })
        } else {
            added.kind.is_serial().then_some(Filled::Serial)
        },
        made: true,
    }
}

/// What is known of a constraint by its definition.
#[must_use]
pub fn constraint(added: &NewConstraint, valid: bool) -> Constraint {
    let text = match &added.demand {
        Demand::Check { .. } if added.no_inherit => String::new(),
        Demand::Check { text, .. } => text.clone(),
        _ => added.definition.clone(),
    };
    let (kind, proves, references) = match &added.demand {
        Demand::NotNull => ('n', added.columns.clone(), None),
        Demand::Check { proves, .. } => ('c', proves.clone(), None),
        Demand::Unique | Demand::UsingIndex { primary: false, .. } => ('u', Vec::new(), None),
        Demand::Primary | Demand::UsingIndex { primary: true, .. } => ('p', added.columns.clone(), None),
        Demand::Exclude => ('x', Vec::new(), None),
        Demand::Foreign { to, .. } => ('f', Vec::new(), Some(to.clone())),
    };
    let name = added.name.clone();
    Constraint { name, kind, valid, columns: added.columns.clone(), proves, references, text }
}
