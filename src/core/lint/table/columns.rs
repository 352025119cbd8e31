//! Rows of columns: added, dropped, their defaults, NOT NULL and options.

use super::{Case, NOT_NULL, Row, Safe, Who, Work, example, light};
use crate::core::ident::QName;
use crate::core::lint::lock::Lock::{AccessExclusive, ShareUpdateExclusive};
use crate::core::lint::world::Domain;
use crate::core::sql::{Alter, Generated, NewColumn};

const ALL: &[(Who, crate::core::lint::lock::Lock)] = &[(Who::This, AccessExclusive)];

pub(super) const ROWS: &[Row] = &[
    light(
        "add-column-serial",
        "ADD COLUMN of type serial or bigserial",
        |case| added(case).is_some_and(|column| column.kind.is_serial()),
        ALL,
        example("", "ALTER TABLE t ADD COLUMN z bigserial"),
    )
    .work(Work::REWRITE)
    .hurts(
        "every row gets a number of its own, so the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Plan(
            "expand:
  - sql: |
      CREATE SEQUENCE {sequence};
      ALTER TABLE {table} ADD COLUMN {column} {type};
      ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval({sequence_text})
    undo: |
      ALTER TABLE {table} DROP COLUMN {column};
      DROP SEQUENCE {sequence}
backfill:
  - table: «{table}»
    set: {«{column}»: «nextval({sequence_text})»}
    where: «{column} IS NULL»
validate:
  - not_null: {table: «{table}», column: «{column}»}
",
        ),
    )
    .back("ALTER TABLE {table} ADD COLUMN {column} {type}"),
    light(
        "add-column-identity",
        "ADD COLUMN … GENERATED AS IDENTITY",
        |case| added(case).is_some_and(|column| column.identity),
        ALL,
        example("", "ALTER TABLE t ADD COLUMN z bigint GENERATED ALWAYS AS IDENTITY"),
    )
    .work(Work::REWRITE)
    .hurts(
        "every row gets a number of its own, so the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Plan(
            "expand:
  - sql: |
      CREATE SEQUENCE {sequence};
      ALTER TABLE {table} ADD COLUMN {column} {type};
      ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval({sequence_text})
    undo: |
      ALTER TABLE {table} DROP COLUMN {column};
      DROP SEQUENCE {sequence}
backfill:
  - table: «{table}»
    set: {«{column}»: «nextval({sequence_text})»}
    where: «{column} IS NULL»
validate:
  - not_null: {table: «{table}», column: «{column}»}
",
        ),
    )
    .back("ALTER TABLE {table} ADD COLUMN {column} {type}"),
    light(
        "add-column-generated-virtual",
        "ADD COLUMN … GENERATED ALWAYS AS (…) VIRTUAL",
        |case| added(case).is_some_and(|column| column.generated == Some(Generated::Virtual)),
        ALL,
        example("", "ALTER TABLE t ADD COLUMN z integer GENERATED ALWAYS AS (a + 1) VIRTUAL"),
    )
    .since(18),
    light(
        "add-column-generated-stored",
        "ADD COLUMN … GENERATED ALWAYS AS (…) STORED",
        |case| added(case).is_some_and(|column| column.generated == Some(Generated::Stored)),
        ALL,
        example("", "ALTER TABLE t ADD COLUMN z integer GENERATED ALWAYS AS (a + 1) STORED"),
    )
    .work(Work::REWRITE)
    .hurts(
        "every row's value is computed and stored, so the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Advice(
            "add a plain column, fill it with a sync and a backfill (sync: {table: {table}, set: {{column}: EXPRESSION}}), \
             or on PostgreSQL 18 make it VIRTUAL, which costs nothing",
        ),
    )
    .good(
        "expand:
  - sql: ALTER TABLE t ADD COLUMN z integer
    undo: ALTER TABLE t DROP COLUMN z
  - sync: {table: t, set: {z: a + 1}}
backfill:
  - table: t
    set: {z: a + 1}
    where: z IS DISTINCT FROM a + 1
",
    ),
    light(
        "add-column-volatile-default",
        "ADD COLUMN with a volatile default",
        |case| added(case).is_some_and(|column| volatile(case, column)),
        ALL,
        example("", "ALTER TABLE t ADD COLUMN z uuid DEFAULT gen_random_uuid()"),
    )
    .work(Work::REWRITE)
    .hurts(
        "the default gives every row another value, so the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Plan(
            "expand:
  - sql: |
      ALTER TABLE {table} ADD COLUMN {column} {type};
      ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}
    undo: «ALTER TABLE {table} DROP COLUMN {column}»
