//! Hands the sequence or the identity of a key over to the column that takes its place, and lets
//! it count on past the end of the old type.

use super::both;
use crate::core::ident::{Ident, QName, literal};
use crate::core::recipe::carried::Carried;
use crate::core::recipe::draft::Draft;
use crate::core::recipe::known::{Column, Sequence};

/// Writes what hands the numbers of a column over in the exchange.
pub(super) fn hand_over(
    draft: &Draft<'_>,
    table: &QName,
    old: &Column,
    shadow: &Ident,
    kind: &str,
    around: &mut Carried,
) {
    let (Some(numbers), Ok(name)) = (&old.numbers, Ident::exact(old.name.clone())) else { return };
    let Some(identity) = old.identity.as_deref() else {
        let owned = |column: &Ident| format!("ALTER SEQUENCE {} OWNED BY {table}.{column}", numbers.name);
        return both(&mut around.first, owned(shadow), owned(&name));
    };
    // An identity has its sequence for itself: another one of the same name goes on where it was.
    let beside = table.sibling(draft.own_name(&format!("numbers_{}", old.name)));
    let who = if identity == "a" { "ALWAYS" } else { "BY DEFAULT" };
    let moved = |from: &Ident, to: &Ident, kind: &str| {
        let alter = |column: &Ident| format!("ALTER TABLE {table} ALTER COLUMN {column}");
        let mut sql = vec![
            format!("CREATE SEQUENCE {beside} AS {kind} MINVALUE {} MAXVALUE {}", numbers.min, numbers.max),
            goes_on(&beside.to_string(), &numbers.name),
            format!("{} DROP IDENTITY", alter(from)),
            format!("{} ADD GENERATED {who} AS IDENTITY ({})", alter(to), numbers.options()),
            goes_on(&numbers.name, &beside.to_string()),
            format!("DROP SEQUENCE {beside}"),
        ];
        sql.extend(numbers.grants.iter().map(|grant| grant.on_sequence(&numbers.name)));
        let comment = numbers.comment.as_deref().map(literal);
        sql.extend(comment.map(|comment| format!("COMMENT ON SEQUENCE {} IS {comment}", numbers.name)));
        sql
    };
    around.first.there.extend(moved(&name, shadow, kind));
    around.first.back.splice(0..0, moved(shadow, &name, &old.kind));
}

/// Lets a sequence go on where another is.
fn goes_on(sequence: &str, other: &str) -> String {
    format!(
        "SELECT setval({}, (SELECT last_value FROM {other}), (SELECT is_called FROM {other}))",
        literal(sequence)
    )
}

/// Lets the sequence of a key count as far as the new type goes, and what takes that back; `None`
/// where there is none, or where it does already.
pub(super) fn raise(table: &QName, column: &Column, kind: &str) -> Option<(String, String)> {
    let numbers = column.numbers.as_ref()?;
    let name = Ident::exact(column.name.clone()).ok()?;
    let (min, max) = numbers.widened(kind);
    let Sequence { name: sequence, kind: old, .. } = numbers;
    if column.identity.is_some() {
        let set = |min: i64, max: i64| {
            format!("ALTER TABLE {table} ALTER COLUMN {name} SET MINVALUE {min} SET MAXVALUE {max}")
        };
        return ((min, max) != (numbers.min, numbers.max))
            .then(|| (set(min, max), set(numbers.min, numbers.max)));
    }
    let alter = |kind: &str, min: i64, max: i64| {
        format!("ALTER SEQUENCE {sequence} AS {kind} MINVALUE {min} MAXVALUE {max}")
    };
    let wider = (kind, min, max) != (old.as_str(), numbers.min, numbers.max) && old != "bigint";
    wider.then(|| (alter(kind, min, max), alter(old, numbers.min, numbers.max)))
}
