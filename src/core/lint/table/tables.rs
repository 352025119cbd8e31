//! Rows of whole tables and of what hangs on them.

use super::{Case, Row, Safe, Who, Work, example, light};
use crate::core::lint::lock::Lock::{AccessExclusive, AccessShare, ShareRowExclusive, ShareUpdateExclusive};
use crate::core::sql::{Alter, Change, Demand, Object, Part, Renamed, Verb};

const ALL: &[(Who, crate::core::lint::lock::Lock)] = &[(Who::This, AccessExclusive)];
const ONLY: &[(Who, crate::core::lint::lock::Lock)] = &[(Who::Only, AccessExclusive)];

pub(super) const ROWS: &[Row] = &[
    light(
        "create-table-references",
        "CREATE TABLE with a foreign key",
        |case| match case.change {
            Change::CreateTableConstraint { constraint, .. } => {
                matches!(constraint.demand, Demand::Foreign { .. })
            }
            _ => false,
        },
        &[(Who::Referenced, ShareRowExclusive)],
        example("", "CREATE TABLE u (id bigint PRIMARY KEY, r_id bigint REFERENCES r)"),
    ),
    light(
        "create-table",
        "CREATE TABLE",
        |case| matches!(case.change, Change::CreateTable { .. } | Change::CreateTableConstraint { .. }),
        &[],
        example("", "CREATE TABLE u (id bigint PRIMARY KEY)"),
    ),
    light(
        "drop-table",
        "DROP TABLE, with the tables that its foreign keys refer to",
        |case| matches!(case.change, Change::Drop { of: Object::Table | Object::MatView, .. }),
        &[(Who::This, AccessExclusive), (Who::Tied, AccessExclusive)],
        example("CREATE TABLE u (r_id bigint REFERENCES r)", "DROP TABLE u"),
    ),
    light(
        "drop-view",
        "DROP VIEW",
        |case| matches!(case.change, Change::Drop { of: Object::View, .. }),
        ONLY,
        example("CREATE VIEW v AS SELECT a FROM t", "DROP VIEW v"),
    ),
    light(
        "drop-other",
        "DROP of a type, a function, a sequence, a foreign table, an empty schema and the like",
        |case| {
            matches!(case.change, Change::Drop { of, cascade, .. }
                if *of == Object::ForeignTable || !of.is_relation() && !cascade)
        },
        &[],
        example("CREATE TYPE mood AS ENUM ('a')", "DROP TYPE mood"),
    ),
    light(
        "replace-view",
        "CREATE OR REPLACE VIEW",
        |case| matches!(case.change, Change::CreateView { replace: true, .. }),
        &[(Who::Standing, AccessExclusive), (Who::Reads, AccessShare)],
        example("CREATE VIEW v AS SELECT a FROM t", "CREATE OR REPLACE VIEW v AS SELECT a, b FROM t"),
    ),
    light(
        "create-view",
        "CREATE VIEW",
        |case| matches!(case.change, Change::CreateView { .. }),
        &[(Who::Reads, AccessShare)],
        example("", "CREATE VIEW v AS SELECT a FROM t"),
    ),
    light(
        "rename-table",
        "ALTER TABLE … RENAME TO",
        |case| matches!(case.change, Change::Rename { of: Renamed::Table, .. }),
        ONLY,
        example("", "ALTER TABLE r RENAME TO r2"),
    ),
    light(
        "rename-column",
        "RENAME COLUMN",
        |case| matches!(case.change, Change::Rename { of: Renamed::Column, .. }),
        ALL,
        example("", "ALTER TABLE t RENAME COLUMN a TO z"),
    ),
    light(
        "rename-constraint",
        "RENAME CONSTRAINT",
        |case| matches!(case.change, Change::Rename { of: Renamed::Constraint, .. }),
        ALL,
        example("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)", "ALTER TABLE t RENAME CONSTRAINT k TO k2"),
    ),
    light(
        "rename-view",
        "ALTER VIEW … RENAME",
        |case| matches!(case.change, Change::Rename { of: Renamed::View, .. }),
        ONLY,
        example("CREATE VIEW v AS SELECT a FROM t", "ALTER VIEW v RENAME TO w"),
    ),
    light(
        "rename-part",
        "RENAME of a trigger, a policy or a rule",
        |case| matches!(case.change, Change::Rename { of: Renamed::Part, .. }),
        ONLY,
        example("CREATE POLICY y ON t USING (true)", "ALTER POLICY y ON t RENAME TO z"),
    ),
    light(
        "set-schema",
        "SET SCHEMA",
        |case| matches!(case.change, Change::SetSchema { .. }),
        ONLY,
        example("CREATE SCHEMA s", "ALTER TABLE r SET SCHEMA s"),
    ),
    light(
        "truncate",
        "TRUNCATE",
        |case| matches!(case.change, Change::Truncate(_)),
        ALL,
        example("", "TRUNCATE t"),
    )
    .hurts(
        "every row is gone at once, and nobody reads or writes the table until the step commits",
        Safe::Plan("backfill:\n  - {table: «{table}», delete: true, where: \"true\"}\n{loss_gate}"),
    ),
    light(
        "set-logged",
        "SET LOGGED, SET UNLOGGED",
        |case| matches!(case.alter(), Some(Alter::Logged)),
        ONLY,
        example("", "ALTER TABLE t SET UNLOGGED"),
    )
    .work(Work::REWRITE)
    .hurts(
        "the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Advice("copy into a new table with a sync and a backfill, and swap the names"),
    ),
    light(
        "set-tablespace",
        "SET TABLESPACE",
        |case| matches!(case.alter(), Some(Alter::Tablespace)),
        ONLY,
        example(
            "SET allow_in_place_tablespaces = on; CREATE TABLESPACE other LOCATION ''",
            "ALTER TABLE t SET TABLESPACE other",
        ),
    )
    .work(Work { rewrites: true, scans: false, builds: false })
    .hurts(
        "the whole table is copied while nobody reads or writes it",
        Safe::Advice(
            "copy into a new table in the other tablespace with a sync and a backfill, and swap the names",
        ),
    ),
    light(
        "set-access-method",
        "SET ACCESS METHOD",
        |case| matches!(case.alter(), Some(Alter::AccessMethod)),
        ONLY,
        example(
            "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler",
            "ALTER TABLE t SET ACCESS METHOD heap2",
        ),
    )
    .since(15)
    .work(Work::REWRITE)
    .hurts(
        "the whole table and its indexes are written anew while nobody reads or writes it",
        Safe::Advice(
            "copy into a new table of the other access method with a sync and a backfill, and swap the names",
        ),
    ),
    light(
        "table-options",
        "SET (fillfactor = …), SET (autovacuum_… = …)",
        |case| matches!(case.alter(), Some(Alter::Options)),
        &[(Who::Only, ShareUpdateExclusive)],
        example("", "ALTER TABLE t SET (fillfactor = 80)"),
    ),
    light(
        "owner",
        "OWNER TO",
        |case| matches!(case.alter(), Some(Alter::Owner)),
        ONLY,
        example("", "ALTER TABLE t OWNER TO CURRENT_USER"),
    ),
    light(
        "cluster-on",
        "CLUSTER ON, SET WITHOUT CLUSTER",
        |case| matches!(case.alter(), Some(Alter::ClusterOn)),
        &[(Who::Only, ShareUpdateExclusive)],
        example("", "ALTER TABLE t CLUSTER ON t_pkey"),
    ),
    light(
        "toggle-trigger",
        "ENABLE, DISABLE TRIGGER",
        |case| matches!(case.alter(), Some(Alter::Trigger)),
        &[(Who::This, ShareRowExclusive)],
        example("", "ALTER TABLE t DISABLE TRIGGER USER"),
    ),
    light(
        "toggle-rule",
        "ENABLE, DISABLE RULE",
        |case| matches!(case.alter(), Some(Alter::Rule)),
        ONLY,
        example("CREATE RULE l AS ON INSERT TO r DO NOTHING", "ALTER TABLE r DISABLE RULE l"),
    ),
    light(
        "replica-identity",
        "REPLICA IDENTITY",
        |case| matches!(case.alter(), Some(Alter::ReplicaIdentity)),
        ONLY,
        example("", "ALTER TABLE t REPLICA IDENTITY FULL"),
    ),
    light(
        "row-security",
        "ENABLE, DISABLE, FORCE ROW LEVEL SECURITY",
        |case| matches!(case.alter(), Some(Alter::RowSecurity { .. })),
        ONLY,
        example("", "ALTER TABLE t ENABLE ROW LEVEL SECURITY"),
    ),
    light(
        "alter-table",
        "any other ALTER TABLE",
        |case| matches!(case.alter(), Some(Alter::Other)),
        ALL,
        example(
            "CREATE TYPE u AS (id bigint, x integer); CREATE TABLE v (id bigint, x integer)",
            "ALTER TABLE v OF u",
        ),
    ),
    light(
        "create-trigger",
        "CREATE TRIGGER",
        |case| on(case, Part::Trigger, Verb::Create),
        &[(Who::This, ShareRowExclusive), (Who::Other, AccessShare)],
        example(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
        ),
    ),
    light(
        "drop-trigger",
        "DROP TRIGGER",
        |case| on(case, Part::Trigger, Verb::Drop),
        ALL,
        example(
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "DROP TRIGGER g ON t",
        ),
    ),
    light(
        "policy",
        "CREATE, ALTER, DROP POLICY",
        |case| matches!(case.change, Change::OnTable { part: Part::Policy, .. }),
        ONLY,
        example("", "CREATE POLICY y ON t USING (true)"),
    ),
    light(
        "rule",
        "CREATE, DROP RULE",
        |case| matches!(case.change, Change::OnTable { part: Part::Rule, .. }),
        ONLY,
        example("", "CREATE RULE l AS ON INSERT TO r DO NOTHING"),
    ),
    light(
        "create-statistics",
        "CREATE STATISTICS",
        |case| matches!(case.change, Change::OnTable { part: Part::Statistics, .. }),
        &[(Who::Only, ShareUpdateExclusive)],
        example("", "CREATE STATISTICS st ON a, b FROM t"),
    ),
    light(
        "publication",
        "ADD, SET, DROP a table of a publication",
        |case| matches!(case.change, Change::OnTable { part: Part::Publication, .. }),
        &[(Who::This, ShareUpdateExclusive)],
        example("", "CREATE PUBLICATION pub FOR TABLE t"),
    ),
    light(
        "privilege",
        "GRANT, REVOKE on a table",
        |case| matches!(case.change, Change::OnTable { part: Part::Privilege, .. }),
        &[],
        example("", "GRANT SELECT ON t TO PUBLIC"),
    ),
    light(
        "comment",
        "COMMENT ON a table, a column or another part of it",
        |case| matches!(case.change, Change::Comment(_)),
        &[(Who::Only, ShareUpdateExclusive)],
        example("", "COMMENT ON COLUMN t.a IS 'x'"),
    ),
];

fn on(case: &Case<'_>, wanted: Part, verb: Verb) -> bool {
    matches!(case.change, Change::OnTable { part, verb: found, .. } if *part == wanted && *found == verb)
}