backfill:
  - table: «{table}»
    set: {«{column}»: «{default}»}
    where: «{column} IS NULL»
{added_not_null}",
        ),
    )
    .back("ALTER TABLE {table} ADD COLUMN {column} {type}; ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT {default}"),
    light(
        "add-column-domain",
        "ADD COLUMN of a domain with a constraint",
        |case| added(case).is_some_and(|column| constrained_domain(case, column)),
        ALL,
        example("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)", "ALTER TABLE t ADD COLUMN z positive"),
    )
    .work(Work::REWRITE)
    .hurts(
        "the constraint of the domain is checked row by row, and the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Advice(
            "add the column with the domain's base type and a CHECK … NOT VALID, then VALIDATE it in its own step",
        ),
    )
    .good(
        "expand:
  - sql: |
      ALTER TABLE t ADD COLUMN z integer;
      ALTER TABLE t ADD CONSTRAINT z_positive CHECK (z > 0) NOT VALID
    undo: ALTER TABLE t DROP COLUMN z
validate:
  - sql: ALTER TABLE t VALIDATE CONSTRAINT z_positive
",
    ),
    light(
        "add-column-not-null",
        "ADD COLUMN … NOT NULL without a default",
        |case| added(case).is_some_and(|column| column.not_null && column.default.is_none()),
        ALL,
        example("TRUNCATE t", "ALTER TABLE t ADD COLUMN z integer NOT NULL"),
    )
    .work(Work::SCAN)
    .hurts(
        "it fails as soon as the table has a row, and an application that does not write the column yet fails with every INSERT",
        Safe::Plan(
            "expand:
  - sql: «ALTER TABLE {table} ADD COLUMN {column} {type}»
    undo: «ALTER TABLE {table} DROP COLUMN {column}»
  - sync: {table: «{table}», set: {«{column}»: EXPRESSION}}
backfill:
  - table: «{table}»
    set: {«{column}»: EXPRESSION}
    where: «{column} IS NULL»
validate:
  - not_null: {table: «{table}», column: «{column}»}
",
        ),
    )
    .good(
        "expand:
  - sql: ALTER TABLE t ADD COLUMN z integer
    undo: ALTER TABLE t DROP COLUMN z
  - sync: {table: t, set: {z: \"0\"}}
backfill:
  - table: t
    set: {z: \"0\"}
    where: z IS NULL
validate:
  - not_null: {table: t, column: z}
",
    )
    .back("ALTER TABLE {table} ADD COLUMN {column} {type}"),
    light(
        "add-column",
        "ADD COLUMN, nullable or with a stable default",
        |case| added(case).is_some(),
        ALL,
        example("", "ALTER TABLE t ADD COLUMN z timestamptz NOT NULL DEFAULT now()"),
    ),
    light(
        "drop-column",
        "DROP COLUMN",
        |case| matches!(case.alter(), Some(Alter::DropColumn(_))),
        // A foreign key over the column goes with it.
        &[(Who::This, AccessExclusive), (Who::Bound, AccessExclusive)],
        example("CREATE INDEX ON t (a)", "ALTER TABLE t DROP COLUMN a"),
    ),
    light(
        "set-not-null-proven",
        "SET NOT NULL where a valid CHECK proves it",
        |case| match case.alter() {
            Some(Alter::SetNotNull(column)) => {
                case.table().is_some_and(|table| table.proves_not_null(column))
            }
            _ => false,
        },
        ALL,
        example("ALTER TABLE t ADD CONSTRAINT k CHECK (a IS NOT NULL)", "ALTER TABLE t ALTER COLUMN a SET NOT NULL"),
    ),
    light(
        "set-not-null",
        "SET NOT NULL without a valid CHECK that proves it",
        |case| matches!(case.alter(), Some(Alter::SetNotNull(_))),
        ALL,
        example("", "ALTER TABLE t ALTER COLUMN a SET NOT NULL"),
    )
    .work(Work::SCAN)
    .hurts(
        "every row is read while nobody reads or writes the table",
        Safe::Plan(NOT_NULL),
    )
    .back("ALTER TABLE {table} ADD CONSTRAINT {not_null} CHECK ({column} IS NOT NULL) NOT VALID"),
    light(
        "drop-not-null",
        "DROP NOT NULL",
        |case| matches!(case.alter(), Some(Alter::DropNotNull(_))),
        ALL,
        example("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "ALTER TABLE t ALTER COLUMN a DROP NOT NULL"),
    ),
    light(
        "set-default",
        "SET DEFAULT, DROP DEFAULT",
        |case| matches!(case.alter(), Some(Alter::Default { .. })),
        ALL,
        example("", "ALTER TABLE t ALTER COLUMN a SET DEFAULT 5"),
    ),
    light(
        "alter-identity",
        "ADD GENERATED AS IDENTITY, SET GENERATED, DROP IDENTITY of a column that is there",
        |case| matches!(case.alter(), Some(Alter::Identity(_))),
        ALL,
        example("", "ALTER TABLE t ALTER COLUMN id ADD GENERATED BY DEFAULT AS IDENTITY"),
    ),
    light(
        "set-expression",
        "SET EXPRESSION of a stored generated column",
        |case| matches!(case.alter(), Some(Alter::SetExpression(_))),
        ALL,
        example(
            "ALTER TABLE t ADD COLUMN z integer GENERATED ALWAYS AS (a + 1) STORED",
            "ALTER TABLE t ALTER COLUMN z SET EXPRESSION AS (a + 2)",
        ),
    )
    .since(17)
    .work(Work::REWRITE)
    .hurts(
        "every row's value is computed again, so the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Advice("add another column with the new expression, fill it by sync and backfill, and move readers over"),
    )
    .good(
        "expand:
  - sql: ALTER TABLE t ADD COLUMN z2 integer
    undo: ALTER TABLE t DROP COLUMN z2
  - sync: {table: t, set: {z2: a + 2}}
backfill:
  - table: t
    set: {z2: a + 2}
    where: z2 IS DISTINCT FROM a + 2
",
    ),
    light(
        "drop-expression",
        "DROP EXPRESSION of a generated column",
        |case| matches!(case.alter(), Some(Alter::DropExpression(_))),
        ALL,
        example(
            "ALTER TABLE t ADD COLUMN z integer GENERATED ALWAYS AS (a + 1) STORED",
            "ALTER TABLE t ALTER COLUMN z DROP EXPRESSION",
        ),
    ),
    light(
        "column-options",
        "SET STATISTICS, SET (n_distinct = …) of a column",
        |case| matches!(case.alter(), Some(Alter::ColumnOptions(_))),
        &[(Who::This, ShareUpdateExclusive)],
        example("", "ALTER TABLE t ALTER COLUMN a SET STATISTICS 500"),
    ),
    light(
        "column-storage",
        "SET STORAGE, SET COMPRESSION of a column",
        |case| matches!(case.alter(), Some(Alter::Storage(_))),
        ALL,
        example("", "ALTER TABLE t ALTER COLUMN c SET STORAGE EXTERNAL"),
    ),
];

fn added<'a>(case: &Case<'a>) -> Option<&'a NewColumn> {
    match case.alter() {
        Some(Alter::AddColumn(column)) => Some(column),
        _ => None,
    }
}

/// Whether the type may be a domain with a constraint. What is no built-in type
/// and is not known is taken for one only where the catalog was asked and said so:
/// most types of other names are enums.
fn constrained_domain(case: &Case<'_>, column: &NewColumn) -> bool {
    domain(case, column).is_some_and(|domain| domain.constrained)
}

/// The domain that is the type of a column, where it is known to be one.
fn domain<'a>(case: &Case<'a>, column: &NewColumn) -> Option<&'a Domain> {
    column.kind.made().filter(|_| !column.kind.array).and_then(|name| case.world.domain(&name))
}

/// Whether a default may give every row another value, be it the column's own or that of
/// its domain: any function that is not known to be steady may.
fn volatile(case: &Case<'_>, column: &NewColumn) -> bool {
    let steady = |function: &QName| case.world.is_steady(function);
    let default = column.default.as_ref().or_else(|| domain(case, column)?.default.as_ref());
    default.is_some_and(|default| !default.calls.iter().all(steady))
}
