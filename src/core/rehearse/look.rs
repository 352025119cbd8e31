//! Owns what is seen of a statement: two looks at the relations of a database and
//! the server's messages in between, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::core::lint::Lock;

/// A relation at the moment of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name.
    pub name: Name,
    /// `pg_class.relkind`.
    pub kind: char,
    /// Its file; 0 where it has none.
    pub file: i64,
    /// How often the transaction has read it from end to end.
    pub scans: i64,
    /// The rows that this gave.
    pub rows_read: i64,
}

/// What a relation is called, and whether that name alone finds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// Whether the name without the schema means this relation.
    pub visible: bool,
}

impl Name {
    /// As people write it.
    #[must_use]
    pub fn plain(&self) -> String {
        if self.visible { self.name.clone() } else { format!("{}.{}", self.schema, self.name) }
    }
}

/// A look at the relations of a database, and at the locks of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The relations, by their number.
    pub relations: BTreeMap<u32, Relation>,
    /// The strongest lock on each that the session holds, or waits for; also on those
    /// that it has dropped.
    pub locks: BTreeMap<u32, Lock>,
}

/// What a statement was seen to do. Relations carry the names that they had before
/// it; what the statement itself made is not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sighting {
    /// The strongest lock on each relation that stood before, as held after the statement.
    pub held: BTreeMap<Name, Lock>,
    /// Those that it took, or took more strongly than before.
    pub taken: BTreeMap<Name, Lock>,
    /// Every relation that stood before; whoever is not here was made in between.
    pub there: BTreeSet<Name>,
    /// Those that are indexes: they are locked beside their tables.
    pub indexes: BTreeSet<Name>,
    /// Those that are sequences: the lock table is about tables.
    pub sequences: BTreeSet<Name>,
    /// Tables that were written anew: another file under the same name.
    pub rewritten: BTreeSet<Name>,
    /// Tables that the server said it verified, and foreign keys that it validated.
    pub verified: BTreeSet<String>,
    /// Tables that were read from end to end, and the rows that this gave.
    pub read: BTreeMap<Name, i64>,
    /// Indexes that were built on tables that stood before.
    pub built: BTreeSet<String>,
    /// What the server found proven already, in its words.
    pub proven: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// Whether it is the first of its transaction.
    pub begins: bool,
    /// How long each relation was held in a mode that queries or writes wait for, where that was
    /// looked at all the time; `None`: it follows from the times of the transaction.
    pub spans: Option<BTreeMap<Name, Duration>>,
}

/// What was done between two looks, and said meanwhile.
#[must_use]
pub fn sighting(before: &Look, after: &Look, messages: &[String], took: Duration) -> Sighting {
    let there = before.relations.values().map(|one| one.name.clone()).collect();
    let mut seen = Sighting { there, took, ..Sighting::default() };
    for (id, was) in &before.relations {
        if is_index(was.kind) {
            seen.indexes.insert(was.name.clone());
        } else if was.kind == 'S' {
            seen.sequences.insert(was.name.clone());
        }
        if let Some(lock) = after.locks.get(id) {
            seen.held.insert(was.name.clone(), *lock);
            if before.locks.get(id).is_none_or(|before| before < lock) {
                seen.taken.insert(was.name.clone(), *lock);
            }
        }
        if let Some(is) = after.relations.get(id).filter(|is| is.scans > was.scans && is_table(was.kind)) {
            seen.read.insert(was.name.clone(), is.rows_read - was.rows_read);
        }
    }
    // By name: what is built again gets another number, and may keep its file.
    let files = |look: &Look| -> BTreeMap<(String, String), i64> {
        let tables = look.relations.values().filter(|one| is_table(one.kind));
        tables.map(|one| ((one.name.schema.clone(), one.name.name.clone()), one.file)).collect()
    };
    let (old, new) = (files(before), files(after));
    let written = |name: &Name| {
        let key = (name.schema.clone(), name.name.clone());
        matches!((old.get(&key), new.get(&key)), (Some(old), Some(new)) if old != new && *new != 0 && *old != 0)
    };
    seen.rewritten = seen.there.iter().filter(|name| written(name)).cloned().collect();
    for message in messages {
        hear(&mut seen, message);
    }
    seen
}

const fn is_index(kind: char) -> bool {
    matches!(kind, 'i' | 'I')
}

const fn is_table(kind: char) -> bool {
    matches!(kind, 'r' | 'm' | 'p')
}

/// What the server says at debug1; the words are the same from 13 to 18.
fn hear(seen: &mut Sighting, message: &str) {
    let quoted = |text: &str| text.split('"').next().unwrap_or_default().to_owned();
    let stood = |seen: &Sighting, table: &str| seen.there.iter().any(|name| name.name == table);
    if let Some(rest) = message.strip_prefix("verifying table \"") {
        let table = quoted(rest);
        if stood(seen, &table) {
            seen.verified.insert(table);
        }
    } else if let Some(rest) = message.strip_prefix("validating foreign key constraint \"") {
        seen.verified.insert(format!("foreign key {}", quoted(rest)));
    } else if let Some(rest) = message.strip_prefix("building index \"") {
        let table = rest.split_once("on table \"").map(|(_, table)| quoted(table)).unwrap_or_default();
        if stood(seen, &table) {
            seen.built.insert(quoted(rest));
        }
    } else if message.contains("sufficient to prove") || message.contains("implied by existing constraints") {
        seen.proven.push(message.to_owned());
    }
}

