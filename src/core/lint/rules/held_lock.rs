//! Nothing that takes time may follow in a transaction that already keeps the
//! application waiting.

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::sql::{Alter, Change, WriteVerb};
use crate::core::step::Action;

pub(super) const RULE: Rule = Rule {
    id: "work-under-lock",
    title: "No work in a transaction that keeps the application waiting",
    why: "a lock is held until its transaction ends; what reads or writes a table after it keeps everybody waiting for as long as that takes",
    level: Level::Error,
    check,
    bad: "expand:
  - sql: |
      ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID;
      ALTER TABLE t VALIDATE CONSTRAINT k
    undo: ALTER TABLE t DROP CONSTRAINT k
",
    good: "expand:
  - sql: ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
validate:
  - sql: ALTER TABLE t VALIDATE CONSTRAINT k
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    if !matches!(scene.step.action, Action::Transaction(_)) {
        return None;
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
    if !slow && !writes {
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
