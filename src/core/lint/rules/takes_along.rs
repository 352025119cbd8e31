//! A column takes its constraints and indexes along when it is dropped; what the table is to
//! keep stands over another column before.

use std::collections::BTreeSet;

use super::{Objection, Rule, Scene};
use crate::core::ident::{Ident, QName, plain};
use crate::core::lint::finding::Level;
use crate::core::lint::world::{Constraint, Index, Table};
use crate::core::sql::{Alter, Change};

pub(super) const RULE: Rule = Rule {
    id: "drop-column-takes-along",
    title: "A dropped column takes no key along unseen",
    why: "PRIMARY KEY, UNIQUE, CHECK, FOREIGN KEY and indexes over a column go with it in silence, without a word of the server; a warning where it is only a CHECK or a plain index",
    level: Level::Error,
    back: false,
    ours: true,
    check,
    setup: "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
    bad: "contract:
  - drop_column: {table: t, column: a}
gates:
  contract: {deployed: APP@VERSION, soak: 24h}
keep: 7d
",
    good: "contract:
  - sql: ALTER TABLE t DROP CONSTRAINT k
    undo: \"irreversible: rows of one value may have come in\"
  - drop_column: {table: t, column: a}
gates:
  contract: {deployed: APP@VERSION, soak: 24h}
keep: 7d
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    let changes = &scene.inspected.statement.changes;
    let gone: Vec<(&QName, &Ident)> = changes.iter().filter_map(dropped).collect();
    let found = |(name, column): &(&QName, &Ident)| {
        let table = scene.world.table(name).filter(|table| !table.made)?;
        let made = table.column(column).is_some_and(|known| known.made);
        (!made).then(|| along(table, column, &fresh(scene, name)))
    };
    let mut found: Vec<(Level, String)> = gone.iter().filter_map(found).flatten().collect();
    found.sort();
    found.dedup_by(|a, b| a.1 == b.1);
    let level = found.iter().map(|(level, _)| *level).min()?;
    let said: Vec<String> = found.into_iter().map(|(_, said)| said).collect();
    let goes = if said.len() == 1 { "goes" } else { "go" };
    let objection = Objection::new(
        format!("{} {goes} with the column in silence", said.join(", ")),
        "make its like over the column that takes the place, in validate; or, where nobody needs it any more, drop it in contract before this step",
    )?;
    Some(Objection { level: Some(level), ..objection })
}

fn dropped(change: &Change) -> Option<(&QName, &Ident)> {
    match change {
        Change::Alter { table, what: Alter::DropColumn(column), .. } => Some((table, column)),
        _ => None,
    }
}

/// The columns of a table that the plan itself brings, or makes an index or a constraint over.
fn fresh(scene: &Scene<'_>, table: &QName) -> BTreeSet<Ident> {
    let mut found = BTreeSet::new();
    for change in scene.plan {
        match change {
            Change::Alter { table: of, what: Alter::AddColumn(column), .. } if of == table => {
                found.insert(column.name.clone());
            }
            Change::Alter { table: of, what: Alter::AddConstraint(added), .. } if of == table => {
                found.extend(added.columns.iter().cloned());
            }
            Change::CreateIndex(index) if index.table == *table => found.extend(index.uses.iter().cloned()),
            _ => {}
        }
    }
    found
}

/// What goes with a column, each with how bad that is.
fn along(table: &Table, column: &Ident, fresh: &BTreeSet<Ident>) -> Vec<(Level, String)> {
    let mut found = Vec::new();
    for known in table.constraints.iter().filter(|known| known.columns.contains(column)) {
        let (level, kind) = match known.kind {
            'p' => (Level::Error, "PRIMARY KEY"),
            'u' => (Level::Error, "UNIQUE constraint"),
            'x' => (Level::Error, "EXCLUDE constraint"),
            'f' => (Level::Error, "FOREIGN KEY"),
            'c' => (Level::Warning, "CHECK"),
            _ => continue,
        };
        if !has_like(table, known, column, fresh) {
            let name = known.name.as_ref().map(|name| format!(" {}", plain(name))).unwrap_or_default();
            found.push((level, format!("{kind}{name}")));
        }
    }
    for index in table.indexes.iter().filter(|index| index.uses.contains(column)) {
        if !index.constraint && !table.indexes.iter().any(|other| stands_for(other, index, column, fresh)) {
            let (level, kind) =
                if index.unique { (Level::Error, "unique index") } else { (Level::Warning, "index") };
            found.push((level, format!("{kind} {}", plain(&index.name))));
        }
    }
    let hanging = table.hanging.iter().filter(|known| !known.holds && known.column.as_ref() == Some(column));
    found.extend(hanging.map(|known| (Level::Warning, known.said.clone())));
    found
}

/// Whether the table has the like of a constraint over a column that takes the place.
fn has_like(table: &Table, old: &Constraint, column: &Ident, fresh: &BTreeSet<Ident>) -> bool {
    let like = |columns: &[Ident]| instead(&old.columns, columns, column, fresh);
    let by_index = || {
        table.indexes.iter().any(|index| {
            let columns: Option<Vec<Ident>> = index.columns.iter().cloned().collect();
            index.unique && !index.computed && columns.is_some_and(|columns| like(&columns))
        })
    };
    let by_constraint = table.constraints.iter().any(|other| {
        let kind = other.kind == old.kind
            || old.kind == 'u' && other.kind == 'p'
            || old.kind == 'p' && other.kind == 'u';
        kind && other.references == old.references && like(&other.columns)
    });
    by_constraint || matches!(old.kind, 'p' | 'u') && by_index()
}

/// Whether an index does for another table's column what one over the old column does.
fn stands_for(other: &Index, old: &Index, column: &Ident, fresh: &BTreeSet<Ident>) -> bool {
    (other.unique || !old.unique) && instead(&old.uses, &other.uses, column, fresh)
}

/// Whether some columns are those of old, with a fresh one for the one that goes.
fn instead(old: &[Ident], new: &[Ident], column: &Ident, fresh: &BTreeSet<Ident>) -> bool {
    let old: BTreeSet<&Ident> = old.iter().filter(|name| *name != column).collect();
    let new: BTreeSet<&Ident> = new.iter().collect();
    let mut more = new.difference(&old);
    let heir = more.next();
    old.is_subset(&new)
        && more.next().is_none()
        && heir.is_some_and(|heir| *heir != column && fresh.contains(*heir))
}
