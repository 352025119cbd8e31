//! Rows of constraints of partitioned tables.

use super::constraints::foreign;
use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::{AccessExclusive, Share, ShareRowExclusive};
use crate::core::lint::outline::constraint;
use crate::core::lint::world::Table;
use crate::core::sql::Demand;

const UNIQUE: &[(Who, crate::core::lint::lock::Lock)] =
    &[(Who::Only, AccessExclusive), (Who::Below, Share), (Who::BelowFrom18, AccessExclusive)];

/// A primary key sets NOT NULL as well, which locks the partitions before their indexes are built.
const PRIMARY: &[(Who, crate::core::lint::lock::Lock)] = &[(Who::This, AccessExclusive)];

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
        "add-primary-key-attached",
        "ADD PRIMARY KEY over a column that may be null to a partitioned table whose partitions all have it",
        |case| primary(case) && !keys_not_null(case) && parts_have_index(case),
        PRIMARY,
        example(
            "CREATE TABLE q (id bigint) PARTITION BY RANGE (id);
             CREATE TABLE q1 PARTITION OF q (CONSTRAINT k1 PRIMARY KEY (id)) FOR VALUES FROM (0) TO (100);
             INSERT INTO q SELECT g FROM generate_series(1, 50) g",
            "ALTER TABLE q ADD CONSTRAINT k PRIMARY KEY (id)",
        ),
    ),
    light(
        "add-primary-key-partitioned",
        "ADD PRIMARY KEY to a partitioned table, over a column that may be null",
        |case| primary(case) && !keys_not_null(case),
        PRIMARY,
        example(
            "CREATE TABLE q (id bigint) PARTITION BY RANGE (id);
             CREATE TABLE q1 PARTITION OF q FOR VALUES FROM (0) TO (100);
             INSERT INTO q SELECT g FROM generate_series(1, 50) g",
            "ALTER TABLE q ADD CONSTRAINT k PRIMARY KEY (id)",
        ),
    )
    .work(Work { rewrites: false, scans: true, builds: true })
    .hurts(
        "every partition is read for nulls and gets an index, one after the other, while nobody reads or writes any of them",
        Safe::Plan(
            "validate:
{key_nulls}{key_parts}  - sql: «{whole}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
",
        ),
    )
    .good(
        "validate:
  - not_null: {table: q, column: id}
  - sql: CREATE UNIQUE INDEX CONCURRENTLY q1_k ON q1 USING btree (id)
    undo: DROP INDEX CONCURRENTLY q1_k
  - sql: ALTER TABLE q1 ADD CONSTRAINT q1_k PRIMARY KEY USING INDEX q1_k
    undo: ALTER TABLE q1 DROP CONSTRAINT q1_k
  - sql: ALTER TABLE q ADD CONSTRAINT k PRIMARY KEY (id)
    undo: ALTER TABLE q DROP CONSTRAINT k
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

/// Whether a partitioned table gets a primary key with an index of its own.
fn primary(case: &Case<'_>) -> bool {
    case.partitioned() && case.added().is_some_and(|added| added.demand == Demand::Primary)
}

/// Whether the columns of the key are known to hold no null in the partitioned table.
fn keys_not_null(case: &Case<'_>) -> bool {
    let (Some(added), Some(table)) = (case.added(), case.table()) else { return false };
    added.columns.iter().all(|column| table.proves_not_null(column))
}

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
