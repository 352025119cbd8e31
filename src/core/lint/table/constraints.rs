//! Rows of constraints.

use super::{Case, NOT_NULL, Row, Safe, Who, Work, example, light};
use crate::core::ident::Ident;
use crate::core::lint::lock::Lock::{AccessExclusive, RowShare, ShareRowExclusive, ShareUpdateExclusive};
use crate::core::lint::world::TableKind;
use crate::core::sql::{Alter, Demand};

const ALL: &[(Who, crate::core::lint::lock::Lock)] = &[(Who::This, AccessExclusive)];
const BOTH: &[(Who, crate::core::lint::lock::Lock)] =
    &[(Who::This, ShareRowExclusive), (Who::Referenced, ShareRowExclusive)];

pub(super) const ROWS: &[Row] = &[
    light(
        "add-not-null-not-valid",
        "ADD NOT NULL … NOT VALID",
        |case| case.added().is_some_and(|added| added.demand == Demand::NotNull && added.not_valid),
        ALL,
        example("", "ALTER TABLE t ADD CONSTRAINT k NOT NULL a NOT VALID"),
    )
    .since(18),
    light(
        "add-not-null",
        "ADD CONSTRAINT … NOT NULL",
        |case| case.added().is_some_and(|added| added.demand == Demand::NotNull),
        ALL,
        example("", "ALTER TABLE t ADD CONSTRAINT k NOT NULL a"),
    )
    .since(18)
    .work(Work::SCAN)
    .hurts(
        "every row is read while nobody reads or writes the table",
        Safe::Plan(NOT_NULL),
    )
    .back("{not_valid}"),
    light(
        "add-check-not-valid",
        "ADD CHECK … NOT VALID",
        |case| check(case) && case.added().is_some_and(|added| added.not_valid),
        ALL,
        example("", "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID"),
    ),
    light(
        "add-column-check",
        "ADD COLUMN … CHECK",
        |case| check(case) && case.added().is_some_and(|added| added.inline.is_some()),
        ALL,
        example("", "ALTER TABLE t ADD COLUMN z integer CHECK (z > 0)"),
    )
    .work(Work::SCAN)
    .hurts(
        "every row is read while nobody reads or writes the table",
        Safe::Advice(
            "add the column alone; add the CHECK NOT VALID in the same step, and VALIDATE it in validate",
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
    )
    .back("ALTER TABLE {table} ADD COLUMN {column} {type}; {not_valid}"),
    light(
        "add-check",
        "ADD CHECK without NOT VALID",
        check,
        ALL,
        example("", "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)"),
    )
    .work(Work::SCAN)
    .hurts(
        "every row is read while nobody reads or writes the table",
        Safe::Plan(
            "validate:
  - sql: «{not_valid}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
  - sql: «ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}»
",
        ),
    )
    .back("{not_valid}"),
    light(
        "add-column-references",
        "ADD COLUMN … REFERENCES, without a default",
        |case| {
            let empty = |inline: &crate::core::sql::Inline| !inline.filled;
            foreign(case) && case.added().is_some_and(|added| added.inline.as_ref().is_some_and(empty))
        },
        BOTH,
        example("", "ALTER TABLE t ADD COLUMN z bigint REFERENCES r"),
    )
    .hurts(
        "the referenced table is locked against writes as well, and both locks are held until the step commits",
        Safe::Plan(
            "expand:
  - sql: «ALTER TABLE {table} ADD COLUMN {column} {type}»
    undo: «ALTER TABLE {table} DROP COLUMN {column}»
  - index: {table: «{table}», columns: [{columns}]}
validate:
  - sql: «{not_valid}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
  - sql: «ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}»
",
        ),
    )
    .back("ALTER TABLE {table} ADD COLUMN {column} {type}; {not_valid}"),
    light(
        "add-foreign-key-not-valid",
        "ADD FOREIGN KEY … NOT VALID",
        |case| foreign(case) && case.added().is_some_and(|added| added.not_valid),
        BOTH,
        example("", "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r NOT VALID"),
    ),
    light(
        "add-foreign-key",
        "ADD FOREIGN KEY without NOT VALID",
        foreign,
        BOTH,
        example("", "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r"),
    )
    .work(Work::SCAN)
    .hurts(
        "every row of the table is looked up in the other one while nobody writes either of them",
        Safe::Plan(
            "{key_support}validate:
  - sql: «{not_valid}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
  - sql: «ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}»
",
        ),
    )
    .back("{not_valid}"),
    light(
        "add-primary-key-using-index-nullable",
        "ADD PRIMARY KEY USING INDEX over a column that may be null",
        |case| using_index(case, true) && !keys_not_null(case),
        ALL,
        example(
            "CREATE TABLE u (v bigint); CREATE UNIQUE INDEX ui ON u (v)",
            "ALTER TABLE u ADD CONSTRAINT k PRIMARY KEY USING INDEX ui",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "the column becomes NOT NULL: every row is read while nobody reads or writes the table",
        Safe::Advice("prove the column NOT NULL first, with a step not_null in validate; then the index is taken over in a moment"),
    )
    .good(
        "validate:
  - not_null: {table: u, column: v}
  - sql: ALTER TABLE u ADD CONSTRAINT k PRIMARY KEY USING INDEX ui
",
    ),
    light(
        "add-constraint-using-index",
        "ADD UNIQUE or PRIMARY KEY USING INDEX",
        |case| using_index(case, true) || using_index(case, false),
        ALL,
        example(
            "CREATE TABLE u (v bigint NOT NULL); CREATE UNIQUE INDEX ui ON u (v)",
            "ALTER TABLE u ADD CONSTRAINT k PRIMARY KEY USING INDEX ui",
        ),
    ),
    light(
        "add-primary-key",
        "ADD PRIMARY KEY",
        |case| case.added().is_some_and(|added| added.demand == Demand::Primary),
        ALL,
        example("CREATE TABLE u (v bigint)", "ALTER TABLE u ADD CONSTRAINT k PRIMARY KEY (v)"),
    )
    .work(Work { rewrites: false, scans: true, builds: true })
    .hurts(
        "an index is built while nobody reads or writes the table",
        Safe::Plan(
            "validate:
{not_nulls}  - sql: «{key_index}»
    undo: «DROP INDEX CONCURRENTLY {key}»
  - sql: «{using_index}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
",
        ),
    ),
    light(
        "add-unique",
        "ADD UNIQUE, also inside ADD COLUMN",
        |case| case.added().is_some_and(|added| added.demand == Demand::Unique),
        ALL,
        example("", "ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)"),
    )
    .work(Work::BUILD)
    .hurts(
        "an index is built while nobody reads or writes the table",
        Safe::Plan(
            "validate:
  - sql: «{key_index}»
    undo: «DROP INDEX CONCURRENTLY {key}»
  - sql: «{using_index}»
    undo: «ALTER TABLE {table} DROP CONSTRAINT {constraint}»
",
        ),
    )
    .back("{key_index}"),
    light(
        "add-exclusion",
        "ADD EXCLUDE",
        |case| case.added().is_some_and(|added| added.demand == Demand::Exclude),
        ALL,
        example("", "ALTER TABLE t ADD CONSTRAINT k EXCLUDE (a WITH =)"),
    )
    .work(Work::BUILD)
    .hurts(
        "an index is built while nobody reads or writes the table; no server can do this concurrently",
        Safe::Advice(
            "there is no online way: put the constraint on a new table and move the rows there, or take the outage on purpose",
        ),
    ),
    light(
        "validate-foreign-key",
        "VALIDATE CONSTRAINT of a foreign key",
        |case| match case.alter() {
            Some(Alter::Validate(name)) => case.constraint(name).is_some_and(|known| known.kind == 'f'),
            _ => false,
        },
        &[(Who::This, ShareUpdateExclusive), (Who::Referenced, RowShare)],
        example(
            "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT k",
        ),
    )
    .work(Work::SCAN),
    light(
        "validate-constraint",
        "VALIDATE CONSTRAINT",
        |case| matches!(case.alter(), Some(Alter::Validate(_))),
        &[(Who::This, ShareUpdateExclusive)],
        example(
            "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT k",
        ),
    )
    .work(Work::SCAN),
    light(
        "drop-foreign-key",
        "DROP CONSTRAINT of a foreign key",
        |case| match case.alter() {
            Some(Alter::DropConstraint(name)) => case.constraint(name).is_some_and(|known| known.kind == 'f'),
            _ => false,
        },
        &[(Who::This, AccessExclusive), (Who::Referenced, AccessExclusive)],
        example(
            "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r",
            "ALTER TABLE t DROP CONSTRAINT k",
        ),
    ),
    light(
        "drop-constraint",
        "DROP CONSTRAINT",
        |case| matches!(case.alter(), Some(Alter::DropConstraint(_))),
        ALL,
        example("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)", "ALTER TABLE t DROP CONSTRAINT k"),
    ),
    light(
        "alter-constraint",
        "ALTER CONSTRAINT of a foreign key",
        |case| matches!(case.alter(), Some(Alter::AlterConstraint(_))),
        ALL,
        example(
            "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r_id) REFERENCES r",
            "ALTER TABLE t ALTER CONSTRAINT k DEFERRABLE",
        ),
    ),
];

