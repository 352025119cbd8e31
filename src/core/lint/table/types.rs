//! Rows of ALTER COLUMN … TYPE.

use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::AccessExclusive;
use crate::core::lint::world::{Constraint, Index, Table};
use crate::core::sql::{Alter, Fit, fit};

// A foreign key over the column is dropped and made again, which locks its other table, too.
const ALL: &[(Who, crate::core::lint::lock::Lock)] =
    &[(Who::This, AccessExclusive), (Who::Bound, AccessExclusive)];

pub(super) const ROWS: &[Row] = &[
    light(
        "alter-type-index",
        "ALTER TYPE that needs no rewrite, of a column in an expression, a WHERE or another collation of an index",
        |case| kept(case, Fit::Same) && rebuilds(case),
        ALL,
        example("CREATE INDEX i ON t (lower(b))", "ALTER TABLE t ALTER COLUMN b TYPE varchar(40)"),
    )
    .work(Work::BUILD)
    .hurts(
        "the table stays, but an index that computes with the column, has it in its WHERE, or sorts it by another collation \
         is built anew while nobody reads or writes the table",
        Safe::Advice(
            "drop the index concurrently, change the type, and build the index again concurrently; or put a column of the \
             new type beside the old one, with a sync and a backfill",
        ),
    )
    .good(
        "expand:
  - sql: DROP INDEX CONCURRENTLY i
    undo: CREATE INDEX CONCURRENTLY i ON t (lower(b))
  - sql: ALTER TABLE t ALTER COLUMN b TYPE varchar(40)
    undo: \"irreversible: a longer value may have come in\"
  - sql: ANALYZE t
    undo: \"irreversible: it changes no row\"
  - sql: CREATE INDEX CONCURRENTLY i ON t (lower(b))
    undo: DROP INDEX CONCURRENTLY i
",
    ),
    light(
        "alter-type-check",
        "ALTER TYPE that needs no rewrite, of a column in a CHECK",
        |case| stays(case) && in_check(case),
        ALL,
        example(
            "ALTER TABLE t ADD CONSTRAINT k CHECK (b <> '')",
            "ALTER TABLE t ALTER COLUMN b TYPE varchar(40)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "the CHECK is proven again: every row is read while nobody reads or writes the table",
        Safe::Advice(
            "drop the CHECK, change the type, add the CHECK NOT VALID in the same step, and VALIDATE it in validate",
        ),
    )
    .good(
        "expand:
  - sql: |
      ALTER TABLE t DROP CONSTRAINT k;
      ALTER TABLE t ALTER COLUMN b TYPE varchar(40);
      ALTER TABLE t ADD CONSTRAINT k CHECK (b <> '') NOT VALID
    undo: \"irreversible: a longer value may have come in\"
  - sql: ANALYZE t
    undo: \"irreversible: it changes no row\"
validate:
  - sql: ALTER TABLE t VALIDATE CONSTRAINT k
",
    ),
    light(
        "alter-type-same",
        "ALTER TYPE that needs no rewrite: a longer varchar, to text, more digits of a numeric",
        stays,
        ALL,
        example(
            "CREATE INDEX ON t (b); ALTER TABLE r ADD COLUMN b varchar(20) UNIQUE;
             ALTER TABLE t ADD FOREIGN KEY (b) REFERENCES r (b) NOT VALID",
            "ALTER TABLE t ALTER COLUMN b TYPE varchar(40) USING b::varchar(40)",
        ),
    ),
    light(
        "alter-type-timestamptz",
        "ALTER TYPE from timestamp to timestamptz, or back, while TimeZone is UTC",
        |case| kept(case, Fit::Zone),
        ALL,
        example("SET TimeZone = 'UTC'; CREATE INDEX ON t (at)", "ALTER TABLE t ALTER COLUMN at TYPE timestamptz"),
    )
    .work(Work::BUILD)
    .hurts(
        "the table stays, but every index on the column is built anew while nobody reads or writes the table",
        Safe::Plan(SHADOW),
    )
    .good(
        "expand:
  - sql: ALTER TABLE t ADD COLUMN at_new timestamptz
    undo: ALTER TABLE t DROP COLUMN at_new
  - sync: {table: t, set: {at_new: \"at::timestamptz\"}, back: {at: at_new}}
backfill:
  - table: t
    set: {at_new: \"at::timestamptz\"}
    where: \"at_new IS DISTINCT FROM at::timestamptz\"
validate:
  - assert: {name: no value of at is lost, sql: \"SELECT count(*) FROM t WHERE (at_new)::timestamp without time zone IS DISTINCT FROM at\", expect: \"0\"}
  - index: {table: t, columns: [at_new], name: t_at_new_idx}
contract:
  - drop_column: {table: t, column: at}
gates:
  contract: {deployed: APP@VERSION, soak: 24h}   # the first version that does without what contract takes away
keep: 7d
",
    ),
    light(
        "alter-type",
        "ALTER TYPE to one that is stored otherwise",
        |case| matches!(case.alter(), Some(Alter::Type { .. })),
        ALL,
        example("CREATE INDEX ON t (a)", "ALTER TABLE t ALTER COLUMN a TYPE bigint"),
    )
    .work(Work::REWRITE)
    .hurts(
        "the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Plan(SHADOW),
    )
    .good(
        "expand:
  - sql: ALTER TABLE t ADD COLUMN a_new bigint
    undo: ALTER TABLE t DROP COLUMN a_new
  - sync: {table: t, set: {a_new: \"a::bigint\"}, back: {a: a_new}}
  # until purge, keep included, a is written as well: a value of bigint that integer does not hold fails its writer
backfill:
  - table: t
    set: {a_new: \"a::bigint\"}
    where: \"a_new IS DISTINCT FROM a::bigint\"
validate:
  - assert: {name: no value of a is lost, sql: \"SELECT count(*) FROM t WHERE (a_new)::integer IS DISTINCT FROM a\", expect: \"0\"}
  - index: {table: t, columns: [a_new], name: t_a_new_idx}
contract:
  - drop_column: {table: t, column: a}
gates:
  contract: {deployed: APP@VERSION, soak: 24h}   # the first version that does without what contract takes away
keep: 7d
",
    ),
];

/// A column of the new type beside the old one, kept in step both ways.
const SHADOW: &str = "expand:
  - sql: «ALTER TABLE {table} ADD COLUMN {new} {type}»
    undo: «ALTER TABLE {table} DROP COLUMN {new}»
  - sync: {table: «{table}», set: {«{new}»: «{column}::{type}»}, back: {«{column}»: «{back}»}}
{heir_limit}backfill:
  - table: «{table}»
    set: {«{new}»: «{column}::{type}»}
    where: «{new} IS DISTINCT FROM {column}::{type}»
{heir_validate}contract:
{heir_contract}  - drop_column: {table: «{table}», column: «{column}»}
{code_gate}keep: 7d
";

/// Whether the type of the column is known, and fits the new one in this way.
fn kept(case: &Case<'_>, wanted: Fit) -> bool {
    let Some(Alter::Type { column, to, computed: false, .. }) = case.alter() else { return false };
    let Some(found) = case.table().and_then(|table| table.column(column)) else { return false };
    fit(&found.kind, to, case.world.utc) == Some(wanted)
}

/// Whether neither the table nor an index is written anew.
fn stays(case: &Case<'_>) -> bool {
    kept(case, Fit::Same) || kept(case, Fit::Zone) && case.world.complete && !indexes(case, |_| true)
}

/// Whether a CHECK over the column is proven again: one of the table, or of a partition alone.
fn in_check(case: &Case<'_>) -> bool {
    let Some(Alter::Type { column, .. }) = case.alter() else { return false };
    let bound = |known: &Constraint| known.kind == 'c' && known.valid && known.columns.contains(column);
    family(case).any(|table| table.constraints.iter().any(bound))
}

/// Whether an index is built anew although the stored values stay.
/// Source: `CheckIndexCompatible` of PostgreSQL.
fn rebuilds(case: &Case<'_>) -> bool {
    let Some(Alter::Type { column, collation, .. }) = case.alter() else { return false };
    let known = case.table().and_then(|table| table.column(column));
    let same = known.is_some_and(|known| known.collation == *collation);
    indexes(case, |index| index.computed || !same && index.columns.contains(&Some(column.clone())))
}

/// Whether an index over the column is such, on the table or on a partition alone.
fn indexes(case: &Case<'_>, such: impl Fn(&Index) -> bool) -> bool {
    let Some(Alter::Type { column, .. }) = case.alter() else { return false };
    let found = |index: &Index| index.uses.contains(column) && such(index);
    family(case).any(|table| table.indexes.iter().any(&found))
}

/// Whether every value of the old type is one of the new type that reads the same;
/// `None`: the old type is not known.
pub(in crate::core::lint) fn widens(case: &Case<'_>) -> Option<bool> {
    let Some(Alter::Type { column, to, computed, .. }) = case.alter() else { return None };
    let known = case.table()?.column(column).filter(|known| !known.kind.is_empty())?;
    Some(crate::core::sql::widens(&known.kind, to) && !computed)
}

fn family<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Table> {
    case.subject().into_iter().flat_map(|name| case.world.family(name))
}
