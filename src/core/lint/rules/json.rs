//! A column of type json has no equality: DISTINCT and GROUP BY over it fail.

use super::{Objection, Rule, Scene};
use crate::core::ident::plain;
use crate::core::lint::finding::Level;
use crate::core::sql::{Alter, Change};

pub(super) const RULE: Rule = Rule {
    id: "json-column",
    title: "jsonb, not json",
    why: "json has no equality, so that SELECT DISTINCT and GROUP BY over rows with such a column fail",
    level: Level::Warning,
    back: false,
    ours: false,
    check,
    setup: "",
    bad: "expand:
  - sql: ALTER TABLE t ADD COLUMN z json
    undo: ALTER TABLE t DROP COLUMN z
",
    good: "expand:
  - sql: ALTER TABLE t ADD COLUMN z jsonb
    undo: ALTER TABLE t DROP COLUMN z
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    let json = |name: &str| name == "json";
    let column = scene.cases().find_map(|case| match case.change {
        Change::Alter { what: Alter::AddColumn(column), .. } if json(&column.kind.name) => {
            Some(plain(&column.name))
        }
        Change::CreateTable { columns, .. } => {
            columns.iter().find(|column| json(&column.kind.name)).map(|column| plain(&column.name))
        }
        _ => None,
    })?;
    Objection::new(
        format!(
            "{column} is json, which has no equality: SELECT DISTINCT and GROUP BY over the table's rows fail"
        ),
        "make it jsonb",
    )
}
