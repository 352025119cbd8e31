//! Rows of types, domains, enums and functions.

use super::{Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::Share;
use crate::core::sql::{Change, DomainChange, Object, waits};

pub(super) const ROWS: &[Row] = &[
    light(
        "domain-add-not-valid",
        "ALTER DOMAIN ADD CHECK … NOT VALID, or a change that looks at no value",
        |case| {
            matches!(
                case.change,
                Change::Domain { what: DomainChange::Add { not_valid: true } | DomainChange::Light, .. }
            )
        },
        &[],
        example(
            "CREATE DOMAIN d AS integer; CREATE TABLE u (v d)",
            "ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0) NOT VALID",
        ),
    ),
    light(
        "domain-validate",
        "ALTER DOMAIN VALIDATE CONSTRAINT",
        |case| matches!(case.change, Change::Domain { what: DomainChange::Validate, .. }),
        &[(Who::Users, Share)],
        example(
            "CREATE DOMAIN d AS integer; CREATE TABLE u (v d);
             ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0) NOT VALID",
            "ALTER DOMAIN d VALIDATE CONSTRAINT k",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "every table with a column of the domain is read, and nobody writes any of them meanwhile",
        Safe::Advice(
            "put the constraint on each table as a CHECK … NOT VALID and VALIDATE it there: that lets reads and writes through",
        ),
    )
    .good(
        "validate:
  - sql: ALTER TABLE u ADD CONSTRAINT u_positive CHECK (v > 0) NOT VALID
    undo: ALTER TABLE u DROP CONSTRAINT u_positive
  - sql: ALTER TABLE u VALIDATE CONSTRAINT u_positive
",
    ),
    light(
        "domain-set-not-null",
        "ALTER DOMAIN SET NOT NULL",
        |case| matches!(case.change, Change::Domain { what: DomainChange::SetNotNull, .. }),
        &[(Who::Users, Share)],
        example("CREATE DOMAIN d AS integer; CREATE TABLE u (v d)", "ALTER DOMAIN d SET NOT NULL"),
    )
    .work(Work::SCAN)
    .hurts(
        "every table with a column of the domain is read, and nobody writes any of them meanwhile",
        Safe::Advice("set NOT NULL on each column instead, with a step not_null in validate"),
    )
    .good(
        "validate:
  - not_null: {table: u, column: v}
",
    ),
    light(
        "domain-add-constraint",
        "ALTER DOMAIN ADD CHECK without NOT VALID",
        |case| matches!(case.change, Change::Domain { .. }),
        &[(Who::Users, Share)],
        example(
            "CREATE DOMAIN d AS integer; CREATE TABLE u (v d)",
            "ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0)",
        ),
    )
    .work(Work::SCAN)
    .hurts(
        "every table with a column of the domain is read, and nobody writes any of them meanwhile",
        Safe::Advice(
            "add it NOT VALID, which binds new values at once, and prove the old ones table by table with a CHECK … NOT VALID and VALIDATE",
        ),
    )
    .good(
        "validate:
  - sql: |
      ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0) NOT VALID;
      ALTER TABLE u ADD CONSTRAINT u_positive CHECK (v > 0) NOT VALID
    undo: |
      ALTER TABLE u DROP CONSTRAINT u_positive;
      ALTER DOMAIN d DROP CONSTRAINT k
  - sql: ALTER TABLE u VALIDATE CONSTRAINT u_positive
",
    ),
    light(
        "create-domain",
        "CREATE DOMAIN",
        |case| matches!(case.change, Change::CreateDomain { .. }),
        &[],
        example("", "CREATE DOMAIN d AS integer CHECK (VALUE > 0)"),
    ),
    light(
        "enum-add-value",
        "ALTER TYPE … ADD VALUE",
        |case| matches!(case.change, Change::AddEnumValue { .. }),
        &[],
        example("CREATE TYPE mood AS ENUM ('a')", "ALTER TYPE mood ADD VALUE 'b'"),
    ),
    light(
        "create-function",
        "CREATE FUNCTION, CREATE PROCEDURE",
        |case| matches!(case.change, Change::Create { of: Object::Function, .. }),
        &[],
        example("", "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'"),
    ),
    light(
        "rename-other",
        "another name or schema for a schema, a type, a label of an enum, a function, a sequence",
        |case| matches!(case.change, Change::Moved { .. }),
        &[],
        example("CREATE TYPE mood AS ENUM ('a')", "ALTER TYPE mood RENAME VALUE 'a' TO 'b'"),
    ),
    light(
        "opaque-function",
        "a call of a function that may do anything",
        |case| match case.change {
            Change::Calls(functions) => {
                !functions.iter().all(|function| waits(function) || case.world.is_steady(function))
            }
            _ => false,
        },
        &[],
        example(
            "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
            "SELECT f()",
        ),
    )
    .hurts(
        "nobody can tell from its text which locks the function takes, how long it waits and what it sets",
        Safe::Advice("write its statements themselves, or say why it is safe: lint: {allow: [{rule: opaque-function, reason: …}]}"),
    )
    .good(
        "expand:
  - sql: SELECT count(*) FROM r WHERE id = 1
    undo: SELECT 1
",
    ),
    light(
        "nothing",
        "a statement that takes no lock on a table",
        |case| {
            matches!(
                case.change,
                Change::Nothing | Change::Set { .. } | Change::Create { .. } | Change::Calls(_)
            )
        },
        &[],
        example("", "CREATE SEQUENCE sq"),
    ),
];
