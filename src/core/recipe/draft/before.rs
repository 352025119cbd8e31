//! Owns what speaks against a change because of the changes and the SQL before it.

use super::Draft;
use crate::core::ident::{Ident, QName};
use crate::core::plan::model::{BackfillWork, Placed};
use crate::core::recipe::Change;
use crate::core::recipe::create_table::CreateTable;
use crate::core::recipe::known::Table;

impl<'a> Draft<'a> {
    /// Whether a relation has a name already that one beside the table is to have.
    pub(in crate::core::recipe) fn is_taken(&self, table: &QName, name: &QName) -> bool {
        // The same name in another schema of the search path is another relation.
        let beside = |found: &Table| self.known.table(table).is_none_or(|known| known.schema == found.schema);
        self.taken.contains(name) || self.known.table(name).is_some_and(beside)
    }

    /// The change of the plan that makes a table.
    pub(in crate::core::recipe) fn creates(&self, table: &QName) -> Option<&'a CreateTable> {
        self.changes.iter().find_map(|change| match &change.value {
            Change::CreateTable(made) if made.table() == table => Some(made),
            _ => None,
        })
    }

    /// The changes of the plan that are about a table.
    pub(in crate::core::recipe) fn changes_of<'t>(
        &'t self,
        table: &'t QName,
    ) -> impl Iterator<Item = &'t Change> + 't {
        self.changes.iter().map(|change| &change.value).filter(move |change| change.tables().contains(&table))
    }

    /// Whether the plan itself copies rows into a table.
    pub(in crate::core::recipe) fn fills(&self, table: &QName) -> bool {
        let moves =
            |change: &Placed<Change>| matches!(&change.value, Change::MoveColumns(of) if of.to() == table);
        self.changes.iter().any(moves)
            || self
                .own
                .iter()
                .any(|entry| matches!(&entry.value.work, BackfillWork::Copy { into, .. } if into == table))
    }

    /// Puts down that nothing after this change may be about a table, and why.
    pub(in crate::core::recipe) fn closes(&mut self, table: &QName, why: &'static str) {
        self.closed.push((table.clone(), why));
    }

    /// Refuses a change that is about a table that was closed.
    pub(in crate::core::recipe) fn refuse_closed(&mut self, tables: &[&QName]) {
        for (table, why) in self.closed.clone() {
            if tables.contains(&&table) {
                self.refuse(format!("{} {why}", table.plain()));
            }
        }
    }

    /// Puts down what a change was about.
    pub(in crate::core::recipe) fn was_about(&mut self, tables: Vec<&QName>) {
        self.about.extend(tables.into_iter().cloned());
    }

    /// Whether a change before this one is about a table.
    pub(in crate::core::recipe) fn is_about(&self, table: &QName) -> bool {
        self.about.contains(table)
    }

    /// Puts down that explicit steps make a table.
    pub(in crate::core::recipe) fn makes_table(&mut self, name: Ident) {
        self.made.insert(name);
    }

    /// Puts down that explicit steps make or change something: what is known of it is not true any more.
    pub(in crate::core::recipe) fn changes_unseen(&mut self, name: &QName) {
        self.unseen.insert(name.clone());
    }

    /// Puts down that an explicit step cannot be seen through.
    pub(in crate::core::recipe) const fn may_change_all(&mut self) {
        self.opaque = true;
    }

    /// Refuses what explicit steps before this change make or change.
    pub(in crate::core::recipe) fn refuse_unseen(&mut self, names: &[&QName]) {
        for name in names {
            if self.unseen.iter().any(|unseen| unseen.may_be(name)) {
                self.refuse(format!(
                    "{} is made or changed by sql before this, and a change is written from what the catalog says: \
                     take another plan for it, or put that sql behind it",
                    name.plain()
                ));
            }
        }
        if self.opaque && !names.is_empty() {
            let names: Vec<String> = names.iter().map(|name| name.plain()).collect();
            self.caution(format!(
                "sql before this cannot be seen through: it must not change {}",
                names.join(", ")
            ));
        }
    }

    /// Puts down that a relation will have a name.
    pub(in crate::core::recipe) fn makes(&mut self, name: QName) {
        self.taken.push(name);
    }
}
