//! The time limits are what keeps the application from waiting: no step may lift them.

use std::time::Duration;

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::sql::Change;

pub(super) const RULE: Rule = Rule {
    id: "no-timeout",
    title: "No step lifts the time limits",
    why: "lock_timeout and statement_timeout bound how long the application waits behind a step; without them one long query in front of it stops everybody",
    level: Level::Error,
    back: true,
    ours: false,
    check,
    setup: "",
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

/// What the application can be expected to bear behind a step that waits for its lock.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What a statement under a lock may take at the very most.
const LONGEST_STATEMENT: Duration = Duration::from_secs(3600);

fn check(scene: &Scene<'_>) -> Option<Objection> {
    scene.cases().find_map(|case| {
        let Change::Set { name, value } = case.change else { return None };
        let given = limit(value.as_deref());
        let said = value.as_deref().unwrap_or_default();
        match (name.as_str(), given) {
            ("lock_timeout", None) => Objection::new(
                "without lock_timeout, one long query in front of this step stops everybody behind it",
                "take it out, or set the time that the application can bear: settings: {lock_timeout: 5s}",
            ),
            ("lock_timeout", Some(given)) if given > LONGEST_WAIT => Objection::new(
                format!("with a lock_timeout of {said}, one long query in front of this step stops everybody behind it for as long"),
                "set the time that the application can bear: settings: {lock_timeout: 5s}; the step is tried again by itself",
            ),
            ("statement_timeout" | "transaction_timeout", None) => Objection::new(
                format!("without {name}, a statement that holds a lock may hold it for ever"),
                "take it out, or set what it needs: settings: {statement_timeout: 5m}",
            ),
            ("statement_timeout", Some(given)) if given > LONGEST_STATEMENT => Objection::new(
                format!("with a statement_timeout of {said}, a statement that holds a lock may hold it for as long"),
                "set what it needs: settings: {statement_timeout: 5m}; what takes longer belongs into a backfill or into validate",
            ),
            _ => None,
        }
    })
}

/// The limit that a value sets, as the server reads it; `None`: none at all, or none that can be read.
fn limit(value: Option<&str>) -> Option<Duration> {
    let text = value?.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok().filter(|number| *number > 0.0)?;
    let seconds = match text[end..].trim() {
        "us" => 1e-6,
        "" | "ms" => 1e-3,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    // The server rounds to whole milliseconds, and none are no limit.
    Duration::try_from_secs_f64(number * seconds).ok().filter(|limit| limit.as_micros() >= 500)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_as_the_server_reads_it() {
        let seconds = |value| limit(Some(value)).map(|limit| limit.as_secs_f64());
        for (value, wanted) in [
            ("0", None),
            ("+0", None),
            ("-1", None),
            ("0.1", None),
            ("5000", Some(5.0)),
            ("5s", Some(5.0)),
            ("1.5 min", Some(90.0)),
            ("7d", Some(604_800.0)),
            ("never", None),
            ("1e9", None),
        ] {
            assert_eq!(seconds(value), wanted, "{value}");
        }
        assert_eq!(limit(None), None);
    }
}
