//! Reads off a typed change what it makes, alters, renames and drops.

use crate::core::ident::{Ident, QName};
use crate::core::sql::{
    Alter, Change, Demand, How, NewColumn, NewConstraint, Object, Renamed, Thing, WriteVerb,
};

/// What a change does to what; reads and writes of rows are the tree's to tell.
pub(super) fn touches(change: &Change) -> Vec<(Thing, How)> {
    let relation = |name: &QName, how| (Thing::Relation(name.clone()), how);
    match change {
        Change::Alter { table, what, .. } => altered(table, what),
        Change::CreateTable { table, columns, partition_of, inherits, temporary: false, perhaps, .. } => {
            let how = making(*perhaps);
            let mut found = vec![relation(table, how)];
            found.extend(columns.iter().map(|column| (column_of(table, &column.name), how)));
            found.extend(partition_of.iter().map(|(parent, _)| relation(parent, How::Alters)));
            found.extend(inherits.iter().map(|parent| relation(parent, How::Alters)));
            found
        }
        Change::CreateTableConstraint { table, constraint } => constrained(table, constraint, How::Makes),
        Change::CreateIndex(index) => {
            let name = index.name.as_ref().map(|name| index.table.sibling(name.clone()));
            let mut found: Vec<_> = name.iter().map(|name| relation(name, making(index.perhaps))).collect();
            let columns = index.columns.iter().flatten();
            found.extend(columns.map(|column| (column_of(&index.table, column), How::Reads)));
            found
        }
        // The tree tells of functions; the rest is nobody's to conflict over.
        Change::Drop {
            of: Object::Function | Object::Extension | Object::Statistics | Object::Other,
            ..
        } => Vec::new(),
        Change::Drop { of, names, .. } => names.iter().map(|name| (object(*of, name), How::Drops)).collect(),
        Change::OnTable { table, .. } => vec![relation(table, How::Alters)],
        Change::Rename { of, table, from, to } => renamed(*of, table, from, to),
        Change::SetSchema { table, .. } => vec![relation(table, How::Renames)],
        Change::CreateView { view, replace, .. } => vec![relation(view, making(*replace))],
        Change::Truncate(tables) => tables.iter().map(|table| relation(table, How::Writes)).collect(),
        Change::Refresh { view, .. } => vec![relation(view, How::Writes)],
        Change::Write { table, verb: WriteVerb::Delete, .. } => vec![relation(table, How::Writes)],
        Change::Domain { domain, .. } => vec![(Thing::Type(domain.clone()), How::Alters)],
        Change::CreateDomain { domain, .. } => vec![(Thing::Type(domain.clone()), How::Makes)],
        Change::AddEnumValue { kind, .. } => vec![(Thing::Type(kind.clone()), How::Alters)],
        _ => Vec::new(),
    }
}

/// The relation that a statement makes for its session alone.
pub(super) const fn temporary(change: &Change) -> Option<&QName> {
    match change {
        Change::CreateTable { table, temporary: true, .. } => Some(table),
        _ => None,
    }
}

const fn making(perhaps: bool) -> How {
    if perhaps { How::Ensures } else { How::Makes }
}

fn column_of(table: &QName, column: &Ident) -> Thing {
    Thing::Column(table.clone(), column.clone())
}

fn altered(table: &QName, what: &Alter) -> Vec<(Thing, How)> {
    let column = |name: &Ident, how| vec![(column_of(table, name), how)];
    let constraint = |name: &Ident, how| vec![(Thing::Constraint(table.clone(), name.clone()), how)];
    let mut found = match what {
        Alter::AddColumn(added) => added_column(table, added),
        Alter::DropColumn(name) => column(name, How::Drops),
        Alter::Type { column: name, .. }
        | Alter::SetNotNull(name)
        | Alter::DropNotNull(name)
        | Alter::Default { column: name, .. }
        | Alter::Identity(name)
        | Alter::SetExpression(name)
        | Alter::DropExpression(name)
        | Alter::Storage(name) => column(name, How::Alters),
        Alter::ColumnOptions(name) => column(name, How::Reads),
        Alter::AddConstraint(added) => constrained(table, added, How::Alters),
        Alter::Validate(name) => constraint(name, How::Reads),
        Alter::DropConstraint(name) => constraint(name, How::Drops),
        Alter::AlterConstraint(name) => constraint(name, How::Alters),
        Alter::Inherit(other)
        | Alter::Attach { partition: other, .. }
        | Alter::Detach { partition: other, .. }
        | Alter::Finalize(other) => vec![(Thing::Relation(other.clone()), How::Alters)],
        _ => Vec::new(),
    };
    found.push((Thing::Relation(table.clone()), How::Alters));
    found
}

fn added_column(table: &QName, added: &NewColumn) -> Vec<(Thing, How)> {
    let calls = added.default.iter().flat_map(|default| &default.calls);
    let mut found: Vec<_> = calls.map(|call| (Thing::Function(call.clone(), None), How::Reads)).collect();
    found.push((column_of(table, &added.name), making(added.perhaps)));
    found
}

/// A constraint binds the values of its columns; those that it refers to it only reads.
fn constrained(table: &QName, added: &NewConstraint, how: How) -> Vec<(Thing, How)> {
    let mut found: Vec<_> = added.columns.iter().map(|column| (column_of(table, column), how)).collect();
    found.extend(added.name.iter().map(|name| (Thing::Constraint(table.clone(), name.clone()), How::Makes)));
    match &added.demand {
        Demand::Foreign { to, columns } => {
            found.push((Thing::Relation(to.clone()), How::Reads));
            found.extend(columns.iter().map(|column| (column_of(to, column), How::Reads)));
        }
        // The index takes the constraint's name.
        Demand::UsingIndex { index, .. } => {
            let takes =
                if added.name.as_ref().is_none_or(|name| name == index) { How::Alters } else { How::Renames };
            found.push((Thing::Relation(table.sibling(index.clone())), takes));
        }
        _ => {}
    }
    found
}

fn object(of: Object, name: &QName) -> Thing {
    match of {
        Object::Type => Thing::Type(name.clone()),
        Object::Schema => Thing::Schema(name.name.clone()),
        _ => Thing::Relation(name.clone()),
    }
}

fn renamed(of: Renamed, table: &QName, from: &Ident, to: &Ident) -> Vec<(Thing, How)> {
    let pair = |thing: fn(QName, Ident) -> Thing| {
        vec![
            (thing(table.clone(), from.clone()), How::Renames),
            (thing(table.clone(), to.clone()), How::Makes),
            (Thing::Relation(table.clone()), How::Alters),
        ]
    };
    match of {
        Renamed::Column => pair(Thing::Column),
        Renamed::Constraint => pair(Thing::Constraint),
        Renamed::Table | Renamed::Index | Renamed::View => vec![
            (Thing::Relation(table.clone()), How::Renames),
            (Thing::Relation(table.sibling(to.clone())), How::Makes),
        ],
        Renamed::Part => vec![(Thing::Relation(table.clone()), How::Alters)],
    }
}
