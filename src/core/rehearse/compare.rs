//! Owns the judgement: what a step was predicted to do against what it was seen to do.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::hold::holds;
use super::look::{Name, Sighting};
use crate::core::ident::QName;
use crate::core::lint::{Effect, Inspected, Lock, strongest};
use crate::core::sql::{Change, Object, Statement};

/// How what was seen of a step stands to what was predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It did what was predicted, or less.
    AsPredicted,
    /// It has statements that nobody can see through, and they took what is listed.
    Opaque,
    /// It did more than predicted.
    Worse,
}

impl Verdict {
    /// For people.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::AsPredicted => "as predicted",
            Self::Opaque => "opaque: locks as seen",
            Self::Worse => "WORSE than predicted",
        }
    }
}

/// A lock on a table, as predicted and as seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LockLine {
    /// The relation.
    pub relation: String,
    /// The lock by the lock table.
    pub predicted: Option<Lock>,
    /// The lock that the server took.
    pub seen: Option<Lock>,
    /// How long queries or writes would have waited for it, in milliseconds; `None`: they do not,
    /// or nobody can tell.
    pub held_ms: Option<f64>,
}

impl LockLine {
    /// Whether the server took less than was predicted.
    #[must_use]
    pub fn milder(&self) -> bool {
        self.seen < self.predicted
    }
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// All in one word.
    pub verdict: Verdict,
    /// Locks that stand in anybody's way, by relation.
    pub locks: Vec<LockLine>,
    /// Tables that were written anew.
    pub rewritten: Vec<String>,
    /// Tables and foreign keys that were read from end to end.
    pub scanned: Vec<String>,
    /// Indexes that were built.
    pub built: Vec<String>,
    /// What is worse than predicted, one sentence each.
    pub faults: Vec<String>,
    /// What else is worth knowing, one sentence each.
    pub notes: Vec<String>,
}

/// Compares a step with what was seen of it, statement by statement where each was
/// looked at by itself. What the program has written itself (`own`) does the same
/// wherever it runs: it is opaque only where it was seen to do something.
#[must_use]
pub fn compare(predicted: &[Inspected], seen: &[Sighting], own: bool) -> Compared {
    let mut judge = Judge { own, ..Judge::default() };
    if predicted.len() == seen.len() {
        for (one, seen) in predicted.iter().zip(seen) {
            judge.judge(std::slice::from_ref(one), seen);
        }
    } else if let Some(all) = seen.iter().cloned().reduce(|all, later| all.and(&later)) {
        judge.judge(predicted, &all);
    }
    for (name, held) in holds(seen) {
        if let Some(line) = judge.locks.get_mut(&name.plain()) {
            line.held_ms = Some(held.as_secs_f64() * 1_000.0);
        }
    }
    judge.end()
}

#[derive(Default)]
struct Judge {
    own: bool,
    opaque: bool,
    locks: BTreeMap<String, LockLine>,
    rewritten: BTreeSet<String>,
    scanned: BTreeSet<String>,
    built: BTreeSet<String>,
    faults: Vec<String>,
    notes: Vec<String>,
}

/// Whether nobody can tell from the statement what it does.
fn is_opaque(statement: &Statement) -> bool {
    statement.changes.iter().any(|change| matches!(change, Change::Opaque(_) | Change::Unknown(_)))
}

/// Whether it takes extended statistics away.
fn drops_statistics(statement: &Statement) -> bool {
    let drops = |change: &Change| matches!(change, Change::Drop { of: Object::Statistics, .. });
    statement.changes.iter().any(drops)
}

/// Whether the planner chooses how the statement reads tables: what it chose for a
/// small table tells nothing of a large one.
fn is_planned(statement: &Statement) -> bool {
    let planned = |change: &Change| {
        matches!(
            change,
            Change::Write { .. }
                | Change::Read { .. }
                | Change::CreateTable { filled: true, .. }
                | Change::Refresh { .. }
        )
    };
    statement.changes.iter().any(planned)
}

fn meant(predicted: &QName, seen: &Name) -> bool {
    let schema = predicted.schema.as_ref().map_or(seen.visible, |schema| schema.as_str() == seen.schema);
    schema && predicted.name.as_str() == seen.name
}

