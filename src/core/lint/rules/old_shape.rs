//! Expand must leave the old shape whole: the running application still uses it.
//!
//! How big a table is does not matter here: what only this plan has made is all that
//! the running application cannot miss.

use super::{Objection, Rule, Scene};
use crate::core::ident::{Ident, QName};
use crate::core::lint::fill::{fill, merged, named, scalar, unfillable, written};
use crate::core::lint::finding::Level;
use crate::core::lint::table::{CODE_GATE, Case, VALUE_GATE, widens};
use crate::core::sql::{Alter, Change, Demand, DomainChange, NewColumn, Object, Renamed, WriteVerb};
use crate::core::step::Phase;

pub(super) const RULE: Rule = Rule {
    id: "expand-breaks-application",
    title: "Expand leaves the old shape whole",
    why: "the application that runs while expand does still uses the old shape; what is dropped, renamed, emptied or narrowed under it fails its statements from that moment on, however small the table is",
    level: Level::Error,
    back: false,
    ours: false,
    check,
    setup: "",
    bad: "expand:
  - sql: ALTER TABLE t DROP COLUMN c
    undo: ALTER TABLE t ADD COLUMN c text
",
    good: "contract:
  - drop_column: {table: t, column: c}
gates:
  contract: {deployed: APP@VERSION, soak: 24h}   # the first version that does without what contract takes away
keep: 7d
",
};

/// A column of the new name beside the old one, kept in step both ways.
const RENAMED: &str = "expand:
  - sql: «ALTER TABLE {table} ADD COLUMN {new} {type}»
    undo: «ALTER TABLE {table} DROP COLUMN {new}»
  - sync: {table: «{table}», set: {«{new}»: «{column}»}, back: {«{column}»: «{new}»}}
backfill:
  - table: «{table}»
    set: {«{new}»: «{column}»}
    where: «{new} IS DISTINCT FROM {column}»
{heir_validate}contract:
{heir_contract}  - drop_column: {table: «{table}», column: «{column}»}
{code_gate}keep: 7d
";

fn check(scene: &Scene<'_>) -> Option<Objection> {
    if scene.phase() != Phase::Expand {
        return None;
    }
    // Of several changes that break in one way, each has its part in the safe way.
    let mut found = scene.cases().filter_map(|case| breaks(&case));
    let mut first = found.next()?;
    let alike = found.filter(|next| next.why == first.why).filter_map(|next| next.safe);
    let ways: Vec<String> = first.safe.into_iter().chain(alike).collect();
    first.safe = Some(merged(&ways));
    Some(first)
}

fn breaks(case: &Case<'_>) -> Option<Objection> {
    match case.change {
        Change::Drop { of, names, .. } => dropped(case, *of, names),
        Change::Rename { of, table, from, .. } if !made(case, table) => renamed(case, *of, from),
        Change::SetSchema { of, table } if of.is_relation() && *of != Object::Index && !made(case, table) => {
            old_name()
        }
        Change::Moved { of, name } if !case.world.has_made(*of, name) => old_name(),
        Change::Truncate(tables) if !tables.iter().all(|table| made(case, table)) => emptied(),
        Change::Write { table, verb: WriteVerb::Delete, bounded: false, .. } if !made(case, table) => {
            emptied()
        }
        Change::Domain { domain, what: DomainChange::SetNotNull }
            if !case.world.has_made(Object::Type, domain) =>
        {
            filled(
                "a value of the domain",
                "set NOT NULL on each column instead, with a step not_null in validate".into(),
            )
        }
        Change::Alter { of: Object::Table | Object::ForeignTable, table, what } if !made(case, table) => {
            altered(case, table, what)
        }
        _ => None,
    }
}

fn dropped(case: &Case<'_>, of: Object, names: &[QName]) -> Option<Objection> {
    let what = match of {
        Object::Table => "table",
        Object::ForeignTable => "foreign table",
        Object::View | Object::MatView => "view",
        Object::Sequence => "sequence",
        Object::Type => "type",
        Object::Schema => "schema",
        Object::Function => "function",
        Object::Extension => "extension",
        // Nobody names an index, and the rest is not for applications.
        Object::Index | Object::Statistics | Object::Other => return None,
    };
    let old: Vec<&QName> = names.iter().filter(|name| !case.world.has_made(of, name)).collect();
    if old.is_empty() {
        return None;
    }
    let safe = if of == Object::Table {
        let step = |name: &&QName| format!("  - drop_table: {{table: {}}}\n", scalar(&written(name)));
        format!("contract:\n{}{CODE_GATE}keep: 7d\n", old.iter().map(step).collect::<String>())
    } else {
        "drop it in contract".into()
    };
    Objection::new(
        format!(
            "the application that runs now may still use the {what}: its statements fail from this moment on"
        ),
        safe,
    )
}

