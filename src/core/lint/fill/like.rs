//! Writes the like of what stands over a column over the one that takes its place: indexes,
//! UNIQUE, CHECK and foreign keys; and names what is left to the author.

use std::collections::BTreeSet;

use super::names::{Names, named, written};
use super::yaml::scalar;
use crate::core::ident::{Ident, QName, plain};
use crate::core::lint::rules::holders;
use crate::core::lint::table::Case;
use crate::core::lint::world::{Constraint, Index, Table, TableKind, World};
use crate::core::sql::{Alter, Change, Demand, NewConstraint, renamed, split};

/// What stands over a column, as steps over another one.
#[derive(Default)]
pub(super) struct Like {
    /// Steps that build indexes.
    pub(super) indexes: String,
    /// Steps that make constraints, once the rows are carried over.
    pub(super) constraints: String,
    /// What has no like here.
    pub(super) left: Vec<String>,
    /// What makes the drop of the old column fail.
    pub(super) held: Vec<String>,
    /// What the table is without when the old column is gone.
    pub(super) lost: Option<String>,
}

impl Like {
    /// The like of what stands over `old`, over the column of `names` that takes its place.
    pub(super) fn of(case: &Case<'_>, old: &Ident, names: &Names) -> Self {
        let (Some(name), Some(table)) = (case.subject(), case.table()) else { return Self::default() };
        let mut found = Self { held: holders(case.world, name, table, old), ..Self::default() };
        let mut write =
            Write { world: case.world, name, table, old, new: &names.new, taken: BTreeSet::new() };
        let indexes = table.indexes.iter().filter(|index| index.uses.contains(old));
        for index in indexes.filter(|index| !index.constraint) {
            match write.index(index) {
                Some((step, _)) => found.indexes += &step,
                None => found.left.push(format!("index {}", plain(&index.name))),
            }
        }
        for known in table.constraints.iter().filter(|known| known.columns.contains(old)) {
            write.constraint(known, &mut found);
        }
        let along = table.hanging.iter().filter(|known| !known.holds && known.column.as_ref() == Some(old));
        found.left.extend(along.map(|known| known.said.clone()));
        found
    }
}

/// Whose like is written.
struct Write<'a> {
    world: &'a World,
    name: &'a QName,
    table: &'a Table,
    old: &'a Ident,
    new: &'a Ident,
    /// The names that this very plan gives.
    taken: BTreeSet<Ident>,
}

