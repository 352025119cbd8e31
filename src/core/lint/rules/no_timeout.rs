//! The time limits are what keeps the application from waiting: no step may lift them.

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::sql::Change;

pub(super) const RULE: Rule = Rule {
    id: "no-timeout",
    title: "No step lifts the time limits",
    why: "lock_timeout and statement_timeout bound how long the application waits behind a step; without them one long query in front of it stops everybody",
    level: Level::Error,
    check,
    bad: "expand:
  - sql: |
      SET LOCAL lock_timeout = 0;
      ALTER TABLE t ADD COLUMN z integer
    undo: ALTER TABLE t DROP COLUMN z
",
    good: "settings: {lock_timeout: 2s}
expand:
  - sql: ALTER TABLE t ADD COLUMN z integer
    undo: ALTER TABLE t DROP COLUMN z
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    scene.cases().find_map(|case| match case.change {
        Change::Set { name, value } if name == "lock_timeout" && lifted(value.as_deref()) => Objection::new(
            "without lock_timeout, one long query in front of this step stops everybody behind it",
            "take it out, or set the time that the application can bear: settings: {lock_timeout: 5s}",
        ),
        Change::Set { name, value } if name == "statement_timeout" && lifted(value.as_deref()) => {
            Objection::new(
                "without statement_timeout, a statement that holds a lock may hold it for ever",
                "take it out, or set what it needs: settings: {statement_timeout: 5m}",
            )
        }
        _ => None,
    })
}

/// Whether a value lifts the limit; what is no constant may.
fn lifted(value: Option<&str>) -> bool {
    let Some(value) = value else { return true };
    let digits: String =
        value.trim().trim_start_matches(['+', '-']).chars().take_while(char::is_ascii_digit).collect();
    digits.parse::<u64>().is_ok_and(|number| number == 0)
}