fn renamed(case: &Case<'_>, of: Renamed, from: &Ident) -> Option<Objection> {
    match of {
        Renamed::Table | Renamed::View => old_name(),
        Renamed::Column if !case.made_column(from) => Objection::new(
            "the application that runs now knows the old name only: its statements fail from this moment on",
            unfillable(case, from).map_or_else(|| fill(RENAMED, case, &[]), str::to_owned),
        ),
        _ => None,
    }
}

fn altered(case: &Case<'_>, table: &QName, what: &Alter) -> Option<Objection> {
    let not_null = |column: &Ident| {
        let proven = case.table().is_some_and(|table| table.proves_not_null(column));
        let safe = format!(
            "validate:\n  - not_null: {{table: {}, column: {}}}\n{VALUE_GATE}",
            scalar(&written(table)),
            scalar(&named(column))
        );
        if proven || case.made_column(column) { None } else { filled("the column", safe) }
    };
    match what {
        Alter::DropColumn(column) if !case.made_column(column) => Objection::new(
            "the application that runs now may still use the column: its statements fail from this moment on",
            without(case, table, column),
        ),
        Alter::AddColumn(column) if wants_value(column) => filled(
            "the new column",
            "add it without NOT NULL, fill it by a sync and a backfill, and put not_null into validate"
                .into(),
        ),
        Alter::SetNotNull(column) => not_null(column),
        Alter::AddConstraint(added) if added.demand == Demand::NotNull => {
            added.columns.iter().find_map(not_null)
        }
        Alter::Type { column, .. } if !case.made_column(column) && widens(case) == Some(false) => {
            Objection::new(
                "the application that runs now writes and reads values of the old type: what does not fit the new one fails from this moment on",
                "put a column of the new type beside it, with a sync, a backfill and a drop_column in contract",
            )
        }
        Alter::Detach { .. } => Objection::new(
            "the application that runs now does not find the partition's rows in the table any more",
            "detach it in contract",
        ),
        _ => None,
    }
}

/// The plan that takes a column away. Out of sight it must not ask for a value that new code no
/// longer gives: contract refuses that.
fn without(case: &Case<'_>, table: &QName, column: &Ident) -> String {
    let (table_text, name) = (written(table), named(column));
    let drop = format!("  - drop_column: {{table: {}, column: {}}}\n", scalar(&table_text), scalar(&name));
    let known = case.table().and_then(|table| Some((table, table.column(column)?)));
    let Some((known, found)) = known.filter(|(_, found)| !found.kind.is_empty()) else {
        return format!(
            "contract:\n  # where it is NOT NULL and has no default, expand must drop its NOT NULL first: phase check \
             --online knows\n{drop}{CODE_GATE}keep: 7d\n"
        );
    };
    if !found.not_null || found.default.is_some() || found.filled.is_some() {
        return format!("contract:\n{drop}{CODE_GATE}keep: 7d\n");
    }
    if known.constraints.iter().any(|key| key.kind == 'p' && key.columns.contains(column)) {
        return format!(
            "contract:\n  # it is of the primary key, which goes with it, and cannot be kept out of sight: no keep, no way \
             back\n{drop}{CODE_GATE}"
        );
    }
    // SET NOT NULL would read every row, and fail on those that new code has written.
    let check = Ident::shortened("", &format!("{}_{}_not_null", table.name.as_str(), column.as_str()));
    let undo = format!(
        "ALTER TABLE {table_text} ADD CONSTRAINT {} CHECK ({name} IS NOT NULL) NOT VALID",
        named(&check)
    );
    format!(
        "expand:\n  - sql: {}\n    undo: {}\ncontract:\n{drop}{CODE_GATE}keep: 7d\n",
        scalar(&format!("ALTER TABLE {table_text} ALTER COLUMN {name} DROP NOT NULL")),
        scalar(&undo)
    )
}

/// Whether every INSERT must give the column a value.
fn wants_value(column: &NewColumn) -> bool {
    column.not_null && column.default.is_none() && !column.identity && column.generated.is_none()
}

fn made(case: &Case<'_>, table: &QName) -> bool {
    case.world.table(table).is_some_and(|table| table.made)
        || [Object::View, Object::Sequence].iter().any(|of| case.world.has_made(*of, table))
}

fn old_name() -> Option<Objection> {
    Objection::new(
        "the application that runs now knows the old name only: its statements fail from this moment on",
        "keep the old name until contract; a view or a type of the old name beside it may do, in the same step: then say so, lint: {allow: [{rule: expand-breaks-application, reason: …}]}",
    )
}

fn emptied() -> Option<Objection> {
    Objection::new(
        "the application that runs now still uses the rows: it finds none of them from this moment on",
        "delete them in contract, or batch by batch in a backfill",
    )
}

fn filled(what: &str, safe: String) -> Option<Objection> {
    Objection::new(
        format!(
            "the application that runs now may leave {what} null: its statements fail from this moment on"
        ),
        safe,
    )
}
