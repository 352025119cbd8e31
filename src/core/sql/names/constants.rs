//! Reads the names that stand in string constants: what is cast to `regclass` and its
//! siblings, and what functions like `nextval` look up by name.

use serde_json::Value;

use super::{Reader, names};
use crate::core::ident::QName;
use crate::core::sql::classify::ident;
use crate::core::sql::scope::{items, strings, text};
use crate::core::sql::thing::{How, Thing};

/// Functions that take the name of a relation, always as their first argument. `to_regclass`
/// and its siblings are none of them: they ask whether there is something, and do not need it.
const OF_RELATIONS: [&str; 14] = [
    "nextval",
    "currval",
    "pg_sequence_last_value",
    "pg_relation_size",
    "pg_table_size",
    "pg_indexes_size",
    "pg_total_relation_size",
    "pg_relation_filenode",
    "pg_relation_filepath",
    "pg_get_viewdef",
    "pg_partition_tree",
    "pg_partition_root",
    "pg_partition_ancestors",
    "row_security_active",
];

impl Reader {
    /// A cast of a constant to a type whose values are names.
    pub(super) fn cast(&mut self, fields: &Value) {
        let words = fields.get("type_name").map(|of| strings(of, "names")).unwrap_or_default();
        let ([kind] | ["pg_catalog", kind]) = words.as_slice() else { return };
        let Some(name) = fields.get("arg").and_then(constant) else { return };
        match *kind {
            "regclass" => self.relation(name, How::Reads),
            "regproc" => {
                let function = qualified(name).filter(|name| !built_in(name));
                function.into_iter().for_each(|name| self.add(Thing::Function(name, None), How::Reads));
            }
            // What the parser makes of a list of types or of a type is the server's reading of it.
            "regprocedure" => self.spelled_in(&format!("ALTER FUNCTION {name} STABLE")),
            "regtype" => self.spelled_in(&format!("SELECT NULL::{name}")),
            "regnamespace" => {
                let schema = qualified(name).filter(|name| name.schema.is_none());
                schema.into_iter().for_each(|schema| self.add(Thing::Schema(schema.name), How::Reads));
            }
            _ => {}
        }
    }

    /// A call of a function that looks up names.
    pub(super) fn call(&mut self, fields: &Value) {
        let words = strings(fields, "funcname");
        let ([function] | ["pg_catalog", function]) = words.as_slice() else { return };
        let mut arguments = items(fields, "args");
        let Some(first) = arguments.next().and_then(constant) else { return };
        match *function {
            "setval" => self.relation(first, How::Writes),
            "pg_get_serial_sequence" => {
                self.relation(first, How::Reads);
                // The column is the only one of them that is taken as it stands.
                let column = arguments.next().and_then(constant).and_then(|column| ident(column).ok());
                if let Some((table, column)) = qualified(first).zip(column) {
                    self.add(Thing::Column(table, column), How::Reads);
                }
            }
            name if OF_RELATIONS.contains(&name) => self.relation(first, How::Reads),
            _ => {}
        }
    }

    fn relation(&mut self, name: &str, how: How) {
        let relation = qualified(name).filter(|name| !built_in(name));
        relation.into_iter().for_each(|name| self.add(Thing::Relation(name), how));
    }

    /// The types and the functions of a statement that is made of a constant, so that it is read
    /// as the server reads it.
    fn spelled_in(&mut self, statement: &str) {
        let Ok(read) = names(statement) else { return };
        let [one] = read.as_slice() else { return };
        for (thing, _) in &one.touches {
            if matches!(thing, Thing::Type(_) | Thing::Function(..)) {
                self.add(thing.clone(), How::Reads);
            }
        }
    }
}

/// The text of a string constant, whatever kinds of text it is cast to on the way.
fn constant(value: &Value) -> Option<&str> {
    match value.pointer("/node/TypeCast/arg") {
        Some(inner) => constant(inner),
        None => text(value.pointer("/node/AConst/val/Sval")?, "sval"),
    }
}

/// A name as the server reads it from a text; none of a number, which is an OID.
fn qualified(name: &str) -> Option<QName> {
    let number = name.chars().all(|c| c.is_ascii_digit());
    if number { None } else { QName::parse(name).ok() }
}

fn built_in(name: &QName) -> bool {
    name.schema.as_ref().is_some_and(|schema| schema.as_str() == "pg_catalog")
}