fn check(case: &Case<'_>) -> bool {
    case.added().is_some_and(|added| matches!(added.demand, Demand::Check { .. }))
}

pub(super) fn foreign(case: &Case<'_>) -> bool {
    case.added().is_some_and(|added| matches!(added.demand, Demand::Foreign { .. }))
}

fn using_index(case: &Case<'_>, wanted: bool) -> bool {
    let of = |demand: &Demand| matches!(demand, Demand::UsingIndex { primary, .. } if *primary == wanted);
    case.added().is_some_and(|added| of(&added.demand))
}

/// Whether every column of the index is known to hold no null.
fn keys_not_null(case: &Case<'_>) -> bool {
    let Some(Demand::UsingIndex { index, .. }) = case.added().map(|added| &added.demand) else {
        return false;
    };
    let Some(table) = case.table() else { return false };
    // What a partitioned table proves, its partitions obey.
    let above = table.parent.as_ref().and_then(|name| case.world.table(name));
    let above = above.filter(|above| above.kind == TableKind::Partitioned);
    let proven = |column: &Ident| {
        table.proves_not_null(column) || above.is_some_and(|above| above.proves_not_null(column))
    };
    table
        .indexes
        .iter()
        .find(|known| known.name == *index)
        .is_some_and(|known| known.columns.iter().all(|column| column.as_ref().is_some_and(proven)))
}
