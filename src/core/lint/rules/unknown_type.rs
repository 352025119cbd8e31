//! A type of another's making may be a domain, whose constraint has every row written anew.

use super::{Objection, Rule, Scene};
use crate::core::lint::finding::Level;
use crate::core::lint::table::Case;
use crate::core::sql::{Alter, Object, TypeRef};

pub(super) const RULE: Rule = Rule {
    id: "unknown-type",
    title: "Without a server nobody can tell what a type is",
    why: "a column of a domain with a constraint or a volatile default has the whole table written anew; without a server a domain cannot be told from an enum",
    level: Level::Warning,
    back: false,
    ours: false,
    check,
    setup: "",
    bad: "expand:
  - sql: ALTER TABLE t ADD COLUMN z some_type
    undo: ALTER TABLE t DROP COLUMN z
",
    good: "expand:
  - sql: ALTER TABLE t ADD COLUMN z text
    undo: ALTER TABLE t DROP COLUMN z
",
};

/// Types of PostgreSQL, and of extensions that many have, that no word of the grammar stands for.
const BASE: &[&str] = &[
    "text",
    "uuid",
    "json",
    "jsonb",
    "bytea",
    "date",
    "money",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "xml",
    "point",
    "line",
    "lseg",
    "box",
    "path",
    "polygon",
    "circle",
    "tsvector",
    "tsquery",
    "oid",
    "name",
    "int4range",
    "int8range",
    "numrange",
    "tsrange",
    "tstzrange",
    "daterange",
    "int4multirange",
    "int8multirange",
    "nummultirange",
    "tsmultirange",
    "tstzmultirange",
    "datemultirange",
    "regclass",
    "regproc",
    "regtype",
    "regrole",
    "regnamespace",
    "pg_lsn",
    "xid",
    "xid8",
    "jsonpath",
    "timetz",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "bool",
    "varchar",
    "bpchar",
    "numeric",
    "timestamp",
    "timestamptz",
    "time",
    "interval",
    "bit",
    "varbit",
    "char",
    "serial",
    "serial2",
    "serial4",
    "serial8",
    "bigserial",
    "smallserial",
    "citext",
    "hstore",
    "ltree",
    "geometry",
    "geography",
    "vector",
];

fn check(scene: &Scene<'_>) -> Option<Objection> {
    scene.cases().find_map(|case| match case.alter() {
        Some(Alter::AddColumn(column)) if unknown(&case, &column.kind) && case.named().into_iter().any(|name| (scene.hot)(name)) => {
            Objection::new(
                format!(
                    "{} may be a domain with a constraint or a volatile default, and then the whole table is written anew while nobody reads or writes it",
                    column.kind
                ),
                "ask the catalog: phase check --online; phase advance does so in any case",
            )
        }
        _ => None,
    })
}

fn unknown(case: &Case<'_>, kind: &TypeRef) -> bool {
    let base = kind.schema.is_none() && BASE.contains(&kind.name.as_str());
    let Some(name) = kind.made().filter(|_| !case.world.complete && !kind.array && !base) else {
        return false;
    };
    case.world.domain(&name).is_none() && !case.world.has_made(Object::Type, &name)
}
