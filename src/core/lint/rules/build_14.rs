//! PostgreSQL 14.0 to 14.3 may leave rows out of an index that is built
//! concurrently (fixed in 14.4: "Prevent possible corruption of indexes created
//! or rebuilt with the CONCURRENTLY option").

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::sql::Change;

pub(super) const RULE: Rule = Rule {
    id: "concurrent-build-14",
    title: "No concurrent build on PostgreSQL 14.0 to 14.3",
    why: "PostgreSQL 14.0 to 14.3 may leave rows out of an index that is built concurrently, and nothing tells which",
    level: Level::Error,
    back: true,
    ours: false,
    check,
    setup: "",
    bad: "expand:
  - sql: CREATE INDEX CONCURRENTLY i ON t (a)
    undo: DROP INDEX CONCURRENTLY i
",
    good: "",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    if !(140_000..140_004).contains(&scene.world.version) {
        return None;
    }
    scene.cases().find_map(|case| match case.change {
        Change::CreateIndex(index) if index.concurrently => corrupt(),
        Change::Reindex { concurrently: true, .. } => corrupt(),
        _ => None,
    })
}

fn corrupt() -> Option<Objection> {
    Objection::new(
        "this server (14.0 to 14.3) may leave rows out of an index that is built concurrently",
        "bring the server to 14.4 or later first",
    )
}
