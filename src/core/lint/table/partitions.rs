//! Rows of partitions and inheritance.

use super::bounds::{excluded, included};
use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::ident::QName;
use crate::core::lint::lock::Lock::{AccessExclusive, AccessShare, ShareRowExclusive, ShareUpdateExclusive};
use crate::core::lint::world::{Index, Table, World};
use crate::core::sql::{Alter, Bound, Change, PartitionKey};

const ATTACH: &[(Who, crate::core::lint::lock::Lock)] = &[
    (Who::Only, ShareUpdateExclusive),
    (Who::Partition, AccessExclusive),
    (Who::DefaultPartition, AccessExclusive),
    // The triggers of a foreign key that is there already are dropped, those of a new one made.
    (Who::Adopted, AccessExclusive),
    (Who::Cloned, ShareRowExclusive),
];

pub(super) const ROWS: &[Row] = &[
    light(
        "attach-partition-index",
        "ATTACH PARTITION of a table that lacks an index of the partitioned one",
        |case| attach(case).is_some_and(|of| of.lacks_index()),
        ATTACH,
        example(
            "CREATE INDEX ON p (k);
             CREATE TABLE u (id bigint NOT NULL, k integer, CHECK (id IS NOT NULL AND id >= 100 AND id < 200))",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    )
    .work(Work::BUILD)
    .hurts(
        "every index of the partitioned table that the new partition does not have is built on it while nobody reads or writes it",
        Safe::Advice(
            "first build the same index on {partition}, concurrently, for each index of {table}; then nothing is built",
        ),
    )
    .good(
        "expand:
  - index: {table: u, columns: [k]}
  - sql: ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)
    undo: ALTER TABLE p DETACH PARTITION u CONCURRENTLY
",
    ),
    light(
        "attach-partition-foreign-key",
        "ATTACH PARTITION of a table that lacks a foreign key of the partitioned one",
        |case| attach(case).is_some_and(|of| of.lacks_foreign_key()),
        ATTACH,
        example(
            "ALTER TABLE p ADD FOREIGN KEY (id) REFERENCES r (id);
             CREATE TABLE u (id bigint NOT NULL, k integer, CHECK (id IS NOT NULL AND id >= 100 AND id < 200))",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "every row of the new partition is looked up in the table that the foreign key refers to, while nobody reads or writes it",
        Safe::Advice(
            "first give {partition} the same foreign key, NOT VALID, and VALIDATE it; then nothing is looked up",
        ),
    )
    .good(
        "validate:
  - index: {table: u, columns: [id]}
  - sql: ALTER TABLE u ADD CONSTRAINT u_id FOREIGN KEY (id) REFERENCES r (id) NOT VALID
  - sql: ALTER TABLE u VALIDATE CONSTRAINT u_id
  - sql: ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)
",
    ),
    light(
        "attach-partition-default-proven",
        "ATTACH PARTITION beside a default partition, where valid CHECKs prove the bounds of both",
        |case| attach(case).is_some_and(|of| of.default().is_some() && of.default_excluded() && of.proven()),
        ATTACH,
        example(
            "CREATE TABLE pd PARTITION OF p DEFAULT;
             ALTER TABLE pd ADD CONSTRAINT pd_bounds CHECK (id IS NOT NULL AND NOT (id >= 100 AND id < 200));
             CREATE TABLE u (id bigint NOT NULL, k integer, CHECK (id IS NOT NULL AND id >= 100 AND id < 200))",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    ),
    light(
        "attach-partition-default",
        "ATTACH PARTITION beside a default partition",
        |case| attach(case).is_some_and(|of| of.default().is_some()),
        ATTACH,
        example(
            "CREATE TABLE pd PARTITION OF p DEFAULT; CREATE TABLE u (id bigint NOT NULL, k integer)",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "the default partition is read whole, to see that no row of it belongs here, while nobody reads or writes it",
        Safe::Advice(
            "give the default partition a CHECK that excludes the new bound (NOT VALID, then VALIDATE), and the new one \
             a CHECK that says the bound; then nothing is read",
        ),
    )
    .good(
        "validate:
  - sql: |
      ALTER TABLE pd ADD CONSTRAINT pd_bounds CHECK (id IS NOT NULL AND NOT (id >= 100 AND id < 200)) NOT VALID;
      ALTER TABLE u ADD CONSTRAINT u_bounds CHECK (id IS NOT NULL AND id >= 100 AND id < 200) NOT VALID
    undo: |
      ALTER TABLE pd DROP CONSTRAINT pd_bounds;
      ALTER TABLE u DROP CONSTRAINT u_bounds
  - sql: ALTER TABLE pd VALIDATE CONSTRAINT pd_bounds
  - sql: ALTER TABLE u VALIDATE CONSTRAINT u_bounds
  - sql: ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)
",
    ),
    light(
        "attach-partition-proven",
        "ATTACH PARTITION of a table whose valid CHECK proves its bounds",
        |case| attach(case).is_some_and(|of| of.proven()),
        ATTACH,
        example(
            "ALTER TABLE p ADD FOREIGN KEY (id) REFERENCES r (id);
             CREATE TABLE u (id bigint NOT NULL, k integer, CHECK (id IS NOT NULL AND id >= 100 AND id < 200),
             FOREIGN KEY (id) REFERENCES r (id))",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    ),
    light(
        "attach-partition",
        "ATTACH PARTITION",
        |case| matches!(case.alter(), Some(Alter::Attach { .. })),
        ATTACH,
        example(
            "CREATE TABLE u (id bigint NOT NULL, k integer, CHECK (id > 0))",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "every row of the new partition is read while nobody reads or writes it",
        Safe::Plan(
            "validate:
  - sql: «ALTER TABLE {partition} ADD CONSTRAINT {bounds} CHECK (CONDITION) NOT VALID»
    undo: «ALTER TABLE {partition} DROP CONSTRAINT {bounds}»
  - sql: «ALTER TABLE {partition} VALIDATE CONSTRAINT {bounds}»
  # then the ATTACH PARTITION as it is, here
",
        ),
    )
    .good(
        "validate:
  - sql: ALTER TABLE u ADD CONSTRAINT u_bounds CHECK (id IS NOT NULL AND id >= 100 AND id < 200) NOT VALID
    undo: ALTER TABLE u DROP CONSTRAINT u_bounds
  - sql: ALTER TABLE u VALIDATE CONSTRAINT u_bounds
  - sql: ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)
",
    ),
    light(
        "detach-partition-concurrently",
        "DETACH PARTITION CONCURRENTLY",
        |case| matches!(case.alter(), Some(Alter::Detach { concurrently: true, .. })),
        // The partition is locked whole by the second of its two transactions, which waits
        // for whoever reads it by its own name.
        &[(Who::Only, ShareUpdateExclusive), (Who::Partition, AccessExclusive)],
        example("", "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"),
    )
    .since(14)
    .alone(),
    light(
        "detach-partition-13",
        "DETACH PARTITION on PostgreSQL 13",
        |case| case.world.major() < 14 && matches!(case.alter(), Some(Alter::Detach { .. })),
        &[(Who::Only, AccessExclusive), (Who::Partition, ShareUpdateExclusive), (Who::DefaultPartition, AccessExclusive)],
        example("", "ALTER TABLE p DETACH PARTITION p1"),
    )
    .until(13)
    .hurts(
        "nobody reads or writes the partitioned table until the step commits, and it waits behind the oldest query on any partition",
        Safe::Advice("PostgreSQL 13 cannot detach concurrently: choose a quiet moment, alone in its step, with a short lock_timeout"),
    ),
    light(
        "detach-partition-beside-default",
        "DETACH PARTITION beside a default partition",
        beside_default,
        &[(Who::Only, AccessExclusive), (Who::Partition, AccessExclusive), (Who::DefaultPartition, AccessExclusive)],
        example("CREATE TABLE pd PARTITION OF p DEFAULT", "ALTER TABLE p DETACH PARTITION p1"),
    )
    .since(14)
    .hurts(
        "nobody reads or writes the partitioned table until the step commits, and it waits behind the oldest query on any partition; \
         PostgreSQL detaches nothing concurrently from a table with a default partition",
        Safe::Advice("choose a quiet moment, alone in its step, with a short lock_timeout"),
    ),
    light(
        "detach-partition",
        "DETACH PARTITION without CONCURRENTLY",
        |case| matches!(case.alter(), Some(Alter::Detach { .. })),
        &[(Who::Only, AccessExclusive), (Who::Partition, AccessExclusive)],
        example("", "ALTER TABLE p DETACH PARTITION p1"),
    )
    .since(14)
    .hurts(
        "nobody reads or writes the partitioned table until the step commits, and it waits behind the oldest query on any partition",
        Safe::Plan(
            "contract:\n  - sql: «ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY»\n    undo: irreversible\n{code_gate}",
        ),
    )
    .back("ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY"),
    light(
        "create-partition-default",
        "CREATE TABLE … PARTITION OF beside a default partition",
        reads_default,
        &[(Who::Parent, AccessExclusive), (Who::DefaultPartition, AccessExclusive), (Who::Cloned, ShareRowExclusive)],
        example(
            "CREATE TABLE pd PARTITION OF p DEFAULT",
            "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "the default partition is read whole, to see that no row of it belongs into the new one, while nobody reads or writes either it or the partitioned table",
        Safe::Advice(
            "first prove by a CHECK on the default partition (NOT VALID, then VALIDATE) that it has no row of the new range; \
             then nothing is read",
        ),
    )
    .good(
        "validate:
  - sql: ALTER TABLE pd ADD CONSTRAINT pd_bounds CHECK (id IS NOT NULL AND NOT (id >= 100 AND id < 200)) NOT VALID
    undo: ALTER TABLE pd DROP CONSTRAINT pd_bounds
  - sql: ALTER TABLE pd VALIDATE CONSTRAINT pd_bounds
  - sql: CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)
",
    ),
    light(
        "create-partition",
        "CREATE TABLE … PARTITION OF",
        |case| matches!(case.change, Change::CreateTable { partition_of: Some(_), .. }),
        &[(Who::Parent, AccessExclusive), (Who::DefaultPartition, AccessExclusive), (Who::Cloned, ShareRowExclusive)],
        example("ALTER TABLE p ADD FOREIGN KEY (id) REFERENCES r (id)", "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)"),
    ),
    light(
        "create-inheriting",
        "CREATE TABLE … INHERITS",
        |case| matches!(case.change, Change::CreateTable { inherits, .. } if !inherits.is_empty()),
        &[(Who::Parent, ShareUpdateExclusive)],
        example("", "CREATE TABLE child () INHERITS (r)"),
    ),
    light(
        "inherit",
        "INHERIT, NO INHERIT",
        |case| matches!(case.alter(), Some(Alter::Inherit(_))),
        &[(Who::Only, AccessExclusive), (Who::Parent, ShareUpdateExclusive)],
        example("CREATE TABLE child (id bigint NOT NULL, x integer)", "ALTER TABLE child INHERIT r"),
    ),
    light(
        "create-table-like",
        "CREATE TABLE … LIKE, CREATE TABLE AS, SELECT INTO",
        |case| matches!(case.change, Change::CreateTable { reads, .. } if !reads.is_empty()),
        &[(Who::Reads, AccessShare)],
        example("", "CREATE TABLE u (LIKE t INCLUDING ALL)"),
    ),
];

/// An ATTACH PARTITION, and what is known of its tables.
struct Attach<'a> {
    parent: Option<&'a Table>,
    partition: Option<&'a Table>,
    bound: &'a Bound,
    world: &'a World,
}

fn attach<'a>(case: &Case<'a>) -> Option<Attach<'a>> {
    let Some(Alter::Attach { partition, bound: Some(bound) }) = case.alter() else { return None };
    Some(Attach { parent: case.table(), partition: case.world.table(partition), bound, world: case.world })
}

impl<'a> Attach<'a> {
    fn lacks_index(&self) -> bool {
        let has = |wanted: &Index| {
            self.partition.is_some_and(|table| table.indexes.iter().any(|index| index.serves(wanted)))
        };
        self.parent.is_some_and(|parent| !parent.indexes.iter().all(has))
    }

    fn lacks_foreign_key(&self) -> bool {
        let mut keys = self.parent.into_iter().flat_map(|parent| &parent.constraints);
        keys.any(|key| key.kind == 'f' && !self.partition.is_some_and(|table| table.obeys(key)))
    }

    fn default(&self) -> Option<&'a QName> {
        self.parent.and_then(|parent| parent.default_partition.as_ref())
    }

    fn default_excluded(&self) -> bool {
        let default = self.default().and_then(|name| self.world.table(name));
        let known = default.zip(self.parent.and_then(|parent| parent.key.as_ref()));
        known.is_some_and(|(default, key)| excluded(default, key, self.bound, self.world.utc()))
    }

    fn proven(&self) -> bool {
        let Some(partition) = self.partition else { return false };
        let included = |key: &PartitionKey| included(partition, key, self.bound, self.world.utc());
        match self.parent.and_then(|parent| parent.key.as_ref().map(|key| (parent, key))) {
            // The first default partition takes whatever there is.
            Some((parent, _)) if *self.bound == Bound::Default => parent.partitions.is_empty(),
            Some((_, key)) => included(key),
            // Without a catalog nobody knows the key; a CHECK of the plan that says the bound is for it.
            None if !self.world.complete => {
                let columns = partition.constraints.iter().flat_map(|known| &known.columns);
                columns.map(PartitionKey::of).any(|key| included(&key))
            }
            None => false,
        }
    }
}

/// Whether a table becomes a partition beside a default one that is to be read for it.
fn beside_default(case: &Case<'_>) -> bool {
    let Some(Alter::Detach { concurrently: false, .. }) = case.alter() else { return false };
    case.table().is_some_and(|table| table.default_partition.is_some())
}

fn reads_default(case: &Case<'_>) -> bool {
    let Change::CreateTable { partition_of: Some((parent, _)), bound: Some(bound), .. } = case.change else {
        return false;
    };
    let Some(parent) = case.world.table(parent) else { return false };
    let Some(default) = &parent.default_partition else { return false };
    let known = case.world.table(default).zip(parent.key.as_ref());
    !known.is_some_and(|(default, key)| excluded(default, key, bound, case.world.utc()))
}
