//! Nothing that takes time may follow in a transaction that already keeps the
//! application waiting.

use super::{Objection, Rule, Scene};
use crate::core::ident::{Ident, QName};
use crate::core::lint::finding::Level;
use crate::core::sql::{Alter, Change, WriteVerb, waits};
use crate::core::step::Action;

pub(super) const RULE: Rule = Rule {
    id: "work-under-lock",
    title: "No work in a transaction that keeps the application waiting",
    why: "a lock is held until its transaction ends; what reads or writes a table after it keeps everybody waiting for as long as that takes",
    level: Level::Error,
    back: true,
    ours: false,
    check,
    setup: "",
    bad: "expand:
  - sql: |
      ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID;
      ALTER TABLE t VALIDATE CONSTRAINT k
    undo: ALTER TABLE t DROP CONSTRAINT k
",
    good: "validate:
  - sql: ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
  - sql: ALTER TABLE t VALIDATE CONSTRAINT k
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    if !matches!(scene.action, Action::Transaction(_)) {
        return None;
    }
    if let Some(objection) = beside(scene) {
        return Some(objection);
    }
    let held = scene.before.iter().flat_map(|before| &before.effects).flat_map(|effect| &effect.locks);
    let (relation, lock) = held
        .filter(|(relation, lock)| lock.blocks_writes() && (scene.hot)(relation))
        .max_by_key(|(_, lock)| *lock)?;
    let slow =
        scene.inspected.effects.iter().any(|effect| {
            effect.work.grows() && effect.locks.iter().all(|(relation, _)| (scene.hot)(relation))
        });
    let writes = scene.cases().any(|case| {
        matches!(case.change, Change::Write { verb, .. } if *verb != WriteVerb::Insert)
            && case.named().into_iter().any(|name| (scene.hot)(name))
    });
    let reads =
        scene.cases().any(|case| read_by(case.change).iter().any(|name| ours(name) && (scene.hot)(name)));
    let waits = scene
        .cases()
        .any(|case| matches!(case.change, Change::Calls(functions) if functions.iter().any(waits)));
    if !slow && !writes && !reads && !waits {
        return None;
    }
    let validates = scene.cases().any(|case| matches!(case.alter(), Some(Alter::Validate(_))));
    Objection::new(
        format!(
            "the statements before it in this transaction hold {} on {}, so {} until this one is done as well",
            lock.name(),
            relation.plain(),
            lock.leaves()
        ),
        if validates {
            "move VALIDATE CONSTRAINT into validate: there it lets reads and writes through"
        } else {
            "give it a step of its own, or make it a backfill"
        },
    )
}

/// The relations whose rows a statement reads.
fn read_by(change: &Change) -> &[QName] {
    match change {
        Change::Read { reads, .. }
        | Change::Write { reads, .. }
        | Change::CreateTable { reads, filled: true, .. } => reads,
        _ => &[],
    }
}

/// Whether a name is not one of the server's own catalogs.
fn ours(name: &QName) -> bool {
    let catalog = |schema: &Ident| matches!(schema.as_str(), "pg_catalog" | "information_schema");
    !name.schema.as_ref().is_some_and(catalog) && !name.name.as_str().starts_with("pg_")
}

/// Work that lets reads and writes through by itself, in one ALTER TABLE with a
/// subcommand that does not: the statement takes its strongest lock for all of it.
fn beside(scene: &Scene<'_>) -> Option<Objection> {
    let effects = &scene.inspected.effects;
    let gentle = effects.iter().filter(|effect| effect.work.grows());
    let gentle = gentle.filter(|effect| effect.locks.iter().all(|(_, lock)| !lock.blocks_writes()));
    let locks = || effects.iter().flat_map(|effect| &effect.locks);
    for (relation, _) in gentle.flat_map(|effect| &effect.locks).filter(|(relation, _)| (scene.hot)(relation))
    {
        if let Some((_, lock)) = locks().find(|(other, lock)| other == relation && lock.blocks_writes()) {
            return Objection::new(
                format!(
                    "one ALTER TABLE takes its strongest lock for all that it does: {} on {}, and {} while every row is read",
                    lock.name(),
                    relation.plain(),
                    lock.leaves()
                ),
                "move VALIDATE CONSTRAINT into validate, as a statement of its own",
            );
        }
    }
    None
}
