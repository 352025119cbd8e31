//! Rows of partitions and inheritance.

use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::ident::QName;
use crate::core::lint::lock::Lock::{AccessExclusive, AccessShare, ShareUpdateExclusive};
use crate::core::sql::{Alter, Change};

pub(super) const ROWS: &[Row] = &[
    light(
        "attach-partition-default-proven",
        "ATTACH PARTITION beside a default partition, where valid CHECKs prove the bounds of both",
        |case| attached(case).is_some_and(|partition| default_checked(case) && checked(case, partition)),
        &[
            (Who::Only, ShareUpdateExclusive),
            (Who::Partition, AccessExclusive),
            (Who::DefaultPartition, AccessExclusive),
        ],
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
        |case| attached(case).is_some() && default_partition(case),
        &[
            (Who::Only, ShareUpdateExclusive),
            (Who::Partition, AccessExclusive),
            (Who::DefaultPartition, AccessExclusive),
        ],
        example(
            "CREATE TABLE pd PARTITION OF p DEFAULT; CREATE TABLE u (id bigint NOT NULL, k integer)",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "the default partition is read whole, to see that no row of it belongs here, while nobody reads or writes it",
        Safe::Advice(
            "give the default partition a CHECK that excludes the new range (NOT VALID, then VALIDATE), and the new one \
             a CHECK that includes it; then nothing is read",
        ),
    )
    .good(
        "expand:
  - sql: |
      ALTER TABLE pd ADD CONSTRAINT pd_bounds CHECK (id IS NOT NULL AND NOT (id >= 100 AND id < 200)) NOT VALID;
      ALTER TABLE u ADD CONSTRAINT u_bounds CHECK (id IS NOT NULL AND id >= 100 AND id < 200) NOT VALID
    undo: |
      ALTER TABLE pd DROP CONSTRAINT pd_bounds;
      ALTER TABLE u DROP CONSTRAINT u_bounds
validate:
  - sql: ALTER TABLE pd VALIDATE CONSTRAINT pd_bounds
  - sql: ALTER TABLE u VALIDATE CONSTRAINT u_bounds
  - sql: ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)
",
    ),
    light(
        "attach-partition-proven",
        "ATTACH PARTITION of a table whose valid CHECK proves its bounds",
        |case| attached(case).is_some_and(|partition| checked(case, partition)),
        &[(Who::Only, ShareUpdateExclusive), (Who::Partition, AccessExclusive)],
        example(
            "CREATE TABLE u (id bigint NOT NULL, k integer, CHECK (id IS NOT NULL AND id >= 100 AND id < 200))",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    ),
    light(
        "attach-partition",
        "ATTACH PARTITION",
        |case| attached(case).is_some(),
        &[(Who::Only, ShareUpdateExclusive), (Who::Partition, AccessExclusive)],
        example(
            "CREATE TABLE u (id bigint NOT NULL, k integer)",
            "ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "every row of the new partition is read while nobody reads or writes it",
        Safe::Plan(
            "expand:
  - sql: ALTER TABLE {partition} ADD CONSTRAINT {partition}_bounds CHECK (BOUNDS) NOT VALID
    undo: ALTER TABLE {partition} DROP CONSTRAINT {partition}_bounds
  - sql: ALTER TABLE {partition} VALIDATE CONSTRAINT {partition}_bounds
    undo: irreversible
  - sql: ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES …
    undo: ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY
",
        ),
    )
    .good(
        "expand:
  - sql: ALTER TABLE u ADD CONSTRAINT u_bounds CHECK (id IS NOT NULL AND id >= 100 AND id < 200) NOT VALID
    undo: ALTER TABLE u DROP CONSTRAINT u_bounds
validate:
  - sql: ALTER TABLE u VALIDATE CONSTRAINT u_bounds
  - sql: ALTER TABLE p ATTACH PARTITION u FOR VALUES FROM (100) TO (200)
",
    ),
    light(
        "detach-partition-concurrently",
        "DETACH PARTITION CONCURRENTLY",
        |case| matches!(case.alter(), Some(Alter::Detach { concurrently: true, .. })),
        &[(Who::Only, ShareUpdateExclusive), (Who::Partition, ShareUpdateExclusive)],
        example("", "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY"),
    )
    .since(14)
    .alone(),
    light(
        "detach-partition-13",
        "DETACH PARTITION on PostgreSQL 13",
        |case| case.world.major() < 14 && matches!(case.alter(), Some(Alter::Detach { .. })),
        &[(Who::Only, AccessExclusive), (Who::Partition, ShareUpdateExclusive)],
        example("", "ALTER TABLE p DETACH PARTITION p1"),
    )
    .until(13)
    .hurts(
        "nobody reads or writes the partitioned table until the step commits, and it waits behind the oldest query on any partition",
        Safe::Advice("PostgreSQL 13 cannot detach concurrently: choose a quiet moment, alone in its step, with a short lock_timeout"),
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
            "contract:\n  - sql: ALTER TABLE {table} DETACH PARTITION {partition} CONCURRENTLY\n    undo: irreversible\n",
        ),
    ),
    light(
        "create-partition-default",
        "CREATE TABLE … PARTITION OF beside a default partition",
        |case| default_of_parent(case).is_some_and(|default| !checked(case, default)),
        &[(Who::Parent, AccessExclusive), (Who::DefaultPartition, AccessExclusive)],
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
        "expand:
  - sql: ALTER TABLE pd ADD CONSTRAINT pd_bounds CHECK (id IS NOT NULL AND NOT (id >= 100 AND id < 200)) NOT VALID
    undo: ALTER TABLE pd DROP CONSTRAINT pd_bounds
validate:
  - sql: ALTER TABLE pd VALIDATE CONSTRAINT pd_bounds
  - sql: CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)
",
    ),
    light(
        "create-partition",
        "CREATE TABLE … PARTITION OF",
        |case| matches!(case.change, Change::CreateTable { partition_of: Some(_), .. }),
        &[(Who::Parent, AccessExclusive), (Who::DefaultPartition, AccessExclusive)],
        example("", "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (100) TO (200)"),
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

/// The default partition of the table that the change makes a partition of.
fn default_of_parent<'a>(case: &Case<'a>) -> Option<&'a QName> {
    match case.change {
        Change::CreateTable { partition_of: Some((parent, _)), .. } => {
            case.world.table(parent)?.default_partition.as_ref()
        }
        _ => None,
    }
}

fn attached<'a>(case: &Case<'a>) -> Option<&'a QName> {
    match case.alter() {
        Some(Alter::Attach { partition, .. }) => Some(partition),
        _ => None,
    }
}

fn default_partition(case: &Case<'_>) -> bool {
    case.table().is_some_and(|table| table.default_partition.is_some())
}

/// Whether the default partition has a valid CHECK.
fn default_checked(case: &Case<'_>) -> bool {
    let default = case.table().and_then(|table| table.default_partition.as_ref());
    default.is_some_and(|default| checked(case, default))
}

/// Whether the partition has a valid CHECK at all: whether it proves the
/// bounds is the server's to say, and `rehearse`'s to see.
fn checked(case: &Case<'_>, partition: &QName) -> bool {
    case.world
        .table(partition)
        .is_some_and(|table| table.constraints.iter().any(|known| known.kind == 'c' && known.valid))
}
