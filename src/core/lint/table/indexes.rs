//! Rows of indexes.

use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::{AccessExclusive, Share, ShareUpdateExclusive};
use crate::core::lint::world::TableKind;
use crate::core::sql::{Alter, Change, NewIndex, Object, Renamed};

pub(super) const ROWS: &[Row] = &[
    light(
        "create-index-concurrently",
        "CREATE INDEX CONCURRENTLY",
        |case| index(case).is_some_and(|index| index.concurrently),
        &[(Who::Only, ShareUpdateExclusive)],
        example("", "CREATE INDEX CONCURRENTLY i ON t (a)"),
    )
    .work(Work::BUILD)
    .alone(),
    light(
        "create-index-only",
        "CREATE INDEX ON ONLY a partitioned table",
        |case| index(case).is_some_and(|index| index.only) && (case.partitioned() || case.unknown()),
        &[(Who::Only, Share)],
        example("", "CREATE INDEX i ON ONLY p (k)"),
    ),
    light(
        "create-index-partitioned",
        "CREATE INDEX on a partitioned table",
        |case| index(case).is_some() && case.partitioned(),
        &[(Who::This, Share)],
        example("", "CREATE INDEX i ON p (k)"),
    )
    .work(Work::BUILD)
    .hurts(
        "an index is built on every partition, one after the other, while nobody writes any of them",
        // Built by its partitions: PostgreSQL itself refuses this statement.
        Safe::Plan("expand:\n  - sql: «{concurrently}»\n    undo: «DROP INDEX CONCURRENTLY {index}»\n"),
    )
    .back("{concurrently}"),
    light(
        "create-index",
        "CREATE INDEX without CONCURRENTLY",
        |case| index(case).is_some(),
        &[(Who::Only, Share)],
        example("", "CREATE INDEX i ON t (a)"),
    )
    .work(Work::BUILD)
    .hurts(
        "nobody writes the table while the index is built",
        Safe::Plan("expand:\n  - sql: «{concurrently}»\n    undo: «DROP INDEX CONCURRENTLY {index}»\n"),
    )
    .back("{concurrently}"),
    light(
        "drop-index-concurrently",
        "DROP INDEX CONCURRENTLY",
        |case| matches!(case.change, Change::Drop { of: Object::Index, concurrently: true, .. }),
        &[(Who::IndexTable, ShareUpdateExclusive)],
        example("CREATE INDEX i ON t (a)", "DROP INDEX CONCURRENTLY i"),
    )
    .alone(),
    light(
        "drop-index-partitioned",
        "DROP INDEX of a partitioned table, which no server can do concurrently",
        of_partitioned,
        &[(Who::IndexTree, AccessExclusive), (Who::Only, AccessExclusive)],
        example("CREATE INDEX i ON ONLY p (k)", "DROP INDEX i"),
    ),
    light(
        "drop-index",
        "DROP INDEX without CONCURRENTLY",
        |case| matches!(case.change, Change::Drop { of: Object::Index, .. }),
        &[(Who::IndexTable, AccessExclusive), (Who::Only, AccessExclusive)],
        example("CREATE INDEX i ON t (a)", "DROP INDEX i"),
    )
    .hurts(
        "the lock is on the index's table, so that everything on the table waits behind the oldest query",
        // What uses an index is no version of an application: somebody must have looked.
        Safe::Plan("contract:\n  - drop_index: {name: «{index}»}\ngates:\n  contract: {approvals: 1}\n"),
    )
    .back("DROP INDEX CONCURRENTLY {index}"),
    light(
        "reindex-table-concurrently",
        "REINDEX TABLE CONCURRENTLY",
        |case| matches!(case.change, Change::Reindex { index: false, concurrently: true, .. }),
        &[(Who::This, ShareUpdateExclusive)],
        example("CREATE INDEX i ON t (a)", "REINDEX TABLE CONCURRENTLY t"),
    )
    .work(Work::BUILD)
    .alone(),
    light(
        "reindex-concurrently",
        "REINDEX INDEX CONCURRENTLY",
        |case| matches!(case.change, Change::Reindex { concurrently: true, .. }),
        &[(Who::IndexTable, ShareUpdateExclusive)],
        example("CREATE INDEX i ON t (a)", "REINDEX INDEX CONCURRENTLY i"),
    )
    .work(Work::BUILD)
    .alone(),
    light(
        "reindex-index",
        "REINDEX INDEX without CONCURRENTLY",
        |case| matches!(case.change, Change::Reindex { index: true, .. }),
        &[(Who::IndexTable, Share), (Who::Only, AccessExclusive)],
        example("CREATE INDEX i ON t (a)", "REINDEX INDEX i"),
    )
    .work(Work::BUILD)
    .hurts(
        "nobody writes the table while the index is built anew, and a query that plans with the index waits too",
        Safe::Plan("expand:\n  - sql: «REINDEX INDEX CONCURRENTLY {index}»\n    undo: irreversible\n"),
    )
    .back("REINDEX INDEX CONCURRENTLY {index}"),
    light(
        "reindex-table",
        "REINDEX TABLE without CONCURRENTLY",
        |case| matches!(case.change, Change::Reindex { .. }),
        &[(Who::Only, Share)],
        example("CREATE INDEX i ON t (a)", "REINDEX TABLE t"),
    )
    .work(Work::BUILD)
    .hurts(
        "nobody writes the table while its indexes are built anew, and queries that plan with one of them wait too",
        Safe::Plan("expand:\n  - sql: «REINDEX TABLE CONCURRENTLY {table}»\n    undo: irreversible\n"),
    )
    .back("REINDEX TABLE CONCURRENTLY {table}"),
    light(
        "attach-index",
        "ALTER INDEX … ATTACH PARTITION",
        |case| of_index(case) && matches!(case.alter(), Some(Alter::Attach { .. })),
        &[(Who::Only, ShareUpdateExclusive), (Who::Partition, AccessExclusive)],
        example(
            "CREATE INDEX i ON ONLY p (k); CREATE INDEX i1 ON p1 (k)",
            "ALTER INDEX i ATTACH PARTITION i1",
        ),
    ),
    light(
        "index-options",
        "ALTER INDEX SET (fillfactor = …), SET STATISTICS",
        |case| of_index(case) && matches!(case.alter(), Some(Alter::Options)),
        &[(Who::Only, ShareUpdateExclusive)],
        example("CREATE INDEX i ON t (a)", "ALTER INDEX i SET (fillfactor = 80)"),
    ),
    light(
        "rename-index",
        "ALTER INDEX … RENAME",
        |case| matches!(case.change, Change::Rename { of: Renamed::Index, .. }),
        &[(Who::Only, ShareUpdateExclusive)],
        example("CREATE INDEX i ON t (a)", "ALTER INDEX i RENAME TO j"),
    ),
];

fn index<'a>(case: &Case<'a>) -> Option<&'a NewIndex> {
    match case.change {
        Change::CreateIndex(index) => Some(index),
        _ => None,
    }
}

/// Whether every index that is dropped is one of a partitioned table.
fn of_partitioned(case: &Case<'_>) -> bool {
    let Change::Drop { of: Object::Index, names, .. } = case.change else { return false };
    let table = |name| case.world.indexes.get(name).and_then(|table| case.world.table(table));
    names.iter().all(|name| table(name).is_some_and(|table| table.kind == TableKind::Partitioned))
}

fn of_index(case: &Case<'_>) -> bool {
    matches!(case.change, Change::Alter { of: Object::Index, .. })
}
