//! Owns the holds: how long a transaction of a step kept others out of a table, by the times
//! of its statements.

use std::collections::BTreeMap;
use std::time::Duration;

use super::look::{Name, Sighting};
use crate::core::brief::brief;
use crate::core::lint::Lock;

/// The longest that each relation was held in a mode that queries or writes wait for, from
/// the beginning of the statement that took it to the end of its transaction.
#[must_use]
pub(super) fn holds(seen: &[Sighting]) -> BTreeMap<Name, Duration> {
    let mut longest: BTreeMap<Name, Duration> = BTreeMap::new();
    for (n, one) in seen.iter().enumerate() {
        let later = seen[n + 1..].iter().take_while(|later| !later.begins);
        let whole: Duration = one.took + later.map(|later| later.took).sum::<Duration>();
        let in_the_way = one.taken.iter().filter(|(_, lock)| lock.blocks_reads() || lock.blocks_writes());
        for (name, _) in in_the_way.filter(|(name, _)| !one.indexes.contains(*name)) {
            let looked = one.spans.as_ref().map(|spans| spans.get(name).copied().unwrap_or_default());
            let (held, entry) = (looked.unwrap_or(whole), longest.entry(name.clone()).or_default());
            *entry = (*entry).max(held);
        }
    }
    longest
}

/// What is wrong with a hold that is longer than `limit`, and what to do about it.
pub(super) fn too_long(relation: &str, lock: Lock, [held, limit]: [Duration; 2], alone: bool) -> String {
    let comes = if alone {
        "whoever comes meanwhile waits as long, or ends it"
    } else {
        "whoever waits behind it for as long ends it, and after five times it fails"
    };
    format!(
        "{} on {relation} was held for {}, longer than lock_timeout ({}): {comes}. Take the long part out from under the \
         lock (a step of its own, NOT VALID and VALIDATE CONSTRAINT, a concurrent index, a backfill), or set a \
         lock_timeout that the application can bear",
        lock.name(),
        brief(held),
        brief(limit)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &str) -> Name {
        Name { schema: "public".into(), name: name.into(), visible: true }
    }

    fn seen(begins: bool, took: u64, taken: &[(&str, Lock)]) -> Sighting {
        Sighting {
            begins,
            took: Duration::from_millis(took),
            taken: taken.iter().map(|(table, lock)| (name(table), *lock)).collect(),
            ..Sighting::default()
        }
    }

    #[test]
    fn a_lock_is_held_from_its_statement_to_the_end_of_its_transaction() {
        let seen = [
            seen(true, 100, &[("t", Lock::RowExclusive)]),
            seen(false, 20, &[("u", Lock::Share), ("v", Lock::ShareUpdateExclusive)]),
            seen(false, 3, &[("t", Lock::AccessExclusive)]),
            seen(true, 4_000, &[("u", Lock::Share)]),
            seen(true, 5_000, &[]),
        ];
        let held: Vec<(String, u128)> =
            holds(&seen).into_iter().map(|(name, held)| (name.name, held.as_millis())).collect();
        assert_eq!(held, [("t".to_owned(), 3), ("u".to_owned(), 4_000)]);
    }

    #[test]
    fn a_command_that_was_looked_at_all_the_time_has_its_own() {
        let mut one = seen(true, 9_000, &[("t", Lock::AccessExclusive), ("u", Lock::AccessExclusive)]);
        one.spans = Some([(name("t"), Duration::from_millis(7))].into());
        let held: Vec<u128> = holds(&[one]).values().map(Duration::as_millis).collect();
        assert_eq!(held, [7, 0]);
    }
}
