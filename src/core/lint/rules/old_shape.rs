//! Expand must leave the old shape whole: the running application still uses it.

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::lint::table::Case;
use crate::core::sql::{Alter, Change, Object, Renamed};
use crate::core::step::Phase;

pub(super) const RULE: Rule = Rule {
    id: "expand-breaks-application",
    title: "Expand leaves the old shape whole",
    why: "the application that runs while expand does still uses the old shape; what is dropped or renamed under it fails its statements from that moment on",
    level: Level::Error,
    check,
    bad: "expand:
  - sql: ALTER TABLE t DROP COLUMN c
    undo: ALTER TABLE t ADD COLUMN c text
",
    good: "contract:
  - drop_column: {table: t, column: c}
",
};

fn check(scene: &Scene<'_>) -> Option<Objection> {
    if scene.phase() != Phase::Expand {
        return None;
    }
    scene.cases().find_map(|case| {
        let hot = case.named().into_iter().any(|name| (scene.hot)(name));
        if hot { breaks(&case) } else { None }
    })
}

fn breaks(case: &Case<'_>) -> Option<Objection> {
    match case.change {
        Change::Alter { what: Alter::DropColumn(column), table, .. } => Objection::new(
            "the application that runs now may still use the column: its statements fail from this moment on",
            format!(
                "contract:\n  - drop_column: {{table: {}, column: {}}}\nkeep: 7d\n",
                table.plain(),
                crate::core::ident::plain(column)
            ),
        ),
        Change::Drop { of: Object::Table, names, .. } => Objection::new(
            "the application that runs now may still use the table: its statements fail from this moment on",
            names.iter().fold("contract:\n".to_owned(), |all, name| {
                all + &format!("  - drop_table: {{table: {}}}\n", name.plain())
            }) + "keep: 7d\n",
        ),
        Change::Drop { of: Object::View | Object::MatView, .. } => Objection::new(
            "the application that runs now may still use the view: its statements fail from this moment on",
            "drop it in contract",
        ),
        Change::Rename { of: Renamed::Column, table, from, to } => {
            let (table, from, to) =
                (table.plain(), crate::core::ident::plain(from), crate::core::ident::plain(to));
            Objection::new(
                "the application that runs now knows the old name only: its statements fail from this moment on",
                format!(
                    "expand:
  - sql: ALTER TABLE {table} ADD COLUMN {to} TYPE
    undo: ALTER TABLE {table} DROP COLUMN {to}
  - sync: {{table: {table}, set: {{{to}: {from}}}, back: {{{from}: {to}}}}}
backfill:
  - table: {table}
    set: {{{to}: {from}}}
    where: {to} IS DISTINCT FROM {from}
contract:
  - drop_column: {{table: {table}, column: {from}}}
keep: 7d
"
                ),
            )
        }
        Change::Rename { of: Renamed::Table | Renamed::View, .. } | Change::SetSchema { .. } => {
            Objection::new(
                "the application that runs now knows the old name only: its statements fail from this moment on",
                "put a view of the old name beside it in the same step, and say so: lint: {allow: [{rule: expand-breaks-application, reason: …}]}",
            )
        }
        _ => None,
    }
}