impl Judge {
    fn judge(&mut self, predicted: &[Inspected], seen: &Sighting) {
        let opaque = predicted.iter().any(|one| is_opaque(&one.statement));
        self.opaque |= opaque && !(self.own && seen.is_quiet());
        let effects: Vec<&Effect> = predicted.iter().flat_map(|one| &one.effects).collect();
        // Their table is not told by their name; what is locked there stands in no query's way.
        let aside = predicted
            .iter()
            .any(|one| drops_statistics(&one.statement))
            .then_some(Lock::ShareUpdateExclusive);
        self.locks(&effects, seen, opaque, aside.unwrap_or(Lock::RowExclusive));
        let truncates = effects.iter().any(|effect| effect.row.is_some_and(|row| row.id == "truncate"));
        let rewrites = effects.iter().any(|effect| effect.work.rewrites);
        let builds = rewrites || effects.iter().any(|effect| effect.work.builds);
        let scans = builds || effects.iter().any(|effect| effect.work.scans);
        for name in &seen.rewritten {
            // An empty file in the place of the old one costs nothing.
            if truncates {
                continue;
            }
            self.rewritten.insert(name.plain());
            self.unless(rewrites, opaque, || format!("{} is written anew", name.plain()));
        }
        for index in &seen.built {
            if truncates {
                continue;
            }
            self.built.insert(index.clone());
            self.unless(builds, opaque, || format!("index {index} is built"));
        }
        for what in &seen.verified {
            self.scanned.insert(what.clone());
            self.unless(scans, opaque, || format!("every row is read: {what}"));
        }
        let planned = predicted.iter().any(|one| is_planned(&one.statement));
        for (name, rows) in seen.read.iter().filter(|_| !truncates) {
            let what = format!("{} is read from end to end ({rows} rows)", name.plain());
            if scans {
                self.scanned.insert(name.plain());
            } else if planned || opaque {
                self.note(what);
            } else {
                self.scanned.insert(name.plain());
                self.faults.push(format!("{what}, which was not predicted"));
            }
        }
        for proven in &seen.proven {
            self.note(proven.clone());
        }
    }

    fn locks(&mut self, effects: &[&Effect], seen: &Sighting, opaque: bool, aside: Lock) {
        let predicted = strongest(effects.iter().copied());
        let of = |name: &Name| {
            predicted.iter().filter(|(relation, _)| meant(relation, name)).map(|(_, lock)| *lock).max()
        };
        for (name, lock) in seen.taken.iter().filter(|(_, lock)| **lock > Lock::AccessShare) {
            let said = of(name);
            if said.is_none() && seen.indexes.contains(name) {
                continue;
            }
            let what = format!("{} on {}", lock.name(), name.plain());
            if said.is_none() && seen.sequences.contains(name) {
                if lock.blocks_writes() {
                    self.note(format!("{what}: who asks the sequence for a value waits for it"));
                }
                continue;
            }
            self.line(name.plain(), said, Some(*lock));
            match said {
                Some(said) if *lock <= said => {}
                _ if opaque => {}
                Some(said) => self.faults.push(format!("{what}, where {} was predicted", said.name())),
                // Rows that a trigger writes or a foreign key looks up: as any statement of the application does.
                None if *lock <= aside => {
                    self.note(format!("{what} as well, which stands in no query's way"));
                }
                None => self.faults.push(format!("{what}, which was not predicted")),
            }
        }
        for (relation, lock) in predicted.iter().filter(|(_, lock)| **lock > Lock::AccessShare) {
            // What is not there yet, or was made by the step itself, is nobody's.
            if let Some(name) = seen.there.iter().find(|name| meant(relation, name)) {
                self.line(name.plain(), Some(*lock), seen.held.get(name).copied());
            }
        }
    }

    fn line(&mut self, relation: String, predicted: Option<Lock>, seen: Option<Lock>) {
        let line = self.locks.entry(relation.clone()).or_insert(LockLine {
            relation,
            predicted: None,
            seen: None,
            held_ms: None,
        });
        line.predicted = line.predicted.max(predicted);
        line.seen = line.seen.max(seen);
    }

    fn unless(&mut self, predicted: bool, opaque: bool, what: impl FnOnce() -> String) {
        match (predicted, opaque) {
            (true, _) => {}
            (false, true) => self.note(what()),
            (false, false) => self.faults.push(format!("{}, which was not predicted", what())),
        }
    }

    fn note(&mut self, note: String) {
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn end(self) -> Compared {
        let list = |set: BTreeSet<String>| set.into_iter().collect();
        Compared {
            verdict: match (self.faults.is_empty(), self.opaque) {
                (false, _) => Verdict::Worse,
                (true, true) => Verdict::Opaque,
                (true, false) => Verdict::AsPredicted,
            },
            locks: self.locks.into_values().collect(),
            rewritten: list(self.rewritten),
            scanned: list(self.scanned),
            built: list(self.built),
            faults: self.faults,
            notes: self.notes,
        }
    }
}

#[cfg(test)]
mod tests;
