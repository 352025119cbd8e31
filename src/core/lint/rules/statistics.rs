//! A column that gets another type loses its statistics until the next ANALYZE.

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::sql::{Alter, Change};

pub(super) const RULE: Rule = Rule {
    id: "statistics-lost",
    title: "ANALYZE after a change of type",
    why: "ALTER TYPE drops the statistics of the column, and queries over it may get bad plans until the next ANALYZE",
    level: Level::Warning,
    back: false,
    ours: false,
    check,
    setup: "",
    bad: "expand:
  - sql: ALTER TABLE t ALTER COLUMN b TYPE varchar(40)
    undo: \"irreversible: a longer value may have come in\"
",
    good: "expand:
  - sql: ALTER TABLE t ALTER COLUMN b TYPE varchar(40)
    undo: \"irreversible: a longer value may have come in\"
  - sql: ANALYZE t
    undo: \"irreversible: it changes no row\"
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    let case = scene.cases().find(|case| {
        matches!(case.alter(), Some(Alter::Type { .. }))
            && case.named().into_iter().any(|name| (scene.hot)(name))
    })?;
    let name = case.subject()?;
    let analyzed = |change: &Change| match change {
        Change::Analyze(tables) => tables.is_empty() || tables.contains(name),
        _ => false,
    };
    if scene.later.iter().any(analyzed) {
        return None;
    }
    let table = name.plain();
    Objection::new(
        "the column's statistics are gone until the next ANALYZE: queries over it may get bad plans meanwhile",
        format!("run ANALYZE {table} in the very next step"),
    )
}
