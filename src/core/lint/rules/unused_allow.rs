//! An acceptance that accepts nothing hides the next finding of its rule.

use super::Rule;
use crate::core::lint::finding::Level;

/// Found when an item has been judged, which is when it is known what was accepted.
pub(super) const RULE: Rule = Rule {
    id: "unused-allow",
    title: "What is accepted is there",
    why: "an acceptance that accepts nothing any more would accept the next finding of its rule unseen",
    level: Level::Warning,
    back: false,
    ours: false,
    check: |_| None,
    setup: "",
    bad: "expand:
  - sql: ALTER TABLE t ADD COLUMN z integer
    undo: ALTER TABLE t DROP COLUMN z
    lint: {allow: [{rule: create-index, reason: the table is small}]}
",
    good: "expand:
  - sql: ALTER TABLE t ADD COLUMN z integer
    undo: ALTER TABLE t DROP COLUMN z
",
};
