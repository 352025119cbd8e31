//! Lists the names in changes that the catalog must be asked about.

use std::collections::BTreeSet;

use crate::core::ident::QName;
use crate::core::sql::{Alter, Change, Demand, NewColumn, Object, Renamed, TypeRef};

/// Names that a statement mentions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mentions {
    /// Relations: tables, views, indexes.
    pub relations: BTreeSet<QName>,
    /// Tables that are dropped, or a column of which is, or that are renamed before that.
    pub dropping: BTreeSet<QName>,
    /// Types that are not built in, and domains.
    pub types: BTreeSet<QName>,
    /// Functions that defaults call.
    pub functions: BTreeSet<QName>,
}

impl Mentions {
    /// The names in some changes.
    #[must_use]
    pub fn of<'a>(changes: impl IntoIterator<Item = &'a Change>) -> Self {
        let mut found = Self::default();
        changes.into_iter().for_each(|change| found.add(change));
        found
    }

    fn add(&mut self, change: &Change) {
        match change {
            Change::Alter { table, what, .. } => {
                self.relation(table);
                // Another column takes the place of one that gets another type or name.
                if matches!(what, Alter::DropColumn(_) | Alter::Type { .. }) {
                    self.dropping.insert(table.clone());
                }
                self.alter(what);
            }
            Change::CreateTable { table, columns, partition_of, inherits, reads, .. } => {
                // One of its name may be there already.
                self.relation(table);
                columns.iter().for_each(|column| self.column(column));
                self.relations.extend(partition_of.iter().map(|(parent, _)| parent.clone()));
                self.relations.extend(inherits.iter().chain(reads).cloned());
            }
            Change::CreateTableConstraint { constraint, .. } => self.demand(&constraint.demand),
            Change::CreateIndex(index) => self.relation(&index.table),
            Change::Reindex { name, .. } | Change::Comment(name) | Change::Cluster(Some(name)) => {
                self.relation(name);
            }
            Change::Drop { of: Object::Table, names, .. } => {
                self.relations.extend(names.iter().cloned());
                self.dropping.extend(names.iter().cloned());
            }
            Change::Rename { of: Renamed::Table | Renamed::Column, table, .. } => {
                self.relation(table);
                self.dropping.insert(table.clone());
            }
            Change::Drop { names: tables, .. }
            | Change::Truncate(tables)
            | Change::LockTable { tables, .. }
            | Change::Vacuum { tables, .. }
            | Change::Analyze(tables) => self.relations.extend(tables.iter().cloned()),
            Change::OnTable { table, other, .. } => {
                self.relation(table);
                self.relations.extend(other.iter().cloned());
            }
            Change::Rename { table, .. } | Change::SetSchema { table, .. } => self.relation(table),
            Change::CreateView { view, reads, .. } => {
                self.relation(view);
                self.relations.extend(reads.iter().cloned());
            }
            Change::Refresh { view, .. } => self.relation(view),
            Change::Write { table, reads, .. } => {
                self.relation(table);
                self.relations.extend(reads.iter().cloned());
            }
            Change::Read { reads, .. } => self.relations.extend(reads.iter().cloned()),
            Change::Domain { domain, .. } => {
                self.types.insert(domain.clone());
            }
            Change::CreateDomain { base, default, .. } => {
                self.kind(base);
                self.functions.extend(default.iter().flat_map(|default| default.calls.clone()));
            }
            Change::Calls(functions) => self.functions.extend(functions.iter().cloned()),
            _ => {}
        }
    }

    fn relation(&mut self, name: &QName) {
        self.relations.insert(name.clone());
    }

    fn alter(&mut self, what: &Alter) {
        match what {
            Alter::AddColumn(column) => self.column(column),
            Alter::Type { to, .. } => self.kind(to),
            Alter::AddConstraint(constraint) => self.demand(&constraint.demand),
            Alter::Inherit(other)
            | Alter::Attach { partition: other, .. }
            | Alter::Detach { partition: other, .. }
            | Alter::Finalize(other) => self.relation(other),
            _ => {}
        }
    }

    fn demand(&mut self, demand: &Demand) {
        if let Demand::Foreign { to, .. } = demand {
            self.relation(to);
        }
    }

    fn column(&mut self, column: &NewColumn) {
        self.kind(&column.kind);
        if let Some(default) = &column.default {
            self.functions.extend(default.calls.iter().cloned());
        }
    }

    fn kind(&mut self, kind: &TypeRef) {
        self.types.extend(kind.made());
    }
}