impl Write<'_> {
    /// The step that builds the like of an index, and its name.
    fn index(&mut self, old: &Index) -> Option<(String, Ident)> {
        if old.shape.is_empty() {
            return None;
        }
        let name = self.called(&old.name);
        let unique = if old.unique { "UNIQUE " } else { "" };
        let shape = renamed(&old.shape, self.old, self.new)?;
        let sql =
            format!("CREATE {unique}INDEX CONCURRENTLY {} ON {} {shape}", named(&name), written(self.name));
        let Some(Change::CreateIndex(read)) = only(&sql) else { return None };
        if !self.same(&old.uses, &read.uses) {
            return None;
        }
        let columns: Option<Vec<String>> = read.columns.iter().map(|name| name.as_ref().map(named)).collect();
        let plainly = columns.filter(|columns| shape == format!("USING btree ({})", columns.join(", ")));
        let step = plainly.map_or_else(
            || format!("  - sql: {}\n    undo: {}\n", scalar(&sql), scalar(&self.undo_index(&name))),
            |columns| {
                let columns: Vec<String> = columns.iter().map(|name| scalar(name)).collect();
                let unique = if old.unique { ", unique: true" } else { "" };
                format!(
                    "  - index: {{table: {}, columns: [{}], name: {}{unique}}}\n",
                    scalar(&written(self.name)),
                    columns.join(", "),
                    scalar(&named(&name))
                )
            },
        );
        self.taken.insert(name.clone());
        Some((step, name))
    }

    fn constraint(&mut self, old: &Constraint, found: &mut Like) {
        let name = old.name.as_ref().map(|name| format!(" {}", plain(name))).unwrap_or_default();
        let (written, kind) = match old.kind {
            'p' => (self.primary(old, found), "PRIMARY KEY"),
            'u' => (self.unique(old, found), "UNIQUE constraint"),
            'c' => (self.bound(old, &format!("CHECK ({})", old.text), found), "CHECK"),
            'f' => (self.bound(old, &old.text, found), "FOREIGN KEY"),
            'x' => (None, "EXCLUDE constraint"),
            // NOT NULL is told by the column.
            _ => return,
        };
        if written.is_none() {
            found.left.push(format!("{kind}{name}"));
        }
    }

    /// The index that can become the primary key when the old column is gone.
    fn primary(&mut self, old: &Constraint, found: &mut Like) -> Option<()> {
        let name = old.name.as_ref()?;
        let index = self.table.indexes.iter().find(|index| index.constraint && index.name == *name)?;
        if self.table.kind != TableKind::Ordinary {
            return None;
        }
        let (step, index) = self.index(index)?;
        found.indexes += &step;
        found.lost = Some(format!(
            "ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY USING INDEX {}",
            written(self.name),
            named(name),
            named(&index)
        ));
        Some(())
    }

    /// A UNIQUE constraint: its index first, which no other statement waits for.
    fn unique(&mut self, old: &Constraint, found: &mut Like) -> Option<()> {
        let (name, added) = self.read(old, &old.text)?;
        let index = added.index?;
        if self.table.kind != TableKind::Ordinary || added.demand != Demand::Unique {
            return None;
        }
        let (table, called) = (written(self.name), named(&name));
        let build = format!("CREATE UNIQUE INDEX CONCURRENTLY {called} ON {table} {}", index.shape);
        let add = format!(
            "ALTER TABLE {table} ADD CONSTRAINT {called} UNIQUE USING INDEX {called}{}",
            index.deferral
        );
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {called}");
        found.indexes +=
            &format!("  - sql: {}\n    undo: {}\n", scalar(&build), scalar(&self.undo_index(&name)));
        found.constraints += &format!("  - sql: {}\n    undo: {}\n", scalar(&add), scalar(&drop));
        self.taken.insert(name);
        Some(())
    }

    /// A CHECK or a foreign key: the rows are looked at under a lock that lets writes through.
    fn bound(&mut self, old: &Constraint, definition: &str, found: &mut Like) -> Option<()> {
        let (name, added) = self.read(old, definition)?;
        // No server takes a foreign key of a partitioned table NOT VALID.
        if old.kind == 'f' && self.table.kind != TableKind::Ordinary {
            return None;
        }
        let (table, called) = (written(self.name), named(&name));
        let add = format!("ALTER TABLE {table} ADD CONSTRAINT {called} {} NOT VALID", added.definition);
        let drop = format!("ALTER TABLE {table} DROP CONSTRAINT {called}");
        found.constraints += &format!("  - sql: {}\n    undo: {}\n", scalar(&add), scalar(&drop));
        if old.valid {
            let prove = format!("ALTER TABLE {table} VALIDATE CONSTRAINT {called}");
            found.constraints += &format!("  - sql: {}\n", scalar(&prove));
        }
        self.taken.insert(name);
        Some(())
    }

    /// A constraint over the new column, under its name, as the server would read it.
    fn read(&self, old: &Constraint, definition: &str) -> Option<(Ident, NewConstraint)> {
        if old.text.is_empty() {
            return None;
        }
        let name = self.called(old.name.as_ref()?);
        let text = renamed(definition, self.old, self.new)?;
        let sql = format!("ALTER TABLE {} ADD CONSTRAINT {} {text}", written(self.name), named(&name));
        match only(&sql)? {
            Change::Alter { what: Alter::AddConstraint(added), .. }
                if self.same(&old.columns, &added.columns) =>
            {
                Some((name, *added))
            }
            _ => None,
        }
    }

    fn undo_index(&self, name: &Ident) -> String {
        format!("DROP INDEX CONCURRENTLY {}", written(&self.name.sibling(name.clone())))
    }

    /// Whether some columns are the old ones with the new one in the place of the one that goes.
    fn same(&self, old: &[Ident], new: &[Ident]) -> bool {
        let instead = |name| if name == self.old { self.new } else { name };
        old.iter().map(instead).collect::<BTreeSet<_>>() == new.iter().collect()
    }

    /// The name of the like: with the new column's name where the old one's was.
    fn called(&self, old: &Ident) -> Ident {
        let (text, new) = (old.as_str(), self.new.as_str());
        let part = format!("_{}", self.old.as_str());
        let ends = |at: usize| text[at + part.len()..].is_empty() || text[at + part.len()..].starts_with('_');
        let found = text.match_indices(&part).map(|(at, _)| at).find(|at| ends(*at));
        let base = match found {
            Some(at) => format!("{}_{new}{}", &text[..at], &text[at + part.len()..]),
            None => format!("{text}_{new}"),
        };
        let numbered = (1..).map(|n| Ident::shortened("", &format!("{base}{n}")));
        let mut names = std::iter::once(Ident::shortened("", &base)).chain(numbered);
        names.find(|name| !self.known(name)).unwrap_or_else(|| Ident::shortened("", &base))
    }

    fn known(&self, name: &Ident) -> bool {
        let relation = self.name.sibling(name.clone());
        self.taken.contains(name)
            || self.world.indexes.contains_key(&relation)
            || self.world.tables.contains_key(&relation)
            || self.table.indexes.iter().any(|index| index.name == *name)
            || self.table.constraints.iter().any(|known| known.name.as_ref() == Some(name))
    }
}

/// The one change of a statement.
fn only(sql: &str) -> Option<Change> {
    let mut changes = split(sql).ok()?.into_iter().flat_map(|statement| statement.changes);
    changes.next().filter(|_| changes.next().is_none())
}
