//! Owns the rule who may be in flight beside whom: no two items share a table
//! unless one depends on the other, and nobody gets ahead of what it builds on.

use crate::core::ident::plain;
use crate::core::record::{Kind, Record};
use crate::core::state::State;
use crate::core::timeline::Item;

/// Gives every reason why `item` may not go on to `to` beside the other items
/// on record, one sentence each.
#[must_use]
pub fn reasons(item: &Item, to: State, records: &[Record]) -> Vec<String> {
    let mut reasons: Vec<String> = item.depends_on.iter().filter_map(|on| behind(on, to, records)).collect();
    if to == State::Expanded {
        reasons.extend(records.iter().filter_map(|other| shares_a_table(item, other)));
    }
    reasons
}

/// Gives every reason why `item` may not be taken back: what builds on it and
/// is in flight, one sentence each.
#[must_use]
pub fn dependents(item: &Item, records: &[Record]) -> Vec<String> {
    records
        .iter()
        .filter(|other| other.in_flight() && other.depends_on.contains(&item.version))
        .map(|other| {
            format!(
                "{} depends on it and is {}: first run phase abort {}",
                other.stem(),
                other.state,
                other.version
            )
        })
        .collect()
}

fn behind(on: &crate::core::version::Version, to: State, records: &[Record]) -> Option<String> {
    let Some(record) = records.iter().find(|record| record.version == *on) else {
        return Some(format!("depends on {on}, which has not started: run phase expand"));
    };
    match record.state {
        State::Aborted => Some(format!("depends on {}, which was aborted", record.stem())),
        state if state >= to => None,
        state => Some(format!("depends on {}, which is {state} and not yet {to}", record.stem())),
    }
}

fn shares_a_table(item: &Item, other: &Record) -> Option<String> {
    let related = other.version == item.version
        || item.depends_on.contains(&other.version)
        || other.depends_on.contains(&item.version);
    if item.kind == Kind::Sql || other.kind == Kind::Sql || related || !other.in_flight() {
        return None;
    }
    let table =
        item.tables.iter().find(|table| other.tables.iter().any(|theirs| same_table(table, theirs)))?;
    Some(format!(
        "touches table {table}, which {} ({}) is changing: let it complete, or say depends_on: [{}] where the two belong together",
        other.stem(),
        other.state,
        other.version
    ))
}

/// Two spellings of one table: a name without a schema may stand for any.
#[must_use]
pub fn same_table(a: &str, b: &str) -> bool {
    use crate::core::ident::QName;
    match (QName::parse(a), QName::parse(b)) {
        (Ok(a), Ok(b)) => {
            a.name == b.name && (a.schema.is_none() || b.schema.is_none() || a.schema == b.schema)
        }
        _ => a == b,
    }
}

/// Gives every column that `item` would use and that an older plan, not over
/// yet, is going to take away, one sentence each.
#[must_use]
pub fn uses_what_goes(item: &Item, others: &[Item], records: &[Record]) -> Vec<String> {
    let over = |other: &Item| {
        let state = records.iter().find(|record| record.version == other.version).map(|record| record.state);
        matches!(state, Some(State::Completed | State::Aborted))
    };
    let older = others.iter().filter(|other| other.version < item.version && !over(other));
    let gone = older.flat_map(|other| other.drops.iter().map(move |column| (other, column)));
    gone.filter(|(_, (table, column))| {
        item.uses.iter().any(|(other, used)| used == column && same_table(&other.plain(), &table.plain()))
    })
    .map(|(other, (table, column))| {
        format!(
            "{}: it uses {}.{}, which {} takes away: let that one complete, or use what takes its place",
            item.file,
            table.plain(),
            plain(column),
            other.stem()
        )
    })
    .collect()
}
