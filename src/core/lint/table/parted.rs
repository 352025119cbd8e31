//! Rows of constraints of partitioned tables.

use super::constraints::foreign;
use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::{AccessExclusive, Share, ShareRowExclusive};
use crate::core::lint::outline::constraint;
use crate::core::lint::world::Table;

const UNIQUE: &[(Who, crate::core::lint::lock::Lock)] =
    &[(Who::Only, AccessExclusive), (Who::Below, Share), (Who::BelowFrom18, AccessExclusive)];

pub(super) const ROWS: &[Row] = &[
    light(
        "add-foreign-key-attached",
        "ADD FOREIGN KEY to a partitioned table whose partitions all have it",
        |case| key_of_parts(case) && parts_have_key(case),
        // The triggers of the partitions' own keys give way to those of the new one.
        &[(Who::This, ShareRowExclusive), (Who::Referenced, AccessExclusive)],
        example(
            "ALTER TABLE p1 ADD CONSTRAINT k1 FOREIGN KEY (id) REFERENCES r (id)",
            "ALTER TABLE p ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES r (id)",
        ),
    ),
    light(
        "add-foreign-key-partitioned",
        "ADD FOREIGN KEY to a partitioned table",
        key_of_parts,
        &[(Who::This, ShareRowExclusive), (Who::Referenced, ShareRowExclusive)],
        example("", "ALTER TABLE p ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES r (id)"),
    )
    .work(Work::SCAN)
    .hurts(
        "every row of every partition is looked up in the other table while nobody writes any of them",
        Safe::Plan(
            "validate:
{key_parts}  - sql: «{whole}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
",
        ),
    )
    .good(
        "validate:
  - index: {table: p1, columns: [id]}
  - sql: ALTER TABLE p1 ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES r (id) NOT VALID
    undo: ALTER TABLE p1 DROP CONSTRAINT k
  - sql: ALTER TABLE p1 VALIDATE CONSTRAINT k
  - sql: ALTER TABLE p ADD CONSTRAINT k FOREIGN KEY (id) REFERENCES r (id)
    undo: ALTER TABLE p DROP CONSTRAINT k
",
    ),
    light(
        "add-unique-attached",
        "ADD UNIQUE, PRIMARY KEY to a partitioned table whose partitions all have it",
        |case| case.partitioned() && parts_have_index(case),
        UNIQUE,
        example("ALTER TABLE p1 ADD CONSTRAINT k1 UNIQUE (id)", "ALTER TABLE p ADD CONSTRAINT k UNIQUE (id)"),
    ),
    light(
        "add-unique-partitioned",
        "ADD UNIQUE, PRIMARY KEY to a partitioned table",
        |case| case.partitioned() && case.added().is_some_and(|added| added.index.is_some()),
        UNIQUE,
        example("", "ALTER TABLE p ADD CONSTRAINT k UNIQUE (id)"),
    )
    .work(Work::BUILD)
    .hurts(
        "an index is built on every partition, one after the other, while nobody reads or writes any of them",
        Safe::Plan(
            "validate:
{key_nulls}{key_parts}  - sql: «{whole}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
",
        ),
    )
    .good(
        "validate:
  - sql: CREATE UNIQUE INDEX CONCURRENTLY p1_k ON p1 USING btree (id)
    undo: DROP INDEX CONCURRENTLY p1_k
  - sql: ALTER TABLE p1 ADD CONSTRAINT p1_k UNIQUE USING INDEX p1_k
    undo: ALTER TABLE p1 DROP CONSTRAINT p1_k
  - sql: ALTER TABLE p ADD CONSTRAINT k UNIQUE (id)
    undo: ALTER TABLE p DROP CONSTRAINT k
",
    ),
];

/// Whether a partitioned table gets a foreign key that its rows must obey at once.
fn key_of_parts(case: &Case<'_>) -> bool {
    foreign(case) && case.partitioned() && case.added().is_some_and(|added| !added.not_valid)
}

/// What is known of the partitions of the subject; `None`: there is one that is not known.
fn parts<'a>(case: &Case<'a>) -> Option<Vec<&'a Table>> {
    let parts = case.table()?.partitions.iter();
    parts.map(|name| case.world.table(name)).collect()
}

/// Whether every partition has the foreign key already, and obeys it.
fn parts_have_key(case: &Case<'_>) -> bool {
    let Some(added) = case.added() else { return false };
    let key = constraint(added, true);
    parts(case).is_some_and(|parts| parts.iter().all(|part| part.obeys(&key)))
}

/// Whether every partition has the constraint's index already, under a constraint of its own.
fn parts_have_index(case: &Case<'_>) -> bool {
    let Some(index) = case.added().and_then(|added| added.index.as_ref()) else { return false };
    let has = |part: &&Table| {
        part.indexes.iter().any(|own| own.unique && own.constraint && own.shape == index.shape)
    };
    parts(case).is_some_and(|parts| parts.iter().all(has))
}
