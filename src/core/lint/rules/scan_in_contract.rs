//! Contract is for steps of a moment: what reads a whole table belongs into validate.

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::step::{Action, Phase};

pub(super) const RULE: Rule = Rule {
    id: "scan-in-contract",
    title: "Contract reads no table",
    why: "contract runs when the application has moved on, and must be a matter of a moment; what reads a whole table under a lock belongs into validate",
    level: Level::Error,
    back: false,
    ours: false,
    check,
    setup: "",
    bad: "validate:
  - sql: ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
contract:
  - sql: ALTER TABLE t VALIDATE CONSTRAINT k
",
    good: "validate:
  - sql: ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
  - sql: ALTER TABLE t VALIDATE CONSTRAINT k
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    if !matches!(scene.phase(), Phase::Contract | Phase::Purge)
        || !matches!(scene.action, Action::Transaction(_))
    {
        return None;
    }
    let effect = scene.inspected.effects.iter().find(|effect| {
        effect.work.grows() && effect.locks.iter().any(|(relation, _)| (scene.hot)(relation))
    })?;
    Objection::new(
        format!("contract must be a matter of a moment, and this {}", effect.work.words()),
        "move it into validate",
    )
}
