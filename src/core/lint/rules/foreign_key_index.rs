//! A foreign key wants an index on its columns, and the same types on both sides.

use super::{Objection, Rule, Scene};
use crate::core::ident::{list, plain};
use crate::core::lint::finding::Level;
use crate::core::lint::table::Case;
use crate::core::lint::world::{TableKind, begins};
use crate::core::sql::{Change, Demand};

pub(super) const RULE: Rule = Rule {
    id: "foreign-key-index",
    title: "A foreign key has an index, and one type on both sides",
    why: "each DELETE and each change of the key in the referenced table looks the referencing rows up; without an index that reads all of the table, and with another type on either side it converts",
    level: Level::Warning,
    back: false,
    ours: false,
    check,
    setup: "",
    bad: "validate:
  - sql: ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
",
    good: "expand:
  - index: {table: t, columns: [r_id]}
validate:
  - sql: ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r NOT VALID
    undo: ALTER TABLE t DROP CONSTRAINT k
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    scene.cases().find_map(|case| without_index(&case, scene.later).or_else(|| other_type(&case)))
}

fn without_index(case: &Case<'_>, later: &[Change]) -> Option<Objection> {
    let added = case.added()?;
    if !matches!(added.demand, Demand::Foreign { .. }) || !case.world.complete {
        return None;
    }
    case.table().filter(|table| table.kind != TableKind::Other)?;
    let comes = later.iter().any(|change| match change {
        Change::CreateIndex(index) => {
            Some(&index.table) == case.subject() && begins(&index.columns, &added.columns)
        }
        _ => false,
    });
    if comes || case.supported(&added.columns) {
        return None;
    }
    let name = case.subject()?.plain();
    let columns: Vec<String> = added.columns.iter().map(plain).collect();
    Objection::new(
        format!(
            "no index of {name} begins with ({}): each DELETE and each change of the key in the referenced table \
             reads all of {name}",
            list(&added.columns)
        ),
        format!("expand:\n  - index: {{table: {name}, columns: [{}]}}\n", columns.join(", ")),
    )
}

fn other_type(case: &Case<'_>) -> Option<Objection> {
    let added = case.added()?;
    let Demand::Foreign { to, columns } = &added.demand else { return None };
    let (from, into) = (case.table()?, case.world.table(to)?);
    for (column, referenced) in added.columns.iter().zip(columns) {
        let (column, referenced) = (from.column(column)?, into.column(referenced)?);
        if !column.kind.is_empty() && !referenced.kind.is_empty() && column.kind != referenced.kind {
            return Objection::new(
                format!(
                    "{} is {} and {} is {}: every check of the key converts, and a value may fit one side only",
                    plain(&column.name),
                    column.kind,
                    plain(&referenced.name),
                    referenced.kind
                ),
                "give both columns one type",
            );
        }
    }
    None
}
