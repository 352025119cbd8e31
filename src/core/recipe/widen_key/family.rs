//! Owns the family of a key: the columns of all tables that hold it, because a foreign key refers
//! to it, or to one that does.

use std::collections::VecDeque;

use crate::core::ident::{Ident, QName};
use crate::core::recipe::known::{Column, Constraint, Index, Known, Table};

/// A table with columns that hold the key.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The table.
    pub(super) table: QName,
    /// What is known of it.
    pub(super) known: Table,
    /// Its columns that are to be widened.
    pub(super) columns: Vec<Column>,
}

/// A foreign key from one member to another.
#[derive(Debug, Clone)]
pub(super) struct Link {
    /// The member that has it.
    pub(super) child: usize,
    /// The one that it refers to.
    pub(super) parent: usize,
    /// The foreign key.
    pub(super) constraint: Constraint,
}

/// All of them; the first is the table of the key itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Family {
    /// The tables.
    pub(super) members: Vec<Member>,
    /// The foreign keys between their columns.
    pub(super) links: Vec<Link>,
    /// Tables that belong to it and of which nothing is known.
    pub(super) unknown: Vec<QName>,
}

impl Member {
    /// Its columns, each with the one that takes its place.
    pub(super) fn pairs(&self, shadow: &dyn Fn(&Ident) -> Ident) -> Vec<(Ident, Ident)> {
        self.names().map(|name| (name.clone(), shadow(&name))).collect()
    }

    /// The names of its columns that are to be widened.
    pub(super) fn names(&self) -> impl Iterator<Item = Ident> {
        self.columns.iter().filter_map(|column| Ident::exact(column.name.clone()).ok())
    }

    /// Whether some of these are among its columns that are to be widened.
    pub(super) fn is_of(&self, columns: &[String]) -> bool {
        self.columns.iter().any(|column| columns.contains(&column.name))
    }
}

impl Family {
    /// The family of a table's column, by what is known.
    pub(super) fn of(known: &Known, table: &QName, column: &Column) -> Self {
        let mut family = Self::default();
        let root = known.table(table).cloned();
        let column = if root.is_none() { &assumed(column) } else { column };
        let root = root.unwrap_or_else(|| alone(table, column));
        let kind = column.kind.clone();
        family.members.push(Member { table: table.clone(), known: root, columns: vec![column.clone()] });
        let mut left = VecDeque::from([(0, column.name.clone())]);
        while let Some((parent, name)) = left.pop_front() {
            for (table, foreign_key) in family.referring(parent, &name) {
                let Some(child) = family.member(known, &table) else { continue };
                let constraint = |known: &Table| {
                    known.constraints.iter().find(|constraint| constraint.name == foreign_key).cloned()
                };
                let Some(constraint) = family.members.get(child).and_then(|member| constraint(&member.known))
                else {
                    continue;
                };
                let pairs = constraint.key.iter().zip(&constraint.refers);
                let own: Vec<String> =
                    pairs.filter(|(_, refers)| **refers == name).map(|(own, _)| own.clone()).collect();
                for own in own {
                    if family.takes(child, &own, &kind) {
                        left.push_back((child, own));
                    }
                }
                family.link(Link { child, parent, constraint });
            }
        }
        family
    }

    /// The foreign keys that refer to a member's column, each with its table.
    fn referring(&self, parent: usize, column: &String) -> Vec<(String, String)> {
        let keys = self.members.get(parent).map(|member| member.known.referenced_by.iter());
        let of_it = keys.into_iter().flatten().filter(|key| key.columns.contains(column));
        of_it.map(|key| (key.table.clone(), key.name.clone())).collect()
    }

    /// The member of a name, as the server writes it; a new one where it is known.
    fn member(&mut self, known: &Known, table: &String) -> Option<usize> {
        let there = |member: &Member| member.known.own.contains(table);
        if let Some(found) = self.members.iter().position(there) {
            return Some(found);
        }
        let name = QName::parse(table).ok()?;
        let Some(found) = known.table(&name) else {
            if !self.unknown.contains(&name) {
                self.unknown.push(name);
            }
            return None;
        };
        self.members.push(Member { table: name, known: found.clone(), columns: Vec::new() });
        Some(self.members.len() - 1)
    }

    /// Takes a column of a member in, unless it is there or has another type; whether it was taken in.
    fn takes(&mut self, member: usize, column: &str, kind: &str) -> bool {
        let Some(member) = self.members.get_mut(member) else { return false };
        let narrow = |known: &&Column| known.name == column && known.kind == kind;
        let Some(found) = member.known.columns.iter().find(narrow).cloned() else { return false };
        if member.columns.iter().any(|known| known.name == column) {
            return false;
        }
        member.columns.push(found);
        true
    }

    /// Takes a foreign key in, once.
    fn link(&mut self, link: Link) {
        let same = |known: &Link| known.child == link.child && known.constraint.name == link.constraint.name;
        if !self.links.iter().any(same) {
            self.links.push(link);
        }
    }
}

/// The key where nothing is known of it.
fn assumed(column: &Column) -> Column {
    Column { kind: "integer".into(), not_null: true, ..column.clone() }
}

/// The table of a key where nothing is known of it.
fn alone(table: &QName, column: &Column) -> Table {
    let (keys, name) = (vec![column.name.clone()], Ident::derived(table.name.as_str(), "", "pkey"));
    let over = Ident::exact(column.name.clone()).map(|column| column.to_string()).unwrap_or_default();
    let index = Index {
        name: name.as_str().into(),
        definition: format!("CREATE UNIQUE INDEX {name} ON {table} USING btree ({over})"),
        columns: keys.clone(),
        constraint: Some("p".into()),
        valid: true,
        unique: true,
        immediate: true,
        keys,
        ..Index::default()
    };
    Table { kind: "r".into(), indexes: vec![index], ..Table::default() }
}
