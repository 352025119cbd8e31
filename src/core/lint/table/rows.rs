//! Rows of statements that write, read or lock rows.

use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::{AccessShare, RowExclusive, RowShare};
use crate::core::sql::{Change, WriteVerb};

pub(super) const ROWS: &[Row] = &[
    light(
        "update-all",
        "UPDATE without WHERE",
        |case| unbounded(case, WriteVerb::Update),
        &[(Who::This, RowExclusive)],
        example("", "UPDATE t SET a = 1"),
    )
    .work(Work::SCAN)
    .hurts(
        "every row stays locked until the one transaction commits, and the table is left twice as big",
        Safe::Plan("backfill:\n  - table: «{table}»\n    set: {COLUMN: EXPRESSION}\n    where: COLUMN IS DISTINCT FROM EXPRESSION\n"),
    )
    .good(
        "backfill:
  - table: t
    set: {a: \"1\"}
    where: a IS DISTINCT FROM 1
",
    ),
    light(
        "delete-all",
        "DELETE without WHERE",
        |case| unbounded(case, WriteVerb::Delete),
        &[(Who::This, RowExclusive)],
        example("", "DELETE FROM t"),
    )
    .work(Work::SCAN)
    .hurts(
        "every row stays locked until the one transaction commits, and the table is left full of dead rows",
        Safe::Plan("backfill:\n  - {table: «{table}», delete: true, where: \"true\"}\n{loss_gate}"),
    ),
    light(
        "merge-all",
        "MERGE whose ON leaves no row out",
        |case| unbounded(case, WriteVerb::Merge),
        &[(Who::This, RowExclusive), (Who::Reads, AccessShare)],
        example("", "MERGE INTO t USING (SELECT 1) s ON true WHEN MATCHED THEN UPDATE SET a = 1"),
    )
    .since(15)
    .work(Work::SCAN)
    .hurts(
        "every row stays locked until the one transaction commits, and the table is left full of dead rows",
        Safe::Plan("backfill:\n  - table: «{table}»\n    set: {COLUMN: EXPRESSION}\n    where: COLUMN IS DISTINCT FROM EXPRESSION\n"),
    )
    .good(
        "backfill:
  - table: t
    set: {a: \"1\"}
    where: a IS DISTINCT FROM 1
",
    ),
    light(
        "write",
        "INSERT, MERGE; UPDATE, DELETE with a bound",
        |case| matches!(case.change, Change::Write { .. }),
        &[(Who::This, RowExclusive), (Who::Reads, AccessShare)],
        example("SET enable_seqscan = off", "UPDATE t SET a = 2 FROM r WHERE r.id = t.id AND t.id = 1"),
    ),
    light(
        "select-for-update",
        "SELECT FOR UPDATE and its kin",
        |case| matches!(case.change, Change::Read { locks_rows: true, .. }),
        &[(Who::Reads, RowShare)],
        example("SET enable_seqscan = off", "SELECT a FROM t WHERE id = 1 FOR UPDATE"),
    ),
    light(
        "select",
        "SELECT, COPY TO",
        |case| matches!(case.change, Change::Read { .. }),
        &[(Who::Reads, AccessShare)],
        example("SET enable_seqscan = off", "SELECT a FROM t WHERE id = 1"),
    ),
];

fn unbounded(case: &Case<'_>, wanted: WriteVerb) -> bool {
    matches!(case.change, Change::Write { verb, bounded: false, .. } if *verb == wanted)
}