impl Sighting {
    /// Whether nothing was seen that anybody would care for: no lock that the
    /// application's own statements do not take as well, and no work.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        let taken = self.taken.iter().filter(|(name, _)| !self.indexes.contains(*name));
        taken.map(|(_, lock)| *lock).all(|lock| lock <= Lock::RowExclusive)
            && self.rewritten.is_empty()
            && self.built.is_empty()
            && self.verified.is_empty()
            && self.read.is_empty()
    }

    /// This and what was seen after it, as one.
    #[must_use]
    pub fn and(mut self, later: &Self) -> Self {
        let strongest = |into: &mut BTreeMap<Name, Lock>, from: &BTreeMap<Name, Lock>| {
            for (name, lock) in from {
                let entry = into.entry(name.clone()).or_insert(*lock);
                *entry = (*entry).max(*lock);
            }
        };
        strongest(&mut self.held, &later.held);
        strongest(&mut self.taken, &later.taken);
        self.there.extend(later.there.iter().cloned());
        self.indexes.extend(later.indexes.iter().cloned());
        self.sequences.extend(later.sequences.iter().cloned());
        self.rewritten.extend(later.rewritten.iter().cloned());
        self.verified.extend(later.verified.iter().cloned());
        for (name, rows) in &later.read {
            *self.read.entry(name.clone()).or_default() += rows;
        }
        self.built.extend(later.built.iter().cloned());
        self.proven.extend(later.proven.iter().cloned());
        self.took += later.took;
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn relation(name: &str, kind: char, file: i64) -> Relation {
        let name = Name { schema: "public".into(), name: name.into(), visible: true };
        Relation { name, kind, file, scans: 0, rows_read: 0 }
    }

    fn names(set: &BTreeSet<Name>) -> Vec<&str> {
        set.iter().map(|name| name.name.as_str()).collect()
    }

    fn look(relations: &[(u32, Relation)], locks: &[(u32, Lock)]) -> Look {
        Look { relations: relations.iter().cloned().collect(), locks: locks.iter().copied().collect() }
    }

    #[test]
    fn locks_that_were_held_before_were_not_taken_and_those_on_what_is_dropped_were() {
        let relations = [
            (1, relation("t", 'r', 1)),
            (2, relation("t_pkey", 'i', 2)),
            (3, relation("u", 'r', 3)),
            (4, relation("dropped", 'r', 4)),
        ];
        let before = look(&relations, &[(1, Lock::AccessShare), (3, Lock::Share)]);
        let exclusive = Lock::AccessExclusive;
        let locks = [(1, exclusive), (2, exclusive), (3, Lock::Share), (4, exclusive), (5, exclusive)];
        let after = look(&[&relations[..3], &[(5, relation("new", 'r', 5))]].concat(), &locks);
        let seen = sighting(&before, &after, &[], Duration::ZERO);
        let taken: Vec<&str> = seen.taken.keys().map(|name| name.name.as_str()).collect();
        assert_eq!(taken, ["dropped", "t", "t_pkey"]);
        assert_eq!(names(&seen.indexes), ["t_pkey"]);
        assert_eq!(seen.held.len(), 4);
    }

    #[test]
    fn another_file_under_the_same_name_is_a_rewrite_and_a_new_name_is_none() {
        let before =
            look(&[(1, relation("t", 'r', 1)), (2, relation("i", 'i', 2)), (3, relation("u", 'r', 3))], &[]);
        // The index is built again: another number, the same file.
        let after = look(
            &[(1, relation("t", 'r', 9)), (7, relation("i", 'i', 2)), (3, relation("renamed", 'r', 3))],
            &[],
        );
        assert_eq!(names(&sighting(&before, &after, &[], Duration::ZERO).rewritten), ["t"]);
    }

    #[test]
    fn the_messages_of_the_server_are_heard() {
        let look = look(&[(1, relation("t", 'r', 1))], &[]);
        let messages = [
            "verifying table \"t\"",
            "verifying table \"made_just_now\"",
            "validating foreign key constraint \"t_fk\"",
            "building index \"t_a_idx\" on table \"t\" serially",
            "building index \"pg_toast_1_index\" on table \"pg_toast_1\" serially",
            "existing constraints on column \"t.a\" are sufficient to prove that it does not contain nulls",
        ];
        let seen = sighting(&look, &look, &messages.map(str::to_owned), Duration::ZERO);
        assert_eq!(seen.verified.iter().map(String::as_str).collect::<Vec<_>>(), ["foreign key t_fk", "t"]);
        assert_eq!(seen.built.iter().map(String::as_str).collect::<Vec<_>>(), ["t_a_idx"]);
        assert_eq!(seen.proven.len(), 1);
    }
}
