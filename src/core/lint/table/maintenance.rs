//! Rows of maintenance commands and of what cannot be seen through.

use super::{Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::{self, AccessExclusive, AccessShare, Exclusive, ShareUpdateExclusive};
use crate::core::sql::Change;

pub(super) const ROWS: &[Row] = &[
    light(
        "vacuum-full",
        "VACUUM FULL",
        |case| matches!(case.change, Change::Vacuum { full: true, .. }),
        &[(Who::This, AccessExclusive)],
        example("", "VACUUM FULL t"),
    )
    .work(Work::REWRITE)
    .alone()
    .hurts(
        "the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Advice("plain VACUUM lets reads and writes through; to give space back to the disk use pg_repack"),
    )
    .good(
        "expand:
  - sql: VACUUM t
    undo: \"irreversible: it changes no row\"
",
    ),
    light(
        "vacuum",
        "VACUUM",
        |case| matches!(case.change, Change::Vacuum { .. }),
        &[(Who::This, ShareUpdateExclusive)],
        example("", "VACUUM t"),
    )
    .work(Work::SCAN)
    .alone(),
    light(
        "analyze",
        "ANALYZE",
        |case| matches!(case.change, Change::Analyze(_)),
        &[(Who::This, ShareUpdateExclusive)],
        example("", "ANALYZE t"),
    ),
    light(
        "cluster",
        "CLUSTER",
        |case| matches!(case.change, Change::Cluster(_)),
        &[(Who::This, AccessExclusive)],
        example("", "CLUSTER t USING t_pkey"),
    )
    .work(Work::REWRITE)
    .hurts(
        "the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Advice("use pg_repack, or copy into a new table with a sync and a backfill"),
    ),
    light(
        "refresh-concurrently",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY",
        |case| matches!(case.change, Change::Refresh { concurrently: true, .. }),
        &[(Who::Only, Exclusive)],
        example(
            "CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t; CREATE UNIQUE INDEX ON m (id)",
            "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        ),
    )
    .work(Work::SCAN),
    light(
        "refresh",
        "REFRESH MATERIALIZED VIEW",
        |case| matches!(case.change, Change::Refresh { .. }),
        &[(Who::Only, AccessExclusive)],
        example(
            "CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t; CREATE UNIQUE INDEX ON m (id)",
            "REFRESH MATERIALIZED VIEW m",
        ),
    )
    .work(Work::REWRITE)
    .hurts(
        "nobody reads the view while its query runs",
        Safe::Advice("give it a unique index and refresh it CONCURRENTLY: readers see the old rows meanwhile"),
    )
    .good(
        "expand:
  - sql: REFRESH MATERIALIZED VIEW CONCURRENTLY m
    undo: \"irreversible: it shows newer rows\"
",
    ),
    light(
        "lock-table-weak",
        "LOCK TABLE in a mode that lets writes through",
        |case| matches!(case.change, Change::LockTable { mode, .. } if Lock::numbered(*mode).is_some_and(|lock| !lock.blocks_writes())),
        &[(Who::This, AccessShare)],
        example("", "LOCK TABLE t IN ACCESS SHARE MODE"),
    ),
    light(
        "lock-table",
        "LOCK TABLE",
        |case| matches!(case.change, Change::LockTable { .. }),
        // Its mode is in the statement: `effects` puts it in the place of this one.
        &[(Who::This, AccessExclusive)],
        example("", "LOCK TABLE t"),
    )
    .hurts(
        "the lock is held until the step commits, whatever the step does meanwhile",
        Safe::Advice("take it out: each statement takes the lock it needs"),
    ),
    light(
        "reindex-wide-concurrently",
        "REINDEX CONCURRENTLY of a schema or a database",
        |case| matches!(case.change, Change::ReindexWide { concurrently: true }),
        &[],
        example("", "REINDEX SCHEMA CONCURRENTLY public"),
    )
    .work(Work::BUILD)
    .alone(),
    light(
        "reindex-wide",
        "REINDEX of a schema, a database or the system",
        |case| matches!(case.change, Change::ReindexWide { .. }),
        &[],
        example("", "REINDEX SCHEMA public"),
    )
    .work(Work::BUILD)
    .alone()
    .hurts(
        "every table in it is locked against writes in turn while its indexes are built anew",
        Safe::Advice("REINDEX TABLE CONCURRENTLY, table by table"),
    )
    .good(
        "expand:
  - sql: REINDEX TABLE CONCURRENTLY t
    undo: \"irreversible: the indexes hold the same\"
",
    ),
    light(
        "drop-cascade",
        "DROP … CASCADE of a type, a domain, a function, a schema and the like",
        |case| matches!(case.change, Change::Drop { of, cascade: true, .. } if !of.is_relation()),
        &[],
        example("CREATE TYPE mood AS ENUM ('a')", "DROP TYPE mood CASCADE"),
    )
    .hurts(
        "whatever depends on it goes with it: columns with their rows, whole tables, triggers, defaults; and each table that \
         loses something is locked against reads and writes",
        Safe::Advice("take away what depends on it first, each by its own step, and then drop it without CASCADE"),
    )
    .good(
        "contract:
  - sql: DROP TYPE mood
gates:
  contract: {deployed: APP@VERSION, soak: 24h}   # the first version that does without what contract takes away
",
    ),
    light(
        "opaque",
        "DO, CALL, EXECUTE, a script of an extension",
        |case| matches!(case.change, Change::Opaque(_) | Change::Unknown(_)),
        &[],
        example("", "DO $$ BEGIN PERFORM 1; END $$"),
    )
    .hurts(
        "nobody can tell from its text which locks it takes",
        Safe::Advice("write the statements themselves, or say why it is safe: lint: {allow: [{rule: opaque, reason: …}]}"),
    )
    .good(
        "expand:
  - sql: SELECT 1
    undo: SELECT 1
",
    ),
];
