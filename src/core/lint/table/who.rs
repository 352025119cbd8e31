//! Owns which tables a row's locks fall on: a change against what is known of
//! the database.

use crate::core::ident::{Ident, QName};
use crate::core::lint::world::{Table, TableKind, World, begins};
use crate::core::sql::{Alter, Change, Demand, NewConstraint};

/// A change and what is known of the database that it meets.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// The change.
    pub change: &'a Change,
    /// The database.
    pub world: &'a World,
}

/// Whom a lock falls on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The relations that the statement names, and their partitions where it
    /// reaches down to them.
    This,
    /// The named relation alone.
    Only,
    /// The partitions of the named relation.
    Below,
    /// The partitions, on PostgreSQL 18 and up.
    BelowFrom18,
    /// The table that a foreign key refers to.
    Referenced,
    /// Every table that a foreign key ties to this one.
    Tied,
    /// The table of an index.
    IndexTable,
    /// The table of an index, and its partitions.
    IndexTree,
    /// The parent that a table becomes a partition or child of, or is one of.
    Parent,
    /// The table that becomes, or was, a partition.
    Partition,
    /// The default partition of the parent.
    DefaultPartition,
    /// Tables that foreign keys of the partitioned table refer to, where the new partition
    /// has the same key.
    Adopted,
    /// Those where it has not.
    Cloned,
    /// Tables that a foreign key over the changed or dropped column ties to this one.
    Bound,
    /// A view that is there already.
    Standing,
    /// Tables with a column of a domain.
    Users,
    /// Relations that are read.
    Reads,
    /// The other table that the statement names.
    Other,
}

