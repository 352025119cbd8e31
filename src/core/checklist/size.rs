//! Answers whether the last rehearsal was on data of production's size: table by table, by
//! what it counted and what the catalog tells.

use super::{Answer, Known, Told};
use crate::core::brief::count;
use crate::core::conflict::same_table;
use crate::core::lint::Table;
use crate::core::rehearse::{SHARE, there};

impl Known<'_> {
    pub(super) fn size(&self) -> Told {
        let Some(record) = self.record else {
            return (Answer::Unknown, "rehearsals stand in the record: ask with a database".into());
        };
        let Some(outcome) = record.rehearsal.filter(|outcome| outcome.checksum == self.item.checksum) else {
            let version = &self.item.version;
            return (Answer::No, format!("it was not rehearsed: phase rehearse {version} --on a clone"));
        };
        let sizes = outcome.sizes();
        let known = sizes.iter().filter_map(|rows| {
            let table = self.production(&rows.table)?;
            Some((rows, table, rows.share(table.rows, table.bytes)?))
        });
        let Some((rows, table, share)) = known.min_by(|(.., a), (.., b)| a.total_cmp(b)) else {
            return (
                Answer::Unknown,
                "the catalog tells no size of the tables that it was rehearsed on".into(),
            );
        };
        let here = there(table.rows, table.bytes).unwrap_or_default();
        let told = format!("{} rows of {} in the rehearsal, {here} here", count(rows.rows), rows.table);
        (if share < SHARE { Answer::No } else { Answer::Yes }, told)
    }

    /// What the catalog tells of a table.
    fn production(&self, name: &str) -> Option<&Table> {
        let tables = || self.world.tables.iter();
        let named = tables().find(|(known, _)| known.plain() == name);
        named
            .or_else(|| tables().find(|(known, _)| same_table(&self.item.path, &known.plain(), name)))
            .map(|(_, table)| table)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Recorded;
    use super::*;
    use crate::core::ident::QName;
    use crate::core::lint::World;
    use crate::core::rehearse::{Outcome, Rows};
    use crate::core::state::State;
    use crate::core::testing;
    use crate::core::timeline::Item;

    fn told(outcome: &Outcome, tables: &[(&str, Option<u64>, Option<u64>)]) -> Told {
        let item = Item { checksum: "this".into(), ..testing::item("1_x", "validate:\n  - sql: SELECT 1\n") };
        let mut world = World::offline(180_000);
        for (name, rows, bytes) in tables {
            let table = Table { rows: *rows, bytes: *bytes, ..Table::default() };
            world.tables.insert(QName::parse(name).unwrap(), table);
        }
        let record = Some(Recorded { state: State::Planned, markers: &[], rehearsal: Some(outcome) });
        Known { item: &item, findings: &[], world: &world, record }.size()
    }

    fn outcome(tables: Vec<Rows>) -> Outcome {
        Outcome {
            passed: true,
            checksum: "this".into(),
            server: 180_000,
            clone: true,
            largest: Some("public.t".into()),
            rows: 500,
            tables,
            round_trips: 1,
        }
    }

    fn rows(table: &str, rows: i64, bytes: u64) -> Rows {
        Rows { table: table.into(), rows, bytes: Some(bytes), target_rows: None, target_bytes: None }
    }

    #[test]
    fn every_table_counts_and_the_one_that_falls_short_most_is_named() {
        let both = outcome(vec![rows("t", 5_000, 1), rows("u", 10, 1)]);
        let (answer, why) = told(&both, &[("t", Some(5_000), None), ("u", Some(1_000_000), None)]);
        assert_eq!(
            (answer, why.as_str()),
            (Answer::No, "10 rows of u in the rehearsal, about 1,000,000 here")
        );
        assert_eq!(told(&both, &[("t", Some(10_000), None), ("u", Some(20), None)]).0, Answer::Yes);
        assert_eq!(told(&both, &[]).0, Answer::Unknown);
    }

    #[test]
    fn where_nobody_counted_rows_bytes_tell() {
        let outcome = outcome(vec![rows("t", 5_000, 1_000_000)]);
        assert_eq!(told(&outcome, &[("t", None, Some(9_000_000))]).0, Answer::No);
        assert_eq!(told(&outcome, &[("t", None, Some(1_900_000))]).0, Answer::Yes);
    }

    #[test]
    fn a_note_of_an_older_version_knows_the_largest_table() {
        for (there, answer) in [(1_001, Answer::No), (1_000, Answer::Yes)] {
            assert_eq!(told(&outcome(Vec::new()), &[("t", Some(there), None)]).0, answer);
        }
    }
}
