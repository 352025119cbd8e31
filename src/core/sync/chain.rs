//! Owns which syncs of one table may stand beside each other. Each is one BEFORE trigger that fires
//! once for a row, in the order of their names: what a later one writes, an earlier one never sees.
//!
//! | the one before | the one after | |
//! |---|---|---|
//! | writes a column | writes it too | refused: each would undo the other |
//! | reads a column | writes it | refused: the first has run before it changes |
//! | writes a column | reads it, and leads back | refused: what it writes back never reaches the first |
//! | writes a column | reads it, one way | fine: it sees what the first has written |
//! | reads a column | reads it too | fine |

use std::collections::BTreeSet;

use super::Sync;
use crate::core::ident::{Ident, plain};

impl Sync {
    /// The columns that it writes.
    pub(crate) fn writes(&self) -> BTreeSet<&Ident> {
        self.forward.iter().chain(&self.back).map(|computed| &computed.column).collect()
    }

    /// The columns that it reads.
    pub(crate) fn reads(&self) -> BTreeSet<&Ident> {
        self.forward.iter().chain(&self.back).flat_map(|computed| &computed.inputs).collect()
    }

    /// Whether it fills a new column from others, and not with a constant, which a default may be as well.
    pub(crate) fn fills_from_others(&self, column: &Ident) -> bool {
        self.forward.iter().any(|computed| computed.column == *column && !computed.inputs.is_empty())
    }

    /// Whether it writes old columns as well.
    pub(crate) const fn leads_back(&self) -> bool {
        !self.back.is_empty()
    }
}

/// Why the second of two syncs, in the order in which they fire, may not stand beside the first.
#[must_use]
pub fn refusal(first: &Sync, second: &Sync) -> Option<String> {
    if first.spec.table != second.spec.table {
        return None;
    }
    let table = first.spec.table.plain();
    let shared = |a: BTreeSet<&Ident>, b: BTreeSet<&Ident>| {
        a.intersection(&b).next().map(|column| format!("{table}.{}", plain(column)))
    };
    if let Some(column) = shared(first.writes(), second.writes()) {
        return Some(format!("another sync writes {column} too, and each would undo the other"));
    }
    if let Some(column) = shared(first.reads(), second.writes()) {
        return Some(format!(
            "the sync before it reads {column}, which this one writes, and has run before it changes: put this one first"
        ));
    }
    if second.leads_back()
        && let Some(column) = shared(first.writes(), second.reads())
    {
        return Some(format!(
            "it leads back from {column}, which another sync keeps, and nothing would reach the columns before that"
        ));
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::core::ident::QName;
    use crate::core::plan::model::SyncSpec;

    fn sync(set: &[(&str, &str)], back: &[(&str, &str)]) -> Sync {
        let columns = |of: &[(&str, &str)]| {
            of.iter().map(|(name, expr)| (Ident::parse(name).unwrap(), (*expr).to_owned())).collect()
        };
        let spec = SyncSpec { table: QName::parse("t").unwrap(), set: columns(set), back: columns(back) };
        Sync::new(&spec, "7", 1).unwrap()
    }

    #[test]
    fn the_table_holds() {
        let both = sync(&[("b", "a")], &[("a", "b")]);
        for (first, second, part) in [
            (&both, sync(&[("c", "b")], &[("b", "c")]), "t.b too, and each would undo"),
            (&sync(&[("c", "b")], &[]), both.clone(), "put this one first"),
            (&sync(&[("b", "a")], &[]), sync(&[("c", "x")], &[("x", "b || c")]), "leads back from t.b"),
            (&both, sync(&[], &[("e", "a")]), "leads back from t.a"),
        ] {
            let refusal = refusal(first, &second).unwrap_or_default();
            assert!(refusal.contains(part), "{refusal}");
        }
        for (first, second) in [
            (&both, sync(&[("c", "b")], &[])),
            (&both, sync(&[("d", "c")], &[("c", "d")])),
            (&sync(&[("b", "a")], &[]), sync(&[("c", "a")], &[])),
        ] {
            assert_eq!(refusal(first, &second), None);
        }
    }
}