impl<'a> Case<'a> {
    /// The subcommand of ALTER TABLE, where the change is one.
    #[must_use]
    pub const fn alter(&self) -> Option<&'a Alter> {
        match self.change {
            Change::Alter { what, .. } => Some(what),
            _ => None,
        }
    }

    /// The constraint that is added, where one is.
    #[must_use]
    pub const fn added(&self) -> Option<&'a NewConstraint> {
        match self.change {
            Change::Alter { what: Alter::AddConstraint(constraint), .. } => Some(constraint),
            _ => None,
        }
    }

    /// The relation that the statement names first.
    #[must_use]
    pub fn subject(&self) -> Option<&'a QName> {
        self.named().first().copied()
    }

    /// What is known of it.
    #[must_use]
    pub fn table(&self) -> Option<&'a Table> {
        self.subject().and_then(|name| self.world.table(name))
    }

    /// Whether the plan itself has added a column of the subject.
    #[must_use]
    pub fn made_column(&self, name: &Ident) -> bool {
        self.table().is_some_and(|table| table.made || table.column(name).is_some_and(|column| column.made))
    }

    /// Whether an index of the subject, or of each of its partitions, is known to begin with these columns.
    #[must_use]
    pub fn supported(&self, columns: &[Ident]) -> bool {
        let has = |table: &Table| table.indexes.iter().any(|index| begins(&index.columns, columns));
        self.table().is_some_and(|table| {
            let parts = || table.partitions.iter().filter_map(|name| self.world.table(name)).all(has);
            !columns.is_empty() && (has(table) || table.kind == TableKind::Partitioned && parts())
        })
    }

    /// Whether the subject is known to be partitioned.
    #[must_use]
    pub fn partitioned(&self) -> bool {
        self.table().is_some_and(|table| table.kind == TableKind::Partitioned)
    }

    /// Whether nobody could ask the catalog what the subject is, and the plan has not made it.
    #[must_use]
    pub fn unknown(&self) -> bool {
        !self.world.complete && !self.table().is_some_and(|table| table.made)
    }

    /// A constraint that the statement names, where it is known.
    #[must_use]
    pub fn constraint(&self, name: &Ident) -> Option<&'a crate::core::lint::world::Constraint> {
        self.table().and_then(|table| table.constraint(name))
    }

    /// Every relation that the statement names as its object.
    #[must_use]
    pub fn named(&self) -> Vec<&'a QName> {
        match self.change {
            Change::Alter { table, .. }
            | Change::CreateTable { table, .. }
            | Change::CreateTableConstraint { table, .. }
            | Change::OnTable { table, .. }
            | Change::Rename { table, .. }
            | Change::SetSchema { table, .. }
            | Change::Comment(table)
            | Change::Cluster(Some(table))
            | Change::Write { table, .. } => vec![table],
            Change::CreateIndex(index) => vec![&index.table],
            Change::Reindex { name, .. } => vec![name],
            Change::CreateView { view, .. } | Change::Refresh { view, .. } => vec![view],
            Change::Drop { names: tables, .. }
            | Change::Truncate(tables)
            | Change::LockTable { tables, .. }
            | Change::Vacuum { tables, .. }
            | Change::Analyze(tables) => tables.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The relations that a lock falls on, as far as they are known.
    #[must_use]
    pub fn whom(&self, who: Who) -> Vec<QName> {
        let of_table = |pick: fn(&Table) -> Vec<QName>| self.table().map(pick).unwrap_or_default();
        match who {
            Who::Only => self.named().into_iter().cloned().collect(),
            Who::This => self.named().into_iter().flat_map(|name| self.tree(name)).collect(),
            Who::Below => self.below(),
            Who::BelowFrom18 if self.world.major() >= 18 => self.below(),
            Who::BelowFrom18 => Vec::new(),
            Who::Referenced => self.referenced(),
            Who::Tied => {
                let mut tied = Vec::new();
                for table in self.named().into_iter().filter_map(|name| self.world.table(name)) {
                    tied.extend(
                        table.constraints.iter().filter_map(|constraint| constraint.references.clone()),
                    );
                    tied.extend(table.referenced_by.iter().map(|referrer| referrer.table.clone()));
                }
                tied
            }
            Who::IndexTable => {
                self.named().iter().filter_map(|name| self.world.indexes.get(name).cloned()).collect()
            }
            Who::IndexTree => {
                let tables = self.named().into_iter().filter_map(|name| self.world.indexes.get(name));
                tables.flat_map(|table| self.tree(table)).collect()
            }
            Who::Parent => match self.change {
                Change::CreateTable { partition_of: Some((parent, _)), .. } => vec![parent.clone()],
                Change::CreateTable { inherits, .. } => inherits.clone(),
                Change::Alter { what: Alter::Inherit(parent), .. } => vec![parent.clone()],
                _ => of_table(|table| table.parent.iter().cloned().collect()),
            },
            Who::Partition => match self.alter() {
                Some(
                    Alter::Attach { partition, .. }
                    | Alter::Detach { partition, .. }
                    | Alter::Finalize(partition),
                ) => vec![partition.clone()],
                _ => Vec::new(),
            },
            Who::DefaultPartition => match self.change {
                Change::CreateTable { partition_of: Some((parent, _)), .. } => self
                    .world
                    .table(parent)
                    .and_then(|parent| parent.default_partition.clone())
                    .into_iter()
                    .collect(),
                _ => of_table(|table| table.default_partition.iter().cloned().collect()),
            },
            Who::Adopted => self.foreign_keys(true),
            Who::Cloned => self.foreign_keys(false),
            Who::Bound => self.bound(),
            Who::Standing => match self.change {
                // Offline nobody knows whether it is there.
                Change::CreateView { view, replace: true, .. }
                    if !self.world.complete || self.world.table(view).is_some() =>
                {
                    vec![view.clone()]
                }
                _ => Vec::new(),
            },
            Who::Users => match self.change {
                Change::Domain { domain, .. } => {
                    self.world.domain(domain).map(|domain| domain.used_by.clone()).unwrap_or_default()
                }
                _ => Vec::new(),
            },
            Who::Reads => match self.change {
                Change::CreateTable { reads, .. }
                | Change::CreateView { reads, .. }
                | Change::Write { reads, .. }
                | Change::Read { reads, .. } => reads.clone(),
                _ => Vec::new(),
            },
            Who::Other => match self.change {
                Change::OnTable { other, .. } => other.iter().cloned().collect(),
                _ => Vec::new(),
            },
        }
    }

    /// The partitions of the subject.
    fn below(&self) -> Vec<QName> {
        self.table().map(|table| table.partitions.clone()).unwrap_or_default()
    }

    /// A table and its partitions.
    fn tree(&self, name: &QName) -> impl Iterator<Item = QName> + use<> {
        let below = self.world.table(name).map(|table| table.partitions.clone());
        std::iter::once(name.clone()).chain(below.unwrap_or_default())
    }

    /// What the foreign keys of a partitioned table refer to, by whether its new partition
    /// has the same key.
    fn foreign_keys(&self, had: bool) -> Vec<QName> {
        let (parent, partition) = match self.change {
            Change::CreateTable { partition_of: Some((parent, _)), .. } => (self.world.table(parent), None),
            Change::Alter { table, what: Alter::Attach { partition, .. }, .. } => {
                (self.world.table(table), self.world.table(partition))
            }
            _ => (None, None),
        };
        let keys = parent.into_iter().flat_map(|parent| &parent.constraints);
        keys.filter(|key| partition.is_some_and(|table| table.obeys(key)) == had)
            .filter_map(|key| key.references.clone())
            .collect()
    }

    /// The tables that foreign keys over the column of ALTER TYPE or DROP COLUMN tie to this one.
    fn bound(&self) -> Vec<QName> {
        let (Some(Alter::Type { column, .. } | Alter::DropColumn(column)), Some(table)) =
            (self.alter(), self.table())
        else {
            return Vec::new();
        };
        let keys = table.constraints.iter().filter(|key| key.columns.contains(column));
        let referrers = table.referenced_by.iter().filter(|referrer| {
            // Without columns it is the primary key, whatever that is.
            referrer.columns.is_empty() || referrer.columns.contains(column)
        });
        keys.filter_map(|key| key.references.clone())
            .chain(referrers.map(|referrer| referrer.table.clone()))
            .collect()
    }

    /// The table that the foreign key of this change refers to.
    fn referenced(&self) -> Vec<QName> {
        let of = |demand: &Demand| match demand {
            Demand::Foreign { to, .. } => vec![to.clone()],
            _ => Vec::new(),
        };
        match self.change {
            Change::CreateTableConstraint { constraint, .. } => of(&constraint.demand),
            Change::Alter { what, .. } => match what {
                Alter::AddConstraint(constraint) => of(&constraint.demand),
                Alter::DropConstraint(name) | Alter::Validate(name) | Alter::AlterConstraint(name) => self
                    .constraint(name)
                    .and_then(|constraint| constraint.references.clone())
                    .into_iter()
                    .collect(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        }
    }
}
