//! Reads off a typed change what comes along under a name that the server chooses: the
//! sequences of columns, the indexes of constraints.

use crate::core::ident::{Ident, QName};
use crate::core::sql::{Alter, Change, Demand, NewColumn, NewConstraint, Thing};

/// What comes along with a change, as far as its name can be told.
pub(super) fn implied(change: &Change) -> Vec<Thing> {
    match change {
        Change::CreateTable { table, columns, temporary: false, .. } => {
            columns.iter().filter_map(|column| of_column(table, column)).collect()
        }
        Change::CreateTableConstraint { table, constraint } => of_constraint(table, constraint),
        Change::Alter { table, what, .. } => match what {
            Alter::AddColumn(column) => of_column(table, column).into_iter().collect(),
            Alter::Identity(column) => vec![sequence(table, column)],
            Alter::AddConstraint(added) => of_constraint(table, added),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn of_column(table: &QName, column: &NewColumn) -> Option<Thing> {
    let numbered = column.identity || column.kind.is_serial();
    numbered.then(|| sequence(table, &column.name))
}

fn of_constraint(table: &QName, added: &NewConstraint) -> Vec<Thing> {
    let rest = match added.demand {
        Demand::Primary => "pkey".to_owned(),
        Demand::Unique | Demand::Exclude => {
            let columns = added.columns.iter().map(Ident::as_str);
            columns.chain(["key"]).collect::<Vec<_>>().join("_")
        }
        _ => return Vec::new(),
    };
    let name = added.name.clone().unwrap_or_else(|| chosen(table, &rest));
    vec![Thing::Relation(table.sibling(name))]
}

fn sequence(table: &QName, column: &Ident) -> Thing {
    Thing::Relation(table.sibling(chosen(table, &format!("{}_seq", column.as_str()))))
}

/// The name that the server chooses where it is free and not too long.
fn chosen(table: &QName, rest: &str) -> Ident {
    Ident::shortened(table.name.as_str(), &format!("_{rest}"))
}
